//! How many of what: the figures every rendering shows.

use crate::evaluate::{Report, State};
use crate::policy::Severity;

/// Number of violations of a severity in a state; several addresses of one place count each.
pub(super) fn violations(report: &Report, severity: Severity, state: State) -> usize {
    let of = report.violations.iter().filter(|v| v.severity == severity && v.state == state);
    of.map(|violation| 1 + violation.also.len()).sum()
}

/// Number of violations in a state.
pub(super) fn in_state(report: &Report, state: State) -> usize {
    Severity::WORST_FIRST.into_iter().map(|severity| violations(report, severity, state)).sum()
}

/// `1 file`, `2 files`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    let plural = match noun {
        "policy" => "policies",
        _ => "",
    };
    match (count, plural) {
        (1, _) => format!("1 {noun}"),
        (_, "") => format!("{count} {noun}s"),
        (_, plural) => format!("{count} {plural}"),
    }
}

/// `1 critical, 2 high`: the severities of a state that occur, worst first.
pub(super) fn by_severity(report: &Report, state: State) -> String {
    let counts = Severity::WORST_FIRST.into_iter().map(|severity| (violations(report, severity, state), severity));
    let words: Vec<String> =
        counts.filter(|(count, _)| *count > 0).map(|(count, severity)| format!("{count} {severity}")).collect();
    words.join(", ")
}

/// `0.4 s`, `12 ms`.
pub(super) fn duration(elapsed_ms: u64) -> String {
    if elapsed_ms < 1_000 { format!("{elapsed_ms} ms") } else { format!("{:.1} s", elapsed_ms as f64 / 1_000.0) }
}

/// `4 files, 12 resources and 27 policies in 0.4 s`.
pub(super) fn looked_at(report: &Report) -> String {
    let coverage = &report.coverage;
    let files = counted(coverage.files, "file");
    let resources = counted(coverage.resources, "resource");
    let policies = counted(coverage.policies, "policy");
    let time = coverage.elapsed_ms.map(|elapsed| format!(" in {}", duration(elapsed))).unwrap_or_default();
    format!("{files}, {resources} and {policies}{time}")
}
