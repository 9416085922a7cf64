//! The notation of schemas (`engine/schemas/README.md`): a line for each type and for each shape that types share, read where a
//! question leads and nowhere else.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

/// The schemas of one file.
#[derive(Debug)]
pub(super) struct Source {
    text: String,
    types: HashMap<Box<str>, (usize, usize)>,
    shapes: HashMap<u32, (usize, usize)>,
}

impl Source {
    pub(super) fn read(text: String) -> Self {
        let mut types = HashMap::new();
        let mut shapes = HashMap::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let (name, fields) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
            let range = (start + name.len(), start + name.len() + 1 + fields.len());
            match name.strip_prefix('@').and_then(|number| number.parse().ok()) {
                Some(number) => drop(shapes.insert(number, range)),
                None if name.is_empty() || name == "#" => {}
                None => drop(types.insert(plain(name).into(), range)),
            }
            start += line.len();
        }
        Self { text, types, shapes }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(|name| &**name)
    }

    /// The fields of a type.
    pub(super) fn fields(&self, type_name: &str) -> Option<Fields<'_>> {
        self.types.get(type_name).map(|range| self.line(*range))
    }

    fn line(&self, (start, end): (usize, usize)) -> Fields<'_> {
        Fields { source: self, line: self.text.get(start..end).unwrap_or_default() }
    }
}

/// The fields of a type or shape, in the order of their names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'s> {
    source: &'s Source,
    line: &'s str,
}

/// One field.
#[derive(Clone, Debug)]
pub(super) struct Field<'s> {
    /// The provider computes it and nobody writes it.
    pub(super) computed: bool,
    /// Whether it is one, a list or a map.
    pub(super) container: Container,
    /// What it, or each of them, is.
    pub(super) kind: Kind<'s>,
    /// The texts it may be, if these are known.
    pub(super) values: Vec<Cow<'s, str>>,
}

/// Whether something is one, or many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    One,
    List,
    Map,
}

/// What a field is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind<'s> {
    Text,
    Number,
    Bool,
    /// Anything: what is below it nobody knows.
    Any,
    /// A block or an object.
    Fields(Fields<'s>),
}

impl<'s> Fields<'s> {
    /// The type or shape this one adds to: its name and the path in it.
    pub(super) fn base(&self) -> Option<(&'s str, &'s str)> {
        let base = self.words().next()?.strip_prefix('<')?;
        Some(base.split_once('/').unwrap_or((base, "")))
    }

    /// Whether it may have fields that are not listed.
    pub(super) fn is_open(&self) -> bool {
        self.words().any(|word| word == "*")
    }

    pub(super) fn get(&self, name: &str) -> Option<Field<'s>> {
        let wanted = escaped(name);
        let word = self.words().find(|word| name_of(word) == wanted)?;
        Some(self.field(word))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = Cow<'s, str>> + use<'s> {
        self.words().filter(|word| !word.starts_with('<') && *word != "*").map(|word| plain(name_of(word)))
    }

    fn words(&self) -> impl Iterator<Item = &'s str> + use<'s> {
        self.line.split(' ').filter(|word| !word.is_empty())
    }

    fn field(&self, word: &'s str) -> Field<'s> {
        let (name, code) = word.split_once('=').unwrap_or((word, ""));
        let computed = name.ends_with('!');
        let (container, code) = match (code.strip_prefix('['), code.strip_prefix('{')) {
            (Some(code), _) => (Container::List, code),
            (None, Some(code)) => (Container::Map, code),
            (None, None) => (Container::One, code),
        };
        let (code, values) = code.split_once('(').unwrap_or((code, ""));
        let values = values.trim_end_matches(')').split('|').filter(|value| !value.is_empty()).map(plain);
        let kind = match code {
            "n" => Kind::Number,
            "b" => Kind::Bool,
            "a" => Kind::Any,
            "" if computed => Kind::Any,
            "" => Kind::Text,
            number => {
                let shape = number.parse().ok().and_then(|number: u32| self.source.shapes.get(&number));
                shape.map_or(Kind::Any, |range| Kind::Fields(self.source.line(*range)))
            }
        };
        Field { computed, container, kind, values: values.collect() }
    }
}

fn name_of(word: &str) -> &str {
    let name = word.split_once('=').map_or(word, |(name, _)| name);
    name.strip_suffix('!').unwrap_or(name)
}

/// A name as the notation writes it.
fn escaped(name: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:/+@*$-".contains(&byte);
    if name.bytes().all(is_plain) {
        return Cow::Borrowed(name);
    }
    let mut text = String::new();
    for byte in name.bytes() {
        if is_plain(byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02x}");
        }
    }
    Cow::Owned(text)
}

/// A name or value without the notation's escapes.
fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split('%');
    let mut bytes: Vec<u8> = parts.next().unwrap_or_default().bytes().collect();
    for part in parts {
        let byte = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.extend(byte);
        bytes.extend(part.bytes().skip(2));
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_with_the_shapes_it_shares() {
        let text = "# words\n@0 a%20b=(x|y%7cz) n=n\nthing * arn! block=[0 flag=b list=[ map={n text\n";
        let source = Source::read(text.into());
        assert_eq!(source.names().collect::<Vec<_>>(), ["thing"]);
        let fields = source.fields("thing").unwrap();
        assert!(fields.is_open() && fields.get("missing").is_none());
        assert_eq!(fields.names().collect::<Vec<_>>(), ["arn", "block", "flag", "list", "map", "text"]);
        assert!(fields.get("arn").unwrap().computed && !fields.get("flag").unwrap().computed);
        assert_eq!(fields.get("list").unwrap().container, Container::List);
        assert!(matches!(fields.get("list").unwrap().kind, Kind::Text));
        assert_eq!(fields.get("map").unwrap().container, Container::Map);
        let Kind::Fields(block) = fields.get("block").unwrap().kind else { panic!() };
        assert_eq!(block.get("a b").unwrap().values, ["x", "y|z"]);
        assert!(matches!(block.get("n").unwrap().kind, Kind::Number));
    }
}
