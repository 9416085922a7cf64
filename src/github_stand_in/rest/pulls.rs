//! Pull requests and their files.

use http::StatusCode;

use super::answer::{Answer, Refusal};
use super::call::{Call, PULLS, resolve};
use super::paging;
use crate::github_stand_in::bodies;
use crate::github_stand_in::state::{GitHub, Pull, PullState, Repository};

/// `GET /repos/{owner}/{repo}/pulls`
pub(crate) fn list(call: &Call, github: &mut GitHub) -> Answer {
    let id = call.repository(github, PULLS)?;
    let repository = github.repository(id).ok_or_else(Refusal::not_found)?;
    let state = match call.query("state").unwrap_or("open") {
        "open" => Some(PullState::Open),
        "closed" => Some(PullState::Closed),
        "all" => None,
        other => {
            let text =
                format!("For 'properties/state', \"{other}\" is not a member of [\"open\", \"closed\", \"all\"].");
            return Err(Refusal::invalid(text));
        }
    };
    let mut pulls: Vec<&Pull> = repository.seen_pulls().values().collect();
    pulls.retain(|pull| state.is_none_or(|state| pull.state == state));
    pulls.retain(|pull| call.query("base").is_none_or(|base| pull.base_branch == base));
    pulls.retain(|pull| call.query("head").is_none_or(|head| label(github, pull).eq_ignore_ascii_case(head)));
    sort(call, &mut pulls);
    call.view(github, |view| paging::list(call, github, pulls, |pull| bodies::simple_pull(view, pull)))
}

/// `owner:branch`, as the filter writes it.
fn label(github: &GitHub, pull: &Pull) -> String {
    let owner = github.repository(pull.head_repository).map(|head| github.login(head.owner)).unwrap_or_default();
    format!("{owner}:{}", pull.head_branch)
}

fn sort(call: &Call, pulls: &mut [&Pull]) {
    match call.query("sort").unwrap_or("created") {
        "updated" => pulls.sort_by_key(|pull| (pull.updated_at, pull.id.number)),
        _ => pulls.sort_by_key(|pull| pull.id.number),
    }
    let ascending = call.query("direction").map(|direction| direction == "asc");
    // Newest first, unless a sort order was asked for by name.
    if !ascending.unwrap_or(call.query("sort").is_some_and(|sort| sort != "created")) {
        pulls.reverse();
    }
}

fn find<'a>(call: &Call, repository: &'a Repository) -> Result<&'a Pull, Refusal> {
    repository.seen_pulls().get(&call.number("pull_number")?).ok_or_else(Refusal::not_found)
}

/// `GET /repos/{owner}/{repo}/pulls/{pull_number}`
pub(crate) fn get(call: &Call, github: &mut GitHub) -> Answer {
    let id = call.repository(github, PULLS)?;
    let pull = find(call, github.repository(id).ok_or_else(Refusal::not_found)?)?;
    let (changes, commits) = github.pull_changes(pull);
    call.ok(github, |view| bodies::pull(view, pull, &github.gate(pull), commits.len(), &changes))
}

/// `GET /repos/{owner}/{repo}/pulls/{pull_number}/files`
pub(crate) fn files(call: &Call, github: &mut GitHub) -> Answer {
    let id = call.repository(github, PULLS)?;
    let pull = find(call, github.repository(id).ok_or_else(Refusal::not_found)?)?;
    let (mut changes, _) = github.pull_changes(pull);
    changes.truncate(github.limits.pull_files);
    call.view(github, |view| {
        paging::list(call, github, changes, |(change, patch)| {
            bodies::change(view, id, pull.head, &change, patch.as_ref())
        })
    })
}

/// `GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls`
pub(crate) fn of_commit(call: &Call, github: &mut GitHub) -> Answer {
    let id = call.repository(github, PULLS)?;
    let repository = github.repository(id).ok_or_else(Refusal::not_found)?;
    let text = call.param("ref")?;
    let missing = || Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, format!("No commit found for SHA: {text}"));
    let commit = resolve(github, repository, text).ok_or_else(missing)?;
    let has = |pull: &&Pull| {
        let merged = pull.merged.is_some_and(|merged| merged.commit == commit);
        merged || pull.head == commit || github.pull_changes(pull).1.contains(&commit)
    };
    let pulls: Vec<&Pull> = repository.seen_pulls().values().filter(has).collect();
    call.view(github, |view| paging::list(call, github, pulls, |pull| bodies::simple_pull(view, pull)))
}
