//! One review, from commits to check: fetch what the touched units need, evaluate it, say it in a check.
//!
//! Everything comes in as values; what is stored and when it is tried again is the business of `jobs`.

mod blob_cache;
mod fetch;
mod publish;

use portcullis_engine::evaluate::SourceScope;
use serde::{Deserialize, Serialize};

use crate::forges::{BranchName, CheckKey, CommitSha, Repository};
use crate::settings::Source;

pub use blob_cache::BlobCache;
pub use fetch::fetch;
pub use publish::{Answer, cancelled, failed, finished, pending};

/// What is judged: a commit against the commit its changes are measured from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Where.
    pub repository: Repository,
    /// The pull request; absent for a merge queue's group.
    pub pull_request: Option<u64>,
    /// The branch it wants to become part of.
    pub base_branch: BranchName,
    /// What its changes are measured from.
    pub merge_base: CommitSha,
    /// What is judged.
    pub head: CommitSha,
}

impl Subject {
    /// Our own id of its check: the same whenever the same is judged again. `again` tells apart what was asked for again.
    #[must_use]
    pub fn check_key(&self, again: Option<&str>, round: usize) -> CheckKey {
        let short = |sha: &CommitSha| sha.as_str().get(..12).unwrap_or_default().to_owned();
        let mut key = format!("{}-{}", self.head, short(&self.merge_base));
        for part in again.into_iter().map(str::to_owned).chain((round > 0).then(|| round.to_string())) {
            key.push('-');
            key.push_str(&part);
        }
        CheckKey(key)
    }
}

/// What the sources that match ask of a review.
#[must_use]
pub fn scopes(sources: &[&Source]) -> Vec<SourceScope> {
    let scope = |source: &&Source| SourceScope {
        name: source.name.clone(),
        folders: source.folders.clone(),
        blocking: source.blocking_severity,
        on_unreadable: source.on_unreadable,
        on_undecided: source.on_undecided,
    };
    sources.iter().map(scope).collect()
}
