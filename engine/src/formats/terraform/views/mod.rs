//! What policies read beside what authors write: views of rules and documents, and virtual resources made of them.
//!
//! A view is an attribute added to a resource or block under a name its provider does not use; a virtual resource
//! (`network_rule`, the manifest of a Kubernetes resource) is what many types share, reported under the resource that owns it.
//! Values in both keep the places of the nodes they come from, and what is unknown there is unknown here.

mod aws_network;
mod azure_network;
mod google_network;
mod iam;
mod kubernetes;
mod network;

use std::sync::Arc;

use crate::resource::{Data, FileTable, Key, List, ListKind, Map, MapKind, Resource, Value};

/// Adds views to the resources of one unit.
#[derive(Default)]
pub(super) struct Views {
    manifests: kubernetes::Manifests,
}

impl Views {
    /// Adds a resource, its views, and the virtual resources made of it.
    pub(super) fn add(&mut self, mut resource: Resource, resources: &mut Vec<Resource>) {
        let mut made = Vec::new();
        match resource.type_name.split('_').next() {
            Some("aws") => aws_network::add(&mut resource, &mut made),
            Some("azurerm") => azure_network::add(&mut resource, &mut made),
            Some("google") => google_network::add(&mut resource, &mut made),
            Some("kubernetes") => made.extend(self.manifests.of(&resource)),
            _ => {}
        }
        resources.push(resource);
        resources.append(&mut made);
    }
}

/// Adds the virtual resources that need all resources of the unit: a document may be rendered elsewhere.
pub(super) fn complete(resources: &mut Vec<Resource>, files: &FileTable) {
    iam::add(resources, files);
}

/// A virtual resource made of a node of its owner; `part` is what it is called there, empty when it is the whole of it.
fn derived<const N: usize>(
    owner: &Resource,
    type_name: &str,
    node: &Value,
    part: &str,
    fields: [(&str, Value); N],
) -> Resource {
    let span = if node.span().is_somewhere() { node.span() } else { owner.span };
    let named = ("owner", Value::text(Arc::clone(&owner.address), owner.header));
    let attributes = fields.into_iter().chain([named]).map(|(name, value)| (Key::new(name, span), value));
    let own = part.is_empty();
    Resource {
        address: if own { Arc::clone(&owner.address) } else { format!("{}.{part}", owner.address).into() },
        type_name: type_name.into(),
        name: Arc::clone(&owner.name),
        format: owner.format,
        span,
        header: if own { owner.header } else { span },
        attributes: Value::map(MapKind::Block, attributes.collect(), span),
        maybe: node.maybe().cloned().or_else(|| owner.maybe.clone()),
        owner: Some(Arc::clone(&owner.address)),
        called_from: owner.called_from.clone(),
        auxiliary: owner.auxiliary,
    }
}

/// An attribute that is there and not null.
fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.get(name).filter(|value| !value.is_null())
}

/// A map with one more entry, unless it has one of that name.
fn with_entry(value: &Value, name: &str, added: Value) -> Value {
    match value.data() {
        Data::Map(map) if map.get(name).is_none() => {
            let mut entries = map.entries().to_vec();
            entries.push((Key::new(name, added.span()), added));
            value.clone().with(Data::Map(Arc::new(Map::new(map.kind, entries))))
        }
        _ => value.clone(),
    }
}

/// A map whose entry of that name is another value.
fn with_replaced(value: &Value, name: &str, changed: Value) -> Value {
    match value.data() {
        Data::Map(map) => {
            let entry = |(key, item): &(Key, Value)| {
                if &*key.text == name { (key.clone(), changed.clone()) } else { (key.clone(), item.clone()) }
            };
            let entries = map.entries().iter().map(entry).collect();
            value.clone().with(Data::Map(Arc::new(Map::new(map.kind, entries))))
        }
        _ => value.clone(),
    }
}

/// The nested blocks (or objects of a list) of one name, each changed.
fn change_blocks(resource: &mut Resource, name: &str, change: &mut dyn FnMut(&Value) -> Value) {
    let Some(blocks) = field(&resource.attributes, name).cloned() else { return };
    let changed = match blocks.data() {
        Data::List(list) => {
            let items = list.items.iter().map(change).collect();
            blocks.clone().with(Data::List(Arc::new(List { kind: list.kind, items })))
        }
        Data::OneOf(alternatives) => {
            let mut each = |alternative: &Value| match alternative.data() {
                Data::List(list) => {
                    let items = list.items.iter().map(&mut *change).collect();
                    alternative.clone().with(Data::List(Arc::new(List { kind: list.kind, items })))
                }
                _ => alternative.clone(),
            };
            blocks.clone().with(Data::OneOf(alternatives.iter().map(&mut each).collect()))
        }
        _ => return,
    };
    resource.attributes = with_replaced(&resource.attributes, name, changed);
}

/// A list at the place of another value.
fn list_at(items: Vec<Value>, place: &Value) -> Value {
    Value::list(ListKind::List, items, place.span())
}
