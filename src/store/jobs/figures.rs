//! What there is to know about the queue: figures, single jobs, when the next is due.

use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{JobId, JobState};
use crate::store::row::Columns;
use crate::store::{DeliveryRef, Moment, Store, StoreError};

/// How many jobs of a kind are in a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueFigure {
    /// The kind.
    pub kind: String,
    /// The state: ready, running or dead.
    pub state: JobState,
    /// How many.
    pub jobs: u64,
    /// When the first of them was due.
    pub oldest_run_at: Moment,
}

/// A job as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRecord {
    /// Its id.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// Where it stands.
    pub state: JobState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it may run.
    pub run_at: Moment,
    /// Why the last try did not do.
    pub last_error: Option<String>,
}

const RECORD: &str = "SELECT id, kind, state, attempts, run_at, last_error FROM jobs WHERE id = $1";
const RECORDS_OF_DELIVERY: &str = "SELECT id, kind, state, attempts, run_at, last_error FROM jobs \
     WHERE endpoint = $1 AND delivery = $2 ORDER BY id LIMIT 1000";

impl Store {
    /// How many jobs are ready, running and dead, by kind.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn queue_figures(&self) -> Result<Vec<QueueFigure>, StoreError> {
        let rows = sqlx::query(
            "SELECT kind, state, COUNT(*) AS jobs, MIN(run_at) AS oldest FROM jobs \
             WHERE state = 'ready' OR state = 'running' OR state = 'dead' GROUP BY kind, state",
        )
        .fetch_all(self.readers())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(QueueFigure {
                    kind: row.try_get("kind")?,
                    state: row.parsed("state")?,
                    jobs: row.whole("jobs")?,
                    oldest_run_at: row.moment("oldest")?,
                })
            })
            .collect()
    }

    /// When the next ready job is due that is not yet.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn next_due(&self, now: Moment) -> Result<Option<Moment>, StoreError> {
        let row = sqlx::query("SELECT MIN(run_at) AS due FROM jobs WHERE state = 'ready' AND run_at > $1")
            .bind(now.0)
            .fetch_one(self.readers())
            .await?;
        let due: Option<i64> = row.try_get("due")?;
        Ok(due.map(Moment))
    }

    /// A job as it stands.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn job(&self, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        let row = sqlx::query(RECORD).bind(id.to_string()).fetch_optional(self.readers()).await?;
        row.as_ref().map(record).transpose()
    }

    /// What the newest job of a lane was given, whatever became of it.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn newest_of_lane(&self, lane: &str) -> Result<Option<Value>, StoreError> {
        let row = sqlx::query("SELECT payload FROM jobs WHERE lane = $1 ORDER BY id DESC LIMIT 1")
            .bind(lane)
            .fetch_optional(self.readers())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let payload: String = row.try_get("payload")?;
        serde_json::from_str(&payload).map(Some).map_err(|_| StoreError::Corrupt("payload"))
    }

    /// The jobs a delivery led to, in the order they were enqueued; the first 1,000.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn jobs_of_delivery(&self, delivery: &DeliveryRef) -> Result<Vec<JobRecord>, StoreError> {
        let rows = sqlx::query(RECORDS_OF_DELIVERY)
            .bind(delivery.endpoint.as_str())
            .bind(delivery.id.as_str())
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(record).collect()
    }
}

fn record(row: &AnyRow) -> Result<JobRecord, StoreError> {
    Ok(JobRecord {
        id: row.parsed("id")?,
        kind: row.try_get("kind")?,
        state: row.parsed("state")?,
        attempts: row.whole("attempts")?,
        run_at: row.moment("run_at")?,
        last_error: row.try_get("last_error")?,
    })
}
