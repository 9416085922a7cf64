//! What several nodes answer together: each or any of them, and what it means when there is none, or nobody knows.

use super::leaf::{Combined, Leaf, Watch};
use super::truth::Truth;

/// What a list of nodes means where no selector says: `require` wants each, `forbid` and `when` want any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Require,
    Forbid,
    When,
}

impl Mode {
    /// Under `not`, each becomes any.
    pub(super) fn swapped(self) -> Self {
        match self {
            Self::Require => Self::Forbid,
            Self::Forbid | Self::When => Self::Require,
        }
    }

    pub(super) fn wants_each(self) -> bool {
        self == Self::Require
    }
}

/// How the answers of several nodes are joined.
#[derive(Clone, Copy)]
pub(super) struct Quantity {
    pub(super) each: bool,
    /// None at all is fine for `[]` (true under `require`, false elsewhere); without it the attribute must be there.
    pub(super) may_be_none: bool,
}

/// Joins the answers of nodes that may or may not be there.
pub(super) struct Joined {
    quantity: Quantity,
    combined: Combined,
    exists: Truth,
    doubt: Option<Leaf>,
}

impl Joined {
    pub(super) fn new(quantity: Quantity) -> Self {
        let combined = if quantity.each { Combined::all() } else { Combined::any() };
        Self { quantity, combined, exists: Truth::False, doubt: None }
    }

    /// Says why a node may not be there, should that be what decides.
    pub(super) fn doubt<W: Watch>(&mut self, leaf: impl FnOnce() -> Leaf, _: &W) {
        if W::THOROUGH && self.doubt.is_none() {
            self.doubt = Some(leaf());
        }
    }

    /// Takes the answer of a node; true when the rest need not be asked.
    pub(super) fn take<W: Watch>(&mut self, answer: Truth, exists: Truth, mark: usize, watch: &W) -> bool {
        self.exists = self.exists.or(exists);
        let counted = if self.quantity.each { (!exists).or(answer) } else { exists.and(answer) };
        self.combined.take(counted, mark, watch) && self.exists == Truth::True
    }

    /// The answer of all; `none` answers for the case that there is no node at all.
    pub(super) fn finish<W: Watch>(self, mark: usize, none: impl FnOnce(&mut W) -> Truth, watch: &mut W) -> Truth {
        let Self { quantity, combined, exists, doubt } = self;
        let answer = combined.finish(watch);
        if quantity.may_be_none || exists == Truth::True {
            return answer;
        }
        let before_none = watch.mark();
        let missing = none(watch);
        if exists == Truth::False {
            watch.keep(&[(mark, before_none, false)]);
            return missing;
        }
        let agreed = answer.agree(missing);
        if agreed == Truth::Unknown {
            watch.keep(&[(before_none, watch.mark(), false)]);
            if let Some(doubt) = doubt {
                watch.leaf(|| doubt);
            }
        }
        agreed
    }
}
