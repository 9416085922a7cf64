//! Jobs at rest: durable units of work, each with a kind and a payload that mean something to `crate::jobs` only.
//!
//! Wanted: a job runs at least once and is finished at most once; jobs of one lane run one at a time; of equal jobs one is
//! enough; a newer job can take the place of older ones; a job whose worker vanished is run again; what follows from a job is
//! enqueued exactly when the job is done.
//!
//! A job is `ready` until a worker claims it under a lease, then `running` until that lease's holder finishes it (`done`,
//! `dead`), puts it back (`ready`) or lets the lease run out (`ready`). `superseded` ends a job that is not wanted any more.
//! Every transition out of `running` names the lease, so a worker that was too slow cannot undo what its successor did. Two
//! partial unique indexes hold the rest: one running job per lane, one ready job per key.

mod claim;
mod enqueue;
mod figures;
mod lease;

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use sqlx::any::AnyRow;
use uuid::timestamp::context::ContextV7;
use uuid::{Timestamp, Uuid};

use super::row::Columns;
use super::{DeliveryRef, Moment, StoreError};

pub use claim::Claimed;
pub use enqueue::Enqueued;
pub use figures::{JobRecord, QueueFigure};
pub use lease::{End, Lease, Standing};

pub(super) use enqueue::{insert, revive};

/// The id of a job; ids sort by the time they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(Uuid);

impl JobId {
    /// A new id. Within a process later ones are greater, even in the same millisecond.
    fn new(now: Moment) -> Self {
        static CONTEXT: Mutex<ContextV7> = Mutex::new(ContextV7::new());
        let millis = u64::try_from(now.0).unwrap_or(0);
        let nanos = u32::try_from(millis % 1000).unwrap_or(0) * 1_000_000;
        let context = CONTEXT.lock().unwrap_or_else(PoisonError::into_inner);
        Self(Uuid::new_v7(Timestamp::from_unix(&*context, millis / 1000, nanos)))
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JobId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

impl TryFrom<String> for JobId {
    type Error = uuid::Error;

    fn try_from(text: String) -> Result<Self, uuid::Error> {
        text.parse()
    }
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    /// It waits for a worker, or for its time.
    Ready,
    /// A worker has it.
    Running,
    /// It did what it should.
    Done,
    /// It was given up.
    Dead,
    /// It was not wanted any more.
    Superseded,
}

impl JobState {
    /// Its name, in the database and in figures.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Superseded => "superseded",
        }
    }
}

impl TryFrom<String> for JobState {
    type Error = ();

    fn try_from(text: String) -> Result<Self, ()> {
        let all = [Self::Ready, Self::Running, Self::Done, Self::Dead, Self::Superseded];
        all.into_iter().find(|state| state.as_str() == text).ok_or(())
    }
}

/// A job to be enqueued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    kind: String,
    payload: Value,
    key: Option<String>,
    when_equal: WhenEqual,
    lane: Option<String>,
    supersedes: bool,
    priority: i32,
    not_before: Option<Moment>,
    delivery: Option<DeliveryRef>,
}

/// What happens when an equal job, one of the same key, is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WhenEqual {
    /// It stands for this one too.
    Keep,
    /// This one takes its place.
    Replace,
}

impl NewJob {
    /// A job of a kind; `payload` is whatever that kind needs.
    #[must_use]
    pub fn new(kind: impl Into<String>, payload: Value) -> Self {
        Self {
            kind: kind.into(),
            payload,
            key: None,
            when_equal: WhenEqual::Keep,
            lane: None,
            supersedes: false,
            priority: 0,
            not_before: None,
            delivery: None,
        }
    }

    /// Jobs of one key are equal: while one is ready or running, enqueueing another does nothing.
    #[must_use]
    pub fn unless_live(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self.when_equal = WhenEqual::Keep;
        self
    }

    /// Jobs of one key are equal: a ready one takes over this one's payload and time, a running one is asked to stop.
    #[must_use]
    pub fn in_place_of(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self.when_equal = WhenEqual::Replace;
        self
    }

    /// Jobs of one lane run one at a time.
    #[must_use]
    pub fn in_lane(mut self, lane: impl Into<String>) -> Self {
        self.lane = Some(lane.into());
        self
    }

    /// Older jobs of this kind in its lane are not wanted any more: ready ones are superseded, a running one is asked to stop.
    #[must_use]
    pub fn superseding_lane(mut self) -> Self {
        self.supersedes = true;
        self
    }

    /// Greater runs sooner; 0 unless said otherwise.
    #[must_use]
    pub fn with_priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Runs at this time at the earliest.
    #[must_use]
    pub fn not_before(mut self, moment: Moment) -> Self {
        self.not_before = Some(moment);
        self
    }

    /// The delivery that led to it. Jobs that follow from a job inherit its delivery.
    #[must_use]
    pub fn of_delivery(mut self, delivery: DeliveryRef) -> Self {
        self.delivery = Some(delivery);
        self
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }
}

/// True of a job that another one stands for, or that was asked to stop: it is not made ready again.
macro_rules! outdone {
    () => {
        "(jobs.cancel = 1 OR EXISTS (SELECT 1 FROM jobs AS other WHERE other.key = jobs.key AND other.id <> jobs.id \
         AND (other.state = 'ready' OR (other.state = 'running' AND other.cancel = 0 AND other.id > jobs.id))))"
    };
}

use outdone;

/// The delivery a row's job came from.
fn delivery_of(row: &AnyRow) -> Result<Option<DeliveryRef>, StoreError> {
    Ok(match (row.parsed_if_any("endpoint")?, row.parsed_if_any("delivery")?) {
        (Some(endpoint), Some(id)) => Some(DeliveryRef { endpoint, id }),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_millisecond_keep_their_order() {
        let ids: Vec<String> = (0..1000).map(|_| JobId::new(Moment(1_790_000_000_000)).to_string()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
