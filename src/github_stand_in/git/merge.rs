//! Three-way merges of trees, line by line where both sides changed a text, as `git merge` does without conflicts.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bytes::Bytes;
use imara_diff::{Algorithm, Diff, InternedInput};
use portcullis_engine::source_tree::TreePath;

use super::{FileEntry, ObjectStore, Oid, is_binary};

/// The root folder that has the changes of both sides since `base`; the paths in conflict otherwise.
pub(crate) fn merge_trees(store: &mut ObjectStore, base: Oid, ours: Oid, theirs: Oid) -> Result<Oid, Vec<TreePath>> {
    let (base, ours, theirs) = (store.files(base), store.files(ours), store.files(theirs));
    let paths: BTreeSet<&TreePath> = base.keys().chain(ours.keys()).chain(theirs.keys()).collect();
    let mut merged: BTreeMap<TreePath, FileEntry> = BTreeMap::new();
    let mut conflicts = Vec::new();
    for path in paths {
        match merge_file(store, base.get(path), ours.get(path), theirs.get(path)) {
            Ok(Some(file)) => drop(merged.insert(path.clone(), file)),
            Ok(None) => {}
            Err(Conflict) => conflicts.push(path.clone()),
        }
    }
    if conflicts.is_empty() { Ok(store.put_files(&merged)) } else { Err(conflicts) }
}

struct Conflict;

fn merge_file(
    store: &mut ObjectStore,
    base: Option<&FileEntry>,
    ours: Option<&FileEntry>,
    theirs: Option<&FileEntry>,
) -> Result<Option<FileEntry>, Conflict> {
    if ours == theirs || base == theirs {
        return Ok(ours.copied());
    }
    if base == ours {
        return Ok(theirs.copied());
    }
    let (Some(base), Some(ours), Some(theirs)) = (base, ours, theirs) else { return Err(Conflict) };
    let mode = if base.mode == ours.mode { theirs.mode } else { ours.mode };
    let text = |file: &FileEntry| store.blob(file.oid).filter(|content| !is_binary(content)).cloned().ok_or(Conflict);
    let merged = merge_texts(&text(base)?, &text(ours)?, &text(theirs)?)?;
    Ok(Some(FileEntry { mode, oid: store.put_blob(Bytes::from(merged)) }))
}

struct Edit<'a> {
    base: Range<usize>,
    lines: &'a [&'a [u8]],
}

fn merge_texts(base: &[u8], ours: &[u8], theirs: &[u8]) -> Result<Vec<u8>, Conflict> {
    let (base_lines, our_lines, their_lines) = (lines(base), lines(ours), lines(theirs));
    let mut edits = edits(base, ours, &our_lines);
    for edit in self::edits(base, theirs, &their_lines) {
        let same = |other: &Edit<'_>| other.base == edit.base && other.lines == edit.lines;
        if edits.iter().any(same) {
            continue;
        }
        // Changes that touch are a conflict too: git cannot tell which comes first.
        if edits.iter().any(|other| edit.base.start <= other.base.end && other.base.start <= edit.base.end) {
            return Err(Conflict);
        }
        edits.push(edit);
    }
    edits.sort_by_key(|edit| edit.base.start);
    let mut merged = Vec::new();
    let mut at = 0;
    for edit in &edits {
        merged.extend(base_lines.get(at..edit.base.start).unwrap_or_default().concat());
        merged.extend(edit.lines.concat());
        at = edit.base.end;
    }
    merged.extend(base_lines.get(at..).unwrap_or_default().concat());
    Ok(merged)
}

fn lines(content: &[u8]) -> Vec<&[u8]> {
    content.split_inclusive(|byte| *byte == b'\n').collect()
}

fn edits<'a>(base: &[u8], side: &[u8], side_lines: &'a [&'a [u8]]) -> Vec<Edit<'a>> {
    let input = InternedInput::new(base, side);
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_no_heuristic(&input);
    let edit = |hunk: imara_diff::Hunk| Edit {
        base: hunk.before.start as usize..hunk.before.end as usize,
        lines: side_lines.get(hunk.after.start as usize..hunk.after.end as usize).unwrap_or_default(),
    };
    diff.hunks().map(edit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(base: &str, ours: &str, theirs: &str) -> Option<String> {
        let merged = merge_texts(base.as_bytes(), ours.as_bytes(), theirs.as_bytes()).ok()?;
        Some(String::from_utf8(merged).unwrap())
    }

    #[test]
    fn changes_apart_are_joined_and_equal_ones_taken_once() {
        let base = "1\n2\n3\n4\n5\n";
        assert_eq!(merged(base, "one\n2\n3\n4\n5\n", "1\n2\n3\n4\nfive\n").as_deref(), Some("one\n2\n3\n4\nfive\n"));
        assert_eq!(merged(base, "1\n3\n4\n5\n", "1\n3\n4\n5\nsix\n").as_deref(), Some("1\n3\n4\n5\nsix\n"));
    }

    #[test]
    fn changes_of_one_place_conflict() {
        let base = "1\n2\n3\n";
        assert_eq!(merged(base, "1\ntwo\n3\n", "1\nzwei\n3\n"), None);
        assert_eq!(merged(base, "1\ntwo\n3\n", "1\n2\ndrei\n"), None, "touching lines");
    }
}
