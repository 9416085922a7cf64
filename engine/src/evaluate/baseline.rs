//! A scan against what is known already: only what is new counts.

use std::collections::BTreeSet;

use super::report::{Address, Report, State, Verdict, Violation};

/// Violations whose fingerprint is known become existing and block nothing; the others are introduced.
pub fn against_baseline(report: &mut Report, known: &BTreeSet<String>) {
    let split = std::mem::take(&mut report.violations).into_iter().flat_map(|violation| by_knowledge(violation, known));
    report.violations = split.collect();
    report.violations.sort_by_key(|violation| violation.state);
    let is_clean = report.verdict == Verdict::Fail && !report.violations.iter().any(Violation::is_new);
    if is_clean {
        report.verdict = Verdict::Pass;
    }
}

/// A violation of several resources, apart into those that are known and those that are not.
fn by_knowledge(violation: Violation, known: &BTreeSet<String>) -> impl Iterator<Item = Violation> {
    let all = violation.addresses().map(|(resource, fingerprint)| (resource.to_owned(), fingerprint.to_owned()));
    let (old, new): (Vec<_>, Vec<_>) = all.partition(|(_, fingerprint)| known.contains(fingerprint));
    let of = move |addresses: Vec<(String, String)>, state: State| {
        let mut addresses = addresses.into_iter();
        let (resource, fingerprint) = addresses.next()?;
        let also = addresses.map(|(resource, fingerprint)| Address { resource, fingerprint }).collect();
        let blocking = violation.blocking && state == State::Introduced;
        Some(Violation { resource, fingerprint, also, state, blocking, ..violation.clone() })
    };
    [of(new, State::Introduced), of(old, State::Existing)].into_iter().flatten()
}

impl Violation {
    /// Whether it is there now and was not known before.
    #[must_use]
    pub fn is_new(&self) -> bool {
        matches!(self.state, State::Introduced | State::Found)
    }
}
