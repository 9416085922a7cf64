//! Which policies are asked.

use portcullis_engine::builtin;
use portcullis_engine::policy::{Catalogue, PolicyId};
use serde::Deserialize;

use super::error::Problems;
use super::value::texts;

/// Most names of a list.
const NAMES_LIMIT: usize = 10_000;

/// As typed.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TypedPolicies {
    #[serde(deserialize_with = "texts")]
    only: Vec<String>,
    #[serde(deserialize_with = "texts")]
    skip: Vec<String>,
}

/// Which policies are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicySettings {
    /// Only these, when there are any.
    pub only: Vec<PolicyId>,
    /// Not these.
    pub skip: Vec<PolicyId>,
}

impl TypedPolicies {
    pub(super) fn validate(self, problems: &mut Problems<'_>) -> Option<PolicySettings> {
        if self.only.is_empty() && self.skip.is_empty() {
            return Some(PolicySettings::default());
        }
        let catalogue = match builtin::catalogue() {
            Ok(catalogue) => catalogue,
            Err(error) => return problems.add("policies", error.to_string(), "Install the program anew."),
        };
        let only = named("policies.only", &self.only, &catalogue, problems);
        let skip = named("policies.skip", &self.skip, &catalogue, problems);
        Some(PolicySettings { only: only?, skip: skip? })
    }
}

/// The policies that names mean: ids, globs of ids, ids of other tools.
fn named(key: &str, names: &[String], catalogue: &Catalogue, problems: &mut Problems<'_>) -> Option<Vec<PolicyId>> {
    if names.len() > NAMES_LIMIT {
        return problems.add(key, format!("more than {NAMES_LIMIT} names"), "Use globs: aws-*.");
    }
    let mut ids = Vec::new();
    for name in names {
        let found = catalogue.named(name).unwrap_or_default();
        if found.is_empty() {
            let problem = format!("no policy is called `{name}`, and none stands for it");
            return problems.add(key, problem, "Give an id, a glob of ids such as aws-*, or an id of another tool.");
        }
        ids.extend(found.into_iter().filter_map(|position| catalogue.id(position)).cloned());
    }
    Some(ids)
}
