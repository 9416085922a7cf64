//! A GitHub to try things on: in memory, on loopback, over real HTTP.
//!
//! One [`state::GitHub`] behind a lock is the single truth. Requests read and change it, [`actions`] (someone opens a pull
//! request, pushes, merges) change it too, and each change queues the signed webhooks that GitHub would send. `demo` shows the
//! server at work against it, and the tests drive the server through it. Nothing of it is on a production path.
//!
//! The modules are floors: each names only those above it.

/// Git in memory.
pub mod git;

/// Everything the stand-in knows.
pub mod state;

/// What GitHub would say about merging.
pub mod gate;

/// The state as GitHub's JSON.
pub(crate) mod bodies;

/// What Apps are told.
pub(crate) mod events;

/// What people and GitHub itself do.
pub mod actions;

/// An App's key.
pub mod keys;

/// Repositories and pull requests from folders.
pub mod fixtures;

/// Faults on purpose.
pub mod faults;

/// What was asked and answered.
pub mod recording;

/// What everything that runs shares.
pub(crate) mod shared;

/// Delivering webhooks.
pub mod webhooks;

/// GitHub's REST interface.
pub(crate) mod rest;

/// GitHub's GraphQL interface.
pub(crate) mod graphql;

/// What happens to every request.
pub(crate) mod serve;

/// Pages for people.
pub(crate) mod pages;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::middleware::from_fn_with_state;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::actions::NewApp;
use self::faults::{Fault, Matching};
use self::keys::AppKey;
use self::recording::{Recorded, Recorder};
use self::shared::{Shared, Stand};
use self::state::{AppId, GitHub, Layout, Limits};

/// The version that Enterprise Server's layout claims to be.
pub(crate) const ENTERPRISE_VERSION: &str = "3.17.0";

/// How long a stop waits for requests under way.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// How a stand-in is set up.
#[derive(Clone)]
pub struct Config {
    /// The port on loopback; 0 is any free one.
    pub port: u16,
    /// The layout webhooks are written in.
    pub webhook_layout: Layout,
    /// GitHub's limits.
    pub limits: Limits,
    /// The App's name.
    pub app_name: String,
    /// The organization the App belongs to.
    pub app_owner: String,
    /// The App's key; `None`: a new one.
    pub key: Option<AppKey>,
    /// What signs the App's webhooks.
    pub webhook_secret: String,
    /// Where every request and its answer are written, one JSON line each.
    pub recording: Option<PathBuf>,
    /// How many webhooks may be on their way at once; one keeps the order in which things happened.
    pub deliveries_at_once: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            webhook_layout: Layout::default(),
            limits: Limits::default(),
            app_name: "Portcullis".to_owned(),
            app_owner: "acme".to_owned(),
            key: None,
            webhook_secret: "the webhook secret of the stand-in".to_owned(),
            recording: None,
            deliveries_at_once: 1,
        }
    }
}

/// A running stand-in. It ends with [`GitHubStandIn::stop`], or when it is dropped.
pub struct GitHubStandIn {
    /// `http://127.0.0.1:port`
    pub base_url: String,
    /// The App that is there from the start, with what the merge gate needs.
    pub app: AppId,
    /// The App's other name in tokens.
    pub client_id: String,
    /// The App's private key, PKCS#1 PEM.
    pub private_key_pem: String,
    /// What signs the App's webhooks.
    pub webhook_secret: String,
    stand: Stand,
    stop: CancellationToken,
    /// They end when this is dropped.
    tasks: JoinSet<()>,
}

impl GitHubStandIn {
    /// Starts a stand-in with one App, no repository and no installation.
    ///
    /// # Errors
    /// The port is taken, or the recording cannot be written.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await;
        let listener = listener.with_context(|| format!("listening on port {} of loopback", config.port))?;
        let base_url = format!("http://{}", listener.local_addr().context("asking for the port")?);
        let key = match config.key {
            Some(key) => key,
            None => tokio::task::spawn_blocking(AppKey::generate).await.context("making the App's key")??,
        };
        let recorder = Recorder::new(config.recording.as_deref()).context("opening the recording")?;
        let mut github = GitHub::new(&base_url, config.webhook_layout, config.limits);
        let app = github.create_app(&NewApp::gate(
            &config.app_name,
            &config.app_owner,
            key.public.clone(),
            &config.webhook_secret,
        ));
        let client_id = github.app(app).map(|app| app.client_id.clone()).unwrap_or_default();
        let stand = Shared::new(github, recorder);
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(webhooks::deliver(stand.clone(), config.deliveries_at_once, stop.clone()));
        let serving = axum::serve(listener, router(&stand)).with_graceful_shutdown(stop.clone().cancelled_owned());
        tasks.spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the stand-in's server has ended");
            }
        });
        Ok(Self {
            base_url,
            app,
            client_id,
            private_key_pem: key.private_pem,
            webhook_secret: config.webhook_secret,
            stand,
            stop,
            tasks,
        })
    }

    /// Where the REST interface of a layout lies.
    #[must_use]
    pub fn rest_url(&self, layout: Layout) -> String {
        match layout {
            Layout::GitHub => self.base_url.clone(),
            Layout::EnterpriseServer => format!("{}/api/v3", self.base_url),
        }
    }

    /// Looks at the state or changes it; webhooks that follow from it are delivered in the background. Inside, it must not
    /// be called again: the state is locked.
    pub fn github<T>(&self, act: impl FnOnce(&mut GitHub) -> T) -> T {
        self.stand.with(act)
    }

    /// The next requests that match meet a fault, so many times.
    pub fn inject(&self, matching: Matching, fault: Fault, times: u32) {
        self.stand.faults.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(matching, fault, times);
    }

    /// Ends the faults that have not met their request yet.
    pub fn end_faults(&self) {
        self.stand.faults.lock().unwrap_or_else(std::sync::PoisonError::into_inner).end();
    }

    /// How many faults have not met their request yet.
    #[must_use]
    pub fn faults_left(&self) -> u32 {
        self.stand.faults.lock().unwrap_or_else(std::sync::PoisonError::into_inner).left()
    }

    /// Every request to the programming interface so far, and its answer.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.stand.recorder.all()
    }

    /// Waits until every webhook that can be delivered has been, one way or the other.
    pub async fn deliveries_idle(&self) {
        webhooks::idle(&self.stand).await;
    }

    /// Ends the server and its deliveries.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_PATIENCE, ended).await.is_err() {
            tracing::warn!("the stand-in was stopped with requests under way");
        }
    }
}

/// Pages at their addresses, everything else is the programming interface.
fn router(stand: &Stand) -> Router {
    let interface = Router::new()
        .merge(rest::routes())
        .nest("/api/v3", rest::routes())
        .merge(graphql::routes())
        .layer(from_fn_with_state(stand.clone(), serve::around));
    pages::routes().fallback_service(interface.with_state(stand.clone())).with_state(stand.clone())
}
