//! Why policies answer as they do, as text: the conditions of each check as a tree, with what was found and what decided.

use unicode_width::UnicodeWidthStr as _;

use crate::evaluate::{Answer, Clause, ExplainedCheck, ExplainedPart, Explanation, Finding, Holds, Location};

use super::Context;
use super::counts::counted;
use super::terminal::{Ink, clean, wrapped};

/// Most places shown of one condition that did not make the answer; of one that did, ten times as many.
const FOUND_LIMIT: usize = 3;
/// Most elements shown of one list.
const ELEMENT_LIMIT: usize = 12;

/// Explanations for a terminal; worst answers first, and with everything that was looked at.
#[must_use]
pub fn explanation(explanations: &[Explanation], context: &Context<'_>) -> String {
    let mut page = Page { text: String::new(), context };
    for (index, explanation) in explanations.iter().enumerate() {
        if index > 0 {
            page.text.push('\n');
        }
        page.resource(explanation);
    }
    page.text
}

struct Page<'p> {
    text: String,
    context: &'p Context<'p>,
}

impl Page<'_> {
    fn line(&mut self, indent: usize, words: &str) {
        self.text.push_str(&" ".repeat(indent));
        self.text.push_str(words);
        self.text.push('\n');
    }

    /// Words behind a mark, wrapped so that their lines begin below one another.
    fn marked(&mut self, indent: usize, mark: &str, ink: Ink, words: &str) {
        let hanging = mark.chars().count() + 1;
        let room = self.context.terminal.columns().saturating_sub(indent + hanging);
        for (index, line) in wrapped(words, room).into_iter().enumerate() {
            let before =
                if index == 0 { format!("{} ", self.context.terminal.paint(ink, mark)) } else { " ".repeat(hanging) };
            self.line(indent, &format!("{before}{line}"));
        }
    }

    fn place(&self, location: &Location) -> String {
        let path = self.context.shown(&location.path);
        let text = format!("{path}:{}:{}", location.start.line, location.start.column);
        self.context.terminal.linked(&path, &self.context.terminal.paint(Ink::Faint, &text))
    }

    fn resource(&mut self, explanation: &Explanation) {
        let terminal = self.context.terminal;
        let part = explanation.part.as_ref().map(|part| format!(" {part}")).unwrap_or_default();
        let place = &explanation.location;
        let path = self.context.shown(&place.path);
        let lines = match place.end.line.saturating_sub(u32::from(place.end.column == 1)) {
            last if last > place.start.line => format!("{path}:{}-{last}", place.start.line),
            _ => format!("{path}:{}", place.start.line),
        };
        let name = terminal.paint(Ink::Bold, &clean(&format!("{}{part}", explanation.resource)));
        self.line(0, &format!("{name}  {}  {}", clean(&explanation.resource_type), terminal.linked(&path, &lines)));
        let of = |answer| explanation.checks.iter().filter(|check| check.answer == answer).count();
        let counts = [
            (of(Answer::Violation), "not met"),
            (of(Answer::Undecided), "undecided"),
            (of(Answer::Pass), "met"),
            (of(Answer::NotApplicable), "not applicable"),
        ];
        let counts: Vec<String> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        match explanation.checks.len() {
            0 => self.line(0, "no policy speaks of this type"),
            count => self.line(0, &format!("{}: {}", counted(count, "check"), counts.join(", "))),
        }
        for error in &explanation.errors {
            self.marked(0, "error:", Ink::Red, error);
        }
        self.checks(explanation);
    }

    fn checks(&mut self, explanation: &Explanation) {
        let mut checks: Vec<&ExplainedCheck> = explanation.checks.iter().collect();
        checks.sort_by_key(|check| (check.answer, std::cmp::Reverse(check.severity)));
        for check in checks {
            self.text.push('\n');
            self.check(check);
        }
    }

    fn check(&mut self, check: &ExplainedCheck) {
        let (mark, ink, word) = match check.answer {
            Answer::Violation => ("✗", Ink::Red, "not met"),
            Answer::Undecided => ("?", Ink::Yellow, "undecided"),
            Answer::Pass => ("✓", Ink::Green, "met"),
            Answer::NotApplicable => ("–", Ink::Faint, "not applicable"),
        };
        let which = match check.check {
            (_, 0 | 1) => String::new(),
            (number, count) => format!(" (check {number} of {count})"),
        };
        let words = format!("{word}: {} [{}] {}{which}", check.policy, check.severity, check.title);
        self.marked(0, mark, ink, &words);
        for message in &check.messages {
            self.marked(4, "→", ink, &clean(message));
        }
        for clause in &check.clauses {
            self.clause(clause);
        }
    }

    fn clause(&mut self, clause: &Clause) {
        let asks = match (clause.name, clause.holds) {
            ("when", Holds::Yes) => "holds, so that it applies",
            ("when", Holds::No) => "does not hold, so that it does not apply",
            ("unless", Holds::Yes) => "holds, so that it does not apply",
            ("unless", Holds::No) => "does not hold, so that it applies",
            ("require", Holds::Yes) => "all of it holds",
            ("require", Holds::No) => "not all of it holds",
            ("forbid", Holds::Yes) => "some of it holds",
            ("forbid", Holds::No) => "none of it holds",
            (_, Holds::Unknown) => "nobody can know",
            _ => "the resource itself is forbidden",
        };
        let name = self.context.terminal.paint(Ink::Bold, clause.name);
        self.line(4, &format!("{name}: {asks}"));
        let is_clear = clause.parts.iter().all(decides_throughout);
        for part in &clause.parts {
            self.part(part, 6, is_clear);
        }
        if clause.is_cut {
            self.line(6, "… and more, which is not written down");
        }
    }

    /// `is_clear`: everything decides, so that it need not be said.
    fn part(&mut self, part: &ExplainedPart, indent: usize, is_clear: bool) {
        let (mark, ink) = truth(part.holds);
        let decides = if part.decides && !is_clear { "  ◀" } else { "" };
        let nothing = if part.found.is_empty() && part.parts.is_empty() { " (there is none)" } else { "" };
        self.marked(indent, mark, ink, &format!("{}{nothing}{decides}", clean(&part.asked)));
        let limit = if part.decides { FOUND_LIMIT * 10 } else { FOUND_LIMIT };
        let (first, later): (Vec<&Finding>, Vec<&Finding>) = part.found.iter().partition(|finding| finding.decides);
        for finding in first.iter().chain(&later).take(limit) {
            self.finding(finding, indent + 4, part.found.len() > 1);
        }
        self.rest(part.found.len(), limit, indent + 4, "more place");
        let (first, later): (Vec<_>, Vec<_>) = part.parts.iter().partition(|inner| inner.decides);
        for inner in first.into_iter().chain(later).take(ELEMENT_LIMIT) {
            self.part(inner, indent + 2, is_clear);
        }
        self.rest(part.parts.len(), ELEMENT_LIMIT, indent + 2, "more part");
    }

    fn rest(&mut self, count: usize, limit: usize, indent: usize, noun: &str) {
        if count > limit {
            self.line(indent, &format!("… and {}; --format json shows all", counted(count - limit, noun)));
        }
    }

    fn finding(&mut self, finding: &Finding, indent: usize, is_one_of_many: bool) {
        let (mark, ink) = if is_one_of_many { truth(finding.holds) } else { ("·", Ink::Faint) };
        let words = clean(&finding.words);
        let place = self.place(&finding.location);
        let location = &finding.location;
        let place_width =
            format!("{}:{}:{}", self.context.shown(&location.path), location.start.line, location.start.column).width();
        if indent + mark.width() + 1 + words.width() + 2 + place_width <= self.context.terminal.columns() {
            self.line(indent, &format!("{} {words}  {place}", self.context.terminal.paint(ink, mark)));
        } else {
            self.marked(indent, mark, ink, &words);
            self.line(indent + 2, &place);
        }
        for step in &finding.origins {
            let words = format!("← {} {}", clean(&step.what), self.place(&step.location));
            self.line(indent + 2, &words);
        }
        if let Some(unknown) = &finding.unknown {
            self.marked(indent + 2, "why:", Ink::Yellow, &clean(unknown));
        }
    }
}

fn decides_throughout(part: &ExplainedPart) -> bool {
    part.found.iter().all(|finding| finding.decides) && part.parts.iter().all(decides_throughout)
}

fn truth(holds: Holds) -> (&'static str, Ink) {
    match holds {
        Holds::Yes => ("yes", Ink::Blue),
        Holds::No => ("no ", Ink::Blue),
        Holds::Unknown => ("?  ", Ink::Yellow),
    }
}
