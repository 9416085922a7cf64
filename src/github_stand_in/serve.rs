//! What happens to every request of the programming interface, whatever it asks: faults, GitHub's general rules, headers,
//! counting, recording.

use std::pin::Pin;
use std::sync::PoisonError;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Frame;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::faults::Fault;
use super::recording::{Recorded, auth_of, plain_headers};
use super::rest::{Caller, Principal, Refusal, principal};
use super::shared::{Shared, Stand};
use super::state::{GitHub, InstallationId, Layout, RateWindow};
use super::{ENTERPRISE_VERSION, graphql};

const BODY_LIMIT_BYTES: usize = 25 * 1024 * 1024;
const DEFAULT_API_VERSION: &str = "2022-11-28";
const API_VERSIONS: [&str; 2] = [DEFAULT_API_VERSION, "2026-03-10"];

/// A request, read to its end.
struct Asked {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    layout: Layout,
}

/// An answer, made to its end.
struct Given {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// Around every handler.
pub(crate) async fn around(State(stand): State<Stand>, request: Request, next: Next) -> Response {
    let (at, begun) = (OffsetDateTime::now_utc(), Instant::now());
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, BODY_LIMIT_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "Payload too large").into_response(),
    };
    let asked = Asked {
        method: parts.method.clone(),
        uri: parts.uri.clone(),
        headers: parts.headers.clone(),
        body,
        layout: layout_of(parts.uri.path()),
    };
    let fault = take_fault(&stand, &asked);
    if let Some(Fault::Slow(wait)) = fault {
        tokio::time::sleep(wait).await;
    }
    let given = match fault.and_then(|fault| instead(fault, &stand, &asked)) {
        Some(response) => read(response).await,
        None => answer(&stand, &asked, parts, next).await,
    };
    if let Some(Fault::LateAnswer(wait)) = fault {
        tokio::time::sleep(wait).await;
    }
    record(&stand, &asked, &given, fault, at, begun.elapsed());
    send(given, fault)
}

fn layout_of(path: &str) -> Layout {
    let enterprise = path.starts_with("/api/v3/") || matches!(path, "/api/v3" | "/api/graphql");
    if enterprise { Layout::EnterpriseServer } else { Layout::GitHub }
}

fn take_fault(stand: &Shared, asked: &Asked) -> Option<Fault> {
    let path = asked.uri.path();
    let path = match asked.layout {
        Layout::GitHub => path,
        Layout::EnterpriseServer if path == "/api/graphql" => "/graphql",
        Layout::EnterpriseServer => path.strip_prefix("/api/v3").unwrap_or(path),
    };
    stand.faults.lock().unwrap_or_else(PoisonError::into_inner).take(&asked.method, path)
}

/// The answer of a fault that keeps the request from being done.
fn instead(fault: Fault, stand: &Shared, asked: &Asked) -> Option<Response> {
    let secondary = |status: StatusCode, retry_after: Option<u64>| {
        let text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
        let refusal = Refusal::new(status, text);
        match retry_after {
            Some(seconds) => refusal.with_header("retry-after", seconds.to_string()),
            None => refusal,
        }
    };
    let refusal = match fault {
        Fault::LostAnswer | Fault::Truncated | Fault::Slow(_) | Fault::LateAnswer(_) => return None,
        Fault::BadGateway => Refusal::new(StatusCode::BAD_GATEWAY, "Server Error"),
        Fault::Unavailable => Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        Fault::Dropped => Refusal::new(StatusCode::BAD_GATEWAY, "dropped"),
        Fault::Unauthorized => Refusal::bad_credentials(),
        Fault::Forbidden { retry_after } => secondary(StatusCode::FORBIDDEN, retry_after),
        Fault::TooManyRequests { retry_after } => secondary(StatusCode::TOO_MANY_REQUESTS, retry_after),
        Fault::RateLimited { resets_in } => {
            let reset = OffsetDateTime::now_utc().unix_timestamp() + resets_in as i64;
            Refusal::new(StatusCode::FORBIDDEN, "API rate limit exceeded for installation.")
                .with_header("x-ratelimit-limit", stand.lock().limits.requests_per_hour.to_string())
                .with_header("x-ratelimit-remaining", "0".to_owned())
                .with_header("x-ratelimit-reset", reset.to_string())
        }
        Fault::GraphqlRateLimited => return Some(graphql::rate_limited("API rate limit exceeded").into_response()),
    };
    let mut response = refusal.into_response();
    put(response.headers_mut(), "x-github-request-id", &request_id());
    tracing::debug!(method = %asked.method, path = asked.uri.path(), ?fault, "fault");
    Some(response)
}

async fn read(response: Response) -> Given {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    Given { status: parts.status, headers: parts.headers, body }
}

async fn answer(stand: &Shared, asked: &Asked, parts: Parts, next: Next) -> Given {
    let (caller, rate) = match stand.with(|github| admit(github, asked)) {
        Ok(admitted) => admitted,
        Err(refusal) => return dressed(read(refusal.into_response()).await, asked, None),
    };
    let principal = caller.principal.clone();
    let mut request = Request::from_parts(parts, Body::from(asked.body.clone()));
    request.extensions_mut().insert(caller);
    let mut given = read(next.run(request).await).await;
    // No route, or not with this method: the router's own answers have no body.
    if given.body.is_empty() && matches!(given.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
        given = read(Refusal::not_found().into_response()).await;
    }
    let given = dressed(given, asked, rate);
    if let (StatusCode::NOT_MODIFIED, Principal::Installation(token)) = (given.status, principal) {
        uncount(&mut stand.lock(), token.installation);
    }
    given
}

/// An answer that the caller had already costs nothing.
fn uncount(github: &mut GitHub, installation: InstallationId) {
    let window = github.rate(installation);
    window.used = window.used.saturating_sub(1);
}

/// GitHub's general rules, before anything is looked at.
fn admit(github: &mut GitHub, asked: &Asked) -> Result<(Caller, Option<RateWindow>), Refusal> {
    let text = |name: HeaderName| asked.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if text(header::USER_AGENT).is_empty() {
        let text = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.";
        return Err(Refusal::new(StatusCode::FORBIDDEN, text));
    }
    let version = text(HeaderName::from_static("x-github-api-version"));
    if !version.is_empty() && !API_VERSIONS.contains(&version) {
        let text = format!("`{version}` is not a supported version of the API.");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, text));
    }
    if asked.uri.path().ends_with('/') {
        return Err(Refusal::not_found());
    }
    let principal = principal(github, &asked.headers)?;
    let rate = match &principal {
        Principal::Installation(token) => {
            let installation = token.installation;
            if github.installation(installation).is_none_or(|found| found.suspended.is_some()) {
                return Err(Refusal::new(StatusCode::FORBIDDEN, "This installation has been suspended"));
            }
            let window = github.rate(installation);
            if window.remaining() == 0 && !is_graphql(&asked.uri) {
                return Err(exhausted(
                    *window,
                    &format!("API rate limit exceeded for installation ID {installation}."),
                ));
            }
            window.used = (window.used + 1).min(window.limit.max(1));
            Some(*window)
        }
        Principal::Anonymous | Principal::App(_) => None,
    };
    let accept = text(header::ACCEPT).to_owned();
    let (uri, body) = (asked.uri.clone(), asked.body.clone());
    Ok((Caller { principal, layout: asked.layout, uri, accept, body }, rate))
}

fn is_graphql(uri: &Uri) -> bool {
    matches!(uri.path(), "/graphql" | "/api/graphql")
}

fn exhausted(window: RateWindow, message: &str) -> Refusal {
    rate_headers(window)
        .into_iter()
        .fold(Refusal::new(StatusCode::FORBIDDEN, message), |refusal, (name, value)| refusal.with_header(name, value))
}

fn rate_headers(window: RateWindow) -> [(&'static str, String); 4] {
    [
        ("x-ratelimit-limit", window.limit.to_string()),
        ("x-ratelimit-remaining", window.remaining().to_string()),
        ("x-ratelimit-used", window.used.to_string()),
        ("x-ratelimit-reset", window.resets_at.unix_timestamp().to_string()),
    ]
}

/// The headers of every answer, and 304 for what the caller has already.
fn dressed(mut given: Given, asked: &Asked, rate: Option<RateWindow>) -> Given {
    let headers = &mut given.headers;
    put(headers, "x-github-request-id", &request_id());
    put(headers, "x-github-media-type", "github.v3; format=json");
    let version = asked.headers.get("x-github-api-version").and_then(|value| value.to_str().ok());
    put(headers, "x-github-api-version-selected", version.unwrap_or(DEFAULT_API_VERSION));
    match (asked.layout, rate) {
        (Layout::EnterpriseServer, _) => put(headers, "x-github-enterprise-version", ENTERPRISE_VERSION),
        (Layout::GitHub, Some(window)) => {
            rate_headers(window).iter().for_each(|(name, value)| put(headers, name, value));
            put(headers, "x-ratelimit-resource", if is_graphql(&asked.uri) { "graphql" } else { "core" });
        }
        (Layout::GitHub, None) => {}
    }
    if asked.method == Method::GET && given.status == StatusCode::OK {
        let etag = format!("W/\"{}\"", hex::encode(Sha256::digest(&given.body)));
        let known = asked.headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        put(headers, "etag", &etag);
        put(headers, "cache-control", "private, max-age=60, s-maxage=60");
        if known == Some(etag.as_str()) {
            given.status = StatusCode::NOT_MODIFIED;
            given.body = Bytes::new();
        }
    }
    given
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

fn request_id() -> String {
    let id = Uuid::now_v7().as_u128();
    format!("{:04X}:{:05X}:{:07X}", id >> 112, (id >> 90) & 0xf_ffff, id & 0xfff_ffff)
}

fn record(stand: &Shared, asked: &Asked, given: &Given, fault: Option<Fault>, at: OffsetDateTime, duration: Duration) {
    let recorded = Recorded {
        at,
        method: asked.method.clone(),
        uri: asked.uri.clone(),
        headers: plain_headers(&asked.headers),
        auth: auth_of(&asked.headers),
        body: asked.body.clone(),
        duration,
        status: 0,
        response_headers: Vec::new(),
        response_body: Bytes::new(),
        note: fault.map(|fault| format!("fault: {fault:?}")),
    };
    stand.recorder.add(match fault {
        Some(Fault::Dropped) => recorded,
        _ => recorded.answered(given.status, &given.headers, given.body.clone()),
    });
}

fn send(given: Given, fault: Option<Fault>) -> Response {
    let keep = match fault {
        Some(Fault::LostAnswer | Fault::Dropped) => Some(0),
        Some(Fault::Truncated) => Some(given.body.len() / 2),
        _ => None,
    };
    let mut headers = given.headers;
    let body = match keep {
        None => Body::from(given.body),
        Some(keep) => {
            put(&mut headers, "content-length", &given.body.len().max(1).to_string());
            let left = Some(given.body.slice(..keep)).filter(|left| !left.is_empty());
            Body::new(Broken { pause: left.is_some(), left })
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = given.status;
    *response.headers_mut() = headers;
    response
}

/// A body that ends in a broken connection. With nothing to send, not even the status line leaves.
struct Broken {
    left: Option<Bytes>,
    /// What was given is written out before the end comes.
    pause: bool,
}

impl HttpBody for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if let Some(left) = self.left.take() {
            return Poll::Ready(Some(Ok(Frame::data(left))));
        }
        if std::mem::take(&mut self.pause) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(std::io::Error::other("the connection breaks on purpose"))))
    }
}
