//! Pull requests as last heard of: which head belongs to which, also for forks, of which a host's check events say nothing.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::change::Change;
use super::row::Columns;
use super::{Moment, RepositoryRef, Store, StoreError};
use crate::forges::{BranchName, CommitSha};

/// A pull request as last heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequestRecord {
    /// The repository it wants to be merged into.
    pub repository: RepositoryRef,
    /// Its number.
    pub number: u64,
    /// Its newest commit.
    pub head: CommitSha,
    /// The branch it wants to be merged into.
    pub base_branch: BranchName,
    /// Whether it is open.
    pub is_open: bool,
}

macro_rules! select_pull_requests {
    ($where:literal) => {
        concat!(
            "SELECT endpoint, repository, number, head, base_branch, is_open FROM pull_requests ",
            "WHERE endpoint = $1 AND repository = $2 AND ",
            $where,
            " ORDER BY number LIMIT 10000"
        )
    };
}

impl Store {
    /// Notes what was heard of a pull request at a time; what was heard before is not believed over what was heard later.
    ///
    /// # Errors
    /// Nothing was noted.
    pub async fn save_pull_request(&self, seen: PullRequestRecord, at: Moment) -> Result<(), StoreError> {
        self.write(SavePullRequest { seen, at }).await
    }

    /// A pull request as last heard of.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn pull_request(
        &self,
        repository: &RepositoryRef,
        number: u64,
    ) -> Result<Option<PullRequestRecord>, StoreError> {
        let found = sqlx::query(select_pull_requests!("number = $3"))
            .bind(repository.endpoint.as_str())
            .bind(repository.name.as_str())
            .bind(i64::try_from(number).unwrap_or(i64::MAX))
            .fetch_optional(self.readers())
            .await?;
        found.as_ref().map(record).transpose()
    }

    /// The pull requests whose newest commit this is.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn pull_requests_of_head(
        &self,
        repository: &RepositoryRef,
        head: &CommitSha,
    ) -> Result<Vec<PullRequestRecord>, StoreError> {
        self.select(select_pull_requests!("head = $3"), repository, head.as_str()).await
    }

    /// The open pull requests into a branch.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn open_pull_requests(
        &self,
        repository: &RepositoryRef,
        base_branch: &BranchName,
    ) -> Result<Vec<PullRequestRecord>, StoreError> {
        let statement = select_pull_requests!("base_branch = $3 AND is_open = 1");
        self.select(statement, repository, base_branch.as_str()).await
    }

    async fn select(
        &self,
        statement: &'static str,
        repository: &RepositoryRef,
        wanted: &str,
    ) -> Result<Vec<PullRequestRecord>, StoreError> {
        let rows = sqlx::query(statement)
            .bind(repository.endpoint.as_str())
            .bind(repository.name.as_str())
            .bind(wanted)
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(record).collect()
    }
}

fn record(row: &AnyRow) -> Result<PullRequestRecord, StoreError> {
    let is_open: i64 = row.try_get("is_open")?;
    Ok(PullRequestRecord {
        repository: RepositoryRef { endpoint: row.parsed("endpoint")?, name: row.parsed("repository")? },
        number: row.whole("number")?,
        head: row.parsed("head")?,
        base_branch: row.parsed("base_branch")?,
        is_open: is_open != 0,
    })
}

struct SavePullRequest {
    seen: PullRequestRecord,
    at: Moment,
}

impl Change for SavePullRequest {
    type Answer = ();

    async fn apply(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let seen = &self.seen;
        sqlx::query(
            "INSERT INTO pull_requests (endpoint, repository, number, head, base_branch, is_open, seen_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (endpoint, repository, number) DO UPDATE SET head = excluded.head, \
             base_branch = excluded.base_branch, is_open = excluded.is_open, seen_at = excluded.seen_at \
             WHERE excluded.seen_at >= pull_requests.seen_at",
        )
        .bind(seen.repository.endpoint.as_str())
        .bind(seen.repository.name.as_str())
        .bind(i64::try_from(seen.number).map_err(|_| StoreError::TooLarge("a pull request's number".into()))?)
        .bind(seen.head.as_str())
        .bind(seen.base_branch.as_str())
        .bind(i64::from(seen.is_open))
        .bind(self.at.0)
        .execute(connection)
        .await?;
        Ok(())
    }
}
