//! SARIF 2.1.0 (OASIS): the whole catalogue in the driver, one result for each violating address, undecided answers as `open`.

mod document;

use std::borrow::Cow;

use crate::evaluate::{Location, Report, ReportedNotice, ReportedProblem, State, Suppression, Undecided, Violation};
use crate::policy::{Metadata, Severity};

use super::{Context, Rendering, suppressed};
use document::{
    Artifact, Configuration, Document, Driver, Fingerprints, Invocation, Logical, Message, Notification, Physical,
    Place, Region, Result, ResultProperties, Rule, RuleProperties, Run, Tool,
};

pub(super) struct Sarif;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const INFORMATION_URI: &str = "https://github.com/portcullis-gate/portcullis";

impl Rendering for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn extension(&self) -> &'static str {
        "sarif"
    }

    fn render(&self, report: &Report, context: &Context<'_>) -> String {
        let policies = 0..context.catalogue.len() as u32;
        let rules = policies.filter_map(|policy| context.catalogue.metadata(policy).ok()).map(rule).collect();
        let driver =
            Driver { name: "Portcullis", information_uri: INFORMATION_URI, semantic_version: context.version, rules };
        let violations = report.violations.iter().filter(|violation| violation.state != State::Fixed);
        let mut results: Vec<Result<'_>> = violations
            .flat_map(|violation| violation.addresses().map(move |address| of_violation(context, violation, address)))
            .collect();
        results.extend(report.undecided.iter().map(|undecided| of_undecided(context, undecided)));
        results.extend(suppressed::holding(report).flat_map(|suppression| of_suppressed(context, suppression)));
        let notices = report.notices.iter().map(|notice| of_notice(context, notice));
        let notifications = report.problems.iter().map(|hole| of_problem(context, hole)).chain(notices);
        let invocation = Invocation {
            execution_successful: report.errors.is_empty(),
            tool_execution_notifications: notifications.chain(report.errors.iter().map(of_error)).collect(),
        };
        let document = Document {
            schema: SCHEMA,
            version: "2.1.0",
            runs: [Run { tool: Tool { driver }, column_kind: "unicodeCodePoints", invocations: [invocation], results }],
        };
        let mut text = serde_json::to_string(&document).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn message<'r>(text: impl Into<Cow<'r, str>>) -> Message<'r> {
    Message { text: text.into() }
}

fn rule(metadata: &Metadata) -> Rule<'_> {
    let frameworks = metadata.frameworks.iter().map(|(name, clauses)| (name.as_str(), clauses.as_slice()));
    Rule {
        id: metadata.id.as_str(),
        short_description: message(&metadata.title),
        full_description: message(&metadata.description),
        help: message(&metadata.remediation),
        default_configuration: Configuration { level: level(metadata.severity) },
        properties: RuleProperties {
            severity: metadata.severity.name(),
            security_severity: security_severity(metadata.severity),
            tags: ["security"],
            aliases: &metadata.aliases,
            covers: &metadata.covers,
            frameworks: frameworks.collect(),
        },
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// GitHub's code scanning sorts by this figure: over 9 critical, from 7 high, from 4 medium.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
    }
}

fn of_violation<'r>(
    context: &Context<'_>,
    violation: &'r Violation,
    (address, fingerprint): (&'r str, &'r str),
) -> Result<'r> {
    let chain = violation.used_at.iter().chain(violation.origins.iter().map(|step| &step.location));
    Result {
        rule_id: violation.policy.as_str(),
        kind: "fail",
        level: level(violation.severity),
        message: message(&violation.message),
        locations: [place(context, &violation.location, Some(address))],
        partial_fingerprints: Some(Fingerprints { own: fingerprint }),
        properties: ResultProperties {
            severity: violation.severity.name(),
            attribute: Some(&violation.attribute),
            remedy: None,
        },
        related_locations: chain.map(|at| place(context, at, None)).collect(),
        baseline_state: match violation.state {
            State::Introduced => Some("new"),
            State::Existing => Some("unchanged"),
            State::Found | State::Fixed => None,
        },
        suppressions: Vec::new(),
    }
}

/// `open`: the tool has not enough information to decide.
fn of_undecided<'r>(context: &Context<'_>, undecided: &'r Undecided) -> Result<'r> {
    let words = match undecided.attribute.as_str() {
        "" => format!("undecided: {}", undecided.reason),
        attribute => format!("{attribute} is undecided: {}", undecided.reason),
    };
    Result {
        rule_id: undecided.policy.as_str(),
        kind: "open",
        level: "none",
        message: message(words),
        locations: [place(context, &undecided.location, Some(&undecided.resource))],
        partial_fingerprints: None,
        properties: ResultProperties {
            severity: undecided.severity.name(),
            attribute: None,
            remedy: Some(&undecided.remedy),
        },
        related_locations: Vec::new(),
        baseline_state: None,
        suppressions: Vec::new(),
    }
}

/// The results of what a suppression keeps from counting, each with it.
fn of_suppressed<'r>(context: &Context<'_>, suppression: &'r Suppression) -> Vec<Result<'r>> {
    let addresses = |violation: &'r Violation| violation.addresses().map(move |address| (violation, address));
    let violations = suppression.violations.iter().flat_map(addresses);
    let violations = violations.map(|(violation, address)| of_violation(context, violation, address));
    let undecided = suppression.undecided.iter().map(|undecided| of_undecided(context, undecided));
    let mut results: Vec<Result<'_>> = violations.chain(undecided).collect();
    for result in &mut results {
        result.suppressions = vec![document::Suppression {
            kind: "inSource",
            status: "accepted",
            justification: suppression.reason.as_ref().map(|_| suppressed::why(suppression).into()),
            location: place(context, &suppression.location, None),
        }];
    }
    results
}

fn place<'r>(context: &Context<'_>, at: &'r Location, address: Option<&'r str>) -> Place<'r> {
    let has_end = (at.end.line, at.end.column) > (at.start.line, at.start.column);
    let snippet: Option<Cow<'_, str>> = match at.lines.as_slice() {
        [] => None,
        [line] => Some(line.into()),
        lines => Some(lines.join("\n").into()),
    };
    let region = Region {
        start_line: at.start.line,
        start_column: at.start.column,
        end_line: has_end.then_some(at.end.line),
        end_column: has_end.then_some(at.end.column),
        snippet: snippet.map(message),
    };
    let artifact_location = Artifact { uri: uri(context, at.path.as_str()) };
    Place {
        physical_location: Physical { artifact_location, region: Some(region) },
        logical_locations: address.map(|address| [Logical { fully_qualified_name: address, kind: "resource" }]),
    }
}

/// A path as the URI reference SARIF wants: what RFC 3986 does not allow in a path is percent-encoded.
fn uri(context: &Context<'_>, path: &str) -> String {
    let mut uri = String::with_capacity(path.len() + 8);
    if context.prefix == "/" {
        uri.push_str("file:///");
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' | b'@' | b'+' | b'=' | b',' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

fn of_problem<'r>(context: &Context<'_>, problem: &'r ReportedProblem) -> Notification<'r> {
    let whole_file = || {
        let artifact_location = Artifact { uri: uri(context, problem.path.as_str()) };
        Place { physical_location: Physical { artifact_location, region: None }, logical_locations: None }
    };
    Notification {
        level: "error",
        message: message(format!("{}; {}", problem.message, problem.remedy)),
        locations: vec![problem.location.as_ref().map_or_else(whole_file, |at| place(context, at, None))],
    }
}

fn of_notice<'r>(context: &Context<'_>, notice: &'r ReportedNotice) -> Notification<'r> {
    Notification {
        level: "warning",
        message: message(format!("{}; {}", notice.message, notice.remedy)),
        locations: vec![place(context, &notice.location, None)],
    }
}

fn of_error(words: &String) -> Notification<'_> {
    Notification { level: "error", message: message(words), locations: Vec::new() }
}
