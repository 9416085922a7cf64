//! Messages with placeholders: `container {element.name} may run as root`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template(pub Vec<Part>);

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// As it stands.
    Text(String),
    /// Filled in.
    Filled(Placeholder),
}

/// What is filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Placeholder {
    /// `{value}`: the deciding value.
    Value,
    /// `{path}`: where it lies in the resource.
    Path,
    /// `{resource}`: the resource's address.
    Resource,
    /// `{ports}`: the ports and protocol of a rule of a network.
    Ports,
    /// `{element.a.b}`: an attribute of the element that is looped over.
    Element(Vec<String>),
    /// `{this.a.b}`: an attribute of the resource.
    This(Vec<String>),
    /// `{params.x}`: a parameter.
    Param(String),
}

/// What may stand between braces, for messages.
pub(super) const KNOWN: &str = "{value}, {path}, {resource}, {ports}, {element.NAME}, {this.NAME}, {params.NAME}";

impl Template {
    /// Reads a message; `{{` and `}}` are braces.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            if let Some(behind) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                plain.extend(from.chars().next());
                rest = behind;
                continue;
            }
            let inside = from.strip_prefix('{').and_then(|inside| inside.split_once('}'));
            let Some((name, behind)) = inside else { return Err("a `{` or `}` stands alone; write it twice".into()) };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Filled(placeholder(name)?));
            rest = behind;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }
}

fn placeholder(name: &str) -> Result<Placeholder, String> {
    let keys = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
    match name {
        "value" => return Ok(Placeholder::Value),
        "path" => return Ok(Placeholder::Path),
        "resource" => return Ok(Placeholder::Resource),
        "ports" => return Ok(Placeholder::Ports),
        _ => {}
    }
    match name.split_once('.') {
        Some(("element", path)) => Ok(Placeholder::Element(keys(path))),
        Some(("this", path)) => Ok(Placeholder::This(keys(path))),
        Some(("params", param)) => Ok(Placeholder::Param(param.to_owned())),
        _ => Err(format!("`{{{name}}}` is no placeholder: {KNOWN}")),
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}")),
            Part::Filled(Placeholder::Value) => f.write_str("{value}"),
            Part::Filled(Placeholder::Path) => f.write_str("{path}"),
            Part::Filled(Placeholder::Resource) => f.write_str("{resource}"),
            Part::Filled(Placeholder::Ports) => f.write_str("{ports}"),
            Part::Filled(Placeholder::Element(path)) => write!(f, "{{element.{}}}", path.join(".")),
            Part::Filled(Placeholder::This(path)) => write!(f, "{{this.{}}}", path.join(".")),
            Part::Filled(Placeholder::Param(name)) => write!(f, "{{params.{name}}}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_read_and_print_back() {
        for text in [
            "container {element.name} may run as {value}",
            "{{x}} at {path} of {resource} ({ports}): {params.days} {this.a.b}",
        ] {
            assert_eq!(Template::parse(text).unwrap().to_string(), text);
        }
        for bad in ["{nope}", "{", "a } b", "{element}"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }
}
