//! Suppressions in files: one member per notation, and how far what is written in a comment or an annotation reaches.
//!
//! Wanted: a file that holds none costs one search of its bytes; what is written wrongly never silences anything, and is said
//! where its author will look. So a format asks [`are_in`] first, and only then for its comments and its [`Outline`].

mod checkov;
mod hadolint;
mod kube_linter;
mod portcullis;
mod reach;
mod reading;
mod trivy;
mod words;
mod zizmor;

use memchr::memmem;

use crate::resource::{Date, Tool};

pub use reach::Outline;
pub use reading::{Found, Reading};

/// Every notation; a comment may hold several.
#[rustfmt::skip]
pub static NOTATIONS: &[&dyn Notation] = &[
    &portcullis::Portcullis,
    &checkov::Checkov,
    &trivy::Trivy,
    &kube_linter::KubeLinter,
    &hadolint::Hadolint,
    &zizmor::Zizmor,
];

/// A way of writing that a policy is silenced.
pub trait Notation: Sync {
    /// Whose it is.
    fn tool(&self) -> Tool;

    /// One of these is in every text that uses it; each holds one of [`COMMON`].
    fn markers(&self) -> &'static [&'static str];

    /// What a line of a comment says, without the signs that make it one.
    fn in_comment(&self, line: &str) -> Vec<Result<Written, Mistake>> {
        let _ = line;
        Vec::new()
    }

    /// What an annotation of an object says.
    fn in_annotation(&self, key: &str, value: &str) -> Option<Result<Written, Mistake>> {
        let _ = (key, value);
        None
    }
}

/// What one comment or annotation silences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The policies, by the names of the tool.
    pub names: Vec<String>,
    /// The last day.
    pub until: Option<Date>,
    /// Why, as it is written.
    pub reason: String,
    /// How far it reaches.
    pub scope: Scope,
}

/// How far a suppression reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// What begins on its line, or on the next line when it stands alone; where nothing does, the block around it.
    BesideOrAround,
    /// What begins on its line, or on the next line when it stands alone.
    Beside,
    /// The declaration around it.
    Declaration,
    /// The instruction that begins on the next line.
    Instruction,
    /// The file.
    File,
}

/// Something written like a suppression that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong, in plain words, without a final stop.
    pub message: String,
    /// What to do about it, without a final stop.
    pub remedy: String,
}

impl Mistake {
    fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { message: message.into(), remedy: remedy.into() }
    }
}

/// Words without which a text holds no suppression of any notation.
const COMMON: [&str; 3] = ["ignore", "portcullis", "skip"];

/// Whether a text may hold suppressions: told without reading it.
#[must_use]
pub fn are_in(text: &str) -> bool {
    let holds = |word: &str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    COMMON.iter().any(|word| holds(word))
        && NOTATIONS.iter().flat_map(|notation| notation.markers()).any(|marker| holds(marker))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_marker_holds_a_common_word() {
        for marker in NOTATIONS.iter().flat_map(|notation| notation.markers()) {
            assert!(COMMON.iter().any(|word| marker.contains(word)), "{marker}");
        }
    }

    #[test]
    fn texts_without_a_marker_are_not_looked_at() {
        for no in ["", "lifecycle { ignore_changes = [tags] }", "# skip this", "# see Portcullis", "# hadolint"] {
            assert!(!are_in(no), "{no}");
        }
        for yes in
            ["x # portcullis:ignore y", "#checkov:skip=A", "//tfsec:ignore:b", "# hadolint  global ignore=DL3006"]
        {
            assert!(are_in(yes), "{yes}");
        }
    }
}
