//! The types of values, and the one type several can share.

use std::sync::Arc;

use crate::resource::{Data, Field, ListKind, MapKind, Type, Value};

/// Most values that are looked at to tell a type; what is beyond counts as unknown.
const LOOK_LIMIT: u32 = 20_000;

/// The type of a value.
pub(crate) fn type_of(value: &Value) -> Type {
    shape(value, &mut LOOK_LIMIT.clone())
}

fn shape(value: &Value, left: &mut u32) -> Type {
    let Some(rest) = left.checked_sub(1) else { return Type::Any };
    *left = rest;
    match value.data() {
        Data::Null => given(value).cloned().unwrap_or_default(),
        Data::Bool(_) => Type::Bool,
        Data::Number(_) => Type::Number,
        Data::Text(_) => Type::Text,
        Data::Unknown(unknown) => unknown.shape.clone(),
        Data::OneOf(alternatives) => {
            let types: Vec<Type> = alternatives.iter().map(|one| shape(one, left)).collect();
            match types.split_first() {
                Some((first, rest)) if !rest.iter().any(|other| differ(first, other)) => {
                    rest.iter().fold(first.clone(), |common, other| merge(&common, other))
                }
                _ => Type::Any,
            }
        }
        Data::List(list) if list.items.is_empty() => match (list.kind, given(value)) {
            (ListKind::Tuple, _) => Type::Tuple(Vec::new().into()),
            (ListKind::Set, Some(shape @ Type::Set(_))) | (ListKind::List, Some(shape @ Type::List(_))) => {
                shape.clone()
            }
            (ListKind::Set, _) => Type::Set(Arc::default()),
            (ListKind::List | ListKind::Blocks, _) => Type::List(Arc::default()),
        },
        Data::List(list) => match list.kind {
            ListKind::Tuple => Type::Tuple(list.items.iter().map(|item| shape(item, left)).collect()),
            ListKind::List | ListKind::Blocks => Type::List(Arc::new(merged(list.items.iter(), left))),
            ListKind::Set => Type::Set(Arc::new(merged(list.items.iter(), left))),
        },
        Data::Map(map) if map.entries().is_empty() && map.kind == MapKind::Map => match given(value) {
            Some(shape @ Type::Map(_)) => shape.clone(),
            _ => Type::Map(Arc::default()),
        },
        Data::Map(map) => match map.kind {
            MapKind::Map => Type::Map(Arc::new(merged(map.entries().iter().map(|(_, value)| value), left))),
            MapKind::Object | MapKind::Block => {
                let field = |name: &Arc<str>, shape| Field { name: Arc::clone(name), shape, optional: false };
                let entries = map.entries().iter();
                Type::object(entries.map(|(key, value)| field(&key.text, shape(value, left))).collect())
            }
        },
    }
}

/// The type that a value without parts was given.
fn given(value: &Value) -> Option<&Type> {
    value.notes().and_then(|notes| notes.shape.as_ref())
}

/// What the values of one collection have in common: they are of one type already, some with parts nobody knows.
fn merged<'v>(values: impl Iterator<Item = &'v Value>, left: &mut u32) -> Type {
    let mut common = Type::Any;
    for value in values {
        common = merge(&common, &shape(value, left));
        if common != Type::Any && !has_any(&common) {
            break;
        }
    }
    common
}

fn merge(a: &Type, b: &Type) -> Type {
    match (a, b) {
        (Type::Any, other) | (other, Type::Any) => other.clone(),
        (Type::List(a), Type::List(b)) => Type::List(Arc::new(merge(a, b))),
        (Type::Set(a), Type::Set(b)) => Type::Set(Arc::new(merge(a, b))),
        (Type::Map(a), Type::Map(b)) => Type::Map(Arc::new(merge(a, b))),
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
            Type::Tuple(a.iter().zip(b.iter()).map(|(a, b)| merge(a, b)).collect())
        }
        (Type::Object(a), Type::Object(b)) if same_names(a, b) => {
            let fields = a.iter().zip(b.iter());
            Type::Object(fields.map(|(a, b)| Field { shape: merge(&a.shape, &b.shape), ..a.clone() }).collect())
        }
        _ => a.clone(),
    }
}

/// Whether a type leaves something open.
pub(crate) fn has_any(shape: &Type) -> bool {
    match shape {
        Type::Any => true,
        Type::Bool | Type::Number | Type::Text => false,
        Type::List(element) | Type::Set(element) | Type::Map(element) => has_any(element),
        Type::Tuple(elements) => elements.iter().any(has_any),
        Type::Object(fields) => fields.iter().any(|field| has_any(&field.shape)),
    }
}

/// Whether two types cannot turn out to be one, whatever they leave open.
pub(crate) fn differ(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Any, _) | (_, Type::Any) => false,
        (Type::List(a), Type::List(b)) | (Type::Set(a), Type::Set(b)) | (Type::Map(a), Type::Map(b)) => differ(a, b),
        (Type::Tuple(a), Type::Tuple(b)) => a.len() != b.len() || a.iter().zip(b.iter()).any(|(a, b)| differ(a, b)),
        (Type::Object(a), Type::Object(b)) => {
            !same_names(a, b) || a.iter().zip(b.iter()).any(|(a, b)| differ(&a.shape, &b.shape))
        }
        _ => a != b,
    }
}

fn same_names(a: &[Field], b: &[Field]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.name == b.name)
}

/// The types of values that are to be of one type: null as it is written is of any.
pub(crate) fn types_of<'v>(values: impl Iterator<Item = &'v Value>) -> Vec<Type> {
    let typed = |value: &&Value| !(value.is_null() && given(value).is_none());
    values.filter(typed).map(type_of).collect()
}

/// The type all of these convert to, `None` when there is none. What is not known yet does not stand in the way.
pub(crate) fn unify(types: &[Type]) -> Option<Type> {
    let known: Vec<&Type> = types.iter().filter(|shape| **shape != Type::Any).collect();
    let Some((first, rest)) = known.split_first() else { return Some(Type::Any) };
    if rest.iter().all(|other| other == first) {
        return Some((*first).clone());
    }
    let count = |is: fn(&Type) -> bool| known.iter().filter(|shape| is(shape)).count();
    let maps = count(|shape| matches!(shape, Type::Map(_)));
    let lists = count(|shape| matches!(shape, Type::List(_)));
    let sets = count(|shape| matches!(shape, Type::Set(_)));
    let objects = count(|shape| matches!(shape, Type::Object(_)));
    let tuples = count(|shape| matches!(shape, Type::Tuple(_)));
    let all = known.len();
    let mixed = match all {
        _ if objects == all => return unify_objects(&known),
        _ if tuples == all => return unify_tuples(&known),
        _ if maps == all => return as_collection(&known, Type::Map),
        _ if lists == all => return as_collection(&known, Type::List),
        _ if sets == all => return as_collection(&known, Type::Set),
        _ if maps + objects == all => as_collection(&known, Type::Map),
        _ if lists + tuples == all => as_collection(&known, Type::List),
        _ => None,
    };
    mixed.or_else(|| if objects > 0 && tuples > 0 { None } else { preferred(&known) })
}

fn elements(shape: &Type) -> Vec<Type> {
    match shape {
        Type::List(element) | Type::Set(element) | Type::Map(element) => vec![(**element).clone()],
        Type::Tuple(elements) => elements.to_vec(),
        Type::Object(fields) => fields.iter().map(|field| field.shape.clone()).collect(),
        Type::Any | Type::Bool | Type::Number | Type::Text => Vec::new(),
    }
}

fn as_collection(types: &[&Type], of: fn(Arc<Type>) -> Type) -> Option<Type> {
    let all: Vec<Type> = types.iter().flat_map(|shape| elements(shape)).collect();
    unify(&all).map(|element| of(Arc::new(element)))
}

fn unify_objects(types: &[&Type]) -> Option<Type> {
    let fields: Vec<&Arc<[Field]>> =
        types.iter().filter_map(|shape| if let Type::Object(fields) = shape { Some(fields) } else { None }).collect();
    let first = fields.first()?;
    if !fields.iter().all(|other| same_names(first, other)) {
        return as_collection(types, Type::Map);
    }
    let unified = first.iter().enumerate().map(|(index, field)| {
        let across: Vec<Type> =
            fields.iter().filter_map(|fields| fields.get(index)).map(|field| field.shape.clone()).collect();
        Some(Field { name: Arc::clone(&field.name), shape: unify(&across)?, optional: false })
    });
    unified.collect::<Option<Arc<[Field]>>>().map(Type::Object)
}

fn unify_tuples(types: &[&Type]) -> Option<Type> {
    let tuples: Vec<&Arc<[Type]>> =
        types.iter().filter_map(|shape| if let Type::Tuple(tuple) = shape { Some(tuple) } else { None }).collect();
    let length = tuples.first()?.len();
    if tuples.iter().any(|tuple| tuple.len() != length) {
        return as_collection(types, Type::List);
    }
    let unified = (0..length).map(|index| {
        let across: Vec<Type> = tuples.iter().filter_map(|tuple| tuple.get(index).cloned()).collect();
        unify(&across)
    });
    unified.collect::<Option<Arc<[Type]>>>().map(Type::Tuple)
}

/// The most general of the types that all others convert to.
fn preferred(types: &[&Type]) -> Option<Type> {
    let rank = |shape: &Type| match shape {
        Type::Text => 0,
        Type::Any | Type::Bool | Type::Number => 1,
        Type::List(_) | Type::Map(_) => 2,
        Type::Tuple(_) | Type::Object(_) => 3,
        Type::Set(_) => 4,
    };
    let mut ordered = types.to_vec();
    ordered.sort_by_key(|shape| rank(shape));
    ordered.iter().find(|wanted| types.iter().all(|shape| converts(shape, wanted))).map(|wanted| (*wanted).clone())
}

/// Whether values of a type can be converted to another, as far as types tell.
pub(crate) fn converts(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (_, Type::Any) | (Type::Any, _) => true,
        (from, to) if from.is_scalar() && to.is_scalar() => from == to || *from == Type::Text || *to == Type::Text,
        (Type::Object(from), Type::Object(to)) => to.iter().all(|wanted| {
            let given = from.iter().find(|field| field.name == wanted.name);
            given.map_or(wanted.optional, |given| converts(&given.shape, &wanted.shape))
        }),
        (Type::Map(element), Type::Object(to)) => {
            to.iter().all(|wanted| wanted.optional || converts(element, &wanted.shape))
        }
        (Type::Tuple(from), Type::Tuple(to)) => {
            from.len() == to.len() && from.iter().zip(to.iter()).all(|(from, to)| converts(from, to))
        }
        (Type::List(from) | Type::Set(from), Type::List(to) | Type::Set(to)) | (Type::Map(from), Type::Map(to)) => {
            converts(from, to)
        }
        (Type::Tuple(from), Type::List(to) | Type::Set(to)) => from.iter().all(|from| converts(from, to)),
        (Type::Object(from), Type::Map(to)) => from.iter().all(|field| converts(&field.shape, to)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(of: Type) -> Type {
        Type::List(Arc::new(of))
    }

    #[test]
    fn types_meet_where_terraform_lets_them() {
        let tuple = |types: &[Type]| Type::Tuple(types.into());
        let object = |names: &[(&str, Type)]| {
            let field =
                |(name, shape): &(&str, Type)| Field { name: (*name).into(), shape: shape.clone(), optional: false };
            Type::object(names.iter().map(field).collect())
        };
        let cases = [
            (vec![Type::Number, Type::Text], Some(Type::Text)),
            (vec![Type::Number, Type::Bool], None),
            (vec![Type::Any, Type::Bool], Some(Type::Bool)),
            (vec![tuple(&[Type::Number]), tuple(&[Type::Text])], Some(tuple(&[Type::Text]))),
            (vec![tuple(&[]), tuple(&[Type::Text])], Some(list(Type::Text))),
            (vec![tuple(&[Type::Bool]), list(Type::Text)], Some(list(Type::Text))),
            (vec![object(&[("a", Type::Bool)]), object(&[("a", Type::Text)])], Some(object(&[("a", Type::Text)]))),
            (vec![object(&[("a", Type::Bool)]), object(&[("b", Type::Text)])], Some(Type::Map(Arc::new(Type::Text)))),
            (vec![object(&[]), tuple(&[])], None),
            (vec![Type::Text, list(Type::Text)], None),
        ];
        for (types, unified) in cases {
            assert_eq!(unify(&types), unified, "{types:?}");
        }
    }
}
