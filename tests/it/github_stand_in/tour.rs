//! Every path once, asked as a well-behaved client asks, in both layouts.

use std::sync::Arc;

use http::StatusCode;
use portcullis::github_stand_in::Config;
use portcullis::github_stand_in::actions::{Changes, NewCommit, NewPull};
use portcullis::github_stand_in::state::{Layout, Protection, RequiredCheck};
use serde_json::{Value, json};

use super::world::{CHECK, World, world_with};

const REPO: &str = "/repos/acme/platform";

#[tokio::test]
async fn as_github() {
    world_with("tour-github", Layout::GitHub, Config::default(), tour).await;
}

#[tokio::test]
async fn as_enterprise_server() {
    world_with("tour-enterprise", Layout::EnterpriseServer, Config::default(), tour).await;
}

async fn tour(world: Arc<World>) {
    set_up(&world);
    the_app(&world).await;
    let (head, suite) = reading(&world).await;
    checks(&world, &head, suite).await;
    deliveries(&world).await;
    the_queue(&world).await;
}

fn set_up(world: &World) {
    let app = world.stand_in.app;
    let required_checks = vec![RequiredCheck { name: CHECK.to_owned(), app: Some(app) }];
    let protection =
        Protection { branch: "main".to_owned(), required_checks, must_be_up_to_date: false, merge_queue: false };
    world.stand_in.github(|github| github.protect(world.repository, protection).unwrap());
    world.propose("Add a bucket", Changes::new().write("terraform/new.tf", "# new\n").delete("README.md"));
    world.stand_in.github(|github| {
        let fork = github.fork(world.repository, "mallory").unwrap();
        let changes = Changes::new().write("docs/fork.md", "from a fork\n");
        github.push(fork, "typo", &NewCommit::new("mallory", "Fix a typo", changes)).unwrap();
        let pull = NewPull {
            title: "Fix a typo".to_owned(),
            body: Some("As *everyone* can see.".to_owned()),
            author: "mallory".to_owned(),
            fork: Some(fork),
            head: "typo".to_owned(),
            base: None,
            draft: true,
            number: None,
        };
        let pull = github.open_pull_request(world.repository, &pull).unwrap();
        github.mark_ready(pull).unwrap();
        github.rename(pull, "Fix two typos").unwrap();
        github.close(pull).unwrap();
        github.reopen(pull).unwrap();
    });
}

async fn ok(world: &World, path: &str) -> Value {
    let answer = world.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    answer.json()
}

async fn the_app(world: &World) {
    let installation = world.installation;
    for path in
        ["/app".to_owned(), "/app/installations?per_page=100".to_owned(), format!("/app/installations/{installation}")]
    {
        let answer = world.as_app("GET", &path, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    }
    assert_eq!(world.as_app("GET", &format!("{REPO}/installation"), None).await.status, StatusCode::OK);
    let listed = ok(world, "/installation/repositories?per_page=100").await;
    assert_eq!(listed["total_count"], 1);
    assert_eq!(listed["repositories"][0]["full_name"], "acme/platform");
    ok(world, "/rate_limit").await;
}

/// Gives the head of the first pull request and its check suite.
async fn reading(world: &World) -> (String, u64) {
    assert_eq!(ok(world, REPO).await["default_branch"], "main");
    let pulls = ok(world, &format!("{REPO}/pulls?state=open&per_page=100")).await;
    assert_eq!(pulls.as_array().unwrap().len(), 2);
    let pull = ok(world, &format!("{REPO}/pulls/1")).await;
    let head = pull["head"]["sha"].as_str().unwrap().to_owned();
    assert_eq!(pull["changed_files"], 2);
    ok(world, &format!("{REPO}/pulls/2")).await;
    assert_eq!(ok(world, &format!("{REPO}/pulls/1/files?per_page=100")).await[1]["status"], "added");
    let compared = ok(world, &format!("{REPO}/compare/main...{head}")).await;
    assert_eq!(compared["status"], "ahead");
    assert_eq!(compared["merge_base_commit"]["sha"], pull["base"]["sha"]);
    let commit = ok(world, &format!("{REPO}/commits/{head}?per_page=100")).await;
    let tree = commit["commit"]["tree"]["sha"].as_str().unwrap();
    ok(world, &format!("{REPO}/git/commits/{head}")).await;
    assert_eq!(ok(world, &format!("{REPO}/commits/{head}/pulls?per_page=100")).await[0]["number"], 1);
    let main = ok(world, &format!("{REPO}/git/ref/heads/main")).await;
    assert_eq!(main["object"]["sha"], pull["base"]["sha"]);
    let listed = ok(world, &format!("{REPO}/git/trees/{tree}?recursive=1")).await;
    assert_eq!(listed["truncated"], false);
    ok(world, &format!("{REPO}/git/trees/{tree}")).await;
    let blob = listed["tree"].as_array().unwrap().iter().find(|entry| entry["type"] == "blob").unwrap();
    ok(world, &format!("{REPO}/git/blobs/{}", blob["sha"].as_str().unwrap())).await;
    ok(world, &format!("{REPO}/contents/terraform?ref={head}")).await;
    ok(world, &format!("{REPO}/contents/terraform/new.tf?ref={head}")).await;
    assert_eq!(ok(world, &format!("{REPO}/branches/main")).await["protected"], true);
    let rules = ok(world, &format!("{REPO}/rules/branches/main?per_page=100")).await;
    assert_eq!(rules[0]["parameters"]["required_status_checks"][0]["context"], CHECK);
    let query = "query($o: String!, $n: String!, $x: String!) { rateLimit { cost remaining resetAt } \
        repository(owner: $o, name: $n) { a: object(expression: $x) { ... on Tree { entries { name oid mode type } } } } }";
    let variables = json!({ "o": "acme", "n": "platform", "x": format!("{head}:terraform") });
    let answer = world.query(query, variables).await;
    assert_eq!(answer["data"]["repository"]["a"]["entries"][0]["name"], "main.tf");
    let suites = ok(world, &format!("{REPO}/commits/{head}/check-suites?per_page=100")).await;
    (head, suites["check_suites"][0]["id"].as_u64().unwrap())
}

async fn checks(world: &World, head: &str, suite: u64) {
    let started = json!({ "name": CHECK, "head_sha": head, "status": "in_progress", "external_id": "1",
        "started_at": "2026-03-02T09:00:00Z", "output": { "title": "At work", "summary": "Reading" } });
    let run = world.post(&format!("{REPO}/check-runs"), started).await;
    assert_eq!(run.status, StatusCode::CREATED, "{}", run.text());
    let url = format!("{REPO}/check-runs/{}", run.json()["id"]);
    let annotation = json!({ "path": "terraform/new.tf", "start_line": 1, "end_line": 1, "start_column": 1,
        "end_column": 3, "annotation_level": "failure", "title": "Public", "message": "It is public" });
    let done = json!({ "status": "completed", "conclusion": "success", "completed_at": "2026-03-02T09:00:02Z",
        "output": { "title": "Done", "summary": "All is well", "text": "| a |\n|---|\n| 1 |", "annotations": [annotation] } });
    let answer = world.patch(&url, done).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(ok(world, &url).await["output"]["annotations_count"], 1);
    assert_eq!(ok(world, &format!("{url}/annotations?per_page=100")).await[0]["message"], "It is public");
    let name = CHECK.replace(' ', "%20").replace('/', "%2F");
    let listed = ok(world, &format!("{REPO}/commits/{head}/check-runs?check_name={name}&per_page=100")).await;
    assert_eq!(listed["total_count"], 1);
    ok(world, &format!("{REPO}/check-suites/{suite}/check-runs?per_page=100")).await;
    assert_eq!(ok(world, &format!("{REPO}/check-suites/{suite}")).await["conclusion"], "success");
    for url in [url, format!("{REPO}/check-suites/{suite}")] {
        let token = world.token().await;
        let answer = world.ask(&token, "POST", &format!("{url}/rerequest"), None).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    }
}

async fn deliveries(world: &World) {
    world.stand_in.deliveries_idle().await;
    let listed = world.as_app("GET", "/app/hook/deliveries?per_page=100", None).await.json();
    let url = format!("/app/hook/deliveries/{}", listed[0]["id"]);
    assert_eq!(world.as_app("GET", &url, None).await.status, StatusCode::OK);
    assert_eq!(world.as_app("POST", &format!("{url}/attempts"), None).await.status, StatusCode::ACCEPTED);
}

async fn the_queue(world: &World) {
    let pull = world.stand_in.github(|github| {
        let protection = Protection { branch: "main".to_owned(), merge_queue: true, ..Protection::default() };
        github.protect(world.repository, protection).unwrap();
        let pull = github.repository(world.repository).unwrap().pulls[&1].id;
        let next = github.repository(world.repository).unwrap().pulls[&2].id;
        github.enqueue(pull).unwrap();
        let protection = Protection {
            branch: "main".to_owned(),
            merge_queue: true,
            required_checks: vec![RequiredCheck { name: "never".to_owned(), app: None }],
            ..Protection::default()
        };
        github.retarget(next, "main").unwrap();
        github.enqueue(next).unwrap();
        github.protect(world.repository, protection).unwrap();
        pull
    });
    assert!(world.stand_in.github(|github| github.pull(pull).unwrap().merged.is_some()));
    ok(world, &format!("{REPO}/pulls/1")).await;
    ok(world, &format!("{REPO}/rules/branches/main?per_page=100")).await;
}
