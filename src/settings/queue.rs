//! How jobs are run.

use std::time::Duration;

use serde::Deserialize;

use super::error::Problems;
use super::value::number;

/// As typed.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TypedQueue {
    #[serde(deserialize_with = "number")]
    workers: u64,
    #[serde(deserialize_with = "number")]
    lease_secs: u64,
    #[serde(deserialize_with = "number")]
    max_attempts: u64,
}

impl Default for TypedQueue {
    fn default() -> Self {
        Self { workers: 4, lease_secs: 60, max_attempts: 10 }
    }
}

/// How jobs are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSettings {
    /// Most jobs at work at a time.
    pub workers: usize,
    /// How long a job belongs to a worker that gives no sign of life.
    pub lease: Duration,
    /// How often a job is tried before it is given up.
    pub max_attempts: u32,
}

impl TypedQueue {
    pub(super) fn validate(self, problems: &mut Problems<'_>) -> Option<QueueSettings> {
        let workers = problems.within("queue.workers", self.workers, 1..=256);
        let lease_secs = problems.within("queue.lease_secs", self.lease_secs, 5..=3600);
        let max_attempts = problems.within("queue.max_attempts", self.max_attempts, 1..=100);
        Some(QueueSettings {
            workers: usize::try_from(workers?).ok()?,
            lease: Duration::from_secs(lease_secs?),
            max_attempts: u32::try_from(max_attempts?).ok()?,
        })
    }
}
