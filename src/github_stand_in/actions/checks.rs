//! Check suites and check runs: made, changed, asked for again.

use time::OffsetDateTime;

use super::ActionError;
use crate::github_stand_in::bodies::{self, View};
use crate::github_stand_in::events::{Event, Push};
use crate::github_stand_in::git::Oid;
use crate::github_stand_in::state::{
    Access, AccountId, Annotation, AppId, CheckRun, CheckRunId, CheckStatus, CheckSuite, CheckSuiteId, Conclusion,
    GitHub, Output, RepositoryId, now, suite_state,
};

/// A check run to be made.
pub(crate) struct NewRun {
    pub(crate) repository: RepositoryId,
    pub(crate) app: AppId,
    pub(crate) head: Oid,
    pub(crate) name: String,
    pub(crate) update: RunUpdate,
}

/// What a request says about a check run; what it does not say stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunUpdate {
    pub(crate) name: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) details_url: Option<String>,
    pub(crate) status: Option<CheckStatus>,
    pub(crate) conclusion: Option<Conclusion>,
    pub(crate) started_at: Option<OffsetDateTime>,
    pub(crate) completed_at: Option<OffsetDateTime>,
    pub(crate) title: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) annotations: Vec<Annotation>,
}

impl RunUpdate {
    fn apply(self, run: &mut CheckRun) {
        run.name = self.name.unwrap_or(std::mem::take(&mut run.name));
        run.external_id = self.external_id.or(run.external_id.take());
        run.details_url = self.details_url.or(run.details_url.take());
        run.started_at = self.started_at.unwrap_or(run.started_at);
        run.output.title = self.title.or(run.output.title.take());
        run.output.summary = self.summary.or(run.output.summary.take());
        run.output.text = self.text.or(run.output.text.take());
        run.annotations.extend(self.annotations);
        match (self.conclusion, self.status) {
            (Some(conclusion), _) => {
                run.status = CheckStatus::Completed;
                run.conclusion = Some(conclusion);
                run.completed_at = Some(self.completed_at.unwrap_or_else(now));
            }
            (None, Some(status)) if status != CheckStatus::Completed => {
                (run.status, run.conclusion, run.completed_at) = (status, None, None);
            }
            (None, _) => {}
        }
    }
}

impl GitHub {
    /// A push asks each App that may write checks for its suite, unless the commit says not to.
    pub(super) fn request_suites(&mut self, push: &Push) {
        let Some(head) = push.after.filter(|head| self.wants_suites(push.repository, *head)) else { return };
        let may_write =
            |permissions: &crate::github_stand_in::state::Permissions| permissions.allow("checks", Access::Write);
        let installed = self.installations.values().filter(|installation| {
            installation.suspended.is_none()
                && may_write(&installation.permissions)
                && self.covers(installation, push.repository)
        });
        let apps: Vec<AppId> = installed.map(|installation| installation.app).collect();
        for app in apps {
            let known = self.check_suites(push.repository, head).iter().any(|suite| suite.app == app);
            if !known {
                let suite = self.new_suite(push.repository, app, head, push.before);
                self.emit_suite(suite, "requested", push.by);
            }
        }
    }

    fn wants_suites(&self, repository: RepositoryId, head: Oid) -> bool {
        let skips = |message: &str| message.lines().any(|line| line.trim().eq_ignore_ascii_case("skip-checks: true"));
        let message = self.objects(repository).and_then(|objects| objects.commit(head)).map(|commit| &commit.message);
        self.repository(repository).is_some_and(|home| home.automatic_suites) && !message.is_some_and(|m| skips(m))
    }

    fn new_suite(&mut self, repository: RepositoryId, app: AppId, head: Oid, before: Option<Oid>) -> CheckSuiteId {
        let id = CheckSuiteId(self.ids.large());
        let branches = self.repository(repository).map(|home| &home.branches);
        let head_branch =
            branches.and_then(|all| all.iter().find(|(_, tip)| **tip == head)).map(|(name, _)| name.clone());
        let suite = CheckSuite {
            id,
            repository,
            app,
            head,
            head_branch,
            before,
            rerequested: false,
            created_at: now(),
            updated_at: now(),
        };
        self.suites.insert(id, suite);
        id
    }

    fn suite_of(&mut self, repository: RepositoryId, app: AppId, head: Oid) -> CheckSuiteId {
        let known =
            self.check_suites(repository, head).into_iter().find(|suite| suite.app == app).map(|suite| suite.id);
        known.unwrap_or_else(|| self.new_suite(repository, app, head, None))
    }

    /// Makes a check run. The request has been checked.
    pub(crate) fn create_run(&mut self, new: NewRun) -> CheckRunId {
        let suite = self.suite_of(new.repository, new.app, new.head);
        let id = CheckRunId(self.ids.large());
        let mut run = CheckRun {
            id,
            suite,
            repository: new.repository,
            app: new.app,
            head: new.head,
            name: new.name,
            external_id: None,
            details_url: None,
            status: CheckStatus::Queued,
            conclusion: None,
            started_at: now(),
            completed_at: None,
            output: Output::default(),
            annotations: Vec::new(),
        };
        new.update.apply(&mut run);
        let completed = run.status == CheckStatus::Completed;
        self.runs.insert(id, run);
        self.touch_suite(suite);
        let by = self.bot_of(new.app);
        self.emit_run(id, "created", by);
        if completed {
            self.run_completed(id, by);
        }
        id
    }

    /// Changes a check run. The request has been checked.
    pub(crate) fn update_run(&mut self, id: CheckRunId, update: RunUpdate) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let was_completed = run.status == CheckStatus::Completed;
        update.apply(run);
        let (completed, suite, app) = (run.status == CheckStatus::Completed, run.suite, run.app);
        self.touch_suite(suite);
        if completed && !was_completed {
            let by = self.bot_of(app);
            self.run_completed(id, by);
        }
    }

    fn run_completed(&mut self, id: CheckRunId, by: AccountId) {
        self.emit_run(id, "completed", by);
        let Some((suite, repository)) = self.runs.get(&id).map(|run| (run.suite, run.repository)) else { return };
        let state = self.suites.get(&suite).map(|found| suite_state(found, &self.runs_of(suite)));
        if state.is_some_and(|(status, _)| status == CheckStatus::Completed) {
            self.emit_suite(suite, "completed", by);
        }
        self.settle_queue(repository);
    }

    fn touch_suite(&mut self, id: CheckSuiteId) {
        if let Some(suite) = self.suites.get_mut(&id) {
            (suite.rerequested, suite.updated_at) = (false, now());
        }
    }

    /// Someone asks for a check run again: its suite waits, the run itself stays as it is.
    ///
    /// # Errors
    /// There is no such run.
    pub fn rerequest(&mut self, id: CheckRunId, by: &str) -> Result<(), ActionError> {
        let by = self.account_or_new(by);
        let run = self.runs.get(&id).ok_or_else(|| ActionError::no_such("check run", id))?;
        let suite = run.suite;
        if let Some(suite) = self.suites.get_mut(&suite) {
            (suite.rerequested, suite.updated_at) = (true, now());
        }
        self.emit_run(id, "rerequested", by);
        Ok(())
    }

    /// Someone asks for all check runs of a suite again.
    ///
    /// # Errors
    /// There is no such suite.
    pub fn rerequest_suite(&mut self, id: CheckSuiteId, by: &str) -> Result<(), ActionError> {
        let by = self.account_or_new(by);
        let suite = self.suites.get_mut(&id).ok_or_else(|| ActionError::no_such("check suite", id))?;
        (suite.rerequested, suite.updated_at) = (true, now());
        self.emit_suite(id, "rerequested", by);
        Ok(())
    }

    fn bot_of(&self, app: AppId) -> AccountId {
        self.app(app).map_or(AccountId(0), |app| app.bot)
    }

    fn emit_run(&mut self, id: CheckRunId, action: &'static str, by: AccountId) {
        let Some(run) = self.runs.get(&id) else { return };
        let urls = self.webhook_urls();
        let body = bodies::webhook_check_run(View { github: self, urls: &urls }, run);
        let event = Event::new("check_run", Some(action), by).in_repository(run.repository).with("check_run", body);
        let event = if action == "rerequested" { event.owned_by(run.app) } else { event };
        self.emit(event);
    }

    fn emit_suite(&mut self, id: CheckSuiteId, action: &'static str, by: AccountId) {
        let Some(suite) = self.suites.get(&id) else { return };
        let urls = self.webhook_urls();
        let body = bodies::webhook_check_suite(View { github: self, urls: &urls }, suite);
        let event =
            Event::new("check_suite", Some(action), by).in_repository(suite.repository).with("check_suite", body);
        let event = if action == "completed" { event } else { event.owned_by(suite.app) };
        self.emit(event);
    }
}
