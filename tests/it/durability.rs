//! Nothing that was accepted is lost, whatever ends first: the process, the connection, or the patience of another writer.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use portcullis::settings::DatabaseLocation;
use portcullis::store::{Acceptance, JobState, NewDelivery, NewJob, Store};
use secrecy::SecretString;
use serde_json::Value;
use sqlx::{Connection, Executor};

use crate::databases::{self, TestDatabase, on_both_databases};
use crate::store::{LEASE, accept, at, delivery};

on_both_databases!(what_a_killed_process_accepted_is_there_and_what_it_had_claimed_is_run_again);

const VICTIM_DATABASE: &str = "PORTCULLIS_TEST_VICTIM_DATABASE";
const BODY: &[u8] = &[b'x'; 20_000];

/// Accepts deliveries and claims jobs until it is killed, and says so after each.
#[test]
#[ignore = "run and killed by the tests below"]
fn victim() {
    let url = std::env::var(VICTIM_DATABASE).unwrap();
    let location = match url.strip_prefix("sqlite://") {
        Some(path) => DatabaseLocation::Sqlite(PathBuf::from(path)),
        None => DatabaseLocation::Postgres(SecretString::from(url)),
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open(&databases::settings(location)).await.unwrap();
        for worker in 0..8 {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0.. {
                    let id = format!("d-{worker}-{number}");
                    accept(&store, &id, BODY, at(0)).await;
                    say(&format!("accepted {id}"));
                }
            });
        }
        loop {
            for job in store.claim_jobs(&["handle"], 1, LEASE, at(0)).await.unwrap() {
                say(&format!("claimed {}", job.lease.job()));
            }
        }
    });
}

/// Past the test harness, which keeps what is printed to itself.
fn say(line: &str) {
    std::io::stdout().lock().write_all(format!("\n{line}\n").as_bytes()).unwrap();
}

async fn what_a_killed_process_accepted_is_there_and_what_it_had_claimed_is_run_again(database: &TestDatabase) {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["durability::victim", "--exact", "--ignored", "--nocapture"])
        .env(VICTIM_DATABASE, database.url())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(victim.stdout.take().unwrap()).lines();
    let mut lines: Vec<String> = said.by_ref().take(1500).map(Result::unwrap).collect();
    victim.kill().unwrap();
    victim.wait().unwrap();
    lines.extend(said.map_while(Result::ok));
    let of = |verb: &str| -> HashSet<String> {
        lines.iter().filter_map(|line| line.strip_prefix(verb)).map(str::to_owned).collect()
    };
    let (accepted, claimed) = (of("accepted "), of("claimed "));
    assert!(accepted.len() > 100 && !claimed.is_empty(), "{} and {}", accepted.len(), claimed.len());

    let store = database.open().await;
    for id in &accepted {
        let stored = store.delivery(&delivery(id)).await.unwrap().expect("an accepted delivery is there");
        assert_eq!(stored.body.as_deref(), Some(BODY));
        let jobs = store.jobs_of_delivery(&delivery(id)).await.unwrap();
        assert_eq!(jobs.len(), 1, "{id}");
        assert!(matches!(jobs[0].state, JobState::Ready | JobState::Running));
    }
    let later = at(0).plus(LEASE * 2);
    assert!(store.reclaim_jobs(later).await.unwrap() >= claimed.len() as u64);
    let mut run_again = HashSet::new();
    loop {
        let jobs = store.claim_jobs(&["handle"], 500, LEASE, later).await.unwrap();
        if jobs.is_empty() {
            break;
        }
        run_again.extend(jobs.into_iter().map(|job| job.delivery.unwrap().id.to_string()));
    }
    assert!(run_again.is_superset(&accepted));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_accepted_while_postgresql_drops_connections_are_there() {
    let Some(database) = databases::postgres().await else { return };
    let store = database.open().await;
    let mut admin = sqlx::PgConnection::connect(&database.url()).await.unwrap();
    let accepting = tokio::spawn({
        let store = store.clone();
        async move {
            let mut accepted = Vec::new();
            for number in 0..400 {
                let id = format!("d-{number}");
                let new = NewDelivery { delivery: delivery(&id), kind: "push".into(), body: BODY.into() };
                if store.accept_delivery(new, NewJob::new("handle", Value::Null), at(0)).await.is_ok() {
                    accepted.push(id);
                }
            }
            accepted
        }
    });
    let mut dropped = 0;
    while !accepting.is_finished() {
        let drop_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()";
        dropped += admin.execute(drop_all).await.unwrap().rows_affected();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let accepted = accepting.await.unwrap();
    assert!(dropped > 0 && accepted.len() < 400, "{dropped} connections dropped, {} accepted", accepted.len());
    for id in &accepted {
        assert!(store.delivery(&delivery(id)).await.unwrap().is_some(), "{id}");
        assert_eq!(store.jobs_of_delivery(&delivery(id)).await.unwrap().len(), 1, "{id}");
    }
    assert_eq!(accept(&store, "after", BODY, at(1)).await, Acceptance::New, "the store has found back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_writer_of_the_same_sqlite_file_is_waited_for() {
    let database = databases::sqlite();
    let store = database.open().await;
    let mut other = sqlx::SqliteConnection::connect(&database.url()).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let accepting = tokio::spawn({
        let store = store.clone();
        async move { accept(&store, "d", BODY, at(0)).await }
    });
    // Reading goes on meanwhile.
    assert_eq!(store.delivery(&delivery("d")).await.unwrap(), None);
    assert!(!accepting.is_finished());
    other.execute("COMMIT").await.unwrap();
    assert_eq!(accepting.await.unwrap(), Acceptance::New);
}
