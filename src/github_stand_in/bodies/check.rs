//! Check suites, check runs, annotations.

use serde_json::{Value, json};

use super::{View, app, node_id, repository, simple_commit, timestamp};
use crate::github_stand_in::git::Oid;
use crate::github_stand_in::state::{Annotation, CheckRun, CheckSuite, Pull, RepositoryId, suite_state};

/// The open pull requests of a commit as checks list them: those of forks are not seen.
fn pulls_of_head(view: View<'_>, id: RepositoryId, head: Oid) -> Value {
    let Some(found) = view.github.repository(id) else { return json!([]) };
    let of_head = found.pulls.values().filter(|pull| pull.is_open() && pull.head == head && !pull.is_from_fork());
    of_head.map(|pull| minimal_pull(view, pull)).collect()
}

fn minimal_pull(view: View<'_>, pull: &Pull) -> Value {
    let side = |id: RepositoryId, branch: &str, sha: Oid| {
        let name = view.github.full_name(id);
        let short = name.rsplit_once('/').map_or(name.as_str(), |(_, short)| short);
        let url = view.urls.api(&format!("repos/{name}"));
        json!({ "ref": branch, "sha": sha.to_string(), "repo": { "id": id.0, "url": url, "name": short } })
    };
    let name = view.github.full_name(pull.id.repository);
    json!({
        "id": pull.global_id,
        "number": pull.id.number,
        "url": view.urls.api(&format!("repos/{name}/pulls/{}", pull.id.number)),
        "head": side(pull.head_repository, &pull.head_branch, pull.head),
        "base": side(pull.id.repository, &pull.base_branch, pull.base),
    })
}

fn app_of(view: View<'_>, run: &CheckRun) -> Value {
    view.github.app(run.app).map_or(Value::Null, |found| app(view, found))
}

/// GitHub's `check-run`.
pub(crate) fn check_run(view: View<'_>, run: &CheckRun) -> Value {
    let name = view.github.full_name(run.repository);
    let url = view.urls.api(&format!("repos/{name}/check-runs/{}", run.id));
    let html = view.urls.html(&format!("{name}/runs/{}", run.id));
    json!({
        "id": run.id.0,
        "node_id": node_id("CheckRun", run.id),
        "name": run.name,
        "head_sha": run.head.to_string(),
        "external_id": run.external_id.clone().unwrap_or_default(),
        "url": url,
        "html_url": html,
        "details_url": run.details_url.clone().unwrap_or(html),
        "status": run.status.as_str(),
        "conclusion": run.conclusion.map(|conclusion| conclusion.as_str()),
        "started_at": timestamp(run.started_at),
        "completed_at": run.completed_at.map(timestamp),
        "output": {
            "title": run.output.title,
            "summary": run.output.summary,
            "text": run.output.text,
            "annotations_count": run.annotations.len(),
            "annotations_url": format!("{url}/annotations"),
        },
        "check_suite": { "id": run.suite.0 },
        "app": app_of(view, run),
        "pull_requests": pulls_of_head(view, run.repository, run.head),
    })
}

/// A check run as webhooks carry it: with its suite.
pub(crate) fn webhook_check_run(view: View<'_>, run: &CheckRun) -> Value {
    let mut body = check_run(view, run);
    let suite = view.github.suites.get(&run.suite).map(|suite| simple_suite(view, suite));
    if let (Some(fields), Some(suite)) = (body.as_object_mut(), suite) {
        fields.insert("check_suite".to_owned(), suite);
    }
    body
}

fn simple_suite(view: View<'_>, suite: &CheckSuite) -> Value {
    let name = view.github.full_name(suite.repository);
    let (status, conclusion) = suite_state(suite, &view.github.runs_of(suite.id));
    json!({
        "id": suite.id.0,
        "node_id": node_id("CheckSuite", suite.id),
        "head_branch": suite.head_branch,
        "head_sha": suite.head.to_string(),
        "status": status.as_str(),
        "conclusion": conclusion.map(|conclusion| conclusion.as_str()),
        "url": view.urls.api(&format!("repos/{name}/check-suites/{}", suite.id)),
        "before": suite.before.map(|oid| oid.to_string()),
        "after": suite.head.to_string(),
        "pull_requests": pulls_of_head(view, suite.repository, suite.head),
        "app": view.github.app(suite.app).map_or(Value::Null, |found| app(view, found)),
        "created_at": timestamp(suite.created_at),
        "updated_at": timestamp(suite.updated_at),
    })
}

/// GitHub's `check-suite`.
pub(crate) fn check_suite(view: View<'_>, suite: &CheckSuite) -> Value {
    let mut body = webhook_check_suite(view, suite);
    let home = view.github.repository(suite.repository).map(|found| repository(view, found));
    if let (Some(fields), Some(home)) = (body.as_object_mut(), home) {
        fields.insert("repository".to_owned(), home);
    }
    body
}

/// A check suite as webhooks carry it.
pub(crate) fn webhook_check_suite(view: View<'_>, suite: &CheckSuite) -> Value {
    let mut body = simple_suite(view, suite);
    let name = view.github.full_name(suite.repository);
    let more = json!({
        "head_commit": simple_commit(view, suite.repository, suite.head),
        "latest_check_runs_count": view.github.runs_of(suite.id).len(),
        "check_runs_url": view.urls.api(&format!("repos/{name}/check-suites/{}/check-runs", suite.id)),
        "rerequestable": true,
        "runs_rerequestable": true,
    });
    if let (Some(fields), Value::Object(more)) = (body.as_object_mut(), more) {
        fields.extend(more);
    }
    body
}

/// GitHub's `check-annotation`.
pub(crate) fn annotation(view: View<'_>, run: &CheckRun, annotation: &Annotation) -> Value {
    let name = view.github.full_name(run.repository);
    let path = super::change::escape_path(&annotation.path);
    json!({
        "path": annotation.path,
        "blob_href": view.urls.html(&format!("{name}/blob/{}/{path}", run.head)),
        "start_line": annotation.start_line,
        "end_line": annotation.end_line,
        "start_column": annotation.start_column,
        "end_column": annotation.end_column,
        "annotation_level": annotation.level.as_str(),
        "title": annotation.title,
        "message": annotation.message,
        "raw_details": annotation.raw_details,
    })
}
