//! Commits and comparisons.

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal, Reply};
use super::call::{CONTENTS, Call, resolve};
use super::paging::Page;
use crate::github_stand_in::bodies;
use crate::github_stand_in::git::{self, Oid};
use crate::github_stand_in::state::{GitHub, Repository, RepositoryId};

/// `GET /repos/{owner}/{repo}/commits/{ref}`
pub(crate) fn get(call: &Call, github: &mut GitHub) -> Answer {
    let id = call.repository(github, CONTENTS)?;
    let repository = github.repository(id).ok_or_else(Refusal::not_found)?;
    let text = call.param("ref")?;
    let missing = || Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, format!("No commit found for SHA: {text}"));
    let oid = resolve(github, repository, text).ok_or_else(missing)?;
    let objects = github.objects(id).ok_or_else(Refusal::not_found)?;
    let changes = github.changes_of(id, oid).into_iter();
    let changes: Vec<_> =
        changes.map(|change| (git::patch_of(objects, &change), change)).map(|(p, c)| (c, p)).collect();
    call.ok(github, |view| bodies::commit_with_changes(view, id, oid, &changes))
}

/// `GET /repos/{owner}/{repo}/git/commits/{commit_sha}`
pub(crate) fn git_commit(call: &Call, github: &mut GitHub) -> Answer {
    let id = call.repository(github, CONTENTS)?;
    let repository = github.repository(id).ok_or_else(Refusal::not_found)?;
    let oid: Oid = call.param("commit_sha")?.parse().map_err(|_| Refusal::not_found())?;
    let oid = resolve(github, repository, &oid.to_string()).ok_or_else(Refusal::not_found)?;
    call.ok(github, |view| bodies::git_commit(view, id, oid))
}

/// `GET /repos/{owner}/{repo}/compare/{basehead}`
pub(crate) fn compare(call: &Call, github: &mut GitHub) -> Answer {
    let id = call.repository(github, CONTENTS)?;
    let repository = github.repository(id).ok_or_else(Refusal::not_found)?;
    let basehead = call.param("basehead")?;
    let (base, head) = basehead.split_once("...").ok_or_else(Refusal::not_found)?;
    let base = side(github, repository, base).ok_or_else(Refusal::not_found)?;
    let head = side(github, repository, head).ok_or_else(Refusal::not_found)?;
    let objects = github.objects(id).ok_or_else(Refusal::not_found)?;
    let unrelated = || Refusal::new(StatusCode::NOT_FOUND, "No common ancestor between the two commits.");
    let compared = git::compare(objects, base, head).ok_or_else(unrelated)?;
    let page = Page::of(call);
    // Unpaged, a comparison has more commits than a page.
    let paged = call.query("page").is_some() || call.query("per_page").is_some();
    let (total, behind, merge_base) = (compared.ahead.len(), compared.behind, compared.merge_base);
    let shown = if paged {
        page.cut(compared.ahead)
    } else {
        let skipped = total.saturating_sub(github.limits.compare_commits);
        compared.ahead.into_iter().skip(skipped).collect()
    };
    let link = paged.then(|| page.link(call, github, total)).flatten();
    let mut body = call.view(github, |view| {
        let name = github.full_name(id);
        let html = view.urls.html(&format!("{name}/compare/{basehead}"));
        json!({
            "url": view.urls.api(&format!("repos/{name}/compare/{basehead}")),
            "html_url": html,
            "permalink_url": view.urls.html(&format!("{name}/compare/{}...{}", base.short(), head.short())),
            "diff_url": format!("{html}.diff"),
            "patch_url": format!("{html}.patch"),
            "base_commit": bodies::commit(view, id, base),
            "merge_base_commit": bodies::commit(view, id, merge_base),
            "status": status(total, behind),
            "ahead_by": total,
            "behind_by": behind,
            "total_commits": total,
            "commits": shown.into_iter().map(|oid| bodies::commit(view, id, oid)).collect::<Value>(),
        })
    });
    if page.is_first() {
        let files = files(call, github, id, merge_base, head);
        body.as_object_mut().map(|fields| fields.insert("files".to_owned(), files));
    }
    Ok(Reply::ok(&body).linked(link))
}

/// One side: a commit or branch, or `owner:branch` of a repository of the same network.
fn side(github: &GitHub, repository: &Repository, text: &str) -> Option<Oid> {
    let Some((owner, branch)) = text.split_once(':') else { return resolve(github, repository, text) };
    let owner = github.account_named(owner)?.id;
    let other = github.repositories().find(|other| other.owner == owner && other.network == repository.network)?;
    resolve(github, other, branch)
}

fn status(ahead: usize, behind: usize) -> &'static str {
    match (ahead, behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        _ => "diverged",
    }
}

/// The changed files are on the first page alone, and no more than so many.
fn files(call: &Call, github: &GitHub, id: RepositoryId, merge_base: Oid, head: Oid) -> Value {
    let mut changes = github.patched_changes(id, merge_base, head);
    changes.truncate(github.limits.compare_files);
    call.view(github, |view| {
        changes.iter().map(|(change, patch)| bodies::change(view, id, head, change, patch.as_ref())).collect()
    })
}
