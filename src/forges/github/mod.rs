//! GitHub, as an App: github.com, Enterprise Server and tenants of ghe.com.
//!
//! GitHub's field names, limits and URLs are known in this folder and nowhere else.

mod api;
mod blobs;
mod checks;
mod decode;
mod errors;
mod pull_requests;
mod settings;
mod tokens;
mod tree;
mod verify;

use async_trait::async_trait;
use http::HeaderMap;
use portcullis_engine::source_tree::{Entry, Unreadable};

use api::Api;
pub use settings::{AppIdentity, AppKey, BadSetting, Endpoints, GitHubSettings, WebhookSecret, WebhookSecrets};

use super::http::{Pace, TransportError};
use super::{
    BlobRequest, BranchName, Capabilities, Check, CheckId, CommitSha, Event, Forge, ForgeError, KnownCheck,
    PullRequest, PullRequestFilter, Rejection, Repository, VerifiedDelivery,
};

/// The check's name. Branch rules refer to it, so it stays the same for ever.
pub const CHECK_NAME: &str = "Portcullis / Pull Request Policy Evaluation";

/// One GitHub, for all installations of one App.
pub struct GitHub {
    settings: GitHubSettings,
    api: Api,
}

impl GitHub {
    /// The GitHub of an App. To be called inside a runtime, which carries its connections.
    ///
    /// # Errors
    /// [`TransportError`] when the system has no certificates for HTTPS.
    pub fn new(settings: GitHubSettings, pace: Pace) -> Result<Self, TransportError> {
        let api = Api::new(&settings, pace)?;
        Ok(Self { settings, api })
    }
}

#[async_trait]
impl Forge for GitHub {
    fn kind(&self) -> &'static str {
        "github"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            merge_queue: true,
            check_text_limit_bytes: checks::TEXT_LIMIT_BYTES,
            check_annotation_limit: checks::ANNOTATION_LIMIT,
        }
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<VerifiedDelivery, Rejection> {
        verify::verify(&self.settings.webhook_secrets, headers, body)
    }

    fn decode(&self, kind: &str, body: &[u8]) -> Result<Event, serde_path_to_error::Error<serde_json::Error>> {
        decode::decode(&self.settings.app, kind, body)
    }

    async fn pull_request(&self, repository: &Repository, number: u64) -> Result<PullRequest, ForgeError> {
        pull_requests::one(&self.api.of(repository)?, number).await
    }

    async fn open_pull_requests(
        &self,
        repository: &Repository,
        filter: &PullRequestFilter,
    ) -> Result<Vec<PullRequest>, ForgeError> {
        pull_requests::open(&self.api.of(repository)?, filter).await
    }

    async fn tip(&self, repository: &Repository, branch: &BranchName) -> Result<CommitSha, ForgeError> {
        pull_requests::tip(&self.api.of(repository)?, branch).await
    }

    async fn merge_base(
        &self,
        repository: &Repository,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<CommitSha, ForgeError> {
        pull_requests::merge_base(&self.api.of(repository)?, base, head).await
    }

    async fn tree(&self, repository: &Repository, commit: &CommitSha) -> Result<Vec<Entry>, ForgeError> {
        tree::files(&self.api.of(repository)?, commit).await
    }

    async fn blobs(
        &self,
        repository: &Repository,
        wanted: &[BlobRequest],
    ) -> Result<Vec<Result<Vec<u8>, Unreadable>>, ForgeError> {
        blobs::contents(&self.api.of(repository)?, wanted).await
    }

    async fn publish_check(
        &self,
        repository: &Repository,
        check: &Check,
        known: KnownCheck<'_>,
    ) -> Result<CheckId, ForgeError> {
        checks::publish(&self.api.of(repository)?, &self.settings.app, check, known).await
    }
}
