//! A host on loopback that answers as a test says, and remembers what it was asked.
//!
//! With `PORTCULLIS_REQUEST_LOG_DIR` set, each host also writes what it saw and said to `<test>.jsonl` there, one JSON object
//! a line, to be judged by other programs.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use futures_util::stream;
use http::HeaderMap;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Without the host's prefix.
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    /// `GET /repos/o/r/pulls`
    pub(crate) fn what(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn is_mint(&self) -> bool {
        self.path.ends_with("/access_tokens")
    }
}

/// What a test answers.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Json(Value),
    Raw(Vec<u8>),
    /// The connection breaks before the answer is complete.
    Lost,
    /// Nothing comes for a long time.
    Late,
}

impl Reply {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Content::Json(body) }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::json(200, body)
    }

    pub(crate) fn raw(bytes: &[u8]) -> Self {
        Self { status: 200, headers: Vec::new(), body: Content::Raw(bytes.to_vec()) }
    }

    pub(crate) fn lost() -> Self {
        Self { status: 200, headers: Vec::new(), body: Content::Lost }
    }

    pub(crate) fn late() -> Self {
        Self { status: 200, headers: Vec::new(), body: Content::Late }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

type Script = Box<dyn FnMut(&Seen) -> Option<Reply> + Send>;

struct Inner {
    prefix: &'static str,
    seen: Mutex<Vec<Seen>>,
    script: Mutex<Script>,
    log: Option<PathBuf>,
}

/// A host that runs as long as the test.
pub(crate) struct Host {
    origin: String,
    inner: Arc<Inner>,
}

impl Host {
    /// A host whose interface lies below a prefix. What the script leaves open is answered by a new token, or 404.
    pub(crate) async fn start(
        prefix: &'static str,
        script: impl FnMut(&Seen) -> Option<Reply> + Send + 'static,
    ) -> Self {
        let inner =
            Arc::new(Inner { prefix, seen: Mutex::default(), script: Mutex::new(Box::new(script)), log: log_file() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(any(answer)).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { origin, inner }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Its interface, as settings name it.
    pub(crate) fn api_url(&self) -> String {
        format!("{}{}", self.origin, self.inner.prefix)
    }

    /// Everything it was asked.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.inner.seen.lock().unwrap().clone()
    }

    /// What it was asked besides tokens, as `GET /path`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.seen().iter().filter(|seen| !seen.is_mint()).map(Seen::what).collect()
    }

    pub(crate) fn mints(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(Seen::is_mint).collect()
    }
}

fn log_file() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("PORTCULLIS_REQUEST_LOG_DIR")?);
    let test = std::thread::current().name().unwrap_or("test").replace("::", ".");
    // A test with two hosts writes two files: they are different worlds.
    let taken = (0..).map(|n| folder.join(format!("{test}.{n}.jsonl")));
    taken.into_iter().find(|file| OpenOptions::new().write(true).create_new(true).open(file).is_ok())
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let arrived = SystemTime::now();
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let whole_path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let seen = Seen {
        method: parts.method.to_string(),
        path: whole_path.strip_prefix(inner.prefix).unwrap_or(&whole_path).to_owned(),
        query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        headers: parts.headers,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    };
    let minted = {
        let mut all = inner.seen.lock().unwrap();
        all.push(seen.clone());
        all.iter().filter(|seen| seen.is_mint()).count()
    };
    let scripted = (inner.script.lock().unwrap())(&seen);
    let reply = scripted.unwrap_or_else(|| if seen.is_mint() { token(minted) } else { not_found() });
    if let Some(log) = &inner.log {
        write_log(log, arrived, &parts.uri.to_string(), &seen, &reply);
    }
    response(reply).await
}

async fn response(reply: Reply) -> Response {
    let mut response = http::Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let body = match reply.body {
        Content::Json(value) => {
            response = response.header("content-type", "application/json; charset=utf-8");
            Body::from(value.to_string())
        }
        Content::Raw(bytes) => Body::from(bytes),
        Content::Lost => Body::from_stream(stream::iter([
            Ok(Bytes::from_static(b"{")),
            Err(std::io::Error::other("the connection breaks")),
        ])),
        Content::Late => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Body::empty()
        }
    };
    response.body(body).unwrap()
}

/// A token for an hour, longer than any of old.
pub(crate) fn token(number: usize) -> Reply {
    token_until(number, Duration::from_secs(3600))
}

pub(crate) fn token_until(number: usize, lifetime: Duration) -> Reply {
    let ends = (OffsetDateTime::now_utc() + lifetime).replace_nanosecond(0).unwrap();
    Reply::json(201, json!({"token": token_text(number), "expires_at": ends.format(&Rfc3339).unwrap()}))
}

/// The nth token a host gives out.
pub(crate) fn token_text(number: usize) -> String {
    format!("ghs_4242{number}_{}", "eyJhbGciOi.J9-_".repeat(33))
}

fn not_found() -> Reply {
    Reply::json(404, json!({"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}))
}

fn write_log(file: &PathBuf, arrived: SystemTime, uri: &str, seen: &Seen, reply: &Reply) {
    let since_epoch = arrived.duration_since(UNIX_EPOCH).unwrap();
    let headers = |map: Vec<(String, String)>| map.into_iter().collect::<BTreeMap<_, _>>();
    let sent = seen.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let mut entry = json!({
        "ts": since_epoch.as_secs_f64(),
        "dur_ms": arrived.elapsed().unwrap_or_default().as_millis() as u64,
        "method": seen.method,
        "path": uri,
        "headers": headers(sent.collect()),
        "response": {"status": reply.status, "headers": headers(reply.headers.clone())},
    });
    if !seen.body.is_null() {
        entry["body"] = seen.body.clone();
    }
    if let Content::Json(body) = &reply.body {
        entry["response"]["body"] = body.clone();
    }
    let mut file = OpenOptions::new().append(true).open(file).unwrap();
    writeln!(file, "{entry}").unwrap();
}
