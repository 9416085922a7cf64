//! Letting go of what is old, every hour.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::settings::DatabaseSettings;
use crate::store::{Clock, Store};

const PAUSE: Duration = Duration::from_secs(60 * 60);

/// Purges what is older than the settings keep, now and every hour until stopped.
pub async fn keep_house(store: Store, settings: DatabaseSettings, clock: Clock, stopping: CancellationToken) {
    loop {
        let now = clock.now();
        match store.purge(now.minus(settings.keep_bodies), now.minus(settings.keep_history)).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "let go of old deliveries, jobs and reviews"),
            Err(error) => tracing::warn!(%error, "old deliveries, jobs and reviews could not be let go of"),
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = stopping.cancelled() => return,
        }
    }
}
