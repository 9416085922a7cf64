//! A base branch moved: the open pull requests whose merge base moved with it are measured from another commit now, and are
//! reviewed again. For all others what was answered still stands.

use async_trait::async_trait;

use super::plan::{Reason, RecheckBranch, ReviewPullRequest, kind, review};
use super::reviewing::forge_of;
use super::{Job, JobError, Outcome, Run};
use crate::app::App;
use crate::forges::{ForgeError, PullRequestFilter};
use crate::store::RepositoryRef;

/// Most pull requests looked at for one push: each costs a request.
const PULL_REQUEST_LIMIT: usize = 200;

pub(super) struct RecheckBranchJob;

#[async_trait]
impl Job<App> for RecheckBranchJob {
    fn kind(&self) -> &'static str {
        kind::RECHECK_BRANCH
    }

    async fn run(&self, app: &App, run: &Run) -> Result<Outcome, JobError> {
        let RecheckBranch { endpoint, repository, branch } = run.payload()?;
        let forge = forge_of(app, &endpoint)?;
        let known = RepositoryRef { endpoint: endpoint.clone(), name: repository.name.clone() };
        let tip = match forge.tip(&repository, &branch).await {
            Err(ForgeError::NotFound(_)) if run.attempt > 1 => return Ok(Outcome::done()),
            tip => tip?,
        };
        let pulls = forge.open_pull_requests(&repository, &PullRequestFilter::IntoBranch(branch)).await?;
        if pulls.len() > PULL_REQUEST_LIMIT {
            tracing::warn!(pull_requests = pulls.len(), limit = PULL_REQUEST_LIMIT, "more than are looked at");
        }
        let mut follow_ups = Vec::new();
        for pull in pulls.iter().take(PULL_REQUEST_LIMIT) {
            if run.stop.is_cancelled() {
                return Ok(Outcome::superseded());
            }
            let answered = app.store.latest_review(&known, pull.number).await?;
            let answered = answered.filter(|review| review.head == pull.head && review.base_branch == pull.base_branch);
            let merge_base = forge.merge_base(&repository, &tip, &pull.head).await?;
            if answered.is_some_and(|review| review.merge_base == merge_base) {
                continue;
            }
            follow_ups.push(review(&ReviewPullRequest {
                endpoint: endpoint.clone(),
                repository: repository.clone(),
                number: pull.number,
                reason: Reason::Changed,
                announced: None,
            }));
        }
        Ok(Outcome::followed_by(follow_ups))
    }
}
