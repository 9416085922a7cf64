//! Repositories and branches.

use serde_json::{Map, Value, json};

use super::{View, account_by_id, commit, node_id, timestamp};
use crate::github_stand_in::git::Oid;
use crate::github_stand_in::state::{Protection, Repository};

/// The addresses of a repository's parts, by field.
const PARTS: &[(&str, &str)] = &[
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
    ("url", ""),
];

/// GitHub's `repository`, which `minimal-repository` is a part of.
pub(crate) fn repository(view: View<'_>, repository: &Repository) -> Value {
    let full_name = view.github.full_name(repository.id);
    let forks = view.github.repositories().filter(|other| other.fork_of == Some(repository.id)).count();
    let open_pulls = repository.pulls.values().filter(|pull| pull.is_open()).count();
    let html = view.urls.html(&full_name);
    let mut body = json!({
        "id": repository.id.0,
        "node_id": node_id("Repository", repository.id),
        "name": repository.name,
        "full_name": full_name,
        "private": repository.private,
        "owner": account_by_id(view, repository.owner),
        "html_url": html,
        "description": repository.description,
        "fork": repository.fork_of.is_some(),
        "git_url": format!("git{}.git", html.trim_start_matches("https").trim_start_matches("http")),
        "ssh_url": format!("git@stand-in.invalid:{full_name}.git"),
        "clone_url": format!("{html}.git"),
        "svn_url": html,
        "forks_count": forks,
        "open_issues_count": open_pulls,
        "visibility": if repository.private { "private" } else { "public" },
        "forks": forks,
        "open_issues": open_pulls,
        "default_branch": repository.default_branch,
        "created_at": timestamp(repository.created_at),
        "updated_at": timestamp(repository.pushed_at),
        "pushed_at": timestamp(repository.pushed_at),
    });
    add(&mut body, constants());
    add(
        &mut body,
        PARTS.iter().map(|(field, part)| (*field, view.urls.api(&format!("repos/{full_name}{part}")).into())),
    );
    body
}

/// What is the same for every repository here.
fn constants() -> Vec<(&'static str, Value)> {
    let zero = ["stargazers_count", "watchers_count", "watchers"].map(|field| (field, json!(0)));
    let none = ["mirror_url", "homepage", "license"].map(|field| (field, Value::Null));
    let yes = ["has_issues", "has_projects", "has_downloads", "allow_forking"].map(|field| (field, json!(true)));
    let no = ["has_wiki", "has_pages", "has_discussions", "archived", "disabled", "is_template"];
    let no = no.into_iter().chain(["web_commit_signoff_required"]).map(|field| (field, json!(false)));
    let other = [("language", json!("HCL")), ("topics", json!([])), ("size", json!(108))];
    zero.into_iter().chain(none).chain(yes).chain(no).chain(other).collect()
}

/// GitHub's `full-repository`.
pub(crate) fn full_repository(view: View<'_>, found: &Repository) -> Value {
    let mut body = repository(view, found);
    let network = view.github.repositories().filter(|other| other.network == found.network).count();
    add(&mut body, [("subscribers_count", json!(1)), ("network_count", json!(network - 1))]);
    if let Some(parent) = found.fork_of.and_then(|parent| view.github.repository(parent)) {
        let parent = repository(view, parent);
        add(&mut body, [("parent", parent.clone()), ("source", parent)]);
    }
    body
}

/// A repository as a push carries it: times as numbers, and an owner with name and address.
pub(crate) fn push_repository(view: View<'_>, found: &Repository) -> Value {
    let mut body = repository(view, found);
    let owner = view.github.account(found.owner);
    if let Some(fields) = body.get_mut("owner").and_then(Value::as_object_mut) {
        fields.insert("name".to_owned(), json!(owner.map(|owner| &owner.login)));
        fields.insert("email".to_owned(), Value::Null);
    }
    add(
        &mut body,
        [
            ("created_at", json!(found.created_at.unix_timestamp())),
            ("pushed_at", json!(found.pushed_at.unix_timestamp())),
            ("stargazers", json!(0)),
            ("master_branch", json!(found.default_branch)),
        ],
    );
    body
}

fn add<'a>(body: &mut Value, fields: impl IntoIterator<Item = (&'a str, Value)>) {
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
    if let Some(object) = body.as_object_mut() {
        object.extend(fields);
    }
}

/// GitHub's `branch-with-protection`.
pub(crate) fn branch_commit(view: View<'_>, repository: &Repository, branch: &str, head: Oid) -> Value {
    let full_name = view.github.full_name(repository.id);
    let protection = repository.protection(branch);
    let url = view.urls.api(&format!("repos/{full_name}/branches/{branch}"));
    json!({
        "name": branch,
        "commit": commit(view, repository.id, head),
        "_links": { "self": url, "html": view.urls.html(&format!("{full_name}/tree/{branch}")) },
        "protected": protection.is_some(),
        "protection": protection_body(protection),
        "protection_url": format!("{url}/protection"),
    })
}

/// What a branch says about its required checks.
fn protection_body(protection: Option<&Protection>) -> Value {
    let required = protection.map(|protection| protection.required_checks.as_slice()).unwrap_or_default();
    let contexts: Vec<&str> = required.iter().map(|check| check.name.as_str()).collect();
    let checks: Vec<Value> =
        required.iter().map(|check| json!({ "context": check.name, "app_id": check.app.map(|app| app.0) })).collect();
    let level = if required.is_empty() { "off" } else { "non_admins" };
    let mut body = Map::new();
    body.insert("enabled".to_owned(), json!(protection.is_some()));
    body.insert(
        "required_status_checks".to_owned(),
        json!({ "enforcement_level": level, "contexts": contexts, "checks": checks }),
    );
    Value::Object(body)
}
