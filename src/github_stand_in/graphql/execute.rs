//! A valid query against the state.

use graphql_parser::Pos;
use graphql_parser::query::{Selection, TypeCondition, Value};
use serde_json::{Map, Value as Json, json};

use super::schema;
use super::validate::{Field, Fragments, Set, location, response_key};
use crate::github_stand_in::bodies::{node_id, timestamp};
use crate::github_stand_in::git::{ObjectKind, Oid, TreeEntry, is_binary};
use crate::github_stand_in::rest::{CONTENTS, Call, resolve};
use crate::github_stand_in::state::{GitHub, RateWindow, Repository, RepositoryId};

/// Something fields can be asked of.
#[derive(Clone)]
enum Node {
    Query,
    RateLimit,
    Repository(RepositoryId),
    Ref(RepositoryId, String, Oid),
    Object(RepositoryId, Oid, ObjectKind),
    Entry(RepositoryId, String, TreeEntry),
}

/// What a field gives.
enum Found {
    Leaf(Json),
    Node(Option<Node>),
    List(Vec<Node>),
    Error(&'static str, String),
}

/// One run of a query.
pub(super) struct Execution<'a> {
    pub(super) call: &'a Call,
    pub(super) github: &'a mut GitHub,
    pub(super) fragments: &'a Fragments<'a>,
    pub(super) variables: &'a Map<String, Json>,
    pub(super) rate: RateWindow,
    /// How many objects were looked at.
    pub(super) nodes: usize,
    pub(super) errors: Vec<Json>,
}

impl<'a> Execution<'a> {
    pub(super) fn run(&mut self, set: &'a Set) -> Json {
        self.select(&Node::Query, set, &mut Vec::new())
    }

    fn select(&mut self, node: &Node, set: &'a Set, path: &mut Vec<Json>) -> Json {
        let mut answer = Map::new();
        self.select_into(&mut answer, node, set, path);
        Json::Object(answer)
    }

    /// Recursion is bounded: the query has been validated, and its depth with it.
    fn select_into(&mut self, answer: &mut Map<String, Json>, node: &Node, set: &'a Set, path: &mut Vec<Json>) {
        for item in &set.items {
            match item {
                Selection::Field(field) => {
                    let key = response_key(field);
                    path.push(key.into());
                    let value = self.field(node, field, path);
                    path.pop();
                    match (answer.get_mut(key), value) {
                        (Some(Json::Object(known)), Json::Object(more)) => known.extend(more),
                        (_, value) => drop(answer.insert(key.to_owned(), value)),
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let to = fragment.type_condition.as_ref().map(|TypeCondition::On(to)| to.as_str());
                    if to.is_none_or(|to| schema::overlap(type_name(node), to)) {
                        self.select_into(answer, node, &fragment.selection_set, path);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.fragments.get(spread.fragment_name.as_str()) else { continue };
                    let TypeCondition::On(to) = &fragment.type_condition;
                    if schema::overlap(type_name(node), to) {
                        self.select_into(answer, node, &fragment.selection_set, path);
                    }
                }
            }
        }
    }

    fn field(&mut self, node: &Node, field: &'a Field, path: &mut Vec<Json>) -> Json {
        if field.name == "__typename" {
            return type_name(node).into();
        }
        let found = match node {
            Node::Query => self.query(field),
            Node::RateLimit => Found::Leaf(self.rate_limit(&field.name)),
            Node::Repository(id) => self.repository(*id, field),
            Node::Ref(id, name, target) => self.reference(*id, name, *target, &field.name),
            Node::Object(id, oid, kind) => self.object(*id, *oid, *kind, &field.name),
            Node::Entry(id, path, entry) => self.entry(*id, path, entry, &field.name),
        };
        match found {
            Found::Leaf(value) => value,
            Found::Node(None) => Json::Null,
            Found::Node(Some(node)) => {
                self.nodes += 1;
                self.select(&node, &field.selection_set, path)
            }
            Found::List(nodes) => {
                self.nodes += nodes.len();
                self.items(&nodes, &field.selection_set, path)
            }
            Found::Error(kind, message) => {
                self.error(kind, &message, path, field.position);
                Json::Null
            }
        }
    }

    fn items(&mut self, nodes: &[Node], set: &'a Set, path: &mut Vec<Json>) -> Json {
        let items = nodes.iter().enumerate().map(|(at, node)| {
            path.push(at.into());
            let item = self.select(node, set, path);
            path.pop();
            item
        });
        items.collect()
    }

    fn error(&mut self, kind: &str, message: &str, path: &[Json], at: Pos) {
        self.errors.push(json!({ "type": kind, "path": path, "locations": location(at), "message": message }));
    }

    fn argument(&self, field: &Field, name: &str) -> Option<String> {
        let (_, value) = field.arguments.iter().find(|(given, _)| *given == name)?;
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Variable(name) => self.variables.get(name)?.as_str().map(str::to_owned),
            _ => None,
        }
    }

    fn query(&mut self, field: &Field) -> Found {
        if field.name == "rateLimit" {
            return Found::Node(Some(Node::RateLimit));
        }
        let part = |name| self.argument(field, name).unwrap_or_default();
        let full_name = format!("{}/{}", part("owner"), part("name"));
        let found = self.github.repository_named(&full_name).map(|repository| repository.id);
        let seen = found.filter(|id| self.call.may(self.github, *id, super::METADATA).is_ok());
        let Some(id) = seen else {
            let text = format!("Could not resolve to a Repository with the name '{full_name}'.");
            return Found::Error("NOT_FOUND", text);
        };
        if let Some(repository) = self.github.repositories.get_mut(&id) {
            repository.count_read();
        }
        Found::Node(Some(Node::Repository(id)))
    }

    fn rate_limit(&self, name: &str) -> Json {
        match name {
            "cost" => 1.into(),
            "limit" => self.rate.limit.into(),
            "nodeCount" => self.nodes.into(),
            "remaining" => self.rate.remaining().into(),
            "used" => self.rate.used.into(),
            "resetAt" => timestamp(self.rate.resets_at).into(),
            _ => Json::Null,
        }
    }

    fn repository(&self, id: RepositoryId, field: &Field) -> Found {
        let Some(repository) = self.github.repository(id) else { return Found::Node(None) };
        match field.name.as_str() {
            "id" => Found::Leaf(node_id("Repository", id).into()),
            "databaseId" => Found::Leaf(id.0.into()),
            "name" => Found::Leaf(repository.name.as_str().into()),
            "nameWithOwner" => Found::Leaf(self.github.full_name(id).into()),
            "isPrivate" => Found::Leaf(repository.private.into()),
            "isFork" => Found::Leaf(repository.fork_of.is_some().into()),
            _ if self.call.may(self.github, id, CONTENTS).is_err() => {
                Found::Error("FORBIDDEN", "Resource not accessible by integration".to_owned())
            }
            "object" => self.named_object(repository, field),
            "defaultBranchRef" => Found::Node(branch(repository, &repository.default_branch)),
            _ => {
                let name = self.argument(field, "qualifiedName").unwrap_or_default();
                Found::Node(branch(repository, name.strip_prefix("refs/heads/").unwrap_or(&name)))
            }
        }
    }

    fn named_object(&self, repository: &Repository, field: &Field) -> Found {
        let oid = match (self.argument(field, "oid"), self.argument(field, "expression")) {
            (Some(oid), _) => match oid.parse() {
                Ok(oid) => Some(oid),
                Err(_) => {
                    let text = format!(
                        "Argument 'oid' on Field 'object' has an invalid value ({oid}). Expected type 'GitObjectID'."
                    );
                    return Found::Error("INVALID", text);
                }
            },
            (None, Some(expression)) => self.expression(repository, &expression),
            (None, None) => None,
        };
        Found::Node(oid.filter(|oid| repository.shows(*oid)).and_then(|oid| self.object_node(repository.id, oid)))
    }

    fn object_node(&self, id: RepositoryId, oid: Oid) -> Option<Node> {
        Some(Node::Object(id, oid, self.github.objects(id)?.kind(oid)?))
    }

    /// `revision` or `revision:path`; a revision is a commit, a tree, a branch or `HEAD`.
    fn expression(&self, repository: &Repository, text: &str) -> Option<Oid> {
        let (revision, path) = text.split_once(':').map_or((text, None), |(revision, path)| (revision, Some(path)));
        let revision = if revision == "HEAD" { repository.default_branch.as_str() } else { revision };
        let objects = self.github.objects(repository.id)?;
        let by_id = revision.parse::<Oid>().ok().filter(|oid| objects.kind(*oid).is_some());
        let named = by_id.or_else(|| resolve(self.github, repository, revision))?;
        match path {
            None => Some(named),
            Some(path) => objects.entry_at(objects.root(named)?, path).map(|entry| entry.oid),
        }
    }

    fn reference(&self, id: RepositoryId, name: &str, target: Oid, field: &str) -> Found {
        match field {
            "id" => Found::Leaf(node_id("Ref", format!("{id}:refs/heads/{name}")).into()),
            "name" => Found::Leaf(name.into()),
            "prefix" => Found::Leaf("refs/heads/".into()),
            _ => Found::Node(self.object_node(id, target)),
        }
    }

    fn object(&self, id: RepositoryId, oid: Oid, kind: ObjectKind, field: &str) -> Found {
        match (field, kind) {
            ("id", _) => Found::Leaf(node_id(kind_name(kind), format!("{id}:{oid}")).into()),
            ("oid", _) => Found::Leaf(oid.to_string().into()),
            ("abbreviatedOid", _) => Found::Leaf(oid.short().into()),
            (_, ObjectKind::Blob) => Found::Leaf(self.blob(id, oid, field)),
            (_, ObjectKind::Tree) => Found::List(self.tree(id, oid)),
            (_, ObjectKind::Commit) => self.commit(id, oid, field),
        }
    }

    fn blob(&self, id: RepositoryId, oid: Oid, field: &str) -> Json {
        let content = self.github.objects(id).and_then(|objects| objects.blob(oid)).cloned().unwrap_or_default();
        let limit = self.github.limits.graphql_text_bytes;
        match field {
            "byteSize" => content.len().into(),
            "isBinary" => is_binary(&content).into(),
            "isTruncated" => (content.len() > limit && !is_binary(&content)).into(),
            _ if is_binary(&content) => Json::Null,
            _ => {
                let text = String::from_utf8_lossy(content.get(..limit).unwrap_or(&content)).into_owned();
                // A character cut in the middle is left out.
                let text = if content.len() > limit { text.trim_end_matches('\u{fffd}') } else { &text };
                text.into()
            }
        }
    }

    fn tree(&self, id: RepositoryId, oid: Oid) -> Vec<Node> {
        let entries = self.github.objects(id).and_then(|objects| objects.tree(oid)).map(|tree| tree.entries());
        let entries = entries.unwrap_or_default().iter();
        entries.map(|entry| Node::Entry(id, entry.name.clone(), entry.clone())).collect()
    }

    fn commit(&self, id: RepositoryId, oid: Oid, field: &str) -> Found {
        let Some(commit) = self.github.objects(id).and_then(|objects| objects.commit(oid)) else {
            return Found::Node(None);
        };
        match field {
            "message" => Found::Leaf(commit.message.as_str().into()),
            "messageHeadline" => Found::Leaf(commit.message.lines().next().unwrap_or_default().into()),
            "committedDate" => Found::Leaf(timestamp(commit.committer.at).into()),
            _ => Found::Node(self.object_node(id, commit.tree)),
        }
    }

    fn entry(&self, id: RepositoryId, path: &str, entry: &TreeEntry, field: &str) -> Found {
        let size = || self.github.objects(id).and_then(|objects| objects.blob(entry.oid)).map_or(0, |blob| blob.len());
        match field {
            "name" => Found::Leaf(entry.name.as_str().into()),
            "path" => Found::Leaf(path.into()),
            "type" => Found::Leaf(entry.mode.object_kind().into()),
            "oid" => Found::Leaf(entry.oid.to_string().into()),
            "mode" => Found::Leaf(entry.mode.number().into()),
            "size" => Found::Leaf(size().into()),
            "extension" => {
                let extension = entry.name.rsplit_once('.').map(|(_, extension)| format!(".{extension}"));
                Found::Leaf(extension.unwrap_or_default().into())
            }
            _ => Found::Node(self.object_node(id, entry.oid)),
        }
    }
}

fn branch(repository: &Repository, name: &str) -> Option<Node> {
    let target = repository.seen_branches().get(name)?;
    Some(Node::Ref(repository.id, name.to_owned(), *target))
}

fn kind_name(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Blob => "Blob",
        ObjectKind::Tree => "Tree",
        ObjectKind::Commit => "Commit",
    }
}

fn type_name(node: &Node) -> &'static str {
    match node {
        Node::Query => "Query",
        Node::RateLimit => "RateLimit",
        Node::Repository(_) => "Repository",
        Node::Ref(..) => "Ref",
        Node::Object(_, _, kind) => kind_name(*kind),
        Node::Entry(..) => "TreeEntry",
    }
}
