//! Pull requests.

use time::OffsetDateTime;

use super::{AccountId, PullId, RepositoryId};
use crate::github_stand_in::git::Oid;

/// Where a pull request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullState {
    /// Open.
    Open,
    /// Closed, merged or not.
    Closed,
}

impl PullState {
    /// GitHub's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// A pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// Where it is.
    pub id: PullId,
    /// Its own number among everything.
    pub global_id: u64,
    /// Its title.
    pub title: String,
    /// Its description, Markdown.
    pub body: Option<String>,
    /// Who opened it.
    pub author: AccountId,
    /// Open or closed.
    pub state: PullState,
    /// Not yet to be merged.
    pub draft: bool,
    /// The repository its branch is in: a fork perhaps.
    pub head_repository: RepositoryId,
    /// Its branch there.
    pub head_branch: String,
    /// Its newest commit.
    pub head: Oid,
    /// The branch it is to be merged into.
    pub base_branch: String,
    /// That branch when the pull request was last pushed to.
    pub base: Oid,
    /// The commit merging it would make now; `None` when that is not possible.
    pub test_merge: Option<Oid>,
    /// The files that stand against merging it.
    pub conflicts: Vec<String>,
    /// How it was merged.
    pub merged: Option<Merged>,
    /// When it was opened.
    pub created_at: OffsetDateTime,
    /// When it was changed.
    pub updated_at: OffsetDateTime,
    /// When it was closed.
    pub closed_at: Option<OffsetDateTime>,
}

/// How a pull request was merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The commit that did it.
    pub commit: Oid,
    /// When.
    pub at: OffsetDateTime,
    /// By whom.
    pub by: AccountId,
}

impl Pull {
    /// Its branch is in another repository.
    #[must_use]
    pub fn is_from_fork(&self) -> bool {
        self.head_repository != self.id.repository
    }

    /// It is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == PullState::Open
    }
}
