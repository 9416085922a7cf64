//! The review of a merge queue's group: its own tree, against the branch it will become part of.

use async_trait::async_trait;

use super::plan::{ReviewMergeGroup, kind};
use super::reviewing::{Evaluated, Host, Reviewing, forge_of};
use super::{GivenUp, Job, JobError, Outcome, Run};
use crate::app::App;
use crate::review::{Subject, scopes};
use crate::store::RepositoryRef;

const GONE: &str = "The merge queue does not need this group any more.";

pub(super) struct ReviewMergeGroupJob;

#[async_trait]
impl Job<App> for ReviewMergeGroupJob {
    fn kind(&self) -> &'static str {
        kind::REVIEW_MERGE_GROUP
    }

    async fn run(&self, app: &App, run: &Run) -> Result<Outcome, JobError> {
        let asked: ReviewMergeGroup = run.payload()?;
        let forge = forge_of(app, &asked.endpoint)?.as_ref();
        let group = &asked.group;
        if asked.is_gone {
            end(app, &asked).await?;
            return Ok(Outcome::done());
        }
        let sources = app.matching_sources(group.repository.name.as_str(), group.base_branch.as_str());
        if sources.is_empty() {
            return Ok(Outcome::done());
        }

        let subject = subject(&asked);
        let reviewing =
            Reviewing { app, forge, endpoint: &asked.endpoint, subject: &subject, sources: scopes(&sources) };
        let Some(answer) = reviewing.answer(asked.again.as_deref()).await? else { return Ok(Outcome::done()) };
        let evaluated = tokio::select! {
            evaluated = reviewing.evaluated(&answer) => evaluated?,
            () = run.stop.cancelled() => return Ok(Outcome::superseded()),
        };
        reviewing.conclude(&answer, evaluated).await?;
        Ok(Outcome::done())
    }

    async fn give_up(&self, app: &App, run: &Run, why: &GivenUp<'_>) -> Result<(), JobError> {
        let asked: ReviewMergeGroup = run.payload()?;
        if asked.is_gone {
            return Ok(());
        }
        let forge = forge_of(app, &asked.endpoint)?.as_ref();
        let subject = subject(&asked);
        let sources = app.matching_sources(asked.group.repository.name.as_str(), asked.group.base_branch.as_str());
        let reviewing =
            Reviewing { app, forge, endpoint: &asked.endpoint, subject: &subject, sources: scopes(&sources) };
        let Some(answer) = reviewing.answer_in_words(asked.again.as_deref()).await? else { return Ok(()) };
        reviewing.conclude(&answer, Evaluated::given_up(run, why)).await
    }
}

/// Ends what is in progress for the group's commit.
async fn end(app: &App, asked: &ReviewMergeGroup) -> Result<(), JobError> {
    let forge = forge_of(app, &asked.endpoint)?.as_ref();
    let group = &asked.group;
    let known = RepositoryRef { endpoint: asked.endpoint.clone(), name: group.repository.name.clone() };
    let host = Host { app, forge, endpoint: &asked.endpoint };
    for record in app.store.checks_of_head(&known, &group.head).await? {
        if record.conclusion.is_none() {
            host.end(&group.repository, &record, GONE).await?;
        }
    }
    Ok(())
}

fn subject(asked: &ReviewMergeGroup) -> Subject {
    let group = &asked.group;
    Subject {
        repository: group.repository.clone(),
        pull_request: None,
        base_branch: group.base_branch.clone(),
        merge_base: group.base.clone(),
        head: group.head.clone(),
    }
}
