//! Apps: made, installed, suspended, given other repositories.

use std::collections::BTreeSet;

use jsonwebtoken::DecodingKey;
use rsa::RsaPublicKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

use super::ActionError;
use crate::github_stand_in::bodies::{self, View, timestamp};
use crate::github_stand_in::events::Event;
use crate::github_stand_in::state::{
    AccountKind, App, AppId, GitHub, Installation, InstallationId, Permissions, RepositoryId, Selection, Webhook, now,
};

/// The events the merge gate needs; `installation*` come by themselves.
const GATE_EVENTS: [&str; 5] = ["check_run", "check_suite", "merge_group", "pull_request", "push"];

/// A GitHub App to be made.
#[derive(Clone, Debug)]
pub struct NewApp {
    /// Its name; its slug is made from it.
    pub name: String,
    /// Who makes it.
    pub owner: String,
    /// What it asks for.
    pub permissions: Permissions,
    /// The events it is told.
    pub events: Vec<String>,
    /// The half of its key that GitHub keeps.
    pub public_key: RsaPublicKey,
    /// What signs its webhooks.
    pub webhook_secret: String,
}

impl NewApp {
    /// An App with what the merge gate needs and no more.
    #[must_use]
    pub fn gate(name: &str, owner: &str, public_key: RsaPublicKey, webhook_secret: &str) -> Self {
        Self {
            name: name.to_owned(),
            owner: owner.to_owned(),
            permissions: Permissions::gate(),
            events: GATE_EVENTS.map(str::to_owned).to_vec(),
            public_key,
            webhook_secret: webhook_secret.to_owned(),
        }
    }
}

impl GitHub {
    /// Makes an App.
    pub fn create_app(&mut self, new: &NewApp) -> AppId {
        let id = AppId(self.ids.app());
        let slug = new.name.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let owner = self.organization_or_new(&new.owner);
        let bot = self.account_or(&format!("{slug}[bot]"), AccountKind::Bot);
        let (n, e) = (new.public_key.n().to_bytes_be(), new.public_key.e().to_bytes_be());
        let app = App {
            id,
            slug,
            name: new.name.clone(),
            client_id: format!("Iv23li{:014x}", id.0.wrapping_mul(0x9e37_79b9)),
            owner,
            bot,
            permissions: new.permissions.clone(),
            events: new.events.iter().cloned().collect(),
            webhook: Webhook { id: self.ids.small(), url: None, secret: new.webhook_secret.clone() },
            created_at: now(),
            public_key: DecodingKey::from_rsa_raw_components(&n, &e),
        };
        self.apps.insert(id, app);
        id
    }

    /// Says where an App's webhooks go, and pings it.
    ///
    /// # Errors
    /// There is no such App.
    pub fn set_webhook(&mut self, id: AppId, url: &str) -> Result<(), ActionError> {
        let app = self.apps.get_mut(&id).ok_or_else(|| ActionError::no_such("App", id))?;
        app.webhook.url = Some(url.to_owned());
        self.emit_ping(id);
        Ok(())
    }

    fn emit_ping(&mut self, id: AppId) {
        let Some(app) = self.app(id) else { return };
        let hook = json!({
            "type": "App",
            "id": app.webhook.id,
            "name": "web",
            "active": true,
            "events": app.events,
            "config": { "content_type": "json", "insecure_ssl": "0", "secret": "********", "url": app.webhook.url },
            "created_at": timestamp(app.created_at),
            "updated_at": timestamp(now()),
            "app_id": id.0,
            "deliveries_url": self.webhook_urls().api("app/hook/deliveries"),
        });
        let event = Event::new("ping", None, app.owner).with("zen", "Keep it logically awesome.".into());
        self.emit(event.with("hook_id", app.webhook.id.into()).with("hook", hook).owned_by(id));
    }

    /// Installs an App on an account.
    ///
    /// # Errors
    /// There is no such App.
    pub fn install(&mut self, app: AppId, account: &str, selection: Selection) -> Result<InstallationId, ActionError> {
        let id = self.install_silently(app, account, selection)?;
        let repositories = self.repositories_of(id).into_iter().map(|id| self.short_repository(id)).collect();
        self.emit_installation(id, "created", |event| event.with("repositories", repositories));
        Ok(id)
    }

    /// The same, as if it had been done before anyone listened.
    pub(crate) fn install_silently(
        &mut self,
        app: AppId,
        account: &str,
        selection: Selection,
    ) -> Result<InstallationId, ActionError> {
        let permissions = self.app(app).ok_or_else(|| ActionError::no_such("App", app))?.permissions.clone();
        let account = self.account_or_new(account);
        let id = InstallationId(self.ids.small());
        let (created_at, updated_at) = (now(), now());
        let installation =
            Installation { id, app, account, selection, permissions, suspended: None, created_at, updated_at };
        self.installations.insert(id, installation);
        Ok(id)
    }

    /// Uninstalls an App; its tokens are worth nothing from now on.
    ///
    /// # Errors
    /// There is no such installation.
    pub fn uninstall(&mut self, id: InstallationId) -> Result<(), ActionError> {
        self.installation(id).ok_or_else(|| ActionError::no_such("installation", id))?;
        let repositories = self.repositories_of(id).into_iter().map(|id| self.short_repository(id)).collect();
        self.emit_installation(id, "deleted", |event| event.with("repositories", repositories));
        self.installations.remove(&id);
        self.tokens.retain(|_, token| token.installation != id);
        Ok(())
    }

    /// Suspends an installation, or ends its suspension.
    ///
    /// # Errors
    /// There is no such installation.
    pub fn set_suspended(&mut self, id: InstallationId, suspended: bool) -> Result<(), ActionError> {
        let installation = self.installations.get_mut(&id).ok_or_else(|| ActionError::no_such("installation", id))?;
        installation.suspended = suspended.then_some((now(), installation.account));
        installation.updated_at = now();
        self.emit_installation(id, if suspended { "suspend" } else { "unsuspend" }, |event| event);
        Ok(())
    }

    /// Changes what an account has agreed to.
    ///
    /// # Errors
    /// There is no such installation.
    pub fn set_permissions(&mut self, id: InstallationId, permissions: Permissions) -> Result<(), ActionError> {
        let installation = self.installations.get_mut(&id).ok_or_else(|| ActionError::no_such("installation", id))?;
        (installation.permissions, installation.updated_at) = (permissions, now());
        self.emit_installation(id, "new_permissions_accepted", |event| event);
        Ok(())
    }

    /// Gives an installation that sees chosen repositories another choice.
    ///
    /// # Errors
    /// There is no such installation.
    pub fn select_repositories(
        &mut self,
        id: InstallationId,
        chosen: BTreeSet<RepositoryId>,
    ) -> Result<(), ActionError> {
        let before: BTreeSet<RepositoryId> = self.repositories_of(id).into_iter().collect();
        let installation = self.installations.get_mut(&id).ok_or_else(|| ActionError::no_such("installation", id))?;
        installation.selection = Selection::Selected(chosen.clone());
        installation.updated_at = now();
        let list = |ids: Vec<RepositoryId>| ids.into_iter().map(|id| self.short_repository(id)).collect::<Value>();
        let added = list(chosen.difference(&before).copied().collect());
        let removed = list(before.difference(&chosen).copied().collect());
        for (action, added, removed) in [("added", added, json!([])), ("removed", json!([]), removed)] {
            let told = if action == "added" { &added } else { &removed };
            if told.as_array().is_none_or(Vec::is_empty) {
                continue;
            }
            let fields = [
                ("repository_selection", json!("selected")),
                ("repositories_added", added),
                ("repositories_removed", removed),
                ("requester", Value::Null),
            ];
            self.emit_about(id, "installation_repositories", action, |event| {
                fields.into_iter().fold(event, |event, (name, value)| event.with(name, value))
            });
        }
        Ok(())
    }

    fn emit_installation(&mut self, id: InstallationId, action: &'static str, more: impl FnOnce(Event) -> Event) {
        self.emit_about(id, "installation", action, more);
    }

    fn emit_about(
        &mut self,
        id: InstallationId,
        name: &'static str,
        action: &'static str,
        more: impl FnOnce(Event) -> Event,
    ) {
        let Some(installation) = self.installation(id) else { return };
        let urls = self.webhook_urls();
        let body = bodies::installation(View { github: self, urls: &urls }, installation);
        let event = Event::new(name, Some(action), installation.account).of_installation(id);
        self.emit(more(event.with("installation", body)));
    }

    /// The repositories an installation sees.
    pub(crate) fn repositories_of(&self, id: InstallationId) -> Vec<RepositoryId> {
        let Some(installation) = self.installation(id) else { return Vec::new() };
        let all = self.repositories().map(|repository| repository.id);
        all.filter(|repository| self.covers(installation, *repository)).collect()
    }

    fn short_repository(&self, id: RepositoryId) -> Value {
        let Some(repository) = self.repository(id) else { return Value::Null };
        json!({
            "id": id.0,
            "node_id": bodies::node_id("Repository", id),
            "name": repository.name,
            "full_name": self.full_name(id),
            "private": repository.private,
        })
    }

    /// Every token of an installation is past its end from now on.
    pub fn expire_tokens(&mut self, id: InstallationId) {
        for token in self.tokens.values_mut().filter(|token| token.installation == id) {
            token.expires_at = now() - time::Duration::SECOND;
        }
    }

    /// How many requests an installation has left in this hour.
    pub fn set_requests_left(&mut self, id: InstallationId, left: u64) {
        let window = self.rate(id);
        window.used = window.limit.saturating_sub(left);
    }
}
