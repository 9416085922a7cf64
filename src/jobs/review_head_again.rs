//! Somebody asked for the check of a commit again: finds what the commit belongs to, and reviews that anew.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::plan::{Reason, ReviewHeadAgain, ReviewMergeGroup, ReviewPullRequest, kind, review, review_group};
use super::reviewing::forge_of;
use super::{Job, JobError, Outcome, Run};
use crate::app::App;
use crate::forges::{MergeGroup, PullRequestFilter};
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

/// The merge groups whose commit this is, as far as they were reviewed before.
async fn groups(app: &App, again: &ReviewHeadAgain) -> Result<Vec<NewJob>, JobError> {
    let repository = RepositoryRef { endpoint: again.endpoint.clone(), name: again.repository.name.clone() };
    for check in app.store.checks_of_head(&repository, &again.head).await? {
        if check.pull_request.is_some() {
            continue;
        }
        if let Some(review) = app.store.review(&repository, &check.key).await? {
            let group = MergeGroup {
                repository: again.repository.clone(),
                base_branch: review.base_branch,
                base: review.merge_base,
                head: again.head.clone(),
            };
            let (endpoint, delivery) = (again.endpoint.clone(), again.delivery.clone());
            let job = ReviewMergeGroup { endpoint, group, is_gone: false, again: Some(delivery) };
            return Ok(vec![review_group(&job)]);
        }
    }
    Ok(Vec::new())
}
