//! The web server over real HTTP: what is accepted is stored, everything else is refused in the right words, and nothing a
//! stranger sends costs more than its share. Here is what these tests share: a server, and a client that says exactly what it
//! is told to.

mod bounds;
mod deliveries;
mod watching;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use portcullis::forges::Forge;
use portcullis::store::{Clock, Store};
use portcullis::web::{self, RequestLimits, ServeLimits, WebParts};
use serde_json::Value;
use sqlx::Connection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::databases::TestDatabase;
use crate::store::delivery;
use crate::test_forge::{TestForge, signature};

/// A running server.
struct Site {
    address: SocketAddr,
    store: Store,
    unready: CancellationToken,
    stopping: CancellationToken,
    serving: JoinHandle<()>,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// The figures of all tests of this process: there can be one collector only.
pub(crate) fn figures() -> PrometheusHandle {
    static FIGURES: OnceLock<PrometheusHandle> = OnceLock::new();
    FIGURES.get_or_init(|| web::figures::collect().unwrap()).clone()
}

async fn site(database: &TestDatabase) -> Site {
    site_with(database, RequestLimits::default(), ServeLimits::default()).await
}

async fn site_with(database: &TestDatabase, limits: RequestLimits, serve_limits: ServeLimits) -> Site {
    let store = database.open().await;
    let forge: Arc<dyn Forge> = Arc::new(TestForge);
    let (unready, stopping) = (CancellationToken::new(), CancellationToken::new());
    let router = web::router(WebParts {
        store: store.clone(),
        endpoints: BTreeMap::from([("github".parse().unwrap(), forge)]),
        figures: figures(),
        limits,
        clock: Clock::system(),
        stopping: unready.clone(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(web::serve(listener, router, serve_limits, stopping.clone(), Duration::from_secs(20)));
    Site { address, store, unready, stopping, serving }
}

/// The head of a delivery, signed and complete save for its length.
fn head(id: &str, kind: &str, body: &[u8]) -> String {
    format!(
        "POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         X-Test-Signature: {}\r\nX-Test-Delivery: {id}\r\nX-Test-Kind: {kind}\r\n",
        signature(body)
    )
}

impl Site {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn deliver(&self, id: &str, kind: &str, body: &[u8]) -> Answer {
        self.send(&head(id, kind, body), body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n"), b"").await
    }

    async fn send(&self, head: &str, body: &[u8]) -> Answer {
        let mut stream = self.connect().await;
        let head = format!("{head}Connection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        let _ = stream.write_all(head.as_bytes()).await;
        // A server that refuses early may close before it has read everything.
        let _ = stream.write_all(body).await;
        answer(&mut stream).await
    }

    async fn is_stored(&self, id: &str) -> bool {
        self.store.delivery(&delivery(id)).await.unwrap().is_some()
    }
}

/// What the server answers before it closes.
async fn answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut bytes));
    let _ = read.await.expect("the server ends the connection");
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// Past the store.
async fn connect(database: &TestDatabase) -> sqlx::AnyConnection {
    sqlx::any::install_default_drivers();
    sqlx::AnyConnection::connect(&database.url()).await.unwrap()
}
