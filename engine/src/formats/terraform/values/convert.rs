//! Conversions between types as Terraform does them.

use std::sync::Arc;

use super::{compare, decimal, shape};
use crate::resource::{Data, Field, Key, List, ListKind, Map, MapKind, Type, Unknown, Value};

/// Why a value does not convert, in plain words.
pub(crate) type Mismatch = &'static str;

/// Most values that are converted at once.
const VALUE_LIMIT: u32 = 1_000_000;

/// Converts a value. Unknown values take the type, known parts beside unknown ones are converted all the same.
pub(crate) fn convert(value: Value, to: &Type) -> Result<Value, Mismatch> {
    deep(value, to, &mut VALUE_LIMIT.clone())
}

fn deep(value: Value, to: &Type, left: &mut u32) -> Result<Value, Mismatch> {
    *left = left.checked_sub(1).ok_or("a value of fewer parts is required")?;
    match (value.data(), to) {
        (_, Type::Any) => Ok(value),
        (Data::Null, _) => {
            if !shape::converts(&shape::type_of(&value), to) {
                return Err(required(to));
            }
            Ok(typed(value, to))
        }
        (Data::Unknown(unknown), _) => {
            if unknown.shape == *to {
                return Ok(value);
            }
            if !shape::converts(&unknown.shape, to) {
                return Err(required(to));
            }
            let unknown = Unknown { shape: to.clone(), ..(**unknown).clone() };
            Ok(value.with(Data::Unknown(Arc::new(unknown))))
        }
        (Data::OneOf(alternatives), _) => {
            let converted: Result<Arc<[Value]>, _> =
                alternatives.iter().map(|one| deep(one.clone(), to, left)).collect();
            converted.map(|alternatives| value.with(Data::OneOf(alternatives)))
        }
        (_, Type::Bool | Type::Number | Type::Text) => scalar(value, to),
        (Data::List(list), Type::List(element) | Type::Set(element)) => {
            let kind = if matches!(to, Type::Set(_)) { ListKind::Set } else { ListKind::List };
            let list = Arc::clone(list);
            collection(value, &list, (kind, element), left)
        }
        (Data::List(list), Type::Tuple(types)) => {
            if list.kind != ListKind::Tuple || list.items.len() != types.len() {
                return Err(required(to));
            }
            let items = list.items.iter().zip(types.iter()).map(|(item, shape)| deep(item.clone(), shape, left));
            let items = items.collect::<Result<_, _>>()?;
            Ok(value.with(Data::List(Arc::new(List { kind: ListKind::Tuple, items }))))
        }
        (Data::Map(map), Type::Map(element)) => {
            let map = Arc::clone(map);
            dictionary(value, &map, element, left)
        }
        (Data::Map(map), Type::Object(fields)) => {
            let map = Arc::clone(map);
            object(value, &map, fields, left)
        }
        _ => Err(required(to)),
    }
}

/// The value, knowing its type where nothing in it tells.
fn typed(value: Value, to: &Type) -> Value {
    let is_empty = match value.data() {
        Data::Null => true,
        Data::List(list) => list.items.is_empty(),
        Data::Map(map) => map.entries().is_empty(),
        _ => false,
    };
    if is_empty && shape::type_of(&value) != *to {
        return value.noted(|notes| notes.shape = Some(to.clone()));
    }
    value
}

/// What is asked for, when a value is of no fitting type.
fn required(to: &Type) -> Mismatch {
    match to {
        Type::Any => "a value is required",
        Type::Bool => "a bool is required",
        Type::Number => "a number is required",
        Type::Text => "a string is required",
        Type::List(_) => "a list is required",
        Type::Set(_) => "a set is required",
        Type::Map(_) => "a map is required",
        Type::Tuple(_) => "a tuple of another length is required",
        Type::Object(_) => "an object with other attributes is required",
    }
}

fn scalar(value: Value, to: &Type) -> Result<Value, Mismatch> {
    let data = match (value.data(), to) {
        (Data::Bool(_), Type::Bool) | (Data::Number(_), Type::Number) | (Data::Text(_), Type::Text) => {
            return Ok(value);
        }
        (Data::Bool(_) | Data::Number(_), Type::Text) => value.scalar_text().map(Data::Text),
        (Data::Text(text), Type::Number) => decimal::parse(text).map(Data::Number),
        (Data::Text(text), Type::Bool) => match &**text {
            "true" | "1" => Some(Data::Bool(true)),
            "false" | "0" => Some(Data::Bool(false)),
            _ => None,
        },
        _ => None,
    };
    data.map(|data| value.with(data)).ok_or(required(to))
}

/// Elements of one type: that which is asked for, or the one they share.
fn alike(items: Vec<Value>, element: &Type, left: &mut u32) -> Result<Vec<Value>, Mismatch> {
    let shared = if *element == Type::Any {
        shape::unify(&shape::types_of(items.iter())).ok_or("all elements must be of one type")?
    } else {
        element.clone()
    };
    let items = items.into_iter().map(|item| deep(item, &shared, left)).collect::<Result<Vec<_>, _>>()?;
    // Attributes of `any` inside the type leave elements that differ still.
    let types = shape::types_of(items.iter());
    if types.iter().all(|shape| *shape == shared || *shape == Type::Any) {
        return Ok(items);
    }
    let shared = shape::unify(&types).ok_or("all elements must be of one type")?;
    items.into_iter().map(|item| deep(item, &shared, left)).collect()
}

fn collection(
    value: Value,
    list: &Arc<List>,
    (kind, element): (ListKind, &Type),
    left: &mut u32,
) -> Result<Value, Mismatch> {
    if list.kind == kind && (*element == Type::Any || shape::type_of(&value) == of(kind, element)) {
        return Ok(value);
    }
    if let Some(open) = unordered(list).filter(|_| kind == ListKind::List) {
        alike(list.items.clone(), element, left)?;
        let open = Unknown { shape: of(kind, element), not_null: true, prefix: None, ..open };
        return Ok(value.with(Data::Unknown(Arc::new(open))));
    }
    let mut items = alike(list.items.clone(), element, left)?;
    // A set cannot say which of its elements are sensitive.
    let secret = kind == ListKind::Set && items.iter().any(|item| is_secret(item, &mut 10_000));
    if kind == ListKind::Set {
        items = compare::distinct_sorted(items);
    }
    let value = typed(value.with(Data::List(Arc::new(List { kind, items }))), &of(kind, element));
    Ok(if secret { value.noted(|notes| notes.sensitive = true) } else { value })
}

/// Whether a value or a part of it is sensitive.
pub(crate) fn is_secret(value: &Value, left: &mut u32) -> bool {
    let Some(rest) = left.checked_sub(1) else { return false };
    *left = rest;
    if value.is_sensitive() {
        return true;
    }
    if let Some(list) = value.as_list() {
        return list.items.iter().any(|item| is_secret(item, left));
    }
    value.as_map().is_some_and(|map| map.entries().iter().any(|(_, item)| is_secret(item, left)))
}

/// Why nobody knows in which order the elements of a set come.
fn unordered(list: &List) -> Option<Unknown> {
    let unknown = |item: &Value| item.as_unknown().cloned();
    (list.kind == ListKind::Set && list.items.len() > 1).then(|| list.items.iter().find_map(unknown)).flatten()
}

fn of(kind: ListKind, element: &Type) -> Type {
    let element = Arc::new(element.clone());
    if kind == ListKind::Set { Type::Set(element) } else { Type::List(element) }
}

fn dictionary(value: Value, map: &Arc<Map>, element: &Type, left: &mut u32) -> Result<Value, Mismatch> {
    if map.kind == MapKind::Map && *element == Type::Any {
        return Ok(value);
    }
    let (keys, values): (Vec<Key>, Vec<Value>) = map.entries().iter().cloned().unzip();
    let entries = keys.into_iter().zip(alike(values, element, left)?).collect();
    let value = value.with(Data::Map(Arc::new(Map::new(MapKind::Map, entries))));
    Ok(typed(value, &Type::Map(Arc::new(element.clone()))))
}

fn object(value: Value, map: &Arc<Map>, fields: &Arc<[Field]>, left: &mut u32) -> Result<Value, Mismatch> {
    let mut entries = Vec::with_capacity(fields.len());
    for (key, given) in map.entries() {
        let wanted = fields.binary_search_by(|field| field.name.cmp(&key.text)).ok();
        if let Some(field) = wanted.and_then(|index| fields.get(index)) {
            entries.push((key.clone(), deep(given.clone(), &field.shape, left)?));
        }
    }
    for field in fields.iter().filter(|field| map.get(&field.name).is_none()) {
        if !field.optional {
            return Err("an object with another attribute is required");
        }
        let missing = typed(Value::null(value.span()), &field.shape);
        entries.push((Key::new(Arc::clone(&field.name), value.span()), missing));
    }
    Ok(value.with(Data::Map(Arc::new(Map::new(MapKind::Object, entries)))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Span;

    fn text(text: &str) -> Value {
        Value::text(text, Span::NOWHERE)
    }

    fn shown(value: Result<Value, Mismatch>) -> String {
        match value {
            Ok(value) => match value.data() {
                Data::Text(text) => format!("{text:?}"),
                Data::List(list) => {
                    let items: Vec<_> = list.items.iter().map(|item| shown(Ok(item.clone()))).collect();
                    format!("{:?}[{}]", list.kind, items.join(","))
                }
                Data::Number(number) => number.to_string(),
                other => format!("{other:?}"),
            },
            Err(mismatch) => mismatch.into(),
        }
    }

    #[test]
    fn scalars_convert_both_ways_as_far_as_they_can() {
        let number = || Value::number(5, Span::NOWHERE);
        assert_eq!(shown(convert(number(), &Type::Text)), "\"5\"");
        assert_eq!(shown(convert(text("5"), &Type::Number)), "5");
        assert_eq!(shown(convert(text("1"), &Type::Bool)), "Bool(true)");
        assert_eq!(shown(convert(text("True"), &Type::Bool)), "a bool is required");
        assert_eq!(shown(convert(number(), &Type::Bool)), "a bool is required");
        assert_eq!(shown(convert(Value::null(Span::NOWHERE), &Type::Bool)), "Null");
    }

    #[test]
    fn a_set_is_sorted_and_has_no_doubles() {
        let tuple =
            Value::list(ListKind::Tuple, vec![text("b"), Value::number(1, Span::NOWHERE), text("b")], Span::NOWHERE);
        assert_eq!(shown(convert(tuple.clone(), &Type::Set(Arc::new(Type::Any)))), "Set[\"1\",\"b\"]");
        assert_eq!(shown(convert(tuple, &Type::List(Arc::new(Type::Number)))), "a number is required");
    }
}
