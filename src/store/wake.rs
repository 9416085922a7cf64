//! Telling workers that there may be something to do: in this process at once, in others through PostgreSQL's notifications.
//!
//! A lost notification costs a little time and nothing else: workers look by themselves now and then. So one notification
//! stands for all of the last 50 ms, sent outside the transactions: PostgreSQL lets only one notifying transaction commit at a time.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::AnyPool;
use sqlx::postgres::PgListener;
use tokio::sync::{mpsc, watch};
use tokio_util::task::AbortOnDropHandle;

const CHANNEL: &str = "portcullis_jobs";
const PAUSE_BETWEEN_NOTIFICATIONS: Duration = Duration::from_millis(50);
const PAUSE_BEFORE_RECONNECTING: Duration = Duration::from_secs(5);

/// Tells workers that there may be something to do.
pub(super) struct Wakeups {
    changes: watch::Sender<u64>,
    others: Option<mpsc::Sender<()>>,
    _tasks: Vec<AbortOnDropHandle<()>>,
}

impl Wakeups {
    /// For a database that only this process works on.
    pub(super) fn within_process() -> Self {
        Self { changes: watch::Sender::new(0), others: None, _tasks: Vec::new() }
    }

    /// For a database that other processes work on too.
    pub(super) fn across_processes(pool: AnyPool, url: SecretString) -> Self {
        let changes = watch::Sender::new(0);
        // One is enough: it stands for everything that happened before it is taken.
        let (others, asked) = mpsc::channel(1);
        let tasks = [tokio::spawn(notify(pool, asked)), tokio::spawn(listen(url, changes.clone()))];
        Self { changes, others: Some(others), _tasks: tasks.into_iter().map(AbortOnDropHandle::new).collect() }
    }

    pub(super) fn wake(&self) {
        bump(&self.changes);
        if let Some(others) = &self.others {
            let _ = others.try_send(());
        }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

fn bump(changes: &watch::Sender<u64>) {
    changes.send_modify(|count| *count = count.wrapping_add(1));
}

async fn notify(pool: AnyPool, mut asked: mpsc::Receiver<()>) {
    while asked.recv().await.is_some() {
        if let Err(error) = sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(&pool).await {
            tracing::warn!(%error, "other processes could not be told of new jobs; they will see them when they look");
        }
        tokio::time::sleep(PAUSE_BETWEEN_NOTIFICATIONS).await;
    }
}

async fn listen(url: SecretString, changes: watch::Sender<u64>) {
    loop {
        if let Err(error) = listen_until_lost(&url, &changes).await {
            tracing::warn!(%error, "not listening for new jobs of other processes; trying again soon");
        }
        tokio::time::sleep(PAUSE_BEFORE_RECONNECTING).await;
    }
}

async fn listen_until_lost(url: &SecretString, changes: &watch::Sender<u64>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect(url.expose_secret()).await?;
    listener.listen(CHANNEL).await?;
    loop {
        listener.recv().await?;
        bump(changes);
    }
}
