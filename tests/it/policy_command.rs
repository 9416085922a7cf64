//! `portcullis policy` as its users run it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn policy(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .arg("policy")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn policies_are_found_by_their_words_and_by_the_ids_of_other_tools() {
    let folder = tempfile::tempdir().unwrap();
    let list = |arguments: &[&str]| said(&policy(folder.path(), &[&["list"], arguments].concat()));
    assert_eq!(list(&["ckv-k8s-16"]).lines().count(), 2, "{}", list(&["ckv-k8s-16"]));
    assert!(list(&["checkov:CKV_K8S_16"]).starts_with("high      k8s-no-privileged-containers  "));
    assert!(list(&["privileged", "--for", "terraform"]).ends_with("0 policies\n"));
    assert!(list(&["--severity", "critical"]).lines().rev().skip(1).all(|line| line.starts_with("critical  ")));
    let entries: serde_json::Value = serde_json::from_str(&list(&["--format-as", "json"])).unwrap();
    assert!(entries.as_array().unwrap().len() >= 100);
    assert!(entries[0]["policy"]["title"].is_string());
}

#[test]
fn a_policy_is_shown_with_its_reason_and_its_examples() {
    let folder = tempfile::tempdir().unwrap();
    let shown = said(&policy(folder.path(), &["show", "CKV_AWS_16"]));
    for words in ["id        aws-rds-encrypt-storage", "severity  high", "terraform:", "  examples:"] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    let output = policy(folder.path(), &["show", "nothing-like-it"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("portcullis policy list"));
}

#[test]
fn a_new_policy_passes_its_tests_until_somebody_breaks_it() {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["terraform", "kubernetes", "dockerfile"] {
        let id = format!("own-{kind}");
        assert!(policy(folder.path(), &["new", &id, "--for", kind]).status.success());
        let output = policy(folder.path(), &["test", "--strict", "--policies", &format!("policies/{id}.yaml")]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    let again = policy(folder.path(), &["new", "own-terraform"]);
    assert_eq!(again.status.code(), Some(2), "a file is never overwritten");
    assert_eq!(policy(folder.path(), &["new", "Not An Id"]).status.code(), Some(2));

    let path = folder.path().join("policies/own-terraform.yaml");
    let broken = fs::read_to_string(&path).unwrap().replace("= false # expect", "= true # expect");
    fs::write(&path, broken).unwrap();
    let output = policy(folder.path(), &["test", "--policies", "policies"]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(said(&output).trim_end(), @r#"
    policies/own-terraform.yaml:17: violations expected at main.tf:2, found at none
        main.tf:1   resource "aws_sqs_queue" "orders" {
      > main.tf:2     sqs_managed_sse_enabled = true # expect
        main.tf:3   }

      aws_sqs_queue.orders  aws_sqs_queue  main.tf:1-3
      1 check: 1 met

      ✓ met: own-terraform [medium] What holds when the policy is met, in one line
          require: all of it holds
            yes sqs_managed_sse_enabled: true
                · sqs_managed_sse_enabled is true  main.tf:2:29

    7 examples of 3 files: 1 wrong
    "#);
    let misspelt = fs::read_to_string(&path).unwrap().replace("= true # expect", "= false # expect");
    let misspelt = misspelt.replace("    sqs_managed_sse_enabled: true", "    sqs_managed_sse_enable: true");
    fs::write(&path, &misspelt).unwrap();
    let output = policy(folder.path(), &["test", "--policies", "policies"]);
    assert_eq!(output.status.code(), Some(1));
    let hint =
        "`aws_sqs_queue` has no `sqs_managed_sse_enable`; did you mean `sqs_managed_sse_enabled`? [unknown-path]";
    assert!(said(&output).contains(hint), "{}", said(&output));
    fs::write(&path, "id: own-terraform\n").unwrap();
    assert_eq!(policy(folder.path(), &["test", "--policies", "policies"]).status.code(), Some(2));
}

#[test]
fn all_policies_that_come_with_the_program_answer_their_examples() {
    let folder = tempfile::tempdir().unwrap();
    let output = policy(folder.path(), &["test", "--strict"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).ends_with(": all as they say\n"));
    assert!(String::from_utf8_lossy(&output.stderr).contains(" parts left out in turn"));
    assert!(
        said(&policy(folder.path(), &["docs"]))
            .contains("| `k8s-no-host-network` | Pods do not use the node's network |")
    );
}

/// A policy of ours with the examples of [`a_part_that_no_example_needs_is_a_warning_and_with_strict_an_error`].
const GAP: &str = "id: own-gap\ntitle: T\nseverity: low\ndescription: D.\nremediation: R.\nkubernetes:\n  resource: $workload\n  \
    forbid:\n    pod.hostPID: true\n    pod.hostIPC: true\n  examples:\n    pass: |\n      apiVersion: v1\n      kind: Pod\n    \
    fail: |\n      apiVersion: v1\n      kind: Pod\n      spec:\n        hostPID: true # expect\n";

#[test]
fn a_part_that_no_example_needs_is_a_warning_and_with_strict_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("own-gap.yaml"), GAP).unwrap();
    let test =
        |arguments: &[&str]| policy(folder.path(), &[&["test", "--policies", "own-gap.yaml"], arguments].concat());
    let output = test(&[]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(said(&output).trim_end(), @r"
    own-gap.yaml:10:5: warning: no example needs `forbid.pod.hostIPC` at line 10: add a failing example that would pass without it
    2 examples of 1 file: all as they say; 1 part of a policy that no example needs
    ");
    let strict = test(&["--strict"]);
    assert_eq!(strict.status.code(), Some(1));
    assert!(said(&strict).contains("own-gap.yaml:10:5: error: no example needs `forbid.pod.hostIPC`"));
    assert_eq!(test(&["--no-mutations"]).status.code(), Some(0));
    assert!(!said(&test(&["--no-mutations"])).contains("no example needs"));
}

const MODULE: &str = "variable \"encrypted\" {\n  default = false\n}\nresource \"aws_db_instance\" \"main\" {\n  \
    storage_encrypted = var.encrypted\n}\n";

#[test]
fn an_explanation_shows_what_was_asked_what_was_found_and_what_decided() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("db")).unwrap();
    fs::write(folder.path().join("db/main.tf"), MODULE).unwrap();
    fs::write(folder.path().join("main.tf"), "module \"db\" {\n  source = \"./db\"\n}\n").unwrap();
    let explain = |arguments: &[&str]| policy(folder.path(), &[&["explain"], arguments].concat());
    let output = explain(&["db/main.tf:5", "--policy", "aws-rds-encrypt-storage"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    insta::assert_snapshot!(said(&output).trim_end(), @r"
    module.db.aws_db_instance.main  aws_db_instance  db/main.tf:4-6
    1 check: 1 not met

    ✗ not met: aws-rds-encrypt-storage [high] RDS instances encrypt their storage
        → storage_encrypted is false, must be true
        unless: does not hold, so that it applies
          no  replicate_source_db: set
              · replicate_source_db is not set  db/main.tf:4:1
                ← module.db main.tf:1:1
        require: not all of it holds
          no  storage_encrypted: true
              · storage_encrypted is false  db/main.tf:5:23
                ← variable encrypted db/main.tf:2:13
                ← module.db main.tf:1:1
    ");

    let whole: serde_json::Value = serde_json::from_str(&said(&explain(&["db/main.tf", "--format", "json"]))).unwrap();
    let checks = whole.as_array().unwrap().iter().flat_map(|resource| resource["checks"].as_array().unwrap());
    let answers: Vec<&str> = checks.map(|check| check["answer"].as_str().unwrap()).collect();
    assert!(answers.contains(&"violation") && answers.contains(&"pass"), "{answers:?}");
    for (arguments, words) in [
        (&["db/main.tf:900"][..], "no resource is declared at db/main.tf:900"),
        (&["nowhere.tf:1"], "there is no file nowhere.tf"),
        (&["db/main.tf:5", "--policy", "nothing"], "no policy is called `nothing`"),
    ] {
        let output = explain(arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
