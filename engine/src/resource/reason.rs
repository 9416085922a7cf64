//! Why a value cannot be known from the files.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Span, Type};

/// The kinds of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// An input nobody gave a value: a variable without default, a build argument, a template parameter.
    NoDefault,
    /// Decided when the resource is created.
    Computed,
    /// Read from outside the files: a data source, another stack, a module kept elsewhere.
    Outside,
    /// This program does not evaluate the construct.
    Unsupported,
    /// The configuration is wrong here.
    Invalid,
    /// A limit of this program was hit.
    Limit,
}

/// Why a value is unknown, and where that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The kind.
    pub kind: ReasonKind,
    /// What is unknown, as its author would write it: `var.enc`, `aws_kms_key.k.arn`, `templatefile()`.
    pub subject: Arc<str>,
    /// Where the unknown begins (the variable's declaration), if that has a place.
    pub place: Option<Span>,
}

impl Reason {
    /// A reason with a place.
    #[must_use]
    pub fn new(kind: ReasonKind, subject: impl Into<Arc<str>>, place: Option<Span>) -> Self {
        Self { kind, subject: subject.into(), place }
    }

    /// What would make the value known.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self.kind {
            ReasonKind::NoDefault => "give it a default or a value in a variables file, or evaluate a plan",
            ReasonKind::Computed | ReasonKind::Outside => "evaluate a plan, or write the value in the files",
            ReasonKind::Unsupported => "write the value plainly, or evaluate a plan",
            ReasonKind::Invalid => "correct the expression",
            ReasonKind::Limit => "make the expression smaller",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = &self.subject;
        match self.kind {
            ReasonKind::NoDefault => write!(f, "{subject} has no default"),
            ReasonKind::Computed => write!(f, "{subject} is known only after it is created"),
            ReasonKind::Outside => write!(f, "{subject} is not in these files"),
            ReasonKind::Unsupported => write!(f, "{subject} is not evaluated"),
            ReasonKind::Invalid => write!(f, "{subject}"),
            ReasonKind::Limit => write!(f, "{subject}"),
        }
    }
}

/// What little is known of an unknown value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Why nobody can know it.
    pub reason: Reason,
    /// It will not be null (an attribute the provider computes).
    pub not_null: bool,
    /// It is text that begins so.
    pub prefix: Option<Arc<str>>,
    /// What type it will have.
    pub shape: Type,
}
