//! `condition ? then : otherwise`: of one type, and both when nobody knows which.

use super::choice::{common_type, one_of};
use super::{Evaluator, Scope, reason};
use crate::formats::terraform::syntax::ir::{Conditional, Expr, Kind};
use crate::formats::terraform::values::convert::convert;
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

    /// The branch that counts, of the type it shares with the other.
    fn taken(&self, taken: &Expr, other: &Expr, scope: &Scope<'a, '_>, span: Span) -> Value {
        let value = self.eval(taken, scope);
        if same_by_form(taken, other) || matches!(other.kind, Kind::Null) || value.is_null() {
            return value.at(span);
        }
        // The other branch is needed for its type only; its errors do not count.
        let (other, _) = self.attempt(|| self.eval(other, scope));
        match common_type(&[&value, &other]) {
            None => self.fault("the branches of a conditional must be of one type", span),
            Some(shape) => match convert(value, &shape) {
                Ok(value) => value.at(span),
                Err(why) => self.fault(format!("a branch of a conditional: {why}"), span),
            },
        }
    }

    fn either(&self, condition: &Value, conditional: &Conditional, scope: &Scope<'a, '_>, span: Span) -> Value {
        let (then, then_attempt) = self.attempt(|| self.eval(&conditional.then, scope));
        let (otherwise, other_attempt) = self.attempt(|| self.eval(&conditional.otherwise, scope));
        let Some(shape) = common_type(&[&then, &otherwise]) else {
            return self.fault("the branches of a conditional must be of one type", span);
        };
        // A branch that is an error is one Terraform never gets to.
        let branches = match (then_attempt.failed, other_attempt.failed) {
            (false, true) => vec![then],
            (true, false) => vec![otherwise],
            (false, false) => vec![then, otherwise],
            (true, true) => return self.fault("both branches of the conditional are wrong", span),
        };
        if then_attempt.doubtful || other_attempt.doubtful {
            self.doubt(self.last_doubt());
        }
        let branches = branches.into_iter().map(|branch| convert(branch.clone(), &shape).unwrap_or(branch)).collect();
        match reason(condition) {
            Some(choice) => one_of(branches, choice, span),
            None => self.fault("the condition is no boolean", span),
        }
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

/// Whether two expressions are of one type as they are written: then the other branch need not be looked at.
fn same_by_form(a: &Expr, b: &Expr) -> bool {
    let form = |expr: &Expr| match &expr.kind {
        Kind::Text(_) | Kind::Template(_) => Some(Type::Text),
        Kind::Number(_) => Some(Type::Number),
        Kind::Bool(_) => Some(Type::Bool),
        _ => None,
    };
    form(a).is_some_and(|a| form(b) == Some(a))
}
