//! `condition ? then : otherwise`: of one type, and both when nobody knows which.

use super::choice::one_of;
use super::{Evaluator, Scope, reason};
use crate::formats::terraform::syntax::ir::{Conditional, Expr, Kind};
use crate::formats::terraform::values::convert::convert;
use crate::formats::terraform::values::shape;
use crate::resource::{Data, Span, Type, Value};

impl<'a> Evaluator<'a> {
    pub(super) fn conditional(&self, conditional: &Conditional, scope: &Scope<'a, '_>, span: Span) -> Value {
        let condition = self.eval(&conditional.condition, scope);
        if condition.is_null() {
            return self.fault("the condition is null", span);
        }
        let condition = match convert(condition, &Type::Bool) {
            Ok(condition) => condition,
            Err(why) => return self.fault(format!("the condition: {why}"), span),
        };
        let sensitive = condition.is_sensitive();
        let value = match condition.as_bool() {
            Some(true) => self.taken(&conditional.then, &conditional.otherwise, scope, span),
            Some(false) => self.taken(&conditional.otherwise, &conditional.then, scope, span),
            None => self.either(&condition, conditional, scope, span),
        };
        self.marked(value, sensitive)
    }

    /// The branch that counts, of the type it shares with the other. The other one's mark stays on it.
    fn taken(&self, taken: &Expr, other: &Expr, scope: &Scope<'a, '_>, span: Span) -> Value {
        let value = self.eval(taken, scope);
        if same_by_form(taken, other) || matches!(other.kind, Kind::Null) {
            return value.at(span);
        }
        // Its errors do not count.
        let (other, attempt) = self.attempt(|| self.eval(other, scope));
        let value = match shared_type(&value, &other) {
            Err(()) => self.fault("the branches of a conditional must be of one type", span),
            Ok(None) => value.at(span),
            Ok(Some(shape)) => match convert(value, &shape) {
                Ok(value) => value.at(span),
                Err(why) => self.fault(format!("a branch of a conditional: {why}"), span),
            },
        };
        self.marked(value, !attempt.failed && other.is_sensitive())
    }

    fn either(&self, condition: &Value, conditional: &Conditional, scope: &Scope<'a, '_>, span: Span) -> Value {
        let (then, then_attempt) = self.attempt(|| self.eval(&conditional.then, scope));
        let (otherwise, other_attempt) = self.attempt(|| self.eval(&conditional.otherwise, scope));
        let Ok(shape) = shared_type(&then, &otherwise) else {
            return self.fault("the branches of a conditional must be of one type", span);
        };
        if then_attempt.doubtful || other_attempt.doubtful {
            self.doubt(self.last_doubt());
        }
        let sensitive = then.is_sensitive() || otherwise.is_sensitive();
        // A branch that is an error is one Terraform never gets to.
        let branches = [(then, then_attempt), (otherwise, other_attempt)].into_iter();
        let branches = branches.filter(|(_, attempt)| !attempt.failed).map(|(branch, _)| branch);
        let branches: Vec<Value> = match shape {
            Some(shape) => branches.filter_map(|branch| convert(branch, &shape).ok()).collect(),
            None => branches.collect(),
        };
        let value = match reason(condition) {
            _ if branches.is_empty() => self.fault("both branches of the conditional are wrong", span),
            Some(choice) => one_of(branches, choice, span),
            None => self.fault("the condition is no boolean", span),
        };
        self.marked(value, sensitive)
    }

    /// A condition as Kleene has it: `None` when nobody knows. Errors are `None` too, and counted.
    pub(super) fn truth(&self, condition: Value, span: Span) -> Truth {
        if condition.is_null() {
            return Truth::Error(self.fault("a condition must not be null", span));
        }
        match convert(condition, &Type::Bool) {
            Err(why) => Truth::Error(self.fault(format!("a condition: {why}"), span)),
            Ok(value) => match value.data() {
                Data::Bool(true) => Truth::Yes,
                Data::Bool(false) => Truth::No,
                _ => Truth::Unknown(value),
            },
        }
    }
}

/// What a condition says.
pub(super) enum Truth {
    Yes,
    No,
    Unknown(Value),
    Error(Value),
}

/// The type both branches are given; `None` where one of them is of a type nobody knows, so that nothing is converted.
fn shared_type(a: &Value, b: &Value) -> Result<Option<Type>, ()> {
    let types = [a, b].map(shape::type_of);
    let [first, second] = &types;
    match (first, second) {
        // Null as it is written is of the other one's type.
        (Type::Any, other) if a.is_null() => Ok(Some(other.clone())),
        (other, Type::Any) if b.is_null() => Ok(Some(other.clone())),
        (Type::Any, _) | (_, Type::Any) => Ok(None),
        _ => shape::unify(&types).map(Some).ok_or(()),
    }
}

/// Whether two expressions are of one type as they are written: then the other branch, a plain one, need not be looked at.
fn same_by_form(taken: &Expr, other: &Expr) -> bool {
    let form = |expr: &Expr| match &expr.kind {
        Kind::Text(_) | Kind::Template(_) => Some(Type::Text),
        Kind::Number(_) => Some(Type::Number),
        Kind::Bool(_) => Some(Type::Bool),
        _ => None,
    };
    !matches!(other.kind, Kind::Template(_)) && form(taken).is_some_and(|taken| form(other) == Some(taken))
}
