//! What GitHub holds every request to.

use http::StatusCode;
use portcullis::github_stand_in::actions::NewRepository;
use portcullis::github_stand_in::state::Layout;
use serde_json::json;

use super::world::{base, world};

#[tokio::test]
async fn a_request_must_be_well_behaved() {
    world("well-behaved", async |world| {
        let token = format!("Bearer {}", world.token().await);
        let auth = ("authorization", token.as_str());
        let agent = ("user-agent", "tests");
        let path = "/repos/acme/platform";
        let status =
            async |path: &str, headers: &[(&str, &str)]| world.bare("GET", path, headers, "").await.status.as_u16();
        assert_eq!(status(path, &[auth, agent]).await, 200);
        assert_eq!(status(path, &[auth]).await, 403, "no User-Agent");
        assert_eq!(status(path, &[auth, agent, ("x-github-api-version", "2021-01-01")]).await, 400);
        assert_eq!(status(path, &[auth, agent, ("x-github-api-version", "2026-03-10")]).await, 200);
        assert_eq!(status(&format!("{path}/"), &[auth, agent]).await, 404, "trailing slash");
        assert_eq!(status("/repos/acme/platform/nothing", &[auth, agent]).await, 404);
        assert_eq!(status(path, &[agent]).await, 404, "private, and nobody asks");
        let deleted = world.bare("DELETE", path, &[auth, agent], "").await;
        assert_eq!(deleted.status, StatusCode::NOT_FOUND);
        assert_eq!(deleted.json()["message"], "Not Found");
        let broken = world.bare("POST", &format!("{path}/check-runs"), &[auth, agent], "{").await;
        assert_eq!((broken.status.as_u16(), broken.json()["message"].as_str()), (400, Some("Problems parsing JSON")));
    })
    .await;
}

#[tokio::test]
async fn what_is_public_can_be_read_by_anyone_and_written_by_nobody_else() {
    world("public", async |world| {
        let new = NewRepository { private: false, ..NewRepository::new("globex/website", base()) };
        world.stand_in.github(|github| github.create_repository(&new).unwrap());
        let path = "/repos/globex/website";
        assert_eq!(world.bare("GET", path, &[("user-agent", "x")], "").await.status, StatusCode::OK);
        assert_eq!(world.get(&format!("{path}/git/trees/main")).await.status, StatusCode::OK);
        let answer = world.post(&format!("{path}/check-runs"), json!({ "name": "x", "head_sha": "0" })).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test]
async fn an_unchanged_answer_need_not_be_sent_again() {
    world("etag", async |world| {
        let token = format!("Bearer {}", world.token().await);
        let headers = [("authorization", token.as_str()), ("user-agent", "tests")];
        let path = "/repos/acme/platform/git/ref/heads/main";
        let first = world.bare("GET", path, &headers, "").await;
        let etag = first.header("etag").to_owned();
        assert!(etag.starts_with("W/\""), "{etag}");
        let again = [headers[0], headers[1], ("if-none-match", etag.as_str())];
        let second = world.bare("GET", path, &again, "").await;
        assert_eq!((second.status.as_u16(), second.body.len()), (304, 0));
        let left = async || {
            world.bare("GET", path, &headers, "").await.header("x-ratelimit-remaining").parse::<u64>().unwrap()
        };
        let before = left().await;
        world.bare("GET", path, &again, "").await;
        assert_eq!(left().await, before - 1, "it costs nothing");
        let commit = portcullis::github_stand_in::actions::NewCommit::new("dana", "x", Default::default());
        world.stand_in.github(|github| github.push(world.repository, "main", &commit).unwrap());
        assert_eq!(world.bare("GET", path, &again, "").await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn requests_are_counted_and_end() {
    world("rate", async |world| {
        let path = "/repos/acme/platform";
        let first = world.get(path).await;
        assert_eq!(first.header("x-ratelimit-limit"), "5000");
        let remaining = |answer: &crate::http::Answer| answer.header("x-ratelimit-remaining").parse::<u64>().unwrap();
        assert_eq!(remaining(&world.get(path).await), remaining(&first) - 1);
        assert!(!first.header("x-github-request-id").is_empty());
        world.stand_in.github(|github| github.set_requests_left(world.installation, 1));
        assert_eq!(world.get(path).await.status, StatusCode::OK);
        let refused = world.get(path).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(refused.header("x-ratelimit-remaining"), "0");
        assert!(refused.header("x-ratelimit-reset").parse::<i64>().unwrap() > super::world::unix_now());
        assert!(refused.json()["message"].as_str().unwrap().starts_with("API rate limit exceeded for installation"));
        let graphql = world.post("/graphql", json!({ "query": "{ rateLimit { cost } }" })).await;
        assert_eq!(graphql.status, StatusCode::OK, "GraphQL says it with 200");
        assert_eq!(graphql.json()["errors"][0]["type"], "RATE_LIMITED");
    })
    .await;
}

#[tokio::test]
async fn enterprise_server_lies_elsewhere_and_says_so() {
    let config = portcullis::github_stand_in::Config::default();
    super::world::world_with("enterprise", Layout::EnterpriseServer, config, async |world| {
        let answer = world.get("/repos/acme/platform").await;
        let url = answer.json()["url"].as_str().unwrap().to_owned();
        assert_eq!(url, format!("{}/api/v3/repos/acme/platform", world.stand_in.base_url));
        assert!(answer.header("x-github-enterprise-version").starts_with("3."));
        assert_eq!(answer.header("x-ratelimit-limit"), "", "no limits by default");
        let ping = &world.receiver.received()[0];
        assert_eq!(ping.header("x-github-enterprise-version"), "3.17.0");
        assert!(world.stand_in.base_url.ends_with(ping.header("x-github-enterprise-host")));
    })
    .await;
}
