//! A place that could not be read, said out loud: what was not evaluated is counted and shown.

use serde::{Deserialize, Serialize};

use super::Span;
use crate::source_tree::{TreePath, Unreadable};

/// What kind of hole a problem leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// A file that is of the format could not be read at all.
    Unreadable,
    /// Part of a file could not be read; the rest was.
    Partial,
    /// A limit on size, depth, count or time was hit; the message has the figure.
    Limit,
}

/// A place that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of hole it leaves.
    pub kind: ProblemKind,
    /// The file.
    pub path: TreePath,
    /// The place in it, when there is one.
    pub span: Option<Span>,
    /// What is wrong, in plain words, without a final stop.
    pub message: String,
    /// What to do about it, without a final stop.
    pub remedy: String,
}

impl Problem {
    /// A file that has no text; the remedy is for one that is too large.
    #[must_use]
    pub fn of_unreadable(path: &TreePath, why: &Unreadable, if_too_large: &str) -> Self {
        let (kind, remedy) = match why {
            Unreadable::TooLarge { .. } => (ProblemKind::Limit, if_too_large),
            Unreadable::NotText { .. } => (ProblemKind::Unreadable, "save the file as UTF-8"),
            Unreadable::Link => {
                (ProblemKind::Unreadable, "put the file itself there, or leave it out of the source's folders")
            }
            Unreadable::Absent | Unreadable::NotFetched | Unreadable::Refused(_) => {
                (ProblemKind::Unreadable, "run the review again")
            }
        };
        Self { kind, path: path.clone(), span: None, message: why.to_string(), remedy: remedy.to_owned() }
    }
}
