//! What the comments of a Dockerfile silence. They stand on lines of their own; a builder takes what is behind an instruction
//! for a part of it.

use std::ops::Range;

use super::lines::Lines;
use crate::resource::{FileId, Resource};
use crate::source_tree::SourceFile;
use crate::suppressions::{self, Found, Outline, Reading};

pub(super) fn read(file: &SourceFile, id: FileId, lines: &Lines, resources: &[Resource]) -> Found {
    let text = file.text();
    if !suppressions::are_in(text) {
        return Found::default();
    }
    let instructions: Vec<Range<usize>> = lines.instructions.iter().map(|line| line.span.clone()).collect();
    let spans = resources.iter().map(|resource| resource.span.start as usize..resource.span.end as usize);
    let outline =
        Outline { parts: spans.chain(instructions.iter().cloned()).collect(), declarations: whole(text), instructions };
    let mut reading = Reading::new(file, id);
    reading.comments(&comments(text, lines), &outline);
    reading.finish()
}

/// For other tools the file is one thing.
fn whole(text: &str) -> Vec<Range<usize>> {
    std::iter::once(0..text.len()).collect()
}

/// The lines that are comments, also within an instruction; not those of here-documents.
fn comments(text: &str, lines: &Lines) -> Vec<Range<usize>> {
    let mut heredocs = lines.instructions.iter().flat_map(|line| &line.heredocs).map(|heredoc| heredoc.whole.clone());
    let mut heredoc = heredocs.next();
    let mut comments = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at + (line.len() - line.trim_start().len());
        at += line.len();
        while heredoc.as_ref().is_some_and(|heredoc| heredoc.end <= start) {
            heredoc = heredocs.next();
        }
        let is_text = heredoc.as_ref().is_some_and(|heredoc| heredoc.contains(&start));
        if line.trim_start().starts_with('#') && !is_text {
            comments.push(start..start + line.trim().len());
        }
    }
    comments
}

#[cfg(test)]
mod tests {
    use crate::formats::{Format, ReadOptions, Scope};
    use crate::source_tree::{SourceTree, TreePath};

    /// The name of each suppression of a Dockerfile and the first and last line it reaches.
    fn silenced(text: &str) -> Vec<(String, usize, usize)> {
        let path = TreePath::new("Dockerfile").unwrap();
        let tree = SourceTree::from_files([(path, text.as_bytes().to_vec())]);
        let format = super::super::Dockerfile;
        let plans = format.units(&tree, &Scope::All);
        let unit = format.read(&plans[0], &tree, &ReadOptions::default());
        let line = |at: u32| text[..at as usize].matches('\n').count() + 1;
        let one = |s: &crate::resource::Suppression| (s.name.to_string(), line(s.reach.start), line(s.reach.end - 1));
        unit.suppressions.iter().map(one).collect()
    }

    #[test]
    fn comments_reach_stages_instructions_and_the_file() {
        let text = "# portcullis:ignore a\nFROM x\n# portcullis:ignore b\nRUN y \\\n  # portcullis:ignore c\n  z\n\
            # hadolint ignore=DL3006\nFROM w\nRUN <<E\n# portcullis:ignore d\nE\n# hadolint global ignore=DL1\nUSER 1 # portcullis:ignore e\n\
            # checkov:skip=CKV_DOCKER_2\n";
        let found: Vec<_> = silenced(text);
        let found: Vec<(&str, usize, usize)> =
            found.iter().map(|(name, from, to)| (name.as_str(), *from, *to)).collect();
        let expected =
            [("a", 2, 6), ("b", 4, 6), ("c", 4, 6), ("DL3006", 8, 8), ("DL1", 1, 14), ("CKV_DOCKER_2", 1, 14)];
        assert_eq!(found, expected);
    }
}
