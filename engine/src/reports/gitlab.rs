//! GitLab's code quality report: <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>.
//! It lists what is wrong and knows no suppressed entries: what is suppressed is not in it.

use serde_json::{Value, json};

use crate::evaluate::Report;
use crate::policy::Severity;

use super::{Context, Rendering};

pub(super) struct GitLab;

impl Rendering for GitLab {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn extension(&self) -> &'static str {
        "codequality.json"
    }

    fn render(&self, report: &Report, context: &Context<'_>) -> String {
        let violations = report.violations.iter().filter(|violation| violation.is_new());
        let violations = violations.map(|violation| {
            let title = report.title(&violation.policy);
            let also =
                if violation.also.is_empty() { String::new() } else { format!(" and {} more", violation.also.len()) };
            entry(
                violation.policy.as_str(),
                &format!("{title}: {} ({}{also})", violation.message, violation.resource),
                &violation.fingerprint,
                severity(violation.severity),
                (&context.shown(&violation.location.path), violation.location.start.line),
            )
        });
        let problems = report.problems.iter().map(|problem| {
            let line = problem.location.as_ref().map_or(1, |at| at.start.line);
            let words = format!("cannot be read: {}; {}", problem.message, problem.remedy);
            let fingerprint = format!("unreadable:{}:{line}:{}", problem.path, problem.message);
            entry("unreadable", &words, &fingerprint, "critical", (&context.shown(&problem.path), line))
        });
        let entries: Vec<Value> = violations.chain(problems).collect();
        let mut text = serde_json::to_string_pretty(&entries).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn entry(check: &str, words: &str, fingerprint: &str, severity: &str, (path, line): (&str, u32)) -> Value {
    json!({
        "description": words,
        "check_name": check,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": { "path": path, "lines": { "begin": line } },
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "blocker",
        Severity::High => "critical",
        Severity::Medium => "major",
        Severity::Low => "minor",
    }
}
