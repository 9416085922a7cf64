//! The worker: claims jobs that are due, runs several at a time, and stops without losing any.
//!
//! One loop claims for all: as many jobs as there is room for, whenever it is woken, a job ends, the next one is due, or a few
//! seconds have passed. It also takes back the jobs of workers that vanished, here or in another process.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::Jobs;
use super::attempt::Attempt;
use crate::settings::QueueSettings;
use crate::store::{Claimed, Clock, Store, StoreError};

/// How often the queue is looked at though nobody called.
const LOOK: Duration = Duration::from_secs(5);
/// How long to wait when the database does not answer.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How jobs are run.
#[derive(Clone, Copy, Debug)]
pub struct WorkerRules {
    /// Most jobs at a time.
    pub workers: usize,
    /// How long a job is ours without a sign of life.
    pub lease: Duration,
    /// How often a job is tried before it is given up.
    pub max_attempts: u32,
    /// How often a running job asks whether it is still wanted.
    pub look_after: Duration,
}

impl From<&QueueSettings> for WorkerRules {
    fn from(settings: &QueueSettings) -> Self {
        Self {
            workers: settings.workers,
            lease: settings.lease,
            max_attempts: settings.max_attempts,
            look_after: Duration::from_secs(1),
        }
    }
}

/// Runs jobs. Clones are the same worker.
pub struct Worker<C: Sync + 'static> {
    pub(super) store: Store,
    pub(super) jobs: Jobs<C>,
    pub(super) context: Arc<C>,
    pub(super) rules: WorkerRules,
    pub(super) clock: Clock,
}

impl<C: Sync> Clone for Worker<C> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            jobs: self.jobs,
            context: self.context.clone(),
            rules: self.rules,
            clock: self.clock.clone(),
        }
    }
}

impl<C: Send + Sync> Worker<C> {
    /// A worker on these jobs.
    #[must_use]
    pub fn new(store: Store, jobs: Jobs<C>, context: Arc<C>, rules: WorkerRules, clock: Clock) -> Self {
        Self { store, jobs, context, rules, clock }
    }

    /// Runs jobs until `stopping`, then gives those at work `grace` to end and puts the rest back.
    pub async fn run(&self, stopping: CancellationToken, grace: Duration) {
        let out_of_grace = CancellationToken::new();
        let mut running = JoinSet::new();
        let mut wakeups = self.store.wakeups();
        let mut next_reclaim = Instant::now();
        while !stopping.is_cancelled() {
            if next_reclaim <= Instant::now() {
                self.reclaim().await;
                next_reclaim = Instant::now() + (self.rules.lease / 4).min(LOOK);
            }
            wakeups.borrow_and_update();
            let room = self.rules.workers.saturating_sub(running.len());
            let pause = match self.claim(room).await {
                Ok(claimed) => {
                    let has_room = claimed.len() < room;
                    for job in claimed {
                        running.spawn(Attempt::new(self.clone(), job, out_of_grace.clone()).carry_out());
                    }
                    let pause = if has_room { self.until_next_due().await } else { LOOK };
                    pause.min(next_reclaim - Instant::now())
                }
                Err(error) => {
                    tracing::error!(%error, "no job could be claimed; trying again soon");
                    PAUSE_AFTER_FAILURE
                }
            };
            let has_room = running.len() < self.rules.workers;
            tokio::select! {
                () = stopping.cancelled() => {}
                Some(_) = running.join_next() => {}
                Ok(()) = wakeups.changed(), if has_room => {}
                () = sleep(pause) => {}
            }
        }
        stop(running, &out_of_grace, grace).await;
    }

    /// Runs the jobs that are due, one after the other, and those that follow from them, until none is due. Says how many.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn run_until_idle(&self) -> Result<usize, StoreError> {
        let mut ran = 0;
        loop {
            let mut claimed = self.claim(1).await?;
            let Some(job) = claimed.pop() else { return Ok(ran) };
            Attempt::new(self.clone(), job, CancellationToken::new()).carry_out().await;
            ran += 1;
        }
    }

    async fn claim(&self, most: usize) -> Result<Vec<Claimed>, StoreError> {
        self.store.claim_jobs(&self.jobs.kinds(), most, self.rules.lease, self.clock.now()).await
    }

    async fn reclaim(&self) {
        match self.store.reclaim_jobs(self.clock.now()).await {
            Ok(0) => {}
            Ok(jobs) => tracing::warn!(jobs, "took back jobs whose worker vanished"),
            Err(error) => tracing::error!(%error, "jobs whose worker vanished could not be taken back"),
        }
    }

    async fn until_next_due(&self) -> Duration {
        let now = self.clock.now();
        match self.store.next_due(now).await {
            Ok(Some(due)) => due.since(now).clamp(Duration::from_millis(1), LOOK),
            Ok(None) => LOOK,
            Err(_) => PAUSE_AFTER_FAILURE,
        }
    }
}

/// Waits for the jobs at work, then asks those that are left to put themselves back.
async fn stop(mut running: JoinSet<()>, out_of_grace: &CancellationToken, grace: Duration) {
    let all_ended = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, all_ended).await.is_err() {
        tracing::warn!(jobs = running.len(), "putting back the jobs that are still at work");
        out_of_grace.cancel();
        while running.join_next().await.is_some() {}
    }
}
