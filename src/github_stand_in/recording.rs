//! What was asked and what was answered, one JSON line each, so that others can judge both sides.
//!
//! Credentials are not written: of a JWT its header and claims are, of a token its kind and length.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

/// A request and its answer.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// When it came.
    pub at: OffsetDateTime,
    /// How.
    pub method: Method,
    /// Where to, with its query.
    pub uri: Uri,
    /// Its headers, without credentials.
    pub headers: Vec<(String, String)>,
    /// What kind of credential came with it.
    pub auth: Value,
    /// What was sent.
    pub body: Bytes,
    /// How long it took.
    pub duration: Duration,
    /// The answer's status; 0 when there was none.
    pub status: u16,
    /// The answer's headers.
    pub response_headers: Vec<(String, String)>,
    /// The answer.
    pub response_body: Bytes,
    /// The fault that was put in.
    pub note: Option<String>,
}

impl Recorded {
    /// The path without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// What was sent, as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn line(&self) -> Value {
        let headers = |list: &[(String, String)]| -> Value {
            list.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect::<Map<_, _>>().into()
        };
        let query: Map<String, Value> = query(&self.uri).map(|(name, value)| (name, value.into())).collect();
        let mut response = json!({ "status": self.status, "headers": headers(&self.response_headers) });
        put_body(&mut response, &hide_token(&self.response_body));
        let mut line = json!({
            "ts": self.at.unix_timestamp_nanos() as f64 / 1e9,
            "method": self.method.as_str(),
            "path": self.uri.path(),
            "query": query,
            "auth": self.auth,
            "headers": headers(&self.headers),
            "dur_ms": self.duration.as_secs_f64() * 1000.0,
        });
        put_body(&mut line, &self.body);
        if let Some(fields) = line.as_object_mut() {
            // A connection that broke gave no answer.
            if self.status > 0 {
                fields.insert("response".to_owned(), response);
            }
            fields.extend(self.note.iter().map(|note| ("note".to_owned(), note.as_str().into())));
        }
        line
    }
}

/// The parameters of a query, decoded.
pub(crate) fn query(uri: &Uri) -> impl Iterator<Item = (String, String)> {
    let pairs: Vec<(String, String)> = axum::extract::Query::try_from_uri(uri).map(|query| query.0).unwrap_or_default();
    pairs.into_iter()
}

fn put_body(target: &mut Value, body: &[u8]) {
    let Some(fields) = target.as_object_mut().filter(|_| !body.is_empty()) else { return };
    match serde_json::from_slice::<Value>(body) {
        Ok(json) => fields.insert("body".to_owned(), json),
        Err(_) => fields.insert("body_raw".to_owned(), String::from_utf8_lossy(body).into()),
    };
}

fn hide_token(body: &Bytes) -> Vec<u8> {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(mut fields)) if fields.contains_key("token") => {
            fields.insert("token".to_owned(), "[hidden]".into());
            serde_json::to_vec(&fields).unwrap_or_default()
        }
        _ => body.to_vec(),
    }
}

/// What a log may say about a credential.
pub(crate) fn auth_of(headers: &HeaderMap) -> Value {
    let text = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, credential)) = text.and_then(|text| text.split_once(' ')) else {
        return json!({ "kind": "none" });
    };
    if credential.starts_with("ghs_") {
        return json!({ "kind": "installation", "scheme": scheme, "length": credential.len() });
    }
    let mut parts = credential.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        serde_json::from_slice::<Value>(&bytes).ok()
    });
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(header), Some(claims)) => json!({ "kind": "jwt", "scheme": scheme, "header": header, "claims": claims }),
        _ => json!({ "kind": "token", "scheme": scheme }),
    }
}

/// Headers as a log has them.
pub(crate) fn plain_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let plain = headers.iter().filter(|(name, _)| *name != header::AUTHORIZATION);
    plain.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}

/// Everything that was asked, in memory and, when wanted, in a file.
pub(crate) struct Recorder {
    seen: Mutex<Vec<Recorded>>,
    file: Option<Mutex<File>>,
}

impl Recorder {
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn new(file: Option<&Path>) -> std::io::Result<Self> {
        let file = file.map(File::create).transpose()?.map(Mutex::new);
        Ok(Self { seen: Mutex::new(Vec::new()), file })
    }

    pub(crate) fn add(&self, recorded: Recorded) {
        if let Some(file) = &self.file {
            let line = format!("{}\n", recorded.line());
            let written = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
            if let Err(error) = written {
                tracing::warn!(%error, "the stand-in's recording could not be written");
            }
        }
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(recorded);
    }

    pub(crate) fn all(&self) -> Vec<Recorded> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Recorded {
    pub(crate) fn answered(mut self, status: StatusCode, headers: &HeaderMap, body: Bytes) -> Self {
        self.status = status.as_u16();
        self.response_headers = plain_headers(headers);
        self.response_body = body;
        self
    }
}
