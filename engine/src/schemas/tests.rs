//! The schemas against the policies that come with the program, and against what the front ends really read.

use std::collections::BTreeSet;

use super::{Schemas, check};
use crate::builtin::{catalogue, policies};
use crate::formats::{self, ReadOptions, Scope};
use crate::policy::load_policy;
use crate::resource::{Data, FormatId, Resource, Value};
use crate::source_tree::{SourceTree, TreePath};

#[test]
fn the_policies_ask_for_what_there_is() {
    let schemas = Schemas::load().unwrap();
    let (library, policies) = policies();
    let findings = policies.iter().flat_map(|(path, _, loaded)| check(path, loaded, &library, &schemas));
    let lines: Vec<String> = findings.map(|finding| finding.to_string()).collect();
    assert!(lines.is_empty(), "{} findings:\n{}", lines.len(), lines.join("\n"));
    assert!(policies.len() >= 100);
}

/// The tables name types and attributes that there are, and values these can have.
#[test]
fn defaults_are_of_attributes_that_there_are() {
    let schemas = Schemas::load().unwrap();
    let catalogue = catalogue().unwrap();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (type_name, attributes) in catalogue.library().defaults.iter() {
        for attribute in attributes {
            seen += 1;
            let path = attribute.path.join(".");
            let steps = crate::policy::Path::parse(&path).unwrap().steps;
            let node = schemas.shape(Some(FormatId::Terraform), type_name).map(super::Node::root);
            match node.map(|node| node.follow(&schemas, &steps)) {
                Some(Ok(node)) => {
                    let fits = attribute.values.iter().all(|value| node.takes(&value.value));
                    wrong.extend((!fits).then(|| format!("{type_name}.{path}: a value is not of its kind")));
                }
                Some(Err(why)) => wrong.push(format!("{type_name}.{path}: {why:?}")),
                None => wrong.push(format!("{type_name} is no type")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen >= 50);
}

#[test]
fn a_view_hides_no_attribute_of_its_type() {
    let schemas = Schemas::load().unwrap();
    let mut seen = 0;
    for part in schemas.sources.iter().filter(|part| part.is_view) {
        for name in part.source.names() {
            let fields = part.source.fields(name).unwrap();
            seen += hidden(&super::Shape { schemas: &schemas, format: part.format, fields }, name, 0);
        }
    }
    assert!(seen >= 60, "{seen}");
}

/// Looks through a shape and those in it; a name its base has may only be there to say more of what is in it.
fn hidden(shape: &super::Shape<'_>, name: &str, depth: u32) -> usize {
    let Some(base) = shape.base().filter(|_| depth < 8) else { return 0 };
    let mut seen = 0;
    for field in shape.fields.names() {
        let node = super::Node::of(shape, shape.fields.get(&field).unwrap());
        let goes_on = node.shape.is_some_and(|inner| inner.base().is_some());
        assert!(goes_on || base.field(&field).is_none(), "the view `{field}` hides an attribute of {name}");
        seen += 1 + node.shape.map_or(0, |inner| hidden(&inner, &field, depth + 1));
    }
    seen
}

/// Every attribute that the front ends make of the policies' examples is one a policy may ask for.
#[test]
fn what_the_front_ends_read_is_known() {
    let schemas = Schemas::load().unwrap();
    let mut unknown = BTreeSet::new();
    let mut seen = 0;
    for (_, _, loaded) in policies().1 {
        for example in &loaded.examples {
            let file = |(path, text): &(String, String)| (TreePath::new(path).unwrap(), text.clone().into_bytes());
            let tree = SourceTree::from_files(example.files.iter().map(file));
            for plan in formats::units(&tree, &Scope::All) {
                for resource in &formats::read(&plan, &tree, &ReadOptions::default()).resources {
                    seen += usize::from(gather(&schemas, resource, &mut unknown));
                }
            }
        }
    }
    let unknown: Vec<String> = unknown.into_iter().collect();
    assert!(unknown.is_empty(), "attributes without a schema:\n{}", unknown.join("\n"));
    assert!(seen > 500, "{seen}");
}

fn gather(schemas: &Schemas, resource: &Resource, unknown: &mut BTreeSet<String>) -> bool {
    let format = (&*resource.type_name != "network_rule").then_some(resource.format);
    let Some(shape) = schemas.shape(format, &resource.type_name) else { return false };
    below(super::Node::root(shape), &resource.attributes, &resource.type_name, format, unknown);
    true
}

fn below(node: super::Node<'_>, value: &Value, path: &str, format: Option<FormatId>, unknown: &mut BTreeSet<String>) {
    match value.data() {
        Data::List(list) => list.items.iter().for_each(|item| below(node.clone(), item, path, format, unknown)),
        Data::Map(map) => {
            for (key, value) in map.entries() {
                let step = crate::policy::Step {
                    names: vec![crate::policy::Name::Key(key.text.to_string())],
                    selectors: Vec::new(),
                    decoders: Vec::new(),
                };
                let path = format!("{path}.{}", key.text);
                match node.steps_into(&step) {
                    Ok(node) => below(node, value, &path, format, unknown),
                    // Terraform's own arguments belong to no provider.
                    Err(_) if format == Some(FormatId::Terraform) && is_meta(&key.text) => {}
                    // An example is of a manifest that no server takes.
                    Err(_) if path.ends_with("resources.other") => {}
                    Err(_) => drop(unknown.insert(path)),
                }
            }
        }
        _ => {}
    }
}

fn is_meta(name: &str) -> bool {
    ["count", "for_each", "depends_on", "provider", "providers", "lifecycle", "provisioner", "connection"]
        .contains(&name)
}

/// Every mistake has its message: each file of `fixtures/policies` says in its snapshot what its author is told.
#[test]
#[expect(clippy::disallowed_methods, reason = "tests read fixtures")]
fn mistakes_are_told_with_their_place_and_what_was_meant() {
    let schemas = Schemas::load().unwrap();
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/policies"));
    let catalogue = catalogue().unwrap();
    let library = catalogue.library();
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<String> = match load_policy(&name, &text, library) {
            Ok(loaded) => check(&name, &loaded, library, &schemas).iter().map(ToString::to_string).collect(),
            Err(mistakes) => mistakes.iter().map(ToString::to_string).collect(),
        };
        assert!(!lines.is_empty(), "{name} is a policy without mistakes");
        insta::with_settings!({ snapshot_path => folder.join("snapshots"), prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.trim_end_matches(".yaml"), lines.join("\n"));
        });
    }
}
