//! JUnit XML for test dashboards: a suite for each file, a failed case for each violation, an error for what could not be read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::evaluate::Report;

use super::{Context, Rendering, suppressed};

pub(super) struct Junit;

#[derive(Default)]
struct Suite {
    cases: String,
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Rendering for Junit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn extension(&self) -> &'static str {
        "xml"
    }

    fn render(&self, report: &Report, context: &Context<'_>) -> String {
        let suites = suites(report, context);
        let total = |of: fn(&Suite) -> usize| suites.values().map(of).sum::<usize>();
        let seconds = report.coverage.elapsed_ms.unwrap_or_default() as f64 / 1_000.0;
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"portcullis\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{seconds:.3}\">\n",
            total(|suite| suite.tests),
            total(|suite| suite.failures),
            total(|suite| suite.errors),
            total(|suite| suite.skipped),
        );
        for (name, suite) in &suites {
            let _ = write!(
                text,
                "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">\n{}  </testsuite>\n",
                escaped(name),
                suite.tests,
                suite.failures,
                suite.errors,
                suite.skipped,
                suite.cases,
            );
        }
        text.push_str("</testsuites>\n");
        text
    }
}

fn suites(report: &Report, context: &Context<'_>) -> BTreeMap<String, Suite> {
    let mut suites: BTreeMap<String, Suite> = BTreeMap::new();
    for violation in report.violations.iter().filter(|violation| violation.is_new()) {
        let place = format!("{}:{}", context.shown(&violation.location.path), violation.location.start.line);
        let remediation = report.remediation(&violation.policy);
        let suite = suites.entry(context.shown(&violation.location.path)).or_default();
        for (address, _) in violation.addresses() {
            suite.failures += 1;
            let words = format!("{}\nat {place}\n{remediation}", violation.message);
            suite.case(violation.policy.as_str(), address, "failure", violation.severity.name(), &words);
        }
    }
    for undecided in &report.undecided {
        let suite = suites.entry(context.shown(&undecided.location.path)).or_default();
        suite.skipped += 1;
        let words = format!("undecided: {}; {}", undecided.reason, undecided.remedy);
        suite.case(undecided.policy.as_str(), &undecided.resource, "skipped", "", &words);
    }
    for suppression in suppressed::holding(report) {
        let at = &suppression.location;
        let words =
            format!("suppressed: {}\nat {}:{}", suppressed::why(suppression), context.shown(&at.path), at.start.line);
        let violations = suppression.violations.iter();
        let violations = violations.flat_map(|v| v.addresses().map(move |(address, _)| (&v.location.path, address)));
        let undecided = suppression.undecided.iter().map(|u| (&u.location.path, u.resource.as_str()));
        for (path, address) in violations.chain(undecided) {
            let suite = suites.entry(context.shown(path)).or_default();
            suite.skipped += 1;
            suite.case(suppression.policy.as_str(), address, "skipped", "", &words);
        }
    }
    for problem in &report.problems {
        let suite = suites.entry(context.shown(&problem.path)).or_default();
        suite.errors += 1;
        let line = problem.location.as_ref().map(|at| format!(" at line {}", at.start.line)).unwrap_or_default();
        suite.case("unreadable", "", "error", "unreadable", &format!("{}{line}\n{}", problem.message, problem.remedy));
    }
    if suites.is_empty() {
        let suite = suites.entry("portcullis".to_owned()).or_default();
        suite.tests = 1;
        suite.cases.push_str("    <testcase classname=\"portcullis\" name=\"no violations\"/>\n");
    }
    suites
}

impl Suite {
    fn case(&mut self, policy: &str, address: &str, element: &str, kind: &str, words: &str) {
        self.tests += 1;
        let name = escaped(format!("{policy} {address}").trim_end());
        let message = escaped(words.lines().next().unwrap_or_default());
        let kind = if kind.is_empty() { String::new() } else { format!(" type=\"{kind}\"") };
        let _ = writeln!(
            self.cases,
            "    <testcase classname=\"{policy}\" name=\"{name}\"><{element} message=\"{message}\"{kind}>{}</{element}></testcase>",
            escaped(words),
        );
    }
}

/// Text in XML 1.0: what it cannot hold at all is replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(c),
        }
    }
    escaped
}
