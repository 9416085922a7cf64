//! The App, its installations, its webhook's deliveries.

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal, Reply};
use super::call::{Call, METADATA};
use super::paging::{self, Page};
use crate::github_stand_in::bodies;
use crate::github_stand_in::state::{Delivery, DeliveryId, GitHub, InstallationId, Outcome};

/// `GET /app`
pub(crate) fn get(call: &Call, github: &mut GitHub) -> Answer {
    let id = call.app()?;
    let app = github.app(id).ok_or_else(Refusal::not_found)?;
    let count = github.installations.values().filter(|installation| installation.app == id).count();
    call.ok(github, |view| {
        let mut body = bodies::app(view, app);
        body.as_object_mut().map(|fields| fields.insert("installations_count".to_owned(), count.into()));
        body
    })
}

/// `GET /app/installations`
pub(crate) fn installations(call: &Call, github: &mut GitHub) -> Answer {
    let app = call.app()?;
    let items: Vec<_> = github.installations.values().filter(|installation| installation.app == app).collect();
    call.view(github, |view| paging::list(call, github, items, |item| listed(bodies::installation(view, item))))
}

/// In this list GitHub's description wants an account to be a user and an enterprise at once.
fn listed(mut installation: Value) -> Value {
    let created_at = installation.get("created_at").cloned().unwrap_or_default();
    if let Some(account) = installation.get_mut("account").and_then(Value::as_object_mut) {
        let login = account.get("login").cloned().unwrap_or_default();
        let more =
            [("name", login.clone()), ("slug", login), ("description", Value::Null), ("website_url", Value::Null)];
        account.extend(more.map(|(name, value)| (name.to_owned(), value)));
        account.extend(["created_at", "updated_at"].map(|name| (name.to_owned(), created_at.clone())));
    }
    installation
}

/// `GET /app/installations/{installation_id}`
pub(crate) fn installation(call: &Call, github: &mut GitHub) -> Answer {
    let app = call.app()?;
    let id = InstallationId(call.number("installation_id")?);
    let found = github.installation(id).filter(|found| found.app == app).ok_or_else(Refusal::not_found)?;
    call.ok(github, |view| bodies::installation(view, found))
}

/// `GET /repos/{owner}/{repo}/installation`
pub(crate) fn of_repository(call: &Call, github: &mut GitHub) -> Answer {
    let app = call.app()?;
    let full_name = format!("{}/{}", call.param("owner")?, call.param("repo")?);
    let repository = github.repository_named(&full_name).ok_or_else(Refusal::not_found)?.id;
    let found = github.installation_on(app, repository).ok_or_else(Refusal::not_found)?;
    call.ok(github, |view| bodies::installation(view, found))
}

/// `GET /installation/repositories`
pub(crate) fn repositories(call: &Call, github: &mut GitHub) -> Answer {
    let token = call.token()?;
    let all = github.repositories_of(token.installation).into_iter();
    let seen = all.filter(|id| call.may(github, *id, METADATA).is_ok()).filter_map(|id| github.repository(id));
    let seen: Vec<_> = seen.collect();
    call.view(github, |view| {
        paging::counted(call, github, "repositories", seen, |found| bodies::repository(view, found))
    })
}

/// `GET /rate_limit`
pub(crate) fn rate_limit(call: &Call, github: &mut GitHub) -> Answer {
    let installation = call.token()?.installation;
    let window = *github.rate(installation);
    let shown = json!({
        "limit": window.limit,
        "used": window.used,
        "remaining": window.remaining(),
        "reset": window.resets_at.unix_timestamp(),
    });
    let search = json!({ "limit": 30, "used": 0, "remaining": 30, "reset": window.resets_at.unix_timestamp() });
    Ok(Reply::ok(&json!({ "resources": { "core": shown, "graphql": shown, "search": search }, "rate": shown })))
}

/// `GET /app/hook/deliveries`
pub(crate) fn deliveries(call: &Call, github: &mut GitHub) -> Answer {
    let app = call.app()?;
    let status = call.query("status");
    let wanted = |outcome: &Outcome| match status {
        Some("success") => outcome.is_ok(),
        Some("failure") => !outcome.is_ok(),
        _ => true,
    };
    let before = match call.query("cursor") {
        None => u64::MAX,
        Some(text) => cursor(text).ok_or_else(|| Refusal::new(StatusCode::BAD_REQUEST, "Invalid cursor"))?,
    };
    let mut sent: Vec<(&Delivery, &Outcome)> = github
        .deliveries()
        .iter()
        .filter(|delivery| delivery.app == app && delivery.id.0 < before)
        .filter_map(|delivery| Some((delivery, delivery.outcome()?)))
        .filter(|(_, outcome)| wanted(outcome))
        .collect();
    sent.sort_by_key(|(delivery, _)| std::cmp::Reverse(delivery.id));
    let size = Page::of(call).size();
    let shown: Vec<_> = sent.iter().take(size).collect();
    let link = shown.last().filter(|_| sent.len() > size).map(|(last, _)| {
        format!("<{}>; rel=\"next\"", paging::address(call, github, "cursor", &format!("v1_{}", last.id)))
    });
    let body: Value = shown.into_iter().map(|(delivery, outcome)| bodies::delivery_item(delivery, outcome)).collect();
    Ok(Reply::ok(&body).linked(link))
}

fn cursor(text: &str) -> Option<u64> {
    text.strip_prefix("v1_")?.parse().ok()
}

/// `GET /app/hook/deliveries/{delivery_id}`
pub(crate) fn delivery(call: &Call, github: &mut GitHub) -> Answer {
    let (found, outcome) = sent_delivery(call, github)?;
    call.ok(github, |view| bodies::delivery(view, found, outcome))
}

/// `POST /app/hook/deliveries/{delivery_id}/attempts`
pub(crate) fn redeliver(call: &Call, github: &mut GitHub) -> Answer {
    let id = sent_delivery(call, github)?.0.id;
    github.redeliver(id).map_err(|_| Refusal::not_found())?;
    Ok(Reply::json(StatusCode::ACCEPTED, &json!({})))
}

fn sent_delivery<'a>(call: &Call, github: &'a GitHub) -> Result<(&'a Delivery, &'a Outcome), Refusal> {
    let app = call.app()?;
    let id = DeliveryId(call.number("delivery_id")?);
    let found = github.deliveries().iter().find(|delivery| delivery.id == id && delivery.app == app);
    found.and_then(|delivery| Some((delivery, delivery.outcome()?))).ok_or_else(Refusal::not_found)
}
