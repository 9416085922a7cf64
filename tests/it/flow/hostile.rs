//! What strangers may propose: it is a problem in the check, at its place, and neither stalls nor breaks out of anything.

use std::time::{Duration, Instant};

use portcullis::evaluator::Limits;
use portcullis::github_stand_in::actions::{Changes, Proposal};
use portcullis::github_stand_in::state::Conclusion;

use super::manifests::{deployment, privileged};
use super::markdown::assert_harmless;
use super::world::{Shape, World, world, world_of};

/// Text that would like to be more than text.
const SPELL: &str = "</details><img src=x onerror=alert(1)> [a](http://evil.example) @acme/team #12 **b** `c` ```d www.evil.example $m$ ~~s~~";

/// The file is a problem, and only the file: what lies beside it is checked all the same.
async fn is_a_problem(w: &World, title: &str, path: &str, content: Vec<u8>, words: &str) {
    let changes = Changes::new().write(path, content).write("k8s/beside.yaml", privileged("beside"));
    let began = Instant::now();
    let check = w.review(title, changes).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{title}: {:?}", began.elapsed());
    assert_eq!(check.conclusion, Conclusion::Failure, "{title}: {check:#?}");
    check.assert_says(&["### Cannot be read", path, words, "1 violation (**medium** or worse)"]);
    assert!(check.title.contains("cannot be read"), "{title}: {}", check.title);
    assert!(check.remarks().iter().any(|remark| remark.starts_with(&format!("{path}:"))), "{title}");
    assert_harmless(&check.run);
}

#[tokio::test]
async fn yaml_that_is_deep_broad_huge_or_broken() {
    let deep = format!("apiVersion: v1\nkind: Pod\nspec: {}{}\n", "[".repeat(200_000), "]".repeat(200_000));
    let levels: String = (1..40).map(|n| format!("a{n}: &a{n} [{}]\n", format!("*a{},", n - 1).repeat(10))).collect();
    let bomb = format!("apiVersion: v1\nkind: Pod\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n{levels}");
    let huge = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {}}}\n", "x".repeat(10 << 20));
    let mut binary = b"apiVersion: v1\nkind: Pod\nmetadata: {name: ".to_vec();
    binary.extend([0xff, 0xfe, 0xc3, 0x28, b'}', b'\n']);
    world(|w| async move {
        is_a_problem(&w, "Deep", "k8s/deep.yaml", deep.into_bytes(), "deep").await;
        is_a_problem(&w, "Bomb", "k8s/bomb.yaml", bomb.into_bytes(), "unfolds to more than 1000000 values").await;
        is_a_problem(&w, "Huge", "k8s/huge.yaml", huge.into_bytes(), "more than the limit of 4194304").await;
        is_a_problem(&w, "Binary", "k8s/binary.yaml", binary, "UTF").await;
    })
    .await;
}

#[tokio::test]
async fn other_formats_that_are_deep_huge_or_broken() {
    let brackets =
        |open: &str, close: &str| format!("locals {{\n  a = {}1{}\n}}\n", open.repeat(4_000), close.repeat(4_000));
    let blocks = format!("{}{}", "a {\n".repeat(4_000), "}\n".repeat(4_000));
    let stages = "FROM scratch\nRUN ".to_owned() + &"$(".repeat(20_000);
    world(|w| async move {
        is_a_problem(&w, "Lists", "tf/lists.tf", brackets("[", "]").into_bytes(), "tf/lists").await;
        is_a_problem(&w, "Parentheses", "tf/more.tf", brackets("(", ")").into_bytes(), "tf/more").await;
        is_a_problem(&w, "Blocks", "tf/blocks.tf", blocks.into_bytes(), "tf/blocks").await;
        is_a_problem(&w, "Large", "tf/large.tf", vec![b'#'; 10 << 20], "more than the limit").await;
        is_a_problem(&w, "Not text", "Dockerfile", vec![0xff; 100], "UTF").await;
        let check = w.review("Shell", Changes::new().write("Dockerfile", stages)).await;
        assert_harmless(&check.run);
        assert_eq!(check.conclusion, Conclusion::Failure);
    })
    .await;
}

#[tokio::test]
async fn names_that_would_like_to_be_more_than_names() {
    let mut names = [
        "k8s/</details><script>alert(1)</script>.yaml",
        "k8s/[a](http:evil.example) @acme #1.yaml",
        "k8s/`````.yaml",
        "k8s/| a | b |.yaml",
        "k8s/\u{202e}lmay.txt.yaml",
        "k8s/<!-- -->&lt;&#64;.yaml",
        "k8s/...yaml",
        "k8s/ .yaml",
        "k8s/%2e%2e%2fetc.yaml",
        "k8s/-rf ~ $(reboot).yaml",
        "k8s/日本語🎉.yaml",
    ];
    world(|w| async move {
        let files = names.iter().enumerate();
        let changes = files
            .fold(Changes::new(), |changes, (number, name)| changes.write(name, privileged(&format!("n-{number}"))));
        let check = w.review("Names", changes).await;
        check.assert_blocked(&format!("{0} violations introduced: {0} high", names.len()));
        assert_harmless(&check.run);
        let mut shown: Vec<&str> = check.run.annotations.iter().map(|annotation| annotation.path.as_str()).collect();
        shown.sort_unstable();
        names.sort_unstable();
        assert_eq!(shown, names);
    })
    .await;
}

#[tokio::test]
async fn names_git_would_not_make_are_no_way_out() {
    world(|w| async move {
        for (name, content) in
            [("..", privileged("up")), ("\u{1b}[2J.yaml", privileged("terminal")), ("a\nb.yaml", privileged("line"))]
        {
            let pull =
                w.propose(&format!("Raw {}", name.len()), Changes::new().write("k8s/web.yaml", deployment("web-3")));
            let head = w.stand_in.github(|github| github.push_entry(pull, name, content).unwrap());
            w.settle().await;
            let runs = w.checks_of(head);
            assert_eq!(runs.len(), 1, "{name:?}: {runs:#?}");
            assert_eq!(runs[0].conclusion, Some(Conclusion::Failure), "{name:?}: {runs:#?}");
            assert_harmless(&runs[0]);
        }
    })
    .await;
}

#[tokio::test]
async fn words_in_files_and_titles_that_would_like_to_be_markup() {
    let quoted = serde_json::to_string(SPELL).unwrap();
    let manifest = privileged("spell")
        .replace("name: spell", &format!("name: {quoted}"))
        .replace("name: app", &format!("name: {quoted}"));
    let broken = format!("{}\n{SPELL}: [\n: {SPELL}\n", "apiVersion: v1\nkind: Pod");
    let terraform = format!(
        "resource \"aws_ebs_volume\" {quoted} {{\n  encrypted = var.{}\n}}\nresource {quoted} \"a\" {{\n}}\n",
        "x".repeat(10_000)
    );
    let dockerfile = format!("FROM scratch AS {}\nUSER root\nLABEL a={quoted}\n{SPELL}\n", "`".repeat(40));
    world(|w| async move {
        let changes = Changes::new()
            .write("k8s/spell.yaml", manifest)
            .write("k8s/broken.yaml", broken)
            .write("tf/main.tf", terraform)
            .write("Dockerfile", dockerfile);
        let check = w.review(SPELL, changes).await;
        assert_eq!(check.conclusion, Conclusion::Failure);
        assert!(check.text.contains("evil"), "the names are shown: {}", check.text);
        assert_harmless(&check.run);
    })
    .await;
}

#[tokio::test]
async fn more_than_a_check_can_show_is_cut_and_counted() {
    let pod = |number: usize| {
        let manifest = privileged(&format!("ü{number}-{}", "🎉".repeat(60)));
        format!("---\n{}", manifest.split("---").next().unwrap_or_default())
    };
    let pods: String = (0..300).map(pod).collect();
    world(|w| async move {
        let check = w.review("Much", Changes::new().write("k8s/much.yaml", pods)).await;
        assert_eq!(check.conclusion, Conclusion::Failure);
        assert!(check.title.contains(": 300 high"), "{}", check.title);
        check.assert_says(&["| high | 300 | 0 | 0 |", "not shown here for want of space", "without an annotation"]);
        assert!(check.summary.len() <= 65_535 && check.text.len() <= 65_535);
        assert_eq!(check.run.annotations.len(), 250);
        assert_harmless(&check.run);
    })
    .await;
}

#[tokio::test]
async fn an_evaluation_that_is_killed_shows_as_a_problem_and_the_check_ends() {
    let pods: String = (0..1500).map(|number| format!("---\n{}", privileged(&format!("p{number}")))).collect();
    for (limits, words) in [
        (Limits { memory_bytes: 16 << 20, ..Limits::default() }, "ended early"),
        (Limits { time: Duration::from_millis(60), ..Limits::default() }, "took longer than"),
    ] {
        let pods = pods.clone();
        world_of(Shape { evaluation: limits, ..Shape::default() }, |w| async move {
            let check = w.review("Much", Changes::new().write("k8s/much.yaml", pods)).await;
            check.assert_blocked("Could not be evaluated");
            check.assert_says(&["**Not evaluated.**", words]);
        })
        .await;
    }
}

#[tokio::test]
async fn a_title_of_any_kind_travels_no_further() {
    world(|w| async move {
        let mut proposal = Proposal::new("dana", SPELL, Changes::new().write("k8s/web.yaml", deployment("web-4")));
        proposal.pull.body = Some(SPELL.repeat(200));
        let pull = w.propose_as(proposal);
        w.settle().await;
        let check = w.check(pull);
        check.assert_passed("No violation introduced");
        assert!(!check.summary.contains("evil") && !check.text.contains("evil"));
    })
    .await;
}
