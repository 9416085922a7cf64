//! Migrations over what earlier versions left, on both databases.

use portcullis::store::{JobState, Store, StoreError};
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection, Executor, Row};

use crate::databases::{TestDatabase, on_both_databases};
use crate::store::{LEASE, at, delivery};

on_both_databases!(
    rows_of_an_earlier_version_are_still_understood,
    many_processes_may_start_at_once,
    a_migration_that_was_changed_is_refused,
    a_database_newer_than_the_program_is_refused,
    both_dialects_have_the_same_tables_and_columns,
    a_migration_takes_as_long_as_it_takes,
);

async fn connect(database: &TestDatabase) -> AnyConnection {
    install_default_drivers();
    AnyConnection::connect(&database.url()).await.unwrap()
}

async fn rows_of_an_earlier_version_are_still_understood(database: &TestDatabase) {
    Store::migrate_to(&database.settings, 1).await.unwrap();
    let mut connection = connect(database).await;
    for statement in [
        // The body: the tag of plain content, then the content.
        "INSERT INTO deliveries (endpoint, id, kind, body, size_bytes, received_at) \
         SELECT 'github', 'old-1', 'push', $1, 2, 1800000000000",
        "INSERT INTO jobs (id, kind, payload, priority, state, run_at, attempts, cancel, endpoint, delivery, created_at) \
         VALUES ('01990000-0000-7000-8000-000000000001', 'handle', '{\"n\":1}', 0, 'ready', 1800000000000, 0, 0, \
         'github', 'old-1', 1800000000000)",
        "INSERT INTO jobs (id, kind, payload, priority, state, run_at, attempts, lease, lease_until, cancel, created_at) \
         VALUES ('01990000-0000-7000-8000-000000000002', 'handle', '{\"n\":2}', 0, 'running', 1800000000000, 1, 'x', \
         1800000000000, 0, 1800000000000)",
    ] {
        let mut query = sqlx::query(statement);
        if statement.contains("$1") {
            query = query.bind(&b"\0{}"[..]);
        }
        query.execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();

    let store = database.open().await;
    assert_eq!(store.delivery(&delivery("old-1")).await.unwrap().unwrap().body.as_deref(), Some(&b"{}"[..]));
    assert_eq!(store.jobs_of_delivery(&delivery("old-1")).await.unwrap()[0].state, JobState::Ready);
    assert_eq!(store.reclaim_jobs(at(1)).await.unwrap(), 1, "a job whose process vanished before the update");
    let claimed = store.claim_jobs(&["handle"], 9, LEASE, at(2)).await.unwrap();
    assert_eq!(claimed.iter().map(|job| &job.payload["n"]).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(store.installations().await.unwrap(), [], "the newer tables are there");
}

async fn many_processes_may_start_at_once(database: &TestDatabase) {
    let starts = (0..4).map(|_| {
        let mut settings = database.settings.clone();
        settings.connections = 2;
        tokio::spawn(async move { Store::open(&settings).await })
    });
    for start in starts.collect::<Vec<_>>() {
        start.await.unwrap().unwrap().ping().await.unwrap();
    }
    let mut connection = connect(database).await;
    let row = connection.fetch_one("SELECT COUNT(*) AS applied FROM _sqlx_migrations").await.unwrap();
    assert_eq!(row.get::<i64, _>("applied"), 2);
}

async fn a_migration_that_was_changed_is_refused(database: &TestDatabase) {
    database.open().await;
    let mut connection = connect(database).await;
    sqlx::query("UPDATE _sqlx_migrations SET checksum = $1 WHERE version = 1")
        .bind(&b"another"[..])
        .execute(&mut connection)
        .await
        .unwrap();
    let error = Store::open(&database.settings).await.map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Migration(_)), "{error}");
    assert!(error.to_string().contains('1'), "{error}");
}

async fn a_database_newer_than_the_program_is_refused(database: &TestDatabase) {
    database.open().await;
    let mut connection = connect(database).await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
         SELECT 9999, 'from the future', installed_on, success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
    connection.execute(newer).await.unwrap();
    let error = Store::open(&database.settings).await.map(drop).unwrap_err();
    assert!(error.to_string().contains("9999"), "{error}");
}

async fn both_dialects_have_the_same_tables_and_columns(database: &TestDatabase) {
    database.open().await;
    let mut connection = connect(database).await;
    let list = if database.is_postgres() {
        "SELECT CAST(table_name AS TEXT) AS table_name, CAST(column_name AS TEXT) AS column_name FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations' ORDER BY 1, 2"
    } else {
        "SELECT t.name AS table_name, c.name AS column_name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c \
         WHERE t.type = 'table' AND t.name NOT LIKE '%sqlx%' AND t.name NOT LIKE 'sqlite%' ORDER BY 1, 2"
    };
    let rows = connection.fetch_all(list).await.unwrap();
    let mut tables = std::collections::BTreeMap::<String, String>::new();
    for row in rows {
        let (table, column): (String, String) = (row.get("table_name"), row.get("column_name"));
        let columns = tables.entry(table).or_default();
        columns.push(' ');
        columns.push_str(&column);
    }
    let lines: Vec<String> = tables.into_iter().map(|(table, columns)| format!("{table}:{columns}")).collect();
    insta::allow_duplicates! {
        insta::assert_snapshot!(lines.join("\n"), @"
        checks: conclusion created_at endpoint head host_id key pull_request repository updated_at
        deliveries: body endpoint id kind received_at size_bytes
        installations: access account endpoint state updated_at
        jobs: attempts cancel created_at delivery endpoint finished_at id key kind lane last_error lease lease_until payload priority run_at started_at state
        pull_requests: base_branch endpoint head is_open number repository seen_at
        reviews: base_branch endpoint finished_at head key merge_base pull_request report repository started_at timings verdict
        ");
    }
}

async fn a_migration_takes_as_long_as_it_takes(database: &TestDatabase) {
    if !database.is_postgres() {
        return;
    }
    let mut connection = connect(database).await;
    connection
        .execute(
            "CREATE TABLE limits (limits TEXT);
             CREATE FUNCTION note_limits() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
                 INSERT INTO limits VALUES (current_setting('statement_timeout') || ' ' || current_setting('lock_timeout'));
             END $$;
             CREATE EVENT TRIGGER note_limits ON ddl_command_start EXECUTE FUNCTION note_limits()",
        )
        .await
        .unwrap();
    database.open().await;
    let noted = connection.fetch_all("SELECT DISTINCT limits FROM limits").await.unwrap();
    assert_eq!(noted.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>(), ["0 0"]);
}
