//! Whatever the host or the network does, each head gets exactly one check run, and it is right.

use std::time::Duration;

use futures_util::future::join_all;
use portcullis::github_stand_in::actions::Changes;
use portcullis::github_stand_in::faults::Fault;
use portcullis::github_stand_in::state::{DeliveryOrder, Layout};

use super::manifests::privileged;
use super::world::{Seen, Shape, World, base, world, world_of};

const RUNS: &str = "/repos/*/*/check-runs";
const RUN: &str = "/repos/*/*/check-runs/*";
const LIST: &str = "/repos/*/*/commits/*/check-runs";
const TREES: &str = "/repos/*/*/git/trees/*";
const TOKENS: &str = "/app/installations/*/access_tokens";

/// More annotations than one request carries: one request makes the run, another completes it.
fn many() -> Changes {
    (0..60).fold(Changes::new(), |changes, number| {
        changes.write(&format!("k8s/many-{number}.yaml"), privileged(&format!("many-{number}")))
    })
}

/// A pull request of its own content, so that nothing of it was fetched before.
async fn sees_it_through(w: &World, name: &str) -> Seen {
    let number = w.stand_in.github(|github| github.repository(w.repository).unwrap().pulls.len());
    let changes = Changes::new().write("k8s/web.yaml", privileged(&format!("web-{number}")));
    let check = w.review(name, changes).await;
    check.assert_blocked("1 violation introduced: 1 high");
    assert_eq!(check.remarks(), ["k8s/web.yaml:26 Containers do not run privileged"]);
    assert_eq!(w.stand_in.faults_left(), 0, "{name}");
    check
}

#[tokio::test]
async fn any_fault_at_any_request() {
    let faults = [Fault::BadGateway, Fault::LostAnswer, Fault::Dropped, Fault::Truncated, Fault::Unauthorized];
    let places = [
        ("GET", "/repos/*/*/pulls/*"),
        ("GET", "/repos/*/*/compare/*"),
        ("GET", TREES),
        ("POST", "/graphql"),
        ("GET", LIST),
        ("POST", RUNS),
    ];
    for (method, path) in places {
        world(|w| async move {
            for fault in faults {
                w.fault(method, path, fault);
                if path == LIST {
                    // It is only asked for when nobody knows whether there is a run.
                    w.fault("POST", RUNS, Fault::LostAnswer);
                }
                sees_it_through(&w, &format!("{fault:?} at {method} {path}")).await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_lost_answer_amid_the_batches_of_annotations() {
    for (method, path) in [("POST", RUNS), ("PATCH", RUN)] {
        for fault in [Fault::LostAnswer, Fault::BadGateway, Fault::Dropped] {
            world(|w| async move {
                w.fault(method, path, fault);
                let check = w.review("Many", many()).await;
                check.assert_blocked("60 violations introduced: 60 high");
                let mut remarks = check.remarks();
                remarks.sort();
                remarks.dedup();
                assert_eq!((check.run.annotations.len(), remarks.len()), (60, 60), "{fault:?} at {method}");
            })
            .await;
        }
    }
}

#[tokio::test]
async fn a_wish_to_be_left_alone_is_obeyed_and_nothing_is_lost() {
    let wishes = [
        ("POST", RUNS, Fault::Forbidden { retry_after: Some(1) }),
        ("GET", TREES, Fault::TooManyRequests { retry_after: Some(1) }),
        ("GET", "/repos/*/*/pulls/*", Fault::RateLimited { resets_in: 0 }),
    ];
    join_all(wishes.map(|(method, path, fault)| {
        world(move |w| async move {
            w.fault(method, path, fault);
            let pull = w.propose("Patience", Changes::new().write("k8s/web.yaml", privileged("web")));
            w.run_due().await;
            let asked = w.stand_in.requests().len();
            w.wait(Duration::from_secs(1));
            w.run_due().await;
            assert_eq!(w.stand_in.requests().len(), asked, "{fault:?}: nobody asks while it wishes to be left alone");
            assert_eq!(w.checks(pull), []);
            tokio::time::sleep(Duration::from_millis(1200)).await;
            w.settle().await;
            w.check(pull).assert_blocked("1 violation introduced: 1 high");
        })
    }))
    .await;
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    world(|w| async move {
        sees_it_through(&w, "First").await;
        let minted = w.minted();
        w.fault("GET", TREES, Fault::Unauthorized);
        sees_it_through(&w, "Refused").await;
        assert_eq!(w.minted(), minted + 1);
        w.stand_in.github(|github| github.expire_tokens(w.installation));
        sees_it_through(&w, "Expired").await;
        assert_eq!(w.minted(), minted + 2);
        sees_it_through(&w, "Kept").await;
        assert_eq!(w.minted(), minted + 2);
    })
    .await;
}

#[tokio::test]
async fn faults_at_the_token_and_for_as_long_as_an_outage() {
    world(|w| async move {
        for fault in [Fault::BadGateway, Fault::LostAnswer, Fault::Unauthorized] {
            w.stand_in.github(|github| github.expire_tokens(w.installation));
            w.fault("POST", TOKENS, fault);
            sees_it_through(&w, &format!("{fault:?}")).await;
        }
        // Five tries of the job and more: the sixth finds the host again.
        w.faults("*", "/**", Fault::Unavailable, 20);
        sees_it_through(&w, "Outage").await;
    })
    .await;
}

#[tokio::test]
async fn a_tree_that_is_cut_short_is_walked() {
    let content = (0..40).fold(base(), |changes, number| changes.write(&format!("a/{number}/b.txt"), "x"));
    world_of(Shape { content, ..Shape::default() }, |w| async move {
        w.stand_in.github(|github| github.limits_mut().tree_entries = 45);
        sees_it_through(&w, "Walked").await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_had_by_graphql_is_fetched_one_by_one() {
    world(|w| async move {
        w.faults("POST", "/graphql", Fault::BadGateway, 3);
        sees_it_through(&w, "Raw").await;
        w.stand_in.github(|github| github.limits_mut().graphql_text_bytes = 100);
        sees_it_through(&w, "Cut").await;
        assert!(w.asked().iter().any(|asked| asked.starts_with("GET /repos/acme/shop/git/blobs/")));
    })
    .await;
}

#[tokio::test]
async fn a_pull_request_that_is_gone_leaves_no_job_that_spins() {
    world(|w| async move {
        w.stand_in.github(|github| github.hold_deliveries());
        w.propose("Gone", Changes::new().write("k8s/web.yaml", privileged("web")));
        w.stand_in.github(|github| github.select_repositories(w.installation, [].into()).unwrap());
        let asked = w.stand_in.requests().len();
        w.stand_in.github(|github| github.release_deliveries(DeliveryOrder::AsHappened));
        w.settle().await;
        assert_eq!(w.all_checks(), []);
        let asked = w.stand_in.requests().len() - asked;
        assert!(asked < 60, "{asked} requests about what is not there");
    })
    .await;
}

#[tokio::test]
async fn enterprise_server_is_spoken_to_in_its_own_layout() {
    let shape = || Shape { layout: Layout::EnterpriseServer, ..Shape::default() };
    world_of(shape(), |w| async move {
        w.fault("POST", RUNS, Fault::LostAnswer);
        sees_it_through(&w, "Enterprise").await;
        let asked = w.asked();
        assert!(asked.iter().all(|asked| asked.contains(" /api/")), "{asked:#?}");
    })
    .await;
}
