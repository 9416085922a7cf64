//! The pages for people.

use http::{Method, StatusCode};
use portcullis::github_stand_in::actions::{Changes, Proposal};
use portcullis::github_stand_in::fixtures::Fixture;
use portcullis::github_stand_in::state::{Protection, RequiredCheck};
use serde_json::json;

use super::world::{CHECK, World, world};
use crate::http::{Answer, send};

async fn page(world: &World, path: &str) -> Answer {
    send(&Method::GET, &format!("{}{path}", world.stand_in.base_url), &[], Default::default()).await.unwrap()
}

async fn press(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    send(&Method::POST, &format!("{}{path}", world.stand_in.base_url), headers, Default::default()).await.unwrap()
}

fn protect(world: &World) {
    let required_checks = vec![RequiredCheck { name: CHECK.to_owned(), app: None }];
    let protection = Protection { branch: "main".to_owned(), required_checks, ..Protection::default() };
    world.stand_in.github(|github| github.protect(world.repository, protection).unwrap());
}

#[tokio::test]
async fn an_author_sees_the_check_its_remarks_and_whether_it_can_be_merged() {
    world("pages", async |world| {
        protect(&world);
        let changes = Changes::new().write("terraform/new.tf", "one\ntwo\nthree\n");
        let pull = world.propose("Add three lines", changes);
        assert!(page(&world, "/").await.text().contains("Add three lines"));
        let before = page(&world, "/acme/platform/pull/1").await.text();
        assert!(before.contains("Waiting for required checks") && before.contains("expected, not reported yet"));
        assert!(before.contains("http-equiv=\"refresh\""), "looks again while it waits");
        assert!(page(&world, "/acme/platform/pull/1/checks").await.text().contains("No check has reported yet"));
        let at = |path: &str, line: u32, message: &str| json!({ "path": path, "start_line": line, "end_line": line,
            "annotation_level": "failure", "title": "Policy", "message": message });
        let body = json!({ "name": CHECK, "head_sha": world.head(pull), "conclusion": "failure", "output": {
            "title": "2 violations", "summary": "| a | b |\n|---|--:|\n| 1 | 2 |", "text": "<details><summary>More</summary>\n\n- x\n\n</details>",
            "annotations": [at("terraform/new.tf", 2, "in the diff"), at("README.md", 1, "outside of it"), at("gone.tf", 9, "nowhere")] } });
        assert_eq!(world.post("/repos/acme/platform/check-runs", body).await.status, 201);
        let checks = page(&world, "/acme/platform/pull/1/checks").await.text();
        for part in ["2 violations", "<td style=\"text-align: right\">2</td>", "<details><summary>More</summary>", "Re-run", "3 failures"] {
            assert!(checks.contains(part), "{part} is missing");
        }
        let order = ["two</td>", "in the diff", "three</td>", "Files not changed here", "outside of it"];
        let places: Vec<usize> = order.iter().map(|part| checks.find(part).unwrap_or_else(|| panic!("{part} is missing"))).collect();
        assert!(places.is_sorted(), "{places:?}");
        assert!(!checks.contains("http-equiv=\"refresh\""));
        let after = page(&world, "/acme/platform/pull/1").await.text();
        assert!(after.contains("Merging is blocked") && after.contains("disabled>Merge pull request"));
        assert_eq!(page(&world, "/acme/platform/pull/9").await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn the_buttons_work_from_these_pages_alone() {
    world("pages-buttons", async |world| {
        protect(&world);
        let pull = world.propose("Change", Changes::new().write("a.tf", "x"));
        let refused = press(&world, "/acme/platform/pull/1/merge", &[]).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert!(refused.text().contains("has not been reported"));
        let body = json!({ "name": CHECK, "head_sha": world.head(pull), "conclusion": "success" });
        let made = world.post("/repos/acme/platform/check-runs", body).await.json();
        let run = made["id"].as_u64().unwrap();
        let shown = page(&world, &made["html_url"].as_str().unwrap().replace(&world.stand_in.base_url, "")).await;
        assert_eq!(shown.header("location"), format!("/acme/platform/pull/1/checks?check_run_id={run}"));
        let again = format!("/acme/platform/pull/1/checks/{run}/rerequest");
        let foreign = press(&world, &again, &[("sec-fetch-site", "cross-site")]).await;
        assert_eq!(foreign.status, StatusCode::FORBIDDEN);
        assert!(world.arrived("check_run", "rerequested").await.is_empty());
        let pressed = press(&world, &again, &[("sec-fetch-site", "same-origin")]).await;
        assert_eq!(
            (pressed.status, pressed.header("location")),
            (StatusCode::SEE_OTHER, "/acme/platform/pull/1/checks")
        );
        assert_eq!(world.arrived("check_run", "rerequested").await[0]["check_run"]["id"], run);
        assert_eq!(press(&world, "/acme/platform/pull/1/merge", &[]).await.status, StatusCode::SEE_OTHER);
        assert!(page(&world, "/acme/platform/pull/1").await.text().contains("Merged"));
    })
    .await;
}

#[tokio::test]
async fn nothing_hostile_gets_out_of_its_place() {
    world("pages-hostile", async |world| {
        let hostile = "\"><script>alert(1)</script><img src=x onerror=alert(1)>";
        let changes = Changes::new().write("a\"><script>.tf", format!("{hostile}\n"));
        let mut proposal = Proposal::new("dana", "x", changes);
        proposal.pull.title = hostile.to_owned();
        proposal.pull.body = Some(format!("{hostile}\n\n[x](javascript:alert(1))"));
        let head = world.stand_in.github(|github| {
            let pull = github.propose(world.repository, &proposal).unwrap();
            github.pull(pull).unwrap().head.to_string()
        });
        let body = json!({ "name": hostile, "head_sha": head, "conclusion": "failure", "details_url": "https://x/\"><script>",
            "output": { "title": hostile, "summary": hostile, "text": hostile, "annotations": [
                { "path": "a\"><script>.tf", "start_line": 1, "end_line": 1, "annotation_level": "failure", "title": hostile,
                  "message": hostile, "raw_details": hostile }] } });
        assert_eq!(world.post("/repos/acme/platform/check-runs", body).await.status, 201);
        for path in ["/", "/acme/platform/pull/1", "/acme/platform/pull/1/checks"] {
            let answer = page(&world, path).await;
            let text = answer.text();
            assert!(!text.contains("<script") && !text.contains("<img") && !text.contains("javascript:"), "{path}: {text}");
            assert!(answer.header("content-security-policy").contains("default-src 'none'"));
        }
    })
    .await;
}

#[tokio::test]
async fn the_demo_repository_opens_its_five_pull_requests() {
    world("pages-fixture", async |world| {
        let fixture = Fixture::embedded().unwrap().remove(0);
        let app = world.stand_in.app;
        let opened = world.stand_in.github(|github| {
            let mut fixture = fixture.clone();
            fixture.repository.full_name = "acme/shop".to_owned();
            let repository = github.add_fixture(&fixture, Some(app)).unwrap();
            let pulls = fixture.pulls.iter().map(|pull| github.open_fixture(repository, pull).unwrap());
            pulls.collect::<Vec<_>>()
        });
        assert_eq!(opened.iter().map(|pull| pull.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        for pull in opened {
            let (gate, fork) = world
                .stand_in
                .github(|github| (github.mergeable(pull).unwrap(), github.pull(pull).unwrap().is_from_fork()));
            assert_eq!(gate.state.as_str(), "blocked", "#{} has no conflict and waits for its check", pull.number);
            assert_eq!(fork, pull.number == 5);
            assert_eq!(page(&world, &format!("/acme/shop/pull/{}", pull.number)).await.status, StatusCode::OK);
        }
    })
    .await;
}
