//! `portcullis scan` as its users run it: the real program, with nothing of this machine's environment.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const GOOD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n";
const BAD: &str = "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n  hostNetwork: true\n  containers: []\n";

/// Scans with the one policy that [`BAD`] violates; the catalogue may grow.
fn scan(folder: &Path, arguments: &[&str]) -> Output {
    let is_chosen = arguments.iter().any(|argument| ["--policy", "--skip", "--severity"].contains(argument));
    let is_own = arguments.contains(&"--policies");
    let only: &[&str] = if is_chosen || is_own { &[] } else { &["--policy", "k8s-no-host-network"] };
    Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .arg("scan")
        .args(only)
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
fn folders_too_deep_to_be_looked_at_are_a_problem() {
    let deep = folder(&[(&format!("{}a.yaml", "d/".repeat(70)), BAD.as_bytes())]);
    let output = scan(deep.path(), &["."]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("deeper than the limit of 64 folders"), "{}", text(&output));
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

#[test]
fn every_format_is_written_to_files_at_once() {
    let tree = folder(&[("a.yaml", BAD.as_bytes()), ("b.yaml", b"apiVersion: v1\nkind: Pod\nspec: [\n")]);
    let names = ["r.txt", "r.json", "r.sarif", "r.xml", "r.codequality.json", "github=r.log", "r.md", "r.csv"];
    let outputs: Vec<&str> = names.iter().flat_map(|name| ["--output", *name]).collect();
    let output = scan(tree.path(), &[&["--quiet", "a.yaml", "b.yaml"], &outputs[..]].concat());
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let read = |name: &str| fs::read_to_string(tree.path().join(name)).unwrap();
    insta::assert_snapshot!(read("r.xml").lines().skip(2).collect::<Vec<_>>().join("\n"));
    insta::assert_snapshot!(read("r.codequality.json"));
    insta::assert_snapshot!(read("r.log"));
    insta::assert_snapshot!(read("r.csv"));
    assert!(read("r.md").starts_with("## 1 violation\n"), "{}", read("r.md"));
    assert!(read("r.txt").contains("high[k8s-no-host-network]") && read("r.json").starts_with('{'));
    let nameless = scan(tree.path(), &["--output", "report", "."]);
    assert_eq!(nameless.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nameless.stderr).contains("json=FILE"));
}

#[test]
fn policies_are_chosen_by_id_glob_severity_and_the_ids_of_other_tools() {
    let tree = folder(&[("a.yaml", BAD.as_bytes())]);
    let codes = |arguments: &[&str]| scan(tree.path(), &[arguments, &["a.yaml"]].concat()).status.code();
    assert_eq!(codes(&["--policy", "k8s-no-host-network"]), Some(1));
    assert_eq!(codes(&["--policy", "checkov:ckv-k8s-19"]), Some(1));
    assert_eq!(codes(&["--policy", "aws-*"]), Some(0));
    assert_eq!(codes(&["--skip", "k8s-*,docker-*"]), Some(0));
    assert_eq!(codes(&["--severity", "critical"]), Some(0));
    assert_eq!(codes(&["--severity", "high"]), Some(1));
    assert_eq!(codes(&["--policy", "no-such-policy"]), Some(2));
    assert_eq!(codes(&["--severity", "worst"]), Some(2));
}

#[test]
fn what_the_baseline_knows_does_not_count() {
    let tree = folder(&[("a.yaml", BAD.as_bytes())]);
    scan(tree.path(), &["--quiet", "--output", "old.json", "--output", "old.sarif", "a.yaml"]);
    for baseline in ["old.json", "old.sarif"] {
        let moved = format!("# a line more\n{BAD}");
        fs::write(tree.path().join("a.yaml"), &moved).unwrap();
        let output = scan(tree.path(), &["--baseline", baseline, "a.yaml"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        assert!(text(&output).starts_with("No new violations, 1 of the baseline"), "{}", text(&output));
        fs::write(tree.path().join("a.yaml"), format!("{moved}---\n{}", BAD.replace("name: a", "name: b"))).unwrap();
        let output = scan(tree.path(), &["--baseline", baseline, "--format", "json", "a.yaml"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(json(&output)["report"]["violations"][0]["resource"], "Pod.default.b");
    }
    assert_eq!(scan(tree.path(), &["--baseline", "a.yaml", "a.yaml"]).status.code(), Some(2));
}

#[test]
fn own_policies_are_asked_beside_ours_or_instead() {
    const OWN: &str = "id: own-name-hosts\ntitle: Pods name their host\nseverity: low\ndescription: We find them so.\n\
        remediation: Set hostname.\nkubernetes:\n  resource: $workload\n  require: { pod.hostname: { in: $hosts } }\n  \
        examples:\n    pass: |\n      apiVersion: v1\n      kind: Pod\n      metadata: { name: a }\n      spec: { hostname: one }\n    \
        fail: |\n      apiVersion: v1\n      kind: Pod # expect\n      metadata: { name: a }\n      spec: {}\n";
    const HOSTS: &str = "hosts: { description: Ours., values: [one, two] }\n";
    let clash = OWN.replace("own-name-hosts", "k8s-no-host-network");
    let tree = folder(&[
        ("a.yaml", BAD.as_bytes()),
        ("own/own-name-hosts.yaml", OWN.as_bytes()),
        ("own/lib/hosts.yaml", HOSTS.as_bytes()),
        ("clash/k8s-no-host-network.yaml", clash.replace("$hosts", "[one]").as_bytes()),
        ("wrong/own-name-hosts.yaml", OWN.replace("require", "requires").as_bytes()),
    ]);
    let found = |arguments: &[&str]| {
        let output = scan(tree.path(), &[arguments, &["--format", "json", "a.yaml"]].concat());
        let report = json(&output);
        let violations = report["report"]["violations"].as_array().unwrap().clone();
        violations.iter().map(|violation| violation["policy"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        found(&["--policies", "own", "--policy", "k8s-no-host-*,own-*"]),
        ["k8s-no-host-network", "own-name-hosts"]
    );
    assert_eq!(found(&["--policies", "own", "--no-builtin"]), ["own-name-hosts"]);
    let clash = scan(tree.path(), &["--policies", "clash", "a.yaml"]);
    assert_eq!(clash.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&clash.stderr).contains("k8s-no-host-network"));
    let wrong = scan(tree.path(), &["--policies", "wrong", "a.yaml"]);
    let words = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(words.contains("wrong/own-name-hosts.yaml:8:3") && words.contains("`require`"), "{words}");
}

#[test]
fn variables_of_a_file_and_a_file_from_standard_input_are_read() {
    let disk = "variable \"public\" {}\nresource \"aws_db_instance\" \"a\" {\n  publicly_accessible = var.public\n}\n";
    let tree = folder(&[("infra/main.tf", disk.as_bytes()), ("public.tfvars", b"public = true\n")]);
    let chosen = ["--policy", "aws-rds-no-public-access", "infra"];
    assert_eq!(scan(tree.path(), &chosen).status.code(), Some(0));
    assert_eq!(scan(tree.path(), &[&["--undecided", "fail"], &chosen[..]].concat()).status.code(), Some(1));
    let output = scan(tree.path(), &[&["--var-file", "public.tfvars"], &chosen[..]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("public.tfvars:1"), "{}", text(&output));

    let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["scan", "--policy", "k8s-no-host-network", "--stdin-name", "deploy/pod.yaml", "-"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(BAD.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("deploy/pod.yaml:5:16"), "{}", text(&output));
}

/// [`BAD`] silenced, as a team would write it that used another tool before.
const SILENCED: &str = "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n  # checkov:skip=CKV_K8S_19:=1+1 </x> \"node\" \u{202e}exporter\n  hostNetwork: true\n  containers: []\n";

#[test]
fn what_is_suppressed_is_counted_in_every_format_and_listed_with_its_reason() {
    let tree = folder(&[
        ("a.yaml", SILENCED.as_bytes()),
        ("b.yaml", b"# portcullis:ignore k8s-no-host-netwrk x\napiVersion: v1\nkind: A\n"),
    ]);
    let output = scan(tree.path(), &["."]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("No violations, 1 suppressed;"), "{}", text(&output));
    assert!(text(&output).contains("did you mean `k8s-no-host-network`?"), "{}", text(&output));
    assert!(!text(&output).contains("exporter"));
    let listed = text(&scan(tree.path(), &["--show-suppressed", "."]));
    assert!(
        listed.contains("  a.yaml:5:5  k8s-no-host-network as CKV_K8S_19 of Pod.default.a at a.yaml:6: "),
        "{listed}"
    );
    for (format, wanted) in [
        ("json", "\"tool\": \"checkov\""),
        ("sarif", "\"suppressions\":[{\"kind\":\"inSource\",\"status\":\"accepted\",\"justification\":\""),
        ("junit", "<skipped message=\"suppressed: 1+1 &lt;/x&gt; &quot;node&quot; exporter\">"),
        ("markdown", "### 1 suppressed"),
        ("csv", "suppressed violation,"),
        ("github", "::notice file=a.yaml,line=5"),
    ] {
        let output = scan(tree.path(), &["--format", format, "."]);
        assert!(text(&output).contains(wanted), "{format}: {}", text(&output));
        // The lines of the file are given to programs as they are; what is shown to people does not turn around.
        assert!(matches!(format, "json" | "sarif") || !text(&output).contains('\u{202e}'), "{format}");
    }
    assert_eq!(text(&scan(tree.path(), &["--format", "gitlab", "."])).trim(), "[]");
    let schema = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/schemas/sarif-2.1.0.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let document = json(&scan(tree.path(), &["--format", "sarif", "."]));
    let errors: Vec<String> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn a_baseline_does_not_know_what_was_suppressed() {
    let tree = folder(&[("a.yaml", SILENCED.as_bytes())]);
    scan(tree.path(), &["--quiet", "--output", "old.json", "--output", "old.sarif", "a.yaml"]);
    fs::write(tree.path().join("a.yaml"), BAD).unwrap();
    for baseline in ["old.json", "old.sarif"] {
        let output = scan(tree.path(), &["--baseline", baseline, "a.yaml"]);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    }
}
