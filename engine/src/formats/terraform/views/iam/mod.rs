//! `iam_policy`: a policy document of AWS, whoever carries it and however it is written.
//!
//! Fields: `kind` (`identity`, `trust`, `bucket`, `key`, …), `statements[]` (`sid`, `effect`, `actions`, `not_actions`,
//! `resources`, `not_resources`, `principals[]` and `not_principals[]` of `{ type, id }`, `conditions[]` of
//! `{ operator, key, values }`), `owner`. What a data source renders belongs to the resources that use it; one that
//! nothing here uses stands for itself.

mod carriers;
mod statements;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::network::{joined, nodes};
use super::{derived, field, with_entry};
use crate::formats::terraform::eval::{one_of, reason};
use crate::formats::terraform::values::document::Draft;
use crate::resource::{Data, FileTable, ListKind, Reason, ReasonKind, Reference, Resource, Value};
use carriers::carriers;

/// The name of the virtual resource.
const TYPE: &str = "iam_policy";

/// The view of the resource that carries one document: its statements, for policies that come by a link.
const VIEW: &str = "statements";

/// The data source that renders documents.
const DATA: &str = "data.aws_iam_policy_document";

/// Deepest chain of documents that are made of other documents.
const CHAIN_LIMIT: usize = 16;

/// Adds the policies of all documents of a unit.
pub(super) fn add(resources: &mut Vec<Resource>, files: &FileTable) {
    let mut made = Vec::new();
    let mut reader = Reader { files, resources, sources: HashMap::new(), read: HashMap::new(), used: HashSet::new() };
    for (index, resource) in resources.iter().enumerate() {
        if &*resource.type_name == DATA {
            reader.sources.insert(&resource.address, index);
        }
    }
    let mut views = Vec::new();
    for (index, resource) in resources.iter().enumerate() {
        let carriers = carriers(&resource.type_name);
        for carrier in carriers {
            for (document, part) in reader.at(&resource.attributes, carrier.path) {
                if let Some(statements) = reader.statements(&document, 0) {
                    if carriers.len() == 1 {
                        views.push((index, statements.clone()));
                    }
                    made.push(policy(resource, carrier.kind, &document, statements, &part));
                }
            }
        }
    }
    let addresses: Vec<&Resource> = resources.iter().filter(|resource| &*resource.type_name == DATA).collect();
    let own: Vec<(&Resource, Value)> =
        addresses.into_iter().filter_map(|resource| Some((resource, reader.source(&resource.address, 0)?))).collect();
    for (resource, statements) in own {
        if !reader.used.contains(&*resource.address) {
            made.push(policy(resource, kind_of(&statements), &resource.attributes, statements, ""));
        }
    }
    for (index, statements) in views {
        if let Some(resource) = resources.get_mut(index) {
            resource.attributes = with_entry(&resource.attributes, VIEW, statements);
        }
    }
    resources.append(&mut made);
}

fn policy(owner: &Resource, kind: &str, node: &Value, statements: Value, part: &str) -> Resource {
    let kind = Value::text(kind, owner.header);
    derived(owner, TYPE, node, part, [("kind", kind), ("statements", statements)])
}

/// What a document speaks of that nobody here uses: one with principals is attached to something.
fn kind_of(statements: &Value) -> &'static str {
    let Some(list) = statements.as_list() else { return "identity" };
    let any = |name: &str| list.items.iter().any(|statement| field(statement, name).is_some());
    let assumes = |action: &Value| action.as_text().is_some_and(|text| text.starts_with("sts:AssumeRole"));
    let actions = list.items.iter().filter_map(|statement| field(statement, "actions")?.as_list());
    match (any("principals") || any("not_principals"), actions.flat_map(|list| &list.items).any(assumes)) {
        (false, _) => "identity",
        (true, true) => "trust",
        (true, false) => "resource",
    }
}

struct Reader<'r> {
    files: &'r FileTable,
    resources: &'r [Resource],
    sources: HashMap<&'r str, usize>,
    /// The statements of data sources; `None` while they are read.
    read: HashMap<Arc<str>, Option<Value>>,
    used: HashSet<Arc<str>>,
}

impl<'r> Reader<'r> {
    /// The documents at a path through blocks, each with what it is called.
    fn at(&self, node: &Value, path: &[&str]) -> Vec<(Value, String)> {
        match path {
            [] => Vec::new(),
            [last] => field(node, last).map(|value| (value.clone(), (*last).to_owned())).into_iter().collect(),
            [block, rest @ ..] => {
                let blocks = field(node, block).map(|blocks| nodes(blocks, block)).unwrap_or_default();
                let below = |(node, called): (Value, String)| {
                    self.at(&node, rest).into_iter().map(move |(value, part)| (value, format!("{called}.{part}")))
                };
                blocks.into_iter().flat_map(below).collect()
            }
        }
    }

    /// The statements of a value that holds a document; `None` when it holds none.
    fn statements(&mut self, value: &Value, chain: usize) -> Option<Value> {
        if let Some(document) = value.notes().and_then(|notes| notes.document.as_ref()) {
            return Some(
                statements::of_json(document).unwrap_or_else(|| unreadable(value, "the text is no policy document")),
            );
        }
        let rendered = |reference: &&Reference| matches!(&*reference.attribute, "json" | "minified_json");
        let reference = value.references().iter().filter(rendered).find(|one| self.sources.contains_key(&*one.address));
        if let Some(reference) = reference {
            let address = Arc::clone(&reference.address);
            self.used.insert(Arc::clone(&address));
            return self.source(&address, chain);
        }
        match value.data() {
            Data::Null => None,
            Data::Text(text) if text.trim().is_empty() => None,
            Data::Text(text) => {
                let mut draft = Draft::default();
                draft.push(text);
                let file = self.files.get(value.span().file);
                let written = file.map(|file| file.slice(value.span().range())).unwrap_or_default();
                let read = draft.read(written, value.span()).and_then(|document| statements::of_json(&document));
                Some(read.unwrap_or_else(|| unreadable(value, "the text is no policy document")))
            }
            Data::Map(_) => statements::of_json(value),
            Data::OneOf(alternatives) => {
                let lists: Vec<Value> = alternatives.iter().filter_map(|one| self.statements(one, chain)).collect();
                let choice = reason(value)?;
                if lists.len() < alternatives.len() {
                    // One of them is no document at all: the statements of the others may not be there.
                    let perhaps = |list: Value| list.noted(|notes| notes.maybe = Some(choice.clone()));
                    return Some(joined(&lists.into_iter().map(perhaps).map(Some).collect::<Vec<_>>(), value.span()));
                }
                Some(one_of(lists, choice, value.span()))
            }
            _ => Some(value.clone()),
        }
    }

    /// The statements of a data source: those it is made from, its own, those that override them.
    fn source(&mut self, address: &Arc<str>, chain: usize) -> Option<Value> {
        if let Some(read) = self.read.get(address) {
            return read.clone();
        }
        let resource = self.resources.get(*self.sources.get(&**address)?)?;
        if chain >= CHAIN_LIMIT {
            let subject = format!("a document made of more than {CHAIN_LIMIT} others, one from the other");
            return Some(Value::unknown(
                Reason::new(ReasonKind::Limit, subject, Some(resource.header)),
                resource.header,
            ));
        }
        self.read.insert(Arc::clone(address), None);
        let own = field(&resource.attributes, "statement").map(statements::of_blocks);
        let before = self.parts(resource, ["source_json", "source_policy_documents"], chain);
        let after = self.parts(resource, ["override_json", "override_policy_documents"], chain);
        let merged = if before.is_empty() && after.is_empty() {
            own.unwrap_or_else(|| Value::list(ListKind::Blocks, Vec::new(), resource.header))
        } else {
            let later = own.into_iter().chain(after);
            later.fold(joined(&before.into_iter().map(Some).collect::<Vec<_>>(), resource.header), |merged, next| {
                overridden(&merged, &next)
            })
        };
        self.read.insert(Arc::clone(address), Some(merged.clone()));
        Some(merged)
    }

    /// The statements of the documents named by either of two attributes.
    fn parts(&mut self, resource: &Resource, names: [&str; 2], chain: usize) -> Vec<Value> {
        let given = names.iter().filter_map(|name| field(&resource.attributes, name));
        let mut documents = Vec::new();
        for value in given {
            match value.data() {
                Data::List(list) => documents.extend(list.items.iter().cloned()),
                _ => documents.push(value.clone()),
            }
        }
        documents.iter().filter_map(|document| self.statements(document, chain + 1)).collect()
    }
}

/// Statements, of which those with the `sid` of a later one are that one.
fn overridden(earlier: &Value, later: &Value) -> Value {
    let (Some(first), Some(second)) = (earlier.as_list(), later.as_list()) else {
        return joined(&[Some(earlier.clone()), Some(later.clone())], later.span());
    };
    let sid = |statement: &Value| field(statement, "sid")?.as_text().filter(|sid| !sid.is_empty()).cloned();
    let mut items = first.items.clone();
    for statement in &second.items {
        let same = sid(statement).and_then(|own| items.iter().position(|other| sid(other).as_ref() == Some(&own)));
        match same.and_then(|at| items.get_mut(at)) {
            Some(place) if statement.maybe().is_none() => *place = statement.clone(),
            _ => items.push(statement.clone()),
        }
    }
    Value::list(second.kind, items, later.span())
}

fn unreadable(value: &Value, what: &str) -> Value {
    Value::unknown(Reason::new(ReasonKind::Invalid, what, Some(value.span())), value.span())
}
