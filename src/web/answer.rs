//! What every request goes through: a span for its log lines, a figure of how long it took, headers that keep browsers careful.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use metrics::histogram;
use tracing::Instrument;

use super::figures::REQUEST_SECONDS;

/// Set unless the handler has set its own.
const SECURITY_HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Watches over a request.
pub(super) async fn watch(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    // Never the path itself: strangers choose it.
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!(
        "request",
        http.method = %method,
        http.route = route,
        endpoint = tracing::field::Empty,
        delivery.id = tracing::field::Empty,
        delivery.kind = tracing::field::Empty,
    );
    async {
        let mut response = next.run(request).await;
        for (name, value) in SECURITY_HEADERS {
            response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
        }
        let took = began.elapsed();
        let status = response.status().as_u16();
        let method = if is_common(&method) { method.as_str().to_owned() } else { "other".to_owned() };
        histogram!(REQUEST_SECONDS, "method" => method, "route" => route, "status" => status.to_string())
            .record(took.as_secs_f64());
        tracing::debug!(http.status = status, took_micros = took.as_micros(), "answered");
        response
    }
    .instrument(span)
    .await
}

fn is_common(method: &http::Method) -> bool {
    use http::Method;
    [Method::GET, Method::POST, Method::HEAD, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS]
        .contains(method)
}

/// For a path nobody serves.
pub(super) async fn not_found() -> Response {
    plain(StatusCode::NOT_FOUND, "there is nothing here")
}

/// For a method a path does not take.
pub(super) async fn method_not_allowed() -> Response {
    plain(StatusCode::METHOD_NOT_ALLOWED, "not with this method")
}

/// A short text.
pub(super) fn plain(status: StatusCode, text: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{text}\n")).into_response()
}
