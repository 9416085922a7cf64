//! The parts of GitHub's webhook payloads that are acted upon.
//!
//! Payloads differ between years, hosts and events, so unknown fields are ignored, enumerations are plain text, and only
//! ids, names and commits that cannot be done without are required.

use serde::{Deserialize, Deserializer};

use crate::forges::{BranchName, CommitSha, RepositoryName};

/// What every payload may have.
#[derive(Deserialize)]
pub(super) struct Envelope {
    pub(super) action: Option<String>,
    pub(super) installation: Option<InstallationRef>,
}

#[derive(Deserialize)]
pub(super) struct InstallationRef {
    pub(super) id: u64,
}

#[derive(Deserialize)]
pub(super) struct RepositoryRef {
    pub(super) id: Option<u64>,
    pub(super) full_name: RepositoryName,
}

#[derive(Deserialize)]
pub(super) struct PullRequestPayload {
    pub(super) pull_request: PullRequestRef,
    pub(super) repository: RepositoryRef,
    /// The head before a push.
    pub(super) before: Option<String>,
    pub(super) changes: Option<Changes>,
}

#[derive(Deserialize)]
pub(super) struct PullRequestRef {
    pub(super) number: u64,
    pub(super) head: Head,
    pub(super) base: Base,
}

#[derive(Deserialize)]
pub(super) struct Head {
    pub(super) sha: CommitSha,
}

#[derive(Deserialize)]
pub(super) struct Base {
    #[serde(rename = "ref")]
    pub(super) branch: BranchName,
}

#[derive(Deserialize)]
pub(super) struct Changes {
    /// There when the base branch was changed.
    pub(super) base: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct PushPayload {
    #[serde(rename = "ref")]
    pub(super) reference: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    pub(super) deleted: Option<bool>,
    pub(super) repository: RepositoryRef,
}

#[derive(Deserialize)]
pub(super) struct CheckRunPayload {
    pub(super) check_run: CheckRef,
    pub(super) repository: RepositoryRef,
}

#[derive(Deserialize)]
pub(super) struct CheckSuitePayload {
    pub(super) check_suite: CheckRef,
    pub(super) repository: RepositoryRef,
}

/// A check run or a check suite.
#[derive(Deserialize)]
pub(super) struct CheckRef {
    pub(super) head_sha: CommitSha,
    pub(super) app: Option<AppRef>,
    pub(super) pull_requests: Option<Vec<CheckPullRequest>>,
}

/// An App, as checks name the one that made them.
#[derive(Deserialize)]
pub(in crate::forges::github) struct AppRef {
    pub(in crate::forges::github) id: Option<u64>,
    pub(in crate::forges::github) client_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CheckPullRequest {
    pub(super) number: u64,
    pub(super) base: Option<CheckPullRequestBase>,
}

#[derive(Deserialize)]
pub(super) struct CheckPullRequestBase {
    pub(super) repo: Option<CheckRepository>,
}

#[derive(Deserialize)]
pub(super) struct CheckRepository {
    pub(super) id: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct MergeGroupPayload {
    pub(super) merge_group: MergeGroupRef,
    pub(super) repository: RepositoryRef,
}

#[derive(Deserialize)]
pub(super) struct MergeGroupRef {
    pub(super) head_sha: CommitSha,
    pub(super) base_sha: CommitSha,
    #[serde(deserialize_with = "branch")]
    pub(super) base_ref: BranchName,
}

/// A branch, with `refs/heads/` or without.
fn branch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BranchName, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.strip_prefix("refs/heads/").unwrap_or(&text).parse().map_err(serde::de::Error::custom)
}

#[derive(Deserialize)]
pub(super) struct InstallationPayload {
    pub(super) installation: Installation,
    pub(super) repositories_added: Option<Vec<NamedRepository>>,
    pub(super) repositories_removed: Option<Vec<NamedRepository>>,
}

#[derive(Deserialize)]
pub(super) struct Installation {
    pub(super) account: Option<Account>,
}

#[derive(Deserialize)]
pub(super) struct Account {
    /// Users and organizations have one; an enterprise has only a slug.
    pub(super) login: Option<String>,
    pub(super) slug: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct NamedRepository {
    pub(super) full_name: String,
}
