//! Which deliveries are accepted, and what becomes of them.

use std::sync::Arc;
use std::time::Duration;

use portcullis::jobs::HANDLE_DELIVERY;
use portcullis::store::{Clock, End};
use portcullis::web::{RequestLimits, ServeLimits};
use serde_json::json;
use sqlx::Executor;

use super::{connect, head, site, site_with};
use crate::databases::{self, TestDatabase, on_both_databases};
use crate::store::{LEASE, delivery};
use crate::test_forge::signature;

on_both_databases!(
    a_signed_delivery_is_stored_with_its_job_and_answered,
    what_is_not_signed_is_refused_and_leaves_no_trace,
    whatever_is_signed_is_accepted_and_never_parsed,
    a_store_that_does_not_answer_is_said_so_and_the_delivery_can_come_again,
    many_deliveries_at_once_are_all_stored,
);

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
