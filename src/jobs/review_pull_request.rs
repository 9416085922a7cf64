//! The review of a pull request, from its newest commit to the check on it.

use std::time::Duration;

use async_trait::async_trait;

use super::plan::{Announced, Reason, ReviewPullRequest, review};
use super::reviewing::{Evaluated, Host, Reviewing, forge_of};
use super::same_head::release;
use super::{GivenUp, Job, JobError, Outcome, Run};
use crate::app::App;
use crate::forges::{CommitSha, PullRequest, PullRequestState};
use crate::review::{Subject, scopes};
use crate::store::{PullRequestRecord, RepositoryRef};

/// How long to wait for a host whose answers lag behind its deliveries.
const LAG: Duration = Duration::from_secs(2);
/// How long it is waited for: after that it does not lag, and the delivery came late.
const LAG_LIMIT: Duration = Duration::from_secs(30);
const OUTDATED: &str = "A newer commit took the place of this one; its check has the answer.";
const CLOSED: &str = "The pull request was closed.";
const UNWATCHED: &str = "No source watches the branch this pull request goes into any more.";

/// Two kinds of one job: a review that was asked for again is not superseded by one that only looks whether anything changed.
pub(super) struct ReviewPullRequestJob {
    /// Its name in the queue.
    pub(super) kind: &'static str,
}

#[async_trait]
impl Job<App> for ReviewPullRequestJob {
    fn kind(&self) -> &'static str {
        self.kind
    }

    async fn run(&self, app: &App, run: &Run) -> Result<Outcome, JobError> {
        let asked: ReviewPullRequest = run.payload()?;
        let forge = forge_of(app, &asked.endpoint)?.as_ref();
        let host = Host { app, forge, endpoint: &asked.endpoint };

        let pull = forge.pull_request(&asked.repository, asked.number).await?;
        let age = app.clock.now().since(run.created_at);
        if lags_behind(&pull, asked.announced.as_ref()) && age <= LAG_LIMIT {
            let reason = "the host does not know yet what its delivery announced".to_owned();
            return Err(JobError::Retry { after: LAG, reason });
        }
        release(app, &asked, &pull).await?;
        note(app, &asked, &pull).await?;
        if pull.state == PullRequestState::Closed {
            host.end_others(&asked.repository, asked.number, None, CLOSED).await?;
            return Ok(Outcome::done());
        }
        host.end_others(&asked.repository, asked.number, Some(&pull.head), OUTDATED).await?;
        let sources = app.matching_sources(asked.repository.name.as_str(), pull.base_branch.as_str());
        if sources.is_empty() {
            host.end_others(&asked.repository, asked.number, None, UNWATCHED).await?;
            return Ok(Outcome::done());
        }

        let tip = forge.tip(&asked.repository, &pull.base_branch).await?;
        let subject = subject(&asked, &pull, forge.merge_base(&asked.repository, &tip, &pull.head).await?);
        let reviewing =
            Reviewing { app, forge, endpoint: &asked.endpoint, subject: &subject, sources: scopes(&sources) };
        let Some(answer) = reviewing.answer(asked.reason.again()).await? else { return Ok(Outcome::done()) };
        let evaluated = tokio::select! {
            evaluated = reviewing.evaluated(&answer) => evaluated?,
            () = run.stop.cancelled() => return Ok(Outcome::superseded()),
        };

        // A late answer must not stand where a newer one belongs.
        let now = forge.pull_request(&asked.repository, asked.number).await?;
        if now.head != pull.head || now.state == PullRequestState::Closed {
            host.end_others(&asked.repository, asked.number, None, OUTDATED).await?;
            // The delivery that announced what was just seen may never come.
            let next = ReviewPullRequest { reason: Reason::Changed, announced: None, ..asked };
            return Ok(Outcome::superseded_by(review(&next)));
        }
        reviewing.conclude(&answer, evaluated).await?;
        Ok(Outcome::done())
    }

    async fn give_up(&self, app: &App, run: &Run, why: &GivenUp<'_>) -> Result<(), JobError> {
        let asked: ReviewPullRequest = run.payload()?;
        let forge = forge_of(app, &asked.endpoint)?.as_ref();
        let pull = forge.pull_request(&asked.repository, asked.number).await?;
        let sources = app.matching_sources(asked.repository.name.as_str(), pull.base_branch.as_str());
        if pull.state == PullRequestState::Closed || sources.is_empty() {
            return Ok(());
        }
        // Words need no merge base, and asking for one may be what fails.
        let subject = subject(&asked, &pull, pull.head.clone());
        let reviewing =
            Reviewing { app, forge, endpoint: &asked.endpoint, subject: &subject, sources: scopes(&sources) };
        let Some(answer) = reviewing.answer_in_words(asked.reason.again()).await? else { return Ok(()) };
        reviewing.conclude(&answer, Evaluated::given_up(run, why)).await
    }
}

/// Whether the host still answers with what was before the delivery.
fn lags_behind(pull: &PullRequest, announced: Option<&Announced>) -> bool {
    announced.is_some_and(|announced| announced.head != pull.head && announced.before.as_ref() == Some(&pull.head))
}

async fn note(app: &App, asked: &ReviewPullRequest, pull: &PullRequest) -> Result<(), JobError> {
    let seen = PullRequestRecord {
        repository: RepositoryRef { endpoint: asked.endpoint.clone(), name: asked.repository.name.clone() },
        number: asked.number,
        head: pull.head.clone(),
        base_branch: pull.base_branch.clone(),
        is_open: pull.state == PullRequestState::Open,
    };
    Ok(app.store.save_pull_request(seen, app.clock.now()).await?)
}

fn subject(asked: &ReviewPullRequest, pull: &PullRequest, merge_base: CommitSha) -> Subject {
    Subject {
        repository: asked.repository.clone(),
        pull_request: Some(asked.number),
        base_branch: pull.base_branch.clone(),
        merge_base,
        head: pull.head.clone(),
    }
}
