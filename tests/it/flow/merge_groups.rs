//! A merge queue's groups: each is judged by its own tree, and what cannot be read is not merged.

use std::time::Duration;

use portcullis::github_stand_in::actions::Changes;
use portcullis::github_stand_in::faults::Fault;
use portcullis::github_stand_in::state::{CheckStatus, Conclusion, DeliveryOrder, Protection, PullState};

use super::manifests::deployment;
use super::world::{Shape, base, protection, world, world_of};

fn good() -> Changes {
    Changes::new().write("k8s/web.yaml", deployment("web-2"))
}

#[tokio::test]
async fn a_merge_group_is_judged_by_its_own_tree() {
    world(|w| async move {
        let protection = Protection { merge_queue: true, ..protection("main", Some(w.stand_in.app)) };
        w.stand_in.github(|github| github.protect(w.repository, protection).unwrap());
        let pull = w.propose("Into the queue", good());
        w.settle().await;
        w.check(pull).assert_passed("No violation introduced");
        let group = w.stand_in.github(|github| github.enqueue(pull).unwrap());
        w.settle().await;
        let checks = w.checks_of(group);
        assert_eq!(checks.len(), 1, "{checks:#?}");
        assert_eq!(checks[0].conclusion, Some(Conclusion::Success));
        assert_eq!(checks[0].output.title.as_deref(), Some("No violation introduced"));
        w.stand_in.github(|github| assert_eq!(github.pull(pull).unwrap().state, PullState::Closed, "merged"));
    })
    .await;
}

/// Each half is harmless: the pull request takes a default over, the branch turns the default around.
#[tokio::test]
async fn a_merge_group_whose_halves_only_fail_together_is_thrown_out() {
    let variable = |default: &str| format!("variable \"encrypt\" {{\n  type    = bool\n  default = {default}\n}}\n");
    let content = base().write("tf/variables.tf", variable("true"));
    world_of(Shape { content, ..Shape::default() }, |w| async move {
        let protection = Protection { merge_queue: true, ..protection("main", Some(w.stand_in.app)) };
        w.stand_in.github(|github| github.protect(w.repository, protection).unwrap());
        let volume = "resource \"aws_ebs_volume\" \"data\" {\n  availability_zone = \"eu-west-1a\"\n  size = 8\n  encrypted = var.encrypt\n}\n";
        let pull = w.propose("A volume", Changes::new().write("tf/main.tf", volume));
        w.settle().await;
        w.check(pull).assert_passed("No violation introduced");
        w.push_branch("main", Changes::new().write("tf/variables.tf", variable("false")));
        w.settle().await;
        w.check(pull).assert_passed("No violation introduced");
        let group = w.stand_in.github(|github| github.enqueue(pull).unwrap());
        w.settle().await;
        let checks = w.checks_of(group);
        assert_eq!(checks.len(), 1, "{checks:#?}");
        assert_eq!(checks[0].output.title.as_deref(), Some("1 violation introduced: 1 high"));
        w.stand_in.github(|github| assert_eq!(github.pull(pull).unwrap().state, PullState::Open, "thrown out"));
    })
    .await;
}

#[tokio::test]
async fn a_merge_group_that_cannot_be_read_is_not_merged() {
    world(|w| async move {
        let protection = Protection { merge_queue: true, ..protection("main", None) };
        w.stand_in.github(|github| github.protect(w.repository, protection).unwrap());
        let pull = w.propose("Fine", good());
        w.settle().await;
        w.stand_in.github(|github| github.hold_deliveries());
        let group = w.stand_in.github(|github| github.enqueue(pull).unwrap());
        w.faults("GET", "/repos/*/*/git/trees/*", Fault::Unavailable, 60);
        w.stand_in.github(|github| github.release_deliveries(DeliveryOrder::AsHappened));
        w.settle().await;
        w.stand_in.end_faults();
        let checks = w.checks_of(group);
        assert_eq!(checks.len(), 1, "{checks:#?}");
        assert_eq!(checks[0].conclusion, Some(Conclusion::Failure), "what could not be read is never waved through");
        w.stand_in.github(|github| assert_eq!(github.pull(pull).unwrap().state, PullState::Open, "thrown out"));
    })
    .await;
}

#[tokio::test]
async fn a_merge_group_answered_in_words_only_can_be_asked_for_again() {
    world(|w| async move {
        let protection = Protection { merge_queue: true, ..protection("main", None) };
        w.stand_in.github(|github| github.protect(w.repository, protection).unwrap());
        let pull = w.propose("Refused", good());
        w.settle().await;
        w.stand_in.github(|github| github.hold_deliveries());
        let group = w.stand_in.github(|github| github.enqueue(pull).unwrap());
        w.faults("GET", "/repos/*/*/git/trees/*", Fault::Unavailable, 60);
        w.stand_in.github(|github| github.release_deliveries(DeliveryOrder::AsHappened));
        w.settle().await;
        w.stand_in.end_faults();
        let words = w.checks_of(group);
        assert_eq!((words.len(), words[0].conclusion), (1, Some(Conclusion::Failure)), "{words:#?}");
        w.stand_in.github(|github| github.rerequest(words[0].id, "dana").unwrap());
        w.settle().await;
        let newest = w.checks_of(group).pop().unwrap();
        assert_eq!(newest.conclusion, Some(Conclusion::Success), "{newest:#?}");
    })
    .await;
}

#[tokio::test]
async fn a_merge_group_that_is_gone_leaves_no_check_in_progress() {
    world(|w| async move {
        let protection = Protection { merge_queue: true, ..protection("main", None) };
        w.stand_in.github(|github| github.protect(w.repository, protection).unwrap());
        let pull = w.propose("In and out", good());
        w.settle().await;
        let group = w.stand_in.github(|github| github.enqueue(pull).unwrap());
        w.fault("GET", "/repos/*/*/git/trees/*", Fault::Slow(Duration::from_millis(2200)));
        let leaving = async {
            while w.checks_of(group).is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            w.stand_in.github(|github| github.dequeue(pull).unwrap());
            w.stand_in.deliveries_idle().await;
        };
        tokio::join!(w.run_due(), leaving);
        w.settle().await;
        let checks = w.checks_of(group);
        assert_eq!(checks.len(), 1, "{checks:#?}");
        assert_eq!(checks[0].status, CheckStatus::Completed);
    })
    .await;
}

#[tokio::test]
async fn a_merge_groups_check_can_be_asked_for_again() {
    world(|w| async move {
        let protection = Protection { merge_queue: true, ..protection("main", None) };
        w.stand_in.github(|github| github.protect(w.repository, protection).unwrap());
        let pull = w.propose("Again in the queue", good());
        w.settle().await;
        let group = w.stand_in.github(|github| github.enqueue(pull).unwrap());
        w.settle().await;
        let run = w.checks_of(group)[0].id;
        w.stand_in.github(|github| github.rerequest(run, "dana").unwrap());
        w.settle().await;
        assert_eq!(w.checks_of(group).len(), 2);
    })
    .await;
}
