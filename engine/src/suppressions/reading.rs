//! The suppressions of one file: every comment and annotation asked of every notation, within limits.

use std::ops::Range;

use super::reach::{Outline, Reach};
use super::words::{lines, reason};
use super::{Mistake, NOTATIONS, Notation, Scope, Written};
use crate::resource::{FileId, Notice, Span, Suppression};
use crate::source_tree::SourceFile;

/// Most suppressions of one file.
const LIMIT: usize = 1_000;
/// Most mistakes that are told of one file.
const NOTICE_LIMIT: usize = 100;

/// What a file silences, and what in it was meant to.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// In the order they were read.
    pub suppressions: Vec<Suppression>,
    /// In the order they were read.
    pub notices: Vec<Notice>,
}

impl Found {
    /// Adds what another file silences.
    pub fn add(&mut self, mut other: Self) {
        self.suppressions.append(&mut other.suppressions);
        self.notices.append(&mut other.notices);
    }
}

/// A file being asked.
pub struct Reading<'f> {
    file: &'f SourceFile,
    id: FileId,
    found: Found,
    is_full: bool,
}

impl<'f> Reading<'f> {
    /// Begins with a file.
    #[must_use]
    pub fn new(file: &'f SourceFile, id: FileId) -> Self {
        Self { file, id, found: Found::default(), is_full: false }
    }

    /// Takes the comments of the file, in their order.
    pub fn comments(&mut self, comments: &[Range<usize>], outline: &Outline) {
        let mut reach = None;
        for comment in comments {
            for (place, line) in lines(self.file.text(), comment.clone()) {
                for notation in NOTATIONS {
                    for said in notation.in_comment(line) {
                        let span = Span::new(self.id, place.clone());
                        let reach = reach.get_or_insert_with(|| Reach::new(self.file, comments, outline));
                        match said {
                            Ok(written) => match reach.of(comment, written.scope) {
                                Some(range) => self.take(*notation, written, span, Span::new(self.id, range)),
                                None => self.nowhere(written.scope, span),
                            },
                            Err(mistake) => self.mistake(mistake, span),
                        }
                    }
                }
            }
        }
    }

    /// Takes an annotation of the object that lies at `declaration`.
    pub fn annotation(&mut self, key: &str, value: &str, span: Span, declaration: Span) {
        for notation in NOTATIONS {
            match notation.in_annotation(key, value) {
                Some(Ok(written)) => self.take(*notation, written, span, declaration),
                Some(Err(mistake)) => self.mistake(mistake, span),
                None => {}
            }
        }
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> Found {
        self.found
    }

    fn take(&mut self, notation: &dyn Notation, written: Written, span: Span, reach: Span) {
        let reason: std::sync::Arc<str> = reason(&written.reason).into();
        for name in written.names {
            if self.found.suppressions.len() >= LIMIT {
                return self.full(span);
            }
            self.found.suppressions.push(Suppression {
                tool: notation.tool(),
                name: name.into(),
                until: written.until,
                reason: std::sync::Arc::clone(&reason),
                span,
                reach,
            });
        }
    }

    /// A suppression that stands beside nothing. What other tools make of theirs is for them to say.
    fn nowhere(&mut self, scope: Scope, span: Span) {
        if scope == Scope::BesideOrAround {
            let mistake = Mistake {
                message: "the suppression stands beside nothing, so it silences nothing".to_owned(),
                remedy: "put it on the line before the block or attribute, or at the end of its line".to_owned(),
            };
            self.mistake(mistake, span);
        }
    }

    fn full(&mut self, span: Span) {
        if !self.is_full {
            self.is_full = true;
            let message =
                format!("the file has more than {LIMIT} suppressions; this one and those behind it do not hold");
            self.found.notices.push(Notice {
                span,
                message,
                remedy: "split the file, or mend what is silenced".to_owned(),
            });
        }
    }

    fn mistake(&mut self, mistake: Mistake, span: Span) {
        if self.found.notices.len() < NOTICE_LIMIT {
            let Mistake { message, remedy } = mistake;
            self.found.notices.push(Notice { span, message, remedy });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::resource::FileTable;
    use crate::source_tree::TreePath;

    fn read(text: &str) -> Found {
        let file = Arc::new(SourceFile::from_bytes(TreePath::new("a").unwrap(), text.as_bytes().to_vec()).unwrap());
        let mut reading = Reading::new(&file, FileTable::default().add(&file));
        let mut comments = Vec::new();
        let mut parts = Vec::new();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let range = at..at + line.trim_end().len();
            if line.starts_with('#') {
                comments.push(range)
            } else {
                parts.push(range)
            }
            at += line.len();
        }
        reading.comments(&comments, &Outline { parts, ..Outline::default() });
        reading.finish()
    }

    #[test]
    fn too_many_suppressions_are_said_once_with_the_figure() {
        let found = read(&"# portcullis:ignore a,b why\nx\n".repeat(600));
        assert_eq!((found.suppressions.len(), found.notices.len()), (1_000, 1));
        assert!(found.notices[0].message.contains("1000"), "{}", found.notices[0].message);
        let wrong = read(&"# portcullis:ignore *\nx\n".repeat(600));
        assert_eq!((wrong.suppressions.len(), wrong.notices.len()), (0, 100));
    }

    #[test]
    fn one_that_stands_beside_nothing_is_said_for_ours_alone() {
        assert_eq!(read("# portcullis:ignore a\n\nx\n").notices.len(), 1);
        assert_eq!(read("# trivy:ignore:AVD-AWS-1\n\nx\n").notices.len(), 0);
    }
}
