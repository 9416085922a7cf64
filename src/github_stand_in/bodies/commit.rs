//! Commits, in the five shapes GitHub has for them.

use serde_json::{Value, json};

use super::{View, account, change, node_id, timestamp};
use crate::github_stand_in::git::{Change, ChangeKind, Commit, Oid, Patch, Person};
use crate::github_stand_in::state::RepositoryId;

fn find<'a>(view: View<'a>, repository: RepositoryId, oid: Oid) -> Option<&'a Commit> {
    view.github.objects(repository)?.commit(oid)
}

fn person(person: &Person) -> Value {
    json!({ "name": person.name, "email": person.email, "date": timestamp(person.at) })
}

/// The account behind an address, if there is one.
fn account_of(view: View<'_>, person: &Person) -> Value {
    let found = view.github.accounts.values().find(|account| account.email() == person.email);
    found.map_or(Value::Null, |found| account(view, found))
}

fn unsigned() -> Value {
    json!({ "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null })
}

/// GitHub's `commit`.
pub(crate) fn commit(view: View<'_>, repository: RepositoryId, oid: Oid) -> Value {
    let Some(commit) = find(view, repository, oid) else { return Value::Null };
    let name = view.github.full_name(repository);
    let api = |rest: String| view.urls.api(&format!("repos/{name}/{rest}"));
    let parents: Vec<Value> = commit.parents.iter().map(|parent| link(view, &name, "commits", *parent)).collect();
    json!({
        "sha": oid.to_string(),
        "node_id": node_id("Commit", oid),
        "url": api(format!("commits/{oid}")),
        "html_url": view.urls.html(&format!("{name}/commit/{oid}")),
        "comments_url": api(format!("commits/{oid}/comments")),
        "commit": {
            "url": api(format!("git/commits/{oid}")),
            "author": person(&commit.author),
            "committer": person(&commit.committer),
            "message": commit.message,
            "tree": { "sha": commit.tree.to_string(), "url": api(format!("git/trees/{}", commit.tree)) },
            "comment_count": 0,
            "verification": unsigned(),
        },
        "author": account_of(view, &commit.author),
        "committer": account_of(view, &commit.committer),
        "parents": parents,
    })
}

fn link(view: View<'_>, name: &str, kind: &str, oid: Oid) -> Value {
    json!({
        "sha": oid.to_string(),
        "url": view.urls.api(&format!("repos/{name}/{kind}/{oid}")),
        "html_url": view.urls.html(&format!("{name}/commit/{oid}")),
    })
}

/// The same with what it changed.
pub(crate) fn commit_with_changes(
    view: View<'_>,
    repository: RepositoryId,
    oid: Oid,
    changes: &[(Change, Option<Patch>)],
) -> Value {
    let mut body = commit(view, repository, oid);
    let count = |of: fn(&Patch) -> u32| changes.iter().filter_map(|(_, patch)| patch.as_ref()).map(of).sum::<u32>();
    let (additions, deletions) = (count(|patch| patch.additions), count(|patch| patch.deletions));
    let files: Vec<Value> =
        changes.iter().map(|(changed, patch)| change(view, repository, oid, changed, patch.as_ref())).collect();
    if let Some(fields) = body.as_object_mut() {
        let total = additions + deletions;
        fields.insert("stats".to_owned(), json!({ "additions": additions, "deletions": deletions, "total": total }));
        fields.insert("files".to_owned(), Value::Array(files));
    }
    body
}

/// GitHub's `git-commit`.
pub(crate) fn git_commit(view: View<'_>, repository: RepositoryId, oid: Oid) -> Value {
    let Some(commit) = find(view, repository, oid) else { return Value::Null };
    let name = view.github.full_name(repository);
    let api = |rest: String| view.urls.api(&format!("repos/{name}/{rest}"));
    let parents: Vec<Value> = commit.parents.iter().map(|parent| link(view, &name, "git/commits", *parent)).collect();
    json!({
        "sha": oid.to_string(),
        "node_id": node_id("Commit", oid),
        "url": api(format!("git/commits/{oid}")),
        "html_url": view.urls.html(&format!("{name}/commit/{oid}")),
        "author": person(&commit.author),
        "committer": person(&commit.committer),
        "tree": { "sha": commit.tree.to_string(), "url": api(format!("git/trees/{}", commit.tree)) },
        "message": commit.message,
        "parents": parents,
        "verification": unsigned(),
    })
}

/// GitHub's `simple-commit`.
pub(crate) fn simple_commit(view: View<'_>, repository: RepositoryId, oid: Oid) -> Value {
    let Some(commit) = find(view, repository, oid) else { return Value::Null };
    let named = |person: &Person| json!({ "name": person.name, "email": person.email });
    json!({
        "id": oid.to_string(),
        "tree_id": commit.tree.to_string(),
        "message": commit.message,
        "timestamp": timestamp(commit.committer.at),
        "author": named(&commit.author),
        "committer": named(&commit.committer),
    })
}

/// A commit as a push lists it.
pub(crate) fn push_commit(view: View<'_>, repository: RepositoryId, oid: Oid, changes: &[Change]) -> Value {
    let Some(commit) = find(view, repository, oid) else { return Value::Null };
    let name = view.github.full_name(repository);
    let who = |person: &Person| {
        let known = view.github.accounts.values().find(|account| account.email() == person.email);
        let username = known.map_or(person.name.as_str(), |account| &account.login);
        json!({ "name": person.name, "email": person.email, "username": username, "date": timestamp(person.at) })
    };
    let of = |kinds: &[ChangeKind]| -> Vec<&str> {
        changes.iter().filter(|change| kinds.contains(&change.kind)).map(|change| change.path.as_str()).collect()
    };
    let moved = changes.iter().filter_map(|change| change.previous_path.as_ref()).map(|path| path.as_str());
    let removed: Vec<&str> = of(&[ChangeKind::Removed]).into_iter().chain(moved).collect();
    json!({
        "id": oid.to_string(),
        "tree_id": commit.tree.to_string(),
        "distinct": true,
        "message": commit.message,
        "timestamp": timestamp(commit.committer.at),
        "url": view.urls.html(&format!("{name}/commit/{oid}")),
        "author": who(&commit.author),
        "committer": who(&commit.committer),
        "added": of(&[ChangeKind::Added, ChangeKind::Renamed]),
        "removed": removed,
        "modified": of(&[ChangeKind::Modified]),
    })
}
