//! A repository: its branches, its pull requests, its rules, its merge queue.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

use super::{AccountId, AppId, Pull, RepositoryId};
use crate::github_stand_in::git::Oid;

/// A repository.
#[derive(Clone, Debug)]
pub struct Repository {
    /// Its number.
    pub id: RepositoryId,
    /// Whose it is.
    pub owner: AccountId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Only for those with access.
    pub private: bool,
    /// The branch pull requests go into.
    pub default_branch: String,
    /// The repository it was forked from.
    pub fork_of: Option<RepositoryId>,
    /// Branches and the commits they are at, without `refs/heads/`.
    pub branches: BTreeMap<String, Oid>,
    /// Pull requests by number.
    pub pulls: BTreeMap<u64, Pull>,
    /// What must hold before something is merged.
    pub protections: Vec<Protection>,
    /// Pull requests waiting to be merged, in order.
    pub queue: Vec<QueueEntry>,
    /// Whether a push makes check suites.
    pub automatic_suites: bool,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was last pushed to.
    pub pushed_at: OffsetDateTime,
    /// Which object store it shares with its forks.
    pub(crate) network: usize,
    /// What readers still see while they lag behind.
    pub(crate) lag: Option<Lag>,
}

/// What must hold before something is merged into a branch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protection {
    /// The branch.
    pub branch: String,
    /// Checks that must have passed.
    pub required_checks: Vec<RequiredCheck>,
    /// The branch must have been merged into the pull request.
    pub must_be_up_to_date: bool,
    /// Merging is done by the queue alone.
    pub merge_queue: bool,
}

/// A check that must have passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredCheck {
    /// Its name.
    pub name: String,
    /// The App that must have set it; `None`: anyone.
    pub app: Option<AppId>,
}

/// A pull request in the merge queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueEntry {
    /// Its number.
    pub pull: u64,
    /// The branch it is to be merged into.
    pub base_branch: String,
    /// That branch, or the group before it, with nothing of this pull request.
    pub base: Oid,
    /// The commit that would become the branch.
    pub head: Oid,
    /// The branch made for it, `gh-readonly-queue/…`.
    pub branch: String,
}

/// What readers see until so many reads have been answered.
#[derive(Clone, Debug)]
pub(crate) struct Lag {
    pub(crate) reads_left: u32,
    pub(crate) branches: BTreeMap<String, Oid>,
    pub(crate) pulls: BTreeMap<u64, Pull>,
    pub(crate) unknown: BTreeSet<Oid>,
}

impl Repository {
    /// What holds for a branch.
    #[must_use]
    pub fn protection(&self, branch: &str) -> Option<&Protection> {
        self.protections.iter().find(|protection| protection.branch == branch)
    }

    /// The next number of a pull request.
    #[must_use]
    pub(crate) fn next_number(&self) -> u64 {
        self.pulls.keys().next_back().map_or(1, |last| last + 1)
    }
}
