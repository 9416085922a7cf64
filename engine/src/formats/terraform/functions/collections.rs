//! Functions over maps, and those that take any collection.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{
    ANY, Context, Function, Outcome, Shape, Stop, anything, at, function, items_at, known, open, settled, shared_at,
    texts,
};
use crate::formats::terraform::eval::{is_known, may_be_null, reason, unknown, wholly_known};
use crate::formats::terraform::values::convert::convert;
use crate::formats::terraform::values::{compare, decimal, shape};
use crate::resource::{Data, Field, Key, ListKind, MapKind, Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    function("coalesce", &[], Shape::Any, coalesce).further(anything(Shape::Any)),
    function("keys", &[open(Shape::Mapping)], Shape::Texts, keys).hands_on(),
    function("length", &[open(Shape::Any)], Shape::Number, length).hands_on(),
    function("lookup", &[open(Shape::Any), open(Shape::Text)], Shape::Any, lookup)
        .further(anything(Shape::Any))
        .hands_on(),
    function("merge", &[], Shape::Any, merge).further(anything(Shape::Mapping)).hands_on(),
    function("transpose", &[known(Shape::ListsByName)], Shape::Any, transpose),
    function("values", &[open(Shape::Mapping)], Shape::List, values).hands_on(),
    function("zipmap", &[known(Shape::Texts), ANY], Shape::Any, zipmap).hands_on(),
];

/// The first argument that is neither null nor empty text, of the type they share.
fn coalesce(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let types = shape::types_of(arguments.iter());
    let is_open =
        types.iter().any(shape::has_any) && !arguments.iter().all(|argument| wholly_known(argument, &mut 100_000));
    let shared = shape::unify(&types).ok_or_else(|| Stop::from("all arguments must be of one type"))?;
    // With one of a type nobody knows, they may turn out to share another one.
    let shared = if is_open { Type::Any } else { shared };
    for argument in arguments {
        let value = convert(argument.clone(), &shared)?;
        if let Some(reason) = reason(&value) {
            if !may_be_null(&value) && shared != Type::Text {
                return Ok(value.at(context.span));
            }
            // It identifies what it identifies, if it is the one taken.
            let references = value.references().to_vec();
            let other = unknown(reason, shared, true, context.span);
            return Ok(other.noted(|notes| notes.references = references));
        }
        let empty = value.as_text().is_some_and(|text| text.is_empty());
        if !value.is_null() && !empty {
            return Ok(value.at(context.span));
        }
    }
    Err("all arguments are null or empty".into())
}

fn keys(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    if let Some(whole) = at(arguments, 0).as_unknown() {
        let Type::Object(fields) = &whole.shape else { return Err(Stop::Unknown(at(arguments, 0).clone())) };
        let names = fields.iter().map(|field| Value::text(Arc::clone(&field.name), context.span));
        return context.list(ListKind::Tuple, names.collect());
    }
    let map = at(arguments, 0).as_map().ok_or_else(|| Stop::from("a map is required"))?;
    let kind = if map.kind == MapKind::Map { ListKind::List } else { ListKind::Tuple };
    let keys = compare::sorted(map).into_iter().map(|(key, _)| Value::text(Arc::clone(key), context.span));
    context.list(kind, keys.collect())
}

fn values(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    if let Some(whole) = at(arguments, 0).as_unknown() {
        let shape = match &whole.shape {
            Type::Object(fields) => Type::Tuple(fields.iter().map(|field| field.shape.clone()).collect()),
            Type::Map(element) => Type::List(Arc::clone(element)),
            _ => Type::Any,
        };
        return Ok(unknown(whole.reason.clone(), shape, true, context.span));
    }
    let map = at(arguments, 0).as_map().ok_or_else(|| Stop::from("a map is required"))?;
    let kind = if map.kind == MapKind::Map { ListKind::List } else { ListKind::Tuple };
    context.list(kind, compare::sorted(map).into_iter().map(|(_, value)| value.clone()).collect())
}

fn length(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let value = at(arguments, 0);
    let counted = |count: usize| Ok(Value::number(decimal::counted(count), context.span));
    match value.data() {
        Data::Text(text) => counted(unicode_segmentation::UnicodeSegmentation::graphemes(&**text, true).count()),
        Data::List(list) => {
            // Unknown elements of a set may turn out to be equal to others.
            let open = list.items.iter().find(|item| !is_known(item));
            match open.filter(|_| list.kind == ListKind::Set && list.items.len() > 1) {
                Some(open) => Err(Stop::Unknown(open.clone())),
                None => counted(list.items.len()),
            }
        }
        Data::Map(map) => counted(compare::sorted(map).len()),
        Data::Unknown(inner) => match &inner.shape {
            Type::Tuple(types) => counted(types.len()),
            Type::Object(fields) => counted(fields.len()),
            Type::Bool | Type::Number => Err("text or a collection is required".into()),
            _ => Err(Stop::Unknown(value.clone())),
        },
        _ => Err("text or a collection is required".into()),
    }
}

fn lookup(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let (map, key, default) = (at(arguments, 0), at(arguments, 1), arguments.get(2));
    if arguments.len() > 3 {
        return Err("takes two or three arguments".into());
    }
    if !is_known(map) {
        return Err(Stop::Unknown(map.clone()));
    }
    let entries = map.as_map().ok_or_else(|| Stop::from("a map is required"))?;
    if !is_known(key) {
        return Err(Stop::Unknown(key.clone()));
    }
    match (entries.get(&shared_at(arguments, 1)), default) {
        (Some(value), _) => Ok(context.handed_on(value)),
        (None, Some(default)) if entries.kind == MapKind::Map => match shape::type_of(map) {
            Type::Map(element) => Ok(convert(default.clone(), &element)?),
            _ => Ok(default.clone()),
        },
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(Stop::Fault(format!("there is no key \"{}\"", shared_at(arguments, 1)))),
    }
}

/// Later keys win. Of one type throughout it is of that type.
fn merge(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let mut entries: Vec<(Key, Value)> = Vec::new();
    let mut places: HashMap<Arc<str>, usize> = HashMap::new();
    if let Some(open) = arguments.iter().find(|argument| !is_known(argument)) {
        let shape = merged(arguments).unwrap_or_default();
        return Ok(context.evaluator.because_of(&[open], shape, context.span));
    }
    for argument in arguments {
        let map = match argument.data() {
            Data::Null if Shape::Mapping.admits(&shape::type_of(argument)) => continue,
            Data::Map(map) => map,
            _ => return Err("all arguments must be maps".into()),
        };
        for (key, value) in map.entries() {
            match places.get(&key.text).and_then(|at| entries.get_mut(*at)) {
                Some(entry) => *entry = (key.clone(), value.clone()),
                None => {
                    places.insert(Arc::clone(&key.text), entries.len());
                    entries.push((key.clone(), value.clone()));
                }
            }
        }
    }
    let maps = arguments.iter().filter_map(Value::as_map);
    let all_maps = arguments.iter().any(|argument| argument.as_map().is_some())
        && maps.clone().all(|map| map.kind == MapKind::Map);
    let same = || {
        let types: Vec<Type> = arguments.iter().filter(|argument| !argument.is_null()).map(shape::type_of).collect();
        types.windows(2).all(|pair| pair.first() == pair.last())
    };
    let kind = if all_maps && same() { MapKind::Map } else { MapKind::Object };
    Ok(context
        .evaluator
        .crowded(entries.len(), context.span)
        .unwrap_or_else(|| Value::map(kind, entries, context.span)))
}

/// The type of what objects and maps become, of which not all are known; `None` where that depends on what they turn out to be.
fn merged(arguments: &[Value]) -> Option<Type> {
    let types: Vec<Type> = arguments.iter().map(shape::type_of).collect();
    let first = types.first()?;
    // Of null nothing is taken, not even its attributes.
    if arguments.iter().any(may_be_null) && matches!(first, Type::Object(_)) {
        return None;
    }
    if matches!(first, Type::Map(_)) && types.iter().all(|shape| shape == first) {
        return Some(first.clone());
    }
    let mut fields: BTreeMap<Arc<str>, Field> = BTreeMap::new();
    for shape in &types {
        let Type::Object(own) = shape else { return None };
        fields.extend(own.iter().map(|field| (Arc::clone(&field.name), field.clone())));
    }
    Some(Type::object(fields.into_values().collect()))
}

fn transpose(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    settled(at(arguments, 0))?;
    let map = at(arguments, 0).as_map().ok_or_else(|| Stop::from("a map of lists is required"))?;
    let mut turned: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
    for (key, list) in compare::sorted(map) {
        let list = list.as_list().ok_or_else(|| Stop::from("the map must not hold null"))?;
        for text in texts(&list.items)? {
            turned.entry(Arc::clone(text)).or_default().push(Arc::clone(key));
        }
    }
    let list = |mut texts: Vec<Arc<str>>| {
        texts.sort();
        let items = texts.into_iter().map(|text| Value::text(text, context.span)).collect();
        Value::list(ListKind::List, items, context.span)
    };
    let entries = turned.into_iter().map(|(key, texts)| (Key::new(key, context.span), list(texts)));
    Ok(Value::map(MapKind::Map, entries.collect(), context.span))
}

fn zipmap(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let names = texts(items_at(arguments, 0))?;
    let values = at(arguments, 1).as_list().filter(|list| list.kind != ListKind::Set);
    let values = values.ok_or_else(|| Stop::from("the values must be a list"))?;
    if names.len() != values.items.len() {
        return Err(Stop::Fault(format!("{} keys do not match {} values", names.len(), values.items.len())));
    }
    let kind = if values.kind == ListKind::Tuple { MapKind::Object } else { MapKind::Map };
    let mut last: HashMap<&Arc<str>, usize> = HashMap::new();
    for (at, name) in names.iter().enumerate() {
        last.insert(name, at);
    }
    let entry = |(at, name): (usize, &&Arc<str>)| {
        let value = values.items.get(at).filter(|_| last.get(name) == Some(&at))?;
        Some((Key::new(Arc::clone(name), context.span), value.clone()))
    };
    let map = Value::map(kind, names.iter().enumerate().filter_map(entry).collect(), context.span);
    // Nobody can see which of the keys is a secret.
    Ok(context.evaluator.marked(map, context.evaluator.is_sensitive_within(at(arguments, 0))))
}
