//! Webhooks: a delivery is proven, then stored with its job, then answered. Nothing else happens in the request.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::json;
use tokio::time::timeout;
use tracing::Span;

use super::RequestLimits;
use super::answer::plain;
use super::body::{BodyError, BodyMemory};
use super::figures::count_delivery;
use crate::forges::{Forge, Rejection, VerifiedDelivery};
use crate::jobs::delivery_job;
use crate::store::{Acceptance, Clock, DeliveryRef, EndpointName, NewDelivery, Store, StoreError};

/// From this size on, checking a signature is worth a thread that may take its time.
const LARGE_BODY_BYTES: usize = 1 << 20;
/// When to try again after we could not take a delivery.
const RETRY_AFTER_SECS: &str = "30";

/// What receives deliveries.
pub(super) struct Receiver {
    store: Store,
    endpoints: BTreeMap<EndpointName, Arc<dyn Forge>>,
    limits: RequestLimits,
    memory: BodyMemory,
    clock: Clock,
}

impl Receiver {
    pub(super) fn new(
        store: Store,
        endpoints: BTreeMap<EndpointName, Arc<dyn Forge>>,
        limits: RequestLimits,
        clock: Clock,
    ) -> Self {
        let memory = BodyMemory::new(limits.bodies_in_flight_bytes);
        Self { store, endpoints, limits, memory, clock }
    }
}

/// Receives a delivery at an endpoint.
pub(super) async fn receive(
    State(receiver): State<Arc<Receiver>>,
    Path(endpoint): Path<String>,
    request: Request,
) -> Response {
    let found = endpoint.parse().ok().and_then(|name| receiver.endpoints.get_key_value(&name));
    let Some((endpoint, forge)) = found else { return plain(StatusCode::NOT_FOUND, "there is no such endpoint") };
    Span::current().record("endpoint", endpoint.as_str());
    match receiver.take(endpoint, forge, request).await {
        Ok(answer) => answer,
        Err(refusal) => {
            count_delivery(endpoint.as_str(), "", refusal.label());
            tracing::warn!(reason = %refusal, "a delivery was not accepted");
            refusal.into_response()
        }
    }
}

impl Receiver {
    async fn take(
        &self,
        endpoint: &EndpointName,
        forge: &Arc<dyn Forge>,
        request: Request,
    ) -> Result<Response, Refusal> {
        let (head, body) = request.into_parts();
        if !is_json(&head.headers) {
            return Err(Refusal::MediaType);
        }
        let RequestLimits { body_bytes, body_timeout, store_timeout, .. } = self.limits;
        let body = self.memory.read(body, body_bytes, body_timeout).await;
        let body = body.map_err(|error| Refusal::of_body(error, body_bytes))?;
        let verified = verify(forge, head.headers, body.bytes.clone()).await?;
        let span = Span::current();
        span.record("delivery.id", verified.id.as_str()).record("delivery.kind", verified.kind.as_str());
        let delivery = DeliveryRef { endpoint: endpoint.clone(), id: verified.id };
        let new = NewDelivery { delivery, kind: verified.kind, body: body.bytes.clone() };
        let (kind, id) = (new.kind.clone(), new.delivery.id.clone());
        let accepting = self.store.accept_delivery(new, delivery_job(), self.clock.now());
        let acceptance = timeout(store_timeout, accepting).await.map_err(|_| Refusal::StoreSlow)??;
        let result = match acceptance {
            Acceptance::New => "accepted",
            Acceptance::Repeated => "repeated",
            Acceptance::Revived => "revived",
        };
        count_delivery(endpoint.as_str(), &kind, result);
        tracing::info!(result, size_bytes = body.bytes.len(), "a delivery was received");
        Ok((StatusCode::ACCEPTED, Json(json!({ "delivery": id, "result": result }))).into_response())
    }
}

/// Exactly one content type, JSON with or without parameters, and no further encoding.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(content_type), None) = (types.next(), types.next()) else { return false };
    let essence = content_type.to_str().ok().and_then(|text| text.split(';').next()).map(str::trim);
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
        && !headers.contains_key(header::CONTENT_ENCODING)
}

async fn verify(forge: &Arc<dyn Forge>, headers: HeaderMap, body: Bytes) -> Result<VerifiedDelivery, Refusal> {
    if body.len() < LARGE_BODY_BYTES {
        return Ok(forge.verify(&headers, &body)?);
    }
    let forge = forge.clone();
    let verifying = tokio::task::spawn_blocking(move || forge.verify(&headers, &body));
    Ok(verifying.await.map_err(|_| Refusal::Store(StoreError::Closed))??)
}

/// Why a delivery was not accepted.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the content type is not application/json")]
    MediaType,
    #[error("the body is larger than the limit of {0} bytes")]
    TooLarge(usize),
    #[error("the body took too long to arrive")]
    TooSlow,
    #[error("the body broke off")]
    Broken,
    #[error("too many deliveries at once")]
    NoRoom,
    #[error("{0}")]
    Rejected(#[from] Rejection),
    #[error("the delivery could not be stored: {0}")]
    Store(#[from] StoreError),
    #[error("the store took too long")]
    StoreSlow,
}

impl Refusal {
    fn of_body(error: BodyError, limit_bytes: usize) -> Self {
        match error {
            BodyError::TooLarge => Self::TooLarge(limit_bytes),
            BodyError::TooSlow => Self::TooSlow,
            BodyError::NoRoom => Self::NoRoom,
            BodyError::Broken => Self::Broken,
        }
    }

    fn label(&self) -> &'static str {
        match self {
            Self::MediaType => "unsupported",
            Self::TooLarge(_) => "too_large",
            Self::TooSlow | Self::Broken => "incomplete",
            Self::NoRoom => "no_room",
            Self::Rejected(_) => "rejected",
            Self::Store(_) | Self::StoreSlow => "store_failed",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
            Self::Rejected(Rejection::NoSignature | Rejection::WrongSignature) => StatusCode::UNAUTHORIZED,
            Self::Rejected(Rejection::Header(_)) => StatusCode::BAD_REQUEST,
            Self::NoRoom | Self::Store(_) | Self::StoreSlow => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = match &self {
            // What the database says is for the log.
            Self::Store(_) => plain(status, "the delivery could not be stored; send it again"),
            other => plain(status, &other.to_string()),
        };
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, http::HeaderValue::from_static(RETRY_AFTER_SECS));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_is_taken() {
        let is_json = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::CONTENT_TYPE, value.parse().unwrap());
            }
            super::is_json(&headers)
        };
        for good in ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"] {
            assert!(is_json(&[good]), "{good}");
        }
        for bad in ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "text/json"] {
            assert!(!is_json(&[bad]), "{bad}");
        }
        assert!(!is_json(&[]));
        assert!(!is_json(&["application/json", "text/plain"]));
    }
}
