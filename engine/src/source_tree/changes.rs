//! Which lines of a file differ from an earlier text of it.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput};

/// The lines (from 1, end exclusive) of `new` that were added or rewritten since `old`, in order.
#[must_use]
pub fn changed_lines(old: &str, new: &str) -> Vec<Range<u32>> {
    let input = InternedInput::new(old, new);
    let diff = Diff::compute(Algorithm::Histogram, &input);
    diff.hunks().map(|hunk| hunk.after.start + 1..hunk.after.end + 1).filter(|lines| !lines.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_and_rewritten_lines_are_changed_and_removed_ones_are_gone() {
        assert_eq!(changed_lines("a\nb\nc\nd\n", "a\nB\nd\ne\n"), [2..3, 4..5]);
        assert_eq!(changed_lines("a\nb\n", "a\n"), []);
        assert_eq!(changed_lines("", "a\nb\n").first(), Some(&(1..3)));
        assert_eq!(changed_lines("same\n", "same\n"), []);
    }
}
