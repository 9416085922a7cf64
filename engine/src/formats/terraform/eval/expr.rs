//! The evaluation of each kind of expression.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Evaluator, Scope, is_known, reason, unknown};
use crate::formats::terraform::functions;
use crate::formats::terraform::syntax::ir::{Expr, Kind, ObjectKey};
use crate::formats::terraform::values::convert::convert;
use crate::resource::{Data, Key, ListKind, MapKind, Reason, ReasonKind, Type, Value};

impl<'a> Evaluator<'a> {
    /// The value of an expression. Never fails: what is wrong is unknown, with what is wrong as its reason.
    pub(crate) fn eval(&self, expr: &Expr, scope: &Scope<'a, '_>) -> Value {
        let span = scope.span(expr.place);
        match &expr.kind {
            Kind::Null => Value::null(span),
            Kind::Bool(value) => Value::bool(*value, span),
            Kind::Number(number) => Value::number(number.clone(), span),
            Kind::Text(text) => Value::text(Arc::clone(text), span),
            Kind::Bad(why) => self.fault(Arc::clone(why), span),
            Kind::Name(_) | Kind::Traversal(_) => self.deeper(span, || self.reference(expr, scope)),
            _ => self.deeper(span, || self.compound(expr, scope)),
        }
    }

    /// The value of a whole expression, of which an error in a part that the value does not show is the end, too.
    pub(crate) fn eval_whole(&self, expr: &Expr, scope: &Scope<'a, '_>) -> Value {
        let (value, failed) = self.failing(|| self.eval(expr, scope));
        if failed && wholly_known(&value, &mut 100_000) {
            let span = scope.span(expr.place);
            let reason = Reason::new(ReasonKind::Invalid, "a part of this expression is wrong", Some(span));
            return unknown(reason, Type::Any, false, span);
        }
        value
    }

    fn compound(&self, expr: &Expr, scope: &Scope<'a, '_>) -> Value {
        let span = scope.span(expr.place);
        match &expr.kind {
            Kind::Tuple(items) => {
                let items = items.iter().map(|item| self.eval(item, scope)).collect();
                Value::list(ListKind::Tuple, items, span)
            }
            Kind::Object(items) => self.object(items, expr, scope),
            Kind::Template(parts) => self.template(parts, scope, span),
            Kind::Call(call) => functions::call(self, call, scope, span),
            Kind::Conditional(conditional) => self.conditional(conditional, scope, span),
            Kind::Unary(operator, operand) => self.unary(*operator, self.eval(operand, scope), span),
            Kind::Binary(operator, operands) => self.binary(*operator, operands, scope, span),
            Kind::For(each) => self.for_expr(each, scope, span),
            Kind::Null
            | Kind::Bool(_)
            | Kind::Number(_)
            | Kind::Text(_)
            | Kind::Bad(_)
            | Kind::Name(_)
            | Kind::Traversal(_) => self.eval(expr, scope),
        }
    }

    fn object(&self, items: &[(ObjectKey, Expr)], whole: &Expr, scope: &Scope<'a, '_>) -> Value {
        let span = scope.span(whole.place);
        let mut entries = Vec::with_capacity(items.len());
        let mut unknown_key = None;
        let mut sensitive = false;
        for (key, item) in items {
            let key = match key {
                ObjectKey::Name(name) => Ok((Key::new(Arc::clone(&name.text), scope.span(name.place)), false)),
                ObjectKey::Expr(expr) => self.object_key(expr, scope),
            };
            let value = self.eval(item, scope);
            match key {
                Ok((key, secret)) => {
                    sensitive |= secret;
                    entries.push((key, value));
                }
                Err(unknown) => unknown_key = Some(unknown),
            }
        }
        let value = match unknown_key.as_ref().and_then(reason) {
            Some(reason) => unknown(reason, Type::Any, true, span),
            None => Value::map(MapKind::Object, unique(entries), span),
        };
        self.marked(value, sensitive)
    }

    /// The text of a computed key and whether it is a secret, or the unknown value or error it is instead.
    fn object_key(&self, expr: &Expr, scope: &Scope<'a, '_>) -> Result<(Key, bool), Value> {
        let span = scope.span(expr.place);
        if let Kind::Traversal(_) = expr.kind
            && scope.slice_is_bare(expr, self)
        {
            return Err(self.fault("a key with dots must stand in quotes or in parentheses", span));
        }
        let value = self.eval(expr, scope);
        if value.is_null() {
            return Err(self.fault("a key must not be null", span));
        }
        if !is_known(&value) {
            return Err(value);
        }
        let secret = value.is_sensitive();
        match convert(value, &Type::Text) {
            Ok(text) => text.as_text().map(|text| (Key::new(Arc::clone(text), span), secret)).ok_or(text),
            Err(why) => Err(self.fault(format!("a key: {why}"), span)),
        }
    }
}

impl<'a> Scope<'a, '_> {
    /// Whether a key's expression is written without parentheses or quotes.
    fn slice_is_bare(&self, expr: &Expr, evaluator: &Evaluator<'a>) -> bool {
        let span = self.span(expr.place);
        let table = evaluator.table.borrow();
        let first = table.get(span.file).and_then(|file| file.slice(span.range()).chars().next());
        first.is_some_and(|first| first != '(' && first != '"' && first != '<')
    }
}

/// Of entries with one key the last one.
pub(crate) fn unique(entries: Vec<(Key, Value)>) -> Vec<(Key, Value)> {
    if entries.len() < 2 {
        return entries;
    }
    let mut last: HashMap<Arc<str>, usize> = HashMap::with_capacity(entries.len());
    for (index, (key, _)) in entries.iter().enumerate() {
        last.insert(Arc::clone(&key.text), index);
    }
    if last.len() == entries.len() {
        return entries;
    }
    let kept = |(index, entry): (usize, (Key, Value))| (last.get(&entry.0.text) == Some(&index)).then_some(entry);
    entries.into_iter().enumerate().filter_map(kept).collect()
}

/// Whether a value and all its parts are known.
pub(crate) fn wholly_known(value: &Value, left: &mut u32) -> bool {
    let Some(rest) = left.checked_sub(1) else { return false };
    *left = rest;
    match value.data() {
        Data::Unknown(_) | Data::OneOf(_) => false,
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) => true,
        Data::List(list) => list.items.iter().all(|item| wholly_known(item, left)),
        Data::Map(map) => map.entries().iter().all(|(_, item)| wholly_known(item, left)),
    }
}
