//! One origin over HTTP: sends a request as it is and reads the whole answer, within time and size.
//!
//! octocrab carries it over a client that does nothing on its own: no repeats, no redirects, no credentials, no headers.

use std::error::Error;
use std::time::Duration;

use http::Uri;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};

use super::{Answer, Pace, Request, SendError, redact};

/// How long a connection is kept that nobody uses.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// The connection to a host could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("HTTPS cannot be set up, are the system's CA certificates installed? {0}")]
pub struct TransportError(String);

/// The way to one origin.
pub(crate) struct Transport {
    octocrab: Octocrab,
    origin: String,
    pace: Pace,
}

impl Transport {
    /// The way to an origin: scheme and authority, no path. To be called inside a runtime, which carries it.
    ///
    /// # Errors
    /// [`TransportError`] when the system has no certificates for HTTPS.
    pub(crate) fn new(origin: &str, pace: Pace) -> Result<Self, TransportError> {
        Ok(Self { octocrab: octocrab(origin, pace)?, origin: origin.to_owned(), pace })
    }

    /// Sends a request to another path than its own: once, to this origin.
    pub(crate) async fn send(&self, request: &Request, path: &str) -> Result<Answer, SendError> {
        let mut outgoing = http::Request::new(OctoBody::from(request.body.clone()));
        *outgoing.method_mut() = request.method.clone();
        *outgoing.headers_mut() = request.headers.clone();
        *outgoing.uri_mut() = format!("{}{path}", self.origin)
            .parse()
            .map_err(|error| SendError::Strayed(format!("`{path}` is no path: {error}")))?;
        match tokio::time::timeout(self.pace.answer_timeout, self.exchange(outgoing, request.answer_limit_bytes)).await
        {
            Ok(outcome) => outcome,
            Err(_) => {
                let secs = self.pace.answer_timeout.as_secs_f32();
                Err(SendError::NoAnswer(format!("no answer from {} within {secs} s", self.origin)))
            }
        }
    }

    async fn exchange(&self, request: http::Request<OctoBody>, limit_bytes: usize) -> Result<Answer, SendError> {
        let response =
            self.octocrab.send(request).await.map_err(|error| self.no_answer(error.source().unwrap_or(&error)))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, limit_bytes).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                return SendError::TooLarge { limit_bytes };
            }
            self.no_answer(error.as_ref())
        })?;
        Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
    }

    /// The path and query a redirect leads to.
    ///
    /// # Errors
    /// [`SendError::Strayed`] when it leads to another origin: nothing is sent there, with or without credentials.
    pub(crate) fn own_path(&self, location: &str) -> Result<String, SendError> {
        let stray = || SendError::Strayed(format!("{} sends us to `{}`: not followed", self.origin, redact(location)));
        let uri: Uri = location.parse().map_err(|_| stray())?;
        if let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) {
            let target = format!("{scheme}://{authority}");
            if !target.eq_ignore_ascii_case(&self.origin) {
                return Err(stray());
            }
        } else if !location.starts_with('/') || location.starts_with("//") {
            return Err(stray());
        }
        uri.path_and_query().map(ToString::to_string).ok_or_else(stray)
    }

    fn no_answer(&self, error: &dyn Error) -> SendError {
        let mut text = format!("no answer from {}: {error}", self.origin);
        let mut cause = error.source();
        while let Some(error) = cause {
            let because = error.to_string();
            if !text.ends_with(&because) {
                text.push_str(": ");
                text.push_str(&because);
            }
            cause = error.source();
        }
        SendError::NoAnswer(redact(&text).into_owned())
    }
}

/// octocrab's own client would send its name beside ours, and needs certificates even for loopback, where a machine without
/// any must be able to run the demo.
fn octocrab(origin: &str, pace: Pace) -> Result<Octocrab, TransportError> {
    let mut tcp = HttpConnector::new();
    tcp.set_connect_timeout(Some(pace.connect_timeout));
    tcp.set_nodelay(true);
    // A connection that a firewall forgot meanwhile costs the whole timeout: none is kept for long.
    let mut client = HyperClient::builder(TokioExecutor::new());
    client.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_LIMIT);
    let builder = OctocrabBuilder::new_empty();
    let Ok(octocrab) = if origin.starts_with("http://") {
        builder.with_service(client.build::<_, OctoBody>(tcp)).with_auth(AuthState::None).build()
    } else {
        tcp.enforce_http(false);
        let tls =
            HttpsConnectorBuilder::new().with_native_roots().map_err(|error| TransportError(error.to_string()))?;
        let connector = tls.https_only().enable_http1().wrap_connector(tcp);
        builder.with_service(client.build::<_, OctoBody>(connector)).with_auth(AuthState::None).build()
    };
    Ok(octocrab)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn https_can_be_set_up() {
        assert!(Transport::new("https://api.github.com", Pace::default()).is_ok());
    }

    #[tokio::test]
    async fn only_the_own_origin_is_followed() {
        let transport = Transport::new("http://127.0.0.1:9", Pace::default()).unwrap();
        assert_eq!(transport.own_path("http://127.0.0.1:9/repositories/1?a=b").unwrap(), "/repositories/1?a=b");
        assert_eq!(transport.own_path("/x").unwrap(), "/x");
        for stray in
            ["http://127.0.0.1:90/x", "https://127.0.0.1:9/x", "//evil.example/x", "http://a@127.0.0.1:9/x", "x", ""]
        {
            assert!(matches!(transport.own_path(stray), Err(SendError::Strayed(_))), "{stray}");
        }
    }
}
