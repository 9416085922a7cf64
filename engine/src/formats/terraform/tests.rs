//! Whole folders as snapshots.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::Terraform;
use crate::formats::{Format as _, ReadOptions, Scope};
use crate::resource::{Data, ListKind, Resource, Span, Unit, Value};
use crate::source_tree::{SourceTree, TreePath};

/// The folders below `fixtures/formats/terraform`, each a tree of its own.
#[expect(clippy::disallowed_methods, reason = "tests read fixtures")]
pub(super) fn fixtures() -> Vec<(String, SourceTree)> {
    fn add(base: &Path, folder: &Path, files: &mut Vec<(TreePath, Vec<u8>)>) {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                add(base, &path, files);
            } else {
                let relative = path.strip_prefix(base).unwrap().to_str().unwrap();
                files.push((TreePath::new(relative).unwrap(), std::fs::read(&path).unwrap()));
            }
        }
    }
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/formats/terraform");
    let mut trees = Vec::new();
    for case in std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
        let mut files = Vec::new();
        add(&case, &case, &mut files);
        trees.push((case.file_name().unwrap().to_string_lossy().into_owned(), SourceTree::from_files(files)));
    }
    trees.retain(|(case, _)| case != "snapshots");
    trees.sort_by(|a, b| a.0.cmp(&b.0));
    trees
}

pub(super) fn units(tree: &SourceTree) -> Vec<Unit> {
    let plans = Terraform.units(tree, &Scope::All);
    plans.iter().map(|plan| Terraform.read(plan, tree, &ReadOptions::default())).collect()
}

pub(super) fn read(text: &str) -> Unit {
    let tree = SourceTree::from_files([(TreePath::new("main.tf").unwrap(), text.as_bytes().to_vec())]);
    units(&tree).into_iter().next().unwrap()
}

/// A unit as text a person can review: one line for each value, with its place and what is said beside it.
fn dump(unit: &Unit) -> String {
    let mut out = format!("unit {}\n", unit.name);
    for problem in &unit.problems {
        let place = problem.span.map(|span| position(unit, span)).unwrap_or_else(|| problem.path.to_string());
        let _ = writeln!(out, "problem {:?} {place}: {} ({})", problem.kind, problem.message, problem.remedy);
    }
    for file in &unit.unevaluated {
        let _ = writeln!(out, "unevaluated {}: {}", file.path, file.what);
    }
    let mut same = 0;
    let mut before = Span::NOWHERE;
    for resource in &unit.resources {
        same = if resource.span == before { same + 1 } else { 0 };
        before = resource.span;
        match same {
            0..5 => dump_resource(&mut out, unit, resource),
            5 => out.push_str("\n(and more of the same block)\n"),
            _ => {}
        }
    }
    out
}

fn dump_resource(out: &mut String, unit: &Unit, resource: &Resource) {
    let _ = write!(out, "\n{} [{}] {}", resource.address, resource.type_name, position(unit, resource.span));
    if let Some(maybe) = &resource.maybe {
        let _ = write!(out, " perhaps: {maybe}");
    }
    if let Some(owner) = resource.owner.as_ref().filter(|owner| **owner != resource.address) {
        let _ = write!(out, " of {owner}");
    }
    let mut caller = resource.called_from.as_ref();
    while let Some(at) = caller {
        let _ = write!(out, " <- {} {}", at.what, position(unit, at.span));
        caller = at.next.as_ref();
    }
    out.push('\n');
    children(out, unit, &resource.attributes, 1);
}

fn children(out: &mut String, unit: &Unit, value: &Value, depth: usize) {
    match value.data() {
        Data::Map(map) => map.entries().iter().for_each(|(key, item)| line(out, unit, &key.text, item, depth)),
        Data::List(list) if list.items.len() > 20 => {
            let _ = writeln!(out, "{}({} elements)", "  ".repeat(depth), list.items.len());
        }
        Data::List(list) => list.items.iter().for_each(|item| line(out, unit, "-", item, depth)),
        Data::OneOf(alternatives) => alternatives.iter().for_each(|item| line(out, unit, "or", item, depth)),
        _ => {}
    }
}

fn line(out: &mut String, unit: &Unit, name: &str, value: &Value, depth: usize) {
    let shown = match value.data() {
        Data::Null => "null".to_owned(),
        Data::Bool(value) => value.to_string(),
        Data::Number(number) => number.to_string(),
        Data::Text(text) if text.len() > 200 => format!("text of {} bytes", text.len()),
        Data::Text(text) => format!("{text:?}"),
        Data::List(list) => match list.kind {
            ListKind::List => "list".to_owned(),
            ListKind::Tuple => "tuple".to_owned(),
            ListKind::Set => "set".to_owned(),
            ListKind::Blocks => "blocks".to_owned(),
        },
        Data::Map(map) => format!("{:?}", map.kind).to_lowercase(),
        Data::Unknown(unknown) => {
            let prefix = unknown.prefix.as_ref().map(|prefix| format!(", begins {prefix:?}")).unwrap_or_default();
            let place = unknown.reason.place.map(|span| format!(" at {}", position(unit, span))).unwrap_or_default();
            let not_null = if unknown.not_null { ", not null" } else { "" };
            format!("? {}{place}{prefix}{not_null}", unknown.reason)
        }
        Data::OneOf(_) => "one of".to_owned(),
    };
    let _ =
        writeln!(out, "{}{name}: {shown}{} @{}", "  ".repeat(depth), notes(unit, value), position(unit, value.span()));
    children(out, unit, value, depth + 1);
}

fn notes(unit: &Unit, value: &Value) -> String {
    let mut out = String::new();
    let Some(notes) = value.notes() else { return out };
    if notes.sensitive {
        out.push_str(" (sensitive)");
    }
    if let Some(maybe) = &notes.maybe {
        let _ = write!(out, " (perhaps: {maybe})");
    }
    if let Some(choice) = &notes.choice {
        let _ = write!(out, " (because {choice})");
    }
    if notes.document.is_some() {
        out.push_str(" (document)");
    }
    for reference in &notes.references {
        let _ = write!(out, " = {}.{}", reference.address, reference.attribute);
    }
    let mut origin = notes.origin.as_ref();
    while let Some(at) = origin {
        let _ = write!(out, " <- {} {}", at.what, position(unit, at.span));
        origin = at.next.as_ref();
    }
    out
}

fn position(unit: &Unit, span: Span) -> String {
    let Some(file) = unit.files.get(span.file) else { return "nowhere".to_owned() };
    let at = file.position(span.start);
    format!("{}:{}:{}", file.path(), at.line, at.column)
}

/// Every place in a unit lies in its file, on the borders of characters.
pub(super) fn assert_places(unit: &Unit) {
    let inside = |span: Span| {
        let file = unit.files.get(span.file);
        let lies = !span.is_somewhere()
            || file.is_some_and(|file| file.text().get(span.start as usize..span.end as usize).is_some());
        assert!(lies, "{span:?} in {:?}", file.map(|file| file.path()));
    };
    let mut open: Vec<&Value> = Vec::new();
    for resource in &unit.resources {
        inside(resource.span);
        inside(resource.header);
        open.push(&resource.attributes);
    }
    unit.problems.iter().filter_map(|problem| problem.span).for_each(inside);
    while let Some(value) = open.pop() {
        inside(value.span());
        value.origin().into_iter().for_each(|origin| inside(origin.span));
        match value.data() {
            Data::Map(map) => map.entries().iter().for_each(|(key, item)| {
                inside(key.span);
                open.push(item);
            }),
            Data::List(list) => open.extend(&list.items),
            Data::OneOf(alternatives) => open.extend(alternatives.iter()),
            Data::Unknown(unknown) => unknown.reason.place.into_iter().for_each(inside),
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) => {}
        }
    }
}

#[test]
fn every_fixture_reads_as_its_snapshot() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../../fixtures/formats/terraform/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (case, tree) in fixtures() {
        let units = units(&tree);
        units.iter().for_each(assert_places);
        let shown = units.iter().map(dump).collect::<Vec<_>>().join("\n");
        settings.bind(|| insta::assert_snapshot!(case, shown));
    }
}
