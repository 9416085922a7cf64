//! Apps, installations, webhook deliveries.

use serde_json::{Map, Value, json};

use super::{View, account_by_id, node_id, timestamp};
use crate::github_stand_in::state::{AccountKind, App, Delivery, Installation, Outcome, Permissions, Selection};

/// GitHub's `integration`.
pub(crate) fn app(view: View<'_>, app: &App) -> Value {
    json!({
        "id": app.id.0,
        "slug": app.slug,
        "node_id": node_id("App", app.id),
        "client_id": app.client_id,
        "owner": account_by_id(view, app.owner),
        "name": app.name,
        "description": "",
        "external_url": view.urls.html(&format!("apps/{}", app.slug)),
        "html_url": view.urls.html(&format!("apps/{}", app.slug)),
        "created_at": timestamp(app.created_at),
        "updated_at": timestamp(app.created_at),
        "permissions": permissions(&app.permissions),
        "events": app.events,
    })
}

/// Permissions by name.
pub(crate) fn permissions(granted: &Permissions) -> Value {
    let named = granted.0.iter().map(|(name, access)| (name.clone(), Value::from(access.as_str())));
    Value::Object(named.collect::<Map<_, _>>())
}

/// GitHub's `installation`.
pub(crate) fn installation(view: View<'_>, installation: &Installation) -> Value {
    let app = view.github.app(installation.app);
    let owner = view.github.account(installation.account);
    let organization = owner.is_some_and(|owner| owner.kind == AccountKind::Organization);
    let login = view.github.login(installation.account);
    let page = if organization { format!("organizations/{login}/settings") } else { "settings".to_owned() };
    let path = format!("app/installations/{}", installation.id);
    json!({
        "id": installation.id.0,
        "client_id": app.map(|app| &app.client_id),
        "account": account_by_id(view, installation.account),
        "repository_selection": if installation.selection == Selection::All { "all" } else { "selected" },
        "access_tokens_url": view.urls.api(&format!("{path}/access_tokens")),
        "repositories_url": view.urls.api("installation/repositories"),
        "html_url": view.urls.html(&format!("{page}/installations/{}", installation.id)),
        "app_id": installation.app.0,
        "app_slug": app.map(|app| &app.slug),
        "target_id": installation.account.0,
        "target_type": if organization { "Organization" } else { "User" },
        "permissions": permissions(&installation.permissions),
        "events": app.map(|app| &app.events),
        "created_at": timestamp(installation.created_at),
        "updated_at": timestamp(installation.updated_at),
        "single_file_name": null,
        "has_multiple_single_files": false,
        "single_file_paths": [],
        "suspended_by": installation.suspended.map_or(Value::Null, |(_, by)| account_by_id(view, by)),
        "suspended_at": installation.suspended.map(|(at, _)| timestamp(at)),
    })
}

/// GitHub's `hook-delivery-item`.
pub(crate) fn delivery_item(delivery: &Delivery, outcome: &Outcome) -> Value {
    json!({
        "id": delivery.id.0,
        "guid": delivery.guid,
        "delivered_at": timestamp(outcome.delivered_at),
        "redelivery": delivery.redelivery,
        "duration": outcome.duration.as_millis() as f64 / 1000.0,
        "status": outcome.status,
        "status_code": outcome.status_code,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": delivery.installation.map(|id| id.0),
        "repository_id": delivery.repository.map(|id| id.0),
        "throttled_at": null,
    })
}

/// GitHub's `hook-delivery`.
pub(crate) fn delivery(view: View<'_>, delivery: &Delivery, outcome: &Outcome) -> Value {
    let headers = |headers: &[(String, String)]| -> Value {
        headers.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect::<Map<_, _>>().into()
    };
    let url = view.github.app(delivery.app).and_then(|app| app.webhook.url.clone());
    let mut body = delivery_item(delivery, outcome);
    if let Some(fields) = body.as_object_mut() {
        fields.insert("url".to_owned(), json!(url.unwrap_or_default()));
        let request = json!({ "headers": headers(&delivery.request_headers), "payload": delivery.json() });
        let response = json!({ "headers": headers(&outcome.response_headers), "payload": outcome.response_body });
        fields.insert("request".to_owned(), request);
        fields.insert("response".to_owned(), response);
    }
    body
}
