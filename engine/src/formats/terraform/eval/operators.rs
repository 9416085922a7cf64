//! Operators, with Terraform's conversions of their operands.

use super::choice::never_null;
use super::{Evaluator, Scope, is_known, reason, unknown};
use crate::formats::terraform::syntax::ir::{BinaryOperator, Expr, UnaryOperator};
use crate::formats::terraform::values::convert::convert;
use crate::formats::terraform::values::{compare, decimal};
use crate::resource::{Number, ReasonKind, Span, Type, Value};

impl<'a> Evaluator<'a> {
    pub(super) fn unary(&self, operator: UnaryOperator, operand: Value, span: Span) -> Value {
        self.each_choice(vec![operand], span, &mut |operands| {
            let operand = operands.into_iter().next().unwrap_or_else(|| Value::null(span));
            let sensitive = operand.is_sensitive();
            let value = match operator {
                UnaryOperator::Not => match self.operand(operand, &Type::Bool, span) {
                    Ok(value) => value.as_bool().map(|value| Value::bool(!value, span)),
                    Err(other) => Some(other),
                },
                UnaryOperator::Negate => match self.operand(operand, &Type::Number, span) {
                    Ok(value) => value.as_number().and_then(|n| decimal::negate(&n)).map(|n| Value::number(n, span)),
                    Err(other) => Some(other),
                },
            };
            self.marked(value.unwrap_or_else(|| self.fault("this number is beyond what is computed", span)), sensitive)
        })
    }

    pub(super) fn binary(
        &self,
        operator: BinaryOperator,
        operands: &(Expr, Expr),
        scope: &Scope<'a, '_>,
        span: Span,
    ) -> Value {
        let left = self.eval(&operands.0, scope);
        // What the left side decides alone, the right side cannot change.
        if matches!(operator, BinaryOperator::And | BinaryOperator::Or)
            && let Ok(known) = convert(left.clone(), &Type::Bool)
            && known.as_bool() == Some(operator == BinaryOperator::Or)
        {
            return self.marked(known.at(span), left.is_sensitive()).noted(|notes| notes.references.clear());
        }
        let right = self.eval(&operands.1, scope);
        self.each_choice(vec![left, right], span, &mut |operands| {
            let mut operands = operands.into_iter();
            let (Some(left), Some(right)) = (operands.next(), operands.next()) else { return Value::null(span) };
            let sensitive = left.is_sensitive() || right.is_sensitive();
            self.marked(self.operate(operator, left, right, span), sensitive)
        })
    }

    fn operate(&self, operator: BinaryOperator, left: Value, right: Value, span: Span) -> Value {
        match operator {
            BinaryOperator::Equal => self.equality(&left, &right, true, span),
            BinaryOperator::NotEqual => self.equality(&left, &right, false, span),
            BinaryOperator::And | BinaryOperator::Or => self.logic(operator == BinaryOperator::Or, left, right, span),
            BinaryOperator::Less
            | BinaryOperator::LessEqual
            | BinaryOperator::Greater
            | BinaryOperator::GreaterEqual => self.numbers(left, right, Type::Bool, span, &|a, b| {
                let holds = match operator {
                    BinaryOperator::Less => a < b,
                    BinaryOperator::LessEqual => a <= b,
                    BinaryOperator::Greater => a > b,
                    _ => a >= b,
                };
                Some(Value::bool(holds, span))
            }),
            BinaryOperator::Add
            | BinaryOperator::Subtract
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Remainder => self.numbers(left, right, Type::Number, span, &|a, b| {
                let result = match operator {
                    BinaryOperator::Add => decimal::add(a, b),
                    BinaryOperator::Subtract => decimal::subtract(a, b),
                    BinaryOperator::Multiply => decimal::multiply(a, b),
                    BinaryOperator::Divide if *a == Number::from(0) && *b == *a => {
                        return Some(self.fault("nothing is divided by nothing", span));
                    }
                    BinaryOperator::Divide => decimal::divide(a, b),
                    _ => decimal::remainder(a, b),
                };
                result.map(|number| Value::number(number, span))
            }),
        }
    }

    fn equality(&self, left: &Value, right: &Value, wanted: bool, span: Span) -> Value {
        let value = match compare::equal(left, right) {
            Some(equal) => Value::bool(equal == wanted, span),
            None => self.because_of(&[left, right], Type::Bool, span),
        };
        self.marked(value, self.is_sensitive_within(left) || self.is_sensitive_within(right))
    }

    /// Both sides may be unknown: `false && x` is false whatever `x` is.
    fn logic(&self, or: bool, left: Value, right: Value, span: Span) -> Value {
        let (sides, failed) =
            self.failing(|| [self.operand(left, &Type::Bool, span), self.operand(right, &Type::Bool, span)]);
        let decided = !failed && sides.iter().flatten().any(|side| side.as_bool() == Some(or));
        if decided {
            return Value::bool(or, span);
        }
        let invalid = |side: &Result<Value, Value>| {
            side.as_ref().err().and_then(reason).is_some_and(|reason| reason.kind == ReasonKind::Invalid)
        };
        let [left, right] = sides;
        match (left, right) {
            (left, Err(other)) if failed && invalid(&Err(other.clone())) && !invalid(&left) => other,
            (Err(other), _) | (_, Err(other)) => other,
            (Ok(_), Ok(_)) => Value::bool(!or, span),
        }
    }

    fn numbers(
        &self,
        left: Value,
        right: Value,
        shape: Type,
        span: Span,
        compute: &dyn Fn(&Number, &Number) -> Option<Value>,
    ) -> Value {
        let sides = (self.operand(left, &Type::Number, span), self.operand(right, &Type::Number, span));
        let (left, right) = match sides {
            (Ok(left), Ok(right)) => (left, right),
            (Err(other), _) | (_, Err(other)) => {
                return reason(&other).map_or(other, |reason| unknown(reason, shape, true, span));
            }
        };
        let numbers = left.as_number().zip(right.as_number());
        let value = numbers.and_then(|(left, right)| compute(&left, &right));
        // Terraform goes on with infinity.
        value.unwrap_or_else(|| self.unsupported("a number beyond all limits, or divided by zero", Type::Number, span))
    }

    /// A known operand of a type, or what the operation is instead: unknown, or an error.
    fn operand(&self, value: Value, shape: &Type, span: Span) -> Result<Value, Value> {
        match convert(value, shape) {
            Err(why) => Err(self.fault(format!("an operand: {why}"), span)),
            Ok(value) if value.is_null() => Err(self.fault("an operand must not be null", span)),
            Ok(value) if is_known(&value) => Ok(value),
            Ok(value) => Err(self.because_of(&[&value], shape.clone(), span)),
        }
    }

    /// What an operation gives when these operands, or parts of them, are unknown. It will not be null.
    pub(crate) fn because_of(&self, operands: &[&Value], shape: Type, span: Span) -> Value {
        let cause = operands.iter().find_map(|operand| reason_within(operand, &mut 1_000));
        match cause {
            Some(cause) => unknown(cause, shape, true, span),
            None => self.limit("a comparison of too many values".into(), span),
        }
    }
}

/// Why a value or a part of it is unknown.
pub(crate) fn reason_within(value: &Value, left: &mut u32) -> Option<crate::resource::Reason> {
    *left = left.checked_sub(1)?;
    if let Some(reason) = reason(value) {
        return Some(reason);
    }
    if let Some(list) = value.as_list() {
        return list.items.iter().find_map(|item| reason_within(item, left));
    }
    value.as_map()?.entries().iter().find_map(|(_, item)| reason_within(item, left))
}

/// Whether null may come of a value.
pub(crate) fn may_be_null(value: &Value) -> bool {
    !never_null(value)
}
