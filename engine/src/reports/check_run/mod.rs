//! The check run of a pull request: one line of verdict, a table, and per file what fails, why, and how to mend it.
//!
//! Everything that comes from a file, a name or a title goes through [`markdown`](super::markdown): it cannot leave its place.

mod annotations;
mod details;
mod summary;

use serde::{Deserialize, Serialize};

use crate::evaluate::{Report, Verdict};
use crate::source_tree::TreePath;

use super::markdown::plain;
pub(super) use details::{by_file, entry, notice_line, problem_line, suppression_line, undecided_line};

/// A check run's words, within a host's limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRun {
    /// One line of plain text.
    pub title: String,
    /// Markdown.
    pub summary: String,
    /// Markdown; empty when there is nothing to tell.
    pub text: String,
    /// Worst first.
    pub annotations: Vec<CheckRunAnnotation>,
}

/// A remark on a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRunAnnotation {
    /// The file.
    pub path: TreePath,
    /// First line, from 1.
    pub start_line: u32,
    /// Last line.
    pub end_line: u32,
    /// Whether it blocks the merge.
    pub blocking: bool,
    /// One line.
    pub title: String,
    /// Plain text.
    pub message: String,
}

/// What a host takes.
#[derive(Clone, Copy, Debug)]
pub struct CheckRunLimits {
    /// Longest summary, and longest text, in bytes.
    pub text_bytes: usize,
    /// Most annotations.
    pub annotations: usize,
}

/// The check run of a finished review.
#[must_use]
pub fn check_run(report: &Report, limits: &CheckRunLimits) -> CheckRun {
    let annotations = annotations::annotations(report, limits.annotations);
    CheckRun {
        title: summary::title(report),
        summary: summary::summary(report, limits.text_bytes),
        text: details::details(report, limits, annotations.left_out),
        annotations: annotations.shown,
    }
}

/// The check run while a review is at work.
#[must_use]
pub fn pending_check_run(files: Option<usize>) -> CheckRun {
    let title = match files {
        Some(files) => format!("Evaluating {}", super::counts::counted(files, "file")),
        None => "Evaluating".to_owned(),
    };
    let summary = "The infrastructure-as-code of this pull request is being evaluated.\n".to_owned();
    CheckRun { title, summary, text: String::new(), annotations: Vec::new() }
}

/// The check run of a review that could not be finished: never a pass.
#[must_use]
pub fn failed_check_run(reason: &str, next: &str) -> CheckRun {
    let summary = format!("**Not evaluated.** {}\n\n{}\n", plain(reason), plain(next));
    CheckRun { title: "Could not be evaluated".to_owned(), summary, text: String::new(), annotations: Vec::new() }
}

/// Whether a report says that there was nothing to look at.
fn is_untouched(report: &Report) -> bool {
    report.verdict == Verdict::Pass && report.sources.iter().all(|source| source.touched_files == 0)
}
