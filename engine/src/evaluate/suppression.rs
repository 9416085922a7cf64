//! What a report says of suppressions: each with its reason, its end and what it keeps from counting; and what in a file was
//! meant to silence something and does not.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::policy::PolicyId;
use crate::resource::{Date, Tool};

use super::report::{Location, State, Suppressed, Undecided, Violation};
use super::silences::{Silence, end};

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

    /// Whether it does something, or will once it is merged, and nothing of it was there before.
    #[must_use]
    pub fn is_introduced(&self) -> bool {
        match self.status {
            SuppressionStatus::Holds | SuppressionStatus::Unused => self.state == State::Introduced,
            SuppressionStatus::Refused => true,
            SuppressionStatus::Expired => false,
        }
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
    /// By what: each of these is needed, and the first ends first.
    pub(super) by: Vec<Arc<Silence>>,
    /// Whether the base accepts it already.
    pub(super) is_accepted: bool,
}

impl Silenced {
    /// By these together, unless there are none.
    pub(super) fn by<'s>(silences: impl IntoIterator<Item = &'s Arc<Silence>>) -> Option<Self> {
        let mut by: Vec<Arc<Silence>> = Vec::new();
        for silence in silences {
            if !by.iter().any(|known| Arc::ptr_eq(known, silence)) {
                by.push(Arc::clone(silence));
            }
        }
        by.sort_by_key(|silence| end(silence.until));
        (!by.is_empty()).then_some(Self { by, is_accepted: false })
    }

    /// The last day on which all hold.
    pub(super) fn until(&self) -> Option<Date> {
        self.by.first().and_then(|silence| silence.until)
    }

    /// Whether it holds no longer than another answer was silenced, neither as a whole nor through any part of it.
    pub(super) fn ends_with(&self, other: &Self) -> bool {
        let is_known = |silence: &Arc<Silence>| other.by.iter().any(|known| silence.ends_with(known));
        end(self.until()) <= end(other.until()) && self.by.iter().all(is_known)
    }

    /// Those it is refused for: what the base does not have word for word, or all of them when it was only moved.
    pub(super) fn brought(self, known: &HashSet<*const Silence>) -> Vec<Arc<Silence>> {
        let is_new = |silence: &Arc<Silence>| !known.contains(&Arc::as_ptr(silence));
        let new: Vec<_> = self.by.iter().filter(|silence| is_new(silence)).cloned().collect();
        if new.is_empty() { self.by } else { new }
    }
}

/// A suppression as it is written, whatever it silences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stated {
    /// What it says.
    pub(super) silence: Arc<Silence>,
    /// Whether the base has it word for word.
    pub(super) is_accepted: bool,
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
        if let Some(Silenced { by, is_accepted }) = violation.silenced.take()
            && let Some(first) = entries(&mut all, &by, state(is_accepted))
        {
            first.violations.push(violation);
        }
    }
    for mut undecided in undecided {
        if let Some(Silenced { by, is_accepted }) = undecided.silenced.take()
            && let Some(first) = entries(&mut all, &by, state(is_accepted))
        {
            first.undecided.push(undecided);
        }
    }
    // What is not taken is told also where the same place keeps other answers from counting.
    for silence in refused {
        if !all.contains_key(&key(&silence, State::Introduced)) {
            entry(&mut all, &silence, State::Introduced).status = SuppressionStatus::Refused;
        }
    }
    // What silences nothing is listed once, and only where nothing of the same place does.
    for Stated { silence, is_accepted } in by {
        let is_known = all.range(key(&silence, State::Introduced)..=key(&silence, State::Fixed)).next().is_some();
        if !is_known {
            let status = match silence.is_expired {
                true => SuppressionStatus::Expired,
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

/// Lists all that silence one answer. It counts once, for the one that ends first, which is returned.
fn entries<'a>(
    all: &'a mut BTreeMap<Key, Suppression>,
    by: &[Arc<Silence>],
    state: State,
) -> Option<&'a mut Suppression> {
    for silence in by {
        entry(all, silence, state);
    }
    by.first().map(|first| entry(all, first, state))
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
