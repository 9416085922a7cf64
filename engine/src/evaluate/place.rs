//! Spans of a unit as places that can be read without it.

use std::collections::HashSet;

use crate::resource::{Data, FileTable, Origin, Resource, Span, Unit, Value};
use crate::source_tree::{LineColumn, TreePath};

use super::leaf::Leaf;
use super::report::{Location, Step};

/// Most lines of text a location carries.
const LINE_LIMIT: u32 = 6;
/// Longest line it carries, in characters.
const WIDTH_LIMIT: usize = 240;
/// Longest chain of origins.
const CHAIN_LIMIT: usize = 12;

/// The place of a span; `None` when it lies in no file.
pub(super) fn location(files: &FileTable, span: Span) -> Option<Location> {
    let file = files.get(span.file)?;
    let start = file.position(span.start);
    let end = file.position(span.end.max(span.start));
    let shown = (end.line - start.line + 1).min(LINE_LIMIT);
    let lines = (start.line..start.line + shown).map(|line| cut(file.line(line)).to_owned());
    Some(Location { path: file.path().clone(), start, end, lines: lines.collect() })
}

/// As much of a line as is carried.
fn cut(line: &str) -> &str {
    if line.len() <= WIDTH_LIMIT {
        return line;
    }
    line.char_indices().nth(WIDTH_LIMIT).and_then(|(end, _)| line.get(..end)).unwrap_or(line)
}

/// Where a resource was declared; the start of its unit's first file when it says nothing better.
pub(super) fn of_resource(files: &FileTable, resource: &Resource) -> Option<Location> {
    location(files, resource.header).or_else(|| location(files, resource.span))
}

/// The places a value came through: its own origins, then the calls that lead to its resource.
pub(super) fn origins(files: &FileTable, resource: &Resource, value: Option<&Value>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut seen = HashSet::new();
    let chains = [value.and_then(Value::origin), resource.called_from.as_ref()];
    for chain in chains.into_iter().flatten() {
        let mut next: Option<&Origin> = Some(chain);
        while let Some(origin) = next {
            if steps.len() < CHAIN_LIMIT
                && seen.insert(origin.span)
                && let Some(location) = location(files, origin.span)
            {
                steps.push(Step { what: origin.what.to_string(), location });
            }
            next = origin.next.as_deref();
        }
    }
    steps
}

/// Where in a resource something is written: the attribute that has the place in it, as its author calls it.
pub(super) fn written_path(attributes: &Value, span: Span) -> Option<String> {
    let mut path = String::new();
    let mut at = attributes;
    loop {
        let next = match at.data() {
            Data::Map(map) => {
                map.entries().iter().find(|(_, value)| value.span().contains(span)).map(|(key, value)| {
                    let dot = if path.is_empty() { "" } else { "." };
                    (format!("{dot}{}", key.text), value)
                })
            }
            Data::List(list) => {
                let mut items = list.items.iter().enumerate();
                items.find(|(_, item)| item.span().contains(span)).map(|(index, item)| (format!("[{index}]"), item))
            }
            _ => None,
        };
        let Some((step, value)) = next else { break };
        path.push_str(&step);
        at = value;
    }
    (!path.is_empty()).then_some(path)
}

/// A missing attribute is pointed at where its nearest parent begins, an attribute where it is written.
pub(super) fn pointed_at(resource: &Resource, leaf: &Leaf) -> Span {
    match &leaf.value {
        Some(value) if value.as_map().is_none() => leaf.span,
        _ if leaf.span == resource.span || leaf.span == resource.attributes.span() => resource.header,
        Some(_) | None => leaf.span,
    }
}

/// The place of a resource that no file shows: the unit itself.
pub(super) fn nowhere(unit: &Unit) -> Location {
    let first = LineColumn { line: 1, column: 1 };
    let path = unit.files.iter().next().map(|file| file.path().clone());
    let path = path.or_else(|| TreePath::new(unit.name.trim_matches('/')).ok()).unwrap_or_else(TreePath::unnamed);
    Location { path, start: first, end: first, lines: Vec::new() }
}
