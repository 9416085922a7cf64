//! Webhooks: signed, complete, logged, sent again, and in whatever order a test wants.

use std::time::Duration;

use hmac::{Hmac, Mac};
use http::StatusCode;
use portcullis::github_stand_in::Config;
use portcullis::github_stand_in::actions::{Changes, NewCommit};
use portcullis::github_stand_in::state::{Access, DeliveryOrder, Layout, Limits, Permissions};
use serde_json::{Value, json};
use sha2::Sha256;

use super::world::{World, counts, next_page, world, world_with};

async fn events(world: &World) -> Vec<String> {
    world.stand_in.deliveries_idle().await;
    let name = |received: &super::world::Received| {
        let action = received.json()["action"].as_str().map(|action| format!(".{action}")).unwrap_or_default();
        format!("{}{action}", received.header("x-github-event"))
    };
    world.receiver.received().iter().map(name).collect()
}

#[tokio::test]
async fn a_delivery_is_signed_and_says_what_it_is() {
    world("webhooks-signed", async |world| {
        world.forget().await;
        world.propose("Change", Changes::new().write("a.tf", "x"));
        assert_eq!(events(&world).await, ["push", "check_suite.requested", "pull_request.opened"], "in order");
        for received in world.receiver.received() {
            let mut mac = Hmac::<Sha256>::new_from_slice(world.stand_in.webhook_secret.as_bytes()).unwrap();
            mac.update(&received.body);
            let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
            assert_eq!(received.header("x-hub-signature-256"), expected);
            assert_eq!(received.header("content-type"), "application/json");
            assert!(received.header("user-agent").starts_with("GitHub-Hookshot/"));
            assert_eq!(received.header("x-github-hook-installation-target-type"), "integration");
            assert_eq!(received.header("x-github-hook-installation-target-id"), world.stand_in.app.to_string());
            assert!(!received.header("x-github-hook-id").is_empty());
            assert_eq!(received.header("x-github-delivery").len(), 36);
            let body = received.json();
            assert_eq!(body["installation"]["id"], world.installation.0);
            assert_eq!(
                (&body["repository"]["full_name"], &body["organization"]["login"]),
                (&json!("acme/platform"), &json!("acme"))
            );
            assert_eq!(body["sender"]["login"], "dana");
        }
    })
    .await;
}

#[tokio::test]
async fn everything_that_happens_to_a_pull_request_is_told() {
    world("webhooks-pull", async |world| {
        let pull = world.propose("Change", Changes::new().write("a.tf", "x"));
        let before = world.head(pull);
        world.stand_in.github(|github| {
            github.push_to(pull, &NewCommit::new("kim", "More", Changes::new().write("b.tf", "x"))).unwrap();
            github
                .push(world.repository, "release", &NewCommit::new("lee", "R", Changes::new().write("r", "x")))
                .unwrap();
            github.retarget(pull, "release").unwrap();
            github.rename(pull, "Better title").unwrap();
            github.convert_to_draft(pull).unwrap();
            github.mark_ready(pull).unwrap();
            github.close(pull).unwrap();
            github.reopen(pull).unwrap();
        });
        let arrived = world.arrived("pull_request", "").await;
        let actions: Vec<&str> = arrived.iter().map(|body| body["action"].as_str().unwrap()).collect();
        assert_eq!(
            actions,
            [
                "opened",
                "synchronize",
                "edited",
                "edited",
                "converted_to_draft",
                "ready_for_review",
                "closed",
                "reopened"
            ]
        );
        let synchronized = &arrived[1];
        assert_eq!((&synchronized["before"], &synchronized["after"]), (&json!(before), &json!(world.head(pull))));
        assert_eq!(synchronized["pull_request"]["head"]["sha"], world.head(pull));
        assert_eq!(arrived[2]["changes"]["base"]["ref"]["from"], "main");
        assert_eq!(arrived[3]["changes"]["title"]["from"], "Change");
        assert_eq!(arrived[6]["pull_request"]["merged"], false);
    })
    .await;
}

#[tokio::test]
async fn a_push_lists_its_commits_and_says_when_it_was_forced() {
    world("webhooks-push", async |world| {
        let start = world.stand_in.github(|github| github.branch(world.repository, "main").unwrap());
        world.stand_in.github(|github| {
            let changes = Changes::new().write("new.tf", "x").write("README.md", "y").delete("terraform/main.tf");
            github.push(world.repository, "main", &NewCommit::new("lee", "Mixed", changes)).unwrap();
            let other = NewCommit::new("lee", "Instead", Changes::new().write("other.tf", "x"));
            github.push_onto(world.repository, "main", start, &other).unwrap();
            github
                .push(world.repository, "side", &NewCommit::new("lee", "Side", Changes::new().write("s", "x")))
                .unwrap();
            github.delete_branch(world.repository, "side", "lee").unwrap();
        });
        let pushes = world.arrived("push", "").await;
        let commit = &pushes[0]["commits"][0];
        let of = |field: &str| {
            commit[field].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(
            (of("added"), of("modified"), of("removed")),
            (vec!["new.tf"], vec!["README.md"], vec!["terraform/main.tf"])
        );
        assert_eq!((&pushes[0]["forced"], &pushes[1]["forced"]), (&json!(false), &json!(true)));
        assert_eq!(pushes[2]["commits"].as_array().unwrap().len(), 1, "what no other branch has");
        assert_eq!((&pushes[2]["created"], &pushes[2]["before"]), (&json!(true), &json!("0".repeat(40))));
        assert_eq!((&pushes[3]["deleted"], &pushes[3]["head_commit"]), (&json!(true), &Value::Null));
    })
    .await;
}

#[tokio::test]
async fn order_and_number_are_the_tests_to_choose() {
    world("webhooks-order", async |world| {
        world.forget().await;
        world.stand_in.github(|github| github.hold_deliveries());
        world.propose("Change", Changes::new().write("a.tf", "x"));
        assert!(events(&world).await.is_empty(), "held");
        world.stand_in.github(|github| github.release_deliveries(DeliveryOrder::Reversed));
        assert_eq!(events(&world).await, ["pull_request.opened", "check_suite.requested", "push"]);
        world.forget().await;
        world.stand_in.github(|github| {
            github.duplicate_deliveries(2);
            github.hold_deliveries();
        });
        world.propose("Other", Changes::new().write("b.tf", "x"));
        world.stand_in.github(|github| github.release_deliveries(DeliveryOrder::Shuffled { seed: 7 }));
        let shuffled = events(&world).await;
        let received = world.receiver.received();
        assert!(counts(&received).values().all(|count| *count == 3), "{:?}", counts(&received));
        assert!(shuffled.windows(3).any(|three| three[0] != three[1] || three[1] != three[2]));
        let mut guids: Vec<&str> = received.iter().map(|received| received.header("x-github-delivery")).collect();
        guids.sort_unstable();
        guids.dedup();
        assert_eq!(guids.len(), 3, "a duplicate has the same id");
    })
    .await;
}

#[tokio::test]
async fn deliveries_are_logged_and_sent_again_on_request() {
    world("webhooks-log", async |world| {
        world.receiver.answer_next_with(&[500, 202, 503]);
        world.propose("Change", Changes::new().write("a.tf", "x"));
        world.stand_in.deliveries_idle().await;
        let failed = world.as_app("GET", "/app/hook/deliveries?status=failure", None).await.json();
        let told: Vec<String> = failed
            .as_array()
            .unwrap()
            .iter()
            .map(|d| format!("{} {} {}", d["event"], d["status_code"], d["status"]).replace('"', ""))
            .collect();
        assert_eq!(told, ["pull_request 503 Invalid HTTP Response: 503", "push 500 Invalid HTTP Response: 500"]);
        let whole = world.as_app("GET", &format!("/app/hook/deliveries/{}", failed[0]["id"]), None).await.json();
        assert_eq!(whole["request"]["payload"]["action"], "opened");
        assert_eq!(whole["request"]["headers"]["x-github-event"], "pull_request");
        world.forget().await;
        let again = world.as_app("POST", &format!("/app/hook/deliveries/{}/attempts", failed[0]["id"]), None).await;
        assert_eq!(again.status, StatusCode::ACCEPTED);
        world.stand_in.deliveries_idle().await;
        let received = world.receiver.received();
        assert_eq!(received[0].header("x-github-delivery"), failed[0]["guid"].as_str().unwrap(), "the same id");
        assert_eq!(received[0].json(), whole["request"]["payload"], "the same body");
        let newest = world.as_app("GET", "/app/hook/deliveries?per_page=1", None).await.json();
        assert_eq!((&newest[0]["redelivery"], &newest[0]["status"]), (&json!(true), &json!("OK")));
    })
    .await;
}

#[tokio::test]
async fn the_log_is_paged_by_cursor() {
    world("webhooks-cursor", async |world| {
        world.propose("Change", Changes::new().write("a.tf", "x"));
        world.stand_in.deliveries_idle().await;
        let all = world.as_app("GET", "/app/hook/deliveries?per_page=100", None).await.json();
        let mut path = Some("/app/hook/deliveries?per_page=2".to_owned());
        let mut found = Vec::new();
        while let Some(now) = path {
            let answer = world.as_app("GET", &now, None).await;
            found.extend(answer.json().as_array().unwrap().clone());
            path = next_page(answer.header("link")).map(|next| next.replace(&world.stand_in.base_url, ""));
        }
        assert_eq!(json!(found), all);
        assert_eq!(world.as_app("GET", "/app/hook/deliveries?cursor=x", None).await.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

#[tokio::test]
async fn a_slow_receiver_is_given_up_and_nothing_is_repeated() {
    let limits = Limits { webhook_timeout: Duration::from_millis(50), ..Limits::default() };
    world_with("webhooks-slow", Layout::GitHub, Config { limits, ..Config::default() }, async |world| {
        world.receiver.wait_before_answers(Duration::from_secs(5));
        world.stand_in.github(|github| {
            let change = NewCommit::new("lee", "x", Changes::new().write("x", "x"));
            github.set_automatic_suites(world.repository, false).unwrap();
            github.push(world.repository, "main", &change).unwrap();
        });
        world.stand_in.deliveries_idle().await;
        let log = world.as_app("GET", "/app/hook/deliveries?status=failure", None).await.json();
        assert_eq!(
            (log.as_array().unwrap().len(), &log[0]["status"], &log[0]["status_code"]),
            (1, &json!("timed out"), &json!(0))
        );
        let app = world.stand_in.app;
        world.stand_in.github(|github| github.set_webhook(app, "http://127.0.0.1:1/closed").unwrap());
        world.stand_in.deliveries_idle().await;
        let log = world.as_app("GET", "/app/hook/deliveries?status=failure", None).await.json();
        assert_eq!((&log[0]["event"], &log[0]["status"]), (&json!("ping"), &json!("failed to connect to host")));
    })
    .await;
}

#[tokio::test]
async fn an_app_is_told_what_it_may_know() {
    world("webhooks-permissions", async |world| {
        let permissions = Permissions::of(&[("contents", Access::Read)]);
        world.stand_in.github(|github| github.set_permissions(world.installation, permissions).unwrap());
        assert_eq!(world.arrived("installation", "new_permissions_accepted").await.len(), 1);
        world.forget().await;
        world.propose("Change", Changes::new().write("a.tf", "x"));
        assert_eq!(events(&world).await, ["push"]);
        world.stand_in.github(|github| github.set_suspended(world.installation, true).unwrap());
        assert_eq!(world.arrived("installation", "suspend").await.len(), 1);
        world.forget().await;
        world.propose("Other", Changes::new().write("b.tf", "x"));
        assert!(events(&world).await.is_empty());
        world.stand_in.github(|github| github.uninstall(world.installation).unwrap());
        assert_eq!(events(&world).await, ["installation.deleted"]);
    })
    .await;
}
