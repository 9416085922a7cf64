//! `try` and `can`: functions that see their arguments fail.

use super::Context;
use crate::formats::terraform::eval::{Attempt, is_known, reason, unknown};
use crate::formats::terraform::syntax::ir::Expr;
use crate::resource::{Type, Value};

/// The first argument that is no error.
pub(super) fn attempt(context: &Context<'_, '_>, arguments: &[Expr]) -> Value {
    let evaluator = context.evaluator;
    let mut possible: Vec<Value> = Vec::new();
    for argument in arguments {
        let (value, attempt) = evaluator.attempt(|| evaluator.eval(argument, context.scope));
        match attempt {
            Attempt { failed: true, .. } => {}
            Attempt { failed: false, doubtful: false } => {
                possible.push(value);
                break;
            }
            // It is there only perhaps: this one, or one of those after it.
            Attempt { failed: false, doubtful: true } => possible.push(value),
        }
    }
    match possible.len() {
        0 => evaluator.fault("try(): all arguments are errors", context.span),
        1 => possible.swap_remove(0).at(context.span),
        _ => {
            let choice = evaluator.last_doubt().or_else(|| possible.iter().find_map(reason));
            match choice {
                Some(choice) => crate::formats::terraform::eval::one_of(possible, choice, context.span),
                None => possible.swap_remove(0),
            }
        }
    }
}

/// Whether the argument is no error.
pub(super) fn can(context: &Context<'_, '_>, arguments: &[Expr]) -> Value {
    let evaluator = context.evaluator;
    let [argument] = arguments else { return evaluator.fault("can() takes one argument", context.span) };
    let (value, attempt) = evaluator.attempt(|| evaluator.eval(argument, context.scope));
    if attempt.failed {
        return Value::bool(false, context.span);
    }
    match reason(&value) {
        Some(reason) if attempt.doubtful || !is_known(&value) => unknown(reason, Type::Bool, true, context.span),
        _ => Value::bool(true, context.span),
    }
}
