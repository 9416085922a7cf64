//! How many deliveries a second are durably accepted, and how long each waits at half that rate.
//!
//! `cargo bench --bench webhooks -- [--database URL] [--seconds 10] [--clients 64] [--body-bytes 18000]`
//!
//! Server and clients share this process and its cores; each client is one connection that is kept. First every client sends
//! as fast as it is answered; then requests are sent on a schedule at half the rate found, and each waits from the moment it
//! was due, so that a stall counts for every request it held up. Without `--database`, SQLite in a temporary folder.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used, reason = "a measurement")]

#[path = "../tests/it/test_forge.rs"]
mod test_forge;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use portcullis::forges::Forge;
use portcullis::settings::{DatabaseLocation, DatabaseSettings};
use portcullis::store::{Clock, Store};
use portcullis::web::{self, RequestLimits, ServeLimits, WebParts};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use test_forge::{TestForge, signature};

struct Options {
    database: Option<String>,
    seconds: u64,
    clients: usize,
    body_bytes: usize,
}

fn main() {
    let options = options();
    let folder = tempfile::tempdir().unwrap();
    let location = match &options.database {
        Some(url) if url.starts_with("postgres") => DatabaseLocation::Postgres(SecretString::from(url.as_str())),
        Some(path) => DatabaseLocation::Sqlite(path.trim_start_matches("sqlite://").into()),
        None => DatabaseLocation::Sqlite(folder.path().join("bench.db")),
    };
    let day = Duration::from_secs(24 * 60 * 60);
    let settings = DatabaseSettings { location, connections: 20, keep_bodies: day, keep_history: day };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(measure(&options, &settings));
}

fn options() -> Options {
    let mut options = Options { database: None, seconds: 10, clients: 64, body_bytes: 18_000 };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().expect("a value follows");
        match name.as_str() {
            "--database" => options.database = Some(value()),
            "--seconds" => options.seconds = value().parse().unwrap(),
            "--clients" => options.clients = value().parse().unwrap(),
            "--body-bytes" => options.body_bytes = value().parse().unwrap(),
            // Cargo's own.
            "--bench" => {}
            other => panic!("unknown option {other}"),
        }
    }
    options
}

async fn measure(options: &Options, settings: &DatabaseSettings) {
    let store = Store::open(settings).await.unwrap();
    let stopping = CancellationToken::new();
    let forge: Arc<dyn Forge> = Arc::new(TestForge);
    let figures = web::figures::collect().unwrap();
    tokio::spawn(web::figures::keep_small(figures.clone(), stopping.clone()));
    let router = web::router(WebParts {
        store,
        endpoints: BTreeMap::from([("github".parse().unwrap(), forge)]),
        figures,
        limits: RequestLimits::default(),
        clock: Clock::system(),
        stopping: stopping.clone(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let grace = Duration::from_secs(5);
    let serving = tokio::spawn(web::serve(listener, router, ServeLimits::default(), stopping.clone(), grace));

    let load = Arc::new(Load::new(address, options.body_bytes));
    let length = Duration::from_secs(options.seconds);
    let (accepted, took) = load.clone().as_fast_as_answered(options.clients, length).await;
    let rate = accepted.len() as f64 / took.as_secs_f64();
    println!("bodies of {} bytes, {} clients", load.body.len(), options.clients);
    println!("as fast as answered: {rate:.0} deliveries/s, {}", percentiles(accepted));
    let half = rate / 2.0;
    let waited = load.on_schedule(options.clients, half, length).await;
    println!("at {half:.0} deliveries/s: {}", percentiles(waited));
    stopping.cancel();
    serving.await.unwrap();
}

/// The requests that are sent.
struct Load {
    address: SocketAddr,
    body: String,
    signature: String,
    number: AtomicU64,
}

impl Load {
    fn new(address: SocketAddr, body_bytes: usize) -> Self {
        let body = body(body_bytes);
        let signature = signature(body.as_bytes());
        Self { address, body, signature, number: AtomicU64::new(0) }
    }

    async fn as_fast_as_answered(self: Arc<Self>, clients: usize, length: Duration) -> (Vec<Duration>, Duration) {
        let began = Instant::now();
        let tasks: Vec<_> = (0..clients)
            .map(|_| {
                let load = self.clone();
                tokio::spawn(async move {
                    let mut client = Client::connect(&load).await;
                    let mut waited = Vec::new();
                    while began.elapsed() < length {
                        let sent = Instant::now();
                        client.deliver(&load).await;
                        waited.push(sent.elapsed());
                    }
                    waited
                })
            })
            .collect();
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.unwrap());
        }
        (all, began.elapsed())
    }

    async fn on_schedule(self: Arc<Self>, clients: usize, rate: f64, length: Duration) -> Vec<Duration> {
        let total = (rate * length.as_secs_f64()) as u64;
        let next = Arc::new(AtomicU64::new(0));
        let began = Instant::now();
        let tasks: Vec<_> = (0..clients)
            .map(|_| {
                let (load, next) = (self.clone(), next.clone());
                tokio::spawn(async move {
                    let mut client = Client::connect(&load).await;
                    let mut waited = Vec::new();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= total {
                            return waited;
                        }
                        let due = began + Duration::from_secs_f64(number as f64 / rate);
                        tokio::time::sleep_until(due.into()).await;
                        client.deliver(&load).await;
                        waited.push(due.elapsed());
                    }
                })
            })
            .collect();
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.unwrap());
        }
        all
    }
}

struct Client {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Client {
    async fn connect(load: &Load) -> Self {
        let stream = TcpStream::connect(load.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, answer: vec![0; 4096] }
    }

    async fn deliver(&mut self, load: &Load) {
        let number = load.number.fetch_add(1, Ordering::Relaxed);
        let request = format!(
            "POST /webhooks/github HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             X-Test-Signature: {}\r\nX-Test-Delivery: {number:08x}-3a2e-11ef-9a4c-{number:012x}\r\nX-Test-Kind: push\r\n\
             Content-Length: {}\r\n\r\n{}",
            load.signature,
            load.body.len(),
            load.body
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let mut length = 0;
        // The answer ends with the only closing brace in it.
        while self.answer[..length].last() != Some(&b'}') {
            length += self.stream.read(&mut self.answer[length..]).await.unwrap();
            assert!(self.answer[..length].starts_with(b"HTTP/1.1 202"), "{}", String::from_utf8_lossy(&self.answer));
        }
    }
}

/// A body like those of real deliveries: much structure, many addresses that begin alike, some ids.
fn body(bytes: usize) -> String {
    let mut body = String::from("{\"action\":\"synchronize\",\"changes\":[");
    let mut seed = 88_172_645_463_325_252_u64;
    while body.len() < bytes.saturating_sub(2) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let _ = write!(
            body,
            "{{\"node_id\":\"{seed:016x}\",\"number\":{},\"url\":\"https://api.github.com/repos/acme/infra/pulls/{}\",\
             \"html_url\":\"https://github.com/acme/infra/pull/{}\",\"sha\":\"{seed:016x}{:016x}\",\"draft\":false}},",
            seed % 10_000,
            seed % 977,
            seed % 977,
            seed.wrapping_mul(31)
        );
    }
    body.truncate(bytes.saturating_sub(2));
    body.push_str("]}");
    body
}

fn percentiles(mut waited: Vec<Duration>) -> String {
    waited.sort_unstable();
    let at = |part: f64| {
        let index = ((waited.len() as f64 * part) as usize).min(waited.len().saturating_sub(1));
        waited.get(index).map_or(0.0, |wait| wait.as_secs_f64() * 1000.0)
    };
    format!(
        "p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, longest {:.1} ms",
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        at(1.0)
    )
}
