//! Fingerprints: the identity of a violation, stable when lines move.

use sha2::{Digest, Sha256};

use crate::policy::PolicyId;
use crate::resource::{Data, Value};

use super::leaf::Element;

/// Names by which an element of a list is known, best first.
const NAMES: [&str; 4] = ["name", "id", "key", "sid"];
/// Deepest level of an element that counts for its content.
const DEPTH_LIMIT: usize = 6;

/// The fingerprint of a violation: 32 hexadecimal digits.
pub(super) fn fingerprint(policy: &PolicyId, unit: &str, resource: &str, element: &str) -> String {
    digest(&[policy.as_str(), unit, resource, element])
}

/// A digest of parts: 32 hexadecimal digits.
pub(super) fn digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    hex::encode(digest.get(..16).unwrap_or_default())
}

/// What tells an element of a list from its neighbours, whatever their order: its list and name, or its content. A block that
/// is the only one needs nothing but its list, so that it stays the same whatever changes in it.
pub(super) fn element_key(element: &Element) -> String {
    let list = element.list.as_ref().and_then(Value::as_list);
    key_in(element.list_name(), list.map_or(0, |list| list.items.len()), &element.value)
}

/// The key of an element of a list with this name and so many elements.
pub(super) fn key_in(list: &str, length: usize, element: &Value) -> String {
    match NAMES.iter().find_map(|name| element.get(name)?.scalar_text()) {
        Some(name) => format!("{list}[{name}]"),
        None if length == 1 && element.as_map().is_some() => list.to_owned(),
        None => format!("{list}[{}]", digest_of(element)),
    }
}

/// A digest of what a value is, wherever it was written.
pub(super) fn digest_of(value: &Value) -> String {
    let mut content = String::new();
    write_content(value, 0, &mut content);
    digest(&[&content])
}

fn write_content(value: &Value, depth: usize, content: &mut String) {
    if depth > DEPTH_LIMIT {
        return;
    }
    match value.data() {
        Data::Null => content.push('~'),
        Data::Bool(_) | Data::Number(_) | Data::Text(_) => {
            content.push_str(&value.scalar_text().unwrap_or_default());
            content.push('\u{1f}');
        }
        Data::List(list) => list.items.iter().for_each(|item| write_content(item, depth + 1, content)),
        Data::Map(map) => map.entries().iter().for_each(|(key, value)| {
            content.push_str(&key.text);
            content.push('=');
            write_content(value, depth + 1, content);
        }),
        Data::Unknown(unknown) => content.push_str(&unknown.reason.subject),
        Data::OneOf(alternatives) => alternatives.iter().for_each(|item| write_content(item, depth + 1, content)),
    }
}
