//! A unit as text a person can review: what every format's fixtures are rendered to.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use super::{Format, ReadOptions, Scope};
use crate::resource::{Data, ListKind, MapKind, Resource, Span, Unit, Value};
use crate::source_tree::{SourceTree, TreePath};

/// Everything in a unit, each value with the line and column it was written at.
pub(super) fn dump(unit: &Unit) -> String {
    let mut out = format!("unit {}\n", unit.name);
    for problem in &unit.problems {
        let place = problem.span.map(|span| format!(":{}", position(unit, span))).unwrap_or_default();
        let _ = writeln!(
            out,
            "problem {:?} {}{place} {} | {}",
            problem.kind, problem.path, problem.message, problem.remedy
        );
    }
    for file in &unit.unevaluated {
        let _ = writeln!(out, "unevaluated {} {}", file.path, file.what);
    }
    for resource in &unit.resources {
        write_resource(&mut out, unit, resource);
    }
    out
}

fn write_resource(out: &mut String, unit: &Unit, resource: &Resource) {
    let file = unit.files.get(resource.span.file).map(|file| file.path().to_string()).unwrap_or_default();
    let ends = (position(unit, resource.span), position(unit, Span { start: resource.span.end, ..resource.span }));
    let marks = [
        resource.auxiliary.then(|| "auxiliary".to_owned()),
        resource.maybe.as_ref().map(|reason| format!("maybe: {reason}")),
        resource.owner.as_ref().map(|owner| format!("owned by {owner}")),
    ];
    let marks: String = marks.into_iter().flatten().map(|mark| format!(" ({mark})")).collect();
    let header = position(unit, resource.header);
    let _ = writeln!(
        out,
        "\n{} type={} name={:?}{marks}\n  at {file}:{}-{} header {header}",
        resource.address, resource.type_name, resource.name, ends.0, ends.1
    );
    write_children(out, unit, &resource.attributes, 1);
}

fn write_children(out: &mut String, unit: &Unit, value: &Value, depth: usize) {
    match value.data() {
        Data::Map(map) => {
            for (key, value) in map.entries() {
                write_value(out, unit, &key.text, value, depth);
            }
        }
        Data::List(list) => {
            for item in &list.items {
                write_value(out, unit, "-", item, depth);
            }
        }
        Data::OneOf(alternatives) => {
            for alternative in alternatives.iter() {
                write_value(out, unit, "or", alternative, depth);
            }
        }
        _ => {}
    }
}

fn write_value(out: &mut String, unit: &Unit, name: &str, value: &Value, depth: usize) {
    let scalar = match value.data() {
        Data::Null => " null".to_owned(),
        Data::Bool(value) => format!(" {value}"),
        Data::Number(number) => format!(" {number}"),
        Data::Text(text) => format!(" {text:?}"),
        Data::List(list) if list.kind == ListKind::Set => " set".to_owned(),
        Data::List(list) if list.kind == ListKind::Blocks => " blocks".to_owned(),
        Data::List(list) if list.items.is_empty() => " []".to_owned(),
        Data::Map(map) if map.kind == MapKind::Block => " block".to_owned(),
        Data::Map(map) if map.entries().is_empty() => " {}".to_owned(),
        Data::List(_) | Data::Map(_) => String::new(),
        Data::Unknown(unknown) => {
            let prefix = unknown.prefix.as_ref().map(|prefix| format!(", begins {prefix:?}")).unwrap_or_default();
            let not_null = if unknown.not_null { ", not null" } else { "" };
            format!(" unknown ({}{prefix}{not_null})", unknown.reason)
        }
        Data::OneOf(_) => " one of".to_owned(),
    };
    let notes = [
        value.is_sensitive().then(|| "sensitive".to_owned()),
        value.maybe().map(|reason| format!("maybe: {reason}")),
        value.origin().map(|origin| format!("from {} {}", origin.what, position(unit, origin.span))),
        value.notes().and_then(|notes| notes.tag.as_ref()).map(|tag| format!("!{tag}")),
    ];
    let notes: String = notes.into_iter().flatten().map(|note| format!(" ({note})")).collect();
    let _ = writeln!(out, "{}{name}:{scalar}{notes} @{}", "  ".repeat(depth), position(unit, value.span()));
    write_children(out, unit, value, depth + 1);
}

fn position(unit: &Unit, span: Span) -> String {
    match unit.files.get(span.file) {
        Some(file) => {
            let position = file.position(span.start);
            format!("{}:{}", position.line, position.column)
        }
        None => "nowhere".to_owned(),
    }
}

/// Every place in a unit lies in its file, on the borders of characters.
pub(super) fn assert_places(unit: &Unit) {
    let mut todo: Vec<&Value> = Vec::new();
    for resource in &unit.resources {
        assert_place(unit, resource.span);
        assert_place(unit, resource.header);
        todo.push(&resource.attributes);
    }
    for problem in &unit.problems {
        problem.span.into_iter().for_each(|span| assert_place(unit, span));
    }
    while let Some(value) = todo.pop() {
        assert_place(unit, value.span());
        match value.data() {
            Data::Map(map) => {
                for (key, value) in map.entries() {
                    assert_place(unit, key.span);
                    todo.push(value);
                }
            }
            Data::List(list) => todo.extend(&list.items),
            Data::OneOf(alternatives) => todo.extend(alternatives.iter()),
            Data::Unknown(unknown) => unknown.reason.place.into_iter().for_each(|span| assert_place(unit, span)),
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) => {}
        }
    }
}

fn assert_place(unit: &Unit, span: Span) {
    if !span.is_somewhere() {
        return;
    }
    let file = unit.files.get(span.file).expect("a place names a file of its unit");
    let range = span.start as usize..span.end as usize;
    assert!(file.text().get(range.clone()).is_some(), "{}: no such place: {range:?}", file.path());
}

/// The trees below `fixtures/formats/<name>/`, each by its folder's name.
#[expect(clippy::disallowed_methods, reason = "tests read fixtures")]
pub(super) fn fixtures(name: &str) -> Vec<(String, SourceTree)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/formats").join(name);
    let mut trees = Vec::new();
    for case in fs::read_dir(&root).expect("the fixtures of a format").map(|entry| entry.unwrap().path()) {
        let mut files = Vec::new();
        let mut folders = vec![case.clone()];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let relative = path.strip_prefix(&case).unwrap().to_str().unwrap();
                    files.push((TreePath::new(relative).unwrap(), fs::read(&path).unwrap()));
                }
            }
        }
        trees.push((case.file_name().unwrap().to_string_lossy().into_owned(), SourceTree::from_files(files)));
    }
    trees.retain(|(case, _)| case != "snapshots");
    trees.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(!trees.is_empty(), "no fixtures for {name}");
    trees
}

/// Reads every fixture of a format and compares what it says with its snapshot.
pub(super) fn check_fixtures(format: &dyn Format) {
    let name = format.id().name();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("../../../fixtures/formats/{name}/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (case, tree) in fixtures(name) {
        let plans = format.units(&tree, &Scope::All);
        let units = plans.iter().map(|plan| format.read(plan, &tree, &ReadOptions::default()));
        let shown = units.inspect(assert_places).map(|unit| dump(&unit)).collect::<Vec<_>>().join("\n");
        settings.bind(|| insta::assert_snapshot!(case, shown));
    }
}

/// Reads one text as the only file of a tree, and holds every place found to lie in it.
pub(super) fn read_text(format: &dyn Format, path: &str, text: &[u8]) -> Unit {
    let tree = SourceTree::from_files([(TreePath::new(path).unwrap(), text.to_vec())]);
    let plans = format.units(&tree, &Scope::All);
    let unit =
        plans.first().map_or_else(|| Unit::empty(path), |plan| format.read(plan, &tree, &ReadOptions::default()));
    assert_places(&unit);
    unit
}
