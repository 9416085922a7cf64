//! Type constraints of variables: `list(object({ a = optional(string, "x") }))`.

use std::sync::Arc;

use crate::formats::terraform::syntax::ir::{Expr, Kind, ObjectKey};
use crate::resource::{Data, Field, Key, List, Map, Type, Value};

/// A type constraint with the defaults of its optional attributes.
#[derive(Clone, Debug)]
pub(crate) enum Constraint {
    /// A type without optional attributes.
    Plain(Type),
    List(Box<Constraint>),
    Set(Box<Constraint>),
    Map(Box<Constraint>),
    Tuple(Vec<Constraint>),
    Object(Vec<Attribute>),
}

/// An attribute of an object constraint.
#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    pub name: Arc<str>,
    pub constraint: Constraint,
    pub optional: bool,
    pub default: Option<Expr>,
}

impl Constraint {
    pub(crate) const ANY: Self = Self::Plain(Type::Any);

    /// Reads a constraint; what is none is `any`, as little as is known of it then.
    pub(crate) fn of(expr: &Expr) -> Self {
        match &expr.kind {
            Kind::Name(name) => Self::named(name),
            // As Terraform 0.11 wrote them.
            Kind::Text(name) => Self::named(name),
            Kind::Call(call) => match (&*call.name.text, call.arguments.first()) {
                ("list", Some(element)) => Self::List(Box::new(Self::of(element))),
                ("set", Some(element)) => Self::Set(Box::new(Self::of(element))),
                ("map", Some(element)) => Self::Map(Box::new(Self::of(element))),
                ("tuple", Some(Expr { kind: Kind::Tuple(elements), .. })) => {
                    Self::Tuple(elements.iter().map(Self::of).collect())
                }
                ("object", Some(Expr { kind: Kind::Object(items), .. })) => {
                    Self::Object(items.iter().filter_map(|(key, value)| attribute(key, value)).collect())
                }
                _ => Self::ANY,
            },
            _ => Self::ANY,
        }
    }

    fn named(name: &str) -> Self {
        let any = || Arc::new(Type::Any);
        Self::Plain(match name {
            "string" => Type::Text,
            "number" => Type::Number,
            "bool" => Type::Bool,
            "list" => Type::List(any()),
            "set" => Type::Set(any()),
            "map" => Type::Map(any()),
            _ => Type::Any,
        })
    }

    /// The type that values are converted to.
    pub(crate) fn shape(&self) -> Type {
        match self {
            Self::Plain(shape) => shape.clone(),
            Self::List(element) => Type::List(Arc::new(element.shape())),
            Self::Set(element) => Type::Set(Arc::new(element.shape())),
            Self::Map(element) => Type::Map(Arc::new(element.shape())),
            Self::Tuple(elements) => Type::Tuple(elements.iter().map(Self::shape).collect()),
            Self::Object(attributes) => {
                let field = |attribute: &Attribute| Field {
                    name: Arc::clone(&attribute.name),
                    shape: attribute.constraint.shape(),
                    optional: attribute.optional,
                };
                Type::object(attributes.iter().map(field).collect())
            }
        }
    }

    fn has_defaults(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::List(element) | Self::Set(element) | Self::Map(element) => element.has_defaults(),
            Self::Tuple(elements) => elements.iter().any(Self::has_defaults),
            Self::Object(attributes) => {
                attributes.iter().any(|attribute| attribute.default.is_some() || attribute.constraint.has_defaults())
            }
        }
    }

    /// The value with what its author left out filled in; what is null or unknown stays so.
    pub(crate) fn filled(&self, value: Value, evaluate: &dyn Fn(&Expr) -> Value) -> Value {
        if !self.has_defaults() {
            return value;
        }
        match (value.data(), self) {
            (Data::OneOf(alternatives), _) => {
                let filled = alternatives.iter().map(|one| self.filled(one.clone(), evaluate)).collect();
                value.with(Data::OneOf(filled))
            }
            (Data::List(list), Self::List(element) | Self::Set(element)) => {
                let items = list.items.iter().map(|item| element.filled(item.clone(), evaluate)).collect();
                let list = List { kind: list.kind, items };
                value.with(Data::List(Arc::new(list)))
            }
            (Data::List(list), Self::Tuple(elements)) => {
                let items = list.items.iter().enumerate().map(|(index, item)| match elements.get(index) {
                    Some(element) => element.filled(item.clone(), evaluate),
                    None => item.clone(),
                });
                let list = List { kind: list.kind, items: items.collect() };
                value.with(Data::List(Arc::new(list)))
            }
            (Data::Map(map), Self::Map(element)) => {
                let fill = |(key, item): &(Key, Value)| (key.clone(), element.filled(item.clone(), evaluate));
                let map = Map::new(map.kind, map.entries().iter().map(fill).collect());
                value.with(Data::Map(Arc::new(map)))
            }
            (Data::Map(map), Self::Object(attributes)) => {
                let map = Arc::new(filled_object(map, attributes, &value, evaluate));
                value.with(Data::Map(map))
            }
            _ => value,
        }
    }
}

fn attribute(key: &ObjectKey, value: &Expr) -> Option<Attribute> {
    let name = match key {
        ObjectKey::Name(name) => Arc::clone(&name.text),
        ObjectKey::Expr(_) => return None,
    };
    match &value.kind {
        Kind::Call(call) if &*call.name.text == "optional" => Some(Attribute {
            name,
            constraint: call.arguments.first().map_or(Constraint::ANY, Constraint::of),
            optional: true,
            default: call.arguments.get(1).cloned(),
        }),
        _ => Some(Attribute { name, constraint: Constraint::of(value), optional: false, default: None }),
    }
}

fn filled_object(map: &Map, attributes: &[Attribute], whole: &Value, evaluate: &dyn Fn(&Expr) -> Value) -> Map {
    let mut entries = map.entries().to_vec();
    for attribute in attributes {
        let given = entries.iter_mut().rev().find(|(key, _)| key.text == attribute.name);
        match (given, &attribute.default) {
            (Some((_, item)), Some(default)) if item.is_null() => {
                *item = attribute.constraint.filled(evaluate(default), evaluate);
            }
            (Some((_, item)), _) => *item = attribute.constraint.filled(item.clone(), evaluate),
            (None, Some(default)) => {
                let key = Key::new(Arc::clone(&attribute.name), whole.span());
                entries.push((key, attribute.constraint.filled(evaluate(default), evaluate)));
            }
            (None, None) => {}
        }
    }
    Map::new(map.kind, entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::terraform::syntax::{ir::Place, parse_expression};
    use crate::resource::Span;

    fn constraint(text: &str) -> Constraint {
        Constraint::of(&parse_expression(text, Place::default()).unwrap())
    }

    #[test]
    fn constraints_are_read_as_terraform_reads_them() {
        let text = |text: &str| format!("{:?}", constraint(text).shape());
        assert_eq!(text("list(string)"), "List(Text)");
        assert_eq!(text("\"map\""), "Map(Any)");
        assert_eq!(text("tuple([bool, any])"), "Tuple([Bool, Any])");
        assert_eq!(
            text("object({ b = optional(number), a = set(bool) })"),
            "Object([Field { name: \"a\", shape: Set(Bool), optional: false }, Field { name: \"b\", shape: Number, optional: true }])"
        );
    }

    #[test]
    fn what_is_left_out_is_filled_in_at_any_depth() {
        let constraint = constraint(
            "list(object({ on = optional(bool, true), in = optional(object({ n = optional(number, 1) }), {}) }))",
        );
        let empty = Value::map(crate::resource::MapKind::Object, Vec::new(), Span::NOWHERE);
        let list = Value::list(
            crate::resource::ListKind::Tuple,
            vec![empty.clone(), Value::null(Span::NOWHERE)],
            Span::NOWHERE,
        );
        let evaluate = |expr: &Expr| match &expr.kind {
            Kind::Bool(value) => Value::bool(*value, Span::NOWHERE),
            Kind::Number(number) => Value::number(number.clone(), Span::NOWHERE),
            _ => empty.clone(),
        };
        let filled = constraint.filled(list, &evaluate);
        let items = &filled.as_list().unwrap().items;
        assert_eq!(items[0].get("on").unwrap().as_bool(), Some(true));
        assert_eq!(items[0].dig(&["in", "n"]).unwrap().as_number().unwrap().as_i64(), Some(1));
        assert!(items[1].is_null());
    }
}
