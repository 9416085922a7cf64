//! JSON, both ways. Encoded text keeps the value it was made from, for whoever reads it as a document.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::de::IgnoredAny;

use super::{Context, Function, Outcome, Shape, Stop, anything, at, function, open, shared_at};
use crate::formats::terraform::eval::{TEXT_LIMIT, reason_within, unique, wholly_known};
use crate::formats::terraform::values::{compare, decimal};
use crate::resource::{Data, Key, List, ListKind, Map, MapKind, Span, Type, Unknown, Value};
use crate::syntax;

pub(super) const FUNCTIONS: &[Function] = &[
    function("jsondecode", &[open(Shape::Text)], Shape::Any, jsondecode),
    function("jsonencode", &[anything(Shape::Any)], Shape::Text, jsonencode),
];

fn jsonencode(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let value = at(arguments, 0);
    let encoded = if wholly_known(value, &mut 1_000_000) {
        let mut text = String::new();
        write(value, &mut text)?;
        context.evaluator.text(text, context.span)
    } else {
        let Some(reason) = reason_within(value, &mut 1_000_000) else {
            return Ok(context.evaluator.limit("a document of more than 1000000 parts".into(), context.span));
        };
        let prefix = match value.data() {
            Data::Map(_) => Some("{".into()),
            Data::List(_) => Some("[".into()),
            _ => None,
        };
        let unknown = Unknown { reason, not_null: true, prefix, shape: Type::Text };
        Value::new(Data::Unknown(Arc::new(unknown)), context.span)
    };
    Ok(encoded.noted(|notes| notes.document = Some(value.clone())))
}

pub(super) fn write(value: &Value, text: &mut String) -> Result<(), Stop> {
    if text.len() > TEXT_LIMIT {
        // What is written so far is too long already; the caller refuses it.
        return Ok(());
    }
    match value.data() {
        Data::Null => text.push_str("null"),
        Data::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Data::Number(number) => drop(write!(text, "{number}")),
        Data::Text(value) => quote(value, text),
        Data::List(list) => {
            text.push('[');
            for (index, item) in list.items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, text)?;
            }
            text.push(']');
        }
        Data::Map(map) => {
            text.push('{');
            for (index, (key, item)) in compare::sorted(map).into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                quote(key, text);
                text.push(':');
                write(item, text)?;
            }
            text.push('}');
        }
        Data::Unknown(_) | Data::OneOf(_) => return Err(Stop::Unknown(value.clone())),
    }
    Ok(())
}

/// A JSON string as Go writes it: what has a meaning in HTML is escaped.
pub(super) fn quote(value: &str, text: &mut String) {
    text.push('"');
    for letter in value.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(letter));
            }
            _ => text.push(letter),
        }
    }
    text.push('"');
}

fn jsondecode(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    if let Some(whole) = at(arguments, 0).as_unknown() {
        // What is known of it may be enough to know that it is no JSON.
        let known = whole.prefix.as_deref().unwrap_or_default().trim_start_matches([' ', '\t', '\r', '\n']);
        let may_be = known.is_empty() || known.starts_with(|c: char| "{[\"-tfn".contains(c) || c.is_ascii_digit());
        return Err(if may_be { Stop::Unknown(at(arguments, 0).clone()) } else { "this is no JSON".into() });
    }
    let text = shared_at(arguments, 0);
    serde_json::from_str::<IgnoredAny>(&text).map_err(|error| Stop::Fault(format!("this is no JSON: {error}")))?;
    // The content of a file lies where the file says; any other text lies where it is decoded.
    let place = content(context, at(arguments, 0));
    let file = place.map_or(context.span.file, |place| place.file);
    let parsed = syntax::parse_json(&text, file, 0).map_err(|error| Stop::Fault(error.message))?;
    let decoded = Decoder { text: &text, span: context.span, in_file: place.is_some() }.value(&parsed);
    Ok(if place.is_some() { decoded.through("jsondecode", context.span) } else { decoded })
}

/// Where a text lies, when it is the whole content of a file.
pub(super) fn content(context: &Context<'_, '_>, value: &Value) -> Option<Span> {
    let table = context.evaluator.table.borrow();
    let mut origin = value.origin();
    while let Some(at) = origin {
        let is_content = |file: &crate::source_tree::SourceFile| {
            at.span.start == 0 && value.as_text().is_some_and(|text| **text == *file.text())
        };
        if table.get(at.span.file).is_some_and(|file| is_content(file)) {
            return Some(at.span);
        }
        origin = at.next.as_ref();
    }
    None
}

/// Makes Terraform's value of a document: objects and tuples, numbers with all digits.
pub(super) struct Decoder<'t> {
    pub text: &'t str,
    pub span: Span,
    pub in_file: bool,
}

impl Decoder<'_> {
    pub(super) fn value(&self, value: &Value) -> Value {
        let span = if self.in_file { value.span() } else { self.span };
        let data = match value.data() {
            Data::Number(number) => {
                let written = self.text.get(value.span().start as usize..value.span().end as usize);
                Data::Number(written.and_then(decimal::parse).unwrap_or_else(|| number.clone()))
            }
            Data::List(list) => {
                let items = list.items.iter().map(|item| self.value(item)).collect();
                Data::List(Arc::new(List { kind: ListKind::Tuple, items }))
            }
            Data::Map(map) => {
                let place = |key: &Key| if self.in_file { key.span } else { self.span };
                let entry =
                    |(key, item): (&Key, &Value)| (Key::new(Arc::clone(&key.text), place(key)), self.value(item));
                let entries = map.entries().iter().map(|(key, item)| entry((key, item))).collect();
                Data::Map(Arc::new(Map::new(MapKind::Object, unique(entries))))
            }
            other => other.clone(),
        };
        Value::new(data, span)
    }
}
