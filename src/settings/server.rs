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
    #[serde(deserialize_with = "number")]
    stop_grace_secs: u64,
}

impl Default for TypedServer {
    fn default() -> Self {
        Self { listen: "127.0.0.1:8080".into(), stop_grace_secs: 20 }
    }
}

/// Where the server listens and how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// How long requests and jobs may go on after a stop was asked for.
    pub stop_grace: Duration,
}

impl TypedServer {
    pub(super) fn validate(self, problems: &mut Problems<'_>) -> Option<ServerSettings> {
        let listen = self.listen.to_socket_addrs().ok().and_then(|mut addresses| addresses.next()).or_else(|| {
            let problem = format!("`{}` is no address to listen on", self.listen);
            problems.add("server.listen", problem, "Give address and port, like 127.0.0.1:8080 or 0.0.0.0:8080.")
        });
        let stop_grace_secs = problems.within("server.stop_grace_secs", self.stop_grace_secs, 0..=3600);
        Some(ServerSettings { listen: listen?, stop_grace: Duration::from_secs(stop_grace_secs?) })
    }
}
