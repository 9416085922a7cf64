//! The gate's answer to what was found, for each source and for all.

use crate::resource::ProblemKind;
use crate::source_tree::TreePath;

use super::report::{Location, Report, ReportedProblem, SourceReport, State, Step, Undecided, Verdict, Violation};
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
        && lies_in(source, [Some(&violation.location), violation.used_at.as_ref()], &violation.origins)
}

fn problem_blocks(problem: &ReportedProblem, source: &SourceScope) -> bool {
    let is_limit = problem.kind == ProblemKind::Limit;
    source.on_unreadable == OnUnreadable::Block
        && problem.touched
        && (source.contains(&problem.path) || is_limit && source.concerns(&problem.unit))
}

fn undecided_blocks(undecided: &Undecided, source: &SourceScope) -> bool {
    undecided.state == State::Introduced
        && (undecided.blocks || source.on_undecided == OnUndecided::Block)
        && undecided.severity >= source.blocking
        && lies_in(source, [Some(&undecided.location), undecided.cause.as_ref()], &undecided.origins)
}

/// Whether any link of a chain lies in a source: a module's resource is its caller's doing too.
fn lies_in(source: &SourceScope, places: [Option<&Location>; 2], origins: &[Step]) -> bool {
    let mut places = places.into_iter().flatten().chain(origins.iter().map(|step| &step.location));
    places.any(|place| source.contains(&place.path))
}
