//! A policy's examples as its tests: each is read by its format's own front end and must answer what it says.

use std::collections::BTreeSet;
use std::fmt;

use crate::evaluate::{Purpose, Report, Selection, evaluate_unit, scan};
use crate::formats::{self, ReadOptions, Scope};
use crate::policy::{Catalogue, CatalogueError, Example, ExampleKind, Library, Loaded, PolicyId};
use crate::source_tree::{LineColumn, SourceTree, TreePath};

/// An example that does not answer what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The policy.
    pub policy: PolicyId,
    /// Where the example stands in the policy file.
    pub place: LineColumn,
    /// What was expected, and what came.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, example at line {}: {}", self.policy, self.place.line, self.message)
    }
}

/// Runs every example of a policy file.
///
/// # Errors
/// When the file's policies cannot stand in one catalogue.
pub fn prove(loaded: &Loaded, library: &Library) -> Result<Vec<Failure>, CatalogueError> {
    let catalogue = Catalogue::of(loaded.policies.clone(), library.clone())?;
    Ok(loaded.examples.iter().filter_map(|example| failure(example, &catalogue)).collect())
}

fn failure(example: &Example, catalogue: &Catalogue) -> Option<Failure> {
    let message = match answer(example, catalogue) {
        Ok(report) => wrong(example, &report)?,
        Err(message) => message,
    };
    Some(Failure { policy: example.policy.clone(), place: example.place, message })
}

fn answer(example: &Example, catalogue: &Catalogue) -> Result<Report, String> {
    let mut files = Vec::new();
    for (path, text) in &example.files {
        let path = TreePath::new(path).map_err(|error| format!("file `{path}`: {error}"))?;
        files.push((path, text.clone().into_bytes()));
    }
    let tree = SourceTree::from_files(files);
    let selection = Selection::default();
    let plans = formats::units(&tree, &Scope::All);
    let units = plans.iter().map(|plan| {
        let unit = formats::read(plan, &tree, &ReadOptions::default());
        evaluate_unit(&unit, catalogue, &selection, Purpose::Scan)
    });
    Ok(scan(units.collect(), catalogue, &selection))
}

/// What is wrong with an answer; `None` when it is as the example says.
fn wrong(example: &Example, report: &Report) -> Option<String> {
    if let Some(problem) = report.problems.first() {
        return Some(format!("{} cannot be read: {}", problem.path, problem.message));
    }
    let found: BTreeSet<(&str, u32)> =
        report.violations.iter().map(|v| (v.location.path.as_str(), v.location.start.line)).collect();
    let lines = |lines: &BTreeSet<(&str, u32)>| match lines.len() {
        0 => "none".to_owned(),
        _ => lines.iter().map(|(path, line)| format!("{path}:{line}")).collect::<Vec<_>>().join(", "),
    };
    match example.kind {
        ExampleKind::Fail => {
            let expected: BTreeSet<(&str, u32)> = example.expected_lines().into_iter().collect();
            let undecided: Vec<&str> = report.undecided.iter().map(|undecided| undecided.reason.as_str()).collect();
            let note =
                if undecided.is_empty() { String::new() } else { format!("; undecided: {}", undecided.join(", ")) };
            (found != expected)
                .then(|| format!("violations expected at {}, found at {}{note}", lines(&expected), lines(&found)))
        }
        ExampleKind::Pass | ExampleKind::Undecided if !found.is_empty() => {
            let first = report.violations.first().map_or("", |violation| violation.message.as_str());
            Some(format!("no violation expected, found at {}: {first}", lines(&found)))
        }
        ExampleKind::Pass => {
            report.undecided.first().map(|undecided| format!("must pass, but is undecided: {}", undecided.reason))
        }
        ExampleKind::Undecided if report.undecided.is_empty() => Some("must be undecided, but passes".to_owned()),
        ExampleKind::Undecided => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::policy::{is_library, load_library, load_policy};

    fn yaml_files(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                yaml_files(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                files.push(path);
            }
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "tests read fixtures")]
    fn every_policy_answers_its_examples() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../policies"));
        let mut files = Vec::new();
        yaml_files(root, &mut files);
        files.sort();
        let mut library = Library::default();
        let (sets, policies): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| is_library(&file.strip_prefix(root).unwrap().to_string_lossy()));
        for file in sets {
            load_library(
                &file.strip_prefix(root).unwrap().to_string_lossy(),
                &fs::read_to_string(&file).unwrap(),
                &mut library,
            )
            .unwrap();
        }
        let mut failures = Vec::new();
        for file in &policies {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let loaded = load_policy(&name, &fs::read_to_string(file).unwrap(), &library).unwrap();
            failures.extend(prove(&loaded, &library).unwrap());
        }
        let text: Vec<String> = failures.iter().map(ToString::to_string).collect();
        assert!(failures.is_empty(), "{} examples are wrong:\n{}", failures.len(), text.join("\n"));
        assert!(policies.len() >= 25);
    }

    /// Policies on what nobody writes, and what the provider's defaults answer for it.
    const ON_DEFAULTS: &str = r##"
id: on-defaults
title: Defaults answer for what nobody writes
severity: low
description: A test.
remediation: None.
terraform:
  - resource: aws_redshift_cluster
    require: { publicly_accessible: false }
    examples:
      pass:
        - |
          terraform {
            required_providers {
              aws = { source = "hashicorp/aws", version = "~> 6.2" }
            }
          }
          resource "aws_redshift_cluster" "a" {}
        - main.tf: |
            resource "aws_redshift_cluster" "a" {}
          .terraform.lock.hcl: |
            provider "registry.terraform.io/hashicorp/aws" {
              version     = "6.14.1"
              constraints = ">= 5.0.0"
            }
        - |
          resource "aws_redshift_cluster" "newest" {}
      fail:
        - |
          terraform {
            required_providers {
              aws = { source = "hashicorp/aws", version = ">= 4.0, < 6.0" }
            }
          }
          resource "aws_redshift_cluster" "b" {} # expect
        - |
          resource "aws_redshift_cluster" "b" { publicly_accessible = true } # expect
  - resource: aws_eks_cluster
    forbid:
      vpc_config.public_access_cidrs[]: $public_cidr
    examples:
      pass: |
        resource "aws_eks_cluster" "a" {
          vpc_config { public_access_cidrs = ["10.0.0.0/8"] }
        }
        resource "aws_eks_cluster" "without_block" {}
      fail: |
        resource "aws_eks_cluster" "b" {
          # expect
          vpc_config {}
        }
  - resource: aws_instance
    require: { metadata_options.http_endpoint: { not: enabled } }
    examples:
      pass: |
        resource "aws_instance" "a" {
          metadata_options { http_endpoint = "disabled" }
        }
      fail: |
        resource "aws_instance" "b" {} # expect
  - resource: azurerm_storage_account
    require:
      (https_traffic_only_enabled|enable_https_traffic_only): true
      not: { https_traffic_only_enabled: present }
    examples:
      pass: |
        resource "azurerm_storage_account" "a" {}
        resource "azurerm_storage_account" "null" { https_traffic_only_enabled = null }
      fail: |
        resource "azurerm_storage_account" "b" {
          enable_https_traffic_only = false # expect
        }
"##;

    #[test]
    fn what_the_provider_assumes_answers_for_what_nobody_writes_and_is_never_present() {
        let catalogue = crate::builtin::catalogue().unwrap();
        let loaded = load_policy("on-defaults.yaml", ON_DEFAULTS, catalogue.library()).unwrap_or_else(|mistakes| {
            panic!("{}", mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        });
        let failures = prove(&loaded, catalogue.library()).unwrap();
        let text: Vec<String> = failures.iter().map(ToString::to_string).collect();
        assert!(failures.is_empty(), "{}", text.join("\n"));
        let catalogue = Catalogue::of(loaded.policies.clone(), catalogue.library().clone()).unwrap();
        let default = loaded.examples.iter().find(|example| example.kind == ExampleKind::Fail).unwrap();
        let report = answer(default, &catalogue).unwrap();
        let message = "publicly_accessible is not set and true by default, must be false";
        assert_eq!(report.violations[0].message, message);
    }
}
