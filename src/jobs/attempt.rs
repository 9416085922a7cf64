//! One try of a claimed job: watched while it runs, and settled whatever comes of it.
//!
//! A try ends in exactly one way: it comes to an outcome or an error (a panic and a timeout are errors), or it is cut off
//! because its lease is lost or the program stops. What was cut off is waited for before the job is put back, so that two tries
//! of one job never overlap here; if it does not end, the lease is left to run out.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{MissedTickBehavior, interval_at, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::queue::{LONGEST_WAIT, backoff, patience};
use super::worker::Worker;
use super::{Fault, GivenUp, Job, JobError, Outcome, Run, figures};
use crate::store::{Claimed, End, JobState, Lease, Moment, NewJob, Standing, StoreError};

/// How long a cut-off try may take to end.
const CUT_OFF_GRACE: Duration = Duration::from_secs(10);
/// How often more a job is claimed, only to tell that it was given up.
const GIVE_UP_TRIES: u32 = 3;
/// For so long being asked to wait is no try, and a host that cannot be reached is tried again whatever the count.
const WAITS_ARE_FREE: Duration = Duration::from_secs(24 * 60 * 60);
/// For so long a host that does not answer is tried again, at least this often, though only to tell that the job was given up.
const TOLD_WITHIN: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const TELLING_WAIT: Duration = Duration::from_secs(60 * 60);
/// How often, and how far apart, an ending is recorded when the database does not answer.
const SETTLE_TRIES: u32 = 10;
const SETTLE_PAUSE: Duration = Duration::from_secs(1);

/// What a watched try came to.
enum Watched<T> {
    /// An answer.
    Ended(Result<T, JobError>),
    /// The job is somebody else's by now.
    LeaseLost,
    /// The program stops.
    OutOfGrace,
    /// Cut off, and still at work.
    Stuck,
}

/// One try of a claimed job.
pub(super) struct Attempt<C: Sync + 'static> {
    worker: Worker<C>,
    lease: Lease,
    kind: String,
    last_error: Option<String>,
    run: Arc<Run>,
    out_of_grace: CancellationToken,
}

impl<C: Send + Sync> Attempt<C> {
    pub(super) fn new(worker: Worker<C>, claimed: Claimed, out_of_grace: CancellationToken) -> Self {
        let run = Run {
            job: claimed.lease.job(),
            payload: claimed.payload,
            attempt: claimed.attempt,
            delivery: claimed.delivery,
            created_at: claimed.created_at,
            stop: CancellationToken::new(),
        };
        let Claimed { lease, kind, last_error, .. } = claimed;
        Self { worker, lease, kind, last_error, run: Arc::new(run), out_of_grace }
    }

    /// Runs the job and records what came of it.
    pub(super) async fn carry_out(self) {
        let span = tracing::info_span!(
            "job",
            job.id = %self.run.job,
            job.kind = %self.kind,
            job.attempt = self.run.attempt,
            delivery.id = self.run.delivery.as_ref().map(|delivery| delivery.id.as_str()),
        );
        async {
            let began = Instant::now();
            let settled = self.run_and_settle().await;
            let result = settled.unwrap_or_else(|error| {
                tracing::error!(%error, "the end of the job could not be recorded; it will be run again");
                if matches!(error, StoreError::LeaseLost) { "lease_lost" } else { "unrecorded" }
            });
            figures::count_job(&self.kind, result, began.elapsed());
        }
        .instrument(span)
        .await;
    }

    async fn run_and_settle(&self) -> Result<&'static str, StoreError> {
        let Some(job) = self.worker.jobs.find(&self.kind) else {
            // Only known kinds are claimed.
            return self.release().await;
        };
        if self.run.attempt > self.worker.rules.max_attempts {
            let reason = self.last_error.clone().unwrap_or_else(|| "it was tried too often".into());
            return self.give_up(job, GivenUp { reason: &reason, fault: Fault::Ours }).await;
        }
        let (context, run) = (self.worker.context.clone(), self.run.clone());
        let task = tokio::spawn(async move { job.run(&context, &run).await }.in_current_span());
        match self.watch(task, job.timeout()).await {
            Watched::Ended(Ok(outcome)) => self.end(outcome).await,
            Watched::Ended(Err(error)) => self.failed(job, error).await,
            Watched::LeaseLost => Err(StoreError::LeaseLost),
            Watched::OutOfGrace => self.release().await,
            Watched::Stuck => Ok("stuck"),
        }
    }

    /// Waits for a try, keeps its lease, and cuts it off when it is too slow or not ours any more.
    async fn watch<T: Send + 'static>(&self, mut task: JoinHandle<Result<T, JobError>>, limit: Duration) -> Watched<T> {
        let rules = self.worker.rules;
        let every = |period: Duration| {
            let mut ticks = interval_at(tokio::time::Instant::now() + period, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        };
        let mut look = every(rules.look_after);
        let mut extend = every(rules.lease / 3);
        let too_slow = sleep(limit);
        tokio::pin!(too_slow);
        let mut ours_until = Instant::now() + rules.lease;
        loop {
            let standing = tokio::select! {
                ended = &mut task => return Watched::Ended(ended.unwrap_or_else(|error| Err(broken(error)))),
                () = &mut too_slow => {
                    let error = anyhow!("it took longer than the limit of {} s", limit.as_secs());
                    return cut_off(task, Watched::Ended(Err(JobError::Failed(error)))).await;
                }
                () = self.out_of_grace.cancelled() => return cut_off(task, Watched::OutOfGrace).await,
                _ = extend.tick() => {
                    let (now, asked) = (self.worker.clock.now(), Instant::now());
                    let standing = self.worker.store.extend_lease(&self.lease, rules.lease, now).await;
                    if standing.is_ok() {
                        ours_until = asked + rules.lease;
                    }
                    standing
                }
                _ = look.tick() => self.worker.store.standing(&self.lease).await,
            };
            match standing {
                Ok(Standing::Held) => {}
                Ok(Standing::Cancelled) => self.run.stop.cancel(),
                Ok(Standing::Lost) => return cut_off(task, Watched::LeaseLost).await,
                Err(_) if Instant::now() > ours_until => return cut_off(task, Watched::LeaseLost).await,
                Err(error) => tracing::warn!(%error, "the job's lease could not be looked after"),
            }
        }
    }

    async fn end(&self, outcome: Outcome) -> Result<&'static str, StoreError> {
        let (end, result) = if outcome.superseded { (End::Superseded, "superseded") } else { (End::Done, "done") };
        self.finish(end, outcome.follow_ups).await?;
        tracing::info!(result, "the job has ended");
        Ok(result)
    }

    async fn failed(&self, job: &'static dyn Job<C>, error: JobError) -> Result<&'static str, StoreError> {
        let reason = error.reason();
        let why = GivenUp { reason: &reason, fault: error.fault() };
        match error {
            JobError::Retry { after, .. } => self.wait(after, &reason).await,
            JobError::Unreachable(_)
                if self.run.attempt >= self.worker.rules.max_attempts && self.age() <= WAITS_ARE_FREE =>
            {
                self.outlast(job, why).await
            }
            JobError::Unreachable(_) | JobError::Failed(_) if self.run.attempt < self.worker.rules.max_attempts => {
                self.retry(&reason).await
            }
            JobError::Unreachable(_) | JobError::Failed(_) | JobError::Hopeless(_) => self.give_up(job, why).await,
        }
    }

    async fn wait(&self, after: Duration, reason: &str) -> Result<&'static str, StoreError> {
        let now = self.worker.clock.now();
        if self.age() > WAITS_ARE_FREE {
            return self.put_back(now.plus(after), reason, true).await;
        }
        tracing::info!(reason, after_secs = after.as_secs(), "the job waits as it was asked to");
        self.put_back(now.plus(after), reason, false).await
    }

    async fn retry(&self, reason: &str) -> Result<&'static str, StoreError> {
        let after = backoff(self.run.attempt, rand::random());
        tracing::warn!(reason, after_secs = after.as_secs(), "the job failed and will be tried again");
        self.put_back(self.worker.clock.now().plus(after), reason, true).await
    }

    /// What the host was asked cannot be had from it, and by now whoever waits should know, if it can be told at all. The job goes
    /// on: an outage ends, and then nobody has to ask again.
    async fn outlast(&self, job: &'static dyn Job<C>, why: GivenUp<'_>) -> Result<&'static str, StoreError> {
        match self.tell(job, why).await {
            Watched::Ended(told) => {
                if let Err(error) = told {
                    tracing::warn!(error = error.reason(), "nobody can be told that the host cannot be reached");
                }
                self.wait_for_host(why.reason, LONGEST_WAIT).await
            }
            Watched::LeaseLost => Err(StoreError::LeaseLost),
            Watched::OutOfGrace => self.release().await,
            Watched::Stuck => Ok("stuck"),
        }
    }

    /// Tries again without counting, the later the longer it has been.
    async fn wait_for_host(&self, reason: &str, longest: Duration) -> Result<&'static str, StoreError> {
        let after = patience(self.age(), longest, rand::random());
        tracing::warn!(reason, after_secs = after.as_secs(), "the host cannot be reached and will be tried again");
        self.put_back(self.worker.clock.now().plus(after), reason, false).await
    }

    fn age(&self) -> Duration {
        self.worker.clock.now().since(self.run.created_at)
    }

    async fn tell(&self, job: &'static dyn Job<C>, why: GivenUp<'_>) -> Watched<()> {
        let (context, run, words, fault) =
            (self.worker.context.clone(), self.run.clone(), why.reason.to_owned(), why.fault);
        let telling = async move { job.give_up(&context, &run, &GivenUp { reason: &words, fault }).await };
        self.watch(tokio::spawn(telling.in_current_span()), job.timeout()).await
    }

    /// Tells whoever waits for the job that it is given up, and ends it; when nobody could be told, tries that again later.
    async fn give_up(&self, job: &'static dyn Job<C>, why: GivenUp<'_>) -> Result<&'static str, StoreError> {
        let reason = why.reason;
        let last = self.run.attempt > self.worker.rules.max_attempts + GIVE_UP_TRIES;
        if !last {
            match self.tell(job, why).await {
                Watched::Ended(Ok(())) => {}
                Watched::Ended(Err(JobError::Unreachable(_))) if self.age() <= TOLD_WITHIN => {
                    return self.wait_for_host(reason, TELLING_WAIT).await;
                }
                Watched::Ended(Err(JobError::Retry { after, .. })) if self.age() <= TOLD_WITHIN => {
                    return self.put_back(self.worker.clock.now().plus(after), reason, false).await;
                }
                Watched::Ended(Err(JobError::Retry { .. })) => return self.retry(reason).await,
                Watched::Ended(Err(
                    JobError::Unreachable(error) | JobError::Failed(error) | JobError::Hopeless(error),
                )) => {
                    tracing::error!(
                        reason,
                        error = format!("{error:#}"),
                        "nobody could be told that the job is given up"
                    );
                    return self.retry(reason).await;
                }
                Watched::LeaseLost => return Err(StoreError::LeaseLost),
                Watched::OutOfGrace => return self.release().await,
                Watched::Stuck => return Ok("stuck"),
            }
        }
        tracing::error!(reason, told = !last, "the job is given up");
        self.finish(End::Dead(reason.to_owned()), Vec::new()).await?;
        Ok("dead")
    }

    async fn finish(&self, end: End, follow_ups: Vec<NewJob>) -> Result<(), StoreError> {
        let Worker { store, clock, .. } = &self.worker;
        let lease = &self.lease;
        persist(|| store.finish_job(lease, end.clone(), follow_ups.clone(), clock.now())).await
    }

    async fn put_back(&self, run_at: Moment, reason: &str, counted: bool) -> Result<&'static str, StoreError> {
        let Worker { store, clock, .. } = &self.worker;
        let lease = &self.lease;
        let state = if counted {
            persist(|| store.retry_job(lease, run_at, reason, clock.now())).await?
        } else {
            persist(|| store.postpone_job(lease, run_at, reason, clock.now())).await?
        };
        Ok(match (state, counted) {
            (JobState::Superseded, _) => "superseded",
            (_, true) => "failed",
            (_, false) => "postponed",
        })
    }

    async fn release(&self) -> Result<&'static str, StoreError> {
        let Worker { store, clock, .. } = &self.worker;
        let lease = &self.lease;
        persist(|| store.release_job(lease, clock.now())).await?;
        Ok("released")
    }
}

/// Records an ending, trying again for a while when the database does not answer.
async fn persist<T, F>(record: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut tries = 1;
    loop {
        match record().await {
            Err(StoreError::Database(_)) if tries < SETTLE_TRIES => tries += 1,
            recorded => return recorded,
        }
        sleep(SETTLE_PAUSE).await;
    }
}

/// Ends a task; the answer is [`Watched::Stuck`] when it will not.
async fn cut_off<T>(mut task: JoinHandle<Result<T, JobError>>, then: Watched<T>) -> Watched<T> {
    task.abort();
    if timeout(CUT_OFF_GRACE, &mut task).await.is_err() {
        tracing::error!("the job does not end; its lease is left to run out");
        return Watched::Stuck;
    }
    then
}

/// A task that panicked or was ended.
fn broken(error: JoinError) -> JobError {
    match error.try_into_panic() {
        Ok(panic) => JobError::Failed(anyhow!("it panicked: {}", words(&*panic))),
        Err(error) => JobError::Failed(anyhow!("it was ended: {error}")),
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without words")
}
