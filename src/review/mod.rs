//! One review, from commits to check: fetch what the touched units need, evaluate it, say it in a check.
//!
//! Everything comes in as values; what is stored and when it is tried again is the business of `jobs`.

mod blob_cache;
mod fetch;
mod publish;
mod room;

use portcullis_engine::evaluate::SourceScope;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::forges::{BranchName, CheckKey, CommitSha, Repository};
use crate::settings::Source;

pub use blob_cache::BlobCache;
pub use fetch::{Reading, fetch};
pub use publish::{Answer, cancelled, failed, finished, finished_as_well, pending};
pub use room::{Place, Room};

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
    /// The question a check answers, in short: which commit, against which, and what is asked (sources, policies). `again` tells
    /// apart what was asked for again.
    #[must_use]
    pub fn question(&self, asked: &impl Serialize, again: Option<&str>) -> String {
        let base = self.merge_base.as_str().get(..12).unwrap_or_default();
        let asked = hex::encode(Sha256::digest(serde_json::to_vec(asked).unwrap_or_default()));
        let asked = asked.get(..12).unwrap_or_default();
        let again = again.map(|again| format!("-{again}")).unwrap_or_default();
        format!("{}-{base}-{asked}{again}", self.head)
    }
}

/// Our own id of a check: of the checks that answer one question each has its round.
#[must_use]
pub fn check_key(question: &str, round: usize) -> CheckKey {
    let round = if round > 0 { format!("-{round}") } else { String::new() };
    CheckKey(format!("{question}{round}"))
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
        suppressions: source.suppressions,
    };
    sources.iter().map(scope).collect()
}
