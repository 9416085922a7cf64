//! What a violation says, and the text that would mend it.

use std::collections::BTreeSet;

use crate::policy::{Check, Condition, Fix, Literal, Matcher, Part, Placeholder, Rule, Template};
use crate::resource::{Data, FormatId, Resource, Value};

use super::leaf::Leaf;
use super::predicates::is_secret;
use super::truth::Truth;

/// Longest value quoted in a message, in characters.
const VALUE_LIMIT: usize = 80;
/// Longest message, in characters.
const MESSAGE_LIMIT: usize = 400;
/// The last port there is.
const LAST_PORT: i64 = 65_535;
/// Most leaves named in a message.
const NAMED_LIMIT: usize = 3;

/// A value as a message quotes it: one line, bounded, nothing sensitive.
pub(super) fn quoted(value: &Value) -> String {
    if value.is_sensitive() {
        return "(sensitive)".to_owned();
    }
    let text = match value.data() {
        Data::Null => "null".to_owned(),
        Data::Text(text) if is_secret(text) => "(a secret)".to_owned(),
        Data::Text(text) => format!("\"{}\"", cut(text, VALUE_LIMIT)),
        Data::Bool(_) | Data::Number(_) => value.scalar_text().unwrap_or_default().to_string(),
        Data::List(list) if list.items.is_empty() => "empty".to_owned(),
        Data::List(list) => {
            let items: Vec<String> = list.items.iter().take(4).map(quoted).collect();
            let more = if list.items.len() > 4 { ", …" } else { "" };
            format!("[{}{more}]", items.join(", "))
        }
        Data::Map(_) => "a block".to_owned(),
        Data::Unknown(_) => "unknown".to_owned(),
        Data::OneOf(alternatives) => alternatives.iter().take(4).map(quoted).collect::<Vec<_>>().join(" or "),
    };
    cut(&text, VALUE_LIMIT + 2)
}

/// A text in one line of at most `limit` characters.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(limit + 1).collect();
    if line.chars().count() <= limit {
        return line;
    }
    line.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

/// What a violation says when its policy does not.
fn default_message(leaves: &[&Leaf], check: &Check) -> String {
    if matches!(check.rule, Rule::ForbidResource) {
        return "this resource must not exist".to_owned();
    }
    // Conditions on one missing link say the same.
    let mut seen = BTreeSet::new();
    let mut sentences: Vec<String> = leaves.iter().map(|leaf| sentence(leaf)).collect();
    sentences.retain(|sentence| seen.insert(sentence.clone()));
    let more = sentences.len().saturating_sub(NAMED_LIMIT);
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    sentences.truncate(NAMED_LIMIT);
    format!("{}{rest}", sentences.join("; "))
}

/// What a leaf found, without what was asked.
pub(super) fn found(leaf: &Leaf) -> String {
    if let Some(types) = &leaf.missing_link {
        return match &leaf.reason {
            Some(_) => format!("nobody can know which {types} is linked to it"),
            None => format!("no {types} is linked to it"),
        };
    }
    let path = if leaf.path.is_empty() { "it" } else { &leaf.path };
    match &leaf.value {
        None => format!("{path} is not set"),
        Some(value) if value.is_assumed() => format!("{path} is not set and {} by default", quoted(value)),
        Some(value) => format!("{path} is {}", quoted(value)),
    }
}

fn sentence(leaf: &Leaf) -> String {
    if let Some(types) = &leaf.missing_link {
        return format!("no {types} is linked to it");
    }
    let path = if leaf.path.is_empty() { "it" } else { &leaf.path };
    let found = found(leaf);
    match (leaf.truth, leaf.wanted.as_str()) {
        (_, "") => found,
        (Truth::True, "set") => format!("{path} must not be set"),
        (Truth::False, "absent") => format!("{path} must not be set"),
        (Truth::True, wanted) => format!("{found}, must not be {wanted}"),
        (Truth::False | Truth::Unknown, wanted) => format!("{found}, must be {wanted}"),
    }
}

/// What a violation says.
pub(super) fn message(check: &Check, params: &[(String, Literal)], resource: &Resource, leaves: &[&Leaf]) -> String {
    let message = match (&check.message, leaves.first()) {
        (Some(template), Some(leaf)) => filled(template, params, resource, leaf),
        (Some(template), None) => template.to_string(),
        (None, _) => default_message(leaves, check),
    };
    let part = called_part(resource).map(|part| format!("{part}: ")).unwrap_or_default();
    cut(&format!("{part}{message}"), MESSAGE_LIMIT)
}

/// What a virtual resource is called within its owner, when it is a part of it: `ingress[1]`.
pub(super) fn called_part(resource: &Resource) -> Option<&str> {
    resource.address.strip_prefix(&**resource.owner.as_ref()?)?.strip_prefix('.')
}

/// The ports and protocol of a rule: `22/tcp`, `22, 8000-8100/tcp`, `all ports`.
fn ports_in_words(resource: &Resource) -> Option<String> {
    let protocol = resource.attributes.get("protocol")?.scalar_text()?;
    let end = |range: &Value, name| range.get(name)?.as_number()?.as_i64();
    let range = |range: &Value| match (end(range, "from")?, end(range, "to")?) {
        (0, LAST_PORT) => Some("all".to_owned()),
        (from, to) if from == to => Some(from.to_string()),
        (from, to) => Some(format!("{from}-{to}")),
    };
    let ports: Vec<String> =
        resource.attributes.get("ports")?.as_list()?.items.iter().map(range).collect::<Option<_>>()?;
    let is_all = ports.iter().any(|port| port == "all");
    Some(match (&*protocol, is_all) {
        ("all", true) => "every port".to_owned(),
        (protocol, true) => format!("every {protocol} port"),
        (protocol, false) if ports.is_empty() => protocol.to_owned(),
        ("all", false) => ports.join(", "),
        (protocol, false) => format!("{}/{protocol}", ports.join(", ")),
    })
}

fn filled(template: &Template, params: &[(String, Literal)], resource: &Resource, leaf: &Leaf) -> String {
    let attribute = |value: &Value, path: &[String]| {
        let keys: Vec<&str> = path.iter().map(String::as_str).collect();
        value.dig(&keys).and_then(Value::scalar_text).map(|text| cut(&text, VALUE_LIMIT))
    };
    let fill = |placeholder: &Placeholder| match placeholder {
        Placeholder::Value => leaf.value.as_ref().map(quoted),
        Placeholder::Path => Some(leaf.path.clone()),
        Placeholder::Resource => Some(resource.reported_address().to_string()),
        Placeholder::Ports => ports_in_words(resource),
        Placeholder::Element(path) => leaf.element.as_ref().and_then(|element| attribute(&element.value, path)),
        Placeholder::This(path) => attribute(&resource.attributes, path),
        Placeholder::Param(name) => params.iter().find(|(param, _)| param == name).map(|(_, value)| value.to_text()),
    };
    let part = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Filled(placeholder) => fill(placeholder).unwrap_or_else(|| "(unknown)".to_owned()),
    };
    template.0.iter().map(part).collect()
}

/// The text that would mend a violation: what the policy says, or the literal its rule requires, as the file that declares
/// the resource writes it.
pub(super) fn suggestion(check: &Check, resource: &Resource, declared: &Resource, leaves: &[&Leaf]) -> Option<String> {
    let written = Written::of(resource, declared)?;
    match &check.fix {
        Some(Fix::Add(text)) => {
            let filled = text
                .replace("{id}", &format!("{}.id", resource.address))
                .replace("{name}", &resource.name)
                .replace("{address}", &resource.address);
            return Some(filled.trim_end().to_owned());
        }
        Some(Fix::Set(pairs)) => {
            let lines = pairs.iter().map(|(path, value)| written.setting(&path.to_string(), value));
            return Some(lines.collect::<Vec<_>>().join("\n"));
        }
        Some(Fix::Remove(_)) => return None,
        None => {}
    }
    let Rule::Require(conditions) = &check.rule else { return None };
    let wanted = |leaf: &&Leaf| {
        let attribute = leaf.path.rsplit('.').next().unwrap_or_default();
        conditions.iter().find_map(|condition| match condition {
            Condition::Entry { path, matcher, .. } if path.to_string() == leaf.path => {
                let literal = preferred(matcher)?;
                Some(written.setting(attribute, literal))
            }
            _ => None,
        })
    };
    let lines: Vec<String> = leaves.iter().filter_map(wanted).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The literal that would satisfy a matcher, when one is named.
fn preferred(matcher: &Matcher) -> Option<&Literal> {
    match matcher {
        Matcher::Is(literal) => Some(literal),
        Matcher::Choice(choices) => choices.first().and_then(preferred),
        Matcher::Operators { tests, .. } => match tests.as_slice() {
            [crate::policy::Operator::Match(matcher)] => preferred(matcher),
            _ => None,
        },
        _ => None,
    }
}

/// How the file that declares a resource writes attributes.
#[derive(Clone, Copy)]
enum Written {
    /// `name = value`, and blocks.
    Hcl,
    /// The same, of what a policy calls by the manifest's names.
    HclOfManifest,
    Instruction,
    Yaml,
}

impl Written {
    /// `None` where a suggestion would have to be written into an expression.
    fn of(resource: &Resource, declared: &Resource) -> Option<Self> {
        match (declared.format, resource.format) {
            (FormatId::Terraform, FormatId::Terraform) => Some(Self::Hcl),
            (FormatId::Terraform, _) if &*declared.type_name == "kubernetes_manifest" => None,
            (FormatId::Terraform, _) => Some(Self::HclOfManifest),
            (FormatId::Dockerfile, _) => Some(Self::Instruction),
            _ => Some(Self::Yaml),
        }
    }

    /// An attribute set to a value. The view a path begins with is not written by anyone.
    fn setting(self, path: &str, value: &Literal) -> String {
        let keys: Vec<&str> = path.strip_prefix("pod.").unwrap_or(path).split('.').collect();
        match self {
            Self::Hcl => blocks(&keys, value),
            Self::HclOfManifest => {
                let keys: Vec<String> = keys.into_iter().map(snake_case).collect();
                blocks(&keys.iter().map(String::as_str).collect::<Vec<_>>(), value)
            }
            Self::Instruction => format!("{} {}", path.to_uppercase(), value.to_text()),
            Self::Yaml => nested(&keys, value),
        }
    }
}

/// A path as nested blocks around an attribute.
fn blocks(keys: &[&str], value: &Literal) -> String {
    let Some((last, outer)) = keys.split_last() else { return String::new() };
    let mut lines: Vec<String> =
        outer.iter().enumerate().map(|(depth, key)| format!("{}{key} {{", "  ".repeat(depth))).collect();
    lines.push(format!("{}{last} = {value}", "  ".repeat(outer.len())));
    lines.extend((0..outer.len()).rev().map(|depth| format!("{}}}", "  ".repeat(depth))));
    lines.join("\n")
}

/// A path as nested YAML keys.
fn nested(keys: &[&str], value: &Literal) -> String {
    let last = keys.len().saturating_sub(1);
    let line = |(depth, key): (usize, &&str)| {
        let end = if depth == last { format!(" {}", value.to_text()) } else { String::new() };
        format!("{}{key}:{end}", "  ".repeat(depth))
    };
    keys.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

/// `hostPID` as Terraform's provider writes it: `host_pid`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut after_small = false;
    for letter in name.chars() {
        if letter.is_uppercase() && after_small {
            snake.push('_');
        }
        after_small = letter.is_lowercase() || letter.is_ascii_digit();
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_are_written_as_their_format_is() {
        let value = Literal::Bool(true);
        assert_eq!(Written::Hcl.setting("encrypted", &value), "encrypted = true");
        assert_eq!(Written::Hcl.setting("a.b.c", &value), "a {\n  b {\n    c = true\n  }\n}");
        let path = "pod.securityContext.runAsNonRoot";
        assert_eq!(Written::Yaml.setting(path, &value), "securityContext:\n  runAsNonRoot: true");
        let blocks = "security_context {\n  run_as_non_root = true\n}";
        assert_eq!(Written::HclOfManifest.setting(path, &value), blocks);
        assert_eq!(Written::HclOfManifest.setting("hostPID", &value), "host_pid = true");
        assert_eq!(Written::Instruction.setting("user", &Literal::Text("app".into())), "USER app");
    }

    #[test]
    fn a_quoted_value_is_one_bounded_line() {
        let long = Value::text("x\n".repeat(300), crate::resource::Span::NOWHERE);
        assert!(quoted(&long).chars().count() <= VALUE_LIMIT + 2 && !quoted(&long).contains('\n'));
        assert_eq!(quoted(&long.noted(|notes| notes.sensitive = true)), "(sensitive)");
        let key = Value::text(format!("glpat-{}", "x".repeat(20)), crate::resource::Span::NOWHERE);
        assert_eq!(quoted(&key), "(a secret)", "a report is read by more people than a file");
    }
}
