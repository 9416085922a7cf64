//! Whole modules: what we read of each against the plan terraform makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::formats::terraform::tests::units;
use crate::resource::{Data, List, ListKind, Map, MapKind, Unit, Value};
use crate::source_tree::{SourceTree, TreePath};

/// What blocks say of themselves, which is no attribute of theirs.
const META: [&str; 4] = ["depends_on", "lifecycle", "provider", "precondition"];

/// Attributes that are secrets because their provider says so, which no file does.
const SECRET_BY_SCHEMA: [&str; 2] = ["secret", "key"];

#[expect(clippy::disallowed_methods, reason = "tests read fixtures")]
fn read_file(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/terraform");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// The modules by name, each as a tree.
fn modules() -> BTreeMap<String, SourceTree> {
    let text = read_file("cases/modules.txt");
    let module = |part: &str| {
        let (name, rest) = part.split_once('\n').unwrap();
        let mut files: Vec<(TreePath, Vec<u8>)> = Vec::new();
        for line in rest.split_inclusive('\n') {
            match line.strip_prefix("-- ").and_then(|line| line.strip_suffix(" --\n")) {
                Some(path) => files.push((TreePath::new(path).unwrap(), Vec::new())),
                None => files.last_mut().unwrap().1.extend(line.bytes()),
            }
        }
        (name.to_owned(), SourceTree::from_files(files))
    };
    let text = format!("\n{text}");
    text.split("\n== ").skip(1).map(|part| module(&format!("{part}\n"))).collect()
}

/// What a plan says of a value: what it will be, what of it is unknown, what is sensitive.
struct Planned<'p> {
    after: &'p Json,
    unknown: &'p Json,
    sensitive: &'p Json,
}

impl<'p> Planned<'p> {
    fn of(change: &'p Json) -> Self {
        Self { after: &change[0], unknown: &change[1], sensitive: &change[2] }
    }

    fn at(&self, key: &str) -> Self {
        Self { after: &self.after[key], unknown: &self.unknown[key], sensitive: &self.sensitive[key] }
    }

    fn item(&self, at: usize) -> Self {
        Self { after: &self.after[at], unknown: &self.unknown[at], sensitive: &self.sensitive[at] }
    }

    fn names(&self) -> BTreeSet<&'p str> {
        let names = |json: &'p Json| json.as_object().into_iter().flat_map(|map| map.keys().map(String::as_str));
        names(self.after).chain(names(self.unknown)).collect()
    }

    fn length(&self) -> usize {
        let length = |json: &Json| json.as_array().map_or(0, Vec::len);
        length(self.after).max(length(self.unknown))
    }
}

/// Where a value differs from what is planned, if it does.
fn difference(name: &str, ours: &Value, planned: &Planned<'_>) -> Option<String> {
    let wrong = |what: &str| Some(format!("{name}: {what}: planned {}, ours {ours:?}", planned.after));
    let secret = *planned.sensitive == Json::Bool(true) && !SECRET_BY_SCHEMA.iter().any(|own| name.ends_with(own));
    if secret != ours.is_sensitive() {
        return wrong("sensitive");
    }
    // What is sensitive is so with all that is in it.
    if secret {
        let inner = Planned { sensitive: &Json::Null, ..*planned };
        return difference(name, &bare(ours), &inner);
    }
    if *planned.unknown == Json::Bool(true) {
        return if matches!(ours.data(), Data::Unknown(_) | Data::OneOf(_)) { None } else { wrong("unknown") };
    }
    match (ours.data(), planned.after) {
        (Data::List(list), Json::Object(_)) if list.kind == ListKind::Blocks && list.items.len() == 1 => {
            difference(name, list.items.first().unwrap(), planned)
        }
        (Data::List(list), Json::Array(_)) if list.items.len() == planned.length() => {
            let in_order = list.items.iter().enumerate();
            let mut found =
                in_order.filter_map(|(at, item)| difference(&format!("{name}[{at}]"), item, &planned.item(at)));
            let first = found.next()?;
            // Sets of the provider have an order of their own.
            let somewhere =
                |item: &Value| (0..planned.length()).any(|at| difference(name, item, &planned.item(at)).is_none());
            if list.items.iter().all(somewhere) { None } else { Some(first) }
        }
        (Data::Map(map), Json::Object(_)) => {
            let blocks = map.kind == MapKind::Block;
            let expected = planned.names();
            if let Some((key, _)) = map.entries().iter().find(|(key, _)| !expected.contains(&*key.text)) {
                return wrong(&format!("{} is not planned", key.text));
            }
            expected.into_iter().find_map(|key| {
                let (inner, place) = (planned.at(key), format!("{name}.{key}"));
                match map.get(key) {
                    Some(ours) => difference(&place, ours, &inner),
                    None if blocks && is_left_out(&inner) => None,
                    None => Some(format!("{place} is missing, planned {}", inner.after)),
                }
            })
        }
        (Data::Null, Json::Null) => None,
        (Data::Bool(_) | Data::Number(_) | Data::Text(_), Json::Bool(_) | Json::Number(_) | Json::String(_)) => {
            let text = planned.after.as_str().map_or_else(|| planned.after.to_string(), str::to_owned);
            let same = ours.scalar_text().is_some_and(|ours| *ours == *text);
            let close = || {
                planned
                    .after
                    .as_f64()
                    .zip(ours.as_number())
                    .is_some_and(|(a, b)| (a - b.as_f64()).abs() <= a.abs() * 1e-12)
            };
            if same || close() { None } else { wrong("value") }
        }
        _ => wrong("kind"),
    }
}

/// A value without marks.
fn bare(value: &Value) -> Value {
    let data = match value.data() {
        Data::List(list) => {
            Data::List(Arc::new(List { kind: list.kind, items: list.items.iter().map(bare).collect() }))
        }
        Data::Map(map) => {
            let entries = map.entries().iter().map(|(key, value)| (key.clone(), bare(value))).collect();
            Data::Map(Arc::new(Map::new(map.kind, entries)))
        }
        other => other.clone(),
    };
    value.clone().with(data).noted(|notes| notes.sensitive = false)
}

/// What a provider makes of an attribute or a block that nobody wrote.
fn is_left_out(planned: &Planned<'_>) -> bool {
    *planned.unknown == Json::Bool(true) || planned.after.is_null() || *planned.after == Json::Array(Vec::new())
}

fn differences(unit: &Unit, answer: &Json) -> Vec<String> {
    let mut found: Vec<String> = unit.problems.iter().map(|problem| format!("problem: {}", problem.message)).collect();
    let managed = unit.resources.iter().filter(|resource| !resource.auxiliary);
    let ours: BTreeMap<&str, _> = managed.map(|resource| (&*resource.address, resource)).collect();
    let planned = answer["resources"].as_object().unwrap();
    for address in planned.keys().filter(|address| !ours.contains_key(address.as_str())) {
        found.push(format!("{address} is missing"));
    }
    for (address, resource) in ours {
        let Some(change) = planned.get(address) else {
            found.push(format!("{address} is not planned"));
            continue;
        };
        found.extend(resource.maybe.as_ref().map(|why| format!("{address} may not be there: {why}")));
        let written = resource.attributes.as_map().unwrap().entries().iter();
        let written = written.filter(|(key, _)| !META.contains(&&*key.text)).cloned().collect();
        let attributes = Value::map(MapKind::Block, written, resource.span);
        found.extend(difference(address, &attributes, &Planned::of(change)));
    }
    for (name, change) in answer["outputs"].as_object().unwrap() {
        let address = format!("output.{name}");
        let output = unit.resources.iter().find(|resource| *resource.address == *address);
        match output.and_then(|output| output.attributes.get("value")) {
            Some(value) => found.extend(difference(&address, value, &Planned::of(change))),
            None => found.push(format!("{address} is missing")),
        }
    }
    found
}

#[test]
fn modules_become_what_terraform_plans() {
    let modules = modules();
    let answers = read_file("modules.jsonl");
    let answers: Vec<(String, Json)> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(answers.len() >= 80 && answers.len() == modules.len());
    let mut report = Vec::new();
    for (name, answer) in &answers {
        let all = units(&modules[name]);
        let unit = all.iter().find(|unit| unit.name == "/");
        let unit =
            unit.unwrap_or_else(|| panic!("{name}: {:?}", all.iter().map(|unit| &unit.name).collect::<Vec<_>>()));
        report.extend(differences(unit, answer).into_iter().map(|what| format!("{name}: {what}")));
    }
    assert!(report.is_empty(), "{} differences\n{}", report.len(), report.join("\n"));
}
