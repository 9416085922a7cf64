//! Both databases for every test that needs one.

use std::time::Duration;

use portcullis::settings::{DatabaseLocation, DatabaseSettings};
use portcullis::store::Store;
use secrecy::SecretString;

use crate::postgres;

/// Runs each test on SQLite in a file and on a PostgreSQL of its own.
macro_rules! on_both_databases {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(&crate::databases::sqlite()).await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(database) = crate::databases::postgres().await {
                    super::$test(&database).await;
                }
            })*
        }
    };
}

pub(crate) use on_both_databases;

/// An empty database, gone when this is dropped.
pub(crate) struct TestDatabase {
    pub(crate) settings: DatabaseSettings,
    _folder: Option<tempfile::TempDir>,
}

impl TestDatabase {
    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.settings).await.unwrap()
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.settings.location, DatabaseLocation::Postgres(_))
    }

    /// For `sqlx` itself.
    pub(crate) fn url(&self) -> String {
        url(&self.settings.location)
    }
}

pub(crate) fn url(location: &DatabaseLocation) -> String {
    use secrecy::ExposeSecret;
    match location {
        DatabaseLocation::Sqlite(path) => format!("sqlite://{}", path.display()),
        DatabaseLocation::Postgres(url) => url.expose_secret().to_owned(),
    }
}

pub(crate) fn settings(location: DatabaseLocation) -> DatabaseSettings {
    let day = Duration::from_secs(24 * 60 * 60);
    DatabaseSettings { location, connections: 8, keep_bodies: day, keep_history: day }
}

pub(crate) fn sqlite() -> TestDatabase {
    let folder = tempfile::tempdir().unwrap();
    let location = DatabaseLocation::Sqlite(folder.path().join("test 1.db"));
    TestDatabase { settings: settings(location), _folder: Some(folder) }
}

pub(crate) async fn postgres() -> Option<TestDatabase> {
    let url = postgres::new_database().await?;
    let settings = settings(DatabaseLocation::Postgres(SecretString::from(url)));
    Some(TestDatabase { settings, _folder: None })
}
