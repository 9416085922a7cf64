//! The difference of two texts as hunks with three lines of context, as git and GitHub show it.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput};

const CONTEXT_LINES: u32 = 3;

/// Git calls a file binary when a NUL is among its first bytes.
const BINARY_PROBE_BYTES: usize = 8000;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// In both texts.
    Context,
    /// In the new text alone.
    Added,
    /// In the old text alone.
    Removed,
}

/// A line of a hunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What became of it.
    pub kind: LineKind,
    /// Its number in the old text, from 1.
    pub old: Option<u32>,
    /// Its number in the new text, from 1.
    pub new: Option<u32>,
    /// The text without its break.
    pub text: String,
    /// It is the last line and has no break.
    pub without_break: bool,
}

/// Neighbouring changes with their context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// The lines of the old text, from 0.
    pub old: Range<u32>,
    /// The lines of the new text, from 0.
    pub new: Range<u32>,
    /// The nearest line above that names a section.
    pub section: String,
    /// The lines.
    pub lines: Vec<Line>,
}

/// The difference of two texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// In order.
    pub hunks: Vec<Hunk>,
    /// Lines added.
    pub additions: u32,
    /// Lines removed.
    pub deletions: u32,
}

/// Whether git would call a content binary.
pub(crate) fn is_binary(content: &[u8]) -> bool {
    content.iter().take(BINARY_PROBE_BYTES).any(|byte| *byte == 0)
}

/// The difference of two contents; `None` when either is binary.
pub(crate) fn patch(old: &[u8], new: &[u8]) -> Option<Patch> {
    if is_binary(old) || is_binary(new) {
        return None;
    }
    let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
    let input = InternedInput::new(&*old, &*new);
    let mut diff = Diff::compute(Algorithm::Myers, &input);
    diff.postprocess_lines(&input);
    let texts = Texts { old: old.split_inclusive('\n').collect(), new: new.split_inclusive('\n').collect() };
    let hunks = diff.hunks().map(|hunk| (hunk.before, hunk.after));
    Some(Patch {
        hunks: group(hunks.collect()).iter().map(|changes| texts.hunk(changes)).collect(),
        additions: diff.count_additions(),
        deletions: diff.count_removals(),
    })
}

type Edit = (Range<u32>, Range<u32>);

/// Changes whose contexts touch share a hunk.
fn group(edits: Vec<Edit>) -> Vec<Vec<Edit>> {
    let mut groups: Vec<Vec<Edit>> = Vec::new();
    for edit in edits {
        match groups.last_mut().and_then(|group| Some((group.last()?.0.end, group))) {
            Some((end, group)) if edit.0.start <= end + 2 * CONTEXT_LINES => group.push(edit),
            _ => groups.push(vec![edit]),
        }
    }
    groups
}

struct Texts<'a> {
    old: Vec<&'a str>,
    new: Vec<&'a str>,
}

impl Texts<'_> {
    fn hunk(&self, edits: &[Edit]) -> Hunk {
        let first = edits.first().cloned().unwrap_or_default();
        let last = edits.last().cloned().unwrap_or_default();
        let before = first.0.start.min(CONTEXT_LINES);
        let after = (self.old.len() as u32).saturating_sub(last.0.end).min(CONTEXT_LINES);
        let old = first.0.start - before..last.0.end + after;
        let new = first.1.start - before..last.1.end + after;
        let mut lines = Vec::new();
        let (mut at_old, mut at_new) = (old.start, new.start);
        for (removed, added) in edits {
            self.context(&mut lines, at_old..removed.start, at_new);
            lines.extend(removed.clone().map(|at| line(&self.old, LineKind::Removed, Some(at), None)));
            lines.extend(added.clone().map(|at| line(&self.new, LineKind::Added, None, Some(at))));
            (at_old, at_new) = (removed.end, added.end);
        }
        self.context(&mut lines, at_old..old.end, at_new);
        Hunk { section: self.section(old.start), old, new, lines }
    }

    fn context(&self, lines: &mut Vec<Line>, old: Range<u32>, new_start: u32) {
        let pairs = old.zip(new_start..);
        lines.extend(pairs.map(|(at, new)| line(&self.old, LineKind::Context, Some(at), Some(new))));
    }

    /// As git without a driver finds it: the nearest line above that begins with a letter, `_` or `$`, 80 bytes at most.
    fn section(&self, start: u32) -> String {
        let above = self.old.get(..start as usize).unwrap_or_default();
        let names = |line: &&&str| line.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '$');
        let found = above.iter().rev().find(names).map(|line| line.trim_end()).unwrap_or_default();
        let end = (0..=found.len().min(80)).rev().find(|at| found.is_char_boundary(*at)).unwrap_or_default();
        found.get(..end).unwrap_or_default().trim_end().to_owned()
    }
}

fn line(texts: &[&str], kind: LineKind, old: Option<u32>, new: Option<u32>) -> Line {
    let at = if kind == LineKind::Added { new } else { old };
    let whole = at.and_then(|at| texts.get(at as usize)).copied().unwrap_or_default();
    let text = whole.strip_suffix('\n').unwrap_or(whole);
    let without_break = text.len() == whole.len();
    Line { kind, old: old.map(|at| at + 1), new: new.map(|at| at + 1), text: text.to_owned(), without_break }
}

impl Hunk {
    /// `@@ -1,2 +3,4 @@ section`
    #[must_use]
    pub fn header(&self) -> String {
        let header = format!("@@ -{} +{} @@", side(&self.old), side(&self.new));
        if self.section.is_empty() { header } else { format!("{header} {}", self.section) }
    }
}

/// A length of one is left out, and an empty side names the line before it.
fn side(range: &Range<u32>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => format!("{}", range.start + 1),
        more => format!("{},{more}", range.start + 1),
    }
}

impl Patch {
    /// The hunks as text, as GitHub's `patch` field has them: no file header, no final break.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        for hunk in &self.hunks {
            lines.push(hunk.header());
            for line in &hunk.lines {
                let mark = match line.kind {
                    LineKind::Context => ' ',
                    LineKind::Added => '+',
                    LineKind::Removed => '-',
                };
                lines.push(format!("{mark}{}", line.text));
                if line.without_break {
                    lines.push("\\ No newline at end of file".to_owned());
                }
            }
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_has_three_lines_of_context_and_the_section_above() {
        let old = "fn a\n  1\n  2\n  3\n  4\n  5\n  6\n  7\n  8\n  9\n";
        let patch = patch(old.as_bytes(), old.replace("  6\n", "  six\n").as_bytes()).unwrap();
        assert_eq!(patch.text(), "@@ -4,7 +4,7 @@ fn a\n   3\n   4\n   5\n-  6\n+  six\n   7\n   8\n   9");
        assert_eq!((patch.additions, patch.deletions), (1, 1));
    }

    #[test]
    fn a_new_file_an_emptied_file_and_a_missing_break() {
        assert_eq!(patch(b"", b"a\nb").unwrap().text(), "@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file");
        assert_eq!(patch(b"a\n", b"").unwrap().text(), "@@ -1 +0,0 @@\n-a");
        assert_eq!(patch(b"a", b"a").unwrap().text(), "");
        assert_eq!(patch(b"a\0", b"b"), None);
    }

    #[test]
    fn changes_six_lines_apart_share_a_hunk_and_seven_do_not() {
        let numbered = |n: u32| (1..=n).map(|i| format!("{i}\n")).collect::<String>();
        let with = |text: &str, a: &str, b: &str| text.replacen(a, "x\n", 1).replacen(b, "y\n", 1);
        let old = numbered(20);
        let near = patch(old.as_bytes(), with(&old, "3\n", "\n10\n").as_bytes()).unwrap();
        assert_eq!(near.hunks.len(), 1);
        let far = patch(old.as_bytes(), with(&old, "3\n", "\n12\n").as_bytes()).unwrap();
        assert_eq!(far.hunks.len(), 2);
    }
}
