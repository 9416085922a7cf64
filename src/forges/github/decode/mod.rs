//! What GitHub's deliveries mean to us. Events and actions nobody here acts upon are [`Event::Ignored`], never an error.

mod payloads;

use serde::de::DeserializeOwned;
use serde_path_to_error::Error;

pub(super) use payloads::AppRef;
use payloads::{
    CheckRef, CheckRunPayload, CheckSuitePayload, Envelope, InstallationPayload, MergeGroupPayload, MergeGroupRef,
    NamedRepository, PullRequestPayload, PushPayload, RepositoryRef,
};

use super::settings::AppIdentity;
use crate::forges::{
    Access, BranchName, CommitSha, Event, InstallationChange, MergeGroup, PullRequestAction, PullRequestEvent,
    Repository,
};

/// The events that are decoded and that an App must ask for; `app-manifest.json` lists the same.
#[cfg(test)]
const SUBSCRIBED: [&str; 5] = ["check_run", "check_suite", "merge_group", "pull_request", "push"];

type Decoded<T> = Result<T, Error<serde_json::Error>>;

/// The meaning of a delivery of a kind.
pub(super) fn decode(app: &AppIdentity, kind: &str, body: &[u8]) -> Decoded<Event> {
    let decodes = match kind {
        "ping" => return Ok(Event::Ping),
        "pull_request" => pull_request,
        "push" => push,
        "check_run" => check_run,
        "check_suite" => check_suite,
        "merge_group" => merge_group,
        "installation" | "installation_repositories" => installation,
        _ => return Ok(ignored(kind, None)),
    };
    let Envelope { action, installation } = parse(body)?;
    let what = ignored(kind, action.as_deref());
    // Without an installation there is no way to act on the repository: a webhook of a repository, not of an App.
    let Some(installation) = installation else {
        return Ok(Event::Ignored { what: format!("{kind} of no installation") });
    };
    let delivery =
        Delivery { app, action: action.unwrap_or_default(), access: Access(installation.id.to_string()), body };
    Ok(decodes(&delivery)?.unwrap_or(what))
}

struct Delivery<'a> {
    app: &'a AppIdentity,
    action: String,
    access: Access,
    body: &'a [u8],
}

impl Delivery<'_> {
    fn repository(&self, repository: RepositoryRef) -> Repository {
        Repository { name: repository.full_name, access: self.access.clone() }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Decoded<T> {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(body))
}

fn ignored(kind: &str, action: Option<&str>) -> Event {
    let clean = |text: &str| text.chars().filter(|c| !c.is_control()).take(64).collect::<String>();
    let what = match action {
        Some(action) => format!("{}.{}", clean(kind), clean(action)),
        None => clean(kind),
    };
    Event::Ignored { what }
}

fn pull_request(delivery: &Delivery<'_>) -> Decoded<Option<Event>> {
    let action = match delivery.action.as_str() {
        "opened" => PullRequestAction::Opened,
        "synchronize" => PullRequestAction::Pushed,
        "reopened" => PullRequestAction::Reopened,
        "ready_for_review" => PullRequestAction::Ready,
        "closed" => PullRequestAction::Closed,
        "edited" => PullRequestAction::BaseChanged,
        _ => return Ok(None),
    };
    let payload: PullRequestPayload = parse(delivery.body)?;
    let base_has_changed = payload.changes.is_some_and(|changes| changes.base.is_some());
    if action == PullRequestAction::BaseChanged && !base_has_changed {
        return Ok(None);
    }
    Ok(Some(Event::PullRequest(PullRequestEvent {
        repository: delivery.repository(payload.repository),
        number: payload.pull_request.number,
        action,
        base_branch: payload.pull_request.base.branch,
        head: payload.pull_request.head.sha,
        head_before: payload.before.and_then(commit),
    })))
}

fn push(delivery: &Delivery<'_>) -> Decoded<Option<Event>> {
    let payload: PushPayload = parse(delivery.body)?;
    let Some(branch) = branch(&payload.reference) else {
        return Ok(None);
    };
    let after = if payload.deleted == Some(true) { None } else { payload.after.and_then(commit) };
    let before = payload.before.and_then(commit);
    Ok(Some(Event::Push { repository: delivery.repository(payload.repository), branch, before, after }))
}

fn check_run(delivery: &Delivery<'_>) -> Decoded<Option<Event>> {
    if delivery.action != "rerequested" {
        return Ok(None);
    }
    let payload: CheckRunPayload = parse(delivery.body)?;
    Ok(rerequested(delivery, payload.check_run, payload.repository))
}

fn check_suite(delivery: &Delivery<'_>) -> Decoded<Option<Event>> {
    if delivery.action != "rerequested" {
        return Ok(None);
    }
    let payload: CheckSuitePayload = parse(delivery.body)?;
    Ok(rerequested(delivery, payload.check_suite, payload.repository))
}

fn rerequested(delivery: &Delivery<'_>, check: CheckRef, repository: RepositoryRef) -> Option<Event> {
    if check.app.is_some_and(|app| !app.may_be(delivery.app)) {
        return None;
    }
    // A commit can be the head of pull requests of forks into each other: only this repository's are asked about.
    let here = repository.id;
    let pull_requests = check.pull_requests.unwrap_or_default().into_iter().filter_map(|pull_request| {
        let there = pull_request.base.and_then(|base| base.repo).and_then(|repository| repository.id);
        (here.is_none() || there.is_none() || here == there).then_some(pull_request.number)
    });
    let pull_requests = pull_requests.collect();
    Some(Event::CheckRerequested { repository: delivery.repository(repository), head: check.head_sha, pull_requests })
}

fn merge_group(delivery: &Delivery<'_>) -> Decoded<Option<Event>> {
    let event = match delivery.action.as_str() {
        "checks_requested" => Event::MergeGroupRequested,
        "destroyed" => Event::MergeGroupDestroyed,
        _ => return Ok(None),
    };
    let MergeGroupPayload { merge_group, repository } = parse(delivery.body)?;
    let MergeGroupRef { head_sha: head, base_sha: base, base_ref: base_branch } = merge_group;
    Ok(Some(event(MergeGroup { repository: delivery.repository(repository), base_branch, base, head })))
}

fn installation(delivery: &Delivery<'_>) -> Decoded<Option<Event>> {
    let payload: InstallationPayload = parse(delivery.body)?;
    let change = match delivery.action.as_str() {
        "created" => InstallationChange::Created,
        "deleted" => InstallationChange::Deleted,
        "suspend" => InstallationChange::Suspended,
        "unsuspend" => InstallationChange::Resumed,
        "new_permissions_accepted" => InstallationChange::PermissionsAccepted,
        "added" | "removed" => InstallationChange::Repositories {
            added: names(payload.repositories_added),
            removed: names(payload.repositories_removed),
        },
        _ => return Ok(None),
    };
    let account = payload.installation.account.and_then(|account| account.login.or(account.slug)).unwrap_or_default();
    Ok(Some(Event::Installation { access: delivery.access.clone(), account, change }))
}

fn names(repositories: Option<Vec<NamedRepository>>) -> Vec<String> {
    repositories.unwrap_or_default().into_iter().map(|repository| repository.full_name).collect()
}

/// The branch a reference names. A merge queue's own branches are none: their commits come as merge groups.
fn branch(reference: &str) -> Option<BranchName> {
    let name = reference.strip_prefix("refs/heads/")?;
    if name.starts_with("gh-readonly-queue/") {
        return None;
    }
    name.parse().ok()
}

/// A commit, unless it is the one of zeros that stands for none.
fn commit(sha: String) -> Option<CommitSha> {
    if sha.bytes().all(|b| b == b'0') { None } else { CommitSha::try_from(sha).ok() }
}

impl AppRef {
    /// Whether it is ours as far as it says.
    pub(super) fn may_be(&self, ours: &AppIdentity) -> bool {
        match ours {
            AppIdentity::Id(id) => self.id.is_none_or(|theirs| theirs == *id),
            AppIdentity::ClientId(id) => self.client_id.as_ref().is_none_or(|theirs| theirs == id),
        }
    }
}

#[cfg(test)]
mod tests;
