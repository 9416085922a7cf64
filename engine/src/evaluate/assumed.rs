//! What a provider assumes of an attribute that nobody wrote: it is asked like a written one, but it is never present.

use std::cell::OnceCell;
use std::collections::HashMap;

use crate::policy::{AttributeDefault, Library, Version, VersionRange};
use crate::resource::{Data, FormatId, Resource, Unit, Value};

use super::cursor::Cursor;
use super::matching::literal_value;

/// The defaults of one unit, and the versions of providers it may be used with.
pub(super) struct Assumptions<'u> {
    unit: &'u Unit,
    library: &'u Library,
    versions: OnceCell<HashMap<String, VersionRange>>,
}

/// The defaults of one resource's type.
#[derive(Clone, Copy)]
pub(super) struct TypeDefaults<'u> {
    assumptions: &'u Assumptions<'u>,
    type_name: &'u str,
    attributes: &'u [AttributeDefault],
}

impl<'u> Assumptions<'u> {
    pub(super) fn new(unit: &'u Unit, library: &'u Library) -> Self {
        Self { unit, library, versions: OnceCell::new() }
    }

    /// The defaults of a resource's type, if any is known.
    pub(super) fn of(&'u self, resource: &'u Resource) -> Option<TypeDefaults<'u>> {
        // A data source is read, not created.
        let is_created = resource.format == FormatId::Terraform && !resource.auxiliary;
        let attributes = is_created.then(|| self.library.defaults.of(&resource.type_name)).flatten()?;
        Some(TypeDefaults { assumptions: self, type_name: &resource.type_name, attributes })
    }

    /// The versions of a provider that may be in use: the one the lock file fixes, else those that every module accepts.
    fn versions(&self, provider: &str) -> VersionRange {
        let versions = self.versions.get_or_init(|| versions(self.unit));
        versions.get(provider).cloned().unwrap_or_default()
    }
}

fn versions(unit: &Unit) -> HashMap<String, VersionRange> {
    let mut versions: HashMap<String, VersionRange> = HashMap::new();
    for settings in unit.resources.iter().filter(|resource| &*resource.type_name == "terraform") {
        let required = settings.attributes.get("required_providers");
        for (name, given) in required.into_iter().flat_map(entries) {
            // `aws = "~> 5.0"` was all there was before Terraform 0.13.
            let constraint = given.get("version").unwrap_or(&given).as_text().cloned();
            if let Some(constraint) = constraint {
                let range = versions.remove(&name).unwrap_or_default();
                versions.insert(name, range.under(&constraint));
            }
        }
    }
    for (source, version) in &unit.locked_providers {
        let name = source.rsplit('/').next().unwrap_or(source);
        if let Some(version) = Version::parse(version) {
            versions.insert(name.to_owned(), VersionRange::exactly(&version));
        }
    }
    versions
}

/// The entries of a block, or of each of several.
fn entries(value: &Value) -> Vec<(String, Value)> {
    match value.data() {
        Data::Map(map) => map.entries().iter().map(|(key, value)| (key.text.to_string(), value.clone())).collect(),
        Data::List(list) => list.items.iter().flat_map(entries).collect(),
        _ => Vec::new(),
    }
}

impl TypeDefaults<'_> {
    /// What is assumed of a child that is not there.
    pub(super) fn child(&self, parent: &Cursor<'_>, name: &str) -> Option<Value> {
        let attribute = self.attributes.iter().find(|attribute| {
            let Some((last, blocks)) = attribute.path.split_last() else { return false };
            last == name && parent.is_at(blocks) && (attribute.without_block || parent.node.is_some())
        })?;
        self.value(attribute)
    }

    /// What is assumed of an attribute of the resource by its path.
    pub(super) fn at(&self, path: &[&str]) -> Option<Value> {
        let attribute = self.attributes.iter().find(|attribute| attribute.path == path)?;
        (attribute.without_block || path.len() == 1).then(|| self.value(attribute)).flatten()
    }

    /// Whether the resource is created anew when an attribute changes.
    pub(super) fn is_replaced_by(&self, path: &str) -> bool {
        self.attributes.iter().any(|attribute| attribute.replaces && attribute.path.join(".") == path)
    }

    fn value(&self, attribute: &AttributeDefault) -> Option<Value> {
        let provider = self.type_name.split_once('_').map_or(self.type_name, |(provider, _)| provider);
        let value = literal_value(attribute.assumed(&self.assumptions.versions(provider))?);
        Some(value.noted(|notes| notes.assumed = true))
    }
}
