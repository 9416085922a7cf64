//! One file per rendering of a [`Report`](crate::evaluate::Report). A rendering asks nobody: everything it says is in the report.

mod check_run;
mod counts;
mod json;
mod markdown;
mod sarif;
mod text;

use crate::evaluate::Report;
use crate::policy::Catalogue;

pub use check_run::{CheckRun, CheckRunAnnotation, CheckRunLimits, check_run, failed_check_run, pending_check_run};

/// What a rendering may need beside the report.
#[derive(Clone, Copy)]
pub struct Context<'c> {
    /// The policies in force.
    pub catalogue: &'c Catalogue,
    /// Version of the program.
    pub version: &'c str,
    /// What to write before a path so that it can be opened: nothing, or `/`.
    pub prefix: &'c str,
    /// Width of the terminal in columns.
    pub width: usize,
    /// Whether colours and links may be used.
    pub color: bool,
}

/// A rendering as text.
pub trait Rendering: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// The whole text.
    fn render(&self, report: &Report, context: &Context<'_>) -> String;
}

/// Every rendering, in the order the help lists them.
pub static RENDERINGS: &[&dyn Rendering] = &[&text::Text, &json::Json, &sarif::Sarif];
