//! Finds out what a delivery means, and enqueues what follows from it.

use anyhow::{Context, anyhow};
use async_trait::async_trait;

use super::plan::plan;
use super::{HANDLE_DELIVERY, Job, JobError, Outcome, Run};
use crate::app::App;

pub(super) struct HandleDelivery;

#[async_trait]
impl Job<App> for HandleDelivery {
    fn kind(&self) -> &'static str {
        HANDLE_DELIVERY
    }

    async fn run(&self, app: &App, run: &Run) -> Result<Outcome, JobError> {
        let delivery = run.delivery.as_ref().ok_or_else(|| JobError::Hopeless(anyhow!("the job has no delivery")))?;
        let Some(stored) = app.store.delivery(delivery).await? else {
            return Err(JobError::Hopeless(anyhow!("the delivery {delivery} is gone")));
        };
        let Some(body) = stored.body else {
            return Err(JobError::Hopeless(anyhow!("the body of the delivery {delivery} is not kept any more")));
        };
        let forge = app.forges.get(&delivery.endpoint).with_context(|| format!("no endpoint {}", delivery.endpoint))?;
        let event = match forge.decode(&stored.kind, &body) {
            Ok(event) => event,
            Err(error) => {
                let error = anyhow!("{} at `{}`", error.inner(), error.path()).context("reading the delivery");
                return Err(JobError::Hopeless(error));
            }
        };
        tracing::info!(event = ?what(&event), "the delivery was understood");
        Ok(Outcome::followed_by(plan(event, &delivery.endpoint, delivery.id.as_str(), &app.sources)))
    }
}

/// An event in a few words for the log.
fn what(event: &crate::forges::Event) -> String {
    use crate::forges::Event;
    match event {
        Event::PullRequest(event) => format!("{:?} {}#{}", event.action, event.repository.name, event.number),
        Event::Push { repository, branch, .. } => format!("push {} {branch}", repository.name),
        Event::CheckRerequested { repository, head, .. } => format!("again {}@{head}", repository.name),
        Event::MergeGroupRequested(group) => format!("merge group {}@{}", group.repository.name, group.head),
        Event::MergeGroupDestroyed(group) => format!("merge group gone {}@{}", group.repository.name, group.head),
        Event::Installation { account, .. } => format!("installation of {account}"),
        Event::Ping => "ping".to_owned(),
        Event::Ignored { what } => format!("ignored {what}"),
    }
}
