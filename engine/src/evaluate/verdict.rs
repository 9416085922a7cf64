//! The gate's answer to what was found, for each source and for all.

use crate::resource::ProblemKind;
use crate::source_tree::TreePath;

use super::report::{Location, Report, ReportedProblem, SourceReport, State, Undecided, Verdict, Violation};
use super::request::{OnUndecided, OnUnreadable, SourceScope, SuppressionsTaken};
use super::suppression::{LapseKind, Silenced};

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

/// Whether one of the sources that an answer lies in takes only suppressions that the base has.
pub(super) fn refuses(sources: &[SourceScope], silenced: &Silenced, places: &[&Location]) -> bool {
    let is_strict = |source: &&SourceScope| source.suppressions == SuppressionsTaken::Base;
    !silenced.is_accepted && sources.iter().filter(is_strict).any(|source| lies_in(source, places))
}

impl Violation {
    /// Every link of its chain: a module's resource is its caller's doing too.
    pub(super) fn places(&self) -> Vec<&Location> {
        let own = [&self.location].into_iter().chain(&self.used_at);
        own.chain(self.origins.iter().map(|step| &step.location)).collect()
    }
}

impl Undecided {
    /// Every link of its chain.
    pub(super) fn places(&self) -> Vec<&Location> {
        let own = [&self.location].into_iter().chain(&self.cause);
        own.chain(self.origins.iter().map(|step| &step.location)).collect()
    }
}

fn violation_blocks(violation: &Violation, source: &SourceScope) -> bool {
    // What only another source does not let pass is no hindrance to this one.
    let is_passed = violation.lapse.as_ref().is_some_and(|lapse| lapse.kind == LapseKind::Refused)
        && source.suppressions == SuppressionsTaken::Allow;
    violation.state == State::Introduced
        && !is_passed
        && violation.severity >= source.blocking
        && lies_in(source, &violation.places())
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
        && lies_in(source, &undecided.places())
}

/// Whether any link of a chain lies in a source.
fn lies_in(source: &SourceScope, places: &[&Location]) -> bool {
    places.iter().any(|place| source.contains(&place.path))
}
