//! Enqueueing jobs, alone or with the change they follow from, and reviving dead ones.

use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::{JobId, NewJob, WhenEqual};
use crate::store::change::Change;
use crate::store::row::Columns;
use crate::store::{DeliveryRef, Moment, Store, StoreError};

/// Largest payload, in bytes of JSON.
const PAYLOAD_LIMIT_BYTES: usize = 1 << 20;

const INSERT_UNLESS_LIVE: &str = "INSERT INTO jobs \
     (id, kind, payload, key, lane, priority, run_at, endpoint, delivery, created_at, state, attempts, cancel) \
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'ready', 0, 0 \
     WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE key = $4 AND state = 'running' AND cancel = 0) \
     ON CONFLICT (key) WHERE state = 'ready' DO NOTHING RETURNING id";

const INSERT_IN_PLACE: &str = "INSERT INTO jobs \
     (id, kind, payload, key, lane, priority, run_at, endpoint, delivery, created_at, state, attempts, cancel) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'ready', 0, 0) \
     ON CONFLICT (key) WHERE state = 'ready' DO UPDATE SET \
     kind = excluded.kind, payload = excluded.payload, lane = excluded.lane, run_at = excluded.run_at, \
     priority = CASE WHEN excluded.priority > jobs.priority THEN excluded.priority ELSE jobs.priority END, \
     endpoint = excluded.endpoint, delivery = excluded.delivery, attempts = 0, last_error = NULL RETURNING id";

/// What became of a job that was enqueued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It waits for a worker.
    Added(JobId),
    /// It took the place of this equal one.
    Replaced(JobId),
    /// An equal one is live and stands for it.
    Standing,
}

impl Store {
    /// Enqueues a job; durable when this returns.
    ///
    /// # Errors
    /// Nothing was enqueued.
    pub async fn enqueue(&self, job: NewJob, now: Moment) -> Result<Enqueued, StoreError> {
        let enqueued = self.write(Enqueue { job, now }).await?;
        self.wake();
        Ok(enqueued)
    }
}

struct Enqueue {
    job: NewJob,
    now: Moment,
}

impl Change for Enqueue {
    type Answer = Enqueued;

    async fn apply(&self, connection: &mut AnyConnection) -> Result<Enqueued, StoreError> {
        insert(connection, &self.job, self.now).await
    }
}

/// Inserts a job within somebody's transaction.
pub(in crate::store) async fn insert(
    connection: &mut AnyConnection,
    job: &NewJob,
    now: Moment,
) -> Result<Enqueued, StoreError> {
    let payload = job.payload.to_string();
    if payload.len() > PAYLOAD_LIMIT_BYTES {
        let figure = format!("a job's payload of {} bytes; the limit is {PAYLOAD_LIMIT_BYTES}", payload.len());
        return Err(StoreError::TooLarge(figure));
    }
    if job.supersedes {
        supersede(connection, job, now).await?;
    }
    let statement = match (&job.key, job.when_equal) {
        (Some(key), WhenEqual::Replace) => {
            sqlx::query("UPDATE jobs SET cancel = 1 WHERE key = $1 AND state = 'running'")
                .bind(key.as_str())
                .execute(&mut *connection)
                .await?;
            INSERT_IN_PLACE
        }
        _ => INSERT_UNLESS_LIVE,
    };
    let id = JobId::new(now);
    let inserted = sqlx::query(statement)
        .bind(id.to_string())
        .bind(job.kind.as_str())
        .bind(payload)
        .bind(job.key.as_deref())
        .bind(job.lane.as_deref())
        .bind(i64::from(job.priority))
        .bind(job.not_before.unwrap_or(now).0)
        .bind(job.delivery.as_ref().map(|delivery| delivery.endpoint.as_str()))
        .bind(job.delivery.as_ref().map(|delivery| delivery.id.as_str()))
        .bind(now.0)
        .fetch_optional(&mut *connection)
        .await?;
    match inserted.as_ref().map(|row: &AnyRow| row.parsed::<JobId>("id")).transpose()? {
        None => Ok(Enqueued::Standing),
        Some(stored) if stored == id => Ok(Enqueued::Added(id)),
        Some(stored) => Ok(Enqueued::Replaced(stored)),
    }
}

/// Ends the older jobs of this kind in its lane; one of the same key is left to that key's rule.
async fn supersede(connection: &mut AnyConnection, job: &NewJob, now: Moment) -> Result<(), StoreError> {
    let key = job.key.as_deref().unwrap_or_default();
    sqlx::query(
        "UPDATE jobs SET state = 'superseded', finished_at = $4 \
         WHERE lane = $1 AND kind = $2 AND state = 'ready' AND (key IS NULL OR key <> $3)",
    )
    .bind(job.lane.as_deref())
    .bind(job.kind.as_str())
    .bind(key)
    .bind(now.0)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "UPDATE jobs SET cancel = 1 \
         WHERE lane = $1 AND kind = $2 AND state = 'running' AND (key IS NULL OR key <> $3)",
    )
    .bind(job.lane.as_deref())
    .bind(job.kind.as_str())
    .bind(key)
    .execute(&mut *connection)
    .await?;
    Ok(())
}

/// Makes the dead jobs of a delivery ready again, save those an equal job stands for, and says how many.
pub(in crate::store) async fn revive(
    connection: &mut AnyConnection,
    delivery: &DeliveryRef,
    now: Moment,
) -> Result<u64, StoreError> {
    let revived = sqlx::query(
        "UPDATE jobs SET state = 'ready', attempts = 0, run_at = $3, finished_at = NULL, cancel = 0 \
         WHERE endpoint = $1 AND delivery = $2 AND state = 'dead' AND NOT EXISTS (\
         SELECT 1 FROM jobs AS other WHERE other.key = jobs.key AND other.id <> jobs.id AND \
         (other.state IN ('ready', 'running') OR (other.state = 'dead' AND other.id > jobs.id)))",
    )
    .bind(delivery.endpoint.as_str())
    .bind(delivery.id.as_str())
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(revived.rows_affected())
}
