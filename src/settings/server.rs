//! Where the server listens and how it ends.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use serde::Deserialize;

use super::error::Problems;
use super::value::number;

/// As typed.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TypedServer {
    listen: String,
    public_url: Option<String>,
    #[serde(deserialize_with = "number")]
    stop_grace_secs: u64,
}

impl Default for TypedServer {
    fn default() -> Self {
        Self { listen: "127.0.0.1:8080".into(), public_url: None, stop_grace_secs: 20 }
    }
}

/// Where the server listens and how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// How people and code hosts reach it, without a trailing `/`.
    pub public_url: Option<String>,
    /// How long requests and jobs may go on after a stop was asked for.
    pub stop_grace: Duration,
}

impl TypedServer {
    pub(super) fn validate(self, problems: &mut Problems<'_>) -> Option<ServerSettings> {
        let listen = self.listen.to_socket_addrs().ok().and_then(|mut addresses| addresses.next()).or_else(|| {
            let problem = format!("`{}` is no address to listen on", self.listen);
            problems.add("server.listen", problem, "Give address and port, like 127.0.0.1:8080 or 0.0.0.0:8080.")
        });
        let public_url = match self.public_url.as_deref().map(web_url) {
            None => Some(None),
            Some(Some(url)) => Some(Some(url)),
            Some(None) => problems.add(
                "server.public_url",
                "it is no web address",
                "Give the address people reach this server at, like https://portcullis.example.com.",
            ),
        };
        let stop_grace_secs = problems.within("server.stop_grace_secs", self.stop_grace_secs, 0..=3600);
        Some(ServerSettings {
            listen: listen?,
            public_url: public_url?,
            stop_grace: Duration::from_secs(stop_grace_secs?),
        })
    }
}

/// A web address without credentials, query and fragment, and without a trailing `/`.
pub(super) fn web_url(text: &str) -> Option<String> {
    let uri: http::Uri = text.parse().ok()?;
    let authority = uri.authority()?;
    let well = matches!(uri.scheme_str(), Some("https" | "http"))
        && !authority.as_str().contains('@')
        && !authority.host().is_empty()
        && uri.query().is_none()
        && !text.contains('#');
    well.then(|| text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::web_url;

    #[test]
    fn an_address_with_anything_but_host_and_path_is_refused() {
        assert_eq!(web_url("https://a.example/x/").as_deref(), Some("https://a.example/x"));
        for bad in ["a.example", "ftp://a.example", "https://u:p@a.example", "https://a.example/?x=1", "https://", ""] {
            assert_eq!(web_url(bad), None, "{bad}");
        }
    }
}
