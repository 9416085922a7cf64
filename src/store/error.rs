//! Why the store did not do what it was asked.

use std::sync::Arc;

use sqlx::error::ErrorKind;

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached. Shared, because one failed commit is the failure of every change in it.
    #[error("the database did not answer as it should: {0}")]
    Database(Arc<sqlx::Error>),
    /// The database and this program do not fit.
    #[error("the database cannot be brought to this program's version: {0}")]
    Migration(Arc<sqlx::migrate::MigrateError>),
    /// The settings name a database that cannot be opened.
    #[error("the database cannot be opened: {0}")]
    Open(String),
    /// What is stored is not what this program writes.
    #[error("the database holds what this program did not write: {0}")]
    Corrupt(&'static str),
    /// More than is stored in one piece; the figure is in the text.
    #[error("too large to be stored: {0}")]
    TooLarge(String),
    /// The job belongs to somebody else by now, or to nobody.
    #[error("the lease of the job is lost")]
    LeaseLost,
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Migration(Arc::new(error))
    }
}

impl StoreError {
    /// Whether another transaction was in the way, so that the same change may succeed at once.
    pub(super) fn is_conflict(&self) -> bool {
        /// PostgreSQL's words for "could not serialize" and "deadlock detected".
        const CONFLICTS: [&str; 2] = ["40001", "40P01"];
        let Self::Database(error) = self else { return false };
        let Some(error) = error.as_database_error() else { return false };
        matches!(error.kind(), ErrorKind::UniqueViolation)
            || error.code().is_some_and(|code| CONFLICTS.contains(&code.as_ref()))
    }
}
