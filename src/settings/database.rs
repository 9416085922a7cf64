//! Which database holds what the server knows, and for how long.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use super::error::Problems;
use super::value::{number, secret};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// As typed. The whole URL counts as secret: it may hold a password.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TypedDatabase {
    #[serde(deserialize_with = "secret")]
    url: Option<SecretString>,
    #[serde(deserialize_with = "number")]
    connections: u64,
    #[serde(deserialize_with = "number")]
    keep_bodies_days: u64,
    #[serde(deserialize_with = "number")]
    keep_history_days: u64,
}

impl Default for TypedDatabase {
    fn default() -> Self {
        Self { url: None, connections: 10, keep_bodies_days: 7, keep_history_days: 90 }
    }
}

/// Which database, and how long it keeps things.
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    /// Which one.
    pub location: DatabaseLocation,
    /// Most connections at a time.
    pub connections: u32,
    /// How long the bodies of deliveries are kept once their jobs are done.
    pub keep_bodies: Duration,
    /// How long deliveries, jobs and reviews are kept.
    pub keep_history: Duration,
}

/// Which database.
#[derive(Clone, Debug)]
pub enum DatabaseLocation {
    /// A file.
    Sqlite(PathBuf),
    /// A server; the URL may hold a password.
    Postgres(SecretString),
}

impl TypedDatabase {
    pub(super) fn validate(self, problems: &mut Problems<'_>) -> Option<DatabaseSettings> {
        let url = self.url.unwrap_or_else(|| SecretString::from("sqlite://portcullis.db"));
        let location = location(&url).or_else(|problem| {
            let remedy =
                "Give sqlite://FILE (three slashes for an absolute path) or postgres://USER:PASSWORD@HOST/NAME.";
            problems.add("database.url", problem, remedy).ok_or(())
        });
        let connections = problems.within("database.connections", self.connections, 2..=1000);
        let bodies = problems.within("database.keep_bodies_days", self.keep_bodies_days, 1..=3650);
        let history = problems.within("database.keep_history_days", self.keep_history_days, 7..=3650);
        Some(DatabaseSettings {
            location: location.ok()?,
            connections: u32::try_from(connections?).ok()?,
            keep_bodies: DAY * u32::try_from(bodies?).ok()?,
            keep_history: DAY * u32::try_from(history?).ok()?,
        })
    }
}

fn location(url: &SecretString) -> Result<DatabaseLocation, &'static str> {
    use secrecy::ExposeSecret;
    let text = url.expose_secret();
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Ok(DatabaseLocation::Postgres(url.clone()));
    }
    let Some(path) = text.strip_prefix("sqlite:") else { return Err("it names neither SQLite nor PostgreSQL") };
    let path = path.strip_prefix("//").unwrap_or(path);
    match path {
        "" => Err("it names no file"),
        _ if path.contains(":memory:") => Err("a database in memory would forget accepted deliveries"),
        _ if path.contains(['?', '#', '%']) => Err("a file is named without parameters and escapes"),
        _ => Ok(DatabaseLocation::Sqlite(PathBuf::from(path))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(url: &str) -> Result<String, &'static str> {
        location(&SecretString::from(url)).map(|location| match location {
            DatabaseLocation::Sqlite(path) => path.display().to_string(),
            DatabaseLocation::Postgres(_) => "postgres".to_owned(),
        })
    }

    #[test]
    fn a_url_names_a_file_or_a_server() {
        assert_eq!(file("sqlite://portcullis.db").unwrap(), "portcullis.db");
        assert_eq!(file("sqlite:///var/lib/portcullis.db").unwrap(), "/var/lib/portcullis.db");
        assert_eq!(file("sqlite:data/p.db").unwrap(), "data/p.db");
        assert_eq!(file("postgresql://u:p@h/n").unwrap(), "postgres");
        for bad in ["mysql://x", "sqlite::memory:", "sqlite://", "sqlite://a.db?mode=ro", ""] {
            assert!(file(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let shown = format!("{:?}", location(&SecretString::from("postgres://u:hunter2@h/n")).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
