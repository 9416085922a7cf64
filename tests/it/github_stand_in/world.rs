//! A stand-in, a repository, a receiver of webhooks, and a client with the App's credentials.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use portcullis::github_stand_in::actions::{Changes, NewRepository, Proposal};
use portcullis::github_stand_in::keys::AppKey;
use portcullis::github_stand_in::state::{InstallationId, Layout, PullId, RepositoryId, Selection};
use portcullis::github_stand_in::{Config, GitHubStandIn};
use serde_json::{Value, json};

use crate::http::{Answer, send};

/// The name of the check in these tests.
pub(crate) const CHECK: &str = "Portcullis / Pull Request Policy Evaluation";

/// Everything a test needs.
pub(crate) struct World {
    pub(crate) stand_in: GitHubStandIn,
    pub(crate) installation: InstallationId,
    pub(crate) repository: RepositoryId,
    pub(crate) receiver: Receiver,
    pub(crate) layout: Layout,
    token: Mutex<Option<String>>,
}

/// A stand-in with `acme/platform`, in which the App is installed, and a receiver of its webhooks.
pub(crate) async fn world<F: Future<Output = ()>>(name: &str, test: impl FnOnce(Arc<World>) -> F) {
    world_with(name, Layout::GitHub, Config::default(), test).await;
}

pub(crate) async fn world_with<F: Future<Output = ()>>(
    name: &str,
    layout: Layout,
    config: Config,
    test: impl FnOnce(Arc<World>) -> F,
) {
    let folder = std::env::var_os("STAND_IN_RECORDINGS").map(PathBuf::from);
    let file = |kind: &str| folder.as_ref().map(|folder| folder.join(format!("{name}.{kind}.jsonl")));
    let config = Config { key: Some(key()), recording: file("requests"), webhook_layout: layout, ..config };
    let stand_in = GitHubStandIn::start(config).await.unwrap();
    let receiver = Receiver::start().await;
    let app = stand_in.app;
    let (repository, installation) = stand_in.github(|github| {
        let repository = github.create_repository(&NewRepository::new("acme/platform", base())).unwrap();
        (repository, github.install(app, "acme", Selection::All).unwrap())
    });
    stand_in.github(|github| github.set_webhook(app, &receiver.url).unwrap());
    stand_in.deliveries_idle().await;
    let world = Arc::new(World { stand_in, installation, repository, receiver, layout, token: Mutex::default() });
    test(world.clone()).await;
    if let Some(file) = file("deliveries") {
        let lines = world.stand_in.github(|github| {
            let line = |delivery: &portcullis::github_stand_in::state::Delivery| {
                format!("{}\n", json!({ "event": delivery.event, "body": delivery.json() }))
            };
            github.deliveries().iter().map(line).collect::<String>()
        });
        std::fs::write(file, lines).unwrap();
    }
    let world = Arc::into_inner(world).expect("a test keeps nothing");
    world.stand_in.stop().await;
}

/// What `acme/platform` begins with.
pub(crate) fn base() -> Changes {
    Changes::new()
        .write("README.md", "# Platform\n")
        .write("terraform/main.tf", "resource \"aws_s3_bucket\" \"logs\" {\n  bucket = \"logs\"\n}\n")
        .write("terraform/modules/net/main.tf", "# nothing\n")
}

/// The key for tests: to make one takes a while.
pub(crate) fn key() -> AppKey {
    AppKey::from_pem(include_str!("../../../fixtures/keys/test-app.pem")).unwrap()
}

pub(crate) fn unix_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

impl World {
    /// A JWT of the App with these claims.
    pub(crate) fn jwt_with(&self, claims: &Value) -> String {
        let key = EncodingKey::from_rsa_pem(self.stand_in.private_key_pem.as_bytes()).unwrap();
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key).unwrap()
    }

    /// A JWT as an App should make it.
    pub(crate) fn jwt(&self) -> String {
        let now = unix_now();
        self.jwt_with(&json!({ "iss": self.stand_in.client_id, "iat": now - 60, "exp": now + 540 }))
    }

    /// Sends a request with these headers and no others.
    pub(crate) async fn bare(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.try_bare(method, path, headers, body).await.expect("an answer")
    }

    pub(crate) async fn try_bare(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, hyper::Error> {
        let url = match path.strip_prefix("/graphql") {
            Some("") if self.layout == Layout::EnterpriseServer => format!("{}/api/graphql", self.stand_in.base_url),
            Some("") => format!("{}/graphql", self.stand_in.base_url),
            _ => format!("{}{path}", self.stand_in.rest_url(self.layout)),
        };
        let method: Method = method.parse().unwrap();
        send(&method, &url, headers, Bytes::from(body.to_owned())).await
    }

    /// Sends a request as a well-behaved client does, with a credential.
    pub(crate) async fn ask(&self, credential: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.try_ask(credential, method, path, body).await.expect("an answer")
    }

    pub(crate) async fn try_ask(
        &self,
        credential: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, hyper::Error> {
        let authorization = format!("Bearer {credential}");
        let mut headers = vec![
            ("authorization", authorization.as_str()),
            ("user-agent", "portcullis-tests"),
            ("accept", "application/vnd.github+json"),
            ("x-github-api-version", "2022-11-28"),
        ];
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.try_bare(method, path, &headers, &body).await
    }

    /// A request with the App's JWT.
    pub(crate) async fn as_app(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.ask(&self.jwt(), method, path, body).await
    }

    /// A new installation token.
    pub(crate) async fn mint(&self, body: Value) -> String {
        let path = format!("/app/installations/{}/access_tokens", self.installation);
        let answer = self.as_app("POST", &path, Some(body)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    /// The token of this test, for `acme/platform` alone.
    pub(crate) async fn token(&self) -> String {
        let known = self.token.lock().unwrap().clone();
        if let Some(token) = known {
            return token;
        }
        let token = self.mint(json!({ "repositories": ["platform"] })).await;
        *self.token.lock().unwrap() = Some(token.clone());
        token
    }

    /// A request with the test's installation token.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(&self.token().await, "GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(&self.token().await, "POST", path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.ask(&self.token().await, "PATCH", path, Some(body)).await
    }

    /// A GraphQL query.
    pub(crate) async fn query(&self, query: &str, variables: Value) -> Value {
        let answer = self.post("/graphql", json!({ "query": query, "variables": variables })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json()
    }

    /// Lists all pages that follow a Link header, as a client does.
    pub(crate) async fn pages(&self, path: &str) -> Vec<Answer> {
        let mut answers = vec![self.get(path).await];
        while let Some(next) = next_page(answers.last().unwrap().header("link")) {
            let path =
                next.strip_prefix(&self.stand_in.rest_url(self.layout)).expect("an absolute address of the stand-in");
            answers.push(self.get(path).await);
        }
        answers
    }

    /// Opens a pull request of these changes.
    pub(crate) fn propose(&self, title: &str, changes: Changes) -> PullId {
        let proposal = Proposal::new("dana", title, changes);
        self.stand_in.github(|github| github.propose(self.repository, &proposal).unwrap())
    }

    pub(crate) fn head(&self, pull: PullId) -> String {
        self.stand_in.github(|github| github.pull(pull).unwrap().head.to_string())
    }

    /// Forgets what has arrived so far, once all of it has.
    pub(crate) async fn forget(&self) {
        self.stand_in.deliveries_idle().await;
        self.receiver.state.received.lock().unwrap().clear();
    }

    /// The bodies of an event and action that have arrived.
    pub(crate) async fn arrived(&self, event: &str, action: &str) -> Vec<Value> {
        self.stand_in.deliveries_idle().await;
        let all = self.receiver.received();
        let of_event = all.iter().filter(|received| received.header("x-github-event") == event);
        let bodies = of_event.map(|received| received.json());
        bodies.filter(|body| action.is_empty() || body["action"] == action).collect()
    }
}

/// The address of the next page in a Link header.
pub(crate) fn next_page(link: &str) -> Option<String> {
    let next = link.split(", ").find(|part| part.ends_with("rel=\"next\""))?;
    Some(next.strip_prefix('<')?.split_once('>')?.0.to_owned())
}

/// A webhook that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// Takes webhooks and answers as it is told.
pub(crate) struct Receiver {
    pub(crate) url: String,
    state: Arc<ReceiverState>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct ReceiverState {
    received: Mutex<Vec<Received>>,
    /// Statuses of the next answers; then 202.
    statuses: Mutex<Vec<u16>>,
    wait_ms: AtomicU64,
}

impl Receiver {
    async fn start() -> Self {
        let state = Arc::new(ReceiverState::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhooks/github", listener.local_addr().unwrap());
        let router = Router::new().route("/webhooks/github", post(receive)).with_state(state.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, state, task }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    pub(crate) fn answer_next_with(&self, statuses: &[u16]) {
        *self.state.statuses.lock().unwrap() = statuses.iter().rev().copied().collect();
    }

    pub(crate) fn wait_before_answers(&self, wait: Duration) {
        self.state.wait_ms.store(wait.as_millis() as u64, Ordering::SeqCst);
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn receive(State(state): State<Arc<ReceiverState>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    tokio::time::sleep(Duration::from_millis(state.wait_ms.load(Ordering::SeqCst))).await;
    state.received.lock().unwrap().push(Received { headers, body });
    let status = state.statuses.lock().unwrap().pop().unwrap_or(202);
    StatusCode::from_u16(status).unwrap()
}

/// How many of each event arrived, `event.action`.
pub(crate) fn counts(received: &[Received]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for one in received {
        let body = one.json();
        let action = body["action"].as_str().map(|action| format!(".{action}")).unwrap_or_default();
        *counts.entry(format!("{}{action}", one.header("x-github-event"))).or_default() += 1;
    }
    counts
}
