//! Jobs: the durable queue's workers, and one file per job. The only place that joins forge, store and engine.
//!
//! A job is a member of a family: it has a kind, and can run on a payload. What a job needs from the world comes as a context,
//! so that this mechanism knows none of the jobs. A job may run more than once with the same effect as once.

mod attempt;
mod error;
pub mod figures;
mod handle_delivery;
mod housekeeping;
mod note_installation;
mod plan;
mod queue;
mod recheck_branch;
mod review_head_again;
mod review_merge_group;
mod review_pull_request;
mod reviewing;
mod same_head;
mod worker;

use std::time::Duration;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::store::{DeliveryRef, JobId, Moment, NewJob};

pub use error::JobError;
pub use housekeeping::keep_house;
pub use queue::{HANDLE_DELIVERY, delivery_job};
pub use worker::{Worker, WorkerRules};

use plan::kind;
use recheck_branch::RecheckBranchJob;
use review_pull_request::ReviewPullRequestJob;

/// Every job of the server.
pub const JOBS: Jobs<App> = Jobs::new(&[
    &handle_delivery::HandleDelivery,
    &ReviewPullRequestJob { kind: kind::REVIEW_PULL_REQUEST },
    &ReviewPullRequestJob { kind: kind::REVIEW_PULL_REQUEST_AGAIN },
    &review_merge_group::ReviewMergeGroupJob,
    &review_head_again::ReviewHeadAgainJob,
    &RecheckBranchJob { kind: kind::RECHECK_BRANCH },
    &RecheckBranchJob { kind: kind::RECHECK_BRANCH_REST },
    &note_installation::NoteInstallationJob,
]);

/// How long one try may take unless the job says otherwise.
const TIMEOUT: Duration = Duration::from_secs(300);

/// A kind of job. `C` is what it needs from the world.
#[async_trait]
pub trait Job<C: Sync>: Send + Sync {
    /// Its name in the queue, for ever.
    fn kind(&self) -> &'static str;

    /// How long one try may take.
    fn timeout(&self) -> Duration {
        TIMEOUT
    }

    /// Does it.
    ///
    /// # Errors
    /// [`JobError`] says whether and when another try may help.
    async fn run(&self, context: &C, run: &Run) -> Result<Outcome, JobError>;

    /// Called when it will not be tried again, so that whoever waits for it is told in words. Unless this succeeds it is called
    /// again, a few times.
    ///
    /// # Errors
    /// Nobody was told.
    async fn give_up(&self, context: &C, run: &Run, why: &GivenUp<'_>) -> Result<(), JobError> {
        let _ = (context, run, why);
        Ok(())
    }
}

/// Why a job is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenUp<'a> {
    /// In words.
    pub reason: &'a str,
    /// Whose words they are.
    pub fault: Fault,
}

/// Who can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The code host said so, and whoever waits may know.
    Host,
    /// This program failed, or its database: its log says more, and nobody else should.
    Ours,
}

/// The jobs a worker can run.
pub struct Jobs<C: Sync + 'static>(&'static [&'static dyn Job<C>]);

impl<C: Sync> Jobs<C> {
    /// The jobs of a list.
    #[must_use]
    pub const fn new(list: &'static [&'static dyn Job<C>]) -> Self {
        Self(list)
    }

    /// Their kinds.
    #[must_use]
    pub fn kinds(&self) -> Vec<&'static str> {
        self.0.iter().map(|job| job.kind()).collect()
    }

    fn find(&self, kind: &str) -> Option<&'static dyn Job<C>> {
        self.0.iter().copied().find(|job| job.kind() == kind)
    }
}

impl<C: Sync> Clone for Jobs<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: Sync> Copy for Jobs<C> {}

/// One try of a job.
#[derive(Debug)]
pub struct Run {
    /// The job.
    pub job: JobId,
    /// What it needs to know; see [`Run::payload`].
    pub payload: serde_json::Value,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// The delivery that led to it.
    pub delivery: Option<DeliveryRef>,
    /// When it was enqueued.
    pub created_at: Moment,
    /// Cancelled when the job is not wanted any more: a newer one took its place. It should end soon.
    pub stop: CancellationToken,
}

impl Run {
    /// The payload as what this kind of job takes.
    ///
    /// # Errors
    /// It is something else; another try will not help.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, JobError> {
        serde_path_to_error::deserialize(&self.payload)
            .map_err(|error| JobError::Hopeless(anyhow::Error::new(error).context("reading the job's payload")))
    }
}

/// What a try came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    superseded: bool,
    follow_ups: Vec<NewJob>,
}

impl Outcome {
    /// It is done.
    #[must_use]
    pub fn done() -> Self {
        Self::default()
    }

    /// It is done, and these follow from it: enqueued exactly when it is recorded as done.
    #[must_use]
    pub fn followed_by(follow_ups: Vec<NewJob>) -> Self {
        Self { superseded: false, follow_ups }
    }

    /// It found that it is not wanted any more.
    #[must_use]
    pub fn superseded() -> Self {
        Self { superseded: true, follow_ups: Vec::new() }
    }

    /// It found that another is wanted in its place.
    #[must_use]
    pub fn superseded_by(next: NewJob) -> Self {
        Self { superseded: true, follow_ups: vec![next] }
    }
}
