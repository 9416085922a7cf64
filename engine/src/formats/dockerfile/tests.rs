//! Dockerfiles as their authors write them, and as nobody should.

use std::sync::Arc;

use super::*;
use crate::formats::dump::{check_fixtures, fixtures, read_text};
use crate::resource::Value;
use crate::source_tree::SourceTree;

fn read(text: &str) -> Unit {
    read_text(&Dockerfile, "Dockerfile", text.as_bytes())
}

fn addresses(text: &str) -> Vec<String> {
    read(text).resources.iter().map(|resource| resource.address.to_string()).collect()
}

/// An attribute of the last stage.
fn last_stage(text: &str, name: &str) -> Option<Value> {
    let unit = read(text);
    unit.resources.iter().rfind(|resource| &*resource.type_name == "stage")?.attributes.get(name).cloned()
}

fn text_of(value: Option<Value>) -> Option<Arc<str>> {
    value?.scalar_text()
}

#[test]
fn every_fixture_reads_as_its_snapshot() {
    check_fixtures(&Dockerfile);
}

#[test]
fn a_touched_file_is_all_that_is_needed() {
    let path = |text: &str| TreePath::new(text).unwrap();
    let tree = SourceTree::from_files(["a/Dockerfile", "b/Dockerfile", "c.tf"].map(|name| (path(name), Vec::new())));
    let touched = BTreeSet::from([path("a/Dockerfile"), path("c.tf"), path("gone/Dockerfile")]);
    assert_eq!(Dockerfile.needs(tree.entries(), &touched, &tree), BTreeSet::from([path("a/Dockerfile")]));
    let plans = Dockerfile.units(&tree, &Scope::Touching(touched));
    assert_eq!(plans.into_iter().map(|plan| plan.name).collect::<Vec<_>>(), ["a/Dockerfile"]);
    assert_eq!(Dockerfile.units(&tree, &Scope::All).len(), 2);
}

#[test]
fn addresses_stay_when_lines_move_and_others_come_between() {
    let before = "FROM a AS b\nRUN apt-get update\nRUN make\nCOPY x /y\n";
    let after = "# c\n\nFROM a AS b\n\nENV A=1\nRUN apt-get update\nRUN apk add x\nRUN make all\nCOPY x z /y\n";
    let new = addresses(after);
    for address in addresses(before).iter().filter(|address| *address != "RUN.b.make") {
        assert!(new.contains(address), "{address} is not in {new:?}");
    }
    assert_eq!(
        addresses("FROM a\nRUN x\nRUN x\nFROM b\n"),
        ["stage.0", "FROM.0", "RUN.0.x", "RUN.0.x#2", "stage.1", "FROM.1"]
    );
    let stages: Vec<String> =
        addresses("FROM a AS x\nFROM b AS x\nFROM c AS 0").into_iter().filter(|a| a.starts_with('s')).collect();
    assert_eq!(stages, ["stage.x", "stage.1", "stage.0"]);
}

#[test]
fn a_stage_hands_on_what_it_is_set_up_with() {
    let text = "FROM a AS x\nUSER u\nENV k=v\nWORKDIR /w\nARG p=q\nFROM X\nENV l=$k$p\nWORKDIR s\n";
    assert_eq!(text_of(last_stage(text, "user")).unwrap().as_ref(), "u");
    assert_eq!(text_of(last_stage(text, "workdir")).unwrap().as_ref(), "/w/s");
    assert_eq!(text_of(last_stage(text, "parent")).unwrap().as_ref(), "X");
    assert!(last_stage(text, "base").is_none());
    assert_eq!(text_of(last_stage(text, "env").unwrap().get("l").cloned()).unwrap().as_ref(), "vq");
    assert!(last_stage("FROM a AS x\nUSER u\nFROM b\n", "user").is_none());
    // Nobody knows whether the image is the stage before.
    assert!(last_stage("ARG i\nFROM a AS x\nUSER u\nFROM $i\n", "user").unwrap().as_unknown().is_some());
}

#[test]
fn build_arguments_hold_where_the_builder_lets_them() {
    assert_eq!(text_of(last_stage("ARG v=1\nFROM a:$v\n", "base")).unwrap().as_ref(), "a:1");
    let unknown = |text: &str, name: &str| last_stage(text, name).unwrap().as_unknown().unwrap().reason.to_string();
    assert_eq!(unknown("ARG v\nFROM a:$v\n", "base"), "ARG v has no default");
    assert_eq!(unknown("ARG v=1\nFROM a\nUSER $v\n", "user"), "$v is not in these files");
    assert_eq!(text_of(last_stage("ARG v=1\nFROM a\nARG v\nUSER $v\n", "user")).unwrap().as_ref(), "1");
    assert_eq!(text_of(last_stage("FROM a\nENV v=2\nARG v=1\nUSER $v\n", "user")).unwrap().as_ref(), "2");
    assert_eq!(text_of(last_stage("FROM scratch\nUSER x$HOME\n", "user")).unwrap().as_ref(), "x");
    assert_eq!(unknown("FROM $nothing\n", "base"), "$nothing names no image");
}

#[test]
fn a_file_that_cannot_be_read_is_a_problem() {
    let huge = format!("FROM a\n#{}\n", "x".repeat(10 * 1024 * 1024));
    for text in [huge.as_bytes(), &huge.as_bytes()[..2 * 1024 * 1024], b"FROM a\n\xff", b"# nothing\n", b""] {
        let unit = read_text(&Dockerfile, "Dockerfile", text);
        assert_eq!((unit.resources.len(), unit.problems.len()), (0, 1));
    }
}

#[test]
fn limits_are_said_with_their_figures() {
    let says = |text: String, figure: &str| {
        let problems = read(&text).problems;
        assert!(problems.iter().any(|problem| problem.message.contains(figure)), "{figure}: {problems:?}");
    };
    says("FROM a\n".repeat(201), "200");
    says(format!("FROM a\n{}", "RUN x\n".repeat(10_001)), "10000");
    says(format!("FROM a\nENV {}\n", "a=1 ".repeat(2_001)), "2000");
    let doubled: String = (1..40).map(|n| format!("ENV v{n}=$v{}$v{}\n", n - 1, n - 1)).collect();
    let value = last_stage(&format!("FROM a\nENV v0=1234567890\n{doubled}"), "env").unwrap();
    assert!(value.get("v39").unwrap().as_unknown().unwrap().reason.to_string().contains("4096"));
    let split = format!("FROM a\nENV v='{}'\nRUN {}\n", "a ".repeat(1_000), "x $v;".repeat(1_000));
    assert!(format!("{:?}", read(&split).resources[3].attributes).contains("262144"));
    says("FROM a\n".to_owned() + &"huh x\nRUN y\n".repeat(500), "`huh` is no instruction");
    assert!(read(&("FROM a\n".to_owned() + &"huh x\nRUN y\n".repeat(500))).problems.len() <= 20);
}

#[test]
fn every_cut_and_every_flipped_byte_of_a_fixture_is_read() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for (_, tree) in fixtures("dockerfile") {
        for entry in tree.entries() {
            let text = tree.read(&entry.path).unwrap().text().as_bytes().to_vec();
            for end in 0..text.len() {
                read_text(&Dockerfile, "Dockerfile", &text[..end]);
            }
            for _ in 0..300 {
                let mut flipped = text.clone();
                for _ in 0..3 {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let at = (random >> 33) as usize % flipped.len().max(1);
                    flipped[at] = b"\"'`\\$({<\n #&|;)}=:aF"[(random >> 16) as usize % 20];
                }
                read_text(&Dockerfile, "Dockerfile", &flipped);
            }
        }
    }
}
