//! Values that are one of several: an operation on them is done for each, so that what all agree on is decided.

use super::{Evaluator, is_known, reason, unknown};
use crate::formats::terraform::values::{compare, shape};
use crate::resource::{Data, Reason, ReasonKind, Span, Value};

/// Most alternatives a value is followed in; beyond, it is unknown.
const ALTERNATIVE_LIMIT: usize = 16;

impl Evaluator<'_> {
    /// Computes with each combination of alternatives of the operands. A combination that is an error is one that Terraform
    /// refuses, so it is no alternative, unless all are.
    pub(crate) fn each_choice(
        &self,
        operands: Vec<Value>,
        span: Span,
        compute: &mut dyn FnMut(Vec<Value>) -> Value,
    ) -> Value {
        let Some(open) = operands.iter().position(|operand| matches!(operand.data(), Data::OneOf(_))) else {
            return compute(operands);
        };
        let combinations: usize = operands.iter().map(alternatives).map(|all| all.len().max(1)).product();
        let Some(choice) = operands.get(open).and_then(reason) else { return compute(operands) };
        if combinations > ALTERNATIVE_LIMIT {
            let unknowns = operands.into_iter().map(|operand| if is_known(&operand) { operand } else { flat(operand) });
            return compute(unknowns.collect());
        }
        let sensitive = operands.iter().any(Value::is_sensitive);
        let mut results = Vec::new();
        let mut last_fault = None;
        for one in operands.get(open).map(alternatives).unwrap_or_default() {
            let mut chosen = operands.clone();
            if let Some(place) = chosen.get_mut(open) {
                *place = one.clone();
            }
            let (value, attempt) = self.attempt(|| self.each_choice(chosen, span, compute));
            if attempt.doubtful {
                self.doubt(self.last_doubt());
            }
            if attempt.failed { last_fault = Some(value) } else { results.push(value) }
        }
        // Whether it is there at all depends on the choice: whoever tries something else instead has to know.
        if last_fault.is_some() && !results.is_empty() {
            self.doubt(Some(choice.clone()));
        }
        if results.is_empty() {
            let message = last_fault.as_ref().and_then(reason).map(|reason| reason.subject);
            return self.fault(message.unwrap_or_else(|| "no alternative is valid".into()), span);
        }
        let value = one_of(results, choice, span);
        self.marked(value, sensitive)
    }
}

fn alternatives(value: &Value) -> &[Value] {
    if let Data::OneOf(alternatives) = value.data() { alternatives } else { &[] }
}

/// One of several as simply unknown.
pub(crate) fn flat(value: Value) -> Value {
    let reason = reason(&value).unwrap_or_else(|| Reason::new(ReasonKind::Limit, "too many alternatives", None));
    let shape = shape::type_of(&value);
    let not_null = alternatives(&value).iter().all(never_null);
    unknown(reason, shape, not_null, value.span())
}

/// Whether a value will not be null.
pub(crate) fn never_null(value: &Value) -> bool {
    match value.data() {
        Data::Null => false,
        Data::Unknown(unknown) => unknown.not_null,
        Data::OneOf(alternatives) => alternatives.iter().all(never_null),
        Data::Bool(_) | Data::Number(_) | Data::Text(_) | Data::List(_) | Data::Map(_) => true,
    }
}

/// One of these, equal ones once; the reason says why nobody can know which.
pub(crate) fn one_of(values: Vec<Value>, choice: Reason, span: Span) -> Value {
    let mut distinct: Vec<Value> = Vec::new();
    for value in values {
        match value.data() {
            Data::OneOf(inner) => inner.iter().for_each(|one| push_distinct(&mut distinct, one)),
            _ => push_distinct(&mut distinct, &value),
        }
    }
    if distinct.len() == 1 {
        return distinct.swap_remove(0);
    }
    let value = Value::one_of(distinct, span).noted(|notes| notes.choice = Some(choice));
    if alternatives(&value).len() > ALTERNATIVE_LIMIT { flat(value) } else { value }
}

fn push_distinct(distinct: &mut Vec<Value>, value: &Value) {
    let same = |other: &Value| other.references() == value.references() && identical(other, value);
    if !distinct.iter().any(same) {
        distinct.push(value.clone());
    }
}

fn identical(a: &Value, b: &Value) -> bool {
    match (a.data(), b.data()) {
        (Data::Unknown(a), Data::Unknown(b)) => a == b,
        _ => compare::equal(a, b) == Some(true),
    }
}
