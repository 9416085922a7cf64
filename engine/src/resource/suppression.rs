//! A policy silenced at a place by the author of a file, as it is written there. Which policy is meant, and whether the
//! suppression holds, is for `evaluate` to say.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Date, Span};

/// Whose notation a suppression is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// Ours.
    Portcullis,
    /// `checkov:skip=`.
    Checkov,
    /// `trivy:ignore:`, `tfsec:ignore:`.
    Trivy,
    /// Annotations of an object.
    KubeLinter,
    /// `hadolint ignore=`.
    Hadolint,
    /// `zizmor: ignore[…]`.
    Zizmor,
}

impl Tool {
    /// Its name in reports, and before an id of its own among the aliases of a policy.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Portcullis => "portcullis",
            Self::Checkov => "checkov",
            Self::Trivy => "trivy",
            Self::KubeLinter => "kube-linter",
            Self::Hadolint => "hadolint",
            Self::Zizmor => "zizmor",
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One policy silenced at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// Whose notation it is.
    pub tool: Tool,
    /// The policy, by the name the tool has for it.
    pub name: Arc<str>,
    /// The last day on which it holds; none when it holds for ever.
    pub until: Option<Date>,
    /// Why, in one line without control characters; empty when nobody says.
    pub reason: Arc<str>,
    /// Where it is written.
    pub span: Span,
    /// What it covers: what lies in it, and what is decided in it.
    pub reach: Span,
}

/// Something in a file that does not do what its author meant, though everything was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The place.
    pub span: Span,
    /// What is wrong, in plain words, without a final stop.
    pub message: String,
    /// What to do about it, without a final stop.
    pub remedy: String,
}
