//! Suppressions in files: what a pull request silences is shown to whoever approves it, or refused.

use portcullis::github_stand_in::actions::Changes;
use serde_json::json;

use super::manifests::privileged;
use super::markdown::assert_harmless;
use super::world::{Shape, base, world, world_of, world_with_sources};

/// A privileged workload whose author says why.
fn silenced(name: &str, written: &str) -> String {
    privileged(name).replace("privileged: true", &format!("privileged: true # {written}"))
}

const WRITTEN: &str =
    "portcullis:ignore k8s-no-privileged-containers until=2999-12-31 <b>@acme</b> [the](http://x.org) driver";

#[tokio::test]
async fn what_a_pull_request_silences_does_not_block_and_is_shown() {
    world(|w| async move {
        let check = w.review("Driver", Changes::new().write("k8s/driver.yaml", silenced("driver", WRITTEN))).await;
        check.assert_passed("No violation introduced, 1 suppressed");
        check.assert_says(&[
            "| suppressed | 1 | 0 | |",
            "This pull request brings a suppression",
            "### Suppressed by this pull request",
            "`k8s-no-privileged-containers` at `k8s/driver.yaml:26`",
            "driver \\(until 2999\\-12\\-31\\)",
        ]);
        assert_harmless(&check.run);
        assert_eq!(check.remarks(), ["k8s/driver.yaml:26 Suppressed: Containers do not run privileged"]);
    })
    .await;
}

#[tokio::test]
async fn what_the_base_silences_is_folded_and_what_is_bared_blocks() {
    let content = base().write("k8s/driver.yaml", silenced("driver", WRITTEN));
    world_of(Shape { content, ..Shape::default() }, |w| async move {
        let moved = format!("# Moved.\n{}", silenced("driver", WRITTEN));
        let check = w.review("Move", Changes::new().write("k8s/driver.yaml", moved)).await;
        check.assert_passed("No violation introduced");
        check.assert_says(&["| suppressed | 0 | 1 | |", "<details><summary>1 answer suppressed from before</summary>"]);
        assert_eq!(check.remarks(), [""; 0]);
        let check = w.review("Bare", Changes::new().write("k8s/driver.yaml", privileged("driver"))).await;
        check.assert_blocked("1 violation introduced: 1 high");
    })
    .await;
}

#[tokio::test]
async fn a_source_may_take_the_suppressions_of_the_base_alone() {
    let sources = json!([{ "name": "a", "repository": "acme/*", "suppressions": "base" }]);
    world_with_sources(sources, |w| async move {
        let check = w.review("Driver", Changes::new().write("k8s/driver.yaml", silenced("driver", WRITTEN))).await;
        check.assert_blocked("1 violation introduced: 1 high");
        check.assert_says(&["*Not suppressed:* the suppression in line 26 comes with this pull request"]);
    })
    .await;
}

#[tokio::test]
async fn one_that_expired_or_is_misspelt_says_so_where_its_violation_is() {
    world(|w| async move {
        let expired = "portcullis:ignore k8s-no-privileged-containers until=2020-01-31 soon";
        let check = w.review("Late", Changes::new().write("k8s/a.yaml", silenced("a", expired))).await;
        check.assert_blocked("1 violation introduced: 1 high");
        check.assert_says(&["*Not suppressed:* the suppression in line 26 expired on 2020\\-01\\-31"]);
        let misspelt = "portcullis:ignore k8s-no-privileged-container driver";
        let check = w.review("Typo", Changes::new().write("k8s/b.yaml", silenced("b", misspelt))).await;
        check.assert_blocked("1 violation introduced: 1 high");
        check.assert_says(&["### Suppressions without effect", "`k8s/b.yaml:26`", "did you mean"]);
    })
    .await;
}
