//! Terraform's JSON spelling (`*.tf.json`) as the tree native syntax is read into.
//!
//! What is a block there cannot be told from an attribute without the provider's schema: inside resources objects stay
//! objects, which policies read the same way. At the top, and for Terraform's own nested blocks, the kind of block says how
//! many labels its keys stand for. Strings are templates, so one cannot say where in a string a part of it lies.

use std::sync::Arc;

use super::ir::{Attribute, Block, Body, Expr, FileIndex, Item, Kind, Name, ObjectKey, Place};
use super::parse::{Flaw, Parsed, parse_expression, parse_template};
use crate::resource::{Data, FileId, FileTable, Key, ProblemKind, Span, Value};
use crate::source_tree::{SourceFile, TreePath};
use crate::syntax;

/// The blocks that stand at the top of a file, and how many labels each has.
const TOP: [(&str, usize); 13] = [
    ("check", 1),
    ("data", 2),
    ("ephemeral", 2),
    ("import", 0),
    ("locals", 0),
    ("module", 1),
    ("moved", 0),
    ("output", 1),
    ("provider", 1),
    ("removed", 0),
    ("resource", 2),
    ("terraform", 0),
    ("variable", 1),
];

/// The nested blocks that mean something to Terraform itself, and how many labels each has.
const NESTED: [(&str, usize); 9] = [
    ("backend", 1),
    ("cloud", 0),
    ("connection", 0),
    ("dynamic", 1),
    ("lifecycle", 0),
    ("postcondition", 0),
    ("precondition", 0),
    ("provisioner", 1),
    ("required_providers", 0),
];

/// Reads JSON syntax.
pub(crate) fn parse_json(text: &str, file: FileIndex) -> Parsed {
    let reader = Reader { file };
    match syntax::parse_json(text, anywhere(), 0) {
        Ok(value) => {
            let mut parsed = Parsed { body: Body { items: Vec::new(), place: place(&value) }, flaws: Vec::new() };
            reader.top(&value, &mut parsed);
            parsed
        }
        Err(error) => unreadable(&error),
    }
}

/// Reads a variable file: every value is what it says.
pub(crate) fn parse_json_values(text: &str, file: FileIndex) -> Parsed {
    match syntax::parse_json(text, anywhere(), 0) {
        Ok(value) => {
            let attribute = |(key, value): (&Key, &Value)| {
                let (name, value) = (name(key), literal(value));
                Item::Attribute(Arc::new(Attribute { file, name, value }))
            };
            let items = entries(&value).into_iter().map(attribute).collect();
            Parsed { body: Body { items, place: place(&value) }, flaws: Vec::new() }
        }
        Err(error) => unreadable(&error),
    }
}

fn unreadable(error: &syntax::SyntaxError) -> Parsed {
    let place = Place { start: error.span.start, end: error.span.end };
    let message = format!("this is no JSON: {}", error.message);
    let flaw = Flaw { kind: ProblemKind::Unreadable, place, message, remedy: "correct the JSON" };
    Parsed { body: Body::default(), flaws: vec![flaw] }
}

/// The shared JSON reader wants a file; ours are told apart by index, so any will do.
fn anywhere() -> FileId {
    let file = TreePath::new("-").ok().and_then(|path| SourceFile::from_bytes(path, Vec::new()).ok());
    file.map_or(Span::NOWHERE.file, |file| FileTable::default().add(&Arc::new(file)))
}

struct Reader {
    file: FileIndex,
}

fn place(value: &Value) -> Place {
    Place { start: value.span().start, end: value.span().end }
}

fn name(key: &Key) -> Name {
    Name { text: Arc::clone(&key.text), place: Place { start: key.span.start, end: key.span.end } }
}

/// The entries of an object, or of all objects of a list; comments (`"//"`) left out.
fn entries(value: &Value) -> Vec<(&Key, &Value)> {
    match value.data() {
        Data::Map(map) => {
            map.entries().iter().filter(|(key, _)| &*key.text != "//").map(|(key, value)| (key, value)).collect()
        }
        Data::List(list) => list.items.iter().flat_map(entries).collect(),
        _ => Vec::new(),
    }
}

impl Reader {
    fn top(&self, value: &Value, parsed: &mut Parsed) {
        for (key, content) in entries(value) {
            match TOP.iter().find(|(kind, _)| *kind == &*key.text) {
                Some((_, labels)) => self.blocks(&name(key), *labels, &[], content, &mut parsed.body.items),
                None => {
                    let message = format!("Terraform knows no {} block; it was not read", key.text);
                    parsed.flaws.push(Flaw::misplaced(name(key).place, message));
                }
            }
        }
    }

    /// The blocks of one kind: as many levels of keys as it has labels, then one body or a list of them.
    fn blocks(&self, kind: &Name, labels: usize, given: &[Name], value: &Value, items: &mut Vec<Item>) {
        if labels > given.len() {
            for (key, content) in entries(value) {
                let mut given = given.to_vec();
                given.push(name(key));
                self.blocks(kind, labels, &given, content, items);
            }
            return;
        }
        let bodies = match value.data() {
            Data::List(list) => list.items.iter().collect(),
            Data::Map(_) => vec![value],
            _ => Vec::new(),
        };
        for body in bodies {
            let header = given.last().map_or(kind.place, |last| Place { start: last.place.start, end: last.place.end });
            items.push(Item::Block(Arc::new(Block {
                file: self.file,
                kind: kind.clone(),
                labels: given.to_vec(),
                body: self.body(body, &kind.text),
                place: header.to(place(body)),
                header,
            })));
        }
    }

    fn body(&self, value: &Value, kind: &str) -> Body {
        let mut items = Vec::new();
        for (key, content) in entries(value) {
            let name = name(key);
            if let Some((_, labels)) = NESTED.iter().find(|(nested, _)| *nested == &*name.text && kind != "locals") {
                self.blocks(&name, *labels, &[], content, &mut items);
            } else if kind == "dynamic" && &*name.text == "content" {
                self.blocks(&name, 0, &[], content, &mut items);
            } else {
                let value = self.attribute(&name.text, kind, content);
                items.push(Item::Attribute(Arc::new(Attribute { file: self.file, name, value })));
            }
        }
        Body { items, place: place(value) }
    }

    /// Some attributes hold an expression or plain text, not a template.
    fn attribute(&self, name: &str, kind: &str, value: &Value) -> Expr {
        let place = place(value);
        let reference =
            matches!(name, "depends_on" | "provider" | "providers" | "ignore_changes" | "replace_triggered_by");
        match (kind, name, value.data()) {
            ("variable", "type", Data::Text(text)) => bare(text, place),
            ("variable", "default" | "description", _) | ("module", "source" | "version", _) => literal(value),
            (_, _, Data::Text(text)) if reference => bare(text, place),
            (_, _, Data::List(list)) if reference => {
                let item = |item: &Value| match item.data() {
                    Data::Text(text) => bare(text, self::place(item)),
                    _ => expression(item),
                };
                Expr { kind: Kind::Tuple(list.items.iter().map(item).collect()), place }
            }
            _ => expression(value),
        }
    }
}

fn bare(text: &Arc<str>, place: Place) -> Expr {
    parse_expression(text, place).unwrap_or_else(|why| Expr { kind: Kind::Bad(why.into()), place })
}

fn literal(value: &Value) -> Expr {
    walk(value, &|text, place| Expr { kind: Kind::Text(Arc::clone(text)), place })
}

fn expression(value: &Value) -> Expr {
    walk(value, &|text, place| {
        if !text.contains("${") && !text.contains("%{") {
            return Expr { kind: Kind::Text(Arc::clone(text)), place };
        }
        parse_template(text, Some(place)).unwrap_or_else(|why| Expr { kind: Kind::Bad(why.into()), place })
    })
}

fn walk(value: &Value, text: &dyn Fn(&Arc<str>, Place) -> Expr) -> Expr {
    let place = place(value);
    let kind = match value.data() {
        Data::Bool(value) => Kind::Bool(*value),
        Data::Number(number) => Kind::Number(number.clone()),
        Data::Text(value) => return text(value, place),
        Data::List(list) => Kind::Tuple(list.items.iter().map(|item| walk(item, text)).collect()),
        Data::Map(map) => {
            let item = |(key, value): &(Key, Value)| {
                let written = text(&key.text, name(key).place);
                let key = if matches!(written.kind, Kind::Text(_)) {
                    ObjectKey::Name(name(key))
                } else {
                    ObjectKey::Expr(written)
                };
                (key, walk(value, text))
            };
            Kind::Object(map.entries().iter().map(item).collect())
        }
        Data::Null | Data::Unknown(_) | Data::OneOf(_) => Kind::Null,
    };
    Expr { kind, place }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_declares_what_native_syntax_would() {
        let text = r#"{"//": "note", "resource": {"a": {"b": {"x": "${var.y}", "z": 1, "depends_on": ["c.d"]}, "c": [{}, {}]}},
            "locals": [{"l": true}], "variable": {"v": {"type": "list(string)", "default": ["${x}"]}}, "nonsense": 1}"#;
        let parsed = parse_json(text, 3);
        let blocks: Vec<String> = parsed
            .body
            .blocks()
            .map(|b| format!("{} {:?}", b.kind.text, b.labels.iter().map(|l| &*l.text).collect::<Vec<_>>()))
            .collect();
        assert_eq!(
            blocks,
            [
                "resource [\"a\", \"b\"]",
                "resource [\"a\", \"c\"]",
                "resource [\"a\", \"c\"]",
                "locals []",
                "variable [\"v\"]"
            ]
        );
        let resource = parsed.body.block("resource").unwrap();
        assert!(matches!(resource.body.attribute("x").unwrap().value.kind, Kind::Traversal(_)));
        let Kind::Tuple(depends) = &resource.body.attribute("depends_on").unwrap().value.kind else { panic!() };
        assert!(matches!(depends[0].kind, Kind::Traversal(_)));
        let variable = parsed.body.block("variable").unwrap();
        assert!(matches!(variable.body.attribute("type").unwrap().value.kind, Kind::Call(_)));
        let Kind::Tuple(default) = &variable.body.attribute("default").unwrap().value.kind else { panic!() };
        assert_eq!(default[0].as_text().unwrap().as_ref(), "${x}");
        assert_eq!(parsed.flaws.len(), 1);
        assert_eq!(&text[resource.header.start as usize..resource.header.end as usize], "\"b\"");
        assert_eq!(parse_json("{", 0).flaws.len(), 1);
    }
}
