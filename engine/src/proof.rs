//! A policy's examples as its tests: each is read by its format's own front end and must answer what it says, and each part
//! of the policy must be one that some example needs.

use std::collections::BTreeSet;
use std::fmt;

use crate::evaluate::{Explanation, Purpose, Report, Selection, evaluate_unit, explain_at, scan};
use crate::formats::{self, ReadOptions, Scope};
use crate::policy::{Catalogue, CatalogueError, Example, ExampleKind, Library, Loaded, Needed, PolicyId, variants};
use crate::resource::Unit;
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
    /// Step by step, what the policy found where the answer is wrong.
    pub explanations: Vec<Explanation>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, example at line {}: {}", self.policy, self.place.line, self.message)
    }
}

/// A part of a policy without which every example answers the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unneeded {
    /// The policy.
    pub policy: PolicyId,
    /// Where the part stands in the policy file.
    pub place: LineColumn,
    /// The part: `require.storage_encrypted`.
    pub part: String,
    /// What an example that needs it looks like.
    pub needed: Needed,
}

impl fmt::Display for Unneeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let add = match self.needed {
            Needed::Fail => "add a failing example that would pass without it",
            Needed::Pass => "add a passing example that would fail without it",
            Needed::Any => "add one that answers otherwise without it",
        };
        write!(f, "no example needs `{}` at line {}: {add}", self.part, self.place.line)
    }
}

/// What the tests of a policy file say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Examples that do not answer what they say.
    pub failures: Vec<Failure>,
    /// Parts that no example needs; nothing is said of them while an example fails.
    pub unneeded: Vec<Unneeded>,
    /// How many parts were left out in turn.
    pub mutations: usize,
}

/// Runs every example of a policy file.
///
/// # Errors
/// When the file's policies cannot stand in one catalogue.
pub fn prove(loaded: &Loaded, library: &Library) -> Result<Proof, CatalogueError> {
    let catalogue = Catalogue::of(loaded.policies.clone(), library.clone())?;
    let read = loaded.examples.iter().map(ReadExample::new);
    Ok(Proof { failures: read.filter_map(|example| example.failure(&catalogue)).collect(), ..Proof::default() })
}

/// Runs every example of a policy file, and again without each part of the policy: some example must notice.
///
/// # Errors
/// When the file's policies cannot stand in one catalogue.
pub fn prove_thoroughly(path: &str, text: &str, loaded: &Loaded, library: &Library) -> Result<Proof, CatalogueError> {
    let mut proof = prove(loaded, library)?;
    let Some(policy) = loaded.policies.first().filter(|_| proof.failures.is_empty()) else { return Ok(proof) };
    let examples: Vec<ReadExample<'_>> = loaded.examples.iter().map(ReadExample::new).collect();
    for variant in variants(path, text, library) {
        let catalogue = Catalogue::of(variant.policies, library.clone())?;
        proof.mutations += 1;
        if !examples.iter().any(|example| example.wrong(&catalogue).is_some()) {
            let policy = policy.metadata.id.clone();
            proof.unneeded.push(Unneeded { policy, place: variant.place, part: variant.part, needed: variant.needed });
        }
    }
    Ok(proof)
}

/// An example whose files were read once, to be asked often.
struct ReadExample<'e> {
    example: &'e Example,
    units: Result<Vec<Unit>, String>,
}

impl<'e> ReadExample<'e> {
    fn new(example: &'e Example) -> Self {
        Self { example, units: units(example) }
    }

    fn failure(&self, catalogue: &Catalogue) -> Option<Failure> {
        let message = self.wrong(catalogue)?;
        let Example { policy, place, .. } = self.example;
        Some(Failure { policy: policy.clone(), place: *place, message, explanations: self.explanations(catalogue) })
    }

    /// What is wrong with its answer; `None` when it is as the example says.
    fn wrong(&self, catalogue: &Catalogue) -> Option<String> {
        match &self.units {
            Ok(units) => wrong(self.example, &report(units, catalogue)),
            Err(message) => Some(message.clone()),
        }
    }

    /// What the policy found at each line whose answer is not the one that was expected.
    fn explanations(&self, catalogue: &Catalogue) -> Vec<Explanation> {
        let units = self.units.as_deref().unwrap_or_default();
        let report = report(units, catalogue);
        let found = violated(&report);
        let expected: BTreeSet<(&str, u32)> = match self.example.kind {
            ExampleKind::Fail => self.example.expected_lines().into_iter().collect(),
            ExampleKind::Pass | ExampleKind::Undecided => BTreeSet::new(),
        };
        let undecided = report.undecided.iter().map(|u| (u.location.path.as_str(), u.location.start.line));
        let mut lines: BTreeSet<(&str, u32)> = found.symmetric_difference(&expected).copied().collect();
        lines.extend(undecided.filter(|_| self.example.kind == ExampleKind::Pass));
        let mut explanations: Vec<Explanation> = Vec::new();
        let mut add = |line: Option<u32>, path: &str| {
            let Ok(path) = TreePath::new(path) else { return };
            let selection = Selection::default();
            let explained = units.iter().flat_map(|unit| explain_at(unit, catalogue, &selection, &path, line));
            for explanation in explained.filter(|explanation| !explanation.checks.is_empty()) {
                if !explanations.contains(&explanation) {
                    explanations.push(explanation);
                }
            }
        };
        for (path, line) in &lines {
            add(Some(*line), path);
        }
        if lines.is_empty() {
            self.example.files.iter().for_each(|(path, _)| add(None, path));
        }
        explanations
    }
}

fn units(example: &Example) -> Result<Vec<Unit>, String> {
    let mut files = Vec::new();
    for (path, text) in &example.files {
        let path = TreePath::new(path).map_err(|error| format!("file `{path}`: {error}"))?;
        files.push((path, text.clone().into_bytes()));
    }
    let tree = SourceTree::from_files(files);
    let plans = formats::units(&tree, &Scope::All);
    Ok(plans.iter().map(|plan| formats::read(plan, &tree, &ReadOptions::default())).collect())
}

fn report(units: &[Unit], catalogue: &Catalogue) -> Report {
    let selection = Selection::default();
    let answered = units.iter().map(|unit| evaluate_unit(unit, catalogue, &selection, Purpose::Scan));
    scan(answered.collect(), catalogue, &selection)
}

/// The lines of the violations.
fn violated(report: &Report) -> BTreeSet<(&str, u32)> {
    report.violations.iter().map(|v| (v.location.path.as_str(), v.location.start.line)).collect()
}

/// What is wrong with an answer; `None` when it is as the example says.
fn wrong(example: &Example, report: &Report) -> Option<String> {
    if let Some(problem) = report.problems.first() {
        return Some(format!("{} cannot be read: {}", problem.path, problem.message));
    }
    let found = violated(report);
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
    use super::*;
    use crate::builtin;
    use crate::policy::load_policy;

    #[test]
    fn every_policy_answers_its_examples_and_every_part_of_it_is_needed() {
        let (library, files) = builtin::policies();
        let (mut wrong, mut policies, mut mutations) = (Vec::new(), 0, 0);
        for (path, text, loaded) in files {
            let proof = prove_thoroughly(path, text, &loaded, &library).unwrap();
            wrong.extend(proof.failures.iter().map(|failure| format!("{path}: {failure}")));
            wrong.extend(proof.unneeded.iter().map(|unneeded| format!("{path}: {unneeded}")));
            policies += 1;
            mutations += proof.mutations;
        }
        assert!(wrong.is_empty(), "{} examples are wrong or missing:\n{}", wrong.len(), wrong.join("\n"));
        assert!(policies >= 100 && mutations >= policies, "{policies} policies, {mutations} mutations");
    }

    fn proof(check: &str) -> Proof {
        let head = "id: own-x\ntitle: T\nseverity: low\ndescription: D.\nremediation: R.\n";
        let text = format!("{head}{check}");
        let catalogue = builtin::catalogue().unwrap();
        let library = catalogue.library();
        let loaded = load_policy("own-x.yaml", &text, library).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        prove_thoroughly("own-x.yaml", &text, &loaded, library).unwrap()
    }

    const EXAMPLES: &str = "  examples:\n    pass: 'resource \"r\" \"a\" { x = true }'\n    fail: |\n      resource \"r\" \"a\" { # expect\n      }\n";

    #[test]
    fn a_part_that_no_example_needs_is_named_with_its_line() {
        let proof = proof(&format!("terraform:\n  resource: r\n  require:\n    x: true\n    y: absent\n{EXAMPLES}"));
        let words: Vec<String> = proof.unneeded.iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            ["no example needs `require.y` at line 10: add a failing example that would pass without it"]
        );
        assert_eq!((proof.mutations, proof.failures.len()), (2, 0));
    }

    #[test]
    fn what_an_example_must_look_like_follows_from_what_the_part_does() {
        let needed = |check: &str| -> Vec<(String, Needed)> {
            let proof = proof(&format!("terraform:\n  resource: r\n{check}{EXAMPLES}"));
            assert!(proof.failures.is_empty(), "{:?}", proof.failures);
            proof.unneeded.into_iter().map(|unneeded| (unneeded.part, unneeded.needed)).collect()
        };
        let one = |part: &str, needed| vec![(part.to_owned(), needed)];
        assert_eq!(needed("  when: { z: absent }\n  require: { x: true }\n"), one("when", Needed::Pass));
        assert_eq!(needed("  unless: { z: present }\n  require: { x: true }\n"), one("unless", Needed::Pass));
        assert_eq!(needed("  require: { any: [{ x: true }, { y: true }] }\n"), one("require.any[1]", Needed::Pass));
        assert_eq!(needed("  require: { x: [true, maybe] }\n"), one("maybe` of `require.x", Needed::Pass));
        assert_eq!(
            needed("  require: { not: { any: [{ x: absent }, { y: true }] } }\n"),
            one("require.not.any[1]", Needed::Fail)
        );
        let some = needed("  forbid: { z: true, not: { x: true } }\n");
        assert_eq!(some, one("forbid.z", Needed::Fail));
    }

    #[test]
    fn a_wrong_example_is_explained_step_by_step() {
        let check = "terraform:\n  resource: r\n  require: { x: false }\n";
        let proof = proof(&format!("{check}{EXAMPLES}"));
        let [failure] = proof.failures.as_slice() else { panic!("{:?}", proof.failures) };
        let [explanation] = failure.explanations.as_slice() else { panic!("{:?}", failure.explanations) };
        let part = &explanation.checks[0].clauses[0].parts[0];
        assert_eq!((part.asked.as_str(), part.found[0].words.as_str()), ("x: false", "x is true"));
        assert_eq!(proof.mutations, 0, "what is wrong comes first");
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
        let failures = prove(&loaded, catalogue.library()).unwrap().failures;
        let text: Vec<String> = failures.iter().map(ToString::to_string).collect();
        assert!(failures.is_empty(), "{}", text.join("\n"));
        let catalogue = Catalogue::of(loaded.policies.clone(), catalogue.library().clone()).unwrap();
        let asked = |example| super::report(&units(example).unwrap(), &catalogue);
        let default = loaded.examples.iter().find(|example| example.kind == ExampleKind::Fail).unwrap();
        let report = asked(default);
        let message = "publicly_accessible is not set and true by default, must be false";
        assert_eq!(report.violations[0].message, message);
    }
}
