//! Several pull requests can share their newest commit, and a check belongs to a commit: it stands for all of them.
//!
//! Wanted: (1) a commit shows no pass while an open pull request of it does not pass, whichever was reviewed last: else a
//! second pull request of the same branch, into a branch that takes anything, would open the gate of the first; (2) once
//! that one is closed, moved on or mended, the others are not held back any longer.

use portcullis_engine::evaluate::{Report, Verdict};

use super::JobError;
use super::plan::{Reason, ReviewPullRequest, review};
use super::reviewing::{Reviewing, is_answer};
use crate::app::App;
use crate::forges::{Conclusion, ForgeError, PullRequest, PullRequestState};
use crate::store::{CheckRecord, PullRequestRecord, RepositoryRef};

/// An open pull request of the same commit that does not pass.
pub(super) struct Failing {
    /// Its number.
    pub(super) number: u64,
    /// What was found; absent when it could not be evaluated.
    pub(super) report: Option<Report>,
}

/// Another pull request of the commit under review that does not pass.
pub(super) async fn failing(reviewing: &Reviewing<'_>) -> Result<Option<Failing>, JobError> {
    let (store, subject, known) = (&reviewing.app.store, reviewing.subject, reviewing.known());
    let Some(number) = subject.pull_request else { return Ok(None) };
    let mut others = store.pull_requests_of_head(&known, &subject.head).await?;
    others.retain(|other| other.is_open && other.number != number);
    if others.is_empty() {
        return Ok(None);
    }
    let checks = store.checks_of_head(&known, &subject.head).await?;
    for other in others {
        let newest = checks.iter().rfind(|check| check.pull_request == Some(other.number) && is_answer(check));
        let Some(newest) = newest else { continue };
        if let Some(failing) = failing_as(reviewing, &other, newest).await? {
            return Ok(Some(failing));
        }
    }
    Ok(None)
}

/// What was answered for another pull request, if that is no pass and it is still as it was then. Its own verdict counts, not
/// what its check says: that may stand for others too.
async fn failing_as(
    reviewing: &Reviewing<'_>,
    other: &PullRequestRecord,
    newest: &CheckRecord,
) -> Result<Option<Failing>, JobError> {
    let answered = reviewing.app.store.review(&reviewing.known(), &newest.key).await?;
    let passes = match &answered {
        Some(review) => review.verdict == Verdict::Pass,
        None => newest.conclusion == Some(Conclusion::Success),
    };
    if passes || !is_still(reviewing, other).await? {
        return Ok(None);
    }
    // A report of another version of this program may not be readable any more; that it is no pass still holds.
    let report = answered.and_then(|review| serde_json::from_value(review.report).ok());
    Ok(Some(Failing { number: other.number, report }))
}

/// Whether a pull request is as it was last heard of, and still under watch.
async fn is_still(reviewing: &Reviewing<'_>, other: &PullRequestRecord) -> Result<bool, JobError> {
    let repository = &reviewing.subject.repository;
    let now = match reviewing.forge.pull_request(repository, other.number).await {
        Ok(now) => now,
        Err(ForgeError::NotFound(_)) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let is_watched = !reviewing.app.matching_sources(repository.name.as_str(), now.base_branch.as_str()).is_empty();
    let is_same = now.head == other.head && now.base_branch == other.base_branch;
    Ok(now.state == PullRequestState::Open && is_same && is_watched)
}

/// Has the others of a commit reviewed again when a pull request leaves it. To be called before what is known of it changes.
pub(super) async fn release(app: &App, asked: &ReviewPullRequest, now: &PullRequest) -> Result<(), JobError> {
    let known = RepositoryRef { endpoint: asked.endpoint.clone(), name: asked.repository.name.clone() };
    let Some(before) = app.store.pull_request(&known, asked.number).await? else { return Ok(()) };
    let stays = now.state == PullRequestState::Open && now.head == before.head && now.base_branch == before.base_branch;
    if stays || !before.is_open {
        return Ok(());
    }
    for other in app.store.pull_requests_of_head(&known, &before.head).await? {
        if other.is_open && other.number != asked.number {
            let again =
                ReviewPullRequest { number: other.number, reason: Reason::Changed, announced: None, ..asked.clone() };
            app.store.enqueue(review(&again), app.clock.now()).await?;
        }
    }
    Ok(())
}
