//! Text for a terminal, as good compilers write it: the excerpt, the offending span, why, and what to do.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::evaluate::{Location, Report, ReportedNotice, ReportedProblem, State, Undecided, Verdict, Violation};
use crate::policy::Severity;

use super::counts::{by_severity, counted, in_state, looked_at};
use super::{Context, Rendering, suppressed};

pub(super) struct Text;

/// Most undecided answers listed one by one.
const UNDECIDED_LIMIT: usize = 10;
/// Most addresses named behind the first.
const ADDRESS_LIMIT: usize = 5;

impl Rendering for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn render(&self, report: &Report, context: &Context<'_>) -> String {
        let renderer = if context.color { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Unicode).term_width(context.width.max(40));
        let mut text = String::new();
        for violation in report.violations.iter().filter(|violation| violation.is_new()) {
            text.push_str(&rendered_violation(violation, report, context, &renderer));
            text.push_str("\n\n");
        }
        for problem in &report.problems {
            text.push_str(&rendered_problem(problem, context, &renderer));
            text.push_str("\n\n");
        }
        for notice in &report.notices {
            text.push_str(&rendered_notice(notice, context, &renderer));
            text.push_str("\n\n");
        }
        text.push_str(&undecided_list(&report.undecided, context));
        if context.shows_suppressed {
            text.push_str(&suppressed_list(report, context));
        }
        text.push_str(&closing(report));
        text
    }
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Critical | Severity::High => Level::ERROR.with_name(severity.name()),
        Severity::Medium => Level::WARNING.with_name(severity.name()),
        Severity::Low => Level::INFO.with_name(severity.name()),
    }
}

fn rendered_violation(violation: &Violation, report: &Report, context: &Context<'_>, renderer: &Renderer) -> String {
    let metadata = report.policies.get(&violation.policy);
    let title = metadata.map_or("", |metadata| metadata.title.as_str());
    let label = short(&violation.message);
    let source = excerpt(&violation.location);
    let mut group = Group::with_title(level(violation.severity).primary_title(title).id(violation.policy.as_str()))
        .element(snippet(&violation.location, context.shown(&violation.location.path), &source, &label));
    let mut addresses = format!("in {}", clean(&violation.resource));
    if !violation.also.is_empty() {
        let named = violation
            .also
            .iter()
            .take(ADDRESS_LIMIT)
            .map(|address| clean(&address.resource))
            .collect::<Vec<_>>()
            .join(", ");
        addresses.push_str(&format!(" and {named}"));
        if violation.also.len() > ADDRESS_LIMIT {
            addresses.push_str(&format!(" and {} more", violation.also.len() - ADDRESS_LIMIT));
        }
    }
    if let Some(whenever) = &violation.whenever {
        addresses.push_str(&format!(", whenever it is created ({whenever})"));
    }
    group = group.element(Level::NOTE.message(addresses));
    if let Some(place) = &violation.used_at {
        let text = format!("it takes effect at {}:{}", context.shown(&place.path), place.start.line);
        group = group.element(Level::NOTE.message(text));
    }
    for step in &violation.origins {
        let place = &step.location;
        let text = format!("the value comes from {} at {}:{}", step.what, context.shown(&place.path), place.start.line);
        group = group.element(Level::NOTE.message(text));
    }
    if let Some(lapse) = &violation.lapse {
        group = group.element(Level::NOTE.message(lapse.message.as_str()));
    }
    if let Some(metadata) = metadata {
        group = group.element(Level::HELP.message(one_line(&metadata.remediation)));
    }
    if let Some(suggestion) = &violation.suggestion {
        group = group.element(Level::HELP.with_name("fix").message(suggestion.as_str()));
    }
    renderer.render(&[group])
}

fn rendered_problem(problem: &ReportedProblem, context: &Context<'_>, renderer: &Renderer) -> String {
    let level = Level::ERROR.with_name("unreadable");
    let group = Group::with_title(level.primary_title(problem.message.as_str()));
    let source = problem.location.as_ref().map(excerpt).unwrap_or_default();
    let group = match &problem.location {
        Some(location) => group.element(snippet(location, context.shown(&location.path), &source, "")),
        None => group.element(annotate_snippets::Origin::path(context.shown(&problem.path))),
    };
    renderer.render(&[group.element(Level::HELP.message(problem.remedy.as_str()))])
}

fn rendered_notice(notice: &ReportedNotice, context: &Context<'_>, renderer: &Renderer) -> String {
    let source = excerpt(&notice.location);
    let group = Group::with_title(Level::WARNING.primary_title(notice.message.as_str()))
        .element(snippet(&notice.location, context.shown(&notice.location.path), &source, ""))
        .element(Level::HELP.message(notice.remedy.as_str()));
    renderer.render(&[group])
}

fn excerpt(location: &Location) -> String {
    location.lines.join("\n")
}

/// The excerpt with its span marked; a span over several lines is marked on its first.
fn snippet<'a>(
    location: &Location,
    path: String,
    source: &'a str,
    label: &'a str,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let first = location.lines.first().map(String::as_str).unwrap_or_default();
    let byte = |column: u32| {
        let characters = column.saturating_sub(1) as usize;
        first.char_indices().nth(characters).map_or(first.len(), |(at, _)| at)
    };
    let start = byte(location.start.column);
    let end = if location.end.line == location.start.line { byte(location.end.column) } else { first.len() };
    let source = source.get(..first.len()).unwrap_or(source);
    let annotation = AnnotationKind::Primary.span(start..end.max(start)).label(label);
    Snippet::source(source).path(path).line_start(location.start.line as usize).annotation(annotation)
}

fn undecided_list(undecided: &[Undecided], context: &Context<'_>) -> String {
    if undecided.is_empty() {
        return String::new();
    }
    let mut text = format!("{} undecided:\n", counted(undecided.len(), "answer"));
    for undecided in undecided.iter().take(UNDECIDED_LIMIT) {
        let place = &undecided.location;
        let cause =
            undecided.cause.as_ref().map(|cause| format!(" ({}:{})", context.shown(&cause.path), cause.start.line));
        text.push_str(&format!(
            "  {}:{}: {} of {}: {}{}; {}\n",
            context.shown(&place.path),
            place.start.line,
            undecided.policy,
            clean(&undecided.resource),
            clean(&undecided.reason),
            cause.unwrap_or_default(),
            undecided.remedy,
        ));
    }
    if undecided.len() > UNDECIDED_LIMIT {
        text.push_str(&format!("  and {} more; --format json lists all\n", undecided.len() - UNDECIDED_LIMIT));
    }
    text.push('\n');
    text
}

fn suppressed_list(report: &Report, context: &Context<'_>) -> String {
    let place = |at: &Location| format!("{}:{}", context.shown(&at.path), at.start.line);
    let mut text = String::new();
    for suppression in suppressed::holding(report) {
        let (all, left) = suppressed::what(suppression);
        let mut what: Vec<String> =
            all.iter().map(|(resource, at)| format!("{} at {}", clean(resource), place(at))).collect();
        what.extend((left > 0).then(|| format!("{left} more")));
        text.push_str(&format!(
            "  {}: {} of {}: {}\n",
            place(&suppression.location),
            suppressed::named(suppression),
            what.join(", "),
            clean(&suppressed::why(suppression)),
        ));
    }
    if !text.is_empty() {
        text = format!("{} suppressed:\n{text}\n", counted(suppressed::count(report), "answer"));
    }
    text
}

fn closing(report: &Report) -> String {
    let found = in_state(report, State::Found) + in_state(report, State::Introduced);
    let mut text = match (report.verdict, found) {
        (Verdict::Error, _) => "The evaluation went wrong".to_owned(),
        (_, 0) if in_state(report, State::Existing) > 0 => "No new violations".to_owned(),
        (_, 0) => "No violations".to_owned(),
        (_, _) => {
            let severities = [by_severity(report, State::Introduced), by_severity(report, State::Found)];
            let severities: Vec<String> = severities.into_iter().filter(|words| !words.is_empty()).collect();
            format!("{} ({})", counted(found, "violation"), severities.join(", "))
        }
    };
    let existing = in_state(report, State::Existing);
    if existing > 0 {
        text.push_str(&format!(", {existing} of the baseline"));
    }
    let holes = [(report.undecided.len(), "undecided answer"), (report.problems.len(), "unreadable place")];
    for (count, noun) in holes.into_iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!(", {}", counted(count, noun)));
    }
    let suppressed = suppressed::count(report);
    if suppressed > 0 {
        text.push_str(&format!(", {suppressed} suppressed"));
    }
    if !report.unevaluated.is_empty() {
        text.push_str(&format!(", {} not evaluated", counted(report.unevaluated.len(), "file")));
    }
    text.push_str(&format!("; looked at {}\n", looked_at(report)));
    for error in &report.errors {
        text.push_str(&format!("error: {error}\n"));
    }
    text
}

fn short(message: &str) -> String {
    message.chars().take(160).collect()
}

/// Control characters would move the cursor, or hide what is written.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
