//! Decoders: text read as structure, with spans kept as well as they can be.

use std::collections::HashSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::policy::Decoder;
use crate::resource::{Data, Key, ListKind, MapKind, Reason, ReasonKind, Value};
use crate::syntax::{Scalars, parse_json, parse_yaml};

use super::walk::undecided_reason;

/// What a value reads as. What cannot be read is unknown, with the reason.
pub(super) fn decode(value: &Value, decoder: Decoder) -> Value {
    let span = value.span();
    let unreadable = |what: &str| Value::unknown(Reason::new(ReasonKind::Invalid, what, Some(span)), span);
    // What the text was made from is known better than the text: each part at its place, even where the text is unknown.
    let made_from = value.notes().and_then(|notes| notes.document.as_ref());
    if let (Decoder::Json | Decoder::Yaml | Decoder::Iam, Some(document)) = (decoder, made_from) {
        return document.clone();
    }
    match (decoder, value.data()) {
        (_, Data::Unknown(_)) => value.clone(),
        (Decoder::Count, Data::List(list)) => Value::number(list.items.len() as i64, span),
        (Decoder::Count, Data::Map(map)) => Value::number(map.entries().len() as i64, span),
        (Decoder::Distinct, Data::List(list)) => distinct(&list.items, value),
        (Decoder::Keys, Data::Map(map)) => {
            let keys = map.entries().iter().map(|(key, _)| Value::text(Arc::clone(&key.text), key.span));
            Value::list(ListKind::List, keys.collect(), span)
        }
        (Decoder::Json | Decoder::Yaml | Decoder::Iam, Data::Map(_) | Data::List(_)) => value.clone(),
        (Decoder::Json | Decoder::Iam, Data::Text(text)) => match parse_json(text, span.file, 0) {
            Ok(read) => written_at(&read, value),
            Err(error) => unreadable(&format!("the text is not JSON: {}", error.message)),
        },
        (Decoder::Yaml, Data::Text(text)) => {
            let read = parse_yaml(text, span.file, Scalars::Yaml11);
            match (read.documents.as_slice(), read.errors.first()) {
                ([document], None) => written_at(&document.value, value),
                (_, Some(error)) => unreadable(&format!("the text is not YAML: {}", error.message)),
                _ => unreadable("the text is not one YAML document"),
            }
        }
        (Decoder::Base64, Data::Text(text)) => {
            let decoded = STANDARD.decode(text.trim().as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            decoded.map_or_else(|| unreadable("the text is not Base64 of text"), |decoded| Value::text(decoded, span))
        }
        (Decoder::Image, Data::Text(text)) => image(text, value),
        (Decoder::Lower, Data::Text(text)) => Value::text(text.to_lowercase(), span),
        _ => unreadable(&format!("the value cannot be read as {}", decoder.name())),
    }
}

/// Whether no two elements are the same: texts and numbers by themselves, maps by their name. One nobody knows may be any.
fn distinct(items: &[Value], list: &Value) -> Value {
    let mut seen = HashSet::new();
    let mut doubt = None;
    for item in items {
        let named = if item.as_map().is_some() { item.get("name") } else { Some(item) };
        match named.and_then(Value::scalar_text) {
            Some(text) if item.maybe().is_none() => {
                if !seen.insert(text) {
                    return Value::bool(false, item.span());
                }
            }
            _ => doubt = doubt.or_else(|| undecided_reason(named.unwrap_or(item))),
        }
    }
    match doubt {
        Some(reason) => Value::unknown(reason, list.span()),
        None => Value::bool(true, list.span()),
    }
}

/// A decoded tree whose every node lies where the text was written: positions inside a text with escapes are not its own.
fn written_at(tree: &Value, text: &Value) -> Value {
    let span = text.span();
    let data = match tree.data() {
        Data::List(list) => {
            return Value::list(list.kind, list.items.iter().map(|item| written_at(item, text)).collect(), span);
        }
        Data::Map(map) => {
            let entry = |(key, value): &(Key, Value)| (Key::new(Arc::clone(&key.text), span), written_at(value, text));
            return Value::map(map.kind, map.entries().iter().map(entry).collect(), span);
        }
        data => data.clone(),
    };
    Value::new(data, span)
}

/// The parts of a container image reference, by the grammar of the distribution project: `[registry/]repository[:tag][@digest]`.
fn image(text: &str, value: &Value) -> Value {
    let span = value.span();
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (rest, None),
    };
    let is_registry = |head: &str| head.contains(['.', ':']) || head == "localhost";
    let (registry, repository) = match name.split_once('/') {
        Some((head, tail)) if is_registry(head) => (Some(head), tail),
        _ => (None, name),
    };
    let parts = [("registry", registry), ("repository", Some(repository)), ("tag", tag), ("digest", digest)];
    let entry = |(key, part): (&str, Option<&str>)| Some((Key::new(key, span), Value::text(part?, span)));
    Value::map(MapKind::Map, parts.into_iter().filter_map(entry).collect(), span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Span;

    fn text(text: &str) -> Value {
        Value::text(text, Span::NOWHERE)
    }

    #[test]
    fn image_references_come_apart() {
        let part = |reference: &str, name: &str| {
            decode(&text(reference), Decoder::Image).get(name).and_then(|v| v.as_text().map(|t| t.to_string()))
        };
        assert_eq!(part("r:5000/a/b:1.2", "registry").as_deref(), Some("r:5000"));
        assert_eq!(part("r:5000/a/b:1.2", "tag").as_deref(), Some("1.2"));
        assert_eq!(part("r:5000/a/b", "tag"), None);
        assert_eq!(part("library/nginx", "repository").as_deref(), Some("library/nginx"));
        assert_eq!(part("a@sha256:00", "digest").as_deref(), Some("sha256:00"));
    }

    #[test]
    fn what_a_text_was_made_from_is_read_in_its_place() {
        let open = Value::unknown(Reason::new(ReasonKind::NoDefault, "var.x", None), Span::NOWHERE);
        let made = open.noted(|notes| notes.document = Some(Value::bool(true, Span::NOWHERE)));
        assert_eq!(decode(&made, Decoder::Json).as_bool(), Some(true));
        assert!(decode(&made, Decoder::Base64).as_unknown().is_some());
    }

    #[test]
    fn what_cannot_be_read_is_unknown() {
        assert!(decode(&text("{"), Decoder::Json).as_unknown().is_some());
        assert!(decode(&text("a: ["), Decoder::Yaml).as_unknown().is_some());
        assert_eq!(decode(&text("aGk="), Decoder::Base64).as_text().unwrap().as_ref(), "hi");
        assert_eq!(decode(&text("{\"a\": [1]}"), Decoder::Json).get("a").unwrap().as_list().unwrap().items.len(), 1);
    }
}
