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
        let output = policy(folder.path(), &["test", "--policies", &format!("policies/{id}.yaml")]);
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
    insta::assert_snapshot!(said(&output).lines().take(4).collect::<Vec<_>>().join("\n"), @r#"
    policies/own-terraform.yaml:16: violations expected at main.tf:2, found at none
        main.tf:1   resource "aws_sqs_queue" "orders" {
      > main.tf:2     sqs_managed_sse_enabled = true # expect
        main.tf:3   }
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
    let output = policy(folder.path(), &["test"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains(": all as they say"));
    assert!(
        said(&policy(folder.path(), &["docs"]))
            .contains("| `k8s-no-host-network` | Pods do not use the node's network |")
    );
}
