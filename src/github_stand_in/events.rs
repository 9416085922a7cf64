//! What Apps are told: each event becomes one delivery for each App that may and wants to know it.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::bodies::{self, View};
use super::git::{self, Oid};
use super::state::{
    Access, AccountId, AccountKind, AppId, Delivery, DeliveryId, DeliveryState, GitHub, Installation, InstallationId,
    RepositoryId, now,
};

/// GitHub sends nothing larger, and says nothing about it.
const PAYLOAD_LIMIT_BYTES: usize = 25 * 1024 * 1024;

/// A push lists no more commits.
const PUSHED_COMMIT_LIMIT: usize = 2048;

/// Something that happened.
pub(crate) struct Event {
    name: &'static str,
    action: Option<&'static str>,
    repository: Option<RepositoryId>,
    sender: AccountId,
    fields: Map<String, Value>,
    audience: Audience,
}

/// Who is told.
enum Audience {
    /// Every App that sees the repository, has the permission and wants the event.
    Subscribers,
    /// One App, because the thing is its own.
    Owner(AppId),
    /// One App, about one of its installations; nobody can unsubscribe from these.
    Installation(InstallationId),
}

impl Event {
    pub(crate) fn new(name: &'static str, action: Option<&'static str>, sender: AccountId) -> Self {
        Self { name, action, repository: None, sender, fields: Map::new(), audience: Audience::Subscribers }
    }

    pub(crate) fn in_repository(mut self, repository: RepositoryId) -> Self {
        self.repository = Some(repository);
        self
    }

    pub(crate) fn owned_by(mut self, app: AppId) -> Self {
        self.audience = Audience::Owner(app);
        self
    }

    pub(crate) fn of_installation(mut self, installation: InstallationId) -> Self {
        self.audience = Audience::Installation(installation);
        self
    }

    pub(crate) fn with(mut self, field: &str, value: Value) -> Self {
        self.fields.insert(field.to_owned(), value);
        self
    }
}

/// The permission an App needs to be told of an event.
fn permission(event: &str) -> Option<&'static str> {
    match event {
        "pull_request" => Some("pull_requests"),
        "push" => Some("contents"),
        "check_run" | "check_suite" => Some("checks"),
        "merge_group" => Some("merge_queues"),
        _ => None,
    }
}

impl GitHub {
    /// Queues a delivery for everyone who is to be told.
    pub(crate) fn emit(&mut self, event: Event) {
        for (app, installation) in self.audience(&event) {
            let payload = self.payload(&event, installation);
            if payload.len() > PAYLOAD_LIMIT_BYTES {
                continue;
            }
            let guid = Uuid::now_v7().to_string();
            for copy in 0..=self.delivery_control.extra_copies {
                let id = DeliveryId(self.ids.large());
                self.deliveries.push(Delivery {
                    id,
                    guid: guid.clone(),
                    app,
                    event: event.name.to_owned(),
                    action: event.action.map(str::to_owned),
                    installation,
                    repository: event.repository,
                    redelivery: copy > 0,
                    payload: payload.clone(),
                    request_headers: Vec::new(),
                    created_at: now(),
                    state: DeliveryState::Pending,
                });
            }
        }
    }

    fn audience(&self, event: &Event) -> Vec<(AppId, Option<InstallationId>)> {
        match event.audience {
            Audience::Owner(app) => {
                let through = event.repository.and_then(|repository| self.installation_on(app, repository));
                vec![(app, through.map(|installation| installation.id))]
            }
            Audience::Installation(id) => {
                self.installation(id).map(|installation| (installation.app, Some(id))).into_iter().collect()
            }
            Audience::Subscribers => {
                let told = self.installations.values().filter(|installation| self.is_told(installation, event));
                told.map(|installation| (installation.app, Some(installation.id))).collect()
            }
        }
    }

    fn is_told(&self, installation: &Installation, event: &Event) -> bool {
        let permitted = permission(event.name).is_none_or(|name| installation.permissions.allow(name, Access::Read));
        // Suites come by themselves with `checks: write`.
        let implied = event.name == "check_suite" && installation.permissions.allow("checks", Access::Write);
        let wanted = self.app(installation.app).is_some_and(|app| app.events.contains(event.name));
        let sees = event.repository.is_some_and(|repository| self.covers(installation, repository));
        installation.suspended.is_none() && permitted && sees && (wanted || implied)
    }

    fn payload(&self, event: &Event, installation: Option<InstallationId>) -> Bytes {
        let urls = self.webhook_urls();
        let view = View { github: self, urls: &urls };
        let mut body = Map::new();
        if let Some(action) = event.action {
            body.insert("action".to_owned(), action.into());
        }
        body.extend(event.fields.clone());
        if let Some(repository) = event.repository.and_then(|id| self.repository(id)) {
            let shape = if event.name == "push" { bodies::push_repository } else { bodies::repository };
            body.insert("repository".to_owned(), shape(view, repository));
            let owner = self.account(repository.owner).filter(|owner| owner.kind == AccountKind::Organization);
            if let Some(owner) = owner {
                body.insert("organization".to_owned(), bodies::organization(view, owner));
            }
        }
        body.insert("sender".to_owned(), bodies::account_by_id(view, event.sender));
        if let Some(id) = installation.filter(|_| !body.contains_key("installation")) {
            let node_id = bodies::node_id("IntegrationInstallation", id);
            body.insert("installation".to_owned(), json!({ "id": id.0, "node_id": node_id }));
        }
        serde_json::to_vec(&body).unwrap_or_default().into()
    }

    /// A branch went from one commit to another (`None`: it is new, or gone).
    pub(crate) fn emit_push(&mut self, push: &Push) {
        let fields = self.push_fields(push);
        let event = Event::new("push", None, push.by).in_repository(push.repository);
        self.emit(Event { fields, ..event });
    }

    fn push_fields(&self, push: &Push) -> Map<String, Value> {
        let urls = self.webhook_urls();
        let view = View { github: self, urls: &urls };
        let commits = self.pushed_commits(push);
        let shown: Vec<Value> = commits
            .iter()
            .map(|oid| bodies::push_commit(view, push.repository, *oid, &self.changes_of(push.repository, *oid)))
            .collect();
        let name = self.full_name(push.repository);
        let text = |oid: Option<Oid>| oid.unwrap_or(Oid::ZERO).to_string();
        let range = match push.before {
            Some(before) => format!("{}...{}", before.short(), push.after.unwrap_or(Oid::ZERO).short()),
            None => push.after.unwrap_or(Oid::ZERO).short(),
        };
        let head = push
            .after
            .map(|oid| bodies::push_commit(view, push.repository, oid, &self.changes_of(push.repository, oid)));
        let pusher = self.account(push.by);
        let fields = json!({
            "ref": format!("refs/heads/{}", push.branch),
            "before": text(push.before),
            "after": text(push.after),
            "created": push.before.is_none(),
            "deleted": push.after.is_none(),
            "forced": push.forced,
            "base_ref": null,
            "compare": view.urls.html(&format!("{name}/compare/{range}")),
            "commits": shown,
            "head_commit": head,
            "pusher": { "name": pusher.map(|p| p.login.as_str()), "email": pusher.map(|p| p.email()) },
        });
        if let Value::Object(fields) = fields { fields } else { Map::new() }
    }

    /// What the branch has and had not before; a new branch: what no other branch has.
    fn pushed_commits(&self, push: &Push) -> Vec<Oid> {
        let (Some(objects), Some(after)) = (self.objects(push.repository), push.after) else { return Vec::new() };
        let branches = self.repository(push.repository).map(|home| &home.branches).into_iter().flatten();
        let others = branches.filter(|(name, _)| **name != push.branch).map(|(_, oid)| *oid);
        let known: Vec<Oid> = push.before.map_or_else(|| others.collect(), |before| vec![before]);
        let mut commits = git::between(objects, &known, after);
        commits.truncate(PUSHED_COMMIT_LIMIT);
        commits
    }
}

/// A branch that moved.
pub(crate) struct Push {
    pub(crate) repository: RepositoryId,
    pub(crate) branch: String,
    pub(crate) before: Option<Oid>,
    pub(crate) after: Option<Oid>,
    pub(crate) forced: bool,
    pub(crate) by: AccountId,
}
