//! Faults on purpose, an interface that lags behind, and what is recorded.

use std::time::{Duration, Instant};

use http::StatusCode;
use portcullis::github_stand_in::actions::{Changes, NewCommit};
use portcullis::github_stand_in::faults::{Fault, Matching};
use portcullis::github_stand_in::{Config, GitHubStandIn};
use serde_json::{Value, json};

use super::world::{CHECK, World, key, world};

const RUNS: &str = "/repos/acme/platform/check-runs";

fn on_create(world: &World, fault: Fault) {
    world.stand_in.inject(Matching::new("POST", "/repos/*/*/check-runs"), fault, 1);
}

fn runs(world: &World, head: &str) -> usize {
    world.stand_in.github(|github| github.check_runs(world.repository, head.parse().unwrap()).len())
}

#[tokio::test]
async fn a_fault_does_what_its_name_says() {
    world("faults", async |world| {
        let pull = world.propose("Change", Changes::new().write("a.tf", "x"));
        let head = world.head(pull);
        let token = world.token().await;
        let body = json!({ "name": CHECK, "head_sha": head });
        let create = async || world.try_ask(&token, "POST", RUNS, Some(body.clone())).await;
        for (fault, status, done) in [
            (Fault::BadGateway, Some(502), false),
            (Fault::Unavailable, Some(503), false),
            (Fault::Unauthorized, Some(401), false),
            (Fault::Forbidden { retry_after: Some(3) }, Some(403), false),
            (Fault::TooManyRequests { retry_after: None }, Some(429), false),
            (Fault::RateLimited { resets_in: 60 }, Some(403), false),
            (Fault::Dropped, None, false),
            (Fault::LostAnswer, None, true),
            (Fault::Truncated, None, true),
            (Fault::Slow(Duration::from_millis(30)), Some(201), true),
            (Fault::LateAnswer(Duration::from_millis(30)), Some(201), true),
        ] {
            let before = runs(&world, &head);
            on_create(&world, fault);
            let begun = Instant::now();
            let answer = create().await;
            assert_eq!(answer.as_ref().ok().map(|answer| answer.status.as_u16()), status, "{fault:?}: {answer:?}");
            assert_eq!(runs(&world, &head) - before, usize::from(done), "{fault:?}");
            match (fault, answer) {
                (Fault::Forbidden { .. }, Ok(answer)) => assert_eq!(answer.header("retry-after"), "3"),
                (Fault::RateLimited { .. }, Ok(answer)) => assert_eq!(answer.header("x-ratelimit-remaining"), "0"),
                (Fault::Slow(wait) | Fault::LateAnswer(wait), _) => assert!(begun.elapsed() >= wait),
                _ => {}
            }
            assert_eq!(world.stand_in.faults_left(), 0);
            assert_eq!(create().await.unwrap().status, StatusCode::CREATED, "once and not again");
        }
        let graphql = Matching::new("POST", "/graphql");
        world.stand_in.inject(graphql, Fault::GraphqlRateLimited, 1);
        let answer = world.query("{ rateLimit { cost } }", json!({})).await;
        assert_eq!(answer["errors"][0]["type"], "RATE_LIMITED");
    })
    .await;
}

#[tokio::test]
async fn the_interface_can_lag_behind_its_webhooks() {
    world("lag", async |world| {
        let pull = world.propose("Change", Changes::new().write("a.tf", "x"));
        let old = world.head(pull);
        let new = world.stand_in.github(|github| {
            github.lag_next_change(4);
            github.push_to(pull, &NewCommit::new("dana", "More", Changes::new().write("b.tf", "x"))).unwrap()
        });
        let told = world.arrived("pull_request", "synchronize").await;
        assert_eq!(told[0]["after"], new.to_string(), "the webhook knows");
        let head =
            async || world.get("/repos/acme/platform/pulls/1").await.json()["head"]["sha"].as_str().unwrap().to_owned();
        assert_eq!(head().await, old);
        assert_eq!(
            world.get(&format!("/repos/acme/platform/commits/{new}")).await.status,
            StatusCode::UNPROCESSABLE_ENTITY
        );
        let branch = world.get("/repos/acme/platform/git/ref/heads/change").await.json();
        assert_eq!(branch["object"]["sha"], old);
        let query =
            format!("{{ repository(owner: \"acme\", name: \"platform\") {{ object(oid: \"{new}\") {{ oid }} }} }}");
        assert_eq!(world.query(&query, json!({})).await["data"]["repository"]["object"], Value::Null);
        assert_eq!(head().await, new.to_string(), "four reads later it does");
        assert_eq!(world.get(&format!("/repos/acme/platform/commits/{new}")).await.status, StatusCode::OK);
        world.stand_in.github(|github| github.lag_next_change(1));
        world.propose("Another", Changes::new().write("c.tf", "x"));
        assert_eq!(world.get("/repos/acme/platform/pulls/2").await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get("/repos/acme/platform/pulls/2").await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn every_request_is_recorded_without_its_credential() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("requests.jsonl");
    let config = Config { key: Some(key()), recording: Some(file.clone()), ..Config::default() };
    let stand_in = GitHubStandIn::start(config).await.unwrap();
    let url = format!("{}/app?per_page=1", stand_in.base_url);
    let headers = [("user-agent", "tests"), ("authorization", "Bearer ghs_1_secret")];
    crate::http::send(&http::Method::GET, &url, &headers, Default::default()).await.unwrap();
    stand_in.inject(Matching::new("*", "/**"), Fault::Dropped, 1);
    assert!(crate::http::send(&http::Method::GET, &url, &headers, Default::default()).await.is_err());
    let page = crate::http::send(&http::Method::GET, &stand_in.base_url.clone(), &headers, Default::default()).await;
    assert_eq!(page.unwrap().status, StatusCode::OK);
    let seen = stand_in.requests();
    assert_eq!((seen.len(), seen[0].status, seen[1].status), (2, 401, 0), "pages are not recorded");
    stand_in.stop().await;
    let text = std::fs::read_to_string(file).unwrap();
    assert!(!text.contains("secret"), "{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&lines[0]["method"], &lines[0]["path"], &lines[0]["query"]),
        (&json!("GET"), &json!("/app"), &json!({ "per_page": "1" }))
    );
    assert_eq!((&lines[0]["auth"]["kind"], &lines[0]["response"]["status"]), (&json!("installation"), &json!(401)));
    assert_eq!(lines[1]["note"], "fault: Dropped");
}

#[tokio::test]
async fn many_stand_ins_live_side_by_side_and_end() {
    let start = || GitHubStandIn::start(Config { key: Some(key()), ..Config::default() });
    let (one, other) = (start().await.unwrap(), start().await.unwrap());
    assert_ne!(one.base_url, other.base_url);
    let url = one.base_url.clone();
    one.stop().await;
    let address = url.strip_prefix("http://").unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "it listens no more");
    let again = crate::http::send(&http::Method::GET, &other.base_url, &[], Default::default()).await.unwrap();
    assert_eq!(again.status, StatusCode::OK);
}
