//! Terraform's functions: one table over the families, and how a call is made.
//!
//! Arguments are converted to what a function asks for; null, unknown and sensitive arguments are dealt with here unless a
//! function says it wants to see them. A function that depends on the clock, on chance or on secrets is unknown.

mod collections;
mod dates;
mod encoding;
mod files;
mod formatting;
mod glob;
mod hashes;
mod json;
mod lazy;
mod network;
mod numbers;
mod patterns;
mod sequences;
mod sets;
mod text;
mod types;
mod yaml;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::formats::terraform::eval::{Evaluator, Scope, is_known, reason, unknown};
use crate::formats::terraform::syntax::ir::Call;
use crate::formats::terraform::values::convert::convert;
use crate::resource::{Number, Reason, ReasonKind, Span, Type, Value};

/// A function of Terraform.
pub(crate) struct Function {
    name: &'static str,
    parameters: &'static [Parameter],
    /// What further arguments are, when there may be any.
    further: Option<Parameter>,
    returns: Shape,
    /// It hands on parts of its arguments as they are, so that only marks on whole arguments are its own.
    hands_on: bool,
    run: Run,
}

type Run = for<'a, 's> fn(&Context<'a, 's>, &[Value]) -> Outcome;

/// What a function computes, or why it cannot.
type Outcome = Result<Value, Stop>;

/// Why there is no value.
enum Stop {
    /// Terraform would refuse this, too.
    Fault(String),
    /// It depends on this unknown value, or part of a value.
    Unknown(Value),
    /// This program does not evaluate it, for a reason its author can understand.
    Unsupported(String),
}

impl From<&str> for Stop {
    fn from(message: &str) -> Self {
        Self::Fault(message.to_owned())
    }
}

/// What an argument is asked to be.
#[derive(Clone, Copy)]
struct Parameter {
    shape: Shape,
    takes_null: bool,
    takes_unknown: bool,
}

/// A type that can be written in a table.
#[derive(Clone, Copy)]
enum Shape {
    Any,
    Text,
    Number,
    Bool,
    /// A list of anything.
    List,
    Texts,
    Bools,
    Set,
    TextSet,
    ListsByName,
}

impl Shape {
    fn of(self) -> Type {
        match self {
            Self::Any => Type::Any,
            Self::Text => Type::Text,
            Self::Number => Type::Number,
            Self::Bool => Type::Bool,
            Self::List => Type::List(Arc::new(Type::Any)),
            Self::Texts => Type::List(Arc::new(Type::Text)),
            Self::Bools => Type::List(Arc::new(Type::Bool)),
            Self::Set => Type::Set(Arc::new(Type::Any)),
            Self::TextSet => Type::Set(Arc::new(Type::Text)),
            Self::ListsByName => Type::Map(Arc::new(Self::Texts.of())),
        }
    }
}

const fn known(shape: Shape) -> Parameter {
    Parameter { shape, takes_null: false, takes_unknown: false }
}

/// The function sees an unknown argument itself.
const fn open(shape: Shape) -> Parameter {
    Parameter { shape, takes_null: false, takes_unknown: true }
}

/// The function sees null and unknown arguments itself.
const fn anything(shape: Shape) -> Parameter {
    Parameter { shape, takes_null: true, takes_unknown: true }
}

const TEXT: Parameter = known(Shape::Text);
const NUMBER: Parameter = known(Shape::Number);
const ANY: Parameter = known(Shape::Any);

const fn function(name: &'static str, parameters: &'static [Parameter], returns: Shape, run: Run) -> Function {
    Function { name, parameters, further: None, returns, hands_on: false, run }
}

impl Function {
    const fn further(self, parameter: Parameter) -> Self {
        Self { further: Some(parameter), ..self }
    }

    const fn hands_on(self) -> Self {
        Self { hands_on: true, ..self }
    }
}

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
    evaluator.each_choice(arguments, span, &mut |arguments| context.apply(function, arguments))
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
        if !self.evaluator.sensitive_seen.get() || matches!(function.name, "nonsensitive" | "issensitive") {
            return false;
        }
        let deep = |value: &Value| sensitive_within(value, &mut 10_000);
        given.iter().any(|value| value.is_sensitive() || (!function.hands_on && deep(value)))
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
            .ok_or(Stop::from("this number is beyond what is computed"))
    }

    /// A part of an argument, read where the function is called: where it was written is its origin.
    fn handed_on(&self, value: &Value) -> Value {
        if value.span() == self.span { value.clone() } else { value.clone().through("element", self.span) }
    }

    /// A list, unless it is too long.
    fn list(&self, kind: crate::resource::ListKind, items: Vec<Value>) -> Outcome {
        Ok(self.evaluator.crowded(items.len(), self.span).unwrap_or_else(|| Value::list(kind, items, self.span)))
    }
}

impl Function {
    /// Whether it may give null.
    fn may_be_null(&self) -> bool {
        matches!(
            self.name,
            "element"
                | "lookup"
                | "one"
                | "tobool"
                | "tolist"
                | "tomap"
                | "tonumber"
                | "toset"
                | "tostring"
                | "sensitive"
                | "nonsensitive"
                | "ephemeralasnull"
                | "jsondecode"
                | "yamldecode"
        )
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

/// Whether a value or a part of it is sensitive.
fn sensitive_within(value: &Value, left: &mut u32) -> bool {
    let Some(rest) = left.checked_sub(1) else { return false };
    *left = rest;
    if value.is_sensitive() {
        return true;
    }
    if let Some(list) = value.as_list() {
        return list.items.iter().any(|item| sensitive_within(item, left));
    }
    value.as_map().is_some_and(|map| map.entries().iter().any(|(_, item)| sensitive_within(item, left)))
}

/// An argument by its position; the table has checked that it is there.
fn at(arguments: &[Value], index: usize) -> &Value {
    static MISSING: OnceLock<Value> = OnceLock::new();
    arguments.get(index).unwrap_or_else(|| MISSING.get_or_init(|| Value::null(Span::NOWHERE)))
}

/// The text of an argument that was converted to text.
fn text_at(arguments: &[Value], index: usize) -> &str {
    at(arguments, index).as_text().map_or("", |text| text)
}

fn shared_at(arguments: &[Value], index: usize) -> Arc<str> {
    at(arguments, index).as_text().cloned().unwrap_or_else(|| "".into())
}

fn number_at(arguments: &[Value], index: usize) -> Number {
    at(arguments, index).as_number().unwrap_or_else(|| Number::from(0))
}

/// A whole number, or a fault.
fn whole_at(arguments: &[Value], index: usize) -> Result<i64, Stop> {
    let number = number_at(arguments, index);
    number.as_i64().ok_or_else(|| Stop::Fault(format!("argument {} must be a whole number", index + 1)))
}

/// The elements of an argument that is a list.
fn items_at(arguments: &[Value], index: usize) -> &[Value] {
    at(arguments, index).as_list().map_or(&[], |list| &list.items)
}

/// The texts of a list, as far as all of them are known and not null.
fn texts(items: &[Value]) -> Result<Vec<&Arc<str>>, Stop> {
    let text = |item: &'_ Value| -> Result<(), Stop> {
        if !is_known(item) {
            return Err(Stop::Unknown(item.clone()));
        }
        if item.is_null() { Err("a list must not hold null".into()) } else { Ok(()) }
    };
    items.iter().try_for_each(text)?;
    Ok(items.iter().filter_map(Value::as_text).collect())
}

/// Whether all of a value is known; what of it is not.
fn settled(value: &Value) -> Result<(), Stop> {
    if crate::formats::terraform::eval::wholly_known(value, &mut 1_000_000) {
        Ok(())
    } else {
        Err(Stop::Unknown(value.clone()))
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
