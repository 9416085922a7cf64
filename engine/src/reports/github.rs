//! Workflow commands: printed in a GitHub Actions job, each becomes a remark on its line.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>

use std::fmt::Write as _;

use crate::evaluate::{Location, Report};
use crate::policy::Severity;
use crate::source_tree::TreePath;

use super::{Context, Rendering, suppressed};

pub(super) struct GitHub;

impl Rendering for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn extension(&self) -> &'static str {
        "github.txt"
    }

    fn render(&self, report: &Report, context: &Context<'_>) -> String {
        let mut text = String::new();
        for violation in report.violations.iter().filter(|violation| violation.is_new()) {
            let title = report.title(&violation.policy);
            let remediation = report.remediation(&violation.policy);
            let words = format!("{}: {}\n{remediation}", violation.resource, violation.message);
            let level = match violation.severity {
                Severity::Critical | Severity::High => "error",
                Severity::Medium => "warning",
                Severity::Low => "notice",
            };
            let title = format!("{title} ({})", violation.policy);
            command(&mut text, context, level, (&violation.location.path, Some(&violation.location)), &title, &words);
        }
        for notice in &report.notices {
            let words = format!("{}\n{}", notice.message, notice.remedy);
            let place = (&notice.location.path, Some(&notice.location));
            command(&mut text, context, "warning", place, "Suppression without effect", &words);
        }
        for suppression in suppressed::holding(report) {
            let words = format!("{}: {}", suppressed::silenced(suppression), suppressed::why(suppression));
            let title = format!("Suppressed ({})", suppressed::named(suppression));
            let place = (&suppression.location.path, Some(&suppression.location));
            command(&mut text, context, "notice", place, &title, &words);
        }
        for problem in &report.problems {
            let words = format!("{}\n{}", problem.message, problem.remedy);
            let place = (&problem.path, problem.location.as_ref());
            command(&mut text, context, "error", place, "Cannot be read", &words);
        }
        text
    }
}

fn command(
    text: &mut String,
    context: &Context<'_>,
    level: &str,
    (path, location): (&TreePath, Option<&Location>),
    title: &str,
    words: &str,
) {
    let _ = write!(text, "::{level} file={}", property(&context.shown(path)));
    if let Some(at) = location {
        let _ = write!(text, ",line={},endLine={}", at.start.line, at.end.line.max(at.start.line));
        if at.start.line == at.end.line {
            let _ = write!(text, ",col={},endColumn={}", at.start.column, at.end.column);
        }
    }
    let _ = writeln!(text, ",title={}::{}", property(title), data(words));
}

/// A value that ends at the end of its line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value that also ends at a comma or colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
