//! The language's own examples (`fixtures/language`): rules over resources that are already read, with what each must answer.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::policy::{Catalogue, Library, load_library, load_policy};
use crate::resource::{
    Data, FileTable, FormatId, Key, ListKind, MapKind, Reason, ReasonKind, Reference, Resource, Span, Unit, Value,
};
use crate::source_tree::{SourceFile, TreePath};
use crate::syntax::{Scalars, parse_yaml};

use super::report::UnitReport;
use super::{Purpose, Selection, evaluate_unit};

/// Rules whose inputs need a front end's views, or a predicate's table: proven where those are.
const ELSEWHERE: [&str; 3] = ["09-", "18-", "25-"];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[expect(clippy::disallowed_methods, reason = "tests read fixtures")]
fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

pub(crate) fn library() -> Library {
    let mut library = Library::default();
    for entry in fs::read_dir(root().join("policies/lib")).unwrap() {
        let path = entry.unwrap().path();
        load_library(&path.file_name().unwrap().to_string_lossy(), &read(&path), &mut library).unwrap();
    }
    library
}

fn yaml(text: &str) -> Value {
    let file = SourceFile::from_bytes(TreePath::new("a.yaml").unwrap(), text.into()).unwrap();
    let parsed = parse_yaml(text, FileTable::default().add(&Arc::new(file)), Scalars::Core12);
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    parsed.documents[0].value.clone()
}

/// The attributes of an example: `{"$unknown": "var.x"}` is unknown, `x@decoder` is what `x` reads as.
fn attribute(value: &Value) -> Value {
    let nowhere = Span::NOWHERE;
    match value.data() {
        Data::Map(map) => {
            if let Some(subject) = map.get("$unknown").and_then(Value::as_text) {
                return Value::unknown(Reason::new(ReasonKind::NoDefault, &**subject, None), nowhere);
            }
            let mut entries = Vec::new();
            for (key, value) in map.entries() {
                match key.text.split_once('@') {
                    Some((name, "iam")) => entries.push((Key::new(name, nowhere), attribute(value))),
                    Some(_) => {}
                    None if map.get(&format!("{}@image", key.text)).is_none() || value.as_text().is_some() => {
                        entries.push((Key::new(Arc::clone(&key.text), nowhere), attribute(value)));
                    }
                    None => {}
                }
            }
            Value::map(MapKind::Map, entries, nowhere)
        }
        Data::List(list) => Value::list(ListKind::List, list.items.iter().map(attribute).collect(), nowhere),
        data => Value::new(data.clone(), nowhere),
    }
}

fn resource(example: &Value) -> Resource {
    let text = |key| example.get(key).and_then(Value::as_text).cloned().unwrap();
    let attributes = attribute(example.get("attrs").unwrap());
    let mut entries = attributes.as_map().unwrap().entries().to_vec();
    for (key, targets) in example.get("refs").and_then(Value::as_map).map(|m| m.entries()).unwrap_or_default() {
        for target in &targets.as_list().unwrap().items {
            let target = target.as_text().unwrap();
            let value = if &**target == "?" {
                Value::unknown(Reason::new(ReasonKind::NoDefault, "var.x", None), Span::NOWHERE)
            } else {
                let reason = Reason::new(ReasonKind::Computed, format!("{target}.id"), None);
                let reference = Reference { address: Arc::clone(target), attribute: "id".into() };
                Value::unknown_not_null(reason, Span::NOWHERE).noted(|notes| notes.references.push(reference))
            };
            entries.push((key.clone(), value));
        }
    }
    Resource {
        address: text("id"),
        type_name: text("type"),
        name: "x".into(),
        format: FormatId::Terraform,
        span: Span::NOWHERE,
        header: Span::NOWHERE,
        attributes: Value::map(MapKind::Map, entries, Span::NOWHERE),
        auxiliary: false,
        maybe: None,
        owner: None,
        called_from: None,
    }
}

/// The rule of an example file as a policy.
fn catalogue(text: &str) -> Catalogue {
    let rule: String =
        text.lines().skip_while(|l| *l != "check:").skip(1).take_while(|l| l.starts_with(' ') || l.is_empty()).fold(
            String::new(),
            |mut all, line| {
                let _ = writeln!(all, "{line}");
                all
            },
        );
    let policy = format!(
        "id: language-example\ntitle: t\nseverity: low\ndescription: d\nremediation: r\nterraform:\n{rule}  \
         examples:\n    pass: x\n    fail: 'x # expect'\n"
    );
    let library = library();
    let loaded = load_policy("language-example.yaml", &policy, &library).unwrap_or_else(|mistakes| {
        panic!("{policy}\n{mistakes:?}");
    });
    Catalogue::of(loaded.policies, library).unwrap()
}

fn answer(catalogue: &Catalogue, case: &Value) -> UnitReport {
    let mut unit = Unit::empty("example");
    unit.resources = case.as_list().unwrap().items.iter().map(resource).collect();
    evaluate_unit(&unit, catalogue, &Selection::default(), Purpose::Scan)
}

#[test]
fn every_rule_of_the_language_answers_its_examples() {
    let mut proven = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(root().join("fixtures/language")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if ELSEWHERE.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        let text = read(&path);
        let catalogue = catalogue(&text);
        let examples = yaml(&text);
        for kind in ["pass", "fail", "undecided"] {
            let cases = examples.get(kind).and_then(Value::as_list).map(|list| list.items.clone()).unwrap_or_default();
            for (index, case) in cases.iter().enumerate() {
                let report = answer(&catalogue, case);
                let found = match (report.violations.is_empty(), report.undecided.is_empty()) {
                    (false, _) => "fail",
                    (true, false) => "undecided",
                    (true, true) => "pass",
                };
                proven += 1;
                if found != kind {
                    wrong.push(format!("{name} {kind} {index}: {found} {:?}", report.violations));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(proven > 60, "only {proven} examples were found");
}
