//! What changed from one tree to another, with renames found as git finds them: same content, or at least half of it.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use portcullis_engine::source_tree::TreePath;

use super::{FileEntry, Mode, ObjectStore, Oid, Patch, patch};

/// Above this many pairs only files of the same content are matched, as git does (`diff.renameLimit` 1000 squared).
const RENAME_PAIR_LIMIT: usize = 1_000_000;

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its content or mode changed.
    Modified,
    /// It has another path, and perhaps another content.
    Renamed,
}

impl ChangeKind {
    /// GitHub's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Modified => "modified",
            Self::Renamed => "renamed",
        }
    }
}

/// A changed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// Its path now; the old one when it is gone.
    pub path: TreePath,
    /// The path it had.
    pub previous_path: Option<TreePath>,
    /// What it was.
    pub before: Option<FileEntry>,
    /// What it is.
    pub after: Option<FileEntry>,
}

/// The changes from one root folder (`None`: nothing at all) to another, by path.
pub(crate) fn changes(store: &ObjectStore, before: Option<Oid>, after: Oid) -> Vec<Change> {
    let before = before.map(|root| store.files(root)).unwrap_or_default();
    let after = store.files(after);
    let mut found = Vec::new();
    let mut gone: BTreeMap<&TreePath, FileEntry> = BTreeMap::new();
    let mut new: BTreeMap<&TreePath, FileEntry> = BTreeMap::new();
    for (path, file) in &before {
        match after.get(path) {
            None => drop(gone.insert(path, *file)),
            Some(now) if now != file => found.push(change(ChangeKind::Modified, path, None, Some(*file), Some(*now))),
            Some(_) => {}
        }
    }
    new.extend(after.iter().filter(|(path, _)| !before.contains_key(*path)).map(|(path, file)| (path, *file)));
    for (from, to) in renames(store, &gone, &new) {
        let (file, now) = (gone.remove(&from), new.remove(&to));
        found.push(change(ChangeKind::Renamed, &to, Some(from), file, now));
    }
    found.extend(gone.iter().map(|(path, file)| change(ChangeKind::Removed, path, None, Some(*file), None)));
    found.extend(new.iter().map(|(path, file)| change(ChangeKind::Added, path, None, None, Some(*file))));
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn change(
    kind: ChangeKind,
    path: &TreePath,
    previous_path: Option<TreePath>,
    before: Option<FileEntry>,
    after: Option<FileEntry>,
) -> Change {
    Change { kind, path: path.clone(), previous_path, before, after }
}

/// Pairs of old and new path, the most alike first, each path once.
fn renames(
    store: &ObjectStore,
    gone: &BTreeMap<&TreePath, FileEntry>,
    new: &BTreeMap<&TreePath, FileEntry>,
) -> Vec<(TreePath, TreePath)> {
    let inexact = gone.len().saturating_mul(new.len()) <= RENAME_PAIR_LIMIT;
    let mut pairs: Vec<(u32, &TreePath, &TreePath)> = Vec::new();
    for (from, file) in gone {
        for (to, now) in new {
            let percent = match (file.oid == now.oid, inexact) {
                (true, _) => 100,
                (false, true) => likeness(store, *file, *now),
                (false, false) => 0,
            };
            if percent >= 50 {
                pairs.push((percent, from, to));
            }
        }
    }
    pairs.sort_by_key(|(percent, from, to)| (u32::MAX - percent, from.file_name() != to.file_name(), *from, *to));
    let mut taken: Vec<(TreePath, TreePath)> = Vec::new();
    for (_, from, to) in pairs {
        if !taken.iter().any(|(a, b)| a == from || b == to) {
            taken.push((from.clone(), to.clone()));
        }
    }
    taken
}

/// How much of the larger file, in percent of its bytes, is lines of the other.
fn likeness(store: &ObjectStore, one: FileEntry, other: FileEntry) -> u32 {
    let plain = |mode| matches!(mode, Mode::File | Mode::Executable);
    if !plain(one.mode) || !plain(other.mode) {
        return 0;
    }
    let (Some(one), Some(other)) = (store.blob(one.oid), store.blob(other.oid)) else { return 0 };
    let mut lines: HashMap<&[u8], usize> = HashMap::new();
    for line in one.split_inclusive(|byte| *byte == b'\n') {
        *lines.entry(line).or_default() += 1;
    }
    let mut common = 0;
    for line in other.split_inclusive(|byte| *byte == b'\n') {
        if let Some(left) = lines.get_mut(line).filter(|left| **left > 0) {
            *left -= 1;
            common += line.len();
        }
    }
    (common * 100 / one.len().max(other.len()).max(1)) as u32
}

/// The patch of a change; `None` when a side is binary or no blob.
pub(crate) fn patch_of(store: &ObjectStore, change: &Change) -> Option<Patch> {
    let content = |side: Option<FileEntry>| match side {
        None => Some(Bytes::new()),
        Some(file) if file.mode == Mode::Submodule => Some(Bytes::from(format!("Subproject commit {}\n", file.oid))),
        Some(file) => store.blob(file.oid).cloned(),
    };
    patch(&content(change.before)?, &content(change.after)?)
}
