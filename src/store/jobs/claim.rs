//! Claiming jobs that are due, and taking back those whose workers vanished.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::{Lease, delivery_of, outdone};
use crate::store::change::Change;
use crate::store::connect::Dialect;
use crate::store::row::Columns;
use crate::store::{DeliveryRef, Moment, Store, StoreError};

/// How often a claim is tried when other processes claim at the same moment.
const CLAIM_TRIES: u32 = 3;

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
    Ok(Claimed {
        lease: Lease { job: row.parsed("id")?, token: token.clone() },
        kind: row.try_get("kind")?,
        payload: serde_json::from_str(&payload).map_err(|_| StoreError::Corrupt("payload"))?,
        attempt: row.whole("attempts")?,
        last_error: row.try_get("last_error")?,
        delivery: delivery_of(row)?,
        created_at: row.moment("created_at")?,
    })
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
