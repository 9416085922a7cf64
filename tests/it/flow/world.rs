//! A code host, the server's own parts in front of it, and the verbs of its users.
//!
//! Deliveries arrive over HTTP at the real router; jobs run when a test says so, one after the other, by a clock that a test
//! moves: what waits for a later time is run at that time without waiting.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use portcullis::app::App;
use portcullis::evaluator::{Evaluator, Limits};
use portcullis::forges::Pace;
use portcullis::github_stand_in::actions::{Changes, NewCommit, NewRepository, Proposal};
use portcullis::github_stand_in::faults::{Fault, Matching};
use portcullis::github_stand_in::gate::Gate;
use portcullis::github_stand_in::git::Oid;
use portcullis::github_stand_in::recording::Recorded;
use portcullis::github_stand_in::state::{
    CheckRun, CheckStatus, InstallationId, Layout, Protection, PullId, RepositoryId, RequiredCheck, Selection,
};
use portcullis::github_stand_in::webhooks::sign;
use portcullis::github_stand_in::{Config, GitHubStandIn};
use portcullis::jobs::{JOBS, Worker, WorkerRules};
use portcullis::settings::{Layers, Settings};
use portcullis::store::{Clock, DeliveryRef, JobRecord, JobState, Moment};
use portcullis::web::{self, RequestLimits, ServeLimits, WebParts};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::manifests::deployment;
use super::seen::Seen;
use crate::github_stand_in::world::{CHECK, key};
use crate::web::figures;

/// This program, as the server starts it for each evaluation.
pub(super) const PROGRAM: &str = env!("CARGO_BIN_EXE_portcullis");

/// The policies these tests count on; the catalogue may grow.
const POLICIES: [&str; 12] = [
    "aws-ebs-encrypt-volume",
    "k8s-no-privilege-escalation",
    "k8s-no-privileged-containers",
    "k8s-no-host-network",
    "image-pin-tag",
    "k8s-run-as-non-root",
    "k8s-read-only-root-filesystem",
    "k8s-limit-cpu",
    "k8s-set-resources",
    "docker-no-root-user",
    "aws-rds-no-public-access",
    "aws-s3-block-public-access",
];

/// How a world differs from others.
pub(super) struct Shape {
    pub(super) sources: Value,
    pub(super) layout: Layout,
    pub(super) stand_in: Config,
    pub(super) evaluation: Limits,
    pub(super) content: Changes,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            sources: json!([{ "name": "everything", "repository": "acme/*", "branches": "main" }]),
            layout: Layout::GitHub,
            stand_in: Config::default(),
            evaluation: Limits::default(),
            content: base(),
        }
    }
}

/// What `acme/shop` begins with.
pub(super) fn base() -> Changes {
    Changes::new()
        .write("README.md", "# Shop\n")
        .write("k8s/web.yaml", deployment("web"))
        .write("docs/notes.md", "Nothing of note.\n")
}

/// Everything a test needs.
pub(super) struct World {
    pub(super) stand_in: GitHubStandIn,
    pub(super) app: Arc<App>,
    pub(super) repository: RepositoryId,
    pub(super) installation: InstallationId,
    address: SocketAddr,
    hand: Arc<AtomicI64>,
    worker: Worker<App>,
    stopping: CancellationToken,
    serving: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

/// A world with `acme/shop`, whose `main` needs the check.
pub(super) async fn world<F: Future<Output = ()>>(test: impl FnOnce(Arc<World>) -> F) {
    world_of(Shape::default(), test).await;
}

/// The same with these sources.
pub(super) async fn world_with_sources<F: Future<Output = ()>>(sources: Value, test: impl FnOnce(Arc<World>) -> F) {
    world_of(Shape { sources, ..Shape::default() }, test).await;
}

/// A world of any shape. At its end the queue is at rest, and each check has ended.
pub(super) async fn world_of<F: Future<Output = ()>>(shape: Shape, test: impl FnOnce(Arc<World>) -> F) {
    let world = Arc::new(World::begin(shape).await);
    world.settle().await;
    test(world.clone()).await;
    world.settle().await;
    world.assert_at_rest().await;
    let world = Arc::into_inner(world).expect("a test keeps nothing");
    world.stopping.cancel();
    world.serving.await.unwrap();
    world.stand_in.stop().await;
}

/// Where a test leaves its requests.
pub(super) fn log_file() -> Option<PathBuf> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let folder = PathBuf::from(std::env::var_os("PORTCULLIS_REQUEST_LOG_DIR")?);
    let test = std::thread::current().name().unwrap_or("test").replace("::", ".");
    Some(folder.join(format!("{test}.{}.jsonl", NUMBER.fetch_add(1, Ordering::SeqCst))))
}

/// A stand-in with `acme/shop` and nobody who listens yet.
pub(super) async fn stand_in(config: Config, content: Changes) -> (GitHubStandIn, RepositoryId) {
    let config = Config { key: Some(key()), recording: log_file(), ..config };
    let stand_in = GitHubStandIn::start(config).await.unwrap();
    let app = stand_in.app;
    let repository = stand_in.github(|github| {
        let repository = github.create_repository(&NewRepository::new("acme/shop", content)).unwrap();
        github.protect(repository, protection("main", Some(app))).unwrap();
        repository
    });
    (stand_in, repository)
}

/// A branch that needs our check.
pub(super) fn protection(branch: &str, app: Option<portcullis::github_stand_in::state::AppId>) -> Protection {
    let required_checks = vec![RequiredCheck { name: CHECK.to_owned(), app }];
    Protection { branch: branch.to_owned(), required_checks, ..Protection::default() }
}

/// Settings of a server for a stand-in.
pub(super) fn settings(stand_in: &GitHubStandIn, layout: Layout, database: &str, sources: &Value) -> Value {
    json!({
        "server": { "listen": "127.0.0.1:0" },
        "database": { "url": database },
        "github": {
            "api_url": stand_in.rest_url(layout),
            "app_id": stand_in.app.0,
            "private_key": stand_in.private_key_pem,
            "webhook_secret": stand_in.webhook_secret,
        },
        "policies": { "only": POLICIES },
        "sources": sources,
    })
}

impl World {
    async fn begin(shape: Shape) -> Self {
        let layout = shape.layout;
        let config = Config { webhook_layout: layout, ..shape.stand_in };
        let (stand_in, repository) = stand_in(config, shape.content).await;
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", folder.path().join("flow.db").display());
        let settings = settings(&stand_in, layout, &database, &shape.sources);
        let settings = Settings::load(&Layers::gather(None, [], &settings).unwrap()).unwrap();
        let hand = Arc::new(AtomicI64::new(Clock::system().now().0));
        let clock = Clock::by_hand(hand.clone());
        let mut app = App::build(&settings, PROGRAM.into(), pace(), clock.clone()).await.unwrap();
        app.evaluator = Evaluator::new(PROGRAM.into(), shape.evaluation);
        let app = Arc::new(app);
        let router = web::router(WebParts {
            store: app.store.clone(),
            endpoints: app.forges.clone(),
            figures: figures(),
            limits: RequestLimits::default(),
            clock: clock.clone(),
            stopping: CancellationToken::new(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stopping = CancellationToken::new();
        let serving = web::serve(listener, router, ServeLimits::default(), stopping.clone(), Duration::from_secs(5));
        let serving = tokio::spawn(serving);
        let worker =
            Worker::new(app.store.clone(), JOBS, app.clone(), WorkerRules::from(&settings.queue), clock.clone());
        let installation = stand_in.github(|github| {
            github.set_webhook(stand_in.app, &format!("http://{address}/webhooks/github")).unwrap();
            github.install(stand_in.app, "acme", Selection::All).unwrap()
        });
        Self { stand_in, app, repository, installation, address, hand, worker, stopping, serving, _folder: folder }
    }

    /// Runs what the deliveries ask for, and what follows from it, until nothing is left for any time.
    pub(super) async fn settle(&self) {
        let mut waited_for = Vec::new();
        for _ in 0..200 {
            self.stand_in.deliveries_idle().await;
            self.wait(Duration::from_millis(1));
            if self.worker.run_until_idle().await.unwrap() > 0 {
                continue;
            }
            let now = self.app.clock.now();
            match self.app.store.next_due(now).await.unwrap() {
                Some(due) => {
                    waited_for.push(due.since(now));
                    self.hand.store(due.0, Ordering::SeqCst);
                }
                None => return,
            }
        }
        panic!("the queue does not come to rest, having waited for {waited_for:?}");
    }

    /// Runs the jobs that are due now, and no others.
    pub(super) async fn run_due(&self) {
        self.stand_in.deliveries_idle().await;
        self.worker.run_until_idle().await.unwrap();
    }

    /// So much later.
    pub(super) fn wait(&self, time: Duration) {
        let later = Moment(self.hand.load(Ordering::SeqCst)).plus(time);
        self.hand.store(later.0, Ordering::SeqCst);
    }

    async fn assert_at_rest(&self) {
        for figure in self.app.store.queue_figures().await.unwrap() {
            assert_eq!(figure.state, JobState::Dead, "{figure:?}");
        }
        let open: Vec<CheckRun> =
            self.all_checks().into_iter().filter(|run| run.status != CheckStatus::Completed).collect();
        assert!(open.is_empty(), "checks that never end: {open:#?}");
        assert_eq!(self.stand_in.faults_left(), 0, "faults that met no request");
    }

    /// Opens a pull request of these changes.
    pub(super) fn propose(&self, title: &str, changes: Changes) -> PullId {
        self.propose_as(Proposal::new("dana", title, changes))
    }

    pub(super) fn propose_as(&self, proposal: Proposal) -> PullId {
        self.stand_in.github(|github| github.propose(self.repository, &proposal).unwrap())
    }

    /// Opens a pull request and sees it through.
    pub(super) async fn review(&self, title: &str, changes: Changes) -> Seen {
        let pull = self.propose(title, changes);
        self.settle().await;
        self.check(pull)
    }

    /// Adds a commit to a pull request.
    pub(super) fn push(&self, pull: PullId, changes: Changes) -> Oid {
        self.stand_in.github(|github| github.push_to(pull, &NewCommit::new("dana", "More", changes)).unwrap())
    }

    /// Adds a commit to a branch, or makes the branch from the default branch.
    pub(super) fn push_branch(&self, branch: &str, changes: Changes) -> Oid {
        let commit = NewCommit::new("dana", "Onwards", changes);
        self.stand_in.github(|github| github.push(self.repository, branch, &commit).unwrap())
    }

    pub(super) fn head(&self, pull: PullId) -> Oid {
        self.stand_in.github(|github| github.pull(pull).unwrap().head)
    }

    /// The check runs of a commit, oldest first.
    pub(super) fn checks_of(&self, head: Oid) -> Vec<CheckRun> {
        self.stand_in.github(|github| github.check_runs(self.repository, head).into_iter().cloned().collect())
    }

    /// The check runs of a pull request's head, oldest first.
    pub(super) fn checks(&self, pull: PullId) -> Vec<CheckRun> {
        self.checks_of(self.head(pull))
    }

    /// Every check run there is.
    pub(super) fn all_checks(&self) -> Vec<CheckRun> {
        self.stand_in.github(|github| github.all_check_runs().cloned().collect())
    }

    /// The one check of a pull request's head, which has ended.
    pub(super) fn check(&self, pull: PullId) -> Seen {
        let mut runs = self.checks(pull);
        assert_eq!(runs.len(), 1, "one check run for each head: {runs:#?}");
        Seen::of(runs.remove(0), self.gate(pull))
    }

    /// The newest check of a pull request's head, which has ended.
    pub(super) fn newest_check(&self, pull: PullId) -> Seen {
        Seen::of(self.checks(pull).pop().expect("a check run"), self.gate(pull))
    }

    /// What the stand-in says about merging.
    pub(super) fn gate(&self, pull: PullId) -> Gate {
        self.stand_in.github(|github| github.mergeable(pull).unwrap())
    }

    pub(super) fn fault(&self, method: &str, path: &str, fault: Fault) {
        self.faults(method, path, fault, 1);
    }

    pub(super) fn faults(&self, method: &str, path: &str, fault: Fault, times: u32) {
        self.stand_in.inject(Matching::new(method, path), fault, times);
    }

    /// The requests so far that are not about tokens, as `GET /repos/acme/shop/pulls/1`.
    pub(super) fn asked(&self) -> Vec<String> {
        let asked = self.stand_in.requests();
        let asked = asked.iter().filter(|request| !request.path().ends_with("/access_tokens"));
        asked.map(what).collect()
    }

    /// How many tokens were asked for.
    pub(super) fn minted(&self) -> usize {
        self.stand_in.requests().iter().filter(|request| request.path().ends_with("/access_tokens")).count()
    }

    /// Sends a delivery of our own making, signed as the App's webhooks are.
    pub(super) async fn deliver(&self, event: &str, guid: &str, body: &Value) -> u16 {
        let body = body.to_string();
        let signature = format!("sha256={}", sign(&self.stand_in.webhook_secret, body.as_bytes()));
        let headers = [
            ("content-type", "application/json"),
            ("x-github-event", event),
            ("x-github-delivery", guid),
            ("x-hub-signature-256", signature.as_str()),
        ];
        let url = format!("http://{}/webhooks/github", self.address);
        crate::http::send(&http::Method::POST, &url, &headers, body.into()).await.unwrap().status.as_u16()
    }

    /// The jobs a delivery led to.
    pub(super) async fn jobs_of(&self, guid: &str) -> Vec<JobRecord> {
        let delivery = DeliveryRef { endpoint: "github".parse().unwrap(), id: guid.parse().unwrap() };
        self.app.store.jobs_of_delivery(&delivery).await.unwrap()
    }
}

/// A request in short.
pub(super) fn what(request: &Recorded) -> String {
    format!("{} {}", request.method, request.path())
}

/// Writes are not spaced out, and what a host asks to wait for longer than a moment goes back to the queue.
fn pace() -> Pace {
    Pace {
        write_gap: Duration::ZERO,
        backoff: Duration::from_millis(1),
        patience: Duration::from_millis(50),
        answer_timeout: Duration::from_secs(10),
        ..Pace::default()
    }
}
