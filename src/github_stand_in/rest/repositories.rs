//! Repositories, branches, the rules of a branch.

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::call::{CONTENTS, Call, METADATA};
use super::paging;
use crate::github_stand_in::bodies;
use crate::github_stand_in::state::{GitHub, Protection, RequiredCheck};

/// The number of the ruleset a protection stands for.
const RULESET: u64 = 4_711;

/// `GET /repos/{owner}/{repo}`
pub(crate) fn get(call: &Call, github: &mut GitHub) -> Answer {
    let id = call.repository(github, METADATA)?;
    let repository = github.repository(id).ok_or_else(Refusal::not_found)?;
    call.ok(github, |view| bodies::full_repository(view, repository))
}

/// `GET /repos/{owner}/{repo}/branches/{branch}`
pub(crate) fn branch(call: &Call, github: &mut GitHub) -> Answer {
    let id = call.repository(github, CONTENTS)?;
    let name = call.param("branch")?;
    let repository = github.repository(id).ok_or_else(Refusal::not_found)?;
    let missing = || Refusal::new(http::StatusCode::NOT_FOUND, "Branch not found");
    let head = repository.seen_branches().get(name).copied().ok_or_else(missing)?;
    call.ok(github, |view| bodies::branch_commit(view, repository, name, head))
}

/// `GET /repos/{owner}/{repo}/rules/branches/{branch}`
pub(crate) fn rules(call: &Call, github: &mut GitHub) -> Answer {
    let id = call.repository(github, METADATA)?;
    let name = call.param("branch")?;
    let repository = github.repository(id).ok_or_else(Refusal::not_found)?;
    let source = github.full_name(id);
    let rules = repository.protection(name).map(|protection| rules_of(protection, &source)).unwrap_or_default();
    paging::list(call, github, rules, |rule| rule)
}

fn rules_of(protection: &Protection, source: &str) -> Vec<Value> {
    let rule = |kind: &str, parameters: Value| {
        json!({
            "type": kind,
            "parameters": parameters,
            "ruleset_source_type": "Repository",
            "ruleset_source": source,
            "ruleset_id": RULESET,
        })
    };
    let mut rules = Vec::new();
    if !protection.required_checks.is_empty() {
        let checks: Vec<Value> = protection.required_checks.iter().map(required).collect();
        rules.push(rule(
            "required_status_checks",
            json!({
                "required_status_checks": checks,
                "strict_required_status_checks_policy": protection.must_be_up_to_date,
                "do_not_enforce_on_create": false,
            }),
        ));
    }
    if protection.merge_queue {
        rules.push(rule(
            "merge_queue",
            json!({
                "check_response_timeout_minutes": 60,
                "grouping_strategy": "ALLGREEN",
                "max_entries_to_build": 5,
                "max_entries_to_merge": 5,
                "merge_method": "MERGE",
                "min_entries_to_merge": 1,
                "min_entries_to_merge_wait_minutes": 5,
            }),
        ));
    }
    rules
}

fn required(check: &RequiredCheck) -> Value {
    match check.app {
        Some(app) => json!({ "context": check.name, "integration_id": app.0 }),
        None => json!({ "context": check.name }),
    }
}
