//! Steps into values: attributes, indexes and splats.

use std::sync::Arc;

use super::choice::one_of;
use super::{Evaluator, Scope, is_known, reason, unknown};
use crate::formats::terraform::syntax::ir::{Step, StepKind};
use crate::formats::terraform::values::convert::convert;
use crate::formats::terraform::values::shape;
use crate::resource::{Data, List, ListKind, Map, MapKind, Reason, ReasonKind, Reference, Span, Type, Value};

/// Most elements an unknown index is followed into.
const INDEX_LIMIT: usize = 16;

impl<'a> Evaluator<'a> {
    /// What lies at the end of steps into a value.
    pub(super) fn steps(&self, value: Value, steps: &[Step], scope: &Scope<'a, '_>) -> Value {
        let mut value = value;
        let mut left = steps;
        while let Some((step, rest)) = left.split_first() {
            let span = scope.span(step.place);
            value = match &step.kind {
                StepKind::Attribute(name) => self.attribute(value, name, span),
                StepKind::Index(key) => {
                    let key = self.eval(key, scope);
                    self.index(value, key, span)
                }
                StepKind::DottedIndex(index) => self.index(value, Value::number(index.clone(), span), span),
                StepKind::FullSplat => return self.splat(value, rest, scope, span),
                StepKind::AttributeSplat => {
                    let dotted = |step: &&Step| matches!(step.kind, StepKind::Attribute(_) | StepKind::DottedIndex(_));
                    let reach = rest.iter().take_while(dotted).count();
                    let (inner, after) = rest.split_at(reach);
                    let spread = self.splat(value, inner, scope, span);
                    return self.steps(spread, after, scope);
                }
            };
            left = rest;
        }
        value
    }

    pub(crate) fn attribute(&self, value: Value, name: &Arc<str>, span: Span) -> Value {
        self.each_choice(vec![value], span, &mut |operands| {
            let value = operands.into_iter().next().unwrap_or_else(|| Value::null(span));
            self.one_attribute(&value, name, span)
        })
    }

    fn one_attribute(&self, value: &Value, name: &Arc<str>, span: Span) -> Value {
        let sensitive = value.is_sensitive();
        let inner = match value.data() {
            Data::Map(map) => match map.get(name) {
                Some(inner) => inner.clone(),
                None if map.kind == MapKind::Block => beside(value, name, span),
                None => self.fault(format!("there is no attribute \"{name}\" here"), span),
            },
            Data::Unknown(_) if self.stands_for_resource(value) => self.attribute_of_resource(value, name, span),
            Data::Unknown(whole) => match &whole.shape {
                Type::Object(fields) => match fields.iter().find(|field| field.name == *name) {
                    Some(field) => unknown(whole.reason.clone(), field.shape.clone(), false, span),
                    None => self.fault(format!("there is no attribute \"{name}\" here"), span),
                },
                Type::Map(element) => unknown(whole.reason.clone(), (**element).clone(), false, span),
                // Of lists and sets, too: what a provider calls so may be a block that there is once.
                Type::Any | Type::List(_) | Type::Set(_) => unknown(whole.reason.clone(), Type::Any, false, span),
                Type::Bool | Type::Number | Type::Text | Type::Tuple(_) => {
                    self.fault(format!("this value has no attribute \"{name}\""), span)
                }
            },
            // A block that there is once, as providers of the newer kind have it.
            Data::List(list) if list.kind == ListKind::Blocks && list.items.len() == 1 => {
                let block = list.items.first().cloned().unwrap_or_else(|| Value::null(span));
                self.one_attribute(&block, name, span)
            }
            Data::Null => self.fault("a null value has no attributes", span),
            _ => self.fault(format!("this value has no attribute \"{name}\""), span),
        };
        self.marked(inner, sensitive)
    }

    pub(crate) fn index(&self, value: Value, key: Value, span: Span) -> Value {
        self.each_choice(vec![value, key], span, &mut |operands| {
            let mut operands = operands.into_iter();
            let (Some(value), Some(key)) = (operands.next(), operands.next()) else { return Value::null(span) };
            let sensitive = value.is_sensitive() || key.is_sensitive();
            self.marked(self.one_index(&value, key, span), sensitive)
        })
    }

    fn one_index(&self, value: &Value, key: Value, span: Span) -> Value {
        if value.is_null() || key.is_null() {
            return self.fault("a null value cannot be indexed, nor be an index", span);
        }
        match value.data() {
            Data::Unknown(_) if self.stands_for_resource(value) => self.index_of_resource(value, key, span),
            Data::Unknown(whole) => {
                let shape = match &whole.shape {
                    Type::List(element) | Type::Map(element) => (**element).clone(),
                    Type::Tuple(elements) => match position(&key) {
                        Some(at) if at >= elements.len() => {
                            return self.fault("the index is not within the list", span);
                        }
                        at => at.and_then(|at| elements.get(at)).cloned().unwrap_or_default(),
                    },
                    Type::Object(fields) => match key.as_text() {
                        Some(name) => match fields.iter().find(|field| field.name == *name) {
                            Some(field) => field.shape.clone(),
                            None => return self.fault(format!("there is no attribute \"{name}\" here"), span),
                        },
                        None => Type::Any,
                    },
                    Type::Bool | Type::Number | Type::Text | Type::Set(_) => {
                        return self.fault("this value cannot be indexed", span);
                    }
                    Type::Any => Type::Any,
                };
                unknown(whole.reason.clone(), shape, false, span)
            }
            Data::List(list) if list.kind != ListKind::Set => self.list_index(list, key, span),
            Data::Map(map) => self.map_index(map, key, span),
            _ => self.fault("this value cannot be indexed", span),
        }
    }

    fn list_index(&self, list: &List, key: Value, span: Span) -> Value {
        let key = match convert(key, &Type::Number) {
            Ok(key) => key,
            Err(why) => return self.fault(format!("an index: {why}"), span),
        };
        if !is_known(&key) {
            return self.any_of(list.items.iter(), &key, span);
        }
        let item = position(&key).and_then(|index| list.items.get(index));
        item.cloned().unwrap_or_else(|| self.fault("the index is not within the list", span))
    }

    fn map_index(&self, map: &Map, key: Value, span: Span) -> Value {
        let key = match convert(key, &Type::Text) {
            Ok(key) => key,
            Err(why) => return self.fault(format!("an index: {why}"), span),
        };
        let Some(text) = key.as_text() else {
            return self.any_of(map.entries().iter().map(|(_, value)| value), &key, span);
        };
        match map.get(text) {
            Some(value) => value.clone(),
            None if map.kind == MapKind::Map => self.fault(format!("there is no element \"{text}\" here"), span),
            None => self.fault(format!("there is no attribute \"{text}\" here"), span),
        }
    }

    /// One of the elements: nobody knows which, but it must be one.
    fn any_of<'v>(&self, elements: impl Iterator<Item = &'v Value>, key: &Value, span: Span) -> Value {
        let elements: Vec<Value> = elements.take(INDEX_LIMIT + 1).cloned().collect();
        // Whether there is such an element at all nobody knows either.
        self.doubt(reason(key));
        match reason(key) {
            Some(choice) if elements.is_empty() || elements.len() > INDEX_LIMIT => {
                unknown(choice, Type::Any, false, span)
            }
            Some(choice) => one_of(elements, choice, span),
            None => self.fault("this value cannot be an index", span),
        }
    }

    /// Steps into each element; a value that is no list counts as a list of itself, null as an empty one.
    fn splat(&self, value: Value, steps: &[Step], scope: &Scope<'a, '_>, span: Span) -> Value {
        self.each_choice(vec![value], span, &mut |operands| {
            let value = operands.into_iter().next().unwrap_or_else(|| Value::null(span));
            let sensitive = value.is_sensitive();
            self.marked(self.one_splat(value, steps, scope, span), sensitive)
        })
    }

    fn one_splat(&self, value: Value, steps: &[Step], scope: &Scope<'a, '_>, span: Span) -> Value {
        match value.data() {
            Data::Null if matches!(shape::type_of(&value), Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                self.fault("a list that is null has no elements", span)
            }
            Data::Null => Value::list(ListKind::Tuple, Vec::new(), span),
            Data::List(list) => {
                if let Some(crowded) = self.crowded(list.items.len(), span) {
                    return crowded;
                }
                let kind = if list.kind == ListKind::Tuple { ListKind::Tuple } else { ListKind::List };
                let items = list.items.iter().map(|item| self.steps(item.clone(), steps, scope)).collect();
                Value::list(kind, items, span)
            }
            Data::Unknown(_) if self.stands_for_resource(&value) => self.splat_of_resource(value, steps, scope, span),
            // It is there, once.
            Data::Unknown(whole) if whole.not_null && whole.shape.is_scalar() => {
                let only = self.steps(value, steps, scope);
                Value::list(ListKind::Tuple, vec![only], span)
            }
            Data::Unknown(whole) => {
                let shape = match &whole.shape {
                    Type::List(element) | Type::Set(element) => {
                        let one = unknown(whole.reason.clone(), (**element).clone(), false, span);
                        Type::List(Arc::new(shape::type_of(&self.steps(one, steps, scope))))
                    }
                    _ => Type::Any,
                };
                unknown(whole.reason.clone(), shape, whole.not_null, span)
            }
            _ => {
                let only = self.steps(value, steps, scope);
                Value::list(ListKind::Tuple, vec![only], span)
            }
        }
    }
}

/// The position an index names.
fn position(key: &Value) -> Option<usize> {
    let key = convert(key.clone(), &Type::Number).ok()?;
    key.as_number().and_then(|number| number.as_i64()).and_then(|index| usize::try_from(index).ok())
}

/// What a nested block does not set its provider may compute.
fn beside(block: &Value, name: &Arc<str>, span: Span) -> Value {
    let inside = |reference: &Reference| Reference {
        address: Arc::clone(&reference.address),
        attribute: format!("{}.{name}", reference.attribute).into(),
    };
    let references: Vec<Reference> = block.references().iter().map(inside).collect();
    let subject = references.first().map_or_else(|| name.to_string(), |r| format!("{}.{}", r.address, r.attribute));
    let value = unknown(Reason::new(ReasonKind::Computed, subject, Some(block.span())), Type::Any, true, span);
    value.noted(|notes| notes.references = references)
}
