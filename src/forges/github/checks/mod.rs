//! Publishes a check as a check run.
//!
//! Wanted, whatever is lost, repeated or killed in between: (1) one check run per key; (2) a run is finished only when it shows
//! everything, and a run that was begun can always be finished by the next try; (3) each annotation once.
//!
//! GitHub adds annotations 50 at a time and never takes one back, and an answer that gets lost says nothing about what was
//! done. So a run carries our key as its external id and is looked for before one is made, unless this is the first try, and after an
//! answer is lost;
//! annotations go in batches, worst first, while the run is in progress, and the last batch completes it; and a try that
//! finds annotations adds only those that are missing. A run that shows what it should not any more cannot be mended: it
//! is closed, and a new one of the same name takes its place.

mod output;
mod run;

use std::collections::HashMap;

use http::Method;
use serde::Serialize;

pub(super) use output::{ANNOTATION_LIMIT, TEXT_LIMIT_BYTES};
use output::{Output, Remark, State, external_id};
use run::{Run, RunPage};

use super::CHECK_NAME;
use super::api::RepositoryApi;
use super::settings::AppIdentity;
use crate::forges::http::percent_encode;
use crate::forges::{Check, CheckId, CheckState, Conclusion, ForgeError, KnownCheck};

/// Most annotations in one request.
const BATCH: usize = 50;

#[derive(Serialize)]
struct NewRun<'a> {
    name: &'static str,
    head_sha: &'a str,
    external_id: &'a str,
    started_at: &'a str,
    #[serde(flatten)]
    state: State<'a>,
    output: Output<'a>,
}

#[derive(Serialize)]
struct ChangedRun<'a> {
    #[serde(flatten)]
    state: State<'a>,
    output: Output<'a>,
}

/// Makes the check run of a check say what it should, and gives its id.
pub(super) async fn publish(
    api: &RepositoryApi<'_>,
    app: &AppIdentity,
    check: &Check,
    known: KnownCheck<'_>,
) -> Result<CheckId, ForgeError> {
    // What is in progress may still turn out otherwise, and an annotation cannot be taken back.
    let remarks = match check.state {
        CheckState::InProgress => Vec::new(),
        CheckState::Completed { .. } => Remark::all_of(check),
    };
    let external_id = external_id(&check.key.0);
    let id = Publisher { api, app, check, external_id: &external_id, remarks }.publish(known).await?;
    Ok(CheckId(id.to_string()))
}

struct Publisher<'a> {
    api: &'a RepositoryApi<'a>,
    app: &'a AppIdentity,
    check: &'a Check,
    external_id: &'a str,
    remarks: Vec<Remark>,
}

impl Publisher<'_> {
    async fn publish(&self, known: KnownCheck<'_>) -> Result<u64, ForgeError> {
        let known = match known {
            KnownCheck::Never => return self.create(None).await,
            KnownCheck::Perhaps => None,
            KnownCheck::As(id) => self.known(id).await?,
        };
        let mut outdated: Option<Run> = None;
        if let Some(run) = known {
            match self.missing(&run).await? {
                Some(missing) => return self.bring_up(run, &missing).await,
                None => outdated = Some(run),
            }
        }
        if let Some(run) = self.newest(outdated.as_ref().map(|run| run.id)).await? {
            match self.missing(&run).await? {
                Some(missing) => return self.bring_up(run, &missing).await,
                None => outdated = Some(run),
            }
        }
        if let Some(run) = &outdated {
            self.close(run).await?;
        }
        self.create(outdated.map(|run| run.id)).await
    }

    /// The run of a known id, if there still is one and it is this check's.
    async fn known(&self, id: &CheckId) -> Result<Option<Run>, ForgeError> {
        let Ok(id) = id.0.parse::<u64>() else { return Ok(None) };
        Ok(self.run(id).await?.filter(|run| self.is_its(run)))
    }

    async fn run(&self, id: u64) -> Result<Option<Run>, ForgeError> {
        match self.api.get::<Run>(&format!("check-runs/{id}")).await {
            Ok(run) => Ok(Some(run)),
            Err(ForgeError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The newest run of this check, among those newer than one.
    async fn newest(&self, than: Option<u64>) -> Result<Option<Run>, ForgeError> {
        let (head, name) = (&self.check.head, percent_encode(CHECK_NAME));
        let mut path = format!("commits/{head}/check-runs?check_name={name}&filter=all&per_page=100");
        if let AppIdentity::Id(id) = self.app {
            path.push_str(&format!("&app_id={id}"));
        }
        let runs = self.api.pages(&path, |page: RunPage| page.check_runs).await?;
        let is_newer = |run: &Run| than.is_none_or(|than| run.id > than);
        Ok(runs.into_iter().filter(|run| self.is_its(run) && is_newer(run)).max_by_key(|run| run.id))
    }

    fn is_its(&self, run: &Run) -> bool {
        run.name == CHECK_NAME
            && run.external_id.as_deref() == Some(self.external_id)
            && run.head_sha == self.check.head.as_str()
            && run.app.as_ref().is_none_or(|app| app.may_be(self.app))
    }

    /// The annotations a run does not show yet; `None` when it shows others than it should.
    async fn missing(&self, run: &Run) -> Result<Option<Vec<Remark>>, ForgeError> {
        // Nobody reads the annotations of what goes on or was called off.
        let is_no_answer = matches!(
            self.check.state,
            CheckState::InProgress | CheckState::Completed { conclusion: Conclusion::Cancelled, .. }
        );
        if is_no_answer || run.annotations() == 0 {
            return Ok(Some(self.remarks.clone()));
        }
        let path = format!("check-runs/{}/annotations?per_page=100", run.id);
        let shown: Vec<Remark> = self.api.pages(&path, |page| page).await?;
        let mut spare: HashMap<&Remark, usize> = HashMap::new();
        for remark in &shown {
            *spare.entry(remark).or_default() += 1;
        }
        let mut missing = Vec::new();
        for remark in &self.remarks {
            match spare.get_mut(remark) {
                Some(count) if *count > 0 => *count -= 1,
                _ => missing.push(remark.clone()),
            }
        }
        Ok(spare.values().all(|count| *count == 0).then_some(missing))
    }

    /// Makes a run that exists say what the check says.
    async fn bring_up(&self, run: Run, missing: &[Remark]) -> Result<u64, ForgeError> {
        // A check that is done does not go back: it would block the merge while nobody works on it.
        let goes_back = self.check.state == CheckState::InProgress && run.is_completed();
        let is_there = missing.is_empty() && run.says(&State::of(&self.check.state), &self.output(&[]));
        if !goes_back && !is_there {
            // For the same reason what was done before stays done while annotations are added.
            let meanwhile = if run.is_completed() { State::of(&self.check.state) } else { State::IN_PROGRESS };
            self.add(run.id, meanwhile, run.annotations(), missing).await?;
        }
        Ok(run.id)
    }

    /// Adds annotations to a run that shows some already; the last request gives it its final state.
    async fn add(&self, id: u64, meanwhile: State<'_>, shown: usize, missing: &[Remark]) -> Result<(), ForgeError> {
        let (mut shown, mut rest) = (shown, missing);
        loop {
            let (batch, later) = rest.split_at(rest.len().min(BATCH));
            let state = if later.is_empty() { State::of(&self.check.state) } else { meanwhile };
            self.change(id, state, shown, batch).await?;
            if later.is_empty() {
                return Ok(());
            }
            shown += batch.len();
            rest = later;
        }
    }

    /// One request. When its answer is lost, the run itself tells whether it was heeded.
    async fn change(&self, id: u64, state: State<'_>, shown: usize, batch: &[Remark]) -> Result<(), ForgeError> {
        let body = ChangedRun { state, output: self.output(batch) };
        let mut made = 0;
        loop {
            let outcome = self.api.write::<Run>(Method::PATCH, &format!("check-runs/{id}"), &body).await;
            made += 1;
            let Err(ForgeError::Unreachable(why)) = outcome else {
                return outcome.map(|_| ());
            };
            tokio::time::sleep(self.api.pace().pause(made)).await;
            let run = self.run(id).await?.ok_or_else(|| ForgeError::Unreachable(why.clone()))?;
            let heeded = run.annotations() == shown + batch.len();
            if heeded && run.says(&body.state, &body.output) {
                return Ok(());
            }
            // Anything in between is for the next try to sort out, which looks at every annotation.
            if run.annotations() != shown || made >= self.api.pace().attempts {
                return Err(ForgeError::Unreachable(why));
            }
        }
    }

    /// Makes a run, newer than the one that is outdated.
    async fn create(&self, outdated: Option<u64>) -> Result<u64, ForgeError> {
        let (first, later) = self.remarks.split_at(self.remarks.len().min(BATCH));
        let state = if later.is_empty() { State::of(&self.check.state) } else { State::IN_PROGRESS };
        let body = NewRun {
            name: CHECK_NAME,
            head_sha: self.check.head.as_str(),
            external_id: self.external_id,
            started_at: &self.check.started_at,
            state,
            output: self.output(first),
        };
        let mut made = 0;
        loop {
            let outcome = self.api.write::<Run>(Method::POST, "check-runs", &body).await;
            made += 1;
            let why = match outcome {
                Ok(run) if later.is_empty() => return Ok(run.id),
                Ok(run) => return self.add(run.id, State::IN_PROGRESS, first.len(), later).await.map(|()| run.id),
                Err(ForgeError::Unreachable(why)) => why,
                Err(error) => return Err(error),
            };
            // Was it made? GitHub may take a moment to say so.
            tokio::time::sleep(self.api.pace().pause(made)).await;
            if let Some(run) = self.newest(outdated).await? {
                let missing = self.missing(&run).await?.ok_or(ForgeError::Unreachable(why))?;
                return self.bring_up(run, &missing).await;
            }
            if made >= self.api.pace().attempts {
                return Err(ForgeError::Unreachable(why));
            }
        }
    }

    /// Ends a run that is given up.
    async fn close(&self, run: &Run) -> Result<(), ForgeError> {
        if run.is_completed() {
            return Ok(());
        }
        let output = Output {
            title: "Superseded".into(),
            summary: "Another evaluation of this commit has taken its place.".into(),
            text: None,
            annotations: &[],
        };
        let state = State { status: "completed", conclusion: Some("cancelled"), completed_at: None };
        let body = ChangedRun { state, output };
        self.api.write::<Run>(Method::PATCH, &format!("check-runs/{}", run.id), &body).await.map(|_| ())
    }

    fn output<'a>(&'a self, annotations: &'a [Remark]) -> Output<'a> {
        Output::of(&self.check.output, annotations)
    }
}
