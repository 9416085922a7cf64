//! Everything the stand-in knows: the one truth that requests, webhooks and pages are made from.
//!
//! Here it can be looked at; `actions` changes it.

mod account;
mod app;
mod check;
mod comparison;
mod delivery;
mod ids;
mod limits;
mod pull;
mod repository;
mod urls;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use time::OffsetDateTime;

pub use account::{Account, AccountKind};
pub use app::{Access, App, Installation, Permissions, RateWindow, Selection, Token, Webhook};
pub use check::{Annotation, AnnotationLevel, CheckRun, CheckStatus, CheckSuite, Conclusion, Output};
pub(crate) use check::{latest_by_name, suite_state};
pub(crate) use delivery::DeliveryControl;
pub use delivery::{Delivery, DeliveryOrder, DeliveryState, Outcome};
pub(crate) use ids::Ids;
pub use ids::{AccountId, AppId, CheckRunId, CheckSuiteId, DeliveryId, InstallationId, PullId, RepositoryId};
pub use limits::Limits;
pub use pull::{Merged, Pull, PullState};
pub(crate) use repository::Lag;
pub use repository::{Protection, QueueEntry, Repository, RequiredCheck};
pub use urls::Layout;
pub(crate) use urls::Urls;

use super::git::{ObjectStore, Oid};

/// The first commit of every stand-in is made at this moment and each further one a minute later, so that the same steps
/// give the same commit ids: 2026-03-02 09:00 UTC.
const FIRST_COMMIT_AT: i64 = 1_772_442_000;

/// Everything the stand-in knows.
pub struct GitHub {
    pub(crate) base_url: String,
    /// The layout webhooks are written in; an answer follows its request.
    pub(crate) webhook_layout: Layout,
    pub(crate) limits: Limits,
    pub(crate) ids: Ids,
    pub(crate) commit_clock: OffsetDateTime,
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    pub(crate) networks: Vec<ObjectStore>,
    pub(crate) repositories: BTreeMap<RepositoryId, Repository>,
    pub(crate) suites: BTreeMap<CheckSuiteId, CheckSuite>,
    pub(crate) runs: BTreeMap<CheckRunId, CheckRun>,
    pub(crate) apps: BTreeMap<AppId, App>,
    pub(crate) installations: BTreeMap<InstallationId, Installation>,
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) rates: BTreeMap<InstallationId, RateWindow>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) delivery_control: DeliveryControl,
    pub(crate) lag_next_change: u32,
}

/// Now, in whole seconds, as GitHub writes times.
pub(crate) fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0).unwrap_or(now)
}

impl GitHub {
    pub(crate) fn new(base_url: &str, webhook_layout: Layout, limits: Limits) -> Self {
        Self {
            base_url: base_url.to_owned(),
            webhook_layout,
            limits,
            ids: Ids::default(),
            commit_clock: OffsetDateTime::from_unix_timestamp(FIRST_COMMIT_AT).unwrap_or(OffsetDateTime::UNIX_EPOCH),
            accounts: BTreeMap::new(),
            networks: Vec::new(),
            repositories: BTreeMap::new(),
            suites: BTreeMap::new(),
            runs: BTreeMap::new(),
            apps: BTreeMap::new(),
            installations: BTreeMap::new(),
            tokens: HashMap::new(),
            rates: BTreeMap::new(),
            deliveries: Vec::new(),
            delivery_control: DeliveryControl::default(),
            lag_next_change: 0,
        }
    }

    /// An account by its name, in any case.
    #[must_use]
    pub fn account_named(&self, login: &str) -> Option<&Account> {
        self.accounts.values().find(|account| account.login.eq_ignore_ascii_case(login))
    }

    /// An account.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// A repository by its full name, in any case.
    #[must_use]
    pub fn repository_named(&self, full_name: &str) -> Option<&Repository> {
        let (owner, name) = full_name.split_once('/')?;
        let owner = self.account_named(owner)?.id;
        self.repositories
            .values()
            .find(|repository| repository.owner == owner && repository.name.eq_ignore_ascii_case(name))
    }

    /// A repository.
    #[must_use]
    pub fn repository(&self, id: RepositoryId) -> Option<&Repository> {
        self.repositories.get(&id)
    }

    /// Every repository, oldest first.
    pub fn repositories(&self) -> impl Iterator<Item = &Repository> {
        self.repositories.values()
    }

    /// `owner/name`.
    #[must_use]
    pub fn full_name(&self, id: RepositoryId) -> String {
        let Some(repository) = self.repository(id) else { return String::new() };
        format!("{}/{}", self.login(repository.owner), repository.name)
    }

    pub(crate) fn login(&self, id: AccountId) -> &str {
        self.account(id).map(|account| account.login.as_str()).unwrap_or_default()
    }

    /// A pull request.
    #[must_use]
    pub fn pull(&self, id: PullId) -> Option<&Pull> {
        self.repository(id.repository)?.pulls.get(&id.number)
    }

    /// The objects of a repository and its forks.
    #[must_use]
    pub fn objects(&self, id: RepositoryId) -> Option<&ObjectStore> {
        self.networks.get(self.repository(id)?.network)
    }

    /// The commit a branch is at.
    #[must_use]
    pub fn branch(&self, id: RepositoryId, branch: &str) -> Option<Oid> {
        self.repository(id)?.branches.get(branch).copied()
    }

    /// The check runs of a commit, oldest first.
    #[must_use]
    pub fn check_runs(&self, repository: RepositoryId, head: Oid) -> Vec<&CheckRun> {
        self.runs.values().filter(|run| run.repository == repository && run.head == head).collect()
    }

    /// Every check run of every repository, oldest first.
    pub fn all_check_runs(&self) -> impl Iterator<Item = &CheckRun> {
        self.runs.values()
    }

    /// A check run.
    #[must_use]
    pub fn check_run(&self, id: CheckRunId) -> Option<&CheckRun> {
        self.runs.get(&id)
    }

    /// The check suites of a commit, oldest first.
    #[must_use]
    pub fn check_suites(&self, repository: RepositoryId, head: Oid) -> Vec<&CheckSuite> {
        self.suites.values().filter(|suite| suite.repository == repository && suite.head == head).collect()
    }

    /// The runs of a suite, oldest first.
    pub(crate) fn runs_of(&self, suite: CheckSuiteId) -> Vec<&CheckRun> {
        self.runs.values().filter(|run| run.suite == suite).collect()
    }

    /// An App.
    #[must_use]
    pub fn app(&self, id: AppId) -> Option<&App> {
        self.apps.get(&id)
    }

    /// An installation.
    #[must_use]
    pub fn installation(&self, id: InstallationId) -> Option<&Installation> {
        self.installations.get(&id)
    }

    /// The installation through which an App sees a repository.
    #[must_use]
    pub fn installation_on(&self, app: AppId, repository: RepositoryId) -> Option<&Installation> {
        let of_app = self.installations.values().filter(|installation| installation.app == app);
        of_app.into_iter().find(|installation| self.covers(installation, repository))
    }

    /// Whether an installation sees a repository.
    pub(crate) fn covers(&self, installation: &Installation, repository: RepositoryId) -> bool {
        match &installation.selection {
            Selection::Selected(chosen) => chosen.contains(&repository),
            Selection::All => self.repository(repository).is_some_and(|r| r.owner == installation.account),
        }
    }

    /// Every delivery, oldest first.
    #[must_use]
    pub fn deliveries(&self) -> &[Delivery] {
        &self.deliveries
    }

    /// GitHub's limits as this stand-in has them; a test may lower each.
    pub fn limits_mut(&mut self) -> &mut Limits {
        &mut self.limits
    }

    /// The requests of an installation in the present hour.
    pub(crate) fn rate(&mut self, installation: InstallationId) -> &mut RateWindow {
        let limit = self.limits.requests_per_hour;
        let fresh = RateWindow { limit, used: 0, resets_at: now() + Duration::from_secs(3600) };
        let window = self.rates.entry(installation).or_insert(fresh);
        if window.resets_at <= now() {
            *window = fresh;
        }
        window
    }
}
