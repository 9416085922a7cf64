//! What each event leads to, and what those nobody asked for do not.

use std::time::Duration;

use portcullis::github_stand_in::actions::{Changes, Proposal};
use portcullis::github_stand_in::faults::Fault;
use portcullis::github_stand_in::state::{
    Access, CheckStatus, Conclusion, DeliveryOrder, Permissions, Protection, PullState, Selection,
};
use portcullis::store::{InstallationState, JobState};
use serde_json::json;

use super::manifests::{deployment, escalating, privileged, unlimited};
use super::world::{Shape, World, base, protection, world, world_of, world_with_sources};

fn good() -> Changes {
    Changes::new().write("k8s/web.yaml", deployment("web-2"))
}

fn bad() -> Changes {
    Changes::new().write("k8s/web.yaml", privileged("web"))
}

#[tokio::test]
async fn each_push_to_a_pull_request_is_answered_on_its_own_head() {
    world(|w| async move {
        let pull = w.propose("Step by step", bad());
        w.settle().await;
        w.check(pull).assert_blocked("1 violation introduced: 1 high");
        let first = w.head(pull);
        w.push(pull, good());
        w.settle().await;
        w.check(pull).assert_passed("No violation introduced");
        assert_eq!(w.checks_of(first).len(), 1);
        assert_eq!(w.checks_of(first)[0].conclusion, Some(Conclusion::Failure), "what was said of the old head stays");
    })
    .await;
}

#[tokio::test]
async fn of_several_pushes_only_the_newest_is_worked_on() {
    world(|w| async move {
        let pull = w.propose("Hasty", bad());
        for name in ["a", "b", "c"] {
            w.push(pull, Changes::new().write("k8s/web.yaml", deployment(name)));
        }
        w.settle().await;
        w.check(pull).assert_passed("No violation introduced");
        let checks = w.all_checks();
        assert_eq!(checks.len(), 1, "{checks:#?}");
    })
    .await;
}

#[tokio::test]
async fn a_newer_head_ends_the_check_of_the_older_one() {
    world(|w| async move {
        let pull = w.propose("Slow", bad());
        let first = w.head(pull);
        // Longer than an answer may take without an "in progress" before it.
        w.fault("GET", "/repos/*/*/git/trees/*", Fault::Slow(Duration::from_millis(2200)));
        let (ran, ()) = tokio::join!(w.run_due(), push_once_in_progress(&w, pull));
        let () = ran;
        w.settle().await;
        let old = w.checks_of(first);
        assert_eq!(old.len(), 1, "{old:#?}");
        assert_eq!(old[0].conclusion, Some(Conclusion::Cancelled));
        assert!(old[0].output.summary.as_deref().unwrap().contains("A newer commit took the place of this one"));
        w.check(pull).assert_passed("No violation introduced");
    })
    .await;
}

async fn push_once_in_progress(w: &World, pull: portcullis::github_stand_in::state::PullId) {
    while w.checks(pull).is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(w.checks(pull)[0].status, CheckStatus::InProgress);
    w.push(pull, good());
}

#[tokio::test]
async fn opened_reopened_and_ready_for_review_again_are_answered_once() {
    world(|w| async move {
        let mut proposal = Proposal::new("dana", "Draft", bad());
        proposal.pull.draft = true;
        let pull = w.propose_as(proposal);
        w.settle().await;
        assert_eq!(w.check(pull).conclusion, Conclusion::Failure, "a draft is checked too");
        w.stand_in.github(|github| github.mark_ready(pull).unwrap());
        w.settle().await;
        w.stand_in.github(|github| github.close(pull).unwrap());
        w.settle().await;
        w.stand_in.github(|github| github.reopen(pull).unwrap());
        w.settle().await;
        w.check(pull).assert_blocked("1 violation introduced: 1 high");
    })
    .await;
}

#[tokio::test]
async fn what_was_pushed_while_it_was_closed_is_checked_when_it_is_reopened() {
    world(|w| async move {
        let pull = w.propose("Comeback", good());
        w.settle().await;
        w.stand_in.github(|github| github.close(pull).unwrap());
        let branch = w.stand_in.github(|github| github.pull(pull).unwrap().head_branch.clone());
        w.push_branch(&branch, bad());
        w.settle().await;
        w.stand_in.github(|github| github.reopen(pull).unwrap());
        w.settle().await;
        w.check(pull).assert_blocked("1 violation introduced: 1 high");
    })
    .await;
}

#[tokio::test]
async fn a_closed_pull_request_leaves_no_check_in_progress() {
    world(|w| async move {
        let pull = w.propose("Given up", bad());
        w.fault("GET", "/repos/*/*/git/trees/*", Fault::Slow(Duration::from_millis(2200)));
        let closing = async {
            while w.checks(pull).is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            w.stand_in.github(|github| github.close(pull).unwrap());
        };
        tokio::join!(w.run_due(), closing);
        w.settle().await;
        assert_eq!(w.check(pull).conclusion, Conclusion::Cancelled);
        // What was cancelled is no answer: the same head, open again, gets one.
        w.stand_in.github(|github| github.reopen(pull).unwrap());
        w.settle().await;
        w.newest_check(pull).assert_blocked("1 violation introduced: 1 high");
    })
    .await;
}

#[tokio::test]
async fn another_base_branch_is_another_question_even_from_the_same_merge_base() {
    let source = |name: &str, branches: &str, severity: &str| json!({ "name": name, "repository": "acme/*", "branches": branches, "blocking_severity": severity });
    let sources = json!([source("strict", "main", "medium"), source("lenient", "release/.*", "critical")]);
    world_with_sources(sources, |w| async move {
        w.push_branch("release/1", Changes::new());
        w.stand_in.github(|github| github.protect(w.repository, protection("release/1", None)).unwrap());
        let mut proposal = Proposal::new("dana", "Detour", bad());
        proposal.pull.base = Some("release/1".to_owned());
        let pull = w.propose_as(proposal);
        w.settle().await;
        w.check(pull).assert_passed("1 violation introduced: 1 high");

        for _ in 0..2 {
            w.stand_in.github(|github| github.retarget(pull, "main").unwrap());
            w.settle().await;
            w.newest_check(pull).assert_blocked("1 violation introduced: 1 high");
            w.stand_in.github(|github| github.retarget(pull, "release/1").unwrap());
            w.settle().await;
            w.newest_check(pull).assert_passed("1 violation introduced: 1 high");
        }
    })
    .await;
}

/// A second pull request of the same branch into a branch that has the violation already introduces nothing, and its check is
/// of the same commit.
#[tokio::test]
async fn a_pass_elsewhere_does_not_open_the_gate_of_the_same_commit() {
    let sources = json!([{ "name": "all", "repository": "acme/*" }]);
    world_with_sources(sources, |w| async move {
        let first = w.propose("Into main", bad());
        w.settle().await;
        w.check(first).assert_blocked("1 violation introduced: 1 high");

        let (branch, head) = w.stand_in.github(|github| {
            let pull = github.pull(first).unwrap();
            (pull.head_branch.clone(), pull.head)
        });
        w.stand_in.github(|github| github.set_branch(w.repository, "anything", head, "dana").unwrap());
        w.push(first, Changes::new().write("docs/notes.md", "More.\n"));
        w.settle().await;
        let second = w.stand_in.github(|github| {
            let mut new = Proposal::new("dana", "Into anything", Changes::new()).pull;
            (new.head, new.base) = (branch, Some("anything".to_owned()));
            github.open_pull_request(w.repository, &new).unwrap()
        });
        w.settle().await;
        assert_eq!(w.head(first), w.head(second));
        w.newest_check(first).assert_blocked("1 violation introduced: 1 high");
        w.newest_check(second).assert_says(&["This pull request passes.", "also the newest of #1"]);

        w.stand_in.github(|github| github.close(first).unwrap());
        w.settle().await;
        w.newest_check(second).assert_passed("Nothing to check: no infrastructure-as-code is touched");
    })
    .await;
}

#[tokio::test]
async fn an_edited_title_is_no_question() {
    world(|w| async move {
        let pull = w.propose("Before", good());
        w.settle().await;
        let asked = w.asked().len();
        w.stand_in.github(|github| github.rename(pull, "After").unwrap());
        w.settle().await;
        assert_eq!(w.asked().len(), asked);
        w.check(pull);
    })
    .await;
}

#[tokio::test]
async fn a_push_to_the_base_asks_again_only_where_the_merge_base_moved() {
    world(|w| async move {
        let still = w.propose("Still", bad());
        let moved = w.propose("Moved", good());
        w.settle().await;
        w.push_branch("main", Changes::new().write("docs/notes.md", "Other notes.\n"));
        w.settle().await;
        w.check(still).assert_blocked("1 violation introduced: 1 high");
        w.check(moved).assert_passed("No violation introduced");

        // What the branch brought is in main now: from the new merge base nothing is introduced any more.
        w.stand_in.github(|github| {
            let head = github.pull(still).unwrap().head;
            github.set_branch(w.repository, "main", head, "dana").unwrap();
        });
        w.settle().await;
        let newest = w.newest_check(still);
        assert_eq!(newest.conclusion, Conclusion::Success, "{newest:#?}");
        assert_eq!(w.checks(moved).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_check_asked_for_again_is_answered_by_a_new_one() {
    world(|w| async move {
        let pull = w.propose("Again", bad());
        w.settle().await;
        let first = w.check(pull).run;
        w.stand_in.github(|github| github.rerequest(first.id, "dana").unwrap());
        w.settle().await;
        assert_eq!(w.checks(pull).len(), 2);
        let second = w.newest_check(pull);
        second.assert_blocked("1 violation introduced: 1 high");
        assert_ne!(second.run.external_id, first.external_id);

        w.stand_in.github(|github| github.rerequest_suite(first.suite, "dana").unwrap());
        w.settle().await;
        assert_eq!(w.checks(pull).len(), 3);
        w.newest_check(pull).assert_blocked("1 violation introduced: 1 high");
    })
    .await;
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

#[tokio::test]
async fn the_accounts_we_may_act_for_are_known() {
    world(|w| async move {
        let state = async || {
            let known = w.app.store.installations().await.unwrap();
            known.into_iter().map(|found| (found.account, found.state)).collect::<Vec<_>>()
        };
        assert_eq!(state().await, [("acme".to_owned(), InstallationState::Active)]);
        w.stand_in.github(|github| github.set_suspended(w.installation, true).unwrap());
        w.settle().await;
        assert_eq!(state().await[0].1, InstallationState::Suspended);
        w.stand_in.github(|github| {
            github.set_suspended(w.installation, false).unwrap();
            github.set_permissions(w.installation, Permissions::gate()).unwrap();
            github.select_repositories(w.installation, [w.repository].into()).unwrap();
        });
        w.settle().await;
        assert_eq!(state().await[0].1, InstallationState::Active);
        w.review("Selected", bad()).await.assert_blocked("1 violation introduced: 1 high");
        w.stand_in.github(|github| github.uninstall(w.installation).unwrap());
        w.settle().await;
        assert_eq!(state().await[0].1, InstallationState::Removed);
    })
    .await;
}

#[tokio::test]
async fn a_new_installation_takes_over_where_the_old_one_ended() {
    world(|w| async move {
        w.stand_in.github(|github| github.uninstall(w.installation).unwrap());
        w.settle().await;
        w.stand_in.github(|github| github.install(w.stand_in.app, "acme", Selection::All).unwrap());
        w.settle().await;
        w.review("Back", good()).await.assert_passed("No violation introduced");
    })
    .await;
}

#[tokio::test]
async fn without_the_permission_nothing_is_said_and_nothing_spins() {
    world(|w| async move {
        let mut without = Permissions::gate();
        without.0.insert("checks".to_owned(), Access::Read);
        w.stand_in.github(|github| github.set_permissions(w.installation, without).unwrap());
        w.settle().await;
        let asked = w.asked().len();
        let pull = w.propose("Unheard", bad());
        w.settle().await;
        assert_eq!(w.checks(pull), []);
        assert!(!w.gate(pull).state.allows_merge(), "a check that is missing blocks");
        assert!(w.asked().len() - asked < 60, "{:#?}", w.asked());
    })
    .await;
}

#[tokio::test]
async fn events_nobody_asked_for_are_taken_and_lead_nowhere() {
    world(|w| async move {
        let asked = w.asked().len();
        let repository = json!({ "id": 1, "full_name": "acme/shop" });
        let installation = json!({ "id": w.installation.0 });
        let deliveries = [
            ("ping", json!({ "zen": "Half measures are as bad as nothing at all." })),
            ("star", json!({ "action": "created", "repository": repository, "installation": installation })),
            ("pull_request", json!({ "action": "labeled", "repository": repository, "installation": installation })),
            ("pull_request", json!({ "action": "from the future", "installation": installation })),
            ("check_run", json!({ "action": "completed", "installation": installation })),
            ("push", json!({ "ref": "refs/tags/v1", "repository": repository, "installation": installation })),
            ("installation", json!({ "action": "danced", "installation": installation })),
            ("merge_group", json!({ "action": "hummed", "installation": installation })),
        ];
        for (number, (event, body)) in deliveries.iter().enumerate() {
            let guid = format!("00000000-0000-4000-8000-00000000000{number}");
            assert_eq!(w.deliver(event, &guid, body).await, 202, "{event}");
            w.settle().await;
            let jobs = w.jobs_of(&guid).await;
            assert_eq!(jobs.len(), 1, "{event}: {jobs:?}");
            assert_eq!(jobs[0].state, JobState::Done, "{event}: {jobs:?}");
        }
        assert_eq!(w.asked().len(), asked);
    })
    .await;
}

#[tokio::test]
async fn a_delivery_nobody_can_read_is_given_up_and_troubles_nobody_else() {
    world(|w| async move {
        let guid = "00000000-0000-4000-8000-0000000000ff";
        let body = json!({ "action": "opened", "installation": { "id": w.installation.0 }, "pull_request": "none" });
        assert_eq!(w.deliver("pull_request", guid, &body).await, 202);
        w.settle().await;
        let jobs = w.jobs_of(guid).await;
        assert_eq!(jobs[0].state, JobState::Dead);
        assert!(jobs[0].last_error.as_deref().unwrap().contains("pull_request"), "{jobs:?}");
        w.review("After it", good()).await.assert_passed("No violation introduced");
    })
    .await;
}

#[tokio::test]
async fn deliveries_twice_late_and_in_any_order_come_to_the_same() {
    for seed in 0..3 {
        world(|w| async move {
            w.stand_in.github(|github| {
                github.hold_deliveries();
                github.duplicate_deliveries(1);
            });
            let pull = w.propose("Shuffled", bad());
            w.push(pull, Changes::new().write("k8s/web.yaml", escalating("web")));
            w.push(pull, Changes::new().write("k8s/web.yaml", unlimited("web")));
            let other = w.propose("Other", bad());
            w.stand_in.github(|github| github.release_deliveries(DeliveryOrder::Shuffled { seed }));
            w.settle().await;
            w.check(pull).assert_passed("2 violations introduced: 2 low");
            w.check(other).assert_blocked("1 violation introduced: 1 high");
            assert_eq!(w.all_checks().len(), 2);
        })
        .await;
    }
}

#[tokio::test]
async fn a_host_that_lags_behind_its_webhook_is_waited_for() {
    world(|w| async move {
        let pull = w.propose("Lagging", bad());
        w.settle().await;
        let first = w.head(pull);
        w.stand_in.github(|github| github.lag_next_change(4));
        w.push(pull, good());
        w.settle().await;
        w.check(pull).assert_passed("No violation introduced");
        assert_eq!(w.checks_of(first).len(), 1);
    })
    .await;
}
