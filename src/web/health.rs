//! Health: alive as long as it answers, ready while the database takes changes and no stop was asked for.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::answer::plain;
use crate::store::Store;

const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);

/// What readiness depends on. That the tables are up to date was seen to when the store was opened.
#[derive(Clone)]
pub(super) struct Readiness {
    pub(super) store: Store,
    pub(super) stopping: CancellationToken,
}

/// The process answers, and has not lost for good what it needs.
pub(super) async fn alive(State(store): State<Store>) -> Response {
    if store.is_alive() {
        plain(StatusCode::OK, "alive")
    } else {
        plain(StatusCode::SERVICE_UNAVAILABLE, "the store has ended")
    }
}

/// Whether requests should be sent here.
pub(super) async fn ready(State(readiness): State<Readiness>) -> Response {
    if readiness.stopping.is_cancelled() {
        return not_ready("stopping");
    }
    match timeout(DATABASE_TIMEOUT, readiness.store.ping()).await {
        Ok(Ok(())) => Json(json!({ "ready": true })).into_response(),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready: the database does not take changes");
            not_ready("the database does not take changes")
        }
        Err(_) => not_ready("the database does not answer in time"),
    }
}

fn not_ready(reason: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "ready": false, "reason": reason }))).into_response()
}
