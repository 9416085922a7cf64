//! Equality and order as Terraform has them: by type first, and unknown where it depends on what nobody knows.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::shape;
use crate::resource::{Data, List, ListKind, Map, MapKind, Unknown, Value};

/// Most pairs of values that are compared for one answer.
const PAIR_LIMIT: u32 = 200_000;

/// Whether two values are equal; `None` when nobody can know.
pub(crate) fn equal(a: &Value, b: &Value) -> Option<bool> {
    pair(a, b, &mut PAIR_LIMIT.clone())
}

fn pair(a: &Value, b: &Value, left: &mut u32) -> Option<bool> {
    *left = left.checked_sub(1)?;
    match (a.data(), b.data()) {
        (Data::OneOf(alternatives), _) => agree(alternatives.iter().map(|one| pair(one, b, left))),
        (_, Data::OneOf(alternatives)) => agree(alternatives.iter().map(|one| pair(a, one, left))),
        (Data::Unknown(unknown), _) => with_unknown(unknown, b),
        (_, Data::Unknown(unknown)) => with_unknown(unknown, a),
        (Data::Null, Data::Null) => Some(true),
        (Data::Bool(a), Data::Bool(b)) => Some(a == b),
        (Data::Number(a), Data::Number(b)) => Some(a == b),
        (Data::Text(a), Data::Text(b)) => Some(a == b),
        (Data::List(a), Data::List(b)) => lists(a, b, left),
        (Data::Map(a), Data::Map(b)) => maps(a, b, left),
        _ => Some(false),
    }
}

/// What all say, if they all say the same.
fn agree(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut common = None;
    for answer in answers {
        let answer = answer?;
        if *common.get_or_insert(answer) != answer {
            return None;
        }
    }
    common
}

/// An unknown value and another: unequal when its type, its prefix or its not being null says so.
fn with_unknown(unknown: &Unknown, other: &Value) -> Option<bool> {
    match other.data() {
        Data::Null => unknown.not_null.then_some(false),
        Data::Text(text) if unknown.prefix.as_ref().is_some_and(|prefix| !text.starts_with(&**prefix)) => Some(false),
        // Null is equal to null of any type.
        Data::Unknown(other) if unknown.not_null || other.not_null => {
            shape::differ(&unknown.shape, &other.shape).then_some(false)
        }
        Data::Unknown(_) => None,
        Data::OneOf(_) => None,
        Data::Bool(_) | Data::Number(_) | Data::Text(_) | Data::List(_) | Data::Map(_) => {
            shape::differ(&unknown.shape, &shape::type_of(other)).then_some(false)
        }
    }
}

fn lists(a: &List, b: &List, left: &mut u32) -> Option<bool> {
    if sort_of_list(a.kind) != sort_of_list(b.kind) {
        return Some(false);
    }
    let unknown = |list: &List| list.items.iter().any(|item| !is_known(item));
    if a.kind == ListKind::Set && (unknown(a) || unknown(b)) && a.items.is_empty() == b.items.is_empty() {
        return None;
    }
    if a.items.len() != b.items.len() {
        return Some(false);
    }
    all(a.items.iter().zip(&b.items).map(|(a, b)| pair(a, b, left)))
}

fn sort_of_list(kind: ListKind) -> ListKind {
    if kind == ListKind::Blocks { ListKind::List } else { kind }
}

fn sort_of_map(kind: MapKind) -> MapKind {
    if kind == MapKind::Block { MapKind::Object } else { kind }
}

fn maps(a: &Map, b: &Map, left: &mut u32) -> Option<bool> {
    if sort_of_map(a.kind) != sort_of_map(b.kind) || a.entries().len() != b.entries().len() {
        return Some(false);
    }
    all(a.entries().iter().map(|(key, a)| b.get(&key.text).map_or(Some(false), |b| pair(a, b, left))))
}

/// True when all are, false when one is not, else unknown.
fn all(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut common = Some(true);
    for answer in answers {
        match answer {
            Some(true) => {}
            Some(false) => return Some(false),
            None => common = None,
        }
    }
    common
}

fn is_known(value: &Value) -> bool {
    !matches!(value.data(), Data::Unknown(_) | Data::OneOf(_))
}

/// The elements of a set: sorted, equal ones once. Unknown ones stay, at the end, since nobody knows which they equal.
pub(crate) fn distinct_sorted(mut items: Vec<Value>) -> Vec<Value> {
    let compound = items.iter().any(|item| matches!(item.data(), Data::List(_) | Data::Map(_)));
    if compound {
        items.sort_by_cached_key(|item| (class(item), fingerprint(item)));
    } else {
        items.sort_by(order);
    }
    items.dedup_by(|a, b| equal(a, b) == Some(true));
    items
}

/// The order of scalars: by value, then unknown, then null.
pub(crate) fn order(a: &Value, b: &Value) -> Ordering {
    match (a.data(), b.data()) {
        (Data::Bool(a), Data::Bool(b)) => a.cmp(b),
        (Data::Number(a), Data::Number(b)) => a.cmp(b),
        (Data::Text(a), Data::Text(b)) => a.cmp(b),
        _ => class(a).cmp(&class(b)),
    }
}

fn class(value: &Value) -> u8 {
    match value.data() {
        Data::Bool(_) => 0,
        Data::Number(_) => 1,
        Data::Text(_) => 2,
        Data::List(_) | Data::Map(_) => 3,
        Data::Unknown(_) | Data::OneOf(_) => 4,
        Data::Null => 5,
    }
}

/// The text by which Terraform orders compound values in a set.
fn fingerprint(value: &Value) -> String {
    let mut text = String::new();
    write_fingerprint(value, &mut text, &mut PAIR_LIMIT.clone());
    text
}

fn write_fingerprint(value: &Value, text: &mut String, left: &mut u32) {
    let Some(rest) = left.checked_sub(1) else { return };
    *left = rest;
    match value.data() {
        Data::Null => text.push('~'),
        Data::Unknown(_) | Data::OneOf(_) => text.push('?'),
        Data::Bool(value) => text.push(if *value { 'T' } else { 'F' }),
        Data::Number(number) => text.push_str(&number.to_string()),
        Data::Text(value) => drop(write!(text, "{value:?}")),
        Data::List(list) => {
            let tuple = list.kind == ListKind::Tuple;
            text.push(if tuple { '<' } else { '[' });
            for item in &list.items {
                write_fingerprint(item, text, left);
                text.push(';');
            }
            text.push(if tuple { '>' } else { ']' });
        }
        Data::Map(map) => {
            let named = map.kind == MapKind::Map;
            text.push(if named { '{' } else { '<' });
            for (key, value) in sorted(map) {
                if named {
                    let _ = write!(text, "{key:?}:");
                }
                write_fingerprint(value, text, left);
                text.push(';');
            }
            text.push(if named { '}' } else { '>' });
        }
    }
}

/// The entries of a map in the order Terraform walks them: by key, equal keys once.
pub(crate) fn sorted(map: &Map) -> Vec<(&std::sync::Arc<str>, &Value)> {
    let mut entries: Vec<_> = map.entries().iter().map(|(key, value)| (&key.text, value)).collect();
    // Stable, so that of equal keys the last one written stays last, and counts.
    entries.sort_by(|a, b| a.0.cmp(b.0));
    entries.reverse();
    entries.dedup_by(|a, b| a.0 == b.0);
    entries.reverse();
    entries
}
