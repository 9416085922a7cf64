//! What the gate answers: one test for each row of the table in the architecture.

use std::time::Duration;

use portcullis::evaluator::Limits;
use portcullis::github_stand_in::actions::{Changes, Proposal};
use portcullis::github_stand_in::faults::Fault;
use portcullis::github_stand_in::state::Conclusion;
use serde_json::json;

use super::manifests::{deployment, escalating, image, privileged, uncovered, unlimited};
use super::world::{Shape, base, world, world_of, world_with_sources};

/// A manifest whose third line is no YAML.
const BROKEN: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: a\nspec: [\n";

#[tokio::test]
async fn no_source_matches_so_there_is_no_check() {
    world(|w| async move {
        w.push_branch("experiment", Changes::new());
        let mut proposal = Proposal::new("dana", "Try it", Changes::new().write("k8s/a.yaml", privileged("a")));
        proposal.pull.base = Some("experiment".to_owned());
        let pull = w.propose_as(proposal);
        w.settle().await;
        assert_eq!(w.checks(pull), []);
        assert!(w.gate(pull).state.allows_merge());
    })
    .await;
}

#[tokio::test]
async fn no_infrastructure_as_code_is_touched() {
    let sources = json!([{ "name": "clusters", "repository": "acme/shop", "folders": ["k8s"], "branches": "main" }]);
    world_with_sources(sources, |w| async move {
        let changes = Changes::new().write("docs/notes.md", "Of note.\n").write("elsewhere/a.yaml", privileged("a"));
        let check = w.review("Notes", changes).await;
        check.assert_passed("Nothing to check: no infrastructure-as-code is touched");
        check.assert_says(&["touches no infrastructure\u{2d}as\u{2d}code in the folders under watch"]);
        assert_eq!(check.remarks(), [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn nothing_introduced_blocks() {
    world(|w| async move {
        let check = w.review("Another workload", Changes::new().write("k8s/api.yaml", deployment("api"))).await;
        check.assert_passed("No violation introduced");
        check.assert_says(&["**Passed.** This pull request introduces no violation that is **medium** or worse."]);
        assert_eq!(check.text, "");
    })
    .await;
}

#[tokio::test]
async fn lower_and_existing_ones_are_listed_and_do_not_block() {
    let content = base().write("k8s/old.yaml", privileged("old"));
    world_of(Shape { content, ..Shape::default() }, |w| async move {
        let changes = Changes::new()
            .write("k8s/new.yaml", unlimited("new"))
            .write("k8s/old.yaml", format!("# Older than the gate.\n{}", privileged("old")));
        let check = w.review("Both", changes).await;
        check.assert_passed("2 violations introduced: 2 low");
        check.assert_says(&[
            "| high | 0 | 1 | 0 |",
            "| low | 2 | 0 | 0 |",
            "low, does not block",
            "<details><summary>1 violation from before</summary>",
            "`k8s/old.yaml:27`",
        ]);
        assert!(check.remarks().iter().all(|remark| remark.starts_with("k8s/new.yaml:")), "{:?}", check.remarks());
    })
    .await;
}

#[tokio::test]
async fn an_introduced_violation_blocks() {
    world(|w| async move {
        let check = w.review("Privileged", Changes::new().write("k8s/web.yaml", privileged("web"))).await;
        check.assert_blocked("1 violation introduced: 1 high");
        check.assert_says(&[
            "**Blocked.** This pull request introduces 1 violation (**medium** or worse).",
            "### `k8s/web.yaml`",
            "**Containers do not run privileged**",
            "`k8s-no-privileged-containers`",
            "container app runs privileged",
            "*Fix* Remove privileged",
        ]);
        assert_eq!(check.remarks(), ["k8s/web.yaml:26 Containers do not run privileged"]);
    })
    .await;
}

#[tokio::test]
async fn what_blocks_is_the_sources_choice() {
    let source = |name: &str, branches: &str, severity: &str| json!({ "name": name, "repository": "acme/*", "branches": branches, "blocking_severity": severity });
    let sources = json!([source("lenient", "main", "critical"), source("strict", "main", "low")]);
    world_with_sources(sources, |w| async move {
        let check = w.review("Escalating", Changes::new().write("k8s/web.yaml", escalating("web"))).await;
        check.assert_blocked("1 violation introduced: 1 medium");
        check.assert_says(&["| lenient | pass | critical | 0 |", "| strict | fail | low | 1 |"]);
    })
    .await;
    world_with_sources(json!([source("lenient", "main", "high")]), |w| async move {
        let check = w.review("Escalating", Changes::new().write("k8s/web.yaml", escalating("web"))).await;
        check.assert_passed("1 violation introduced: 1 medium");
    })
    .await;
}

#[tokio::test]
async fn a_touched_file_that_cannot_be_read_blocks_with_its_place() {
    world(|w| async move {
        let check = w.review("Broken", Changes::new().write("k8s/service.yaml", BROKEN)).await;
        check.assert_blocked("1 place cannot be read");
        check.assert_says(&["leaves 1 unreadable place", "### Cannot be read", "**blocks** `k8s/service.yaml:"]);
        assert_eq!(check.run.annotations.len(), 1);
        assert_eq!(check.run.annotations[0].path, "k8s/service.yaml");
    })
    .await;
}

#[tokio::test]
async fn a_source_may_only_report_what_cannot_be_read() {
    let sources = json!([{ "name": "a", "repository": "acme/*", "on_unreadable": "report" }]);
    world_with_sources(sources, |w| async move {
        let check = w.review("Broken", Changes::new().write("k8s/service.yaml", BROKEN)).await;
        check.assert_passed("No violation introduced");
        check.assert_says(&["| unreadable | 1 | 0 | |", "### Cannot be read", "- `k8s/service.yaml:"]);
    })
    .await;
}

#[tokio::test]
async fn undecided_is_listed_in_a_row_of_its_own() {
    let dockerfile = "ARG who\nFROM debian:12.5\nARG who\nHEALTHCHECK CMD true\nUSER $who\n";
    world(|w| async move {
        let check = w.review("Who", Changes::new().write("Dockerfile", dockerfile)).await;
        check.assert_passed("No violation introduced");
        check.assert_says(&["| undecided | 1 | 0 | |", "1 policy undecided", "`docker-no-root-user`"]);
    })
    .await;
    let sources = json!([{ "name": "a", "repository": "acme/*", "on_undecided": "block" }]);
    world_with_sources(sources, |w| async move {
        let check = w.review("Who", Changes::new().write("Dockerfile", dockerfile)).await;
        check.assert_blocked("1 policy undecided");
        check.assert_says(&["leaves 1 undecided answer", "**blocks** `docker-no-root-user`"]);
    })
    .await;
}

#[tokio::test]
async fn what_no_policy_speaks_of_passes_and_is_named() {
    world(|w| async move {
        let check = w.review("Settings", Changes::new().write("settings/colors.yaml", uncovered("colors"))).await;
        check.assert_passed("No violation introduced");
        check.assert_says(&["No policy speaks of 1 resource: ", "Palette"]);
    })
    .await;
}

#[tokio::test]
async fn an_outage_is_a_failure_in_words_until_the_host_is_back() {
    world(|w| async move {
        let pull = w.propose("Unlucky", Changes::new().write("k8s/web.yaml", privileged("web")));
        // Ten tries of three requests each, then the words are said, and it is tried on.
        w.faults("GET", "/repos/*/*/git/trees/*", Fault::BadGateway, 60);
        w.settle().await;
        let checks = w.checks(pull);
        assert_eq!(checks.len(), 2, "{checks:#?}");
        let words =
            checks.iter().find(|check| check.output.title.as_deref() == Some("Could not be evaluated")).unwrap();
        assert_eq!(words.conclusion, Some(Conclusion::Failure));
        let summary = words.output.summary.as_deref().unwrap();
        assert!(summary.contains("**Not evaluated.**") && summary.contains("502"), "{summary}");
        w.newest_check(pull).assert_blocked("1 violation introduced: 1 high");
    })
    .await;
}

#[tokio::test]
async fn an_evaluation_that_takes_too_long_is_a_failure_in_words() {
    let evaluation = Limits { time: Duration::ZERO, ..Limits::default() };
    world_of(Shape { evaluation, ..Shape::default() }, |w| async move {
        let check = w.review("Slow", Changes::new().write("k8s/web.yaml", deployment("web2"))).await;
        check.assert_blocked("Could not be evaluated");
        check.assert_says(&["took longer than 0 s", "Re\\-run"]);
    })
    .await;
}

#[tokio::test]
async fn an_evaluation_that_takes_too_much_memory_is_a_failure_in_words() {
    let evaluation = Limits { memory_bytes: 4 * 1024 * 1024, ..Limits::default() };
    world_of(Shape { evaluation, ..Shape::default() }, |w| async move {
        let check = w.review("Big", Changes::new().write("k8s/web.yaml", deployment("web2"))).await;
        check.assert_blocked("Could not be evaluated");
        check.assert_says(&["ended early", "more memory or time than the limits allow"]);
    })
    .await;
}

#[tokio::test]
async fn input_larger_than_the_limits_is_a_failure_in_words() {
    world(|w| async move {
        let mut changes = Changes::new();
        for number in 0..3 {
            changes = changes.write(&format!("many/{number}/Dockerfile"), image("app"));
        }
        // The host lists nothing whole, not even one folder.
        w.stand_in.github(|github| github.limits_mut().tree_entries = 1);
        let check = w.review("Many", changes).await;
        check.assert_blocked("Could not be evaluated");
        assert_eq!(check.conclusion, Conclusion::Failure);
        check.assert_says(&["lists only 1 entries of the folder"]);
    })
    .await;
}
