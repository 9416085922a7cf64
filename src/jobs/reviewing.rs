//! What the reviewing jobs share: which check to answer as, the evaluation with its "in progress", and telling the host.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use portcullis_engine::evaluate::{Report, Selection, SourceScope, Verdict};

use super::figures::count_check_publication;
use super::same_head;
use super::{Fault, GivenUp, JobError, Run};
use crate::app::App;
use crate::evaluator::EvaluationError;
use crate::forges::{Check, CheckKey, CheckState, CommitSha, Conclusion, Forge, ForgeError, KnownCheck, Repository};
use crate::review::{
    Answer, Reading, Subject, cancelled, check_key, failed, fetch, finished, finished_as_well, pending,
};
use crate::settings::PolicySettings;
use crate::store::{CheckRecord, EndpointName, RepositoryRef, Review};

/// A verdict that is there within this time needs no "in progress" before it.
const SOON: Duration = Duration::from_millis(1500);
const MILLIS_PER_DAY: i64 = 86_400_000;
const SMALLER: &str =
    "Make the change smaller, or ask the administrator of Portcullis; a new commit or \"Re-run\" tries again.";
const HOST: &str = "A new commit or \"Re-run\" tries again; while the host cannot be reached, it is tried again by itself for a day. If \
     the host refuses, the administrator of Portcullis can see to its permissions.";
const OURS: &str = "Ask the administrator of Portcullis; a new commit or \"Re-run\" tries again.";

pub(super) fn forge_of<'a>(app: &'a App, endpoint: &EndpointName) -> Result<&'a Arc<dyn Forge>, JobError> {
    app.forges.get(endpoint).ok_or_else(|| JobError::Hopeless(anyhow!("there is no endpoint {endpoint} any more")))
}

/// A subject about to be answered.
pub(super) struct Reviewing<'a> {
    pub(super) app: &'a App,
    pub(super) forge: &'a dyn Forge,
    pub(super) endpoint: &'a EndpointName,
    pub(super) subject: &'a Subject,
    pub(super) sources: Vec<SourceScope>,
}

impl Reviewing<'_> {
    pub(super) fn known(&self) -> RepositoryRef {
        RepositoryRef { endpoint: self.endpoint.clone(), name: self.subject.repository.name.clone() }
    }

    /// The check to answer as; `None` when the newest check of the commit is the answer already. A host shows the newest: when
    /// that answers another question, stands for another pull request or was cancelled, a new one is made. What was only said
    /// in words is said anew.
    pub(super) async fn answer(&self, again: Option<&str>) -> Result<Option<Answer>, JobError> {
        let checks = self.app.store.checks_of_head(&self.known(), &self.subject.head).await?;
        let PolicySettings { only, skip } = &self.app.policies;
        let question = self.subject.question(&(&self.sources, only, skip), again);
        let newest = checks.last().filter(|check| is_answer(check));
        let review = match newest {
            Some(newest) => self.app.store.review(&self.known(), &newest.key).await?,
            None => None,
        };
        if let (Some(newest), Some(review)) = (newest, &review)
            && newest.key.0.starts_with(&question)
            && (review.verdict == Verdict::Pass) == (newest.conclusion == Some(Conclusion::Success))
        {
            return Ok(None);
        }
        let in_words = newest.filter(|_| review.is_none());
        let is_free = |key: &CheckKey| match checks.iter().find(|check| check.key == *key) {
            None => true,
            Some(check) => check.conclusion.is_none() || in_words.is_some_and(|said| said.key == *key),
        };
        let key = (0..=checks.len()).map(|round| check_key(&question, round)).find(is_free);
        let started_at = self.app.clock.now();
        Ok(key.map(|key| Answer { key, head: self.subject.head.clone(), started_at }))
    }

    /// The check to say in words as that there is no answer: the one in progress, or one of its own, the same however many
    /// jobs give up.
    pub(super) async fn answer_in_words(&self, again: Option<&str>) -> Result<Option<Answer>, JobError> {
        let checks = self.app.store.checks_of_head(&self.known(), &self.subject.head).await?;
        let open = checks.iter().find(|c| c.conclusion.is_none() && c.pull_request == self.subject.pull_request);
        match open {
            Some(check) => {
                let started_at = self.app.clock.now();
                Ok(Some(Answer { key: check.key.clone(), head: check.head.clone(), started_at }))
            }
            None => {
                let unanswered = format!("unanswered{}", again.map(|again| format!("-{again}")).unwrap_or_default());
                self.answer(Some(&unanswered)).await
            }
        }
    }

    /// The report of the subject. Says "in progress" in between when it takes long.
    pub(super) async fn evaluated(&self, answer: &Answer) -> Result<Evaluated, JobError> {
        let notice = async {
            // That the host could not be told "in progress" is no reason not to go on.
            if let Err(error) = self.tell(&pending(answer, None)).await {
                tracing::warn!(?error, "the check could not be shown as in progress");
            }
        };
        with_notice(self.evaluate(answer), SOON, notice).await
    }

    async fn evaluate(&self, answer: &Answer) -> Result<Evaluated, JobError> {
        let started = Instant::now();
        let PolicySettings { only, skip } = self.app.policies.clone();
        let today = answer.started_at.0.div_euclid(MILLIS_PER_DAY);
        let selection = Selection { only, skip, today };
        let reading = Reading { forge: self.forge, cache: &self.app.blobs, room: &self.app.room };
        // The place is kept until the answer is there: the files are held as long.
        let (fetched, _place) = match fetch(reading, self.subject, self.sources.clone(), selection).await {
            Ok(fetched) => fetched,
            Err(ForgeError::TooLarge(figure)) => {
                return Ok(Evaluated::Impossible { reason: figure, next: SMALLER.into() });
            }
            Err(error) => return Err(error.into()),
        };
        let fetched_at = started.elapsed();
        match self.app.evaluator.evaluate(fetched).await {
            Ok(mut report) => {
                let timings = BTreeMap::from([
                    ("fetch".to_owned(), millis(fetched_at)),
                    ("evaluate".to_owned(), millis(started.elapsed().saturating_sub(fetched_at))),
                ]);
                report.coverage.elapsed_ms = Some(millis(started.elapsed()));
                Ok(Evaluated::Report(Box::new(report), timings))
            }
            Err(error @ (EvaluationError::TimedOut(_) | EvaluationError::Died(_))) => {
                Ok(Evaluated::Impossible { reason: error.to_string(), next: SMALLER.into() })
            }
            Err(error) => Err(JobError::Failed(anyhow::Error::new(error).context("evaluating the review"))),
        }
    }

    /// Saves what was answered and tells the host.
    pub(super) async fn conclude(&self, answer: &Answer, evaluated: Evaluated) -> Result<(), JobError> {
        let now = self.app.clock.now();
        match evaluated {
            Evaluated::Report(report, timings) => {
                self.save(answer, &report, timings).await?;
                let capabilities = self.forge.capabilities();
                let failing = if report.verdict == Verdict::Pass { same_head::failing(self).await? } else { None };
                let check = match failing {
                    Some(other) => finished_as_well(answer, other.number, other.report.as_ref(), capabilities, now),
                    None => finished(answer, &report, capabilities, now),
                };
                self.tell(&check).await
            }
            Evaluated::Impossible { reason, next } => {
                // What an earlier try saved under this key is not what the check says.
                self.app.store.forget_review(&self.known(), &answer.key).await?;
                self.tell(&failed(answer, &reason, &next, now)).await
            }
        }
    }

    async fn save(&self, answer: &Answer, report: &Report, timings: BTreeMap<String, u64>) -> Result<(), JobError> {
        let subject = self.subject;
        let review = Review {
            repository: self.known(),
            key: answer.key.clone(),
            pull_request: subject.pull_request,
            base_branch: subject.base_branch.clone(),
            head: subject.head.clone(),
            merge_base: subject.merge_base.clone(),
            verdict: report.verdict,
            report: serde_json::to_value(report).context("writing the report")?,
            timings,
            started_at: answer.started_at,
            finished_at: self.app.clock.now(),
        };
        Ok(self.app.store.save_review(&review).await?)
    }

    /// Makes the host's check say what it should. It is noted before and after, so that a retry finds the same check.
    pub(super) async fn tell(&self, check: &Check) -> Result<(), JobError> {
        let host = Host { app: self.app, forge: self.forge, endpoint: self.endpoint };
        host.tell(&self.subject.repository, self.subject.pull_request, check).await
    }
}

/// What an evaluation came to.
pub(super) enum Evaluated {
    /// A report, and the milliseconds of each step.
    Report(Box<Report>, BTreeMap<String, u64>),
    /// It cannot be evaluated, however often it is tried.
    Impossible {
        /// Why.
        reason: String,
        /// What to do, and what happens by itself.
        next: String,
    },
}

impl Evaluated {
    /// What is said when a job is given up, or will be if its host goes on like this.
    pub(super) fn given_up(run: &Run, why: &GivenUp<'_>) -> Self {
        match why.fault {
            Fault::Host => Self::Impossible { reason: why.reason.to_owned(), next: HOST.into() },
            Fault::Ours => Self::Impossible {
                reason: format!("Portcullis itself failed; its log says why, at job {}", run.job),
                next: OURS.into(),
            },
        }
    }
}

/// A host to be told.
pub(super) struct Host<'a> {
    pub(super) app: &'a App,
    pub(super) forge: &'a dyn Forge,
    pub(super) endpoint: &'a EndpointName,
}

impl Host<'_> {
    /// Makes the host's check say what it should.
    pub(super) async fn tell(
        &self,
        repository: &Repository,
        pull_request: Option<u64>,
        check: &Check,
    ) -> Result<(), JobError> {
        let known = RepositoryRef { endpoint: self.endpoint.clone(), name: repository.name.clone() };
        let before = self.app.store.check(&known, &check.key).await?;
        let is_first = before.is_none();
        let host_id = before.and_then(|record| record.host_id);
        let record = |host_id, conclusion| CheckRecord {
            repository: known.clone(),
            key: check.key.clone(),
            pull_request,
            head: check.head.clone(),
            host_id,
            conclusion,
        };
        self.app.store.save_check(record(host_id.clone(), None), self.app.clock.now()).await?;
        let known = match &host_id {
            Some(id) => KnownCheck::As(id),
            None if is_first => KnownCheck::Never,
            None => KnownCheck::Perhaps,
        };
        let told = self.forge.publish_check(repository, check, known).await;
        count_check_publication(if told.is_ok() { "ok" } else { "error" });
        let conclusion = match check.state {
            CheckState::InProgress => None,
            CheckState::Completed { conclusion, .. } => Some(conclusion),
        };
        self.app.store.save_check(record(Some(told?), conclusion), self.app.clock.now()).await?;
        Ok(())
    }

    /// Ends the checks of a pull request that are in progress on other commits than `keep`.
    pub(super) async fn end_others(
        &self,
        repository: &Repository,
        pull_request: u64,
        keep: Option<&CommitSha>,
        reason: &str,
    ) -> Result<(), JobError> {
        let known = RepositoryRef { endpoint: self.endpoint.clone(), name: repository.name.clone() };
        for record in self.app.store.checks_in_progress(&known, pull_request).await? {
            if keep != Some(&record.head) {
                self.end(repository, &record, reason).await?;
            }
        }
        Ok(())
    }

    /// Ends a check that is in progress.
    pub(super) async fn end(
        &self,
        repository: &Repository,
        record: &CheckRecord,
        reason: &str,
    ) -> Result<(), JobError> {
        let now = self.app.clock.now();
        let answer = Answer { key: record.key.clone(), head: record.head.clone(), started_at: now };
        self.tell(repository, record.pull_request, &cancelled(&answer, reason, now)).await
    }
}

/// Does work, and says so in between when it takes long. The work goes on meanwhile: its own clock does.
async fn with_notice<T>(work: impl Future<Output = T>, soon: Duration, notice: impl Future<Output = ()>) -> T {
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep(soon) => {}
    }
    tokio::join!(work, notice).0
}

/// Whether a check says pass or fail.
pub(super) fn is_answer(check: &CheckRecord) -> bool {
    matches!(check.conclusion, Some(Conclusion::Success | Conclusion::Failure))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn the_work_goes_on_while_it_is_said_to_be_in_progress() {
        let (said, heard) = (Notify::new(), Notify::new());
        let work = async {
            said.notified().await;
            heard.notify_one();
            7
        };
        let notice = async {
            said.notify_one();
            heard.notified().await;
        };
        let both = with_notice(work, Duration::ZERO, notice);
        assert_eq!(tokio::time::timeout(Duration::from_secs(10), both).await, Ok(7));
    }
}
