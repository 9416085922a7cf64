//! Deliveries: every webhook POST that was accepted, with the job that handles it.

use bytes::Bytes;
use sqlx::{AnyConnection, Row};

use super::change::Change;
use super::jobs::{self, NewJob};
use super::packed::{pack, unpack};
use super::row::Columns;
use super::{DeliveryRef, Moment, Store, StoreError};

/// From this size on, packing is worth a thread that may take its time.
const LARGE_BODY_BYTES: usize = 256 << 10;

/// A delivery to be accepted.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// Which one.
    pub delivery: DeliveryRef,
    /// The host's name for the kind of event.
    pub kind: String,
    /// The raw body.
    pub body: Bytes,
}

/// What became of a delivery that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// It is new; its job is waiting.
    New,
    /// It is known, and its jobs are live or done: nothing was changed.
    Repeated,
    /// It is known, and what had been given up is tried again.
    Revived,
}

/// A delivery as it was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The host's name for the kind of event.
    pub kind: String,
    /// The raw body; absent when its time is over.
    pub body: Option<Vec<u8>>,
    /// When it arrived.
    pub received_at: Moment,
}

impl Store {
    /// Accepts a delivery and the job that handles it, both or neither; durable when this returns. The same delivery again is
    /// the same delivery: it changes nothing, unless its jobs are dead, which then live again.
    ///
    /// # Errors
    /// Nothing was accepted.
    pub async fn accept_delivery(&self, new: NewDelivery, job: NewJob, now: Moment) -> Result<Acceptance, StoreError> {
        let size_bytes = new.body.len();
        let body = if size_bytes < LARGE_BODY_BYTES {
            pack(&new.body)
        } else {
            let packing = tokio::task::spawn_blocking(move || pack(&new.body));
            packing.await.map_err(|_| StoreError::Closed)?
        };
        let job = job.of_delivery(new.delivery.clone());
        let accept = Accept { delivery: new.delivery, kind: new.kind, body, size_bytes, job, now };
        let accepted = self.write(accept).await?;
        if accepted != Acceptance::Repeated {
            self.wake();
        }
        Ok(accepted)
    }

    /// A delivery as it was accepted.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn delivery(&self, delivery: &DeliveryRef) -> Result<Option<Delivery>, StoreError> {
        let found = sqlx::query("SELECT kind, body, received_at FROM deliveries WHERE endpoint = $1 AND id = $2")
            .bind(delivery.endpoint.as_str())
            .bind(delivery.id.as_str())
            .fetch_optional(self.readers())
            .await?;
        let Some(row) = found else { return Ok(None) };
        let body: Option<Vec<u8>> = row.try_get("body")?;
        let body = body.map(|packed| unpack(&packed)).transpose()?;
        Ok(Some(Delivery { kind: row.try_get("kind")?, body, received_at: row.moment("received_at")? }))
    }
}

struct Accept {
    delivery: DeliveryRef,
    kind: String,
    body: Vec<u8>,
    size_bytes: usize,
    job: NewJob,
    now: Moment,
}

impl Change for Accept {
    type Answer = Acceptance;

    async fn apply(&self, connection: &mut AnyConnection) -> Result<Acceptance, StoreError> {
        let added = sqlx::query(
            "INSERT INTO deliveries (endpoint, id, kind, body, size_bytes, received_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (endpoint, id) DO NOTHING",
        )
        .bind(self.delivery.endpoint.as_str())
        .bind(self.delivery.id.as_str())
        .bind(self.kind.as_str())
        .bind(self.body.as_slice())
        .bind(i64::try_from(self.size_bytes).unwrap_or(i64::MAX))
        .bind(self.now.0)
        .execute(&mut *connection)
        .await?;
        if added.rows_affected() > 0 {
            jobs::insert(connection, &self.job, self.now).await?;
            return Ok(Acceptance::New);
        }
        if jobs::revive(connection, &self.delivery, self.now).await? == 0 {
            return Ok(Acceptance::Repeated);
        }
        // The first body may have been purged by now.
        sqlx::query("UPDATE deliveries SET body = $3 WHERE endpoint = $1 AND id = $2 AND body IS NULL")
            .bind(self.delivery.endpoint.as_str())
            .bind(self.delivery.id.as_str())
            .bind(self.body.as_slice())
            .execute(&mut *connection)
            .await?;
        Ok(Acceptance::Revived)
    }
}
