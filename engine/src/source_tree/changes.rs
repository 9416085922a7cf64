//! What differs between two commits: which files, by their blob ids, and which lines of a file, by its texts.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput};

use super::{Entry, TreePath};

/// The files that differ between two commits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Every path that only one of them has, or whose content differs.
    pub touched: BTreeSet<TreePath>,
    /// Files that moved without a change: from, to.
    pub renamed: Vec<(TreePath, TreePath)>,
}

/// Compares two complete listings by blob id. A file without one (of a working tree) counts as changed.
#[must_use]
pub fn changed_files(base: &[Entry], head: &[Entry]) -> Changes {
    let before: BTreeMap<&TreePath, &Entry> = base.iter().map(|entry| (&entry.path, entry)).collect();
    let after: BTreeMap<&TreePath, &Entry> = head.iter().map(|entry| (&entry.path, entry)).collect();
    let mut changes = Changes::default();
    let mut removed: BTreeMap<&str, Vec<&TreePath>> = BTreeMap::new();
    for (path, entry) in &before {
        let Some(blob) = entry.blob.as_deref() else { continue };
        if !after.contains_key(path) {
            removed.entry(blob).or_default().push(path);
        }
    }
    for (path, entry) in &after {
        match before.get(path) {
            Some(old) if old.blob.is_some() && old.blob == entry.blob && old.is_link == entry.is_link => continue,
            Some(_) => {}
            None => {
                let from = entry.blob.as_deref().and_then(|blob| removed.get_mut(blob)?.pop());
                changes.renamed.extend(from.map(|from| (from.clone(), (*path).clone())));
            }
        }
        changes.touched.insert((*path).clone());
    }
    changes.touched.extend(before.keys().filter(|path| !after.contains_key(*path)).map(|path| (*path).clone()));
    changes
}

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
    fn files_differ_by_content_and_moves_are_seen() {
        let entry = |path: &str, blob: &str| Entry {
            path: TreePath::new(path).unwrap(),
            blob: Some(blob.to_owned()),
            size_bytes: 1,
            is_link: path == "link",
        };
        let file = |path: &str, blob: &str| Entry { is_link: false, ..entry(path, blob) };
        let base =
            [entry("same", "1"), entry("edited", "2"), entry("old/name", "3"), entry("gone", "4"), file("link", "7")];
        let head =
            [entry("same", "1"), entry("edited", "5"), entry("new/name", "3"), entry("added", "6"), entry("link", "7")];
        let changes = changed_files(&base, &head);
        let touched: Vec<String> = changes.touched.iter().map(ToString::to_string).collect();
        assert_eq!(touched, ["added", "edited", "gone", "link", "new/name", "old/name"]);
        let renamed: Vec<_> = changes.renamed.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
        assert_eq!(renamed, [("old/name", "new/name")]);
    }

    #[test]
    fn added_and_rewritten_lines_are_changed_and_removed_ones_are_gone() {
        assert_eq!(changed_lines("a\nb\nc\nd\n", "a\nB\nd\ne\n"), [2..3, 4..5]);
        assert_eq!(changed_lines("a\nb\n", "a\n"), []);
        assert_eq!(changed_lines("", "a\nb\n").first(), Some(&(1..3)));
        assert_eq!(changed_lines("same\n", "same\n"), []);
    }
}
