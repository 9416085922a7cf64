//! The only place with SQL: one file per kind of record, the migrations, and the way everything is written.
//!
//! What is written is durable when a function returns. Times are passed in. Statements are one text for SQLite and PostgreSQL
//! wherever the two allow it.

mod change;
mod checks;
mod connect;
mod deliveries;
mod error;
mod installations;
mod jobs;
mod migrations;
mod moment;
mod names;
mod packed;
mod pull_requests;
mod purge;
mod reviews;
mod row;
mod wake;

use std::sync::Arc;

use sqlx::{AnyConnection, AnyPool, Connection};
use tokio::sync::watch;

use crate::settings::{DatabaseLocation, DatabaseSettings};

pub use checks::CheckRecord;
pub use deliveries::{Acceptance, Delivery, NewDelivery};
pub use error::StoreError;
pub use installations::{Installation, InstallationState};
pub use jobs::{Claimed, End, Enqueued, JobId, JobRecord, JobState, Lease, NewJob, QueueFigure, Standing};
pub use moment::{Clock, Moment};
pub use names::{BadEndpointName, DeliveryRef, EndpointName, RepositoryRef};
pub use pull_requests::PullRequestRecord;
pub use reviews::{Review, ReviewedSubject};

use change::{Change, Writer};
use connect::Dialect;
use wake::Wakeups;

/// Everything the server knows. Clones are the same store.
#[derive(Clone)]
pub struct Store(Arc<Parts>);

struct Parts {
    dialect: Dialect,
    readers: AnyPool,
    writer: Writer,
    wakeups: Wakeups,
}

impl Store {
    /// Opens the database and brings its tables up to date.
    ///
    /// # Errors
    /// It cannot be opened, or it is newer than this program.
    pub async fn open(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        match &settings.location {
            DatabaseLocation::Sqlite(path) => {
                let options = connect::sqlite_options(path)?;
                let mut connection = connect::sqlite_writer(&options).await?;
                migrations::migrate(&mut connection, Dialect::Sqlite, None).await?;
                let readers = connect::sqlite_readers(options.clone(), settings.connections).await?;
                let writer = Writer::single(options, connection);
                Ok(Self::of(Dialect::Sqlite, readers, writer, Wakeups::within_process()))
            }
            DatabaseLocation::Postgres(url) => {
                let options = connect::postgres_options(url)?;
                let mut connection = connect::postgres_migrator(&options).await?;
                migrations::migrate(&mut connection, Dialect::Postgres, None).await?;
                connection.close().await?;
                let pool = connect::postgres_pool(options, settings.connections).await?;
                let wakeups = Wakeups::across_processes(pool.clone(), url.clone());
                Ok(Self::of(Dialect::Postgres, pool.clone(), Writer::Pool(pool), wakeups))
            }
        }
    }

    /// Brings the tables to a version without opening the store.
    ///
    /// # Errors
    /// The database cannot be opened, or is newer than this program.
    pub async fn migrate_to(settings: &DatabaseSettings, version: i64) -> Result<(), StoreError> {
        let (mut connection, dialect) = match &settings.location {
            DatabaseLocation::Sqlite(path) => {
                (connect::sqlite_writer(&connect::sqlite_options(path)?).await?, Dialect::Sqlite)
            }
            DatabaseLocation::Postgres(url) => {
                (connect::postgres_migrator(&connect::postgres_options(url)?).await?, Dialect::Postgres)
            }
        };
        migrations::migrate(&mut connection, dialect, Some(version)).await?;
        Ok(connection.close().await?)
    }

    fn of(dialect: Dialect, readers: AnyPool, writer: Writer, wakeups: Wakeups) -> Self {
        Self(Arc::new(Parts { dialect, readers, writer, wakeups }))
    }

    /// Whether this store can be of use again: if not, only a new process helps.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.0.writer.is_alive()
    }

    /// Whether the database takes changes: a transaction without any.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.write(Ping).await
    }

    /// Changes whenever there may be a job to run. A change may be missed: whoever waits also looks now and then.
    #[must_use]
    pub fn wakeups(&self) -> watch::Receiver<u64> {
        self.0.wakeups.subscribe()
    }

    fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    fn readers(&self) -> &AnyPool {
        &self.0.readers
    }

    async fn write<C: Change>(&self, change: C) -> Result<C::Answer, StoreError> {
        self.0.writer.write(change).await
    }

    fn wake(&self) {
        self.0.wakeups.wake();
    }
}

struct Ping;

impl Change for Ping {
    type Answer = ();

    async fn apply(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(connection).await?;
        Ok(())
    }
}
