//! The gate's answer to what was found, for each source and for all.

use crate::source_tree::TreePath;

use super::report::{Report, ReportedProblem, SourceReport, State, Undecided, Verdict, Violation};
use super::request::{OnUndecided, OnUnreadable, SourceScope};

/// What a report says before it is judged: not a pass.
pub(super) const UNJUDGED: Verdict = Verdict::Error;

/// Judges a review: the worst verdict of its sources wins. `touched` are the files of the head that may be
/// infrastructure-as-code and differ from the base.
pub(super) fn judge(report: &mut Report, sources: &[SourceScope], touched: &[&TreePath]) {
    report.sources = sources.iter().map(|source| judge_source(report, source, touched)).collect();
    let worst = report.sources.iter().map(|source| source.verdict).max().unwrap_or(Verdict::Pass);
    report.verdict = if report.errors.is_empty() { worst } else { Verdict::Error };
}

/// Judges a scan: a violation fails, an evaluation that went wrong is an error.
pub(super) fn judge_scan(report: &mut Report) {
    report.verdict = match (report.errors.is_empty(), report.violations.is_empty()) {
        (false, _) => Verdict::Error,
        (true, false) => Verdict::Fail,
        (true, true) => Verdict::Pass,
    };
}

fn judge_source(report: &Report, source: &SourceScope, touched: &[&TreePath]) -> SourceReport {
    let blocks = |violation: &&Violation| {
        violation.state == State::Introduced
            && violation.severity >= source.blocking
            && source.contains(&violation.location.path)
    };
    let is_hole = |problem: &&ReportedProblem| {
        source.on_unreadable == OnUnreadable::Block && problem.touched && source.contains(&problem.path)
    };
    let is_open = |undecided: &&Undecided| {
        undecided.state == State::Introduced
            && (undecided.blocks || source.on_undecided == OnUndecided::Block)
            && undecided.severity >= source.blocking
            && source.contains(&undecided.location.path)
    };
    let blocking_violations = report.violations.iter().filter(blocks).count();
    let blocking_problems = report.problems.iter().filter(is_hole).count();
    let blocking_undecided = report.undecided.iter().filter(is_open).count();
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
