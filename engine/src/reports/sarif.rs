//! SARIF 2.1.0 (OASIS): the whole catalogue in the driver, one result for each violating address, undecided answers as `open`.

use serde_json::{Map, Value, json};

use crate::evaluate::{Location, Report, ReportedProblem, State, Undecided, Violation};
use crate::policy::{Metadata, Severity};

use super::{Context, Rendering};

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
        let rules: Vec<Value> = (0..context.catalogue.len() as u32)
            .filter_map(|policy| context.catalogue.metadata(policy).ok())
            .map(rule)
            .collect();
        let mut results = Vec::new();
        for violation in report.violations.iter().filter(|violation| violation.state != State::Fixed) {
            results.extend(violation.addresses().map(|address| violation_result(context, violation, address)));
        }
        results.extend(report.undecided.iter().map(|undecided| undecided_result(context, undecided)));
        let notifications: Vec<Value> =
            report.problems.iter().map(|hole| problem(context, hole)).chain(report.errors.iter().map(error)).collect();
        let document = json!({
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "Portcullis",
                    "informationUri": INFORMATION_URI,
                    "semanticVersion": context.version,
                    "rules": rules,
                }},
                "columnKind": "unicodeCodePoints",
                "invocations": [{
                    "executionSuccessful": report.errors.is_empty(),
                    "toolExecutionNotifications": notifications,
                }],
                "results": results,
            }],
        });
        let mut text = serde_json::to_string(&document).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn rule(metadata: &Metadata) -> Value {
    let frameworks: Map<String, Value> =
        metadata.frameworks.iter().map(|(name, clauses)| (name.clone(), json!(clauses))).collect();
    json!({
        "id": metadata.id.as_str(),
        "shortDescription": { "text": metadata.title },
        "fullDescription": { "text": metadata.description },
        "help": { "text": metadata.remediation },
        "defaultConfiguration": { "level": level(metadata.severity) },
        "properties": {
            "severity": metadata.severity.name(),
            "security-severity": security_severity(metadata.severity),
            "tags": ["security"],
            "aliases": metadata.aliases,
            "covers": metadata.covers,
            "frameworks": frameworks,
        },
    })
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

fn violation_result(context: &Context<'_>, violation: &Violation, (address, fingerprint): (&str, &str)) -> Value {
    let mut result = json!({
        "ruleId": violation.policy.as_str(),
        "kind": "fail",
        "level": level(violation.severity),
        "message": { "text": violation.message },
        "locations": [location(context, &violation.location, Some(address))],
        "partialFingerprints": { "portcullis/v1": fingerprint },
        "properties": { "severity": violation.severity.name(), "attribute": violation.attribute },
    });
    if let Some(object) = result.as_object_mut() {
        let chain = violation.used_at.iter().chain(violation.origins.iter().map(|step| &step.location));
        let origins: Vec<Value> = chain.map(|place| location(context, place, None)).collect();
        if !origins.is_empty() {
            object.insert("relatedLocations".into(), origins.into());
        }
        let baseline = match violation.state {
            State::Introduced => Some("new"),
            State::Existing => Some("unchanged"),
            State::Found | State::Fixed => None,
        };
        if let Some(baseline) = baseline {
            object.insert("baselineState".into(), baseline.into());
        }
    }
    result
}

/// `open`: the tool has not enough information to decide.
fn undecided_result(context: &Context<'_>, undecided: &Undecided) -> Value {
    let message = match undecided.attribute.as_str() {
        "" => format!("undecided: {}", undecided.reason),
        attribute => format!("{attribute} is undecided: {}", undecided.reason),
    };
    json!({
        "ruleId": undecided.policy.as_str(),
        "kind": "open",
        "level": "none",
        "message": { "text": message },
        "locations": [location(context, &undecided.location, Some(&undecided.resource))],
        "properties": { "severity": undecided.severity.name(), "remedy": undecided.remedy },
    })
}

fn location(context: &Context<'_>, place: &Location, address: Option<&str>) -> Value {
    let mut region = json!({ "startLine": place.start.line, "startColumn": place.start.column });
    if let Some(object) = region.as_object_mut() {
        if (place.end.line, place.end.column) > (place.start.line, place.start.column) {
            object.insert("endLine".into(), place.end.line.into());
            object.insert("endColumn".into(), place.end.column.into());
        }
        if !place.lines.is_empty() {
            object.insert("snippet".into(), json!({ "text": place.lines.join("\n") }));
        }
    }
    let mut location = json!({
        "physicalLocation": { "artifactLocation": { "uri": uri(context, place.path.as_str()) }, "region": region },
    });
    if let (Some(object), Some(address)) = (location.as_object_mut(), address) {
        object.insert("logicalLocations".into(), json!([{ "fullyQualifiedName": address, "kind": "resource" }]));
    }
    location
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

fn problem(context: &Context<'_>, problem: &ReportedProblem) -> Value {
    let place = match &problem.location {
        Some(place) => location(context, place, None),
        None => json!({ "physicalLocation": { "artifactLocation": { "uri": uri(context, problem.path.as_str()) } } }),
    };
    json!({
        "level": "error",
        "message": { "text": format!("{}; {}", problem.message, problem.remedy) },
        "locations": [place],
    })
}

fn error(message: &String) -> Value {
    json!({ "level": "error", "message": { "text": message } })
}
