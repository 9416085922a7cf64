//! One file per rendering of a [`Report`](crate::evaluate::Report). A rendering asks nobody: everything it says is in the report.

mod check_run;
mod counts;
mod csv;
mod explanation;
mod github;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod page;
mod sarif;
mod suppressed;
mod terminal;
mod text;

use crate::evaluate::Report;
use crate::policy::Catalogue;
use crate::source_tree::TreePath;

pub use check_run::{CheckRun, CheckRunAnnotation, CheckRunLimits, check_run, failed_check_run, pending_check_run};
pub use explanation::explanation;
pub use markdown::{code as markdown_code, plain as markdown_text};
pub use terminal::Terminal;

/// What a rendering may need beside the report.
#[derive(Clone, Copy)]
pub struct Context<'c> {
    /// The policies in force.
    pub catalogue: &'c Catalogue,
    /// Version of the program.
    pub version: &'c str,
    /// What to write before a path so that it can be opened: nothing, or `/`.
    pub prefix: &'c str,
    /// What the reader's terminal can show.
    pub terminal: Terminal<'c>,
    /// Whether text says everything there is, however long it becomes.
    pub in_full: bool,
    /// Whether text lists what is suppressed one by one, not only how much.
    pub shows_suppressed: bool,
}

impl Context<'_> {
    /// A path as it can be opened.
    fn shown(&self, path: &TreePath) -> String {
        format!("{}{path}", self.prefix)
    }
}

/// A rendering as text.
pub trait Rendering: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// What the name of a file with it ends with.
    fn extension(&self) -> &'static str;

    /// The whole text.
    fn render(&self, report: &Report, context: &Context<'_>) -> String;
}

/// Every rendering, in the order the help lists them.
#[rustfmt::skip]
pub static RENDERINGS: &[&dyn Rendering] = &[
    &text::Text,
    &json::Json,
    &sarif::Sarif,
    &junit::Junit,
    &gitlab::GitLab,
    &github::GitHub,
    &page::MarkdownPage,
    &csv::Csv,
];
