//! What a delivery means.

use serde::{Deserialize, Serialize};

use super::{Access, BranchName, CommitSha, Repository};

/// The decoded meaning of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A pull request changed.
    PullRequest(PullRequestEvent),
    /// A branch moved to a new commit.
    Push {
        /// Where.
        repository: Repository,
        /// Which branch.
        branch: BranchName,
        /// Its tip before; absent for a new branch.
        before: Option<CommitSha>,
        /// Its tip now; absent for a deleted branch.
        after: Option<CommitSha>,
    },
    /// Somebody asked for our check of a commit again.
    CheckRerequested {
        /// Where.
        repository: Repository,
        /// The commit.
        head: CommitSha,
        /// The pull requests the host names; empty for those from forks.
        pull_requests: Vec<u64>,
    },
    /// A merge queue wants its group checked.
    MergeGroupRequested(MergeGroup),
    /// A merge group is gone: merged, invalidated or taken out.
    MergeGroupDestroyed(MergeGroup),
    /// The connection to an account changed.
    Installation {
        /// Which connection.
        access: Access,
        /// The account's name.
        account: String,
        /// What happened.
        change: InstallationChange,
    },
    /// The host tests the endpoint.
    Ping,
    /// Nothing for us; what it was, for the log.
    Ignored {
        /// `event.action`.
        what: String,
    },
}

/// A change of a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequestEvent {
    /// The repository it wants to be merged into.
    pub repository: Repository,
    /// Its number.
    pub number: u64,
    /// What happened.
    pub action: PullRequestAction,
    /// The branch it wants to be merged into.
    pub base_branch: BranchName,
    /// Its newest commit, as the delivery says.
    pub head: CommitSha,
    /// Its newest commit before a push, when the delivery says.
    pub head_before: Option<CommitSha>,
}

/// What happened to a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PullRequestAction {
    /// It was opened.
    Opened,
    /// Its head moved.
    Pushed,
    /// It was opened again.
    Reopened,
    /// It is no draft any more.
    Ready,
    /// Its base branch was changed.
    BaseChanged,
    /// It was closed, merged or not.
    Closed,
}

/// A merge queue's group of pull requests, as one commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeGroup {
    /// Where.
    pub repository: Repository,
    /// The branch it will become part of.
    pub base_branch: BranchName,
    /// That branch's tip below the group.
    pub base: CommitSha,
    /// The group's own commit.
    pub head: CommitSha,
}

/// What happened to a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstallationChange {
    /// The App was installed.
    Created,
    /// The App was removed.
    Deleted,
    /// The App may not act for now.
    Suspended,
    /// The App may act again.
    Resumed,
    /// The account accepted new permissions.
    PermissionsAccepted,
    /// The set of repositories changed.
    Repositories {
        /// Now reachable.
        added: Vec<String>,
        /// No longer reachable.
        removed: Vec<String>,
    },
}
