//! What the holder of a lease can do with its job: keep it, finish it, put it back.

use std::sync::Arc;
use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{JobId, JobState, NewJob, delivery_of, insert, outdone};
use crate::store::change::Change;
use crate::store::row::Columns;
use crate::store::{Moment, Store, StoreError};

/// Longest error kept with a job, in characters.
const ERROR_LIMIT_CHARS: usize = 2000;
/// The proof that a job is ours to finish. Only a claim makes one.
#[derive(Debug)]
pub struct Lease {
    pub(super) job: JobId,
    pub(super) token: Arc<str>,
}

impl Lease {
    /// The job it is of.
    #[must_use]
    pub fn job(&self) -> JobId {
        self.job
    }
}

/// How a job ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It did what it should.
    Done,
    /// It was given up, for this reason.
    Dead(String),
    /// It was not wanted any more.
    Superseded,
}

/// How a claimed job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is ours.
    Held,
    /// It is ours, and a newer one wants it to stop.
    Cancelled,
    /// It is not ours any more.
    Lost,
}

impl Store {
    /// Keeps a job ours for so long from now, and says how it stands.
    ///
    /// # Errors
    /// The database did not answer; the lease stays as it was.
    pub async fn extend_lease(&self, lease: &Lease, length: Duration, now: Moment) -> Result<Standing, StoreError> {
        let extend = Extend { job: lease.job, token: lease.token.clone(), until: now.plus(length) };
        self.write(extend).await
    }

    /// How a claimed job stands.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn standing(&self, lease: &Lease) -> Result<Standing, StoreError> {
        let row = sqlx::query("SELECT cancel FROM jobs WHERE id = $1 AND lease = $2 AND state = 'running'")
            .bind(lease.job.to_string())
            .bind(&*lease.token)
            .fetch_optional(self.readers())
            .await?;
        standing(row.as_ref())
    }

    /// Ends a job and enqueues what follows from it, both or neither.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]: the job is not ours any more, and nothing was changed.
    pub async fn finish_job(
        &self,
        lease: &Lease,
        end: End,
        follow_ups: Vec<NewJob>,
        now: Moment,
    ) -> Result<(), StoreError> {
        let finish = Finish { job: lease.job, token: lease.token.clone(), end, follow_ups, now };
        self.write(finish).await?;
        self.wake();
        Ok(())
    }

    /// Makes a job ready again, from `run_at` on, because of `error`. A job that is not wanted any more ends instead.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]: the job is not ours any more, and nothing was changed.
    pub async fn retry_job(
        &self,
        lease: &Lease,
        run_at: Moment,
        error: &str,
        now: Moment,
    ) -> Result<JobState, StoreError> {
        self.put_back(lease, Some((run_at, shortened(error))), false, now).await
    }

    /// As [`Store::retry_job`], without counting the try: it was not the job's fault.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]: the job is not ours any more, and nothing was changed.
    pub async fn postpone_job(
        &self,
        lease: &Lease,
        run_at: Moment,
        reason: &str,
        now: Moment,
    ) -> Result<JobState, StoreError> {
        self.put_back(lease, Some((run_at, shortened(reason))), true, now).await
    }

    /// Gives a job back as it was before it was claimed.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]: the job is not ours any more, and nothing was changed.
    pub async fn release_job(&self, lease: &Lease, now: Moment) -> Result<JobState, StoreError> {
        self.put_back(lease, None, true, now).await
    }

    async fn put_back(
        &self,
        lease: &Lease,
        because: Option<(Moment, String)>,
        uncounted: bool,
        now: Moment,
    ) -> Result<JobState, StoreError> {
        let put_back = PutBack { job: lease.job, token: lease.token.clone(), because, uncounted, now };
        let state = self.write(put_back).await?;
        self.wake();
        Ok(state)
    }
}

/// Without control characters that PostgreSQL refuses, and no longer than is kept.
fn shortened(error: &str) -> String {
    error.chars().filter(|&c| c != '\0').take(ERROR_LIMIT_CHARS).collect()
}

fn standing(row: Option<&AnyRow>) -> Result<Standing, StoreError> {
    let Some(row) = row else { return Ok(Standing::Lost) };
    let cancel: i64 = row.try_get("cancel")?;
    Ok(if cancel == 0 { Standing::Held } else { Standing::Cancelled })
}

struct Extend {
    job: JobId,
    token: Arc<str>,
    until: Moment,
}

impl Change for Extend {
    type Answer = Standing;

    async fn apply(&self, connection: &mut AnyConnection) -> Result<Standing, StoreError> {
        let row = sqlx::query(
            "UPDATE jobs SET lease_until = $3 WHERE id = $1 AND lease = $2 AND state = 'running' RETURNING cancel",
        )
        .bind(self.job.to_string())
        .bind(&*self.token)
        .bind(self.until.0)
        .fetch_optional(connection)
        .await?;
        standing(row.as_ref())
    }
}

struct Finish {
    job: JobId,
    token: Arc<str>,
    end: End,
    follow_ups: Vec<NewJob>,
    now: Moment,
}

impl Change for Finish {
    type Answer = ();

    async fn apply(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let (state, error) = match &self.end {
            End::Done => (JobState::Done, None),
            End::Dead(error) => (JobState::Dead, Some(shortened(error))),
            End::Superseded => (JobState::Superseded, None),
        };
        let finished = sqlx::query(
            "UPDATE jobs SET state = $3, last_error = $4, finished_at = $5, lease = NULL, lease_until = NULL \
             WHERE id = $1 AND lease = $2 AND state = 'running' RETURNING endpoint, delivery",
        )
        .bind(self.job.to_string())
        .bind(&*self.token)
        .bind(state.as_str())
        .bind(error)
        .bind(self.now.0)
        .fetch_optional(&mut *connection)
        .await?;
        let Some(row) = finished else { return Err(StoreError::LeaseLost) };
        let delivery = delivery_of(&row)?;
        for job in &self.follow_ups {
            let mut job = job.clone();
            job.delivery = job.delivery.or_else(|| delivery.clone());
            insert(connection, &job, self.now).await?;
        }
        Ok(())
    }
}

struct PutBack {
    job: JobId,
    token: Arc<str>,
    because: Option<(Moment, String)>,
    uncounted: bool,
    now: Moment,
}

impl Change for PutBack {
    type Answer = JobState;

    async fn apply(&self, connection: &mut AnyConnection) -> Result<JobState, StoreError> {
        let row = sqlx::query(concat!(
            "UPDATE jobs SET state = CASE WHEN ",
            outdone!(),
            " THEN 'superseded' ELSE 'ready' END, finished_at = CASE WHEN ",
            outdone!(),
            " THEN $3 END, run_at = COALESCE($4, run_at), last_error = COALESCE($5, last_error), ",
            "attempts = attempts - $6, lease = NULL, lease_until = NULL, cancel = 0 ",
            "WHERE id = $1 AND lease = $2 AND state = 'running' RETURNING state"
        ))
        .bind(self.job.to_string())
        .bind(&*self.token)
        .bind(self.now.0)
        .bind(self.because.as_ref().map(|(run_at, _)| run_at.0))
        .bind(self.because.as_ref().map(|(_, error)| error.as_str()))
        .bind(i64::from(self.uncounted))
        .fetch_optional(connection)
        .await?;
        row.ok_or(StoreError::LeaseLost)?.parsed("state")
    }
}
