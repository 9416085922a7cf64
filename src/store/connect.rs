//! Opening SQLite and PostgreSQL so that both keep what they promise.
//!
//! SQLite: write-ahead log, every commit synced to the disk before it counts, one connection that writes and a few that read.
//! PostgreSQL: one pool. Both are reached through sqlx's `Any`, so that a statement is written once.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, Connection, Executor};

use super::StoreError;

/// How long a connection is waited for.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// What every SQLite connection is told. The cache is 16 MiB; the log is folded back every 4,000 pages instead of 1,000, which
/// halves the syncs under load.
const SQLITE_WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000; \
     PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4000; \
     PRAGMA journal_size_limit = 67108864";
const SQLITE_READER: &str = "PRAGMA busy_timeout = 10000; PRAGMA query_only = ON; PRAGMA cache_size = -8192";

/// What every PostgreSQL session is told: nothing of ours takes longer, and what hangs must not hold locks.
const POSTGRES_SESSION: &str = "SET statement_timeout = '30s'; SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '60s'";

/// A migration takes as long as it takes, and as long as the one another process is at.
const POSTGRES_MIGRATOR: &str = "SET statement_timeout = 0; SET lock_timeout = 0";

/// Which of the two a statement is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// The options of a SQLite file; made, readable for this user only, when it is not there.
pub(super) fn sqlite_options(path: &Path) -> Result<AnyConnectOptions, StoreError> {
    let shown = path.display();
    let failed = |error: &dyn std::fmt::Display| StoreError::Open(format!("{shown}: {error}"));
    let absolute = std::path::absolute(path).map_err(|error| failed(&error))?;
    if !absolute.exists() {
        create_private_file(&absolute).map_err(|error| failed(&error))?;
    }
    let text = absolute.to_str().ok_or_else(|| failed(&"the path is not UTF-8"))?;
    options(&format!("sqlite://{}?mode=rw", escaped(text)))
}

pub(super) fn postgres_options(url: &SecretString) -> Result<AnyConnectOptions, StoreError> {
    options(url.expose_secret())
}

fn options(url: &str) -> Result<AnyConnectOptions, StoreError> {
    sqlx::any::install_default_drivers();
    // The text of the error may repeat the URL, password included.
    AnyConnectOptions::from_str(url).map_err(|_| StoreError::Open("the URL is not well-formed".into()))
}

fn create_private_file(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// A path as part of a URL.
fn escaped(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// The connection that writes to SQLite.
pub(super) async fn sqlite_writer(options: &AnyConnectOptions) -> Result<AnyConnection, StoreError> {
    let mut connection = AnyConnection::connect_with(options).await?;
    connection.execute(SQLITE_WRITER).await?;
    Ok(connection)
}

/// The connections that read from SQLite.
pub(super) async fn sqlite_readers(options: AnyConnectOptions, most: u32) -> Result<AnyPool, StoreError> {
    pool(options, most, SQLITE_READER).await
}

/// The connection that migrates PostgreSQL.
pub(super) async fn postgres_migrator(options: &AnyConnectOptions) -> Result<AnyConnection, StoreError> {
    let mut connection = AnyConnection::connect_with(options).await?;
    connection.execute(POSTGRES_MIGRATOR).await?;
    Ok(connection)
}

/// The connections to PostgreSQL.
pub(super) async fn postgres_pool(options: AnyConnectOptions, most: u32) -> Result<AnyPool, StoreError> {
    pool(options, most, POSTGRES_SESSION).await
}

async fn pool(options: AnyConnectOptions, most: u32, first: &'static str) -> Result<AnyPool, StoreError> {
    let pool = AnyPoolOptions::new().max_connections(most).acquire_timeout(ACQUIRE_TIMEOUT).after_connect(
        move |connection, _| {
            Box::pin(async move {
                connection.execute(first).await?;
                Ok(())
            })
        },
    );
    Ok(pool.connect_with(options).await?)
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_path_cannot_become_a_parameter() {
        assert_eq!(escaped("/a b/ü?mode=memory#.db"), "/a%20b/%C3%BC%3Fmode%3Dmemory%23.db");
    }
}
