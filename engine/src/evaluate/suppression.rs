//! What a report says of suppressions: each with its reason, its end and what it keeps from counting; and what in a file was
//! meant to silence something and does not.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::policy::PolicyId;
use crate::resource::Tool;

use super::report::{Location, State, Suppressed, Undecided, Violation};
use super::silences::Silence;

/// A policy silenced at a place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// The policy.
    pub policy: PolicyId,
    /// Whose notation it is written in.
    pub tool: Tool,
    /// The policy as it is named there.
    pub name: String,
    /// Why, if somebody says.
    pub reason: Option<String>,
    /// The last day on which it holds, as `2027-01-31`.
    pub until: Option<String>,
    /// Where it is written.
    pub location: Location,
    /// What it does.
    pub status: SuppressionStatus,
    /// Whether the base accepts what it silences already.
    pub state: State,
    /// What does not count because of it.
    pub violations: Vec<Violation>,
    /// What is not asked any more because of it.
    pub undecided: Vec<Undecided>,
}

impl Suppression {
    /// How many answers it keeps from counting; several addresses of one place count each.
    #[must_use]
    pub fn count(&self) -> usize {
        self.violations.iter().map(|violation| 1 + violation.also.len()).sum::<usize>() + self.undecided.len()
    }

    /// Whether it does something, and nothing of it was there before.
    #[must_use]
    pub fn is_introduced(&self) -> bool {
        matches!(self.status, SuppressionStatus::Holds | SuppressionStatus::Unused) && self.state == State::Introduced
    }
}

/// What a suppression does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionStatus {
    /// It keeps something from counting.
    Holds,
    /// The pull request brings it, and a source only takes those of its base.
    Refused,
    /// Its last day is over.
    Expired,
    /// There is nothing for it to silence.
    Unused,
}

/// Why a violation counts although a suppression is written for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lapse {
    /// Why.
    pub kind: LapseKind,
    /// The suppression.
    pub location: Location,
    /// In words: `the suppression in line 3 expired on 2026-01-31`.
    pub message: String,
}

/// Why a suppression does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LapseKind {
    /// Its last day is over.
    Expired,
    /// The pull request brings it, and a source only takes those of its base.
    Refused,
}

impl Lapse {
    pub(super) fn expired(silence: &Silence) -> Self {
        let location = silence.location.clone();
        let until = silence.until.map(|until| until.to_string()).unwrap_or_default();
        let message = format!("the suppression in line {} expired on {until}", location.start.line);
        Self { kind: LapseKind::Expired, location, message }
    }

    pub(super) fn refused(silence: &Silence) -> Self {
        let location = silence.location.clone();
        let message = format!(
            "the suppression in line {} comes with this pull request, and only those of the base branch are taken here",
            location.start.line
        );
        Self { kind: LapseKind::Refused, location, message }
    }
}

/// Something in a file that does not do what its author meant, though everything was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReportedNotice {
    /// The place.
    pub location: Location,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// That an answer is silenced; known while reports are made and compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Silenced {
    /// By what.
    pub(super) by: Arc<Silence>,
    /// Whether the base accepts it already.
    pub(super) is_accepted: bool,
}

impl Silenced {
    pub(super) fn by(silence: &Arc<Silence>) -> Self {
        Self { by: Arc::clone(silence), is_accepted: false }
    }
}

/// What suppressions of one place and policy do in all units that read the file, in the order of their places. Answers that the
/// base accepts and those it does not are told apart; in a scan nobody asks.
pub(super) fn listed(suppressed: Suppressed, is_review: bool) -> Vec<Suppression> {
    let Suppressed { violations, undecided, by, refused } = suppressed;
    let mut all: BTreeMap<Key, Suppression> = BTreeMap::new();
    let state = |is_accepted: bool| match (is_review, is_accepted) {
        (false, _) => State::Found,
        (true, true) => State::Existing,
        (true, false) => State::Introduced,
    };
    for mut violation in violations {
        if let Some(Silenced { by, is_accepted }) = violation.silenced.take() {
            entry(&mut all, &by, state(is_accepted)).violations.push(violation);
        }
    }
    for mut undecided in undecided {
        if let Some(Silenced { by, is_accepted }) = undecided.silenced.take() {
            entry(&mut all, &by, state(is_accepted)).undecided.push(undecided);
        }
    }
    // What silences nothing is listed once, and only where nothing of the same place does.
    for Silenced { by: silence, is_accepted } in by {
        let is_known = all.range(key(&silence, State::Introduced)..=key(&silence, State::Fixed)).next().is_some();
        if !is_known {
            let status = match silence.is_expired {
                true => SuppressionStatus::Expired,
                false if refused.contains(&silence) => SuppressionStatus::Refused,
                false => SuppressionStatus::Unused,
            };
            entry(&mut all, &silence, state(is_accepted)).status = status;
        }
    }
    all.into_values().collect()
}

/// The place, the policy and what it is called there, and how it stands to the base.
type Key = (Location, PolicyId, Arc<str>, State);

fn key(silence: &Silence, state: State) -> Key {
    (silence.location.clone(), silence.policy.clone(), Arc::clone(&silence.name), state)
}

fn entry<'a>(all: &'a mut BTreeMap<Key, Suppression>, silence: &Silence, state: State) -> &'a mut Suppression {
    all.entry(key(silence, state)).or_insert_with(|| Suppression {
        policy: silence.policy.clone(),
        tool: silence.tool,
        name: silence.name.to_string(),
        reason: Some(silence.reason.to_string()).filter(|reason| !reason.is_empty()),
        until: silence.until.map(|until| until.to_string()),
        location: silence.location.clone(),
        status: SuppressionStatus::Holds,
        state,
        violations: Vec::new(),
        undecided: Vec::new(),
    })
}
