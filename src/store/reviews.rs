//! Reviews: what was answered about a pull request, with the whole report.

use std::collections::BTreeMap;

use portcullis_engine::evaluate::Verdict;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::change::Change;
use super::packed::{pack, unpack};
use super::row::Columns;
use super::{Moment, RepositoryRef, Store, StoreError};
use crate::forges::{BranchName, CheckKey, CommitSha};

/// Largest report kept, in bytes of JSON.
const REPORT_LIMIT_BYTES: usize = 48 << 20;

/// What was answered about a pull request or a merge queue's group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Where.
    pub repository: RepositoryRef,
    /// The check it was published as: the same for every try.
    pub key: CheckKey,
    /// The pull request; absent for a merge queue's group.
    pub pull_request: Option<u64>,
    /// The branch it wants to be merged into.
    pub base_branch: BranchName,
    /// The commit that was judged.
    pub head: CommitSha,
    /// What its changes were measured from.
    pub merge_base: CommitSha,
    /// The answer.
    pub verdict: Verdict,
    /// The whole report.
    pub report: Value,
    /// Milliseconds by step.
    pub timings: BTreeMap<String, u64>,
    /// When it began.
    pub started_at: Moment,
    /// When it was answered.
    pub finished_at: Moment,
}

/// What a review was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewedSubject {
    /// The commit that was judged.
    pub head: CommitSha,
    /// The branch it wants to become part of.
    pub base_branch: BranchName,
    /// What its changes were measured from.
    pub merge_base: CommitSha,
}

macro_rules! select_reviews {
    ($where:literal) => {
        concat!(
            "SELECT endpoint, repository, key, pull_request, base_branch, head, merge_base, verdict, report, timings, ",
            "started_at, finished_at FROM reviews WHERE endpoint = $1 AND repository = $2 AND ",
            $where,
            " ORDER BY finished_at DESC, key DESC LIMIT 1"
        )
    };
}

impl Store {
    /// Saves a review; one of the same key takes the place of the last.
    ///
    /// # Errors
    /// Nothing was saved.
    pub async fn save_review(&self, review: &Review) -> Result<(), StoreError> {
        let report = review.report.to_string();
        if report.len() > REPORT_LIMIT_BYTES {
            let figure = format!("a report of {} bytes; the limit is {REPORT_LIMIT_BYTES}", report.len());
            return Err(StoreError::TooLarge(figure));
        }
        let packing = tokio::task::spawn_blocking(move || pack(report.as_bytes()));
        let packed = packing.await.map_err(|_| StoreError::Closed)?;
        let timings = serde_json::json!(review.timings).to_string();
        let bare = Review { report: Value::Null, ..review.clone() };
        self.write(SaveReview { review: bare, packed, timings }).await
    }

    /// The review of a key.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn review(&self, repository: &RepositoryRef, key: &CheckKey) -> Result<Option<Review>, StoreError> {
        let found = sqlx::query(select_reviews!("key = $3"))
            .bind(repository.endpoint.as_str())
            .bind(repository.name.as_str())
            .bind(key.0.as_str())
            .fetch_optional(self.readers())
            .await?;
        found.as_ref().map(record).transpose()
    }

    /// Lets go of the review of a key: its check says something else.
    ///
    /// # Errors
    /// It is still there.
    pub async fn forget_review(&self, repository: &RepositoryRef, key: &CheckKey) -> Result<(), StoreError> {
        self.write(ForgetReview { repository: repository.clone(), key: key.clone() }).await
    }

    /// What the newest review of a pull request was about.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn latest_subject(
        &self,
        repository: &RepositoryRef,
        pull_request: u64,
    ) -> Result<Option<ReviewedSubject>, StoreError> {
        let found = sqlx::query(
            "SELECT head, base_branch, merge_base FROM reviews WHERE endpoint = $1 AND repository = $2 \
             AND pull_request = $3 ORDER BY finished_at DESC, key DESC LIMIT 1",
        )
        .bind(repository.endpoint.as_str())
        .bind(repository.name.as_str())
        .bind(i64::try_from(pull_request).map_err(|_| StoreError::TooLarge("a pull request's number".into()))?)
        .fetch_optional(self.readers())
        .await?;
        let subject = |row: &AnyRow| {
            Ok(ReviewedSubject {
                head: row.parsed("head")?,
                base_branch: row.parsed("base_branch")?,
                merge_base: row.parsed("merge_base")?,
            })
        };
        found.as_ref().map(subject).transpose()
    }
}

fn record(row: &AnyRow) -> Result<Review, StoreError> {
    let pull_request: Option<i64> = row.try_get("pull_request")?;
    let key: String = row.try_get("key")?;
    let packed: Vec<u8> = row.try_get("report")?;
    let timings: String = row.try_get("timings")?;
    let verdict: String = row.try_get("verdict")?;
    Ok(Review {
        repository: RepositoryRef { endpoint: row.parsed("endpoint")?, name: row.parsed("repository")? },
        key: CheckKey(key),
        pull_request: pull_request.map(u64::try_from).transpose().map_err(|_| StoreError::Corrupt("pull_request"))?,
        base_branch: row.parsed("base_branch")?,
        head: row.parsed("head")?,
        merge_base: row.parsed("merge_base")?,
        verdict: verdict_of(&verdict)?,
        report: serde_json::from_slice(&unpack(&packed)?).map_err(|_| StoreError::Corrupt("report"))?,
        timings: serde_json::from_str(&timings).map_err(|_| StoreError::Corrupt("timings"))?,
        started_at: row.moment("started_at")?,
        finished_at: row.moment("finished_at")?,
    })
}

fn verdict_text(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Error => "error",
    }
}

fn verdict_of(text: &str) -> Result<Verdict, StoreError> {
    let all = [Verdict::Pass, Verdict::Fail, Verdict::Error];
    all.into_iter().find(|known| verdict_text(*known) == text).ok_or(StoreError::Corrupt("verdict"))
}

struct SaveReview {
    review: Review,
    packed: Vec<u8>,
    timings: String,
}

impl Change for SaveReview {
    type Answer = ();

    async fn apply(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let review = &self.review;
        sqlx::query(
            "INSERT INTO reviews (endpoint, repository, key, pull_request, base_branch, head, merge_base, verdict, \
             report, timings, started_at, finished_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
             ON CONFLICT (endpoint, repository, key) DO UPDATE SET base_branch = excluded.base_branch, \
             head = excluded.head, merge_base = excluded.merge_base, verdict = excluded.verdict, \
             report = excluded.report, timings = excluded.timings, started_at = excluded.started_at, \
             finished_at = excluded.finished_at",
        )
        .bind(review.repository.endpoint.as_str())
        .bind(review.repository.name.as_str())
        .bind(review.key.0.as_str())
        .bind(review.pull_request.and_then(|number| i64::try_from(number).ok()))
        .bind(review.base_branch.as_str())
        .bind(review.head.as_str())
        .bind(review.merge_base.as_str())
        .bind(verdict_text(review.verdict))
        .bind(self.packed.as_slice())
        .bind(self.timings.as_str())
        .bind(review.started_at.0)
        .bind(review.finished_at.0)
        .execute(connection)
        .await?;
        Ok(())
    }
}

struct ForgetReview {
    repository: RepositoryRef,
    key: CheckKey,
}

impl Change for ForgetReview {
    type Answer = ();

    async fn apply(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM reviews WHERE endpoint = $1 AND repository = $2 AND key = $3")
            .bind(self.repository.endpoint.as_str())
            .bind(self.repository.name.as_str())
            .bind(self.key.0.as_str())
            .execute(connection)
            .await?;
        Ok(())
    }
}
