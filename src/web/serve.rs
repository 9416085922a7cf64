//! The accept loop: so many connections at a time, none idle for long, and a stop that lets requests end.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What connections are held to.
#[derive(Clone, Copy, Debug)]
pub struct ServeLimits {
    /// Most connections at a time; more wait to be accepted.
    pub connections: usize,
    /// How long the head of a request may take to arrive, and a connection may lie idle.
    pub head_timeout: Duration,
    /// Largest head of a request.
    pub head_bytes: usize,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self { connections: 1000, head_timeout: Duration::from_secs(15), head_bytes: 64 << 10 }
    }
}

/// Serves until `stopping`, then lets the requests at work end within `grace`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ServeLimits,
    stopping: CancellationToken,
    grace: Duration,
) {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    let out_of_grace = CancellationToken::new();
    let accepting = async {
        while let Ok(slot) = slots.clone().acquire_owned().await {
            let stream = accept(&listener).await;
            let connection = Connection { limits, stopping: stopping.clone(), out_of_grace: out_of_grace.clone() };
            let router = router.clone();
            connections.spawn(async move {
                connection.serve(stream, router).await;
                drop(slot);
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stopping.cancelled() => {}
    }
    drop(listener);
    connections.close();
    if timeout(grace, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "closing the connections that are still at work");
        out_of_grace.cancel();
        connections.wait().await;
    }
}

/// The next connection. What goes wrong with one is its own affair; when files or memory run out, a short wait may help.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if is_the_peers(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection could be accepted; trying again soon");
                sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

struct Connection {
    limits: ServeLimits,
    stopping: CancellationToken,
    out_of_grace: CancellationToken,
}

impl Connection {
    async fn serve(self, stream: TcpStream, router: Router) {
        // Answers are small; waiting to fill packets would only delay them.
        let _ = stream.set_nodelay(true);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_timeout)
            .max_buf_size(self.limits.head_bytes)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
        let mut connection = pin!(connection);
        let mut told = false;
        loop {
            tokio::select! {
                served = connection.as_mut() => {
                    if let Err(error) = served {
                        tracing::debug!(%error, "a connection ended early");
                    }
                    return;
                }
                () = self.stopping.cancelled(), if !told => {
                    connection.as_mut().graceful_shutdown();
                    told = true;
                }
                () = self.out_of_grace.cancelled() => return,
            }
        }
    }
}
