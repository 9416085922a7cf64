//! The server: everything started in order, and stopped in order so that nothing accepted is lost.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::forges::Pace;
use crate::jobs::{JOBS, Worker, WorkerRules, keep_house};
use crate::settings::Settings;
use crate::store::Clock;
use crate::web::{self, RequestLimits, ServeLimits, WebParts};

/// What a server is started with beside its settings.
pub struct Start {
    /// This program's own file: evaluations are its children.
    pub program: PathBuf,
    /// How code hosts are spared.
    pub pace: Pace,
    /// The time.
    pub clock: Clock,
    /// The figures collected in this process.
    pub figures: PrometheusHandle,
}

/// A running server.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What its jobs work with.
    pub app: Arc<App>,
    stopping: CancellationToken,
    tasks: JoinSet<()>,
}

impl Server {
    /// Opens the database, listens, and starts the workers.
    ///
    /// # Errors
    /// What could not be started, and why.
    pub async fn start(settings: &Settings, start: Start) -> anyhow::Result<Self> {
        let Start { program, pace, clock, figures } = start;
        let app = Arc::new(App::build(settings, program, pace, clock.clone()).await?);
        let listen = settings.server.listen;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("{listen} cannot be listened on (server.listen)"))?;
        let address = listener.local_addr().context("the address listened on has no name")?;
        let stopping = CancellationToken::new();
        let grace = settings.server.stop_grace;
        let router = web::router(WebParts {
            store: app.store.clone(),
            endpoints: app.forges.clone(),
            figures: figures.clone(),
            limits: RequestLimits::default(),
            clock: clock.clone(),
            stopping: stopping.clone(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(web::serve(listener, router, ServeLimits::default(), stopping.clone(), grace));
        let worker =
            Worker::new(app.store.clone(), JOBS, app.clone(), WorkerRules::from(&settings.queue), clock.clone());
        let worker_stopping = stopping.clone();
        tasks.spawn(async move { worker.run(worker_stopping, grace).await });
        tasks.spawn(keep_house(app.store.clone(), settings.database.clone(), clock, stopping.clone()));
        tasks.spawn(web::figures::keep_small(figures, stopping.clone()));
        let endpoints: Vec<&str> = app.forges.keys().map(|name| name.as_str()).collect();
        tracing::info!(%address, endpoints = endpoints.join(","), sources = app.sources.len(), "the server is ready");
        if !app.sources.iter().any(|source| source.enabled) {
            tracing::warn!(
                "no source is configured, so no pull request will be checked: add [[sources]] to the settings"
            );
        }
        Ok(Self { address, app, stopping, tasks })
    }

    /// Stops taking requests and jobs, lets those at work end within the grace, and puts back the rest.
    pub async fn stop(mut self) {
        tracing::info!("stopping");
        self.stopping.cancel();
        while self.tasks.join_next().await.is_some() {}
        tracing::info!("stopped");
    }

    /// Returns when a part of the server has ended though nobody asked it to.
    pub async fn broken(&mut self) {
        let _ = self.tasks.join_next().await;
    }
}
