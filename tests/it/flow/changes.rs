//! Only what a pull request introduces blocks: its head against its merge base, whatever was moved, added or deleted.

use portcullis::github_stand_in::actions::{Changes, Proposal};
use portcullis::github_stand_in::git::Mode;
use portcullis::github_stand_in::state::Conclusion;

use super::manifests::{deployment, image, privileged};
use super::world::{Shape, base, world, world_of};

fn with_an_old_violation() -> Shape {
    Shape { content: base().write("k8s/old.yaml", privileged("old")), ..Shape::default() }
}

#[tokio::test]
async fn a_renamed_file_introduces_nothing() {
    world_of(with_an_old_violation(), |w| async move {
        let changes = Changes::new().delete("k8s/old.yaml").write("k8s/jobs/old.yaml", privileged("old"));
        let check = w.review("Move", changes).await;
        check.assert_passed("No violation introduced");
        check.assert_says(&["| high | 0 | 1 | 0 |"]);
    })
    .await;
}

#[tokio::test]
async fn a_renamed_resource_with_the_same_fault_introduces_nothing_but_a_second_one_does() {
    world_of(with_an_old_violation(), |w| async move {
        let check = w.review("Rename", Changes::new().write("k8s/old.yaml", privileged("older"))).await;
        check.assert_passed("No violation introduced");
        let two = format!("{}---\n{}", privileged("old"), privileged("twin"));
        let check = w.review("Double", Changes::new().write("k8s/old.yaml", two)).await;
        check.assert_blocked("1 violation introduced: 1 high");
        check.assert_says(&["| high | 1 | 1 | 0 |"]);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_file_fixes_its_violations() {
    world_of(with_an_old_violation(), |w| async move {
        let check = w.review("Delete", Changes::new().delete("k8s/old.yaml")).await;
        check.assert_passed("No violation introduced, 1 fixed");
        check.assert_says(&[
            "| high | 0 | 0 | 1 |",
            "<details><summary>1 violation fixed by this pull request</summary>",
        ]);
    })
    .await;
}

#[tokio::test]
async fn an_added_folder_is_read_whole_and_what_lies_elsewhere_is_not() {
    world_of(with_an_old_violation(), |w| async move {
        let changes = Changes::new()
            .write("services/pay/deploy/web.yaml", deployment("pay"))
            .write("services/pay/deploy/worker.yaml", privileged("worker"))
            .write("services/pay/Dockerfile", image("root"));
        let check = w.review("A service", changes).await;
        check.assert_blocked("2 violations introduced: 2 high");
        check.assert_says(&["| high | 2 | 0 | 0 |", "`services/pay/deploy/worker.yaml`", "`services/pay/Dockerfile`"]);
        assert!(!check.text.contains("k8s/old.yaml"));
    })
    .await;
}

#[tokio::test]
async fn what_the_base_branch_did_meanwhile_is_nobodys_fault() {
    world(|w| async move {
        let pull = w
            .propose("Notes on the web", Changes::new().write("k8s/web.yaml", format!("# Web\n{}", deployment("web"))));
        w.settle().await;
        w.push_branch("main", Changes::new().write("k8s/bad.yaml", privileged("bad")));
        w.settle().await;
        w.push(pull, Changes::new().write("k8s/web.yaml", format!("# The web\n{}", deployment("web"))));
        w.settle().await;
        w.check(pull).assert_passed("No violation introduced");
    })
    .await;
}

#[tokio::test]
async fn a_fork_is_reviewed_like_any_other() {
    world(|w| async move {
        let fork = w.stand_in.github(|github| github.fork(w.repository, "erin").unwrap());
        let mut proposal = Proposal::new("erin", "From afar", Changes::new().write("k8s/web.yaml", privileged("web")));
        proposal.pull.fork = Some(fork);
        let pull = w.propose_as(proposal);
        w.settle().await;
        w.check(pull).assert_blocked("1 violation introduced: 1 high");

        let run = w.check(pull).run.id;
        w.stand_in.github(|github| github.rerequest(run, "erin").unwrap());
        w.settle().await;
        assert_eq!(w.checks(pull).len(), 2, "asked for again, a fork's is found too");
    })
    .await;
}

/// Terraform and kubectl follow a link in the repository: what hides behind one is not waved through.
#[tokio::test]
async fn a_link_in_the_place_of_code_is_a_hole_and_says_so() {
    world(|w| async move {
        let changes = Changes::new()
            .write("templates/web.txt", privileged("web"))
            .put("k8s/web.yaml", Mode::Link, "../templates/web.txt")
            .put("Dockerfile", Mode::Link, "templates/web.txt")
            .put("terraform/main.tf", Mode::Link, "../templates/web.txt");
        let check = w.review("Link", changes).await;
        check.assert_blocked("3 places cannot be read");
        check.assert_says(&["`k8s/web.yaml`", "`Dockerfile`", "`terraform/main.tf`", "is a symbolic link"]);
    })
    .await;
}

#[tokio::test]
async fn a_link_to_anything_else_and_a_submodule_are_no_code() {
    world(|w| async move {
        let changes = Changes::new()
            .put("docs/latest.md", Mode::Link, "notes.md")
            .put("vendor/charts", Mode::Submodule, "0123456789012345678901234567890123456789")
            .put("run.sh", Mode::Executable, "#!/bin/sh\n");
        let check = w.review("No code", changes).await;
        check.assert_passed("Nothing to check: no infrastructure-as-code is touched");
        let changes = Changes::new().write("k8s/web.yaml", format!("# Web\n{}", deployment("web")));
        w.review("Beside it", changes).await.assert_passed("No violation introduced");
    })
    .await;
}

#[tokio::test]
async fn one_file_too_many_for_annotations_shows_all_in_the_table() {
    world(|w| async move {
        let changes = (0..120).fold(Changes::new(), |changes, number| {
            changes.write(&format!("k8s/many-{number}.yaml"), privileged(&format!("many-{number}")))
        });
        let check = w.review("Many", changes).await;
        assert_eq!(check.conclusion, Conclusion::Failure);
        check.assert_blocked("120 violations introduced: 120 high");
        assert_eq!(check.run.annotations.len(), 120, "in batches of fifty");
        check.assert_says(&["| high | 120 | 0 | 0 |"]);
    })
    .await;
}
