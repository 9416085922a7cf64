//! What others see of the server: health, figures, log lines, headers.

use serde_json::{Value, json};
use sqlx::Executor;

use super::{connect, head, site};
use crate::databases::{self, TestDatabase, on_both_databases};
use crate::log;
use crate::test_forge::signature;

on_both_databases!(readiness_follows_the_database_and_the_stop);

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

#[tokio::test]
async fn every_log_line_of_a_request_names_the_delivery() {
    let log = log::collected();
    let database = databases::sqlite();
    let site = site(&database).await;
    site.deliver("d-in-the-log", "push", b"{\"secret\": \"in the body\"}").await;
    let text = log.text();
    let named: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &Value| line["span"]["delivery.id"] == "d-in-the-log")
        .collect();
    let messages: Vec<&Value> = named.iter().map(|line| &line["fields"]["message"]).collect();
    assert_eq!(messages, ["a delivery was received", "answered"]);
    assert!(named.iter().all(|line| line["span"]["delivery.kind"] == "push"));
    assert!(!text.contains("in the body") && !text.contains(&signature(b"{\"secret\": \"in the body\"}")));
}
