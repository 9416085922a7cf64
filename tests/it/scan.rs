//! `portcullis scan` as its users run it: the real program, with nothing of this machine's environment.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const GOOD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n";
const BAD: &str = "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n  hostNetwork: true\n  containers: []\n";

fn scan(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .arg("scan")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap()
}

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_exit_code_says_how_it_ended() {
    let clean = folder(&[("a.yaml", GOOD.as_bytes())]);
    assert_eq!(scan(clean.path(), &["."]).status.code(), Some(0));
    let bad = folder(&[("a.yaml", BAD.as_bytes())]);
    assert_eq!(scan(bad.path(), &["."]).status.code(), Some(1));
    let broken = folder(&[("a.yaml", b"apiVersion: v1\nkind: Pod\nspec: [\n")]);
    assert_eq!(scan(broken.path(), &["."]).status.code(), Some(1), "what cannot be read is not clean");
    for usage in [&["nowhere"][..], &[], &["--format", "nothing", "."], &["--nothing"]] {
        let output = scan(clean.path(), usage);
        assert_eq!(output.status.code(), Some(2), "{usage:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty());
    }
}

#[test]
fn text_shows_the_place_and_what_to_do() {
    let folder = folder(&[("a.yaml", BAD.as_bytes())]);
    let output = text(&scan(folder.path(), &["a.yaml"]));
    let shown: String =
        output.lines().take_while(|line| !line.contains("violation")).map(|l| format!("{l}\n")).collect();
    insta::assert_snapshot!(shown, @r"
    high[k8s-no-host-network]: Pods do not use the node's network
      ╭▸ a.yaml:5:16
      │
    5 │   hostNetwork: true
      │                ━━━━ pod.hostNetwork is true, must not be true
      │
      ├ note: in Pod.default.a
      ╰ help: Remove hostNetwork, and reach the pod through a Service.
    ");
    assert!(!output.contains('\u{1b}'), "no colours where no terminal is");
}

#[test]
fn sarif_is_valid_and_lists_the_whole_catalogue_in_every_run() {
    let schema = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/schemas/sarif-2.1.0.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let tree = folder(&[("one/a.yaml", BAD.as_bytes()), ("two/a ü.yaml", BAD.as_bytes()), ("empty/x.txt", b"")]);
    for arguments in [&["--format", "sarif", "one", "two"][..], &["--format", "sarif", "empty"]] {
        let document = json(&scan(tree.path(), arguments));
        let errors: Vec<String> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let rules = document["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
        assert!(rules.len() >= 25);
        assert!(rules.iter().all(|rule| rule["properties"]["aliases"].is_array()));
    }
    let document = json(&scan(tree.path(), &["--format", "sarif", "one", "two"]));
    let places: Vec<&str> = document["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["one/a.yaml", "two/a%20%C3%BC.yaml"]);
}

#[test]
fn what_lies_outside_of_the_current_folder_is_named_in_full() {
    let here = folder(&[]);
    let there = folder(&[("a.yaml", BAD.as_bytes())]);
    let root = there.path().canonicalize().unwrap();
    let document = json(&scan(here.path(), &["--format", "sarif", root.to_str().unwrap()]));
    let uri = document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].clone();
    assert_eq!(uri, format!("file://{}/a.yaml", root.display()));
}

#[test]
fn a_scan_gives_the_same_bytes_each_time() {
    let files: Vec<(String, &[u8])> = (0..40).map(|at| (format!("{at}/a.yaml"), BAD.as_bytes())).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, content)| (path.as_str(), *content)).collect();
    let tree = folder(&files);
    let once = scan(tree.path(), &["--format", "sarif", "."]).stdout;
    for _ in 0..3 {
        assert!(scan(tree.path(), &["--format", "sarif", "."]).stdout == once);
    }
}

#[test]
fn hostile_files_are_problems_and_nothing_more() {
    let nesting = format!("apiVersion: v1\nkind: Pod\nx: {}", "- ".repeat(100_000));
    let flow = format!("apiVersion: v1\nkind: Pod\nx: {}", "{a: ".repeat(100_000));
    let mut bomb = String::from("apiVersion: v1\nkind: Pod\na0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for level in 1..9 {
        let list = vec![format!("*a{}", level - 1); 9].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{list}]\n"));
    }
    let large = format!("apiVersion: v1\nkind: Pod\n{}", "# filler\n".repeat(1_200_000));
    let hostile: [(&str, &[u8]); 6] = [
        ("nesting.yaml", nesting.as_bytes()),
        ("flow.yaml", flow.as_bytes()),
        ("bomb.yaml", bomb.as_bytes()),
        ("large.yaml", large.as_bytes()),
        ("bytes.yaml", b"apiVersion: v1\nkind: Pod\nname: \xff\xfe\n"),
        ("line\nbreak.yaml", BAD.as_bytes()),
    ];
    for file in hostile {
        let tree = folder(&[file, ("good.yaml", BAD.as_bytes())]);
        let output = scan(tree.path(), &["--format", "json", "."]);
        assert_eq!(output.status.code(), Some(1), "{}", file.0);
        let report = &json(&output)["report"];
        let problems = report["problems"].as_array().unwrap();
        assert_eq!(problems.len(), 1, "{}: {problems:?}", file.0);
        assert!(!problems[0]["message"].as_str().unwrap().is_empty());
        assert_eq!(report["violations"].as_array().unwrap().len(), 1, "the good file is still checked");
    }
}
