//! An evaluation written down: what was asked of which node in which order, what was found, and which of it made the answer.
//!
//! The evaluator tells its [`Watch`] when it enters and leaves a condition. Nobody listens to that but the [`Tracer`]: where
//! answers are made, [`Nobody`](super::leaf::Nobody) watches, and the calls are nothing.

use crate::policy::{Condition, Matcher};

use super::leaf::{Leaf, Watch};
use super::truth::Truth;

/// Most leaves written down of one clause of a check.
const LEAF_LIMIT: usize = 500;
/// Most conditions written down of one clause of a check: each is entered once for each element it is asked of.
const PART_LIMIT: usize = 2_000;

/// What is entered.
pub(super) enum Opened {
    /// What lies at a path, and what it must be; nothing where conditions follow.
    Entry(String, Option<String>),
    /// `all`.
    All,
    /// `any`.
    Any,
    /// `not`.
    Not,
    /// A node that conditions are about.
    Node(String),
}

impl Opened {
    pub(super) fn condition(condition: &Condition) -> Self {
        match condition {
            Condition::Entry { path, matcher: Matcher::Pattern(_), .. } => Self::Entry(path.to_string(), None),
            Condition::Entry { path, matcher, .. } => Self::Entry(path.to_string(), Some(matcher.to_string())),
            Condition::All(_) => Self::All,
            Condition::Any(_) => Self::Any,
            Condition::Not(_) => Self::Not,
        }
    }
}

/// What was entered, and what happened in it.
pub(super) struct Traced {
    pub(super) opened: Opened,
    pub(super) answer: Truth,
    pub(super) inside: Vec<Inside>,
}

/// A part of what was entered.
pub(super) enum Inside {
    /// Something that was entered within it.
    Part(Traced),
    /// A leaf, by its number.
    Leaf(usize),
}

/// Writes an evaluation down.
#[derive(Default)]
pub(super) struct Tracer {
    /// The leaves, and whether each made the answer.
    leaves: Vec<(Leaf, bool)>,
    open: Vec<Traced>,
    done: Vec<Traced>,
    parts: usize,
    /// How many entered conditions are not written down, inside one that is not.
    unwritten: usize,
    /// Whether there was more than a trace holds.
    pub(super) is_cut: bool,
}

impl Tracer {
    /// What was entered outermost.
    pub(super) fn traced(&self) -> &[Traced] {
        &self.done
    }

    /// A leaf, and whether it made the answer.
    pub(super) fn leaf_at(&self, number: usize) -> Option<(&Leaf, bool)> {
        self.leaves.get(number).map(|(leaf, decides)| (leaf, *decides))
    }
}

impl Watch for Tracer {
    const THOROUGH: bool = true;

    fn mark(&self) -> usize {
        self.leaves.len()
    }

    fn leaf(&mut self, leaf: impl FnOnce() -> Leaf) {
        if self.leaves.len() >= LEAF_LIMIT || self.unwritten > 0 {
            self.is_cut = true;
            return;
        }
        let number = self.leaves.len();
        self.leaves.push((leaf(), true));
        if let Some(open) = self.open.last_mut() {
            open.inside.push(Inside::Leaf(number));
        }
    }

    /// What did not make the answer stays written down, and is known not to have made it.
    fn keep(&mut self, parts: &[(usize, usize, bool)]) {
        for (start, end, _) in parts.iter().filter(|(_, _, keep)| !keep) {
            let end = (*end).min(self.leaves.len());
            for (_, decides) in self.leaves.get_mut(*start..end).unwrap_or_default() {
                *decides = false;
            }
        }
    }

    fn enter(&mut self, opened: impl FnOnce() -> Opened) {
        if self.parts >= PART_LIMIT || self.unwritten > 0 {
            self.is_cut = true;
            self.unwritten += 1;
            return;
        }
        self.parts += 1;
        self.open.push(Traced { opened: opened(), answer: Truth::Unknown, inside: Vec::new() });
    }

    fn leave(&mut self, answer: Truth) {
        if self.unwritten > 0 {
            self.unwritten -= 1;
            return;
        }
        let Some(traced) = self.open.pop() else { return };
        let traced = Traced { answer, ..traced };
        match self.open.last_mut() {
            Some(outer) => outer.inside.push(Inside::Part(traced)),
            None => self.done.push(traced),
        }
    }
}
