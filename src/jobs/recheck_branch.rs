//! A base branch moved: the open pull requests whose merge base moved with it are measured from another commit now, and are
//! reviewed again. For all others what was answered still stands.

use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::plan::{Reason, RecheckBranch, ReviewPullRequest, recheck_rest, review};
use super::reviewing::forge_of;
use super::{Job, JobError, Outcome, Run};
use crate::app::App;
use crate::forges::{CommitSha, Forge, ForgeError, PullRequest, PullRequestFilter};
use crate::store::RepositoryRef;

/// How long one job looks; those that are left are for the next.
const AT_ONCE: Duration = Duration::from_secs(150);
/// How long the rest waits when the host failed.
const PAUSE: Duration = Duration::from_secs(60);

/// Two kinds of one job: what a look left over is not superseded by the next push, which begins at the beginning.
pub(super) struct RecheckBranchJob {
    /// Its name in the queue.
    pub(super) kind: &'static str,
}

#[async_trait]
impl Job<App> for RecheckBranchJob {
    fn kind(&self) -> &'static str {
        self.kind
    }

    /// Looks at one after the other, also when a newer push wants this job to stop: else where pushes are many nobody would come
    /// to the last ones.
    async fn run(&self, app: &App, run: &Run) -> Result<Outcome, JobError> {
        let asked: RecheckBranch = run.payload()?;
        let RecheckBranch { endpoint, repository, branch, after } = &asked;
        let forge = forge_of(app, endpoint)?;
        let tip = match forge.tip(repository, branch).await {
            Err(ForgeError::NotFound(_)) if run.attempt > 1 => return Ok(Outcome::done()),
            tip => tip?,
        };
        let began = Instant::now();
        let mut follow_ups = Vec::new();
        let pulls = forge.open_pull_requests(repository, &PullRequestFilter::IntoBranch(branch.clone())).await?;
        for pull in pulls.iter().filter(|pull| pull.number > *after) {
            if began.elapsed() > AT_ONCE {
                follow_ups.push(recheck_rest(&RecheckBranch { after: pull.number - 1, ..asked.clone() }));
                break;
            }
            match has_moved(app, forge.as_ref(), &asked, &tip, pull).await {
                Ok(false) => {}
                Ok(true) => follow_ups.push(review(&ReviewPullRequest {
                    endpoint: endpoint.clone(),
                    repository: repository.clone(),
                    number: pull.number,
                    reason: Reason::Changed,
                    announced: None,
                })),
                // What was found is kept, and the rest is looked at when this job would have been tried again.
                Err(error) if !follow_ups.is_empty() => {
                    tracing::warn!(error = error.reason(), "the look at open pull requests goes on in another job");
                    let rest = recheck_rest(&RecheckBranch { after: pull.number - 1, ..asked.clone() });
                    follow_ups.push(rest.not_before(app.clock.now().plus(PAUSE)));
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Outcome::followed_by(follow_ups))
    }
}

/// Whether a pull request is measured from another commit than when it was answered, or was not answered at all.
async fn has_moved(
    app: &App,
    forge: &dyn Forge,
    asked: &RecheckBranch,
    tip: &CommitSha,
    pull: &PullRequest,
) -> Result<bool, JobError> {
    let known = RepositoryRef { endpoint: asked.endpoint.clone(), name: asked.repository.name.clone() };
    let answered = app.store.latest_subject(&known, pull.number).await?;
    let answered = answered.filter(|answered| answered.head == pull.head && answered.base_branch == pull.base_branch);
    // One that was never answered costs no question.
    let Some(answered) = answered else { return Ok(true) };
    Ok(answered.merge_base != forge.merge_base(&asked.repository, tip, &pull.head).await?)
}
