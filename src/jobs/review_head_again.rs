//! Somebody asked for the check of a commit again: finds what the commit belongs to, and reviews that anew.

use std::collections::BTreeSet;

use anyhow::Context;
use async_trait::async_trait;

use super::plan::{
    Reason, ReviewHeadAgain, ReviewMergeGroup, ReviewPullRequest, group_lane, kind, review, review_group,
};
use super::reviewing::forge_of;
use super::{Job, JobError, Outcome, Run};
use crate::app::App;
use crate::forges::PullRequestFilter;
use crate::store::{NewJob, RepositoryRef};

pub(super) struct ReviewHeadAgainJob;

#[async_trait]
impl Job<App> for ReviewHeadAgainJob {
    fn kind(&self) -> &'static str {
        kind::REVIEW_HEAD_AGAIN
    }

    async fn run(&self, app: &App, run: &Run) -> Result<Outcome, JobError> {
        let again: ReviewHeadAgain = run.payload()?;
        let groups = groups(app, &again).await?;
        if !groups.is_empty() {
            return Ok(Outcome::followed_by(groups));
        }
        let forge = forge_of(app, &again.endpoint)?;
        let known = RepositoryRef { endpoint: again.endpoint.clone(), name: again.repository.name.clone() };
        let mut numbers: BTreeSet<u64> = again.pull_requests.iter().copied().collect();
        // A host's check events say nothing of pull requests from forks: our own notes and the host's lists do.
        numbers.extend(app.store.pull_requests_of_head(&known, &again.head).await?.iter().map(|record| record.number));
        let filter = PullRequestFilter::OfHead(again.head.clone());
        numbers.extend(forge.open_pull_requests(&again.repository, &filter).await?.iter().map(|pull| pull.number));
        let follow_up = |number| {
            review(&ReviewPullRequest {
                endpoint: again.endpoint.clone(),
                repository: again.repository.clone(),
                number,
                reason: Reason::Again(again.delivery.clone()),
                announced: None,
            })
        };
        Ok(Outcome::followed_by(numbers.into_iter().map(follow_up).collect()))
    }
}

/// The merge group whose commit this is, as far as one was announced, whatever came of its review.
async fn groups(app: &App, again: &ReviewHeadAgain) -> Result<Vec<NewJob>, JobError> {
    let known = RepositoryRef { endpoint: again.endpoint.clone(), name: again.repository.name.clone() };
    if !app.store.checks_of_head(&known, &again.head).await?.iter().any(|check| check.pull_request.is_none()) {
        return Ok(Vec::new());
    }
    let lane = group_lane(&again.endpoint, &again.repository, &again.head);
    let Some(announced) = app.store.newest_of_lane(&lane).await? else { return Ok(Vec::new()) };
    let announced: ReviewMergeGroup =
        serde_json::from_value(announced).context("reading what was known of the group")?;
    let job = ReviewMergeGroup { is_gone: false, again: Some(again.delivery.clone()), ..announced };
    Ok(vec![review_group(&job)])
}
