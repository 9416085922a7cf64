//! Changes: the one way anything is written.
//!
//! Wanted: a change is durable when its caller hears of it; many small ones cost few syncs of the disk; one that fails takes no
//! other down; no change is half done.
//!
//! SQLite has one writer, a task that owns the writing connection. It takes all the changes that wait, up to a limit, applies
//! them in one transaction and answers after the commit. While one commit waits for the disk the next ones gather, so the group
//! grows with the load and a lone change never waits for company. When a change of a group fails, the group is rolled back and
//! each is applied in a transaction of its own. PostgreSQL does the same by itself for concurrent transactions, so there each
//! change is a transaction on the pool, tried again when another was in the way.

use std::pin::Pin;
use std::time::Duration;

use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, AnyPool, Connection};
use tokio::sync::{mpsc, oneshot};

use super::{StoreError, connect};

/// Most changes in one commit.
const GROUP_LIMIT: usize = 64;
/// Most changes waiting before callers wait to hand theirs over.
const QUEUE_LIMIT: usize = 1024;
/// How often a change is tried on PostgreSQL when others are in the way.
const TRIES: u32 = 5;

/// A change of the database. It may be applied more than once until a transaction commits, so it must not change itself.
pub(super) trait Change: Send + Sync + 'static {
    /// What the caller learns.
    type Answer: Send + 'static;

    /// Applies it within a transaction.
    fn apply(&self, connection: &mut AnyConnection) -> impl Future<Output = Result<Self::Answer, StoreError>> + Send;
}

/// Where changes are applied.
pub(super) enum Writer {
    /// In the task that owns SQLite's writing connection.
    Single(mpsc::Sender<Box<dyn Waiting>>),
    /// On any connection to PostgreSQL.
    Pool(AnyPool),
}

impl Writer {
    /// Starts the task that writes to SQLite. It ends when the last sender is gone and everything handed over is done.
    pub(super) fn single(options: AnyConnectOptions, connection: AnyConnection) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE_LIMIT);
        tokio::spawn(write_groups(options, connection, receiver));
        Self::Single(sender)
    }

    /// Whether changes can still be applied: the task that writes to SQLite has not ended.
    pub(super) fn is_alive(&self) -> bool {
        match self {
            Self::Single(sender) => !sender.is_closed(),
            Self::Pool(pool) => !pool.is_closed(),
        }
    }

    /// Applies a change; it is durable when this returns.
    pub(super) async fn write<C: Change>(&self, change: C) -> Result<C::Answer, StoreError> {
        match self {
            Self::Single(sender) => {
                let (reply, answer) = oneshot::channel();
                let waiting = Box::new(Told { change, answer: None, reply });
                sender.send(waiting).await.map_err(|_| StoreError::Closed)?;
                answer.await.map_err(|_| StoreError::Closed)?
            }
            Self::Pool(pool) => write_alone(pool, &change).await,
        }
    }
}

async fn write_alone<C: Change>(pool: &AnyPool, change: &C) -> Result<C::Answer, StoreError> {
    let mut attempt = 1;
    loop {
        let mut transaction = pool.begin().await?;
        match change.apply(&mut transaction).await {
            Ok(answer) => {
                transaction.commit().await?;
                return Ok(answer);
            }
            Err(error) if error.is_conflict() && attempt < TRIES => {
                transaction.rollback().await?;
                tokio::time::sleep(Duration::from_millis(u64::from(rand::random_range(1..=5 * attempt)))).await;
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// A change and whoever waits for its answer.
pub(super) trait Waiting: Send {
    fn apply<'a>(
        &'a mut self,
        connection: &'a mut AnyConnection,
    ) -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

    /// Tells the answer, now that the transaction is committed, or why there is none.
    fn tell(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Told<C: Change> {
    change: C,
    answer: Option<C::Answer>,
    reply: oneshot::Sender<Result<C::Answer, StoreError>>,
}

impl<C: Change> Waiting for Told<C> {
    fn apply<'a>(
        &'a mut self,
        connection: &'a mut AnyConnection,
    ) -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>> {
        Box::pin(async move {
            self.answer = Some(self.change.apply(connection).await?);
            Ok(())
        })
    }

    fn tell(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { answer, reply, .. } = *self;
        // Whoever asked may have gone; the change stands all the same.
        let _ = reply.send(committed.and_then(|()| answer.ok_or(StoreError::Closed)));
    }
}

async fn write_groups(
    options: AnyConnectOptions,
    connection: AnyConnection,
    mut queue: mpsc::Receiver<Box<dyn Waiting>>,
) {
    let mut connection = Some(connection);
    let mut group = Vec::with_capacity(GROUP_LIMIT);
    while queue.recv_many(&mut group, GROUP_LIMIT).await > 0 {
        let mut open = match connection.take() {
            Some(open) => open,
            None => match connect::sqlite_writer(&options).await {
                Ok(open) => open,
                Err(error) => {
                    tell_all(group.drain(..), &Err(error));
                    continue;
                }
            },
        };
        // A connection whose transaction could not be ended is not used again.
        if write_group(&mut open, &mut group).await.is_ok() {
            connection = Some(open);
        }
    }
    if let Some(connection) = connection {
        let _ = connection.close().await;
    }
}

/// Writes a group and tells everyone; an error means the connection is of no more use.
async fn write_group(connection: &mut AnyConnection, group: &mut Vec<Box<dyn Waiting>>) -> Result<(), StoreError> {
    match commit(connection, group).await {
        Ok(()) => tell_all(group.drain(..), &Ok(())),
        Err(Failure::Connection(error)) => {
            tell_all(group.drain(..), &Err(error.clone()));
            return Err(error);
        }
        Err(Failure::Change(error)) if group.len() == 1 => tell_all(group.drain(..), &Err(error)),
        Err(Failure::Change(_)) => {
            for waiting in group.drain(..) {
                let mut alone = [waiting];
                match commit(connection, &mut alone).await {
                    Ok(()) => tell_all(alone.into_iter(), &Ok(())),
                    Err(Failure::Change(error)) => tell_all(alone.into_iter(), &Err(error)),
                    Err(Failure::Connection(error)) => {
                        tell_all(alone.into_iter(), &Err(error.clone()));
                        return Err(error);
                    }
                }
            }
        }
    }
    Ok(())
}

enum Failure {
    /// Nothing can be written.
    Connection(StoreError),
    /// A change failed and everything was rolled back.
    Change(StoreError),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Connection(error.into())
    }
}

async fn commit(connection: &mut AnyConnection, group: &mut [Box<dyn Waiting>]) -> Result<(), Failure> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for waiting in group {
        if let Err(error) = waiting.apply(&mut transaction).await {
            transaction.rollback().await?;
            return Err(Failure::Change(error));
        }
    }
    transaction.commit().await?;
    Ok(())
}

fn tell_all(group: impl Iterator<Item = Box<dyn Waiting>>, outcome: &Result<(), StoreError>) {
    for waiting in group {
        waiting.tell(outcome.clone());
    }
}
