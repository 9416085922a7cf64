//! Nothing that was accepted is lost: the program is really killed, really stopped, and started again on the same database.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use portcullis::github_stand_in::actions::{Changes, Proposal};
use portcullis::github_stand_in::faults::{Fault, Matching};
use portcullis::github_stand_in::state::{CheckRun, CheckStatus, Conclusion, PullId, RepositoryId, Selection};
use portcullis::github_stand_in::{Config, GitHubStandIn};

use super::manifests::{deployment, privileged};
use super::process::{PATIENCE, Server};
use super::world::{PROGRAM, base, stand_in};

/// How many pull requests are opened before the end comes.
const PULLS: usize = 4;

struct Site {
    stand_in: GitHubStandIn,
    repository: RepositoryId,
    folder: tempfile::TempDir,
}

impl Site {
    async fn begin() -> Self {
        let (stand_in, repository) = stand_in(Config::default(), base()).await;
        Self { stand_in, repository, folder: tempfile::tempdir().unwrap() }
    }

    async fn start(&self) -> Server {
        self.start_program(PROGRAM.as_ref()).await
    }

    async fn start_program(&self, program: &Path) -> Server {
        let server = Server::start(program, &self.stand_in, self.folder.path());
        let url = format!("{}/webhooks/github", server.url);
        self.stand_in.github(|github| github.set_webhook(self.stand_in.app, &url).unwrap());
        self.stand_in.deliveries_idle().await;
        server
    }

    /// Opens pull requests, every other one with a violation, and waits until each delivery was accepted.
    async fn open_pull_requests(&self) -> Vec<PullId> {
        let open = |number: usize| {
            let name = format!("app-{number}");
            let manifest = if number.is_multiple_of(2) { privileged(&name) } else { deployment(&name) };
            let changes = Changes::new().write(&format!("k8s/{name}.yaml"), manifest);
            let proposal = Proposal::new("dana", &format!("Add {name}"), changes);
            self.stand_in.github(|github| github.propose(self.repository, &proposal).unwrap())
        };
        let pulls = (0..PULLS).map(open).collect();
        self.stand_in.deliveries_idle().await;
        self.assert_accepted();
        pulls
    }

    fn assert_accepted(&self) {
        self.stand_in.github(|github| {
            let of_pulls = github.deliveries().iter().filter(|delivery| delivery.event == "pull_request");
            let outcomes: Vec<u16> = of_pulls.filter_map(|delivery| Some(delivery.outcome()?.status_code)).collect();
            assert_eq!(outcomes, [202; PULLS]);
        });
    }

    fn checks(&self) -> Vec<CheckRun> {
        self.stand_in.github(|github| github.all_check_runs().cloned().collect())
    }

    /// Waits until something holds.
    async fn until(&self, what: &str, holds: impl Fn(&[CheckRun]) -> bool) {
        let began = Instant::now();
        while !holds(&self.checks()) {
            assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}; {:#?}", self.checks());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Each pull request has one check run, which has ended and is right.
    async fn assert_each_is_answered(&self, pulls: &[PullId]) {
        self.until("every check has ended", |checks| {
            checks.len() >= PULLS && checks.iter().all(|run| run.status == CheckStatus::Completed)
        })
        .await;
        let mut by_head: BTreeMap<_, Vec<CheckRun>> = BTreeMap::new();
        for run in self.checks() {
            by_head.entry(run.head).or_default().push(run);
        }
        for (number, pull) in pulls.iter().enumerate() {
            let head = self.stand_in.github(|github| github.pull(*pull).unwrap().head);
            let runs = by_head.remove(&head).unwrap_or_default();
            assert_eq!(runs.len(), 1, "#{}: {runs:#?}", pull.number);
            let wanted = if number.is_multiple_of(2) { Conclusion::Failure } else { Conclusion::Success };
            assert_eq!(runs[0].conclusion, Some(wanted), "#{}: {:#?}", pull.number, runs[0]);
            assert_eq!(runs[0].annotations.len(), usize::from(number.is_multiple_of(2)));
        }
        assert!(by_head.is_empty(), "{by_head:#?}");
    }

    async fn install(&self) {
        self.stand_in.github(|github| github.install(self.stand_in.app, "acme", Selection::All).unwrap());
        self.stand_in.deliveries_idle().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_amid_its_work_it_finishes_everything_it_accepted() {
    let site = Site::begin().await;
    let server = site.start().await;
    site.install().await;
    // Some are evaluated, some show "in progress", some wait; of one the check is made and nobody has heard of it.
    site.stand_in.inject(Matching::new("GET", "/repos/*/*/git/trees/*"), Fault::Slow(Duration::from_millis(1800)), 4);
    site.stand_in.inject(Matching::new("POST", "/repos/*/*/check-runs"), Fault::Slow(Duration::from_millis(100)), 9);
    let pulls = site.open_pull_requests().await;
    site.until("a check in progress", |checks| checks.iter().any(|run| run.status == CheckStatus::InProgress)).await;
    server.kill();
    let checks = site.checks();
    let ended = checks.iter().filter(|run| run.status == CheckStatus::Completed).count();
    assert!(ended < PULLS, "killed too late: {checks:#?}");

    let server = site.start().await;
    site.assert_each_is_answered(&pulls).await;
    assert!(server.terminate().success());
    site.stand_in.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_a_write_and_its_answer_it_makes_no_second_check() {
    let site = Site::begin().await;
    let server = site.start().await;
    site.install().await;
    // The write is done at once, its answer comes when nobody is there to hear it.
    site.stand_in.inject(Matching::new("POST", "/repos/*/*/check-runs"), Fault::LateAnswer(Duration::from_secs(2)), 1);
    let pulls = site.open_pull_requests().await;
    site.until("a check run", |checks| !checks.is_empty()).await;
    server.kill();

    let server = site.start().await;
    site.assert_each_is_answered(&pulls).await;
    assert!(server.terminate().success());
    site.stand_in.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_it_ends_what_it_has_begun_and_loses_nothing() {
    let site = Site::begin().await;
    let server = site.start().await;
    site.install().await;
    site.stand_in.inject(Matching::new("GET", "/repos/*/*/git/trees/*"), Fault::Slow(Duration::from_millis(300)), 2);
    let pulls = site.open_pull_requests().await;
    site.until("something asked", |_| !site.stand_in.requests().is_empty()).await;
    let status = server.terminate();
    assert_eq!(status.code(), Some(0));
    let checks = site.checks();
    assert!(!checks.is_empty(), "what was begun was not ended");
    assert!(checks.iter().all(|run| run.status == CheckStatus::Completed), "{checks:#?}");

    let server = site.start().await;
    site.assert_each_is_answered(&pulls).await;
    assert!(server.terminate().success());
    site.stand_in.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upgraded_in_place_it_goes_on_as_it_was_until_it_is_started_again() {
    let site = Site::begin().await;
    let program = site.folder.path().join("portcullis");
    std::fs::copy(PROGRAM, &program).unwrap();
    let server = site.start_program(&program).await;
    site.install().await;
    let newer = site.folder.path().join("newer");
    std::fs::copy("/bin/false", &newer).unwrap();
    std::fs::rename(&newer, &program).unwrap();
    let pulls = site.open_pull_requests().await;
    site.assert_each_is_answered(&pulls).await;
    assert!(server.terminate().success());
    site.stand_in.stop().await;
}
