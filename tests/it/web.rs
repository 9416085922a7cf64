//! The web server over real HTTP: what is accepted is stored, everything else is refused in the right words, and nothing a
//! stranger sends costs more than its share.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use portcullis::forges::Forge;
use portcullis::jobs::HANDLE_DELIVERY;
use portcullis::store::{Clock, End, Store};
use portcullis::web::{self, RequestLimits, ServeLimits, WebParts};
use serde_json::{Value, json};
use sqlx::{Connection, Executor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::databases::{self, TestDatabase, on_both_databases};
use crate::store::{LEASE, delivery};
use crate::test_forge::{TestForge, signature};

on_both_databases!(
    a_signed_delivery_is_stored_with_its_job_and_answered,
    what_is_not_signed_is_refused_and_leaves_no_trace,
    whatever_is_signed_is_accepted_and_never_parsed,
    a_store_that_does_not_answer_is_said_so_and_the_delivery_can_come_again,
    many_deliveries_at_once_are_all_stored,
    readiness_follows_the_database_and_the_stop,
);

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
fn figures() -> PrometheusHandle {
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

async fn a_signed_delivery_is_stored_with_its_job_and_answered(database: &TestDatabase) {
    let site = site(database).await;
    let body = br#"{"zen": "ok"}"#;
    let first = site.deliver("d-1", "ping", body).await;
    assert_eq!((first.status, first.json()), (202, json!({"delivery": "d-1", "result": "accepted"})));
    let stored = site.store.delivery(&delivery("d-1")).await.unwrap().unwrap();
    assert_eq!((stored.kind.as_str(), stored.body.as_deref()), ("ping", Some(&body[..])));

    assert_eq!(site.deliver("d-1", "ping", body).await.json()["result"], "repeated");
    let now = Clock::system().now();
    let mut jobs = site.store.claim_jobs(&[HANDLE_DELIVERY], 9, LEASE, now).await.unwrap();
    assert_eq!(jobs.len(), 1, "one delivery, one job");
    assert_eq!(jobs[0].delivery, Some(delivery("d-1")));
    let dead = End::Dead("x".into());
    site.store.finish_job(&jobs.remove(0).lease, dead, vec![], now).await.unwrap();
    let again = site.deliver("d-1", "ping", body).await;
    assert_eq!((again.status, &again.json()["result"]), (202, &json!("revived")));
}

async fn what_is_not_signed_is_refused_and_leaves_no_trace(database: &TestDatabase) {
    let site = site(database).await;
    let good = head("d", "push", b"{}");
    let without = |name: &str| -> String {
        good.split_inclusive("\r\n").filter(|line| !line.starts_with(name)).collect::<String>()
    };
    let wrong = [
        (401, without("X-Test-Signature"), &b"{}"[..]),
        (401, good.clone(), b"{} "),
        (401, good.clone(), b""),
        (401, good.replace("X-Test-Signature: ", "X-Test-Signature: zz"), b"{}"),
        (401, head("d", "push", b"another"), b"{}"),
        (400, without("X-Test-Delivery"), b"{}"),
        (400, without("X-Test-Kind"), b"{}"),
        (400, good.replace("X-Test-Delivery: d", "X-Test-Delivery: ../d"), b"{}"),
    ];
    for (status, head, body) in wrong {
        let refused = site.send(&head, body).await;
        assert_eq!(refused.status, status, "{head}");
        assert!(refused.body.len() < 100 && !refused.body.contains(&signature(body)), "{}", refused.body);
    }
    assert!(!site.is_stored("d").await);
    assert_eq!(site.store.queue_figures().await.unwrap(), []);
}

async fn whatever_is_signed_is_accepted_and_never_parsed(database: &TestDatabase) {
    let site = site(database).await;
    let deep = "[".repeat(200_000);
    let bodies: [&[u8]; 6] =
        [b"", b"not json", b"\xff\xfe\0", b"{\"action\":\"never_heard_of\"}", b"[]", deep.as_bytes()];
    for (index, body) in bodies.into_iter().enumerate() {
        let answer = site.deliver(&format!("d-{index}"), "an_event_of_the_future", body).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
    }
    assert_eq!(site.deliver("odd", "Ünheard-of KIND {}\"", b"{}").await.status, 400, "not even as a header");
    assert_eq!(site.deliver("odd", "unheard-of KIND {}\"", b"{}").await.status, 202);
}

async fn a_store_that_does_not_answer_is_said_so_and_the_delivery_can_come_again(database: &TestDatabase) {
    let limits = RequestLimits { store_timeout: Duration::from_millis(300), ..RequestLimits::default() };
    let site = site_with(database, limits, ServeLimits::default()).await;
    let mut blocking = connect(database).await;
    blocking.execute(if database.is_postgres() { "BEGIN" } else { "BEGIN IMMEDIATE" }).await.unwrap();
    if database.is_postgres() {
        blocking.execute("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE").await.unwrap();
    }
    let refused = site.deliver("d-1", "push", b"{}").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("30")), "{}", refused.body);
    blocking.execute("COMMIT").await.unwrap();
    assert_eq!(site.deliver("d-1", "push", b"{}").await.status, 202);
    assert_eq!(site.store.jobs_of_delivery(&delivery("d-1")).await.unwrap().len(), 1);

    let drop_table = if database.is_postgres() { "DROP TABLE jobs CASCADE" } else { "DROP TABLE jobs" };
    blocking.execute(drop_table).await.unwrap();
    let refused = site.deliver("d-2", "push", b"{}").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("30")));
    assert_eq!(refused.body, "the delivery could not be stored; send it again\n", "what went wrong is for the log");
    assert!(!site.is_stored("d-2").await, "both or neither");
}

async fn connect(database: &TestDatabase) -> sqlx::AnyConnection {
    sqlx::any::install_default_drivers();
    sqlx::AnyConnection::connect(&database.url()).await.unwrap()
}

async fn many_deliveries_at_once_are_all_stored(database: &TestDatabase) {
    let site = Arc::new(site(database).await);
    let body = vec![b'x'; 20_000];
    let sending: Vec<_> = (0..200)
        .map(|number| {
            let (site, body) = (site.clone(), body.clone());
            tokio::spawn(async move { site.deliver(&format!("d-{}", number / 2), "push", &body).await })
        })
        .collect();
    let mut accepted = 0;
    for answer in sending {
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.body);
        accepted += usize::from(answer.json()["result"] == "accepted");
    }
    assert_eq!(accepted, 100, "each was sent twice");
    let figures = site.store.queue_figures().await.unwrap();
    assert_eq!(figures.iter().map(|figure| figure.jobs).sum::<u64>(), 100);
}

async fn readiness_follows_the_database_and_the_stop(database: &TestDatabase) {
    let site = site(database).await;
    assert_eq!(site.get("/healthz").await.status, 200);
    let ready = site.get("/readyz").await;
    assert_eq!((ready.status, ready.json()), (200, json!({"ready": true})));
    if !database.is_postgres() {
        let mut blocking = connect(database).await;
        blocking.execute("BEGIN IMMEDIATE").await.unwrap();
        let not_ready = site.get("/readyz").await;
        assert_eq!((not_ready.status, &not_ready.json()["ready"]), (503, &json!(false)));
        blocking.execute("COMMIT").await.unwrap();
        assert_eq!(site.get("/readyz").await.status, 200);
    }
    site.unready.cancel();
    let not_ready = site.get("/readyz").await;
    assert_eq!((not_ready.status, &not_ready.json()["reason"]), (503, &json!("stopping")));
    assert_eq!(site.get("/healthz").await.status, 200, "it is alive all the same");
}

#[tokio::test]
async fn only_json_by_post_to_a_known_endpoint_is_taken() {
    let database = databases::sqlite();
    let site = site(&database).await;
    let good = head("d", "push", b"{}");
    let json = "Content-Type: application/json\r\n";
    let cases = [
        (415, good.replace(json, "")),
        (415, good.replace(json, "Content-Type: application/x-www-form-urlencoded\r\n")),
        (415, good.replace(json, "Content-Type: text/plain\r\n")),
        (415, good.replace(json, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n")),
        (404, good.replace("/webhooks/github", "/webhooks/gitlab")),
        (404, good.replace("/webhooks/github", "/webhooks/GitHub")),
        (404, good.replace("/webhooks/github", "/webhooks/github/")),
        (404, good.replace("/webhooks/github", "/webhooks/")),
        (404, good.replace("/webhooks/github", "/webhooks/%2e%2e/github")),
        (404, good.replace("/webhooks/github", "/")),
        (405, good.replace("POST", "PUT")),
        (405, good.replace("POST", "GET")),
        (405, good.replace("/webhooks/github", "/metrics")),
        (202, good.replace(json, "content-type: Application/JSON; charset=UTF-8\r\n")),
    ];
    for (status, head) in cases {
        assert!(!site.is_stored("d").await);
        let answer = site.send(&head, b"{}").await;
        assert_eq!(answer.status, status, "{head}");
        assert_eq!(answer.header("allow").is_some(), status == 405);
    }
    assert!(site.is_stored("d").await);
}

#[tokio::test]
async fn every_answer_keeps_browsers_careful() {
    let database = databases::sqlite();
    let site = site(&database).await;
    let answers = [
        site.deliver("d", "push", b"{}").await,
        site.send(&head("d", "push", b"x"), b"{}").await,
        site.send("POST /webhooks/github HTTP/1.1\r\nHost: x\r\n", b"").await,
        site.get("/webhooks/github").await,
        site.get("/nowhere").await,
        site.get("/healthz").await,
        site.get("/readyz").await,
        site.get("/metrics").await,
    ];
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [202, 401, 415, 405, 404, 200, 200, 200]);
    for answer in answers {
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{}", answer.head);
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
        assert_eq!(answer.header("server"), None);
    }
}

#[tokio::test]
async fn a_body_may_be_25_mebibytes_and_not_a_byte_more() {
    let database = databases::sqlite();
    let site = site(&database).await;
    let mut body = vec![b'x'; 25 << 20];
    assert_eq!(site.deliver("largest", "push", &body).await.status, 202);
    let stored = site.store.delivery(&delivery("largest")).await.unwrap().unwrap();
    assert_eq!(stored.body.as_deref(), Some(body.as_slice()));
    body.push(b'x');
    let refused = site.deliver("larger", "push", &body).await;
    // The connection may be cut while we still send; then there is no answer to read.
    assert!(refused.status == 413 || refused.status == 0, "{}", refused.head);
    assert!(!site.is_stored("larger").await);
}

#[tokio::test]
async fn a_body_is_too_large_whether_it_says_so_or_not() {
    let database = databases::sqlite();
    let limits = RequestLimits { body_bytes: 1000, ..RequestLimits::default() };
    let site = site_with(&database, limits, ServeLimits::default()).await;
    let body = vec![b'x'; 1001];
    let refused = site.deliver("announced", "push", &body).await;
    assert_eq!((refused.status, refused.body.as_str()), (413, "the body is larger than the limit of 1000 bytes\n"));

    let mut stream = site.connect().await;
    let head = head("chunked", "push", &body);
    stream
        .write_all(format!("{head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n").as_bytes())
        .await
        .unwrap();
    for chunk in body.chunks(100) {
        let _ = stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).await;
        let _ = stream.write_all(chunk).await;
        let _ = stream.write_all(b"\r\n").await;
    }
    assert_eq!(answer(&mut stream).await.status, 413);

    let mut stream = site.connect().await;
    let head = self::head("small-chunks", "push", b"{}");
    let chunked =
        format!("{head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n1\r\n}}\r\n0\r\n\r\n");
    stream.write_all(chunked.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut stream).await.status, 202);
    assert!(!site.is_stored("announced").await && !site.is_stored("chunked").await);
}

#[tokio::test]
async fn whoever_is_slow_is_not_waited_for() {
    let database = databases::sqlite();
    let quick = Duration::from_millis(200);
    let limits = RequestLimits { body_timeout: quick, ..RequestLimits::default() };
    let serve_limits = ServeLimits { head_timeout: quick, ..ServeLimits::default() };
    let site = site_with(&database, limits, serve_limits).await;

    let mut slow_body = site.connect().await;
    let head = head("d", "push", b"{}");
    slow_body.write_all(format!("{head}Content-Length: 2\r\n\r\n{{").as_bytes()).await.unwrap();
    assert_eq!(answer(&mut slow_body).await.status, 408);

    let mut slow_head = site.connect().await;
    slow_head.write_all(b"POST /webhooks/github HTTP/1.1\r\nHost:").await.unwrap();
    assert_ne!(answer(&mut slow_head).await.status, 202, "closed without having been heard");

    let mut idle = site.connect().await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(answer(&mut idle).await.status, 200, "answered, then closed for being idle");

    let mut broken = site.connect().await;
    broken.write_all(format!("{head}Content-Length: 2\r\n\r\n{{").as_bytes()).await.unwrap();
    broken.shutdown().await.unwrap();
    assert_ne!(answer(&mut broken).await.status, 202);
    assert!(!site.is_stored("d").await);
}

#[tokio::test]
async fn the_memory_of_all_bodies_is_bounded() {
    let database = databases::sqlite();
    let limits = RequestLimits { bodies_in_flight_bytes: 100 << 10, ..RequestLimits::default() };
    let site = site_with(&database, limits, ServeLimits::default()).await;
    let body = vec![b'x'; 40 << 10];
    let mut holds = site.connect().await;
    let head = format!("{}Connection: close\r\nContent-Length: {}\r\n\r\n", head("first", "push", &body), body.len());
    holds.write_all(head.as_bytes()).await.unwrap();
    holds.write_all(&body[1..]).await.unwrap();
    let refused = loop {
        let answer = site.deliver("second", "push", &body).await;
        if answer.status != 202 {
            break answer;
        }
    };
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("30")));
    assert_eq!(site.deliver("small", "push", b"{}").await.status, 202, "there is room for a small one");
    holds.write_all(b"x").await.unwrap();
    assert_eq!(answer(&mut holds).await.status, 202);
    assert_eq!(site.deliver("third", "push", &body).await.status, 202, "and for all when it is done");
}

#[tokio::test]
async fn so_many_connections_and_no_more() {
    let database = databases::sqlite();
    let serve_limits = ServeLimits { connections: 2, ..ServeLimits::default() };
    let site = site_with(&database, RequestLimits::default(), serve_limits).await;
    let (first, second) = (site.connect().await, site.connect().await);
    let third = site.get("/healthz");
    tokio::pin!(third);
    let early = tokio::time::timeout(Duration::from_millis(100), &mut third).await;
    assert!(early.is_err(), "two are at work");
    drop(first);
    assert_eq!(third.await.status, 200);
    drop(second);
}

#[tokio::test]
async fn a_stop_lets_requests_end_and_takes_no_new_ones() {
    let database = databases::sqlite();
    let site = site(&database).await;
    let mut at_work = site.connect().await;
    let head = format!("{}Content-Length: 2\r\n\r\n{{", head("d", "push", b"{}"));
    at_work.write_all(head.as_bytes()).await.unwrap();
    let mut idle = site.connect().await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");

    site.stopping.cancel();
    assert_eq!(answer(&mut idle).await.status, 0, "an idle connection is closed");
    while TcpStream::connect(site.address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!site.serving.is_finished());
    at_work.write_all(b"}").await.unwrap();
    assert_eq!(answer(&mut at_work).await.status, 202);
    site.serving.await.unwrap();
    assert!(site.store.delivery(&delivery("d")).await.unwrap().is_some());
}

#[tokio::test]
async fn figures_tell_what_came_and_what_waits() {
    let database = databases::sqlite();
    let site = site(&database).await;
    let kind = "a_kind_only_this_test_sends";
    site.deliver("d-1", kind, b"{}").await;
    site.deliver("d-1", kind, b"{}").await;
    site.deliver("d-2", "kind\"} 1\nevil", b"{}").await;
    let text = site.get("/metrics").await.body;
    let has = |line: &str| assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    has(&format!("portcullis_deliveries_total{{endpoint=\"github\",kind=\"{kind}\",result=\"accepted\"}} 1"));
    has(&format!("portcullis_deliveries_total{{endpoint=\"github\",kind=\"{kind}\",result=\"repeated\"}} 1"));
    has("portcullis_queue_jobs{kind=\"handle_delivery\",state=\"ready\"} 1");
    assert!(text.contains("portcullis_http_request_seconds_bucket{method=\"POST\",route=\"/webhooks/{endpoint}\""));
    assert!(!text.contains("evil"));
}

/// On one thread, so that this test's log is its own.
#[tokio::test]
async fn every_log_line_of_a_request_names_the_delivery() {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_env_filter("portcullis=debug")
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let database = databases::sqlite();
    let site = site(&database).await;
    site.deliver("d-4711", "push", b"{\"secret\": \"in the body\"}").await;
    site.deliver("d-4712", "push", b"{}").await;
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let named: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["span"]["delivery.id"] == "d-4711")
        .collect();
    assert_eq!(named.len(), 2, "received and answered:\n{text}");
    assert!(named.iter().all(|line| line["span"]["delivery.kind"] == "push"));
    assert!(!text.contains("in the body") && !text.contains(&signature(b"{}")));
}
