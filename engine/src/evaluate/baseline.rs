//! A scan against what is known already: only what is new counts.

use std::collections::BTreeSet;

use super::report::{Report, State, Verdict, Violation};

/// Violations whose fingerprint is known become existing and block nothing; the others are introduced.
pub fn against_baseline(report: &mut Report, known: &BTreeSet<String>) {
    for violation in &mut report.violations {
        let is_known = known.contains(&violation.fingerprint);
        violation.state = if is_known { State::Existing } else { State::Introduced };
        violation.blocking &= !is_known;
    }
    report.violations.sort_by_key(|violation| violation.state);
    let is_clean = report.verdict == Verdict::Fail && !report.violations.iter().any(Violation::is_new);
    if is_clean {
        report.verdict = Verdict::Pass;
    }
}

impl Violation {
    /// Whether it is there now and was not known before.
    #[must_use]
    pub fn is_new(&self) -> bool {
        matches!(self.state, State::Introduced | State::Found)
    }
}
