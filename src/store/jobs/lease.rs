//! Claiming jobs, and the lease that proves a claim.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::{JobId, JobState, NewJob, insert};
use crate::store::change::Change;
use crate::store::connect::Dialect;
use crate::store::row::Columns;
use crate::store::{DeliveryRef, Moment, Store, StoreError};

/// Longest error kept with a job, in characters.
const ERROR_LIMIT_CHARS: usize = 2000;
/// How often a claim is tried when other processes claim at the same moment.
const CLAIM_TRIES: u32 = 3;

/// True of a job that another one stands for, or that was asked to stop: it is not made ready again.
macro_rules! outdone {
    () => {
        "(jobs.cancel = 1 OR EXISTS (SELECT 1 FROM jobs AS other WHERE other.key = jobs.key AND other.id <> jobs.id \
         AND (other.state = 'ready' OR (other.state = 'running' AND other.cancel = 0 AND other.id > jobs.id))))"
    };
}

/// The proof that a job is ours to finish. Only a claim makes one.
#[derive(Debug)]
pub struct Lease {
    job: JobId,
    token: Arc<str>,
}

impl Lease {
    /// The job it is of.
    #[must_use]
    pub fn job(&self) -> JobId {
        self.job
    }
}

/// A job that was claimed.
#[derive(Debug)]
pub struct Claimed {
    /// The proof.
    pub lease: Lease,
    /// Its kind.
    pub kind: String,
    /// What it needs to know.
    pub payload: Value,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// Why the last try did not do.
    pub last_error: Option<String>,
    /// The delivery that led to it.
    pub delivery: Option<DeliveryRef>,
    /// When it was enqueued.
    pub created_at: Moment,
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
    /// Claims up to `most` jobs of these kinds that are due, the most urgent first, for so long.
    ///
    /// # Errors
    /// The database did not answer; nothing was claimed.
    pub async fn claim_jobs(
        &self,
        kinds: &[&str],
        most: usize,
        lease: Duration,
        now: Moment,
    ) -> Result<Vec<Claimed>, StoreError> {
        if kinds.is_empty() || most == 0 {
            return Ok(Vec::new());
        }
        let mut tries = 1;
        loop {
            let claim = Claim {
                statement: claim_statement(kinds.len(), self.dialect()),
                kinds: kinds.iter().map(|&kind| kind.to_owned()).collect(),
                most: i64::try_from(most).unwrap_or(i64::MAX),
                token: format!("{:032x}", rand::random::<u128>()).into(),
                until: now.plus(lease),
                now,
            };
            match self.write(claim).await {
                Err(error) if error.is_conflict() && tries < CLAIM_TRIES => tries += 1,
                claimed => return claimed,
            }
        }
    }

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

    /// Makes the jobs ready again whose leases have run out: their workers vanished. Says how many.
    ///
    /// # Errors
    /// The database did not answer; nothing was changed.
    pub async fn reclaim_jobs(&self, now: Moment) -> Result<u64, StoreError> {
        let reclaimed = self.write(Reclaim { now }).await?;
        if reclaimed > 0 {
            self.wake();
        }
        Ok(reclaimed)
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

struct Claim {
    statement: String,
    kinds: Vec<String>,
    most: i64,
    token: Arc<str>,
    until: Moment,
    now: Moment,
}

/// Of each lane only the first due job may be claimed, and only while none of it runs. On PostgreSQL the rows are locked as they
/// are chosen and those locked by others passed over; SQLite has one writer and needs no locks.
fn claim_statement(kinds: usize, dialect: Dialect) -> String {
    let kinds: Vec<String> = (5..5 + kinds).map(|place| format!("${place}")).collect();
    let locking = match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => "FOR UPDATE OF job SKIP LOCKED",
    };
    format!(
        "WITH next AS MATERIALIZED (SELECT job.id FROM jobs AS job \
         WHERE job.state = 'ready' AND job.run_at <= $1 AND job.kind IN ({}) \
         AND NOT EXISTS (SELECT 1 FROM jobs AS other WHERE other.lane = job.lane AND other.state = 'running') \
         AND NOT EXISTS (SELECT 1 FROM jobs AS other \
         WHERE other.lane = job.lane AND other.state = 'ready' AND other.run_at <= $1 \
         AND (-other.priority, other.run_at, other.id) < (-job.priority, job.run_at, job.id)) \
         ORDER BY job.priority DESC, job.run_at, job.id LIMIT $2 {locking}) \
         UPDATE jobs SET state = 'running', attempts = attempts + 1, cancel = 0, lease = $3, lease_until = $4, \
         started_at = $1 FROM next WHERE jobs.id = next.id \
         RETURNING jobs.id, jobs.kind, jobs.payload, jobs.attempts, jobs.last_error, jobs.endpoint, jobs.delivery, \
         jobs.created_at",
        kinds.join(", ")
    )
}

impl Change for Claim {
    type Answer = Vec<Claimed>;

    async fn apply(&self, connection: &mut AnyConnection) -> Result<Vec<Claimed>, StoreError> {
        let mut query = sqlx::query(AssertSqlSafe(self.statement.as_str()))
            .bind(self.now.0)
            .bind(self.most)
            .bind(&*self.token)
            .bind(self.until.0);
        for kind in &self.kinds {
            query = query.bind(kind.as_str());
        }
        let rows = query.fetch_all(connection).await?;
        rows.iter().map(|row| claimed(row, &self.token)).collect()
    }
}

fn claimed(row: &AnyRow, token: &Arc<str>) -> Result<Claimed, StoreError> {
    let payload: String = row.try_get("payload")?;
    let delivery = match (row.parsed_if_any("endpoint")?, row.parsed_if_any("delivery")?) {
        (Some(endpoint), Some(id)) => Some(DeliveryRef { endpoint, id }),
        _ => None,
    };
    Ok(Claimed {
        lease: Lease { job: row.parsed("id")?, token: token.clone() },
        kind: row.try_get("kind")?,
        payload: serde_json::from_str(&payload).map_err(|_| StoreError::Corrupt("payload"))?,
        attempt: row.whole("attempts")?,
        last_error: row.try_get("last_error")?,
        delivery,
        created_at: row.moment("created_at")?,
    })
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
        let delivery = match (row.parsed_if_any("endpoint")?, row.parsed_if_any("delivery")?) {
            (Some(endpoint), Some(id)) => Some(DeliveryRef { endpoint, id }),
            _ => None,
        };
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

struct Reclaim {
    now: Moment,
}

impl Change for Reclaim {
    type Answer = u64;

    async fn apply(&self, connection: &mut AnyConnection) -> Result<u64, StoreError> {
        let reclaimed = sqlx::query(concat!(
            "UPDATE jobs SET state = CASE WHEN ",
            outdone!(),
            " THEN 'superseded' ELSE 'ready' END, finished_at = CASE WHEN ",
            outdone!(),
            " THEN $1 END, last_error = 'the worker vanished', lease = NULL, lease_until = NULL, cancel = 0 ",
            "WHERE state = 'running' AND lease_until < $1"
        ))
        .bind(self.now.0)
        .execute(connection)
        .await?;
        Ok(reclaimed.rows_affected())
    }
}
