//! The trait every code host implements.

use std::time::Duration;

use async_trait::async_trait;
use http::HeaderMap;
use portcullis_engine::source_tree::{Entry, TreePath, Unreadable};
use serde::{Deserialize, Serialize};

use super::{BranchName, CommitSha, DeliveryId, Event, Repository};

/// A code host.
#[async_trait]
pub trait Forge: Send + Sync {
    /// Its kind, as endpoints and settings name it: `github`.
    fn kind(&self) -> &'static str;

    /// What it can and cannot do.
    fn capabilities(&self) -> Capabilities;

    /// Checks that a delivery is the host's: signature over the raw bytes, in constant time, before anything is parsed.
    ///
    /// # Errors
    /// [`Rejection`] names what is wrong, without giving the right answer away.
    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<VerifiedDelivery, Rejection>;

    /// What a delivery means. `kind` is [`VerifiedDelivery::kind`].
    ///
    /// # Errors
    /// The place in the body that is not as the host describes it.
    fn decode(&self, kind: &str, body: &[u8]) -> Result<Event, serde_path_to_error::Error<serde_json::Error>>;

    /// A pull request as it is now.
    async fn pull_request(&self, repository: &Repository, number: u64) -> Result<PullRequest, ForgeError>;

    /// The open pull requests a filter selects, every page of them.
    async fn open_pull_requests(
        &self,
        repository: &Repository,
        filter: &PullRequestFilter,
    ) -> Result<Vec<PullRequest>, ForgeError>;

    /// The newest commit of a branch as it is now: what a pull request says of its base may be as old as its last push.
    async fn tip(&self, repository: &Repository, branch: &BranchName) -> Result<CommitSha, ForgeError>;

    /// The newest commit both have: what a pull request's changes are measured from.
    async fn merge_base(
        &self,
        repository: &Repository,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<CommitSha, ForgeError>;

    /// Every file of a commit, completely or not at all; links are listed as such, submodules are left out.
    async fn tree(&self, repository: &Repository, commit: &CommitSha) -> Result<Vec<Entry>, ForgeError>;

    /// The content of blobs, in the order asked; a blob that cannot be had says why.
    async fn blobs(
        &self,
        repository: &Repository,
        wanted: &[BlobRequest],
    ) -> Result<Vec<Result<Vec<u8>, Unreadable>>, ForgeError>;

    /// Makes the check of a commit say what it should, and gives its id: the check of a known id is changed, else the one of
    /// the same [`CheckKey`] is found or one is made. Calling again, and saying so, never makes a second one.
    async fn publish_check(
        &self,
        repository: &Repository,
        check: &Check,
        known: KnownCheck<'_>,
    ) -> Result<CheckId, ForgeError>;
}

/// What a host can and cannot do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// It has merge queues.
    pub merge_queue: bool,
    /// Longest summary and longest text of a check, each in bytes.
    pub check_text_limit_bytes: usize,
    /// Most annotations of a check: what renders one says how many more there are.
    pub check_annotation_limit: usize,
}

/// A delivery whose sender has been proven. Only a forge makes one.
#[derive(Clone, Debug)]
pub struct VerifiedDelivery {
    /// The host's id for it.
    pub id: DeliveryId,
    /// The host's name for the kind of event: `pull_request`.
    pub kind: String,
}

/// Why a delivery is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No signature, or not a well-formed one.
    #[error("the delivery has no valid signature header")]
    NoSignature,
    /// A signature of another secret or another body.
    #[error("the signature does not match")]
    WrongSignature,
    /// Signed, but without the headers that say what it is.
    #[error("the delivery has no valid {0} header")]
    Header(&'static str),
}

/// A pull request as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Open, closed or merged.
    pub state: PullRequestState,
    /// A draft.
    pub draft: bool,
    /// Its newest commit.
    pub head: CommitSha,
    /// The branch it wants to be merged into.
    pub base_branch: BranchName,
}

/// Where a pull request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PullRequestState {
    /// Open.
    Open,
    /// Closed, merged or not.
    Closed,
}

/// Which open pull requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullRequestFilter {
    /// Those into a branch.
    IntoBranch(BranchName),
    /// Those whose newest commit is this one, forks included.
    OfHead(CommitSha),
}

/// A blob to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobRequest {
    /// Its object id.
    pub blob: String,
    /// Where it lies, for messages.
    pub path: TreePath,
    /// Its size in bytes as the tree says.
    pub size_bytes: u64,
}

/// The id a host gave a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckId(pub String);

/// What is known of a check before it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownCheck<'a> {
    /// It was never published, not even tried: it need not be looked for.
    Never,
    /// A try may have made it.
    Perhaps,
    /// The host's id for it.
    As(&'a CheckId),
}

/// Our own id of a check, the same for every try: head, and how often it was asked for again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CheckKey(pub String);

/// What a check should say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Our own id of it.
    pub key: CheckKey,
    /// The commit it is of.
    pub head: CommitSha,
    /// How far it is.
    pub state: CheckState,
    /// When the review began, RFC 3339.
    pub started_at: String,
    /// What it shows.
    pub output: CheckOutput,
}

/// How far a check is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckState {
    /// At work.
    InProgress,
    /// Done.
    Completed {
        /// The answer.
        conclusion: Conclusion,
        /// When, RFC 3339.
        completed_at: String,
    },
}

/// The gate's answer in a code host's words. There is no neutral: it would pass a required check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Conclusion {
    /// May be merged.
    Success,
    /// May not.
    Failure,
    /// A newer head took its place.
    Cancelled,
}

/// What a check shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckOutput {
    /// One line.
    pub title: String,
    /// Markdown.
    pub summary: String,
    /// Markdown, shown below the summary.
    pub text: Option<String>,
    /// Worst first.
    pub annotations: Vec<Annotation>,
}

/// A remark on lines of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    /// The file.
    pub path: TreePath,
    /// First line, from 1.
    pub start_line: u32,
    /// Last line.
    pub end_line: u32,
    /// How loud.
    pub level: AnnotationLevel,
    /// One line.
    pub title: String,
    /// Plain text.
    pub message: String,
}

/// How loud an annotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnnotationLevel {
    /// For information.
    Notice,
    /// Does not block.
    Warning,
    /// Blocks.
    Failure,
}

/// Why a host did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// It wants to be left alone for a while.
    #[error("the host asks to wait {} s: {reason}", wait.as_secs())]
    Wait {
        /// How long.
        wait: Duration,
        /// In its words.
        reason: String,
    },
    /// It cannot be reached, or answers with an error of its own: worth another try.
    #[error("the host could not be reached: {0}")]
    Unreachable(String),
    /// What was asked for is not there, or not for us.
    #[error("not found, or no access: {0}")]
    NotFound(String),
    /// It refuses: wrong credentials, missing permission, invalid request.
    #[error("the host refused: {0}")]
    Refused(String),
    /// More than this program or the host's interface takes; the figure is in the text.
    #[error("too large: {0}")]
    TooLarge(String),
}

impl ForgeError {
    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Wait { .. } | Self::Unreachable(_))
    }
}
