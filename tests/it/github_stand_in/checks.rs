//! Check suites and check runs, and GitHub's limits on them.

use http::StatusCode;
use portcullis::github_stand_in::actions::{Changes, NewApp, NewCommit, NewPull, Proposal};
use portcullis::github_stand_in::state::Selection;
use serde_json::{Value, json};

use super::world::{CHECK, World, key, world};

const RUNS: &str = "/repos/acme/platform/check-runs";

async fn start(world: &World, head: &str) -> u64 {
    let body = json!({ "name": CHECK, "head_sha": head, "status": "in_progress" });
    let answer = world.post(RUNS, body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.json()["id"].as_u64().unwrap()
}

fn annotation(line: u32) -> Value {
    json!({ "path": "a.tf", "start_line": line, "end_line": line, "annotation_level": "failure", "message": "wrong" })
}

fn output(annotations: &[Value]) -> Value {
    json!({ "title": "t", "summary": "s", "annotations": annotations })
}

/// Each body is refused with these words, and nothing is made.
async fn all_refused(world: &World, head: &str, bodies: &[(Value, &str)]) {
    for (body, words) in bodies {
        let answer = world.post(RUNS, body.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{words}: {}", answer.text());
        assert!(answer.json()["message"].as_str().unwrap().contains(words), "{words}: {}", answer.text());
    }
    assert!(world.stand_in.github(|github| github.check_runs(world.repository, head.parse().unwrap()).is_empty()));
}

fn merged(mut one: Value, more: &Value) -> Value {
    one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    one
}

#[tokio::test]
async fn a_run_that_github_would_refuse_is_refused() {
    world("checks-refused", async |world| {
        let pull = world.propose("Change", Changes::new().write("a.tf", "x"));
        let head = world.head(pull);
        let with = |more: Value| merged(json!({ "name": CHECK, "head_sha": head }), &more);
        let action = |label: &str| json!({ "label": label, "description": "d", "identifier": "i" });
        let long = "x".repeat(65_536);
        let bodies = [
            (json!({ "head_sha": head }), "\"name\" wasn't supplied."),
            (json!({ "name": CHECK }), "\"head_sha\" wasn't supplied."),
            (json!({ "name": null, "head_sha": head }), "nil is not a string"),
            (json!({ "name": CHECK, "head_sha": "1".repeat(40) }), "No commit found for SHA"),
            (json!({ "name": CHECK, "head_sha": "main" }), "No commit found for SHA"),
            (with(json!({ "status": "completed" })), "\"conclusion\" wasn't supplied."),
            (with(json!({ "completed_at": "2026-01-01T00:00:00Z" })), "\"conclusion\" wasn't supplied."),
            (with(json!({ "status": "waiting" })), "is not a member of"),
            (with(json!({ "conclusion": "great" })), "is not a member of"),
            (with(json!({ "conclusion": "stale" })), "only be set by GitHub"),
            (with(json!({ "started_at": "yesterday" })), "is not a date-time"),
            (with(json!({ "details_url": "ftp://x" })), "Validation Failed"),
            (with(json!({ "output": { "summary": "s" } })), "\"title\" wasn't supplied."),
            (with(json!({ "output": { "title": "t" } })), "\"summary\" wasn't supplied."),
            (with(json!({ "output": { "title": "t", "summary": long } })), "Only 65535 characters are allowed; 65536"),
            (with(json!({ "actions": vec![action("l"); 4] })), "No more than 3 items"),
            (with(json!({ "actions": [action(&"x".repeat(21))] })), "Only 20 characters"),
        ];
        all_refused(&world, &head, &bodies).await;
        let emoji = "🚦".repeat(17_000);
        let bytes = world.post(RUNS, with(json!({ "output": { "title": "t", "summary": emoji } }))).await.json();
        let told = json!({ "resource": "CheckRun", "code": "custom", "field": "summary",
            "message": "summary exceeds a maximum bytesize of 65535" });
        assert_eq!(bytes["errors"][0], told, "bytes count, not characters");
    })
    .await;
}

#[tokio::test]
async fn an_annotation_that_github_would_refuse_is_refused() {
    world("checks-refused-annotations", async |world| {
        let pull = world.propose("Change", Changes::new().write("a.tf", "x"));
        let head = world.head(pull);
        let with = |annotations: &[Value]| json!({ "name": CHECK, "head_sha": head, "output": output(annotations) });
        let changed = |more: Value| with(&[merged(annotation(2), &more)]);
        let invalid = "Validation Failed";
        let bodies = [
            (with(&vec![annotation(1); 51]), "No more than 50 items are allowed; 51 were supplied."),
            (with(&[json!({ "path": "a.tf" })]), "\"start_line\" wasn't supplied."),
            (with(&[json!("a.tf")]), "is not an object"),
            (changed(json!({ "annotation_level": "error" })), "is not a member of"),
            (changed(json!({ "start_line": "2" })), "is not an integer"),
            (changed(json!({ "path": "/etc/passwd" })), invalid),
            (changed(json!({ "path": "a/../b" })), invalid),
            (changed(json!({ "start_line": 0, "end_line": 0 })), invalid),
            (changed(json!({ "end_line": 1 })), invalid),
            (changed(json!({ "end_line": 3, "start_column": 1 })), invalid),
            (changed(json!({ "start_column": 5, "end_column": 2 })), invalid),
            (changed(json!({ "message": " " })), invalid),
            (changed(json!({ "message": "x".repeat(65_537) })), invalid),
            (changed(json!({ "raw_details": "x".repeat(65_537) })), invalid),
            (changed(json!({ "title": "x".repeat(256) })), invalid),
        ];
        all_refused(&world, &head, &bodies).await;
    })
    .await;
}

#[tokio::test]
async fn annotations_are_added_and_never_taken_away() {
    world("checks-annotations", async |world| {
        let pull = world.propose("Change", Changes::new().write("a.tf", "x"));
        let run = start(&world, &world.head(pull)).await;
        let url = format!("{RUNS}/{run}");
        for batch in [50, 50, 7] {
            let annotations: Vec<Value> = (1..=batch).map(annotation).collect();
            let answer = world.patch(&url, json!({ "output": output(&annotations) })).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        }
        assert_eq!(world.get(&url).await.json()["output"]["annotations_count"], 107);
        let pages = world.pages(&format!("{url}/annotations?per_page=100")).await;
        assert_eq!(pages.iter().map(|page| page.json().as_array().unwrap().len()).collect::<Vec<_>>(), [100, 7]);
        let shorter =
            world.patch(&url, json!({ "conclusion": "success", "output": { "summary": "done" } })).await.json();
        assert_eq!(
            (&shorter["output"]["title"], &shorter["output"]["summary"]),
            (&json!("t"), &json!("done")),
            "what is not said stays"
        );
        assert_eq!((&shorter["status"], &shorter["output"]["annotations_count"]), (&json!("completed"), &json!(107)));
        let reopened = world.patch(&url, json!({ "status": "in_progress" })).await.json();
        assert_eq!((&reopened["status"], &reopened["conclusion"]), (&json!("in_progress"), &Value::Null));
    })
    .await;
}

#[tokio::test]
async fn a_run_belongs_to_its_app() {
    world("checks-foreign", async |world| {
        let pull = world.propose("Change", Changes::new().write("a.tf", "x"));
        let head = world.head(pull);
        let run = start(&world, &head).await;
        let other = world.stand_in.github(|github| {
            let app = github.create_app(&NewApp::gate("Other", "globex", key().public, "secret"));
            github.install(app, "acme", Selection::All).unwrap()
        });
        let jwt = {
            let client = world
                .stand_in
                .github(|github| github.app(github.installation(other).unwrap().app).unwrap().client_id.clone());
            let now = super::world::unix_now();
            world.jwt_with(&json!({ "iss": client, "iat": now - 60, "exp": now + 300 }))
        };
        let minted = world.ask(&jwt, "POST", &format!("/app/installations/{other}/access_tokens"), None).await.json();
        let token = minted["token"].as_str().unwrap();
        let answer =
            world.ask(token, "PATCH", &format!("{RUNS}/{run}"), Some(json!({ "conclusion": "success" }))).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(
            answer.json()["message"]
                .as_str()
                .unwrap()
                .contains("can only be modified by the GitHub App that created it")
        );
        let body = json!({ "name": CHECK, "head_sha": head, "conclusion": "success" });
        assert_eq!(world.ask(token, "POST", RUNS, Some(body)).await.status, StatusCode::CREATED);
        let listed = world.get(&format!("/repos/acme/platform/commits/{head}/check-runs")).await.json();
        assert_eq!(listed["total_count"], 2, "one of each App");
        let app = world.stand_in.app;
        let own = world.get(&format!("/repos/acme/platform/commits/{head}/check-runs?app_id={app}")).await.json();
        assert_eq!((&own["total_count"], &own["check_runs"][0]["id"]), (&json!(1), &json!(run)));
    })
    .await;
}

#[tokio::test]
async fn runs_of_a_commit_are_listed_newest_of_a_name_first() {
    world("checks-list", async |world| {
        let pull = world.propose("Change", Changes::new().write("a.tf", "x"));
        let head = world.head(pull);
        let first = start(&world, &head).await;
        let second = start(&world, &head).await;
        let other = json!({ "name": "other", "head_sha": head, "conclusion": "skipped" });
        world.post(RUNS, other).await;
        let ids = async |query: &str| -> Vec<u64> {
            let listed = world.get(&format!("/repos/acme/platform/commits/change/check-runs{query}")).await.json();
            listed["check_runs"].as_array().unwrap().iter().map(|run| run["id"].as_u64().unwrap()).collect()
        };
        assert_eq!(ids("").await.len(), 2);
        let name = CHECK.replace(' ', "%20").replace('/', "%2F");
        assert_eq!(ids(&format!("?check_name={name}")).await, [second]);
        assert_eq!(ids(&format!("?check_name={name}&filter=all")).await, [second, first]);
        assert_eq!(ids("?status=in_progress").await, [second]);
        assert_eq!(ids("?app_id=1").await, [0_u64; 0]);
        assert_eq!(ids("?per_page=1&page=2").await, [second]);
    })
    .await;
}

#[tokio::test]
async fn a_push_asks_for_checks_and_a_suite_follows_its_runs() {
    world("checks-suite", async |world| {
        let pull = world.propose("Change", Changes::new().write("a.tf", "x"));
        let head = world.head(pull);
        let requested = world.arrived("check_suite", "requested").await;
        let suite = requested.last().unwrap()["check_suite"].clone();
        assert_eq!((&suite["head_sha"], &suite["head_branch"]), (&json!(head), &json!("change")));
        let url = format!("/repos/acme/platform/check-suites/{}", suite["id"]);
        let state = async || {
            let suite = world.get(&url).await.json();
            (suite["status"].as_str().unwrap().to_owned(), suite["conclusion"].as_str().unwrap_or_default().to_owned())
        };
        let is = |status: &str, conclusion: &str| (status.to_owned(), conclusion.to_owned());
        assert_eq!(state().await, is("queued", ""));
        let run = start(&world, &head).await;
        assert_eq!(state().await, is("in_progress", ""));
        world.post(RUNS, json!({ "name": "other", "head_sha": head, "conclusion": "success" })).await;
        assert_eq!(state().await, is("in_progress", ""));
        world.patch(&format!("{RUNS}/{run}"), json!({ "conclusion": "failure" })).await;
        assert_eq!(state().await, is("completed", "failure"), "the worst decides");
        let completed = world.arrived("check_suite", "completed").await;
        assert_eq!(completed[0]["check_suite"]["pull_requests"][0]["number"], 1);
        assert_eq!(world.arrived("check_run", "created").await.len(), 2);
        assert_eq!(world.arrived("check_run", "completed").await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn asking_again_resets_the_suite_and_leaves_the_run() {
    world("checks-again", async |world| {
        let pull = world.propose("Change", Changes::new().write("a.tf", "x"));
        let head = world.head(pull);
        let run = start(&world, &head).await;
        world.patch(&format!("{RUNS}/{run}"), json!({ "conclusion": "failure" })).await;
        let id = world.stand_in.github(|github| {
            let id = github.check_runs(world.repository, head.parse().unwrap())[0].id;
            github.rerequest(id, "dana").unwrap();
            id
        });
        let told = world.arrived("check_run", "rerequested").await;
        assert_eq!((&told[0]["check_run"]["id"], &told[0]["sender"]["login"]), (&json!(run), &json!("dana")));
        let unchanged = world.get(&format!("{RUNS}/{run}")).await.json();
        assert_eq!((&unchanged["status"], &unchanged["conclusion"]), (&json!("completed"), &json!("failure")));
        let suite = world.stand_in.github(|github| github.check_run(id).unwrap().suite);
        assert_eq!(world.get(&format!("/repos/acme/platform/check-suites/{suite}")).await.json()["status"], "queued");
        start(&world, &head).await;
        assert_eq!(
            world.get(&format!("/repos/acme/platform/check-suites/{suite}")).await.json()["status"],
            "in_progress"
        );
        world.stand_in.github(|github| github.rerequest_suite(suite, "dana").unwrap());
        assert_eq!(world.arrived("check_suite", "rerequested").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn suites_can_be_suppressed_and_forks_have_none() {
    world("checks-none", async |world| {
        let suites = async |head: &str| {
            let listed = world.get(&format!("/repos/acme/platform/commits/{head}/check-suites")).await.json();
            listed["total_count"].as_u64().unwrap()
        };
        let skipped = NewCommit::new("dana", "Small\n\nskip-checks: true", Changes::new().write("b.tf", "x"));
        let (skipped, fork_head, unasked) = world.stand_in.github(|github| {
            let skipped = github.push(world.repository, "quiet", &skipped).unwrap();
            let fork = github.fork(world.repository, "mallory").unwrap();
            let proposal = Proposal::new("mallory", "Fork", Changes::new().write("c.tf", "x"));
            let proposal = Proposal { pull: NewPull { fork: Some(fork), ..proposal.pull }, changes: proposal.changes };
            let pull = github.propose(world.repository, &proposal).unwrap();
            github.set_automatic_suites(world.repository, false).unwrap();
            let unasked = NewCommit::new("dana", "More", Changes::new().write("d.tf", "x"));
            let unasked = github.push(world.repository, "unasked", &unasked).unwrap();
            (skipped.to_string(), github.pull(pull).unwrap().head.to_string(), unasked.to_string())
        });
        assert_eq!([suites(&skipped).await, suites(&fork_head).await, suites(&unasked).await], [0, 0, 0]);
        let run =
            world.post(RUNS, json!({ "name": CHECK, "head_sha": fork_head, "conclusion": "success" })).await.json();
        assert_eq!(run["pull_requests"], json!([]), "a fork's pull request is not seen here");
        let told = world.arrived("check_run", "created").await;
        assert_eq!(told[0]["check_run"]["check_suite"]["head_branch"], Value::Null);
        assert_eq!(suites(&fork_head).await, 1, "a run makes its suite");
    })
    .await;
}
