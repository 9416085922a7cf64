//! Remarks on the lines of a pull request: what it introduces, worst first.

use crate::evaluate::{Location, Report, ReportedProblem, State, Suppression, SuppressionStatus, Violation};
use crate::reports::suppressed;

use super::CheckRunAnnotation;

/// Longest title, in characters: GitHub's limit.
const TITLE_LIMIT: usize = 255;
/// Longest message, in bytes: well below GitHub's 64 KB.
const MESSAGE_LIMIT_BYTES: usize = 4_000;

/// The annotations, and how many there was no room for.
pub(super) struct Annotations {
    pub(super) shown: Vec<CheckRunAnnotation>,
    pub(super) left_out: usize,
}

/// The introduced violations and unreadable places; those that block first. The report's violations are sorted already.
pub(super) fn annotations(report: &Report, limit: usize) -> Annotations {
    let problems = report.problems.iter().filter(|problem| problem.touched).map(of_problem);
    let introduced = report.violations.iter().filter(|violation| violation.state == State::Introduced);
    let mut all: Vec<CheckRunAnnotation> =
        problems.chain(introduced.map(|violation| of_violation(violation, report))).collect();
    let brought = report.suppressions.iter().filter(|suppression| suppression.is_introduced());
    all.extend(brought.map(|suppression| of_suppression(suppression, report)));
    all.sort_by_key(|annotation| !annotation.blocking);
    let left_out = all.len().saturating_sub(limit);
    all.truncate(limit);
    Annotations { shown: all, left_out }
}

fn of_violation(violation: &Violation, report: &Report) -> CheckRunAnnotation {
    let title = report.title(&violation.policy);
    let mut message = format!("{}\n{}: {}", violation.policy, violation.resource, violation.message);
    if let Some(metadata) = report.policies.get(&violation.policy) {
        message.push_str(&format!("\n\n{}\n\nFix: {}", metadata.description, metadata.remediation));
    }
    if let Some(suggestion) = &violation.suggestion {
        message.push_str(&format!("\n\n{suggestion}"));
    }
    let (start_line, end_line) = lines(&violation.location);
    CheckRunAnnotation {
        path: violation.location.path.clone(),
        start_line,
        end_line,
        blocking: violation.blocking,
        title: title.chars().take(TITLE_LIMIT).collect(),
        message: cut_bytes(message),
    }
}

/// A suppression the pull request brings: whoever approves the change sees what it lets pass.
fn of_suppression(suppression: &Suppression, report: &Report) -> CheckRunAnnotation {
    let title = report.title(&suppression.policy);
    let (start_line, end_line) = lines(&suppression.location);
    let (verb, what) = match suppression.status {
        SuppressionStatus::Refused => ("Not suppressed", suppressed::without_answers(suppression).to_owned()),
        _ => ("Suppressed", format!("{} suppressed by this pull request", suppressed::silenced(suppression))),
    };
    let message = format!("{}\n{what}: {}", suppressed::named(suppression), suppressed::why(suppression));
    CheckRunAnnotation {
        path: suppression.location.path.clone(),
        start_line,
        end_line,
        blocking: false,
        title: format!("{verb}: {title}").chars().take(TITLE_LIMIT).collect(),
        message: cut_bytes(message),
    }
}

fn of_problem(problem: &ReportedProblem) -> CheckRunAnnotation {
    let (start_line, end_line) = problem.location.as_ref().map_or((1, 1), lines);
    CheckRunAnnotation {
        path: problem.path.clone(),
        start_line,
        end_line,
        blocking: problem.blocking,
        title: "Cannot be read".to_owned(),
        message: cut_bytes(format!("{}\n\nFix: {}", problem.message, problem.remedy)),
    }
}

/// The lines to mark: a place that spans a whole block is marked where it begins.
fn lines(location: &Location) -> (u32, u32) {
    let is_short = location.end.line - location.start.line <= 3;
    (location.start.line, if is_short { location.end.line } else { location.start.line })
}

fn cut_bytes(mut text: String) -> String {
    if text.len() > MESSAGE_LIMIT_BYTES {
        let end = (0..=MESSAGE_LIMIT_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}
