//! Comma-separated values (RFC 4180) for spreadsheets: one row for each violation, undecided answer,
//! suppressed answer, notice and unreadable place.

use crate::evaluate::{Location, Report, State, Suppression};

use super::{Context, Rendering, suppressed};

pub(super) struct Csv;

const HEADER: &str =
    "kind,severity,policy,title,path,line,column,resource,attribute,message,remediation,fingerprint\r\n";

impl Rendering for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn extension(&self) -> &'static str {
        "csv"
    }

    fn render(&self, report: &Report, context: &Context<'_>) -> String {
        let mut text = HEADER.to_owned();
        for violation in report.violations.iter().filter(|violation| violation.state != State::Fixed) {
            let (title, remediation) = (report.title(&violation.policy), report.remediation(&violation.policy));
            for (address, fingerprint) in violation.addresses() {
                let kind = if violation.state == State::Existing { "existing violation" } else { "violation" };
                let before = [kind, violation.severity.name(), violation.policy.as_str(), title];
                let place = place(context, &violation.location);
                let behind = [address, &violation.attribute, &violation.message, remediation, fingerprint];
                row(&mut text, before.into_iter().chain(place.iter().map(String::as_str)).chain(behind));
            }
        }
        for undecided in &report.undecided {
            let title = report.title(&undecided.policy);
            let before = ["undecided", undecided.severity.name(), undecided.policy.as_str(), title];
            let place = place(context, &undecided.location);
            let behind = [&*undecided.resource, &undecided.attribute, &undecided.reason, &undecided.remedy, ""];
            row(&mut text, before.into_iter().chain(place.iter().map(String::as_str)).chain(behind));
        }
        suppressed::holding(report).for_each(|suppression| suppressed_rows(&mut text, suppression, report, context));
        for notice in &report.notices {
            let place = place(context, &notice.location);
            let behind = ["", "", &notice.message, &notice.remedy, ""];
            row(&mut text, ["notice", "", "", ""].into_iter().chain(place.iter().map(String::as_str)).chain(behind));
        }
        for problem in &report.problems {
            let path = context.shown(&problem.path);
            let place = problem.location.as_ref().map_or([path, String::new(), String::new()], |at| place(context, at));
            let behind = ["", "", &problem.message, &problem.remedy, ""];
            let before = ["unreadable", "", "", ""];
            row(&mut text, before.into_iter().chain(place.iter().map(String::as_str)).chain(behind));
        }
        text
    }
}

/// The rows of what a suppression keeps from counting.
fn suppressed_rows(text: &mut String, suppression: &Suppression, report: &Report, context: &Context<'_>) {
    let (title, remediation) = (report.title(&suppression.policy), report.remediation(&suppression.policy));
    let policy = suppression.policy.as_str();
    let at = format!("{}:{}", context.shown(&suppression.location.path), suppression.location.start.line);
    let why = format!("suppressed in {at}: {}", suppressed::why(suppression));
    for violation in &suppression.violations {
        let (before, place) =
            (["suppressed violation", violation.severity.name(), policy, title], place(context, &violation.location));
        for (address, fingerprint) in violation.addresses() {
            let message = format!("{}; {why}", violation.message);
            let behind = [address, &violation.attribute, &message, remediation, fingerprint];
            row(text, before.into_iter().chain(place.iter().map(String::as_str)).chain(behind));
        }
    }
    for undecided in &suppression.undecided {
        let (before, place) =
            (["suppressed undecided", undecided.severity.name(), policy, title], place(context, &undecided.location));
        let message = format!("{}; {why}", undecided.reason);
        let behind = [&*undecided.resource, &undecided.attribute, &message, &undecided.remedy, ""];
        row(text, before.into_iter().chain(place.iter().map(String::as_str)).chain(behind));
    }
}

fn place(context: &Context<'_>, location: &Location) -> [String; 3] {
    [context.shown(&location.path), location.start.line.to_string(), location.start.column.to_string()]
}

fn row<'a>(text: &mut String, cells: impl Iterator<Item = &'a str>) {
    let cells: Vec<String> = cells.map(cell).collect();
    text.push_str(&cells.join(","));
    text.push_str("\r\n");
}

/// A cell. A spreadsheet takes a text that begins like a formula for one, so that gets an apostrophe before it.
fn cell(value: &str) -> String {
    let value: String = value.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    let value = if value.starts_with(['=', '+', '-', '@']) { format!("'{value}") } else { value };
    if value.contains(['"', ',', '\n']) { format!("\"{}\"", value.replace('"', "\"\"")) } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_keep_their_place_and_are_no_formulas() {
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(cell("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(cell("one\ntwo\r"), "\"one\ntwo \"");
    }
}
