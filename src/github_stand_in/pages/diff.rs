//! A pull request's files as a page shows them: hunks, and remarks at their lines.

use crate::github_stand_in::git::{Change, ChangeKind, LineKind, ObjectStore, Oid, Patch};
use crate::github_stand_in::state::Annotation;

/// Lines shown above and below a remark outside the hunks.
const EXCERPT_LINES: u32 = 3;
/// Rows of one file that a page shows.
const ROW_LIMIT: usize = 2000;

/// A file with its hunks and remarks.
pub(super) struct FileView {
    pub(super) path: String,
    pub(super) previous_path: Option<String>,
    pub(super) kind: &'static str,
    pub(super) additions: u32,
    pub(super) deletions: u32,
    /// Five squares: how much of the change is added, how much removed.
    pub(super) squares: [&'static str; 5],
    pub(super) blocks: Vec<Block>,
    /// Why no lines are shown.
    pub(super) instead: Option<&'static str>,
    pub(super) is_open: bool,
}

/// A hunk, or an excerpt around a remark.
pub(super) struct Block {
    pub(super) header: String,
    pub(super) rows: Vec<Row>,
}

/// A line.
pub(super) struct Row {
    pub(super) class: &'static str,
    pub(super) mark: &'static str,
    pub(super) old: Option<u32>,
    pub(super) new: Option<u32>,
    pub(super) text: String,
    pub(super) remarks: Vec<Remark>,
}

/// An annotation below its last line.
pub(super) struct Remark {
    pub(super) level: &'static str,
    pub(super) title: Option<String>,
    pub(super) message: String,
    pub(super) raw_details: Option<String>,
    pub(super) place: String,
}

fn remark(annotation: &Annotation) -> Remark {
    let lines = match (annotation.start_line, annotation.end_line) {
        (start, end) if start == end => format!("line {start}"),
        (start, end) => format!("lines {start} to {end}"),
    };
    Remark {
        level: annotation.level.as_str(),
        title: annotation.title.clone(),
        message: annotation.message.clone(),
        raw_details: annotation.raw_details.clone(),
        place: lines,
    }
}

/// The changed files, each with the remarks about it.
pub(super) fn changed_files(
    objects: &ObjectStore,
    changes: &[(Change, Option<Patch>)],
    annotations: &[Annotation],
) -> Vec<FileView> {
    changes.iter().map(|(change, patch)| changed_file(objects, change, patch.as_ref(), annotations)).collect()
}

fn changed_file(objects: &ObjectStore, change: &Change, patch: Option<&Patch>, annotations: &[Annotation]) -> FileView {
    let path = change.path.as_str();
    let mut left: Vec<&Annotation> = annotations.iter().filter(|annotation| annotation.path == path).collect();
    let has_remarks = !left.is_empty();
    let (additions, deletions) = patch.map_or((0, 0), |patch| (patch.additions, patch.deletions));
    let mut blocks: Vec<Block> = patch.map(|patch| hunks(patch, &mut left)).unwrap_or_default();
    if let Some(after) = change.after {
        blocks.extend(excerpts(objects, after.oid, &left));
    }
    let instead = match patch {
        None => Some("Binary file"),
        Some(patch) if patch.hunks.is_empty() && change.kind == ChangeKind::Renamed => Some("Moved without a change"),
        Some(patch) if patch.hunks.is_empty() => Some("Empty file"),
        Some(_) => None,
    };
    FileView {
        path: path.to_owned(),
        previous_path: change.previous_path.as_ref().map(|path| path.as_str().to_owned()),
        kind: change.kind.as_str(),
        additions,
        deletions,
        squares: squares(additions, deletions),
        is_open: has_remarks || blocks.iter().map(|block| block.rows.len()).sum::<usize>() <= 400,
        blocks,
        instead,
    }
}

fn hunks(patch: &Patch, left: &mut Vec<&Annotation>) -> Vec<Block> {
    let mut budget = ROW_LIMIT;
    let mut blocks = Vec::new();
    for hunk in &patch.hunks {
        let shown = hunk.lines.len().min(budget);
        budget -= shown;
        let rows = hunk.lines.iter().take(shown).map(|line| {
            let (class, mark) = match line.kind {
                LineKind::Context => ("context", " "),
                LineKind::Added => ("added", "+"),
                LineKind::Removed => ("removed", "-"),
            };
            let remarks = line.new.map(|new| take_remarks(left, new)).unwrap_or_default();
            Row { class, mark, old: line.old, new: line.new, text: line.text.clone(), remarks }
        });
        blocks.push(Block { rows: rows.collect(), header: hunk.header() });
    }
    blocks
}

/// The remarks whose last line this is; they are shown here and nowhere else.
fn take_remarks(left: &mut Vec<&Annotation>, line: u32) -> Vec<Remark> {
    let (here, elsewhere): (Vec<_>, Vec<_>) = left.drain(..).partition(|annotation| annotation.end_line == line);
    *left = elsewhere;
    here.into_iter().map(remark).collect()
}

/// The files with remarks that the pull request does not change.
pub(super) fn other_files(
    objects: &ObjectStore,
    root: Oid,
    changes: &[(Change, Option<Patch>)],
    annotations: &[Annotation],
) -> Vec<FileView> {
    let changed = |path: &str| changes.iter().any(|(change, _)| change.path.as_str() == path);
    let mut paths: Vec<&str> = annotations.iter().map(|annotation| annotation.path.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    paths.retain(|path| !changed(path));
    let view = |path: &str| {
        let of_file: Vec<&Annotation> = annotations.iter().filter(|annotation| annotation.path == path).collect();
        let entry = objects.entry_at(root, path);
        FileView {
            path: path.to_owned(),
            previous_path: None,
            kind: "unchanged",
            additions: 0,
            deletions: 0,
            squares: squares(0, 0),
            blocks: entry.map(|entry| excerpts(objects, entry.oid, &of_file)).unwrap_or_default(),
            instead: None,
            is_open: true,
        }
    };
    paths.into_iter().map(view).collect()
}

/// The lines around remarks that no hunk shows; remarks that are near each other share an excerpt.
fn excerpts(objects: &ObjectStore, blob: Oid, annotations: &[&Annotation]) -> Vec<Block> {
    let content = objects.blob(blob).map(|content| String::from_utf8_lossy(content).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = content.lines().collect();
    let mut left = annotations.to_vec();
    left.sort_by_key(|annotation| (annotation.end_line, annotation.start_line));
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for annotation in &left {
        let start =
            annotation.start_line.max(annotation.end_line.saturating_sub(20)).saturating_sub(EXCERPT_LINES).max(1);
        let end = annotation.end_line.saturating_add(EXCERPT_LINES);
        match ranges.last_mut().filter(|(_, last)| start <= last.saturating_add(1)) {
            Some((_, last)) => *last = end.max(*last),
            None => ranges.push((start, end)),
        }
    }
    let block = |(start, end): (u32, u32)| {
        // A remark beyond the end of the file is shown at its end.
        let end_shown = end.min(lines.len() as u32).max(1);
        let mut rows: Vec<Row> = (start.min(end_shown)..=end_shown)
            .map(|number| {
                let text = lines.get(number as usize - 1).copied().unwrap_or_default().to_owned();
                let remarks = take_remarks(&mut left, number);
                Row { class: "context", mark: " ", old: None, new: Some(number), text, remarks }
            })
            .collect();
        if end > lines.len() as u32
            && let Some(last) = rows.last_mut()
        {
            last.remarks.extend(left.drain(..).map(remark));
        }
        Block { header: format!("Lines {} to {end_shown}, not changed here", start.min(end_shown)), rows }
    };
    ranges.into_iter().map(block).collect()
}

fn squares(additions: u32, deletions: u32) -> [&'static str; 5] {
    let total = additions + deletions;
    let (green, red) = match total {
        0 => (0, 0),
        total if total <= 5 => (additions, deletions),
        total => {
            let green = (u64::from(additions) * 5 / u64::from(total)) as u32;
            let red = (u64::from(deletions) * 5 / u64::from(total)) as u32;
            (green.max(additions.min(1)), red.max(deletions.min(1)))
        }
    };
    std::array::from_fn(|at| match at as u32 {
        at if at < green => "added",
        at if at < green + red => "removed",
        _ => "none",
    })
}
