//! The merge gate: what GitHub would say about merging, from the rules of the branch and the newest checks of the head.
//!
//! It only looks; merging is done by `actions`.

use super::git::Oid;
use super::state::{
    AppId, CheckRun, CheckStatus, Conclusion, GitHub, Protection, Pull, PullId, PullState, RepositoryId, RequiredCheck,
    latest_by_name,
};

/// GitHub's word for whether a pull request can be merged (`mergeable_state`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeState {
    /// Yes.
    Clean,
    /// Yes, although a check that is not required failed.
    Unstable,
    /// No: something required is missing.
    Blocked,
    /// No: the branch must be brought up to date.
    Behind,
    /// No: it is a draft.
    Draft,
    /// No: there are conflicts.
    Dirty,
}

impl MergeState {
    /// GitHub's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Unstable => "unstable",
            Self::Blocked => "blocked",
            Self::Behind => "behind",
            Self::Draft => "draft",
            Self::Dirty => "dirty",
        }
    }

    /// Whether it may be merged.
    #[must_use]
    pub fn allows_merge(self) -> bool {
        matches!(self, Self::Clean | Self::Unstable)
    }
}

/// What stands between a pull request and its branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// In one word.
    pub state: MergeState,
    /// In sentences; empty when nothing does.
    pub reasons: Vec<String>,
    /// Each required check.
    pub required: Vec<RequiredState>,
}

/// How a required check stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredState {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
}

/// How a required check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It lets the merge through.
    Passed(Conclusion),
    /// It does not.
    Failed(Conclusion),
    /// It is not done.
    Pending(CheckStatus),
    /// Nobody has reported it.
    Missing,
    /// Someone else than the App it must come from has reported it.
    WrongApp {
        /// The App it must come from.
        expected: AppId,
    },
}

impl RequiredState {
    /// Whether it lets the merge through.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(self.standing, Standing::Passed(_))
    }

    /// It will not pass any more without something being done.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.standing, Standing::Failed(_))
    }

    /// Why it does not, in a sentence; `None` when it does.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        let name = &self.name;
        match self.standing {
            Standing::Passed(_) => None,
            Standing::Failed(conclusion) => Some(format!("required check “{name}” ended with {}", conclusion.as_str())),
            Standing::Pending(status) => {
                Some(format!("required check “{name}” is {}", status.as_str().replace('_', " ")))
            }
            Standing::Missing => Some(format!("required check “{name}” is expected and has not been reported")),
            Standing::WrongApp { expected } => {
                Some(format!("required check “{name}” was not set by the expected GitHub App ({expected})"))
            }
        }
    }
}

impl GitHub {
    /// What stands between a pull request and its branch; `None` when there is no such pull request.
    #[must_use]
    pub fn mergeable(&self, id: PullId) -> Option<Gate> {
        Some(self.gate(self.pull(id)?))
    }

    pub(crate) fn gate(&self, pull: &Pull) -> Gate {
        let protection = self.repository(pull.id.repository).and_then(|home| home.protection(&pull.base_branch));
        let required = self.required_of(pull, protection);
        let mut reasons: Vec<String> = required.iter().filter_map(RequiredState::reason).collect();
        let behind = self.is_behind(pull, protection);
        let state = if !pull.conflicts.is_empty() || pull.test_merge.is_none() {
            reasons.insert(0, format!("conflicts with {} in {}", pull.base_branch, pull.conflicts.join(", ")));
            MergeState::Dirty
        } else if pull.draft {
            reasons.insert(0, "the pull request is still a draft".to_owned());
            MergeState::Draft
        } else if !reasons.is_empty() {
            MergeState::Blocked
        } else if behind {
            reasons.push(format!("the branch is out of date with {}", pull.base_branch));
            MergeState::Behind
        } else if self.has_failed_check(pull) {
            MergeState::Unstable
        } else {
            MergeState::Clean
        };
        if pull.state == PullState::Closed {
            reasons.insert(0, "the pull request is closed".to_owned());
            return Gate { state: MergeState::Blocked, reasons, required };
        }
        Gate { state, reasons, required }
    }

    /// The checks of the test merge count if it has any of that name, else those of the newest commit of the branch.
    fn required_of(&self, pull: &Pull, protection: Option<&Protection>) -> Vec<RequiredState> {
        let checks = protection.map(|protection| protection.required_checks.as_slice()).unwrap_or_default();
        let commit_for = |check: &RequiredCheck| {
            let reported =
                |oid: &Oid| self.check_runs(pull.id.repository, *oid).iter().any(|run| run.name == check.name);
            pull.test_merge.filter(reported).unwrap_or(pull.head)
        };
        checks.iter().map(|check| self.required_state(pull.id.repository, commit_for(check), check)).collect()
    }

    /// How a required check stands on a commit: of the runs of its name the newest counts.
    pub(crate) fn required_state(&self, repository: RepositoryId, commit: Oid, check: &RequiredCheck) -> RequiredState {
        let mut runs = self.check_runs(repository, commit);
        runs.retain(|run| run.name == check.name);
        let from = |run: &&&CheckRun| check.app.is_none_or(|app| run.app == app);
        let standing = match (runs.iter().filter(from).max_by_key(|run| run.id), check.app) {
            (Some(run), _) => standing(run),
            (None, Some(expected)) if !runs.is_empty() => Standing::WrongApp { expected },
            (None, _) => Standing::Missing,
        };
        RequiredState { name: check.name.clone(), standing }
    }

    fn is_behind(&self, pull: &Pull, protection: Option<&Protection>) -> bool {
        if !protection.is_some_and(|protection| protection.must_be_up_to_date) {
            return false;
        }
        let tip = self.branch(pull.id.repository, &pull.base_branch);
        let objects = self.objects(pull.id.repository);
        let (Some(tip), Some(objects)) = (tip, objects) else { return false };
        super::git::merge_base(objects, tip, pull.head) != Some(tip)
    }

    fn has_failed_check(&self, pull: &Pull) -> bool {
        let runs = self.check_runs(pull.id.repository, pull.head);
        latest_by_name(&runs).iter().any(|run| run.conclusion.is_some_and(|conclusion| !conclusion.passes()))
    }
}

fn standing(run: &CheckRun) -> Standing {
    match run.conclusion {
        None => Standing::Pending(run.status),
        Some(conclusion) if conclusion.passes() => Standing::Passed(conclusion),
        Some(conclusion) => Standing::Failed(conclusion),
    }
}
