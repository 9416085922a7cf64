//! A policy and where it is violated; a place that cannot be read.

use annotate_snippets::{Annotation, AnnotationKind, Element, Group as Block, Level, Origin, Renderer, Snippet};
use unicode_width::UnicodeWidthStr as _;

use crate::evaluate::{Location, ReportedNotice, ReportedProblem, Violation};
use crate::policy::Severity;

use super::super::Context;
use super::super::counts::counted;
use super::super::terminal::{clean, wrapped};
use super::Group;

/// Most places named behind the first, unless everything is wanted.
const PLACE_LIMIT: usize = 10;
/// Most addresses named behind the first.
const ADDRESS_LIMIT: usize = 3;
/// Longest message at a span, in characters.
const LABEL_LIMIT: usize = 160;
/// Columns before the text of a note, beside the number of a line: ` ├ note: `.
const NOTE_COLUMNS: usize = 9;

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Critical | Severity::High => Level::ERROR.with_name(severity.name()),
        Severity::Medium => Level::WARNING.with_name(severity.name()),
        Severity::Low => Level::INFO.with_name(severity.name()),
    }
}

/// A block under construction.
struct Notes<'n> {
    context: &'n Context<'n>,
    gutter: usize,
    elements: Vec<Element<'n>>,
}

impl<'n> Notes<'n> {
    fn room(&self) -> usize {
        self.context.terminal.columns().saturating_sub(self.gutter + NOTE_COLUMNS)
    }

    fn add(&mut self, level: Level<'n>, words: &str) {
        let lines = wrapped(&clean(words), self.room());
        self.elements.push(level.message(lines.join("\n")).into());
    }

    /// A message that stands at a span, where there is room for it; else nothing.
    fn marked<'l>(&self, location: &Location, label: &'l str) -> &'l str {
        let columns = label_column(location) + label.width() + self.gutter + 4;
        if columns <= self.context.terminal.columns() { label } else { "" }
    }

    fn place(&self, location: &Location) -> String {
        format!("{}:{}:{}", self.context.shown(&location.path), location.start.line, location.start.column)
    }

    /// The other places, a line each.
    fn places(&mut self, others: &[&Violation], said: &str) {
        let limit = if self.context.in_full { usize::MAX } else { PLACE_LIMIT };
        let mut lines = vec![format!("{}:", counted(others.len(), "more place"))];
        let widest = others.iter().take(limit).map(|other| self.place(&other.location).width()).max().unwrap_or(0);
        for other in others.iter().take(limit) {
            let place = self.place(&other.location);
            let words = if other.message == said { addresses(other) } else { clean(&other.message) };
            if widest + 2 + words.width() <= self.room() {
                let gap = " ".repeat(widest.saturating_sub(place.width()) + 2);
                lines.push(format!("{}{gap}{words}", self.linked(other, &place)));
            } else {
                lines.push(self.linked(other, &place));
                lines
                    .extend(wrapped(&words, self.room().saturating_sub(2)).into_iter().map(|line| format!("  {line}")));
            }
        }
        if others.len() > limit {
            lines.push(format!("and {} more; --full lists all", others.len() - limit));
        }
        self.elements.push(Level::NOTE.message(lines.join("\n")).into());
    }

    fn linked(&self, violation: &Violation, place: &str) -> String {
        self.context.terminal.linked(&self.context.shown(&violation.location.path), place)
    }
}

/// All violations of a policy.
pub(super) fn of_group(group: &Group<'_>, context: &Context<'_>, renderer: &Renderer) -> String {
    let violation = group.first;
    let message = violation.message.chars().take(LABEL_LIMIT).collect::<String>();
    let root = violation.origins.last().map(|step| &step.location);
    let last_line = root.map_or(0, |at| at.start.line).max(violation.location.start.line);
    let mut notes = Notes { context, gutter: last_line.to_string().len(), elements: Vec::new() };
    let label = clean(&message);
    let marked = notes.marked(&violation.location, &label);
    let source = excerpt(&violation.location);
    notes.elements.push(snippet(&violation.location, context, &source, AnnotationKind::Primary, marked).into());
    let (origin, origin_label);
    if let Some(step) = violation.origins.last() {
        origin = excerpt(&step.location);
        origin_label = clean(&format!("the value comes from {}", step.what));
        let marked = notes.marked(&step.location, &origin_label);
        notes.elements.push(snippet(&step.location, context, &origin, AnnotationKind::Context, marked).into());
        if marked.is_empty() {
            notes.add(Level::NOTE, &origin_label);
        }
    }
    if marked.is_empty() {
        notes.add(Level::NOTE, &label);
    }
    cause(&mut notes, violation);
    if !group.others.is_empty() {
        notes.places(&group.others, &violation.message);
    }
    if let Some(metadata) = group.metadata {
        notes.add(Level::HELP, &metadata.remediation);
    }
    if let Some(suggestion) = &violation.suggestion {
        let lines: Vec<String> = suggestion.lines().map(clean).collect();
        notes.elements.push(Level::HELP.with_name("fix").message(lines.join("\n")).into());
    }
    let columns = context.terminal.columns();
    let name = violation.severity.name().len() + 2;
    let level = level(violation.severity);
    // Where title and id do not stand beside each other, the id is a note.
    let title = if name + 2 + group.policy.as_str().len() + group.title().width() <= columns {
        level.primary_title(group.title()).id(group.policy.as_str())
    } else {
        notes.elements.push(Level::NOTE.with_name("policy").message(group.policy.as_str()).into());
        level.primary_title(wrapped(group.title(), columns.saturating_sub(name)).join("\n"))
    };
    renderer.render(&[Block::with_title(title).elements(notes.elements)])
}

/// Whose violation it is, and how the value got there.
fn cause(notes: &mut Notes<'_>, violation: &Violation) {
    let whenever = violation.whenever.as_ref().map(|why| format!(", whenever it is created ({why})"));
    notes.add(Level::NOTE, &format!("in {}{}", addresses(violation), whenever.unwrap_or_default()));
    if let Some(place) = &violation.used_at {
        let place = notes.place(place);
        notes.add(Level::NOTE, &format!("it takes effect at {place}"));
    }
    if let Some(lapse) = &violation.lapse {
        notes.add(Level::NOTE, &lapse.message);
    }
    let between = violation.origins.len().saturating_sub(1);
    for step in violation.origins.iter().take(between) {
        let place = notes.place(&step.location);
        notes.add(Level::NOTE, &format!("through {} at {place}", step.what));
    }
}

fn addresses(violation: &Violation) -> String {
    let mut text = clean(&violation.resource);
    for address in violation.also.iter().take(ADDRESS_LIMIT) {
        text.push_str(&format!(", {}", clean(&address.resource)));
    }
    if violation.also.len() > ADDRESS_LIMIT {
        text.push_str(&format!(" and {} more", violation.also.len() - ADDRESS_LIMIT));
    }
    text
}

/// A place that cannot be read.
pub(super) fn of_problem(problem: &ReportedProblem, context: &Context<'_>, renderer: &Renderer) -> String {
    let name = "unreadable";
    let room = context.terminal.columns().saturating_sub(name.len() + 2);
    let title = wrapped(&clean(&problem.message), room).join("\n");
    let source = problem.location.as_ref().map(excerpt).unwrap_or_default();
    let gutter = problem.location.as_ref().map_or(0, |at| at.start.line.to_string().len());
    let mut notes = Notes { context, gutter, elements: Vec::new() };
    notes.elements.push(match &problem.location {
        Some(location) => snippet(location, context, &source, AnnotationKind::Primary, "").into(),
        None => Origin::path(context.shown(&problem.path)).into(),
    });
    notes.add(Level::HELP, &problem.remedy);
    let block = Block::with_title(Level::ERROR.with_name(name).primary_title(title));
    renderer.render(&[block.elements(notes.elements)])
}

/// A remark about what was meant to silence something.
pub(super) fn of_notice(notice: &ReportedNotice, context: &Context<'_>, renderer: &Renderer) -> String {
    let room = context.terminal.columns().saturating_sub("warning: ".len());
    let title = wrapped(&clean(&notice.message), room).join("\n");
    let source = excerpt(&notice.location);
    let gutter = notice.location.start.line.to_string().len();
    let mut notes = Notes { context, gutter, elements: Vec::new() };
    notes.elements.push(snippet(&notice.location, context, &source, AnnotationKind::Primary, "").into());
    notes.add(Level::HELP, &notice.remedy);
    renderer.render(&[Block::with_title(Level::WARNING.primary_title(title)).elements(notes.elements)])
}

fn excerpt(location: &Location) -> String {
    location.lines.first().cloned().unwrap_or_default()
}

/// Where a message at a span begins: a span over several lines is marked on its first.
fn label_column(location: &Location) -> usize {
    let first = location.lines.first().map(|line| line.chars().count()).unwrap_or_default();
    if location.end.line == location.start.line { location.end.column as usize } else { first + 1 }
}

/// The excerpt with its span marked.
fn snippet<'a>(
    location: &Location,
    context: &Context<'_>,
    source: &'a str,
    kind: AnnotationKind,
    label: &'a str,
) -> Snippet<'a, Annotation<'a>> {
    let byte = |column: u32| {
        let characters = column.saturating_sub(1) as usize;
        source.char_indices().nth(characters).map_or(source.len(), |(at, _)| at)
    };
    let start = byte(location.start.column);
    let end = if location.end.line == location.start.line { byte(location.end.column) } else { source.len() };
    let path = context.shown(&location.path);
    let path = context.terminal.linked(&path, &path);
    let annotation = kind.span(start..end.max(start)).label(Some(label).filter(|label| !label.is_empty()));
    Snippet::source(source).path(path).line_start(location.start.line as usize).annotation(annotation)
}
