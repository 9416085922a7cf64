//! Our own small payloads in, events out; then everything odd that can be made of them.

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
    for reference in ["refs/tags/v1", "refs/notes/x", "refs/heads/", "main", "refs/heads/gh-readonly-queue/main/pr-1-a"]
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
    let group =
        MergeGroup { repository: repository(), base_branch: "main".parse().unwrap(), base: sha("1"), head: sha("d") };
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
        serde_json::Value::Array(list) => list.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
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
    for kind in ["status", "issues", "release", "repository", "workflow_run", "star", "deployment", "create", "delete"]
    {
        assert!(!reads(kind), "{kind} is decoded but not asked for");
    }
}
