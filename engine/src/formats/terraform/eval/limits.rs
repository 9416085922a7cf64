//! How much work one unit may take.

use std::cell::Cell;

use super::{Evaluator, unknown};
use crate::formats::terraform::values::composed;
use crate::resource::{ProblemKind, Reason, ReasonKind, Span, Type, Value};

/// Deepest nesting of evaluation: expressions in each other, and references from one to the next.
const DEPTH_LIMIT: u32 = 400;

/// Most steps of evaluation one unit may take: about a second of work.
const STEP_LIMIT: u64 = 5_000_000;

/// Longest text that is computed, in bytes.
pub(crate) const TEXT_LIMIT: usize = 1024 * 1024;

/// Most elements of a list or map that is computed.
pub(crate) const ELEMENT_LIMIT: usize = 100_000;

#[derive(Default)]
pub(super) struct Limits {
    depth: Cell<u32>,
    steps: Cell<u64>,
    is_exhausted: Cell<bool>,
}

impl Evaluator<'_> {
    /// Computes one level deeper, unless that is too deep or too much.
    pub(super) fn deeper(&self, span: Span, compute: impl FnOnce() -> Value) -> Value {
        let depth = self.limits.depth.get();
        if depth >= DEPTH_LIMIT {
            return self.limit(format!("evaluation nests deeper than {DEPTH_LIMIT} levels"), span);
        }
        if !self.charge(1) {
            return self.exhausted(span);
        }
        self.limits.depth.set(depth + 1);
        let value = compute();
        self.limits.depth.set(depth);
        value
    }

    /// Counts work; false when there has been too much.
    pub(crate) fn charge(&self, steps: usize) -> bool {
        let total = self.limits.steps.get().saturating_add(steps as u64);
        self.limits.steps.set(total);
        total <= STEP_LIMIT
    }

    pub(crate) fn exhausted(&self, span: Span) -> Value {
        let message = format!("evaluating this unit takes more than {STEP_LIMIT} steps");
        // It is the unit that takes too many, wherever that shows first.
        if !self.limits.is_exhausted.replace(true) {
            self.problem(ProblemKind::Limit, "steps", span.at_start(), message.clone(), "make the expressions smaller");
        }
        self.limit(message, span)
    }

    /// A value that is not computed because it would be too large.
    pub(crate) fn limit(&self, subject: String, span: Span) -> Value {
        unknown(Reason::new(ReasonKind::Limit, subject, Some(span)), Type::Any, false, span)
    }

    /// Text, unless it is too long.
    pub(crate) fn text(&self, text: String, span: Span) -> Value {
        if text.len() > TEXT_LIMIT {
            return self.limit(format!("a text of more than {TEXT_LIMIT} bytes"), span);
        }
        if !self.charge(text.len() / 64) {
            return self.exhausted(span);
        }
        Value::text(composed(&text), span)
    }

    /// Whether so many elements are too many.
    pub(crate) fn crowded(&self, elements: usize, span: Span) -> Option<Value> {
        if elements > ELEMENT_LIMIT {
            return Some(self.limit(format!("a collection of more than {ELEMENT_LIMIT} elements"), span));
        }
        (!self.charge(elements)).then(|| self.exhausted(span))
    }
}
