//! Three values: what is true, what is false, and what nobody can know.

use std::ops::Not;

/// Kleene's truth values, ordered `False < Unknown < True`, so that *and* is the least and *or* the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    False,
    Unknown,
    True,
}

impl Truth {
    pub(super) fn and(self, other: Self) -> Self {
        self.min(other)
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// What holds when either of two answers may be the right one.
    pub(super) fn agree(self, other: Self) -> Self {
        if self == other { self } else { Self::Unknown }
    }
}

impl Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

impl From<bool> for Truth {
    fn from(known: bool) -> Self {
        if known { Self::True } else { Self::False }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{False, True, Unknown};

    #[test]
    fn unknown_gives_way_only_to_what_decides() {
        assert_eq!(
            [Unknown.and(False), Unknown.and(True), Unknown.or(True), Unknown.or(False)],
            [False, Unknown, True, Unknown]
        );
        assert_eq!([!Unknown, !True, True.agree(True), True.agree(False)], [Unknown, False, True, Unknown]);
    }
}
