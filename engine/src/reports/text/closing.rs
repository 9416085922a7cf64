//! What stands below the blocks: what is of low severity, what is undecided, what to mend first, and the figures.

use unicode_width::UnicodeWidthStr as _;

use crate::evaluate::{Location, Report, State, Undecided, Verdict};

use super::super::counts::{by_severity, counted, in_state, looked_at};
use super::super::terminal::{Ink, clean, wrapped};
use super::super::{Context, suppressed};
use super::{Group, ink};

/// Most reasons of undecided answers, unless everything is wanted.
const REASON_LIMIT: usize = 8;
/// Most answers named of one reason.
const ANSWER_LIMIT: usize = 3;
/// Most policies named to be seen to first.
const FIRST_LIMIT: usize = 3;
/// As many policies are seen at a glance.
const AT_A_GLANCE: usize = 3;

fn place(location: &Location, context: &Context<'_>) -> String {
    let path = context.shown(&location.path);
    let text = format!("{path}:{}:{}", location.start.line, location.start.column);
    context.terminal.linked(&path, &text)
}

fn place_width(location: &Location, context: &Context<'_>) -> usize {
    format!("{}:{}:{}", context.shown(&location.path), location.start.line, location.start.column).width()
}

/// Words behind what was written already, the lines below one another; on the next line where there is no room beside it.
fn beside(text: &mut String, written: usize, indent: usize, words: &str, columns: usize) {
    let room = columns.saturating_sub(written);
    let (indent, lines) = if words.width() <= room || room >= columns / 2 {
        (written, wrapped(words, room))
    } else {
        text.push('\n');
        text.push_str(&" ".repeat(indent));
        (indent, wrapped(words, columns.saturating_sub(indent)))
    };
    text.push_str(&lines.join(&format!("\n{}", " ".repeat(indent))));
    text.push('\n');
}

/// A line for each policy.
pub(super) fn brief(groups: &[&Group<'_>], context: &Context<'_>) -> String {
    if groups.is_empty() {
        return String::new();
    }
    let violations: usize = groups.iter().flat_map(|group| group.violations()).map(|v| 1 + v.also.len()).sum();
    let mut text = format!("{} of low severity; --full shows each:\n", counted(violations, "violation"));
    let columns = context.terminal.columns();
    for group in groups {
        let places = match group.others.len() {
            0 => String::new(),
            others => format!(" ({} places)", others + 1),
        };
        let id = group.policy.as_str();
        text.push_str(&format!("  {}{places} ", context.terminal.paint(Ink::Blue, id)));
        beside(&mut text, id.width() + places.len() + 3, 6, group.title(), columns);
        text.push_str(&format!("      {}\n", place(&group.first.location, context)));
    }
    text.push('\n');
    text
}

/// What nobody can know, by reason: one value may leave many answers open.
pub(super) fn undecided(undecided: &[Undecided], context: &Context<'_>) -> String {
    let mut reasons: Vec<(&Undecided, Vec<&Undecided>)> = Vec::new();
    for answer in undecided {
        let is_same = |(known, _): &&mut (&Undecided, _)| known.reason == answer.reason && known.cause == answer.cause;
        match reasons.iter_mut().find(is_same) {
            Some((_, answers)) => answers.push(answer),
            None => reasons.push((answer, vec![answer])),
        }
    }
    if reasons.is_empty() {
        return String::new();
    }
    let columns = context.terminal.columns();
    let mut text = format!("{} undecided:\n", counted(undecided.len(), "answer"));
    let limit = |small| if context.in_full { usize::MAX } else { small };
    for (first, answers) in reasons.iter().take(limit(REASON_LIMIT)) {
        text.push_str(&format!("  {} ", context.terminal.paint(Ink::Yellow, "?")));
        let cause = first
            .cause
            .as_ref()
            .map(|cause| format!(" ({}:{}:{})", context.shown(&cause.path), cause.start.line, cause.start.column));
        let words = format!("{}{}; {}", clean(&first.reason), cause.unwrap_or_default(), first.remedy);
        beside(&mut text, 4, 4, &words, columns);
        for answer in answers.iter().take(limit(ANSWER_LIMIT)) {
            text.push_str(&format!("      {}  ", place(&answer.location, context)));
            let words = format!("{} of {}", answer.policy, clean(&answer.resource));
            beside(&mut text, 8 + place_width(&answer.location, context), 8, &words, columns);
        }
        if answers.len() > limit(ANSWER_LIMIT) {
            text.push_str(&format!("      and {} more\n", answers.len() - ANSWER_LIMIT));
        }
    }
    if reasons.len() > limit(REASON_LIMIT) {
        text.push_str(&format!("  and {}; --full lists all\n", counted(reasons.len() - REASON_LIMIT, "more reason")));
    }
    text.push('\n');
    text
}

/// What suppressions silence, each with its reason.
pub(super) fn suppressed_list(report: &Report, context: &Context<'_>) -> String {
    let columns = context.terminal.columns();
    let mut text = String::new();
    for suppression in suppressed::holding(report) {
        let (all, left) = suppressed::what(suppression);
        let shown = |at: &Location| format!("{}:{}", context.shown(&at.path), at.start.line);
        let mut what: Vec<String> =
            all.iter().map(|(resource, at)| format!("{} at {}", clean(resource), shown(at))).collect();
        what.extend((left > 0).then(|| format!("{left} more")));
        if what.is_empty() {
            what.push(suppressed::silenced(suppression));
        }
        let (named, why) = (suppressed::named(suppression), clean(&suppressed::why(suppression)));
        text.push_str(&format!("  {}  ", place(&suppression.location, context)));
        let words = format!("{named} of {}: {why}", what.join(", "));
        beside(&mut text, 4 + place_width(&suppression.location, context), 6, &words, columns);
    }
    if !text.is_empty() {
        text = format!("{} suppressed:\n{text}\n", counted(suppressed::count(report), "answer"));
    }
    text
}

/// The policies to see to first, where there are more than one sees at a glance.
pub(super) fn first_of_all(groups: &[Group<'_>], context: &Context<'_>) -> String {
    if groups.len() <= AT_A_GLANCE {
        return String::new();
    }
    let columns = context.terminal.columns();
    let mut text = format!("{}\n", context.terminal.paint(Ink::Bold, "First of all:"));
    for group in groups.iter().take(FIRST_LIMIT) {
        let severity = context.terminal.paint(ink(group.severity), &format!("{:<8}", group.severity.name()));
        let places = match group.others.len() {
            0 => String::new(),
            others => format!(" ({} places)", others + 1),
        };
        text.push_str(&format!("  {severity}  "));
        beside(&mut text, 12, 12, &format!("{}{places}", group.title()), columns);
        text.push_str(&format!("            {}\n", place(&group.first.location, context)));
    }
    text.push('\n');
    text
}

/// The figures.
pub(super) fn sentence(report: &Report, context: &Context<'_>) -> String {
    let found = in_state(report, State::Found) + in_state(report, State::Introduced);
    let existing = in_state(report, State::Existing);
    let (mut words, ink) = match (report.verdict, found) {
        (Verdict::Error, _) => ("The evaluation went wrong".to_owned(), Ink::Red),
        (_, 0) if existing > 0 => ("No new violations".to_owned(), Ink::Green),
        (_, 0) => ("No violations".to_owned(), Ink::Green),
        (_, _) => {
            let severities = [by_severity(report, State::Introduced), by_severity(report, State::Found)];
            let severities: Vec<String> = severities.into_iter().filter(|words| !words.is_empty()).collect();
            (format!("{} ({})", counted(found, "violation"), severities.join(", ")), Ink::Red)
        }
    };
    if existing > 0 {
        words.push_str(&format!(", {existing} of the baseline"));
    }
    let mut ink = ink;
    let holes = [(report.undecided.len(), "undecided answer"), (report.problems.len(), "unreadable place")];
    for (count, noun) in holes.into_iter().filter(|(count, _)| *count > 0) {
        words.push_str(&format!(", {}", counted(count, noun)));
        if ink == Ink::Green {
            ink = Ink::Yellow;
        }
    }
    let suppressed = suppressed::count(report);
    if suppressed > 0 {
        words.push_str(&format!(", {suppressed} suppressed"));
    }
    if !report.unevaluated.is_empty() {
        words.push_str(&format!(", {} not evaluated", counted(report.unevaluated.len(), "file")));
    }
    words.push_str(&format!("; looked at {}", looked_at(report)));
    let mut text = String::new();
    for line in wrapped(&words, context.terminal.columns()) {
        text.push_str(&context.terminal.paint(ink, &line));
        text.push('\n');
    }
    for error in &report.errors {
        text.push_str(&format!("{} {}\n", context.terminal.paint(Ink::Red, "error:"), clean(error)));
    }
    text
}
