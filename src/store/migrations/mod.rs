//! The tables, brought up to date at start, however many processes start at once.
//!
//! A migration that was released is never changed: its checksum is kept with the database and compared. Each version has one
//! file per dialect, because their types differ; everything else about the two is the same.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, Connection, SqlSafeStr};

use super::StoreError;
use super::connect::Dialect;

/// Version, what it does, for SQLite, for PostgreSQL.
const MIGRATIONS: &[(i64, &str, &str, &str)] = &[
    (
        1,
        "deliveries and jobs",
        include_str!("sqlite/0001_deliveries_and_jobs.sql"),
        include_str!("postgres/0001_deliveries_and_jobs.sql"),
    ),
    (2, "reviews", include_str!("sqlite/0002_reviews.sql"), include_str!("postgres/0002_reviews.sql")),
];

/// Brings the tables to version `up_to`, or to the newest.
pub(super) async fn migrate(
    connection: &mut AnyConnection,
    dialect: Dialect,
    up_to: Option<i64>,
) -> Result<(), StoreError> {
    let migrator = migrator(dialect);
    match dialect {
        // SQLite has no lock that spans transactions, so all migrations are one.
        Dialect::Sqlite => {
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
            migrator.run_direct(up_to, &mut *transaction, false).await?;
            transaction.commit().await?;
        }
        // Here sqlx itself takes an advisory lock.
        Dialect::Postgres => migrator.run_direct(up_to, connection, false).await?,
    }
    Ok(())
}

fn migrator(dialect: Dialect) -> Migrator {
    let migrations = MIGRATIONS.iter().map(|&(version, what, sqlite, postgres)| {
        let sql = match dialect {
            Dialect::Sqlite => sqlite,
            Dialect::Postgres => postgres,
        };
        Migration::new(version, what.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}
