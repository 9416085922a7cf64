//! What every rendering says of suppressions, in the same words.

use crate::evaluate::{Location, Report, Suppression, SuppressionStatus};

use super::counts::counted;

/// Most places named of one suppression.
const PLACE_LIMIT: usize = 3;

/// How many answers suppressions keep from counting.
pub(super) fn count(report: &Report) -> usize {
    holding(report).map(Suppression::count).sum()
}

/// How many of them the pull request brings.
pub(super) fn introduced_count(report: &Report) -> usize {
    holding(report).filter(|suppression| suppression.is_introduced()).map(Suppression::count).sum()
}

/// The suppressions that keep something from counting.
pub(super) fn holding(report: &Report) -> impl Iterator<Item = &Suppression> {
    report.suppressions.iter().filter(|suppression| suppression.status == SuppressionStatus::Holds)
}

/// Why, and until when: `the old host (until 2027-01-31)`.
pub(super) fn why(suppression: &Suppression) -> String {
    let reason = suppression.reason.as_deref().unwrap_or("no reason given");
    match &suppression.until {
        Some(until) => format!("{reason} (until {until})"),
        None => reason.to_owned(),
    }
}

/// The policy, and what it is called where it is silenced: `aws-rds-encrypt-storage as CKV_AWS_16`.
pub(super) fn named(suppression: &Suppression) -> String {
    let policy = suppression.policy.as_str();
    if policy.split('/').next() == suppression.name.split('/').next() {
        return policy.to_owned();
    }
    format!("{policy} as {}", suppression.name)
}

/// What is suppressed, each with its resource and place, and how many are not named.
pub(super) fn what(suppression: &Suppression) -> (Vec<(&str, &Location)>, usize) {
    let violations = suppression.violations.iter().map(|violation| (violation.resource.as_str(), &violation.location));
    let undecided = suppression.undecided.iter().map(|undecided| (undecided.resource.as_str(), &undecided.location));
    let all: Vec<_> = violations.chain(undecided).take(PLACE_LIMIT).collect();
    let left = suppression.count().saturating_sub(all.len());
    (all, left)
}

/// What a suppression does that keeps nothing from counting.
pub(super) fn without_answers(suppression: &Suppression) -> &'static str {
    match suppression.status {
        SuppressionStatus::Refused => "not taken here, but part of the base once merged",
        SuppressionStatus::Holds => "silences part of an answer",
        SuppressionStatus::Unused | SuppressionStatus::Expired => "silences nothing yet",
    }
}

/// `1 answer`, `3 answers`, `nothing yet`; `part of an answer` where another one is needed too, which it counts for.
pub(super) fn silenced(suppression: &Suppression) -> String {
    match suppression.count() {
        0 if suppression.status == SuppressionStatus::Holds => "part of an answer".to_owned(),
        0 => "nothing yet".to_owned(),
        count => counted(count, "answer"),
    }
}
