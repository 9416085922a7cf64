//! Checks: what we publish on commits, by our own key, and the id the host gave each.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::change::Change;
use super::row::Columns;
use super::{Moment, RepositoryRef, Store, StoreError};
use crate::forges::{CheckId, CheckKey, CommitSha, Conclusion};

/// A check and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRecord {
    /// Where.
    pub repository: RepositoryRef,
    /// Our own id of it.
    pub key: CheckKey,
    /// The pull request; absent for a merge queue's group.
    pub pull_request: Option<u64>,
    /// The commit it is of.
    pub head: CommitSha,
    /// What the host calls it; absent until it has answered.
    pub host_id: Option<CheckId>,
    /// The answer; absent while it is in progress.
    pub conclusion: Option<Conclusion>,
}

macro_rules! select_checks {
    ($where:literal) => {
        concat!(
            "SELECT endpoint, repository, key, pull_request, head, host_id, conclusion FROM checks ",
            "WHERE endpoint = $1 AND repository = $2 AND ",
            $where,
            " ORDER BY created_at, key LIMIT 1000"
        )
    };
}

impl Store {
    /// Notes a check before or after the host was told of it. A host's id, once known, stays.
    ///
    /// # Errors
    /// Nothing was noted.
    pub async fn save_check(&self, check: CheckRecord, now: Moment) -> Result<(), StoreError> {
        self.write(SaveCheck { check, now }).await
    }

    /// The check of a key.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn check(&self, repository: &RepositoryRef, key: &CheckKey) -> Result<Option<CheckRecord>, StoreError> {
        let found = sqlx::query(select_checks!("key = $3"))
            .bind(repository.endpoint.as_str())
            .bind(repository.name.as_str())
            .bind(key.0.as_str())
            .fetch_optional(self.readers())
            .await?;
        found.as_ref().map(record).transpose()
    }

    /// The checks of a commit, oldest first.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn checks_of_head(
        &self,
        repository: &RepositoryRef,
        head: &CommitSha,
    ) -> Result<Vec<CheckRecord>, StoreError> {
        let rows = sqlx::query(select_checks!("head = $3"))
            .bind(repository.endpoint.as_str())
            .bind(repository.name.as_str())
            .bind(head.as_str())
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(record).collect()
    }

    /// The checks of a pull request that are still in progress, oldest first: whoever takes over ends them.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn checks_in_progress(
        &self,
        repository: &RepositoryRef,
        pull_request: u64,
    ) -> Result<Vec<CheckRecord>, StoreError> {
        let rows = sqlx::query(select_checks!("pull_request = $3 AND conclusion IS NULL"))
            .bind(repository.endpoint.as_str())
            .bind(repository.name.as_str())
            .bind(i64::try_from(pull_request).unwrap_or(i64::MAX))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(record).collect()
    }
}

fn record(row: &AnyRow) -> Result<CheckRecord, StoreError> {
    let pull_request: Option<i64> = row.try_get("pull_request")?;
    let host_id: Option<String> = row.try_get("host_id")?;
    let key: String = row.try_get("key")?;
    let conclusion: Option<String> = row.try_get("conclusion")?;
    Ok(CheckRecord {
        repository: RepositoryRef { endpoint: row.parsed("endpoint")?, name: row.parsed("repository")? },
        key: CheckKey(key),
        pull_request: pull_request.map(u64::try_from).transpose().map_err(|_| StoreError::Corrupt("pull_request"))?,
        head: row.parsed("head")?,
        host_id: host_id.map(CheckId),
        conclusion: conclusion.as_deref().map(conclusion_of).transpose()?,
    })
}

fn conclusion_text(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Success => "success",
        Conclusion::Failure => "failure",
        Conclusion::Cancelled => "cancelled",
    }
}

fn conclusion_of(text: &str) -> Result<Conclusion, StoreError> {
    let all = [Conclusion::Success, Conclusion::Failure, Conclusion::Cancelled];
    all.into_iter().find(|known| conclusion_text(*known) == text).ok_or(StoreError::Corrupt("conclusion"))
}

struct SaveCheck {
    check: CheckRecord,
    now: Moment,
}

impl Change for SaveCheck {
    type Answer = ();

    async fn apply(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let check = &self.check;
        sqlx::query(
            "INSERT INTO checks \
             (endpoint, repository, key, pull_request, head, host_id, conclusion, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) \
             ON CONFLICT (endpoint, repository, key) DO UPDATE SET \
             host_id = COALESCE(excluded.host_id, checks.host_id), conclusion = excluded.conclusion, \
             updated_at = excluded.updated_at",
        )
        .bind(check.repository.endpoint.as_str())
        .bind(check.repository.name.as_str())
        .bind(check.key.0.as_str())
        .bind(check.pull_request.and_then(|number| i64::try_from(number).ok()))
        .bind(check.head.as_str())
        .bind(check.host_id.as_ref().map(|id| id.0.as_str()))
        .bind(check.conclusion.map(conclusion_text))
        .bind(self.now.0)
        .execute(connection)
        .await?;
        Ok(())
    }
}
