//! What a function takes and gives, as one line of a table.

use std::sync::Arc;

use super::Context;
use crate::resource::{Type, Value};

/// A function of Terraform.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) parameters: &'static [Parameter],
    /// What further arguments are, when there may be any.
    pub(super) further: Option<Parameter>,
    pub(super) returns: Shape,
    /// It hands on parts of its arguments as they are, so that only marks on whole arguments are its own.
    pub(super) hands_on: bool,
    pub(super) run: Run,
}

pub(super) type Run = for<'a, 's> fn(&Context<'a, 's>, &[Value]) -> Outcome;

/// What a function computes, or why it cannot.
pub(super) type Outcome = Result<Value, Stop>;

/// Why there is no value.
pub(super) enum Stop {
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
pub(super) struct Parameter {
    pub(super) shape: Shape,
    pub(super) takes_null: bool,
    pub(super) takes_unknown: bool,
}

/// A type that can be written in a table.
#[derive(Clone, Copy)]
pub(super) enum Shape {
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
    /// A map or an object.
    Mapping,
    /// A list, a set or a tuple.
    Sequence,
    /// A list or a tuple.
    Ordered,
}

impl Shape {
    /// Whether an unknown value of a type may be what is asked for.
    pub(super) fn admits(self, of: &Type) -> bool {
        match (self, of) {
            (_, Type::Any) => true,
            (Self::Mapping, of) => matches!(of, Type::Map(_) | Type::Object(_)),
            (Self::Sequence, of) => matches!(of, Type::List(_) | Type::Set(_) | Type::Tuple(_)),
            (Self::Ordered, of) => matches!(of, Type::List(_) | Type::Tuple(_)),
            _ => true,
        }
    }

    pub(super) fn of(self) -> Type {
        match self {
            Self::Any | Self::Mapping | Self::Sequence | Self::Ordered => Type::Any,
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

pub(super) const fn known(shape: Shape) -> Parameter {
    Parameter { shape, takes_null: false, takes_unknown: false }
}

/// The function sees an unknown argument itself.
pub(super) const fn open(shape: Shape) -> Parameter {
    Parameter { shape, takes_null: false, takes_unknown: true }
}

/// The function sees null and unknown arguments itself.
pub(super) const fn anything(shape: Shape) -> Parameter {
    Parameter { shape, takes_null: true, takes_unknown: true }
}

pub(super) const TEXT: Parameter = known(Shape::Text);
pub(super) const NUMBER: Parameter = known(Shape::Number);
pub(super) const ANY: Parameter = known(Shape::Any);

pub(super) const fn function(
    name: &'static str,
    parameters: &'static [Parameter],
    returns: Shape,
    run: Run,
) -> Function {
    Function { name, parameters, further: None, returns, hands_on: false, run }
}

impl Function {
    pub(super) const fn further(self, parameter: Parameter) -> Self {
        Self { further: Some(parameter), ..self }
    }

    pub(super) const fn hands_on(self) -> Self {
        Self { hands_on: true, ..self }
    }
}

impl Function {
    /// Whether it may give null.
    pub(super) fn may_be_null(&self) -> bool {
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
