//! The web server: webhooks, health and figures. Handlers extract, call and answer; what a delivery means is found out later.

mod answer;
mod body;
pub mod figures;
mod health;
mod serve;
mod webhooks;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

use crate::forges::Forge;
use crate::store::{Clock, EndpointName, Store};

pub use serve::{ServeLimits, serve};

/// What requests are held to.
#[derive(Clone, Copy, Debug)]
pub struct RequestLimits {
    /// Largest body of a delivery: GitHub sends none larger.
    pub body_bytes: usize,
    /// Most memory for the bodies of all requests together. Twice what has arrived counts, because a buffer that grows may be
    /// twice its content.
    pub bodies_in_flight_bytes: usize,
    /// How long a body may take to arrive: GitHub waits 10 s for the answer.
    pub body_timeout: Duration,
    /// How long the store may take to accept a delivery.
    pub store_timeout: Duration,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            body_bytes: 25 << 20,
            bodies_in_flight_bytes: 128 << 20,
            body_timeout: Duration::from_secs(10),
            store_timeout: Duration::from_secs(8),
        }
    }
}

/// What the routes are built from.
pub struct WebParts {
    /// Where deliveries are accepted.
    pub store: Store,
    /// The code host behind each endpoint.
    pub endpoints: BTreeMap<EndpointName, Arc<dyn Forge>>,
    /// The figures collected in this process.
    pub figures: PrometheusHandle,
    /// What requests are held to.
    pub limits: RequestLimits,
    /// The time.
    pub clock: Clock,
    /// Cancelled when the program is asked to stop: it is no longer ready then.
    pub stopping: CancellationToken,
}

/// All routes.
pub fn router(parts: WebParts) -> Router {
    let WebParts { store, endpoints, figures, limits, clock, stopping } = parts;
    let receiver = webhooks::Receiver::new(store.clone(), endpoints, limits, clock.clone());
    Router::new()
        .route("/webhooks/{endpoint}", post(webhooks::receive).with_state(Arc::new(receiver)))
        .route("/healthz", get(health::alive).with_state(store.clone()))
        .route("/readyz", get(health::ready).with_state(health::Readiness { store: store.clone(), stopping }))
        .route("/metrics", get(figures::render).with_state(figures::Figures { figures, store, clock }))
        .fallback(answer::not_found)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .layer(from_fn(answer::watch))
}
