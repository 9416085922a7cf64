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
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const US: AppIdentity = AppIdentity::Id(4242);

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../../../fixtures/deliveries/github/", $name, ".json"))
        };
    }

    fn event(kind: &str, body: &str) -> Event {
        decode(&US, kind, body.as_bytes()).unwrap()
    }

    fn changed(body: &str, pointer: &str, value: serde_json::Value) -> String {
        let mut json: serde_json::Value = serde_json::from_str(body).unwrap();
        *json.pointer_mut(pointer).unwrap() = value;
        json.to_string()
    }

    fn what(event: Event) -> String {
        match event {
            Event::Ignored { what } => what,
            other => panic!("{other:?}"),
        }
    }

    fn sha(digit: &str) -> CommitSha {
        digit.repeat(40).parse().unwrap()
    }

    fn repository() -> Repository {
        Repository { name: "octo-org/infra".parse().unwrap(), access: Access("1001".to_owned()) }
    }

    #[test]
    fn a_pull_request_is_opened_pushed_to_and_closed() {
        let opened = fixture!("pull_request.opened");
        let expected = PullRequestEvent {
            repository: repository(),
            number: 7,
            action: PullRequestAction::Opened,
            base_branch: "release/1.x".parse().unwrap(),
            head: sha("a"),
            head_before: None,
        };
        assert_eq!(event("pull_request", opened), Event::PullRequest(expected.clone()));
        for (action, meaning) in [
            ("reopened", PullRequestAction::Reopened),
            ("ready_for_review", PullRequestAction::Ready),
            ("closed", PullRequestAction::Closed),
        ] {
            let expected = PullRequestEvent { action: meaning, ..expected.clone() };
            assert_eq!(event("pull_request", &changed(opened, "/action", action.into())), Event::PullRequest(expected));
        }
        let pushed = PullRequestEvent { action: PullRequestAction::Pushed, head_before: Some(sha("9")), ..expected };
        assert_eq!(event("pull_request", fixture!("pull_request.synchronize")), Event::PullRequest(pushed));
    }

    #[test]
    fn an_edit_counts_when_the_base_branch_has_changed() {
        let edited = fixture!("pull_request.edited");
        match event("pull_request", edited) {
            Event::PullRequest(event) => assert_eq!(event.action, PullRequestAction::BaseChanged),
            other => panic!("{other:?}"),
        }
        let title_only = changed(edited, "/changes", serde_json::json!({"title": {"from": "old"}}));
        assert_eq!(what(event("pull_request", &title_only)), "pull_request.edited");
    }

    #[test]
    fn pushes_to_branches_count_and_to_tags_do_not() {
        let body = fixture!("push");
        let pushed =
            |before, after| Event::Push { repository: repository(), branch: "main".parse().unwrap(), before, after };
        assert_eq!(event("push", body), pushed(Some(sha("1")), Some(sha("2"))));
        let none = "0".repeat(40);
        assert_eq!(event("push", &changed(body, "/before", none.clone().into())), pushed(None, Some(sha("2"))));
        assert_eq!(event("push", &changed(body, "/after", none.into())), pushed(Some(sha("1")), None));
        assert_eq!(event("push", &changed(body, "/deleted", true.into())), pushed(Some(sha("1")), None));
        for reference in
            ["refs/tags/v1", "refs/notes/x", "refs/heads/", "main", "refs/heads/gh-readonly-queue/main/pr-1-a"]
        {
            assert_eq!(what(event("push", &changed(body, "/ref", reference.into()))), "push", "{reference}");
        }
    }

    #[test]
    fn only_our_own_checks_are_run_again() {
        for (kind, body) in
            [("check_run", fixture!("check_run.rerequested")), ("check_suite", fixture!("check_suite.rerequested"))]
        {
            let ours = Event::CheckRerequested { repository: repository(), head: sha("a"), pull_requests: vec![7] };
            assert_eq!(event(kind, body), ours);
            let others = changed(body, &format!("/{kind}/app/id"), 1.into());
            assert_eq!(what(event(kind, &others)), format!("{kind}.rerequested"));
            assert_eq!(what(event(kind, &changed(body, "/action", "completed".into()))), format!("{kind}.completed"));
            let unnamed = changed(body, &format!("/{kind}/app"), serde_json::Value::Null);
            assert_eq!(event(kind, &unnamed), ours);

            let by_client_id = |id: &str| decode(&AppIdentity::ClientId(id.to_owned()), kind, body.as_bytes()).unwrap();
            assert_eq!(by_client_id("Iv23liOurOwnClient"), ours);
            assert_eq!(what(by_client_id("Iv23liSomebodyElse")), format!("{kind}.rerequested"));
        }
    }

    #[test]
    fn a_merge_group_is_asked_for_and_destroyed() {
        let body = fixture!("merge_group.checks_requested");
        let group = MergeGroup {
            repository: repository(),
            base_branch: "main".parse().unwrap(),
            base: sha("1"),
            head: sha("d"),
        };
        assert_eq!(event("merge_group", body), Event::MergeGroupRequested(group.clone()));
        let destroyed = changed(body, "/action", "destroyed".into());
        assert_eq!(event("merge_group", &destroyed), Event::MergeGroupDestroyed(group));
        assert_eq!(what(event("merge_group", &changed(body, "/action", "new".into()))), "merge_group.new");
    }

    #[test]
    fn the_life_of_an_installation() {
        let body = fixture!("installation.created");
        let happened =
            |change| Event::Installation { access: Access("1001".to_owned()), account: "octo-org".to_owned(), change };
        for (action, change) in [
            ("created", InstallationChange::Created),
            ("deleted", InstallationChange::Deleted),
            ("suspend", InstallationChange::Suspended),
            ("unsuspend", InstallationChange::Resumed),
            ("new_permissions_accepted", InstallationChange::PermissionsAccepted),
        ] {
            assert_eq!(event("installation", &changed(body, "/action", action.into())), happened(change));
        }
        let repositories = InstallationChange::Repositories {
            added: vec!["octo-org/new".to_owned()],
            removed: vec!["octo-org/old".to_owned()],
        };
        let body = fixture!("installation_repositories.added");
        assert_eq!(event("installation_repositories", body), happened(repositories));
        let enterprise = changed(body, "/installation/account", serde_json::json!({"slug": "acme"}));
        assert!(matches!(event("installation_repositories", &enterprise),
            Event::Installation { account, .. } if account == "acme"));
    }

    #[test]
    fn what_is_nothing_to_us_is_named_and_never_an_error() {
        assert_eq!(event("ping", "{}"), Event::Ping);
        assert_eq!(event("ping", "no json"), Event::Ping);
        assert_eq!(what(event("star", "no json")), "star");
        assert_eq!(what(event("pull_request", r#"{"action":"a\u0007b","installation":{"id":1}}"#)), "pull_request.ab");
        let of_a_repository_hook = changed(fixture!("pull_request.opened"), "/installation", serde_json::Value::Null);
        assert_eq!(what(event("pull_request", &of_a_repository_hook)), "pull_request of no installation");
    }

    #[test]
    fn what_is_not_as_github_describes_it_names_the_place() {
        let opened = fixture!("pull_request.opened");
        let fails = |body: &str| decode(&US, "pull_request", body.as_bytes()).unwrap_err().path().to_string();
        assert_eq!(fails(&changed(opened, "/pull_request/head/sha", "main".into())), "pull_request.head.sha");
        assert_eq!(fails(&changed(opened, "/repository/full_name", "../x".into())), "repository.full_name");
        assert_eq!(fails(&changed(opened, "/pull_request/number", "7".into())), "pull_request.number");
        for broken in ["", "[]", "{", "nul", "\u{0}", &"[".repeat(100_000), &r#"{"a":"#.repeat(100_000)] {
            assert!(decode(&US, "push", broken.as_bytes()).is_err());
        }
        assert!(decode(&US, "push", b"{\"installation\":{\"id\":1},\"ref\":\"\xff\"}").is_err());
    }

    /// Every place of a payload, as a JSON pointer.
    fn places(value: &serde_json::Value, here: &str, found: &mut Vec<String>) {
        let children: Vec<(String, &serde_json::Value)> = match value {
            serde_json::Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
            serde_json::Value::Array(list) => {
                list.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
            }
            _ => Vec::new(),
        };
        for (key, child) in children {
            let place = format!("{here}/{key}");
            places(child, &place, found);
            found.push(place);
        }
    }

    #[test]
    fn no_payload_however_odd_does_harm() {
        for (kind, body) in [
            ("pull_request", fixture!("pull_request.edited")),
            ("push", fixture!("push")),
            ("check_run", fixture!("check_run.rerequested")),
            ("check_suite", fixture!("check_suite.rerequested")),
            ("merge_group", fixture!("merge_group.checks_requested")),
            ("installation", fixture!("installation.created")),
            ("installation_repositories", fixture!("installation_repositories.added")),
        ] {
            for end in 0..body.trim_end().len() {
                assert!(decode(&US, kind, &body.as_bytes()[..end]).is_err(), "{kind} cut at {end}");
            }
            let mut found = Vec::new();
            places(&serde_json::from_str(body).unwrap(), "", &mut found);
            let odd = [serde_json::Value::Null, true.into(), (-1).into(), 1e300.into(), "\u{0}../..".into()];
            for place in &found {
                for value in odd.iter().cloned().chain([serde_json::json!([]), serde_json::json!({})]) {
                    // Whatever comes out, nothing panics and an error names its place.
                    if let Err(error) = decode(&US, kind, changed(body, place, value).as_bytes()) {
                        assert!(!error.path().to_string().is_empty());
                    }
                }
            }
        }
    }

    #[test]
    fn the_manifest_asks_for_the_events_that_are_decoded_and_least_permissions() {
        #[derive(serde::Deserialize)]
        struct Manifest {
            default_events: Vec<String>,
            default_permissions: BTreeMap<String, String>,
        }
        let manifest: Manifest = serde_json::from_str(include_str!("../../../../app-manifest.json")).unwrap();
        assert_eq!(manifest.default_events, SUBSCRIBED);
        let permissions: Vec<_> = manifest.default_permissions.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let least = [
            ("checks", "write"),
            ("contents", "read"),
            ("merge_queues", "read"),
            ("metadata", "read"),
            ("pull_requests", "read"),
        ];
        assert_eq!(permissions, least);
        // A decoded event reads its body; one that is not is ignored unread.
        let reads = |kind: &str| decode(&US, kind, b"no json").is_err();
        assert!(SUBSCRIBED.iter().all(|kind| reads(kind)));
        for kind in
            ["status", "issues", "release", "repository", "workflow_run", "star", "deployment", "create", "delete"]
        {
            assert!(!reads(kind), "{kind} is decoded but not asked for");
        }
    }
}
