//! The verdict in one line, and the figures behind it.

use std::fmt::Write as _;

use crate::evaluate::{Report, SourceReport, State, Verdict};
use crate::policy::Severity;
use crate::reports::counts::{by_severity, counted, in_state, looked_at, violations};
use crate::reports::markdown::{Page, plain};
use crate::reports::suppressed;

use super::is_untouched;

/// Most sources listed one by one.
const SOURCE_LIMIT: usize = 50;
/// Most resource types without a policy listed by name.
const TYPE_LIMIT: usize = 12;

pub(super) fn title(report: &Report) -> String {
    if report.verdict == Verdict::Error {
        return "Could not be evaluated".to_owned();
    }
    if is_untouched(report) {
        return "Nothing to check: no infrastructure-as-code is touched".to_owned();
    }
    let introduced = in_state(report, State::Introduced);
    let fixed = in_state(report, State::Fixed);
    let unreadable = report.problems.iter().filter(|problem| problem.blocking).count();
    let undecided = report.undecided.iter().filter(|undecided| undecided.blocking).count();
    let mut parts = Vec::new();
    if introduced > 0 {
        parts.push(format!(
            "{} introduced: {}",
            counted(introduced, "violation"),
            by_severity(report, State::Introduced)
        ));
    }
    if unreadable > 0 {
        parts.push(format!("{} cannot be read", counted(unreadable, "place")));
    }
    if undecided > 0 {
        parts.push(format!("{} undecided", counted(undecided, "policy")));
    }
    if parts.is_empty() {
        parts.push("No violation introduced".to_owned());
    }
    let suppressed = suppressed::introduced_count(report);
    if suppressed > 0 {
        parts.push(format!("{suppressed} suppressed"));
    }
    if fixed > 0 {
        parts.push(format!("{fixed} fixed"));
    }
    parts.join(", ")
}

pub(super) fn summary(report: &Report, limit_bytes: usize) -> String {
    let mut page = Page::new(limit_bytes);
    page.add(&format!("{}\n\n", verdict_line(report)), 0);
    for error in report.errors.iter().take(10) {
        page.add(&format!("- {}\n", plain(error)), 0);
    }
    if !is_untouched(report) {
        page.add(&table(report), 0);
        page.add(&sources(&report.sources), 0);
    }
    page.add(&format!("Looked at {}.\n", looked_at(report)), 0);
    page.add(&decisions(report), 0);
    page.add(&holes(report), 0);
    page.into_text()
}

fn verdict_line(report: &Report) -> String {
    let blocking: Vec<Severity> = report.sources.iter().map(|source| source.blocking).collect();
    let level = match blocking.as_slice() {
        [] => "any severity".to_owned(),
        [first, rest @ ..] if rest.iter().all(|other| other == first) => format!("**{first}** or worse"),
        _ => "its source's severity or worse".to_owned(),
    };
    match report.verdict {
        Verdict::Error => "**Not evaluated.** Something went wrong; this is no pass:".to_owned(),
        Verdict::Pass if is_untouched(report) => {
            "**Passed.** This pull request touches no infrastructure-as-code in the folders under watch.".to_owned()
        }
        Verdict::Pass => format!("**Passed.** This pull request introduces no violation that is {level}."),
        Verdict::Fail => {
            let count = |of: fn(&SourceReport) -> usize| report.sources.iter().map(of).max().unwrap_or_default();
            let reasons = [
                (count(|source| source.blocking_violations), "introduces", "violation", format!(" ({level})")),
                (count(|source| source.blocking_problems), "leaves", "unreadable place", String::new()),
                (count(|source| source.blocking_undecided), "leaves", "undecided answer", String::new()),
            ];
            let reasons = reasons.into_iter().filter(|(count, ..)| *count > 0);
            let words: Vec<String> =
                reasons.map(|(count, verb, noun, note)| format!("{verb} {}{note}", counted(count, noun))).collect();
            format!("**Blocked.** This pull request {}.", words.join(" and "))
        }
    }
}

/// What the author of the change decided alone, so that whoever approves it sees it first.
fn decisions(report: &Report) -> String {
    let brought = report.suppressions.iter().filter(|suppression| suppression.is_introduced()).count();
    match brought {
        0 => String::new(),
        1 => "\nThis pull request brings a suppression, or changes what one covers; see the details.\n".to_owned(),
        count => {
            format!("\nThis pull request brings {count} suppressions, or changes what they cover; see the details.\n")
        }
    }
}

fn table(report: &Report) -> String {
    let mut table = String::from("| Severity | Introduced | Existing | Fixed |\n| --- | ---: | ---: | ---: |\n");
    for severity in Severity::WORST_FIRST {
        let count = |state| violations(report, severity, state);
        let (introduced, existing, fixed) = (count(State::Introduced), count(State::Existing), count(State::Fixed));
        let _ = writeln!(table, "| {severity} | {introduced} | {existing} | {fixed} |");
    }
    let undecided = |state| report.undecided.iter().filter(|undecided| undecided.state == state).count();
    let (new, old) = (undecided(State::Introduced), undecided(State::Existing));
    if new + old > 0 {
        let _ = writeln!(table, "| undecided | {new} | {old} | |");
    }
    let (all, new) = (suppressed::count(report), suppressed::introduced_count(report));
    if all > 0 {
        let _ = writeln!(table, "| suppressed | {new} | {} | |", all - new);
    }
    if !report.problems.is_empty() {
        let touched = report.problems.iter().filter(|problem| problem.touched).count();
        let _ = writeln!(table, "| unreadable | {touched} | {} | |", report.problems.len() - touched);
    }
    table.push('\n');
    table
}

/// One row for each source when several match; one needs no table.
fn sources(sources: &[SourceReport]) -> String {
    if sources.len() < 2 {
        return String::new();
    }
    let mut table = String::from("| Source | Verdict | Blocks from | Blocking |\n| --- | --- | --- | ---: |\n");
    for source in sources.iter().take(SOURCE_LIMIT) {
        let verdict = match source.verdict {
            _ if source.touched_files == 0 => "nothing to check",
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Error => "error",
        };
        let blocking = source.blocking_violations + source.blocking_problems + source.blocking_undecided;
        let _ = writeln!(table, "| {} | {verdict} | {} | {blocking} |", plain(&source.name), source.blocking);
    }
    if sources.len() > SOURCE_LIMIT {
        let _ = writeln!(table, "| and {} more | | | |", sources.len() - SOURCE_LIMIT);
    }
    table.push('\n');
    table
}

/// What was not looked at, so that nobody takes silence for a pass.
fn holes(report: &Report) -> String {
    let mut text = String::new();
    let uncovered = &report.coverage.uncovered;
    if !uncovered.is_empty() {
        let resources: usize = uncovered.values().sum();
        let mut names: Vec<String> = uncovered.keys().take(TYPE_LIMIT).map(|name| plain(name)).collect();
        if uncovered.len() > TYPE_LIMIT {
            names.push(format!("{} more types", uncovered.len() - TYPE_LIMIT));
        }
        let _ = writeln!(text, "\nNo policy speaks of {}: {}.", counted(resources, "resource"), names.join(", "));
    }
    if !report.unevaluated.is_empty() {
        let _ = writeln!(text, "\n{} not evaluated, see the details.", counted(report.unevaluated.len(), "file"));
    }
    text
}
