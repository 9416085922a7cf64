//! The merge queue: groups are checked on commits of their own.

use portcullis::github_stand_in::actions::{ActionError, Changes, NewCommit};
use portcullis::github_stand_in::git::Oid;
use portcullis::github_stand_in::state::{Protection, PullId, RequiredCheck};
use serde_json::{Value, json};

use super::world::{CHECK, World, world};

const RUNS: &str = "/repos/acme/platform/check-runs";

fn protect(world: &World) {
    let required_checks = vec![RequiredCheck { name: CHECK.to_owned(), app: Some(world.stand_in.app) }];
    let protection =
        Protection { branch: "main".to_owned(), required_checks, merge_queue: true, ..Protection::default() };
    world.stand_in.github(|github| github.protect(world.repository, protection).unwrap());
}

async fn conclude(world: &World, head: &str, conclusion: &str) {
    let answer = world.post(RUNS, json!({ "name": CHECK, "head_sha": head, "conclusion": conclusion })).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

async fn ready(world: &World, title: &str, path: &str) -> PullId {
    let pull = world.propose(title, Changes::new().write(path, "x\n"));
    conclude(world, &world.head(pull), "success").await;
    pull
}

fn enqueue(world: &World, pull: PullId) -> Oid {
    world.stand_in.github(|github| github.enqueue(pull).unwrap())
}

fn main_branch(world: &World) -> Oid {
    world.stand_in.github(|github| github.branch(world.repository, "main").unwrap())
}

async fn groups(world: &World, action: &str) -> Vec<Value> {
    world.arrived("merge_group", action).await
}

#[tokio::test]
async fn a_group_is_merged_when_its_own_checks_have_passed() {
    world("queue-merge", async |world| {
        protect(&world);
        let start = main_branch(&world);
        let (one, two) = (ready(&world, "One", "1.tf").await, ready(&world, "Two", "2.tf").await);
        assert!(matches!(world.stand_in.github(|github| github.merge(one)), Err(ActionError::Refused(_))));
        let (first, second) = (enqueue(&world, one), enqueue(&world, two));
        let asked = groups(&world, "checks_requested").await;
        let group = &asked[0]["merge_group"];
        assert_eq!((&group["head_sha"], &group["base_sha"]), (&json!(first.to_string()), &json!(start.to_string())));
        assert_eq!(group["head_ref"], format!("refs/heads/gh-readonly-queue/main/pr-1-{start}"));
        assert_eq!(asked[1]["merge_group"]["base_sha"], first.to_string(), "the second stands on the first");
        let tree = world.get(&format!("/repos/acme/platform/git/trees/{second}")).await.json();
        let paths: Vec<&str> =
            tree["tree"].as_array().unwrap().iter().map(|entry| entry["path"].as_str().unwrap()).collect();
        assert!(paths.contains(&"1.tf") && paths.contains(&"2.tf"), "{paths:?}");
        conclude(&world, &second.to_string(), "success").await;
        assert_eq!(main_branch(&world), start, "the second waits for the first");
        conclude(&world, &first.to_string(), "success").await;
        assert_eq!(main_branch(&world), second);
        let destroyed = groups(&world, "destroyed").await;
        assert!(destroyed.len() == 2 && destroyed.iter().all(|group| group["reason"] == "merged"));
        assert_eq!(world.get("/repos/acme/platform/pulls/2").await.json()["merged"], true);
        let left = world.stand_in.github(|github| {
            let home = github.repository(world.repository).unwrap();
            home.branches.keys().filter(|branch| branch.starts_with("gh-readonly-queue")).count() + home.queue.len()
        });
        assert_eq!(left, 0);
    })
    .await;
}

#[tokio::test]
async fn a_failed_group_leaves_and_those_behind_it_are_built_anew() {
    world("queue-failed", async |world| {
        protect(&world);
        let (one, two) = (ready(&world, "One", "1.tf").await, ready(&world, "Two", "2.tf").await);
        let (first, _) = (enqueue(&world, one), enqueue(&world, two));
        conclude(&world, &first.to_string(), "failure").await;
        let destroyed = groups(&world, "destroyed").await;
        let reasons: Vec<&Value> = destroyed.iter().map(|group| &group["reason"]).collect();
        assert_eq!(reasons, ["dequeued", "invalidated"]);
        assert_eq!(world.arrived("pull_request", "dequeued").await[0]["reason"], "CI_FAILURE");
        let rebuilt = &groups(&world, "checks_requested").await[2]["merge_group"];
        assert_eq!(rebuilt["base_sha"], main_branch(&world).to_string());
        conclude(&world, rebuilt["head_sha"].as_str().unwrap(), "success").await;
        assert_eq!(main_branch(&world).to_string(), rebuilt["head_sha"].as_str().unwrap());
        assert_eq!(world.get("/repos/acme/platform/pulls/1").await.json()["state"], "open");
    })
    .await;
}

#[tokio::test]
async fn a_push_to_the_branch_makes_groups_stale() {
    world("queue-stale", async |world| {
        protect(&world);
        let pull = ready(&world, "One", "1.tf").await;
        enqueue(&world, pull);
        let hotfix = NewCommit::new("lee", "Hotfix", Changes::new().write("hotfix.tf", "x"));
        let tip = world.stand_in.github(|github| github.push(world.repository, "main", &hotfix).unwrap());
        assert_eq!(groups(&world, "destroyed").await[0]["reason"], "invalidated");
        assert_eq!(groups(&world, "checks_requested").await[1]["merge_group"]["base_sha"], tip.to_string());
    })
    .await;
}

#[tokio::test]
async fn only_what_the_gate_lets_through_gets_in_and_it_can_leave() {
    world("queue-door", async |world| {
        protect(&world);
        let unchecked = world.propose("Unchecked", Changes::new().write("u.tf", "x"));
        assert!(matches!(world.stand_in.github(|github| github.enqueue(unchecked)), Err(ActionError::Refused(_))));
        let pull = ready(&world, "One", "1.tf").await;
        enqueue(&world, pull);
        assert!(matches!(world.stand_in.github(|github| github.enqueue(pull)), Err(ActionError::Exists(_))));
        world.stand_in.github(|github| github.dequeue(pull).unwrap());
        assert_eq!(world.arrived("pull_request", "dequeued").await[0]["reason"], "MANUAL");
        enqueue(&world, pull);
        world.stand_in.github(|github| github.close(pull).unwrap());
        assert!(world.stand_in.github(|github| github.repository(world.repository).unwrap().queue.is_empty()));
    })
    .await;
}
