//! Users, organizations and bots.

use serde_json::{Value, json};

use super::{View, node_id};
use crate::github_stand_in::state::{Account, AccountId};

/// GitHub's `simple-user`.
pub(crate) fn account(view: View<'_>, account: &Account) -> Value {
    let login = &account.login;
    let api = |rest: &str| view.urls.api(&format!("users/{login}{rest}"));
    json!({
        "login": login,
        "id": account.id.0,
        "node_id": node_id(account.kind.as_str(), account.id),
        "avatar_url": view.urls.html(&format!("avatars/u/{}", account.id)),
        "gravatar_id": "",
        "url": api(""),
        "html_url": view.urls.html(login),
        "followers_url": api("/followers"),
        "following_url": api("/following{/other_user}"),
        "gists_url": api("/gists{/gist_id}"),
        "starred_url": api("/starred{/owner}{/repo}"),
        "subscriptions_url": api("/subscriptions"),
        "organizations_url": api("/orgs"),
        "repos_url": api("/repos"),
        "events_url": api("/events{/privacy}"),
        "received_events_url": api("/received_events"),
        "type": account.kind.as_str(),
        "user_view_type": "public",
        "site_admin": false,
    })
}

/// The same, by number; `null` when there is none.
pub(crate) fn account_by_id(view: View<'_>, id: AccountId) -> Value {
    view.github.account(id).map_or(Value::Null, |found| account(view, found))
}

/// GitHub's `organization-simple`.
pub(crate) fn organization(view: View<'_>, account: &Account) -> Value {
    let login = &account.login;
    let api = |rest: &str| view.urls.api(&format!("orgs/{login}{rest}"));
    json!({
        "login": login,
        "id": account.id.0,
        "node_id": node_id("Organization", account.id),
        "url": api(""),
        "repos_url": api("/repos"),
        "events_url": api("/events"),
        "hooks_url": api("/hooks"),
        "issues_url": api("/issues"),
        "members_url": api("/members{/member}"),
        "public_members_url": api("/public_members{/member}"),
        "avatar_url": view.urls.html(&format!("avatars/u/{}", account.id)),
        "description": null,
    })
}
