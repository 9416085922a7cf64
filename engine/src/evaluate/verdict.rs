//! The gate's answer to what was found, for each source and for all.

use crate::source_tree::TreePath;

use super::report::{Report, ReportedProblem, SourceReport, State, Undecided, Verdict, Violation};
use super::request::{OnUndecided, OnUnreadable, SourceScope};

/// What a report says before it is judged: not a pass.
pub(super) const UNJUDGED: Verdict = Verdict::Error;

/// Judges a review: the worst verdict of its sources wins. `touched` are the infrastructure-as-code files
/// that differ between head and base.
pub(super) fn judge(report: &mut Report, sources: &[SourceScope], touched: &[&TreePath]) {
    for source in sources {
        let judged = judge_source(report, source, touched);
        report.sources.push(judged);
    }
    let worst = report.sources.iter().map(|source| source.verdict).max().unwrap_or(Verdict::Pass);
    report.verdict = if report.errors.is_empty() { worst } else { Verdict::Error };
}

/// Judges a scan: a violation fails, an evaluation that went wrong is an error.
pub(super) fn judge_scan(report: &mut Report) {
    for violation in &mut report.violations {
        violation.blocking = true;
    }
    report.verdict = match (report.errors.is_empty(), report.violations.is_empty()) {
        (false, _) => Verdict::Error,
        (true, false) => Verdict::Fail,
        (true, true) => Verdict::Pass,
    };
}

/// Marks what blocks a source, and counts it.
fn judge_source(report: &mut Report, source: &SourceScope, touched: &[&TreePath]) -> SourceReport {
    let mut blocking_violations = 0;
    for violation in report.violations.iter_mut().filter(|violation| violation_blocks(violation, source)) {
        violation.blocking = true;
        blocking_violations += 1;
    }
    let mut blocking_problems = 0;
    for problem in report.problems.iter_mut().filter(|problem| problem_blocks(problem, source)) {
        problem.blocking = true;
        blocking_problems += 1;
    }
    let mut blocking_undecided = 0;
    for undecided in report.undecided.iter_mut().filter(|undecided| undecided_blocks(undecided, source)) {
        undecided.blocking = true;
        blocking_undecided += 1;
    }
    let is_free = blocking_violations + blocking_problems + blocking_undecided == 0;
    SourceReport {
        name: source.name.clone(),
        verdict: if is_free { Verdict::Pass } else { Verdict::Fail },
        blocking: source.blocking,
        blocking_violations,
        blocking_problems,
        blocking_undecided,
        touched_files: touched.iter().filter(|path| source.contains(path)).count(),
    }
}

fn violation_blocks(violation: &Violation, source: &SourceScope) -> bool {
    violation.state == State::Introduced
        && violation.severity >= source.blocking
        && source.contains(&violation.location.path)
}

fn problem_blocks(problem: &ReportedProblem, source: &SourceScope) -> bool {
    source.on_unreadable == OnUnreadable::Block && problem.touched && source.contains(&problem.path)
}

fn undecided_blocks(undecided: &Undecided, source: &SourceScope) -> bool {
    undecided.state == State::Introduced
        && (undecided.blocks || source.on_undecided == OnUndecided::Block)
        && undecided.severity >= source.blocking
        && source.contains(&undecided.location.path)
}
