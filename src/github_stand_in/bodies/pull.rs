//! Pull requests.

use serde_json::{Value, json};

use super::{View, account_by_id, node_id, repository, timestamp};
use crate::github_stand_in::gate::{Gate, MergeState};
use crate::github_stand_in::git::{Change, Oid, Patch};
use crate::github_stand_in::state::{Pull, RepositoryId};

/// GitHub's `pull-request-simple`.
pub(crate) fn simple_pull(view: View<'_>, pull: &Pull) -> Value {
    let name = view.github.full_name(pull.id.repository);
    let number = pull.id.number;
    let pulls = view.urls.api(&format!("repos/{name}/pulls/{number}"));
    let issue = view.urls.api(&format!("repos/{name}/issues/{number}"));
    let statuses = view.urls.api(&format!("repos/{name}/statuses/{}", pull.head));
    let html = view.urls.html(&format!("{name}/pull/{number}"));
    let merge_commit = pull.merged.map(|merged| merged.commit).or(pull.test_merge);
    let of_owner = view.github.repository(pull.id.repository).is_some_and(|base| base.owner == pull.author);
    json!({
        "id": pull.global_id,
        "node_id": node_id("PullRequest", pull.global_id),
        "number": number,
        "url": pulls,
        "html_url": html,
        "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"),
        "issue_url": issue,
        "commits_url": format!("{pulls}/commits"),
        "review_comments_url": format!("{pulls}/comments"),
        "review_comment_url": view.urls.api(&format!("repos/{name}/pulls/comments{{/number}}")),
        "comments_url": format!("{issue}/comments"),
        "statuses_url": statuses,
        "state": pull.state.as_str(),
        "locked": false,
        "active_lock_reason": null,
        "title": pull.title,
        "body": pull.body,
        "user": account_by_id(view, pull.author),
        "labels": [],
        "milestone": null,
        "assignee": null,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "created_at": timestamp(pull.created_at),
        "updated_at": timestamp(pull.updated_at),
        "closed_at": pull.closed_at.map(timestamp),
        "merged_at": pull.merged.map(|merged| timestamp(merged.at)),
        "merge_commit_sha": merge_commit.map(|oid| oid.to_string()),
        "draft": pull.draft,
        "auto_merge": null,
        "author_association": if of_owner { "OWNER" } else { "CONTRIBUTOR" },
        "head": side(view, pull.head_repository, &pull.head_branch, pull.head),
        "base": side(view, pull.id.repository, &pull.base_branch, pull.base),
        "_links": links(view, pull),
    })
}

fn links(view: View<'_>, pull: &Pull) -> Value {
    let name = view.github.full_name(pull.id.repository);
    let number = pull.id.number;
    let api = |rest: String| json!({ "href": view.urls.api(&format!("repos/{name}/{rest}")) });
    json!({
        "self": api(format!("pulls/{number}")),
        "html": { "href": view.urls.html(&format!("{name}/pull/{number}")) },
        "issue": api(format!("issues/{number}")),
        "comments": api(format!("issues/{number}/comments")),
        "review_comments": api(format!("pulls/{number}/comments")),
        "review_comment": api("pulls/comments{/number}".to_owned()),
        "commits": api(format!("pulls/{number}/commits")),
        "statuses": api(format!("statuses/{}", pull.head)),
    })
}

fn side(view: View<'_>, id: RepositoryId, branch: &str, sha: Oid) -> Value {
    let Some(found) = view.github.repository(id) else { return Value::Null };
    json!({
        "label": format!("{}:{branch}", view.github.login(found.owner)),
        "ref": branch,
        "sha": sha.to_string(),
        "user": account_by_id(view, found.owner),
        "repo": repository(view, found),
    })
}

/// GitHub's `pull-request`: with what merging it would mean.
pub(crate) fn pull(
    view: View<'_>,
    pull: &Pull,
    gate: &Gate,
    commits: usize,
    changes: &[(Change, Option<Patch>)],
) -> Value {
    let mut body = simple_pull(view, pull);
    let count = |of: fn(&Patch) -> u32| changes.iter().filter_map(|(_, patch)| patch.as_ref()).map(of).sum::<u32>();
    let can_merge = pull.is_open().then_some(gate.state != MergeState::Dirty);
    let more = json!({
        "merged": pull.merged.is_some(),
        "mergeable": can_merge,
        "rebaseable": can_merge,
        "mergeable_state": if pull.is_open() { gate.state.as_str() } else { "unknown" },
        "merged_by": pull.merged.map_or(Value::Null, |merged| account_by_id(view, merged.by)),
        "comments": 0,
        "review_comments": 0,
        "maintainer_can_modify": pull.is_from_fork(),
        "commits": commits,
        "additions": count(|patch| patch.additions),
        "deletions": count(|patch| patch.deletions),
        "changed_files": changes.len(),
    });
    if let (Some(fields), Value::Object(more)) = (body.as_object_mut(), more) {
        fields.extend(more);
    }
    body
}
