//! What decided an answer: the leaves of a rule that made it hold or fail, gathered only when somebody asks why.

use crate::resource::{Reason, Span, Value};

use super::trace::Opened;
use super::truth::Truth;

/// A leaf of a rule and what it answered.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    /// Where in the resource: `ingress[0].cidr_blocks[1]`.
    pub(super) path: String,
    /// What was found; absent when nothing is there.
    pub(super) value: Option<Value>,
    /// Where it was written, or the nearest place above it that was.
    pub(super) span: Span,
    /// What was asked, to be said behind "must be" or "must not be".
    pub(super) wanted: String,
    /// What it answered.
    pub(super) truth: Truth,
    /// The element of the resource's own lists it lies in.
    pub(super) element: Option<Element>,
    /// Why it is unknown.
    pub(super) reason: Option<Reason>,
    /// What is missing is a linked resource of these types, not an attribute.
    pub(super) missing_link: Option<String>,
}

/// The element that is looped over.
#[derive(Clone, Debug)]
pub(super) struct Element {
    /// Where in the resource: `pod.containers[1]`.
    pub(super) path: String,
    /// The element.
    pub(super) value: Value,
    /// The list it is an element of.
    pub(super) list: Option<Value>,
}

impl Element {
    /// Where in the resource its list is: `pod.containers`.
    pub(super) fn list_name(&self) -> &str {
        self.path.rsplit_once('[').map_or(self.path.as_str(), |(list, _)| list)
    }
}

/// Who watches an evaluation.
pub(super) trait Watch {
    /// Whether every part is evaluated, though one decides.
    const THOROUGH: bool;

    /// How many leaves there are.
    fn mark(&self) -> usize;

    /// A leaf has answered.
    fn leaf(&mut self, leaf: impl FnOnce() -> Leaf);

    /// Forgets the leaves of parts that did not make the answer: each part is a range of marks.
    fn keep(&mut self, parts: &[(usize, usize, bool)]);

    /// A condition, or a node that conditions are about, is looked at.
    fn enter(&mut self, _: impl FnOnce() -> Opened) {}

    /// What was entered last has answered.
    fn leave(&mut self, _: Truth) {}
}

/// Nobody: the fast way to an answer.
pub(super) struct Nobody;

impl Watch for Nobody {
    const THOROUGH: bool = false;

    fn mark(&self) -> usize {
        0
    }

    fn leaf(&mut self, _: impl FnOnce() -> Leaf) {}

    fn keep(&mut self, _: &[(usize, usize, bool)]) {}
}

/// Most leaves kept for one check of one resource.
const LEAF_LIMIT: usize = 1_000;

/// Everything that made the answer.
#[derive(Default)]
pub(super) struct Leaves(pub(super) Vec<Leaf>);

impl Watch for Leaves {
    const THOROUGH: bool = true;

    fn mark(&self) -> usize {
        self.0.len()
    }

    fn leaf(&mut self, leaf: impl FnOnce() -> Leaf) {
        if self.0.len() < LEAF_LIMIT {
            self.0.push(leaf());
        }
    }

    fn keep(&mut self, parts: &[(usize, usize, bool)]) {
        let Some((first, _, _)) = parts.first() else { return };
        let tail = self.0.split_off((*first).min(self.0.len()));
        let kept = tail
            .into_iter()
            .zip(*first..)
            .filter(|(_, at)| !parts.iter().any(|(start, end, keep)| !keep && (start..end).contains(&at)));
        self.0.extend(kept.map(|(leaf, _)| leaf));
    }
}

/// Combines the answers of parts, and keeps the leaves of those that made the answer.
pub(super) struct Combined {
    answer: Truth,
    decides: Truth,
    parts: Vec<(usize, usize, Truth)>,
}

impl Combined {
    /// *And*: false as soon as one is.
    pub(super) fn all() -> Self {
        Self { answer: Truth::True, decides: Truth::False, parts: Vec::new() }
    }

    /// *Or*: true as soon as one is.
    pub(super) fn any() -> Self {
        Self { answer: Truth::False, decides: Truth::True, parts: Vec::new() }
    }

    /// Takes the answer of a part that began at `mark`; true when the rest need not be asked.
    pub(super) fn take<W: Watch>(&mut self, answer: Truth, mark: usize, watch: &W) -> bool {
        self.answer = if self.decides == Truth::False { self.answer.and(answer) } else { self.answer.or(answer) };
        if W::THOROUGH {
            self.parts.push((mark, watch.mark(), answer));
        }
        !W::THOROUGH && self.answer == self.decides
    }

    /// The answer of all parts.
    pub(super) fn finish<W: Watch>(self, watch: &mut W) -> Truth {
        if W::THOROUGH {
            let parts: Vec<_> =
                self.parts.iter().map(|(start, end, answer)| (*start, *end, *answer == self.answer)).collect();
            watch.keep(&parts);
        }
        self.answer
    }
}
