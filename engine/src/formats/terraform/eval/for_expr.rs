//! `[for …]` and `{for …}`.

use std::collections::HashMap;
use std::sync::Arc;

use super::choice::one_of;
use super::conditional::Truth;
use super::{Evaluator, Frame, Scope, is_known, reason, unknown};
use crate::formats::terraform::syntax::ir::For;
use crate::formats::terraform::values::compare;
use crate::formats::terraform::values::convert::convert;
use crate::resource::{Data, Key, ListKind, MapKind, Number, Reason, ReasonKind, Span, Type, Value};

/// Most elements of which nobody knows whether they belong to the result, before the result is unknown.
const OPEN_LIMIT: usize = 3;

/// An element of the result, and why nobody knows whether it belongs to it.
struct Element {
    key: Option<Key>,
    value: Value,
    open: Option<Reason>,
}

/// Whether the condition names what the loop binds.
fn depends_on_element(each: &For) -> bool {
    let mut named = false;
    if let Some(condition) = &each.condition {
        condition.walk(&mut |expr| {
            named |= expr.as_name().is_some_and(|name| *name == each.value || each.key.as_ref() == Some(name));
        });
    }
    named
}

impl<'a> Evaluator<'a> {
    pub(super) fn for_expr(&self, each: &For, scope: &Scope<'a, '_>, span: Span) -> Value {
        let collection = self.eval(&each.collection, scope);
        self.each_choice(vec![collection], span, &mut |operands| {
            let collection = operands.into_iter().next().unwrap_or_else(|| Value::null(span));
            let sensitive = collection.is_sensitive();
            self.marked(self.iterate(each, &collection, scope, span), sensitive)
        })
    }

    fn iterate(&self, each: &For, collection: &Value, scope: &Scope<'a, '_>, span: Span) -> Value {
        let elements = match self.elements(collection, span) {
            Ok(elements) => elements,
            Err(other) => return other,
        };
        // What is wrong of any element is wrong without one.
        if let Some(condition) = each.condition.as_ref().filter(|_| elements.is_empty()) {
            let reason = Reason::new(ReasonKind::Invalid, "there is no element", Some(span));
            let bound = |name: &Arc<str>| (Arc::clone(name), unknown(reason.clone(), Type::Any, false, span));
            let bindings: Vec<_> = [Some(&each.value), each.key.as_ref()].into_iter().flatten().map(bound).collect();
            let inner = Scope { frame: Some(&Frame { bindings: &bindings, outer: scope.frame }), ..*scope };
            let (condition, attempt) = self.attempt(|| self.eval(condition, &inner));
            if let (false, Truth::Error(error)) = (attempt.failed, self.truth(condition, span)) {
                return error;
            }
        }
        let mut results = Vec::with_capacity(elements.len());
        let mut sensitive = false;
        for (key, value) in elements {
            let mut bindings = Vec::with_capacity(2);
            bindings.push((Arc::clone(&each.value), value));
            if let Some(name) = &each.key {
                bindings.push((Arc::clone(name), key));
            }
            let frame = Frame { bindings: &bindings, outer: scope.frame };
            let inner = Scope { frame: Some(&frame), ..*scope };
            match self.element(each, &inner, span, &mut sensitive) {
                Ok(Some(element)) => results.push(element),
                Ok(None) => {}
                Err(other) => return other,
            }
        }
        let result = self.collected(each, results, span);
        self.marked(result, sensitive)
    }

    /// One element. What says whether it belongs to the result, and its key, are the result's own secrets.
    fn element(
        &self,
        each: &For,
        scope: &Scope<'a, '_>,
        span: Span,
        sensitive: &mut bool,
    ) -> Result<Option<Element>, Value> {
        let condition = each.condition.as_ref().map(|condition| self.eval(condition, scope));
        *sensitive |= condition.as_ref().is_some_and(Value::is_sensitive);
        let open = match condition.map(|condition| self.truth(condition, span)) {
            None | Some(Truth::Yes) => None,
            Some(Truth::No) => return Ok(None),
            Some(Truth::Error(error)) => return Err(error),
            Some(Truth::Unknown(condition)) => reason(&condition),
        };
        // Of an element that may not belong to it nothing is wrong: with an error in it, it does not.
        if open.is_some() {
            let attempt = self.attempt(|| {
                let key = each.result_key.as_ref().map(|expr| self.result_key(self.eval(expr, scope), span));
                (key, self.eval(&each.result, scope))
            });
            if attempt.1.failed {
                self.doubt(open);
                return Ok(None);
            }
        }
        let key = match &each.result_key {
            None => None,
            Some(expr) => {
                let key = self.eval(expr, scope);
                *sensitive |= key.is_sensitive();
                Some(self.result_key(key, scope.span(expr.place))?)
            }
        };
        Ok(Some(Element { key, value: self.eval(&each.result, scope), open }))
    }

    fn result_key(&self, key: Value, span: Span) -> Result<Key, Value> {
        if key.is_null() {
            return Err(self.fault("the key of a for expression must not be null", span));
        }
        if !is_known(&key) {
            return Err(reason(&key).map_or(key, |reason| unknown(reason, Type::Any, true, span)));
        }
        let text = convert(key, &Type::Text).ok().and_then(|key| key.as_text().cloned());
        text.map(|text| Key::new(text, span))
            .ok_or_else(|| self.fault("the key of a for expression must be text", span))
    }

    /// The result; when nobody knows of a few elements whether they belong to it, it is one of the possible ones.
    fn collected(&self, each: &For, elements: Vec<Element>, span: Span) -> Value {
        if let Some(crowded) = self.crowded(elements.len(), span) {
            return crowded;
        }
        let open: Vec<usize> =
            (0..elements.len()).filter(|at| elements.get(*at).is_some_and(|e| e.open.is_some())).collect();
        let Some(choice) = open.first().and_then(|at| elements.get(*at)).and_then(|element| element.open.clone())
        else {
            return self.built(each, elements.iter().collect(), span);
        };
        if !depends_on_element(each) {
            // One condition for all elements: all of them, or none.
            let (all, attempt) = self.attempt(|| self.built(each, elements.iter().collect(), span));
            let possible = (!attempt.failed).then_some(all).into_iter().chain([self.built(each, Vec::new(), span)]);
            return one_of(possible.collect(), choice, span);
        }
        if open.len() > OPEN_LIMIT {
            return unknown(choice, Type::Any, true, span);
        }
        let possible = (0..1_usize << open.len()).filter_map(|mask| {
            let belongs = |at: usize| open.iter().position(|o| *o == at).is_none_or(|bit| mask & (1 << bit) == 0);
            let chosen = elements.iter().enumerate().filter(|(at, _)| belongs(*at)).map(|(_, element)| element);
            // Elements that cannot stand together do not.
            let (value, attempt) = self.attempt(|| self.built(each, chosen.collect(), span));
            (!attempt.failed).then_some(value)
        });
        one_of(possible.collect(), choice, span)
    }

    fn built(&self, each: &For, elements: Vec<&Element>, span: Span) -> Value {
        if each.result_key.is_none() {
            let items = elements.into_iter().map(|element| element.value.clone()).collect();
            return Value::list(ListKind::Tuple, items, span);
        }
        let mut entries: Vec<(Key, Vec<Value>)> = Vec::new();
        let mut places: HashMap<Arc<str>, usize> = HashMap::new();
        for element in elements {
            let Some(key) = &element.key else { continue };
            let at = *places.entry(Arc::clone(&key.text)).or_insert(entries.len());
            match entries.get_mut(at) {
                Some(_) if !each.groups => {
                    return self.fault(format!("two elements have the key \"{}\"", key.text), span);
                }
                Some((_, values)) => values.push(element.value.clone()),
                None => entries.push((key.clone(), vec![element.value.clone()])),
            }
        }
        let entry = |(key, mut values): (Key, Vec<Value>)| match each.groups {
            true => (key, Value::list(ListKind::Tuple, values, span)),
            false => (key, values.pop().unwrap_or_else(|| Value::null(span))),
        };
        Value::map(MapKind::Object, entries.into_iter().map(entry).collect(), span)
    }

    /// The keys and values of a collection in the order Terraform walks it, or what there is instead.
    pub(crate) fn elements(&self, collection: &Value, span: Span) -> Result<Vec<(Value, Value)>, Value> {
        let sensitive = collection.is_sensitive();
        let inner = |value: &Value| self.marked(value.clone(), sensitive);
        let elements: Vec<(Value, Value)> = match collection.data() {
            Data::Null => return Err(self.fault("a null value cannot be iterated", span)),
            Data::Unknown(cause) if cause.shape.is_scalar() => {
                return Err(self.fault("a value that is no collection cannot be iterated", span));
            }
            Data::Unknown(cause) => return Err(unknown(cause.reason.clone(), Type::Any, true, span)),
            Data::OneOf(_) => return Err(self.because_of(&[collection], Type::Any, span)),
            Data::Bool(_) | Data::Number(_) | Data::Text(_) => {
                return Err(self.fault("a value that is no collection cannot be iterated", span));
            }
            Data::List(list) if list.kind == ListKind::Set => {
                list.items.iter().map(|item| (inner(item), inner(item))).collect()
            }
            Data::List(list) => {
                let index = |index: usize| Value::number(Number::from(index as i64), span);
                list.items.iter().enumerate().map(|(at, item)| (index(at), inner(item))).collect()
            }
            Data::Map(map) => {
                let entries = compare::sorted(map).into_iter();
                entries.map(|(key, value)| (Value::text(Arc::clone(key), span), inner(value))).collect()
            }
        };
        match self.crowded(elements.len(), span) {
            Some(crowded) => Err(crowded),
            None => Ok(elements),
        }
    }
}
