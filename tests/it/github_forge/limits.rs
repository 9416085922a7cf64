//! The host's wishes are obeyed, its failures borne, and nothing waits for ever.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use portcullis::forges::github::GitHub;
use portcullis::forges::{BlobRequest, CheckState, Forge, ForgeError, KnownCheck, Pace};
use portcullis_engine::source_tree::TreePath;
use serde_json::{Value, json};

use super::checks::check;
use super::scripted::{Host, Reply};
use super::{forge, pace, repository, repository_of, settings, sha};

fn wait_of(error: ForgeError) -> (u64, String) {
    match error {
        ForgeError::Wait { wait, reason } => (wait.as_secs_f64().round() as u64, reason),
        other => panic!("{other}"),
    }
}

fn comparison() -> Reply {
    Reply::ok(json!({"merge_base_commit": {"sha": sha('c').as_str()}}))
}

#[tokio::test]
async fn a_wish_to_be_left_alone_binds_every_request_of_the_installation() {
    let host = Host::start("", |seen| {
        if seen.is_mint() {
            return None;
        }
        let first = seen.path.starts_with("/repos/octo/first/");
        Some(if first {
            Reply::json(403, json!({"message": "slow down"})).with("retry-after", "30")
        } else {
            comparison()
        })
    })
    .await;
    let forge = forge(&host);
    let compare =
        async |installation, name| forge.merge_base(&repository_of(installation, name), &sha('1'), &sha('2')).await;
    let expected = (30, "slow down".to_owned());
    assert_eq!(wait_of(compare("1001", "octo/first").await.unwrap_err()), expected);
    let asked = host.asked().len();
    assert_eq!(asked, 1);
    assert_eq!(wait_of(compare("1001", "octo/second").await.unwrap_err()), expected);
    let infra = repository("octo/infra");
    let write =
        forge.publish_check(&infra, &check("k", CheckState::InProgress, 0), KnownCheck::Perhaps).await.unwrap_err();
    assert_eq!(wait_of(write), expected);
    assert_eq!(host.asked().len(), asked, "nothing was sent");
    assert_eq!(compare("2002", "octo/second").await.unwrap(), sha('c'), "another installation has its own budget");
}

#[tokio::test]
async fn limits_without_a_time_and_budgets_used_up() {
    let reset = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 600;
    let host = Host::start("", move |seen| {
        let secondary = json!({"message": "You have exceeded a secondary rate limit"});
        match seen.path.as_str() {
            path if path.contains("/secondary/") => Some(Reply::json(403, secondary)),
            path if path.contains("/last/") => {
                Some(comparison().with("x-ratelimit-remaining", "0").with("x-ratelimit-reset", &reset.to_string()))
            }
            _ => None,
        }
    })
    .await;
    let forge = forge(&host);
    let compare =
        async |installation, name| forge.merge_base(&repository_of(installation, name), &sha('1'), &sha('2')).await;
    let (wait, reason) = wait_of(compare("1", "octo/secondary").await.unwrap_err());
    assert_eq!((wait, reason.as_str()), (60, "You have exceeded a secondary rate limit"));
    assert!(compare("2", "octo/last").await.is_ok(), "the last request of the hour was served");
    let (wait, reason) = wait_of(compare("2", "octo/last").await.unwrap_err());
    assert!((595..=601).contains(&wait) && reason.contains("budget"), "{wait} {reason}");
}

#[tokio::test]
async fn a_limit_of_graphql_is_a_limit() {
    let host = Host::start("", |seen| {
        (seen.path == "/graphql")
            .then(|| Reply::ok(json!({"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]})))
    })
    .await;
    let (forge, infra) = (forge(&host), repository("octo/infra"));
    let wanted = BlobRequest { blob: sha('a').to_string(), path: TreePath::new("f").unwrap(), size_bytes: 1 };
    assert_eq!(wait_of(forge.blobs(&infra, &[wanted]).await.unwrap_err()).0, 60);
    assert_eq!(wait_of(forge.merge_base(&infra, &sha('1'), &sha('2')).await.unwrap_err()).0, 60);
    assert_eq!(host.asked(), ["POST /graphql"]);
}

#[tokio::test]
async fn a_short_wait_is_waited_out_and_a_refused_write_sent_again() {
    let mut refused = false;
    let mut runs = super::checks::Runs::default();
    let host = Host::start("", move |seen| {
        if seen.method == "POST" && seen.path.ends_with("/check-runs") && !std::mem::replace(&mut refused, true) {
            return Some(Reply::json(429, json!({"message": "busy"})).with("retry-after", "0"));
        }
        runs.answer(seen)
    })
    .await;
    let check = check("k", CheckState::InProgress, 0);
    forge(&host).publish_check(&repository("octo/infra"), &check, KnownCheck::Perhaps).await.unwrap();
    assert_eq!(host.asked().iter().filter(|what| what.starts_with("POST")).count(), 2);
}

#[tokio::test]
async fn questions_are_asked_again_so_many_times_and_writes_are_not() {
    let mut failures = 0;
    let host = Host::start("", move |seen| match seen.path.as_str() {
        path if path.contains("/octo/down/compare/") => Some(Reply::json(503, json!({}))),
        path if path.contains("/octo/shaky/compare/") => {
            failures += 1;
            Some(match failures {
                1 => Reply::lost(),
                2 => Reply::json(502, Value::Null),
                _ => comparison(),
            })
        }
        path if path.contains("/octo/proxy/compare/") => Some(Reply::raw(b"<html>sign in</html>")),
        path if path.ends_with("/check-runs") && seen.method == "POST" => {
            Some(Reply::json(422, json!({"message": "No commit found for SHA"})))
        }
        path if path.ends_with("/check-runs") => Some(Reply::ok(json!({"check_runs": []}))),
        _ => None,
    })
    .await;
    let forge = forge(&host);
    let compare = async |name| forge.merge_base(&repository(name), &sha('1'), &sha('2')).await;
    assert_eq!(compare("octo/shaky").await.unwrap(), sha('c'));
    let down = compare("octo/down").await.unwrap_err();
    assert!(down.is_retryable() && down.to_string().contains("503"), "{down}");
    assert_eq!(host.asked().iter().filter(|what| what.contains("/octo/down/")).count(), 3);
    let proxy = compare("octo/proxy").await.unwrap_err();
    assert!(proxy.is_retryable() && proxy.to_string().contains("not GitHub's"), "{proxy}");
    let check = check("k", CheckState::InProgress, 0);
    let refused = forge.publish_check(&repository("octo/infra"), &check, KnownCheck::Perhaps).await.unwrap_err();
    assert!(matches!(&refused, ForgeError::Refused(text) if text.contains("No commit found")), "{refused}");
    assert_eq!(host.asked().iter().filter(|what| what.starts_with("POST")).count(), 1);
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up() {
    let host = Host::start("", |seen| (!seen.is_mint()).then(Reply::late)).await;
    let impatient = Pace { answer_timeout: Duration::from_millis(30), attempts: 2, ..pace() };
    let forge = GitHub::new(settings(&host), impatient).unwrap();
    let began = Instant::now();
    let error = forge.merge_base(&repository("octo/infra"), &sha('1'), &sha('2')).await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("within 0.03 s"), "{error}");
    assert_eq!(host.asked().len(), 2);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_host_that_is_not_there_is_named() {
    let host = Host::start("", |_| None).await;
    let mut settings = settings(&host);
    // A port nobody listens at: the system gave it out a moment ago and took it back.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    settings.endpoints = portcullis::forges::github::Endpoints::of_api_url(&format!("http://{free}")).unwrap();
    let forge = GitHub::new(settings, pace()).unwrap();
    let error = forge.pull_request(&repository("octo/infra"), 1).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Unreachable(text) if text.contains(&free.to_string())), "{error}");
    assert!(!error.to_string().contains("eyJ"));
}

#[tokio::test]
async fn writes_of_one_installation_go_one_after_another_with_a_gap() {
    let mut runs = super::checks::Runs::default();
    let host = Host::start("", move |seen| runs.answer(seen)).await;
    let gap = Duration::from_millis(30);
    let forge = GitHub::new(settings(&host), Pace { write_gap: gap, ..pace() }).unwrap();
    let infra = repository("octo/infra");
    let checks = ["k1", "k2", "k3"].map(|key| check(key, CheckState::InProgress, 0));
    let began = Instant::now();
    let published = join_all(checks.iter().map(|check| forge.publish_check(&infra, check, KnownCheck::Perhaps))).await;
    assert!(published.iter().all(Result::is_ok));
    assert_eq!(host.asked().iter().filter(|what| what.starts_with("POST")).count(), 3);
    assert!(began.elapsed() >= 2 * gap, "three writes have two gaps between them");
}
