//! Statements in one shape, whether they were written as JSON or as blocks of `aws_iam_policy_document`.

use super::super::network::{by_text, joined, part};
use crate::formats::terraform::eval::{one_of, reason};
use std::sync::Arc;

use crate::resource::{Data, Key, ListKind, Map, MapKind, Span, Type, Value};

/// The statements of a document in JSON's shape; `None` when it is no document.
pub(super) fn of_json(document: &Value) -> Option<Value> {
    match document.data() {
        Data::Map(map) => {
            let statement = any_case(map, "Statement")?;
            Some(each(&joined(&[Some(statement.clone())], statement.span()), &json_statement))
        }
        Data::OneOf(alternatives) => {
            let lists: Option<Vec<Value>> = alternatives.iter().map(of_json).collect();
            Some(one_of(lists?, reason(document)?, document.span()))
        }
        Data::Unknown(_) => Some(document.clone()),
        _ => None,
    }
}

/// The statements of the blocks of a data source.
pub(super) fn of_blocks(blocks: &Value) -> Value {
    each(blocks, &block_statement)
}

/// Each statement of a list in our shape; what is unknown stays so.
fn each(list: &Value, shape: &dyn Fn(&Value) -> Value) -> Value {
    match list.data() {
        Data::List(items) => {
            let statements = items.items.iter().map(|item| either(item, shape)).collect();
            Value::list(items.kind, statements, list.span())
        }
        Data::OneOf(_) => either(list, &|list| each(list, shape)),
        _ => list.clone(),
    }
}

fn either(value: &Value, shape: &dyn Fn(&Value) -> Value) -> Value {
    let Data::OneOf(alternatives) = value.data() else { return shape(value) };
    let shaped = alternatives.iter().map(shape).collect();
    reason(value).map_or_else(|| value.clone(), |choice| one_of(shaped, choice, value.span()))
}

fn json_statement(statement: &Value) -> Value {
    let Some(map) = statement.as_map() else { return statement.clone() };
    let mut shaped = Shaped::of(statement);
    for (key, value) in map.entries().iter().filter(|(_, value)| !value.is_null()) {
        match key.text.to_ascii_lowercase().as_str() {
            "sid" => shaped.add("sid", key.span, value.clone()),
            "effect" => shaped.add("effect", key.span, value.clone()),
            "action" => shaped.add("actions", key.span, listed(value)),
            "notaction" => shaped.add("not_actions", key.span, listed(value)),
            "resource" => shaped.add("resources", key.span, listed(value)),
            "notresource" => shaped.add("not_resources", key.span, listed(value)),
            "principal" => shaped.add("principals", key.span, json_principals(value)),
            "notprincipal" => shaped.add("not_principals", key.span, json_principals(value)),
            "condition" => shaped.add("conditions", key.span, json_conditions(value)),
            _ => {}
        }
    }
    // Nobody can apply a statement without effect; what its author meant is what an effect is left out for elsewhere.
    if any_case(map, "Effect").is_none() {
        shaped.add("effect", statement.span(), Value::text("Allow", statement.span()));
    }
    shaped.done()
}

/// `"*"`, or lists by the type of principal.
fn json_principals(value: &Value) -> Value {
    either(value, &|value| match value.data() {
        Data::Map(map) => {
            let of_type = |(key, ids): &(Key, Value)| {
                let kind = Value::text(Arc::clone(&key.text), key.span);
                principals_of(&kind, &listed(ids))
            };
            let parts: Vec<Option<Value>> = map.entries().iter().map(|entry| Some(of_type(entry))).collect();
            joined(&parts, value.span())
        }
        Data::Text(_) => {
            let everybody = Value::text("AWS", value.span());
            principals_of(&everybody, &listed(value))
        }
        _ => value.clone(),
    })
}

/// One entry for each identifier; a `*` of whatever type is everybody.
fn principals_of(kind: &Value, ids: &Value) -> Value {
    let of_list = |ids: &Value| match ids.data() {
        Data::List(list) => {
            let entry = |id: &Value| {
                let everybody = id.as_text().is_some_and(|id| &**id == "*");
                let kind = if everybody { Value::text("AWS", kind.span()) } else { kind.clone() };
                let entries = vec![(Key::new("type", kind.span()), kind), (Key::new("id", id.span()), id.clone())];
                let principal = Value::map(MapKind::Object, entries, id.span());
                match id.maybe() {
                    Some(why) => principal.noted(|notes| notes.maybe = Some(why.clone())),
                    None => principal,
                }
            };
            Value::list(list.kind, list.items.iter().map(entry).collect(), ids.span())
        }
        _ => ids.clone(),
    };
    either(ids, &of_list)
}

/// Operators with keys with values.
fn json_conditions(value: &Value) -> Value {
    either(value, &|value| match value.data() {
        Data::Map(operators) => {
            let of_operator = |(operator, keys): &(Key, Value)| match keys.data() {
                Data::Map(map) => {
                    let condition = |(key, values): &(Key, Value)| {
                        let operator = Value::text(Arc::clone(&operator.text), operator.span);
                        condition(operator, Value::text(Arc::clone(&key.text), key.span), listed(values))
                    };
                    Value::list(ListKind::List, map.entries().iter().map(condition).collect(), keys.span())
                }
                _ => keys.clone(),
            };
            let parts: Vec<Option<Value>> = operators.entries().iter().map(|entry| Some(of_operator(entry))).collect();
            joined(&parts, value.span())
        }
        _ => value.clone(),
    })
}

fn condition(operator: Value, key: Value, values: Value) -> Value {
    let place = key.span();
    // Upper and lower case of its name are the same to AWS.
    let key = by_text(&key, &str::to_ascii_lowercase);
    let entries = vec![
        (Key::new("operator", operator.span()), operator),
        (Key::new("key", place), key),
        (Key::new("values", values.span()), values),
    ];
    Value::map(MapKind::Object, entries, place)
}

fn block_statement(statement: &Value) -> Value {
    let Some(map) = statement.as_map() else { return statement.clone() };
    let mut shaped = Shaped::of(statement);
    let effect = part(statement, "effect").unwrap_or_else(|| Value::text("Allow", statement.span()));
    shaped.add("effect", effect.span(), effect);
    for (key, value) in map.entries().iter().filter(|(_, value)| !value.is_null()) {
        match &*key.text {
            "sid" => shaped.add("sid", key.span, value.clone()),
            "actions" | "not_actions" | "resources" | "not_resources" => shaped.add(&key.text, key.span, listed(value)),
            "principals" | "not_principals" => shaped.add(&key.text, key.span, each_joined(value, &block_principals)),
            "condition" => shaped.add("conditions", key.span, each_joined(value, &block_condition)),
            _ => {}
        }
    }
    shaped.done()
}

/// The lists that the blocks of one name make, as one.
fn each_joined(blocks: &Value, make: &dyn Fn(&Value) -> Value) -> Value {
    either(blocks, &|blocks| match blocks.data() {
        Data::List(list) => {
            let parts: Vec<Option<Value>> = list.items.iter().map(|block| Some(either(block, make))).collect();
            joined(&parts, blocks.span())
        }
        _ => blocks.clone(),
    })
}

fn block_principals(block: &Value) -> Value {
    let Some(kind) = part(block, "type") else { return block.clone() };
    let ids = part(block, "identifiers").unwrap_or_else(|| block.clone());
    let principals = principals_of(&kind, &listed(&ids));
    match (block.maybe(), principals.data()) {
        (Some(why), Data::List(list)) => {
            let perhaps = |item: &Value| item.clone().noted(|notes| notes.maybe = Some(why.clone()));
            Value::list(list.kind, list.items.iter().map(perhaps).collect(), principals.span())
        }
        _ => principals,
    }
}

fn block_condition(block: &Value) -> Value {
    if block.as_map().is_none() {
        return block.clone();
    }
    let or_empty = |name: &str| part(block, name).unwrap_or_else(|| Value::text("", block.span()));
    let values = part(block, "values").map_or_else(|| Value::text("", block.span()), |values| listed(&values));
    let made = condition(or_empty("test"), or_empty("variable"), values);
    match block.maybe() {
        Some(why) => made.noted(|notes| notes.maybe = Some(why.clone())),
        None => made,
    }
}

/// A list, where one value alone may stand for it.
fn listed(value: &Value) -> Value {
    let alone = |value: &Value| match value.data() {
        Data::Text(_) | Data::Number(_) | Data::Bool(_) => joined(&[Some(value.clone())], value.span()),
        // One text, though nobody knows which.
        Data::Unknown(unknown) if unknown.shape == Type::Text => {
            Value::list(ListKind::List, vec![value.clone()], value.span())
        }
        _ => value.clone(),
    };
    either(value, &alone)
}

fn any_case<'v>(map: &'v Map, name: &str) -> Option<&'v Value> {
    let named = |(key, value): &&(Key, Value)| key.text.eq_ignore_ascii_case(name) && !value.is_null();
    map.entries().iter().find(named).map(|(_, value)| value)
}

/// A statement as it is put together.
struct Shaped<'s> {
    statement: &'s Value,
    entries: Vec<(Key, Value)>,
}

impl<'s> Shaped<'s> {
    fn of(statement: &'s Value) -> Self {
        Self { statement, entries: Vec::with_capacity(5) }
    }

    fn add(&mut self, name: &str, key: Span, value: Value) {
        self.entries.push((Key::new(name, key), value));
    }

    fn done(self) -> Value {
        let made = Value::map(MapKind::Block, self.entries, self.statement.span());
        match self.statement.maybe() {
            Some(why) => made.noted(|notes| notes.maybe = Some(why.clone())),
            None => made,
        }
    }
}
