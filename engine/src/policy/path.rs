//! Paths: which nodes of a resource an entry speaks of.
//!
//! ```text
//! path     = step { "." step }
//! step     = ( name | '"' text '"' | "(" name { "|" name } ")" | "*" ) { selector } { "@" decoder }
//! selector = "[]" | "[any]" | "[all]" | "[first]" | "[last]" | "[" number "]" | "[" name "=" value { "," name "=" value } "]"
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

use super::nearest;

/// Most steps a path may have.
const STEP_LIMIT: usize = 32;

/// A path from a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Path {
    /// Its steps; none means the node itself.
    pub steps: Vec<Step>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The children it goes to: all of those that are there.
    pub names: Vec<Name>,
    /// Which of their elements.
    pub selectors: Vec<Selector>,
    /// How they are read.
    pub decoders: Vec<Decoder>,
}

/// A child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Name {
    /// The child of that name.
    Key(String),
    /// Every child.
    Every,
}

/// Which elements of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Selector {
    /// `[]`: each one that is there (any one, under `forbid` and `when`).
    Each,
    /// `[any]`: at least one, whatever the rule wants.
    Any,
    /// `[all]`: all of them, whatever the rule wants.
    All,
    /// `[first]`.
    First,
    /// `[last]`.
    Last,
    /// `[2]`, from 0.
    Index(usize),
    /// `[name=x,kind=y]`: those whose attributes have these texts.
    Where(Vec<(String, String)>),
}

/// How a value is read into structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decoder {
    /// JSON text.
    Json,
    /// YAML text.
    Yaml,
    /// Base64 text.
    Base64,
    /// An IAM policy document: `statements[]`.
    Iam,
    /// A container image reference: `registry`, `repository`, `tag`, `digest`.
    Image,
    /// Text in lower case.
    Lower,
    /// The keys of a map.
    Keys,
    /// How many there are.
    Count,
    /// Whether no two elements are the same; maps are by their `name`.
    Distinct,
}

impl Decoder {
    /// All of them with their names.
    pub const ALL: [(&'static str, Self); 9] = [
        ("json", Self::Json),
        ("yaml", Self::Yaml),
        ("base64", Self::Base64),
        ("iam", Self::Iam),
        ("image", Self::Image),
        ("lower", Self::Lower),
        ("keys", Self::Keys),
        ("count", Self::Count),
        ("distinct", Self::Distinct),
    ];

    /// Its name in a path.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, decoder)| *decoder == self).map_or("", |(name, _)| name)
    }
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong, and the byte offset in the text.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        // An attribute named like an operator is written with a dot in front.
        let skipped = usize::from(text.starts_with('.'));
        let mut reader = Reader { text, at: skipped };
        let mut steps = Vec::new();
        loop {
            steps.push(reader.step()?);
            if steps.len() > STEP_LIMIT {
                return Err((reader.at, format!("a path has at most {STEP_LIMIT} steps")));
            }
            if reader.at == text.len() {
                return Ok(Self { steps });
            }
            reader.expect('.')?;
        }
    }

    /// The name of the first step when it is a single plain name.
    #[must_use]
    pub fn head(&self) -> Option<&str> {
        match self.steps.first()?.names.as_slice() {
            [Name::Key(name)] => Some(name),
            _ => None,
        }
    }

    /// The path behind the first step.
    #[must_use]
    pub fn tail(&self) -> Self {
        Self { steps: self.steps.get(1..).unwrap_or_default().to_vec() }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn error<T>(&self, message: impl Into<String>) -> Result<T, (usize, String)> {
        Err((self.at, message.into()))
    }

    fn expect(&mut self, wanted: char) -> Result<(), (usize, String)> {
        match self.peek() {
            Some(found) if found == wanted => {
                self.at += wanted.len_utf8();
                Ok(())
            }
            Some(found) => self.error(format!("`{wanted}` expected, found `{found}`")),
            None => self.error(format!("`{wanted}` expected, but the path ends")),
        }
    }

    fn step(&mut self) -> Result<Step, (usize, String)> {
        let names = match self.peek() {
            Some('*') => {
                self.at += 1;
                vec![Name::Every]
            }
            Some('(') => self.choice()?,
            _ => vec![Name::Key(self.name()?)],
        };
        let mut step = Step { names, selectors: Vec::new(), decoders: Vec::new() };
        while self.peek() == Some('[') {
            step.selectors.push(self.selector()?);
        }
        while self.peek() == Some('@') {
            self.at += 1;
            step.decoders.push(self.decoder()?);
        }
        Ok(step)
    }

    fn choice(&mut self) -> Result<Vec<Name>, (usize, String)> {
        self.expect('(')?;
        let mut names = vec![Name::Key(self.name()?)];
        while self.peek() == Some('|') {
            self.at += 1;
            names.push(Name::Key(self.name()?));
        }
        self.expect(')')?;
        Ok(names)
    }

    fn name(&mut self) -> Result<String, (usize, String)> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || "_-$/:".contains(c))).unwrap_or(rest.len());
        if end == 0 {
            return self.error("an attribute name is expected");
        }
        self.at += end;
        Ok(rest.get(..end).unwrap_or_default().to_owned())
    }

    fn quoted(&mut self) -> Result<String, (usize, String)> {
        self.expect('"')?;
        let rest = self.rest();
        let Some(end) = rest.find('"') else { return self.error("the `\"` is never closed") };
        self.at += end + 1;
        Ok(rest.get(..end).unwrap_or_default().to_owned())
    }

    fn selector(&mut self) -> Result<Selector, (usize, String)> {
        self.expect('[')?;
        let start = self.at;
        let rest = self.rest();
        let Some(end) = rest.find(']') else { return self.error("the `[` is never closed") };
        let inside = rest.get(..end).unwrap_or_default();
        self.at += end + 1;
        match inside {
            "" => return Ok(Selector::Each),
            "any" => return Ok(Selector::Any),
            "all" => return Ok(Selector::All),
            "first" => return Ok(Selector::First),
            "last" => return Ok(Selector::Last),
            _ => {}
        }
        if let Ok(index) = inside.parse() {
            return Ok(Selector::Index(index));
        }
        let pair = |text: &str| {
            let (name, value) = text.split_once('=')?;
            let value = value.trim().trim_matches('"');
            (!name.trim().is_empty() && !value.is_empty()).then(|| (name.trim().to_owned(), value.to_owned()))
        };
        let pairs: Option<Vec<_>> = inside.split(',').map(pair).collect();
        let expected = "`[]`, `[any]`, `[all]`, `[first]`, `[last]`, `[0]` or `[name=value]` expected";
        pairs.map(Selector::Where).ok_or_else(|| (start, format!("{expected}, found `[{inside}]`")))
    }

    fn decoder(&mut self) -> Result<Decoder, (usize, String)> {
        let start = self.at;
        let name = self.name()?;
        let known = Decoder::ALL.iter().find(|(known, _)| *known == name);
        known.map(|(_, decoder)| *decoder).ok_or_else(|| {
            let names: Vec<&str> = Decoder::ALL.iter().map(|(name, _)| *name).collect();
            let hint = match nearest(&name, &names) {
                Some(meant) => format!("did you mean `@{meant}`?"),
                None => format!("known are: @{}", names.join(", @")),
            };
            (start, format!("`@{name}` is no decoder; {hint}"))
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            step.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names.as_slice() {
            [name] => name.fmt(f)?,
            names => {
                let names: Vec<String> = names.iter().map(ToString::to_string).collect();
                write!(f, "({})", names.join("|"))?;
            }
        }
        for selector in &self.selectors {
            match selector {
                Selector::Each => f.write_str("[]")?,
                Selector::Any => f.write_str("[any]")?,
                Selector::All => f.write_str("[all]")?,
                Selector::First => f.write_str("[first]")?,
                Selector::Last => f.write_str("[last]")?,
                Selector::Index(index) => write!(f, "[{index}]")?,
                Selector::Where(pairs) => {
                    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    write!(f, "[{}]", pairs.join(","))?;
                }
            }
        }
        self.decoders.iter().try_for_each(|decoder| write!(f, "@{}", decoder.name()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => f.write_str("*"),
            Self::Key(name) if name.contains(['.', ' ', '[', '@']) => write!(f, "\"{name}\""),
            Self::Key(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_and_prints_back() {
        for text in [
            "storage_encrypted",
            "settings.database_flags[name=log_connections].value",
            "(member|members)[]",
            "commands[name=apt-get,subcommand=install][].flags",
            "pod.containers[any].image@image.tag",
            "metadata.labels.\"app.kubernetes.io/name\"",
            "*.x[first].y[2].z[last][all]",
            "policy@json@lower",
        ] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Path::parse(".version").unwrap().to_string(), "version");
    }

    #[test]
    fn a_mistake_is_placed() {
        for (text, at) in
            [("a..b", 2), ("a[x", 2), ("a[x]", 2), ("a@jsno", 2), ("a b", 1), ("", 0), ("(a|)", 3), ("\"a", 1)]
        {
            let (found, message) = Path::parse(text).unwrap_err();
            assert_eq!(found, at, "{text}: {message}");
        }
        assert!(Path::parse(&vec!["a"; 40].join(".")).is_err());
    }
}
