//! What is looked at again: nothing asked for is lost, and nothing that came late is waited for.

use std::time::Duration;

use portcullis::github_stand_in::actions::Changes;
use portcullis::github_stand_in::faults::Fault;
use portcullis::github_stand_in::state::Conclusion;
use serde_json::{Value, json};

use super::manifests::{deployment, privileged};
use super::world::world;

fn bad(name: &str) -> Changes {
    Changes::new().write(&format!("k8s/{name}.yaml"), privileged(name))
}

#[tokio::test]
async fn a_delivery_that_comes_late_is_no_reason_to_wait_for_its_head() {
    world(|w| async move {
        let pull = w.propose("Back and forth", bad("late"));
        w.settle().await;
        let first = w.check(pull).run;
        let payload = w.stand_in.github(|github| {
            let opened = github.deliveries().iter().rfind(|delivery| delivery.event == "pull_request").unwrap();
            opened.payload.clone()
        });
        // Pushed away and back again; of the two deliveries the first arrives last.
        let mut body: Value = serde_json::from_slice(&payload).unwrap();
        body["action"] = json!("synchronize");
        body["before"] = json!(w.head(pull).to_string());
        body["after"] = json!("b".repeat(40));
        body["pull_request"]["head"]["sha"] = json!("b".repeat(40));
        let began = w.app.clock.now();
        assert_eq!(w.deliver("pull_request", "00000000-0000-4000-8000-0000000000aa", &body).await, 202);
        w.settle().await;
        let waited = w.app.clock.now().since(began);
        assert!(waited < Duration::from_secs(40), "{waited:?}");
        assert_eq!(w.check(pull).run.id, first.id);
    })
    .await;
}

#[tokio::test]
async fn what_was_asked_for_again_is_not_lost_to_a_look_whether_anything_changed() {
    world(|w| async move {
        let pull = w.propose("Again", bad("again"));
        w.settle().await;
        let first = w.check(pull).run;
        w.faults("GET", "/repos/*/*/pulls/*", Fault::Unavailable, 100);
        w.stand_in.github(|github| github.rerequest(first.id, "dana").unwrap());
        w.run_due().await;
        w.stand_in.end_faults();
        w.stand_in.github(|github| {
            github.convert_to_draft(pull).unwrap();
            github.mark_ready(pull).unwrap();
        });
        w.settle().await;
        assert_eq!(w.checks(pull).len(), 2, "the second look was asked for");
    })
    .await;
}

#[tokio::test]
async fn a_look_at_all_pull_requests_keeps_what_it_found_when_the_host_fails() {
    world(|w| async move {
        let moved = w.propose("Moved", bad("moved"));
        let other = w.propose("Other", Changes::new().write("k8s/other.yaml", deployment("other")));
        w.settle().await;
        let (moved_head, other_head) = (w.head(moved), w.head(other));
        w.faults("GET", &format!("/repos/*/*/compare/{moved_head}...{other_head}"), Fault::Unavailable, 100);
        // What the branch brought is in main now: nothing is introduced any more.
        w.stand_in.github(|github| github.set_branch(w.repository, "main", moved_head, "dana").unwrap());
        w.run_due().await;
        assert_eq!(w.newest_check(moved).conclusion, Conclusion::Success);
        w.stand_in.end_faults();
    })
    .await;
}
