//! `try` and `can`: functions that see their arguments fail.

use super::Context;
use crate::formats::terraform::eval::{Attempt, reason_within, unknown, wholly_known};
use crate::formats::terraform::syntax::ir::{Expr, Kind};
use crate::resource::{Type, Value};

/// The first argument that is no error.
pub(super) fn attempt(context: &Context<'_, '_>, arguments: &[Expr]) -> Value {
    let evaluator = context.evaluator;
    let mut possible: Vec<Value> = Vec::new();
    for argument in arguments {
        let (value, attempt) = evaluator.attempt(|| evaluator.eval(argument, context.scope));
        // What is read is there once it is known; what is computed of unknown values may yet be an error.
        let may_fail =
            !matches!(argument.kind, Kind::Name(_) | Kind::Traversal(_)) && !wholly_known(&value, &mut 100_000);
        match attempt {
            Attempt { failed: true, .. } => {}
            Attempt { failed: false, doubtful: false } if !may_fail => {
                possible.push(value);
                break;
            }
            // It is there only perhaps: this one, or one of those after it.
            Attempt { failed: false, .. } => possible.push(value),
        }
    }
    match possible.len() {
        0 => evaluator.fault("try(): all arguments are errors", context.span),
        1 => possible.swap_remove(0).at(context.span),
        _ => {
            let within = || possible.iter().find_map(|value| reason_within(value, &mut 100_000));
            let choice = evaluator.last_doubt().or_else(within);
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
    let doubt = attempt.doubtful.then(|| evaluator.last_doubt()).flatten();
    match doubt.or_else(|| reason_within(&value, &mut 100_000)) {
        Some(reason) => unknown(reason, Type::Bool, true, context.span),
        None => Value::bool(true, context.span),
    }
}
