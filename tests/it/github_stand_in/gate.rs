//! The merge gate: required checks, conflicts, drafts, and what merging does.

use portcullis::github_stand_in::actions::{ActionError, Changes, NewApp, NewCommit, Proposal};
use portcullis::github_stand_in::gate::{Gate, MergeState};
use portcullis::github_stand_in::state::{AppId, Protection, PullId, RequiredCheck, Selection};
use serde_json::json;

use super::world::{CHECK, World, key, world};

const RUNS: &str = "/repos/acme/platform/check-runs";

fn require(world: &World, app: Option<AppId>) {
    let required_checks = vec![RequiredCheck { name: CHECK.to_owned(), app }];
    let protection = Protection { branch: "main".to_owned(), required_checks, ..Protection::default() };
    world.stand_in.github(|github| github.protect(world.repository, protection).unwrap());
}

fn gate(world: &World, pull: PullId) -> Gate {
    world.stand_in.github(|github| github.mergeable(pull).unwrap())
}

fn refusal(world: &World, pull: PullId) -> String {
    match world.stand_in.github(|github| github.merge(pull)) {
        Err(ActionError::Refused(reasons)) => reasons.join("; "),
        other => panic!("merged or failed otherwise: {other:?}"),
    }
}

async fn conclude(world: &World, head: &str, conclusion: &str) {
    let answer = world.post(RUNS, json!({ "name": CHECK, "head_sha": head, "conclusion": conclusion })).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

#[tokio::test]
async fn the_newest_run_of_the_newest_commit_decides() {
    world("gate-latest", async |world| {
        require(&world, Some(world.stand_in.app));
        let pull = world.propose("Change", Changes::new().write("a.tf", "x"));
        assert!(refusal(&world, pull).contains("is expected and has not been reported"));
        world.post(RUNS, json!({ "name": CHECK, "head_sha": world.head(pull), "status": "in_progress" })).await;
        assert!(refusal(&world, pull).contains("is in progress"));
        let passing = ["success", "neutral", "skipped"];
        let blocking = ["failure", "cancelled", "timed_out", "action_required"];
        for conclusion in blocking.iter().chain(&passing).chain(&blocking).chain(&["success"]) {
            conclude(&world, &world.head(pull), conclusion).await;
            let found = gate(&world, pull);
            assert_eq!(found.state.allows_merge(), passing.contains(conclusion), "{conclusion}: {found:?}");
        }
        let more = NewCommit::new("dana", "More", Changes::new().write("b.tf", "y"));
        world.stand_in.github(|github| github.push_to(pull, &more).unwrap());
        assert!(refusal(&world, pull).contains("has not been reported"), "the old commit's success says nothing");
        let answer = world.get("/repos/acme/platform/pulls/1").await.json();
        assert_eq!((&answer["mergeable"], &answer["mergeable_state"]), (&json!(true), &json!("blocked")));
        conclude(&world, &world.head(pull), "success").await;
        assert_eq!(gate(&world, pull).state, MergeState::Clean);
    })
    .await;
}

#[tokio::test]
async fn a_pinned_check_must_come_from_its_app() {
    world("gate-pinned", async |world| {
        let other = world.stand_in.github(|github| {
            let app = github.create_app(&NewApp::gate("Other", "globex", key().public, "secret"));
            github.install(app, "acme", Selection::All).unwrap();
            app
        });
        let pull = world.propose("Change", Changes::new().write("a.tf", "x"));
        conclude(&world, &world.head(pull), "success").await;
        require(&world, Some(other));
        assert!(refusal(&world, pull).contains("was not set by the expected GitHub App"));
        require(&world, None);
        assert_eq!(gate(&world, pull).state, MergeState::Clean);
    })
    .await;
}

#[tokio::test]
async fn drafts_conflicts_and_old_branches_block() {
    world("gate-others", async |world| {
        let pull = world.propose("Change", Changes::new().write("terraform/main.tf", "mine\n"));
        world.stand_in.github(|github| github.convert_to_draft(pull).unwrap());
        assert_eq!(gate(&world, pull).state, MergeState::Draft);
        world.stand_in.github(|github| github.mark_ready(pull).unwrap());
        assert_eq!(gate(&world, pull).state, MergeState::Clean);
        let protection = Protection { branch: "main".to_owned(), must_be_up_to_date: true, ..Protection::default() };
        world.stand_in.github(|github| {
            github.protect(world.repository, protection).unwrap();
            let elsewhere = NewCommit::new("lee", "Elsewhere", Changes::new().write("other.tf", "x"));
            github.push(world.repository, "main", &elsewhere).unwrap();
        });
        assert_eq!(gate(&world, pull).state, MergeState::Behind);
        world.stand_in.github(|github| {
            let same = NewCommit::new("lee", "The same place", Changes::new().write("terraform/main.tf", "theirs\n"));
            github.push(world.repository, "main", &same).unwrap();
        });
        assert_eq!(gate(&world, pull).state, MergeState::Dirty);
        assert!(refusal(&world, pull).contains("conflicts with main in terraform/main.tf"));
        let answer = world.get("/repos/acme/platform/pulls/1").await.json();
        assert_eq!((&answer["mergeable"], &answer["mergeable_state"]), (&json!(false), &json!("dirty")));
    })
    .await;
}

#[tokio::test]
async fn a_check_of_the_test_merge_wins() {
    world("gate-test-merge", async |world| {
        require(&world, None);
        let pull = world.propose("Change", Changes::new().write("a.tf", "x"));
        conclude(&world, &world.head(pull), "success").await;
        let merge =
            world.get("/repos/acme/platform/pulls/1").await.json()["merge_commit_sha"].as_str().unwrap().to_owned();
        conclude(&world, &merge, "failure").await;
        assert!(refusal(&world, pull).contains("ended with failure"));
    })
    .await;
}

#[tokio::test]
async fn merging_moves_the_branch_and_tells_of_it() {
    world("gate-merge", async |world| {
        let first = world.propose(
            "First",
            Changes::new()
                .write("terraform/main.tf", "# top\nresource \"aws_s3_bucket\" \"logs\" {\n  bucket = \"logs\"\n}\n"),
        );
        let second = world.propose(
            "Second",
            Changes::new()
                .write("terraform/main.tf", "resource \"aws_s3_bucket\" \"logs\" {\n  bucket = \"logs\"\n}\n# end\n"),
        );
        world.forget().await;
        let merged = world.stand_in.github(|github| {
            github.merge(first).unwrap();
            github.merge(second).unwrap()
        });
        let content = world.get("/repos/acme/platform/contents/terraform/main.tf").await.json();
        assert_eq!(content["size"], 54 + 6 + 6, "both changes are in");
        let commit = world.get(&format!("/repos/acme/platform/commits/{merged}")).await.json();
        assert_eq!(commit["parents"].as_array().unwrap().len(), 2);
        assert!(commit["commit"]["message"].as_str().unwrap().starts_with("Merge pull request #2 from acme/second"));
        let pull = world.get("/repos/acme/platform/pulls/2").await.json();
        assert_eq!(
            (&pull["merged"], &pull["state"], &pull["merge_commit_sha"]),
            (&json!(true), &json!("closed"), &json!(merged.to_string()))
        );
        assert_eq!(pull["changed_files"], 1, "what it changed can still be seen");
        let closed = world.arrived("pull_request", "closed").await;
        assert!(closed.len() == 2 && closed[1]["pull_request"]["merged"] == true);
        let pushes = world.arrived("push", "").await;
        assert_eq!((&pushes[1]["ref"], &pushes[1]["after"]), (&json!("refs/heads/main"), &json!(merged.to_string())));
        assert!(matches!(world.stand_in.github(|github| github.merge(second)), Err(ActionError::Refused(_))));
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_is_an_error_and_not_a_panic() {
    world("gate-errors", async |world| {
        let pull = world.propose("Change", Changes::new().write("a.tf", "x"));
        let nowhere = PullId { number: 99, ..pull };
        world.stand_in.github(|github| {
            assert!(github.mergeable(nowhere).is_none());
            assert!(matches!(github.close(nowhere), Err(ActionError::NoSuch(_))));
            assert!(matches!(github.retarget(pull, "nothing"), Err(ActionError::NoSuch(_))));
            assert!(matches!(github.reopen(pull), Err(ActionError::Refused(_))));
            let bad = Proposal::new("dana", "Bad", Changes::new().write("../x", "x"));
            assert!(matches!(github.propose(world.repository, &bad), Err(ActionError::Path { .. })));
            let gone = Proposal::new("dana", "Gone", Changes::new().delete("nothing"));
            assert!(matches!(github.propose(world.repository, &gone), Err(ActionError::NoSuch(_))));
            let again = Proposal::new("dana", "Change", Changes::new());
            assert!(matches!(github.propose(world.repository, &again), Err(ActionError::Exists(_))));
        });
    })
    .await;
}
