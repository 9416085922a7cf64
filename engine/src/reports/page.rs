//! A Markdown page, for job summaries and comments: worst first, by file, with reason and fix.

use crate::evaluate::{Report, State};
use crate::policy::Severity;

use super::check_run::{by_file, entry, notice_line, problem_line, suppression_line, undecided_line};
use super::counts::{counted, in_state, looked_at, violations};
use super::markdown::{Page, code, plain};
use super::{Context, Rendering, suppressed};

pub(super) struct MarkdownPage;

/// GitHub takes job summaries up to 1 MiB, in bytes.
const LIMIT_BYTES: usize = 1_000_000;
/// Room kept for saying what was left out, in bytes.
const CLOSING_BYTES: usize = 1_000;

impl Rendering for MarkdownPage {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn extension(&self) -> &'static str {
        "md"
    }

    fn render(&self, report: &Report, _: &Context<'_>) -> String {
        let mut page = Page::new(LIMIT_BYTES);
        page.add(&head(report), CLOSING_BYTES);
        let new: Vec<_> = report.violations.iter().filter(|violation| violation.is_new()).collect();
        let mut shown = 0;
        for (path, of_file) in by_file(&new) {
            if !page.add(&format!("### {}\n\n", code(path)), CLOSING_BYTES) {
                break;
            }
            shown += of_file.iter().filter(|violation| page.add(&entry(violation, report), CLOSING_BYTES)).count();
        }
        if shown < new.len() {
            page.close(&format!("{} more violations are not listed here.\n\n", new.len() - shown));
        }
        section(&mut page, "Cannot be read", report.problems.iter().map(problem_line));
        section(&mut page, "Undecided", report.undecided.iter().map(undecided_line));
        let suppressed: Vec<_> = suppressed::holding(report).map(suppression_line).collect();
        section(&mut page, &format!("{} suppressed", suppressed::count(report)), suppressed.into_iter());
        section(&mut page, "Suppressions without effect", report.notices.iter().map(notice_line));
        page.into_text()
    }
}

fn head(report: &Report) -> String {
    let found = in_state(report, State::Found) + in_state(report, State::Introduced);
    let mut text = match found {
        0 => "## No violations\n\n".to_owned(),
        found => format!("## {}\n\n", counted(found, "violation")),
    };
    let count = |severity| violations(report, severity, State::Found) + violations(report, severity, State::Introduced);
    if found > 0 {
        text.push_str("| Severity | Violations |\n| --- | ---: |\n");
        for severity in Severity::WORST_FIRST {
            text.push_str(&format!("| {severity} | {} |\n", count(severity)));
        }
        text.push('\n');
    }
    let existing = in_state(report, State::Existing);
    if existing > 0 {
        text.push_str(&format!("{} of the baseline not listed. ", counted(existing, "violation")));
    }
    let suppressed = suppressed::count(report);
    if suppressed > 0 {
        text.push_str(&format!("{} suppressed. ", counted(suppressed, "answer")));
    }
    text.push_str(&format!("Looked at {}.\n\n", looked_at(report)));
    for error in &report.errors {
        text.push_str(&format!("**Error:** {}\n\n", plain(error)));
    }
    text
}

fn section(page: &mut Page, title: &str, lines: impl ExactSizeIterator<Item = String>) {
    let count = lines.len();
    if count == 0 || !page.add(&format!("### {title}\n\n"), CLOSING_BYTES) {
        return;
    }
    let shown = lines.filter(|line| page.add(line, CLOSING_BYTES)).count();
    if shown < count {
        page.close(&format!("- and {} more\n", count - shown));
    }
    page.close("\n");
}
