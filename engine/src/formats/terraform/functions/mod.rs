//! Terraform's functions: one table over the families, and how a call is made.
//!
//! Arguments are converted to what a function asks for; null, unknown and sensitive arguments are dealt with here unless a
//! function says it wants to see them. A function that depends on the clock, on chance or on secrets is unknown.

mod arguments;
mod collections;
mod dates;
mod encoding;
mod files;
mod formatting;
mod glob;
mod go_pattern;
mod hashes;
mod json;
mod lazy;
mod network;
mod numbers;
mod patterns;
mod sequences;
mod sets;
mod signature;
mod text;
mod types;
mod yaml;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::formats::terraform::eval::{Evaluator, Scope, is_known, reason, unknown};
use crate::formats::terraform::syntax::ir::{Call, Expr, Kind, StepKind};
use crate::formats::terraform::values::convert::convert;
use crate::resource::{ListKind, Number, Reason, ReasonKind, Span, Type, Value};

pub(crate) use go_pattern::Flaw as PatternFlaw;

use arguments::{at, items_at, number_at, settled, shared_at, text_at, texts, whole_at};
use signature::{ANY, Function, NUMBER, Outcome, Shape, Stop, TEXT, anything, function, known, open};

/// Every family.
static FAMILIES: [&[Function]; 15] = [
    collections::FUNCTIONS,
    dates::FUNCTIONS,
    encoding::FUNCTIONS,
    files::FUNCTIONS,
    formatting::FUNCTIONS,
    hashes::FUNCTIONS,
    json::FUNCTIONS,
    network::FUNCTIONS,
    numbers::FUNCTIONS,
    patterns::FUNCTIONS,
    sequences::FUNCTIONS,
    sets::FUNCTIONS,
    text::FUNCTIONS,
    types::FUNCTIONS,
    yaml::FUNCTIONS,
];

/// Functions that give something else each time, or know what the files do not say.
const IMPURE: [&str; 5] = ["bcrypt", "plantimestamp", "rsadecrypt", "timestamp", "uuid"];

fn find(name: &str) -> Option<&'static Function> {
    static TABLE: OnceLock<HashMap<&'static str, &'static Function>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        FAMILIES.iter().flat_map(|family| family.iter()).map(|function| (function.name, function)).collect()
    });
    table.get(name).copied()
}

/// The names of all functions.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let table = FAMILIES.iter().flat_map(|family| family.iter()).map(|function| function.name);
    table.chain(IMPURE).chain(["can", "try"])
}

/// Where a function is called.
struct Context<'a, 's> {
    evaluator: &'s Evaluator<'a>,
    scope: &'s Scope<'a, 's>,
    span: Span,
}

/// The value of a call.
pub(crate) fn call<'a>(evaluator: &Evaluator<'a>, call: &Call, scope: &Scope<'a, '_>, span: Span) -> Value {
    let name = &*call.name.text;
    let name = name.strip_prefix("core::").unwrap_or(name);
    let context = Context { evaluator, scope, span };
    match name {
        "try" => return lazy::attempt(&context, &call.arguments),
        "can" => return lazy::can(&context, &call.arguments),
        _ => {}
    }
    if name == "templatestring" && !call.arguments.first().is_some_and(Expr::is_reference) {
        return evaluator.fault("templatestring(): the template must be a reference", span);
    }
    if name == "ephemeralasnull" && call.arguments.first().is_some_and(|argument| is_ephemeral(argument, scope)) {
        return Value::null(span);
    }
    let Some(function) = find(name) else { return context.not_here(name) };
    let (arguments, failed) = evaluator.failing(|| context.arguments(call));
    let arguments = match arguments {
        Ok(arguments) => arguments,
        Err(other) => return other,
    };
    // With an error in an argument nobody knows even the type of the result.
    if failed && let Some(reason) = arguments.iter().find_map(|argument| invalid_within(argument, &mut 1_000)) {
        return unknown(reason, Type::Any, false, span);
    }
    let least = function.parameters.len();
    if arguments.len() < least || (function.further.is_none() && arguments.len() > least) {
        let message = format!("{name}() takes {least} arguments, not {}", arguments.len());
        return evaluator.fault(message, span);
    }
    // The mark is on the whole, whichever of them it is.
    if matches!(function.name, "issensitive" | "nonsensitive") {
        return context.apply(function, arguments);
    }
    evaluator.each_choice(arguments, span, &mut |arguments| context.apply(function, arguments))
}

/// Whether an expression names what is not kept: an ephemeral variable or resource.
fn is_ephemeral(expr: &Expr, scope: &Scope<'_, '_>) -> bool {
    let Kind::Traversal(traversal) = &expr.kind else { return false };
    let (Kind::Name(root), Some(StepKind::Attribute(name))) =
        (&traversal.base.kind, traversal.steps.first().map(|step| &step.kind))
    else {
        return false;
    };
    let declared = || {
        let variables = &scope.instance?.module.variables;
        let variable = variables.find(name).and_then(|index| variables.get(index))?;
        variable.block.body.attribute("ephemeral").map(|attribute| matches!(attribute.value.kind, Kind::Bool(true)))
    };
    &**root == "ephemeral" || (&**root == "var" && declared() == Some(true))
}

impl Context<'_, '_> {
    /// A function that is not in the table.
    fn not_here(&self, name: &str) -> Value {
        if IMPURE.contains(&name) {
            let reason = Reason::new(ReasonKind::Computed, format!("{name}()"), Some(self.span));
            return unknown(reason, Type::Text, true, self.span);
        }
        if name.starts_with("provider::") {
            return self.evaluator.unsupported(format!("{name}()"), Type::Any, self.span);
        }
        self.evaluator.fault(format!("there is no function {name}()"), self.span)
    }

    /// The values of the arguments, the last one expanded if it is followed by `...`.
    fn arguments(&self, call: &Call) -> Result<Vec<Value>, Value> {
        let mut values: Vec<Value> =
            call.arguments.iter().map(|argument| self.evaluator.eval(argument, self.scope)).collect();
        if !call.expands {
            return Ok(values);
        }
        let Some(last) = values.pop() else { return Ok(values) };
        if let Some(reason) = reason(&last) {
            return Err(unknown(reason, Type::Any, false, self.span));
        }
        match last.as_list() {
            Some(list) => {
                values.extend(list.items.iter().map(|item| self.evaluator.marked(item.clone(), last.is_sensitive())));
                Ok(values)
            }
            None => Err(self.evaluator.fault("an argument followed by ... must be a list", self.span)),
        }
    }

    fn apply(&self, function: &Function, arguments: Vec<Value>) -> Value {
        let mut given = Vec::with_capacity(arguments.len());
        let mut open = None;
        let mut typeless = false;
        for (index, argument) in arguments.into_iter().enumerate() {
            let Some(parameter) = function.parameters.get(index).copied().or(function.further) else { continue };
            if argument.is_null() && !parameter.takes_null {
                return self.fault(function, format!("argument {} must not be null", index + 1));
            }
            match convert(argument, &parameter.shape.of()) {
                Err(why) => return self.fault(function, format!("argument {}: {why}", index + 1)),
                Ok(argument) if argument.as_unknown().is_some_and(|whole| !parameter.shape.admits(&whole.shape)) => {
                    return self.fault(function, format!("argument {} is of another type", index + 1));
                }
                Ok(argument) => {
                    if !is_known(&argument) && !parameter.takes_unknown {
                        typeless |= argument.as_unknown().is_some_and(|unknown| unknown.shape == Type::Any);
                        open = open.or_else(|| reason(&argument));
                    }
                    given.push(argument);
                }
            }
        }
        let sensitive = self.is_sensitive(function, &given);
        let value = match open {
            // Of an argument of any type whatever, the result may be of any type, too.
            Some(reason) if typeless => unknown(reason, Type::Any, !function.may_be_null(), self.span),
            Some(reason) => unknown(reason, function.returns.of(), !function.may_be_null(), self.span),
            None => match (function.run)(self, &given) {
                Ok(value) => value,
                Err(Stop::Fault(message)) => return self.fault(function, message),
                Err(Stop::Unknown(cause)) => {
                    let value = self.evaluator.because_of(&[&cause], function.returns.of(), self.span);
                    if function.may_be_null() { nullable(value) } else { value }
                }
                Err(Stop::Unsupported(subject)) => {
                    self.evaluator.unsupported(subject, function.returns.of(), self.span)
                }
            },
        };
        self.evaluator.marked(value, sensitive)
    }

    fn fault(&self, function: &Function, message: String) -> Value {
        self.evaluator.fault(format!("{}(): {message}", function.name), self.span)
    }

    fn is_sensitive(&self, function: &Function, given: &[Value]) -> bool {
        if matches!(function.name, "nonsensitive" | "issensitive") {
            return false;
        }
        // A default that is not taken has no part in it.
        let given = if function.name == "lookup" { given.get(..2).unwrap_or(given) } else { given };
        let deep = |value: &Value| !function.hands_on && self.evaluator.is_sensitive_within(value);
        given.iter().any(|value| value.is_sensitive() || deep(value))
    }

    fn text(&self, text: impl Into<String>) -> Outcome {
        Ok(self.evaluator.text(text.into(), self.span))
    }

    fn bool(&self, value: bool) -> Outcome {
        Ok(Value::bool(value, self.span))
    }

    fn number(&self, number: Option<Number>) -> Outcome {
        number
            .map(|number| Value::number(number, self.span))
            .ok_or_else(|| Stop::Unsupported("a number beyond all limits".into()))
    }

    /// A part of an argument, read where the function is called: where it was written is its origin.
    fn handed_on(&self, value: &Value) -> Value {
        if value.span() == self.span { value.clone() } else { value.clone().through("element", self.span) }
    }

    /// A list, unless it is too long.
    fn list(&self, kind: ListKind, items: Vec<Value>) -> Outcome {
        Ok(self.evaluator.crowded(items.len(), self.span).unwrap_or_else(|| Value::list(kind, items, self.span)))
    }
}

/// The first error in a value or its parts.
fn invalid_within(value: &Value, left: &mut u32) -> Option<Reason> {
    *left = left.checked_sub(1)?;
    if let Some(reason) = reason(value).filter(|reason| reason.kind == ReasonKind::Invalid) {
        return Some(reason);
    }
    if let Some(list) = value.as_list() {
        return list.items.iter().find_map(|item| invalid_within(item, left));
    }
    value.as_map()?.entries().iter().find_map(|(_, item)| invalid_within(item, left))
}

fn nullable(value: Value) -> Value {
    match value.data() {
        crate::resource::Data::Unknown(inner) if inner.not_null => {
            let inner = crate::resource::Unknown { not_null: false, ..(**inner).clone() };
            value.with(crate::resource::Data::Unknown(Arc::new(inner)))
        }
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_in_the_table_once() {
        let mut names: Vec<_> =
            FAMILIES.iter().flat_map(|family| family.iter()).map(|function| function.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(IMPURE.iter().all(|name| find(name).is_none()));
    }
}
