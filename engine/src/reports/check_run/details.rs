//! Per file the failing resources; below, folded, what was there before, what is fixed, undecided, unreadable.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::evaluate::{
    Location, Report, ReportedNotice, ReportedProblem, State, Suppression, SuppressionStatus, Undecided,
    UnevaluatedFile, Violation,
};
use crate::reports::counts::counted;
use crate::reports::markdown::{Page, block, code, plain};
use crate::reports::suppressed;
use crate::resource::FormatId;

use super::CheckRunLimits;

/// Bytes kept free for the closing words.
const CLOSING_BYTES: usize = 400;
/// Most addresses of one violation.
const ADDRESS_LIMIT: usize = 10;
/// Most bytes a section of what does not block may take.
const FOLDED_BYTES: usize = 12_000;

pub(super) fn details(report: &Report, limits: &CheckRunLimits, annotations_left_out: usize) -> String {
    let mut page = Page::new(limits.text_bytes);
    let mut left_out = 0;
    let introduced: Vec<&Violation> = in_state(report, State::Introduced);
    for (path, violations) in by_file(&introduced) {
        let heading = format!("### {}\n\n", code(path));
        let mut is_headed = false;
        for violation in violations {
            let entry = entry(violation, report);
            let entry = if is_headed { entry } else { format!("{heading}{entry}") };
            if page.add(&entry, CLOSING_BYTES) {
                is_headed = true;
            } else {
                left_out += 1;
            }
        }
    }
    let problems: Vec<String> = report.problems.iter().map(problem_line).collect();
    open_section(&mut page, "Cannot be read", &problems);
    let (brought, known): (Vec<&Suppression>, Vec<&Suppression>) =
        report.suppressions.iter().partition(|suppression| suppression.is_introduced());
    let brought: Vec<String> = brought.into_iter().map(suppression_line).collect();
    open_section(&mut page, "Suppressed by this pull request", &brought);
    let notices: Vec<String> = report.notices.iter().map(notice_line).collect();
    open_section(&mut page, "Suppressions without effect", &notices);
    let undecided: Vec<String> = report.undecided.iter().map(undecided_line).collect();
    folded(&mut page, &format!("{} undecided", counted(undecided.len(), "policy")), &undecided);
    let known: Vec<&Suppression> = known.into_iter().filter(|s| s.status == SuppressionStatus::Holds).collect();
    let count: usize = known.iter().map(|suppression| suppression.count()).sum();
    let known: Vec<String> = known.into_iter().map(suppression_line).collect();
    folded(&mut page, &format!("{} suppressed from before", counted(count, "answer")), &known);
    let existing: Vec<String> = in_state(report, State::Existing).into_iter().map(|v| line(v, report)).collect();
    folded(&mut page, &format!("{} from before", counted(existing.len(), "violation")), &existing);
    let fixed: Vec<String> = in_state(report, State::Fixed).into_iter().map(|v| line(v, report)).collect();
    folded(&mut page, &format!("{} fixed by this pull request", counted(fixed.len(), "violation")), &fixed);
    let unevaluated: Vec<String> = report.unevaluated.iter().map(unevaluated_line).collect();
    folded(&mut page, &format!("{} not evaluated", counted(unevaluated.len(), "file")), &unevaluated);
    if left_out > 0 {
        page.close(&format!(
            "\n{} not shown here for want of space; the table counts all.\n",
            counted(left_out, "violation")
        ));
    }
    if annotations_left_out > 0 {
        page.close(&format!("\n{} without an annotation on its line.\n", counted(annotations_left_out, "violation")));
    }
    page.into_text()
}

fn in_state(report: &Report, state: State) -> Vec<&Violation> {
    report.violations.iter().filter(|violation| violation.state == state).collect()
}

/// The files in the order of their worst violation.
pub(in crate::reports) fn by_file<'r>(violations: &[&'r Violation]) -> Vec<(&'r str, Vec<&'r Violation>)> {
    let mut files: Vec<(&str, Vec<&Violation>)> = Vec::new();
    let mut positions: BTreeMap<&str, usize> = BTreeMap::new();
    for violation in violations {
        let path = violation.location.path.as_str();
        let position = *positions.entry(path).or_insert_with(|| {
            files.push((path, Vec::new()));
            files.len() - 1
        });
        if let Some((_, of_file)) = files.get_mut(position) {
            of_file.push(violation);
        }
    }
    files
}

/// A violation with everything its author needs.
pub(in crate::reports) fn entry(violation: &Violation, report: &Report) -> String {
    let note = if violation.blocking { "" } else { ", does not block" };
    let mut lines = vec![
        format!(
            "- **{}** · {}{note} · {}",
            plain(report.title(&violation.policy)),
            violation.severity,
            code(violation.policy.as_str()),
        ),
        format!("{} line {}: {}", code(&violation.resource), violation.location.start.line, plain(&violation.message)),
    ];
    if !violation.also.is_empty() {
        let named: Vec<String> =
            violation.also.iter().take(ADDRESS_LIMIT).map(|address| code(&address.resource)).collect();
        let more = violation.also.len().saturating_sub(ADDRESS_LIMIT);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        lines.push(format!("Also {}{more}", named.join(", ")));
    }
    if let Some(used_at) = &violation.used_at {
        let place = format!("{}:{}", used_at.path, used_at.start.line);
        lines.push(format!("It takes effect at {}", code(&place)));
    }
    for step in &violation.origins {
        let place = format!("{}:{}", step.location.path, step.location.start.line);
        lines.push(format!("The value comes from {} at {}", plain(&step.what), code(&place)));
    }
    if let Some(whenever) = &violation.whenever {
        lines.push(format!("It is a violation whenever the resource is created: {}", plain(whenever)));
    }
    if let Some(lapse) = &violation.lapse {
        lines.push(format!("*Not suppressed:* {}", plain(&lapse.message)));
    }
    if let Some(metadata) = report.policies.get(&violation.policy) {
        lines.push(format!("*Why* {}", plain(&metadata.description)));
        lines.push(format!("*Fix* {}", plain(&metadata.remediation)));
    }
    let mut text = lines.join("  \n  ");
    text.push('\n');
    if let Some(suggestion) = &violation.suggestion {
        let fenced = block(suggestion, language(violation.format));
        let indented: String = fenced.lines().map(|line| format!("  {line}\n")).collect();
        let _ = write!(text, "\n{indented}");
    }
    text.push('\n');
    text
}

fn language(format: FormatId) -> &'static str {
    match format {
        FormatId::Terraform => "hcl",
        FormatId::Dockerfile => "dockerfile",
        FormatId::Azure => "bicep",
        FormatId::Cloudformation | FormatId::Kubernetes | FormatId::Compose | FormatId::GithubActions => "yaml",
    }
}

fn line(violation: &Violation, report: &Report) -> String {
    let place = format!("{}:{}", violation.location.path, violation.location.start.line);
    format!(
        "- **{}** {} {}: {} ({})\n",
        violation.severity,
        code(&violation.resource),
        code(&place),
        plain(report.title(&violation.policy)),
        code(violation.policy.as_str()),
    )
}

pub(in crate::reports) fn problem_line(problem: &ReportedProblem) -> String {
    let place = match &problem.location {
        Some(location) => format!("{}:{}", problem.path, location.start.line),
        None => problem.path.to_string(),
    };
    let note = if problem.blocking { "**blocks** " } else { "" };
    format!("- {note}{}: {}. *Fix:* {}\n", code(&place), plain(&problem.message), plain(&problem.remedy))
}

/// A suppression: where it is, what it silences, why and until when.
pub(in crate::reports) fn suppression_line(suppression: &Suppression) -> String {
    let place = |at: &Location| code(&format!("{}:{}", at.path, at.start.line));
    let (all, left) = suppressed::what(suppression);
    let mut what: Vec<String> = all.iter().map(|(resource, at)| format!("{} {}", code(resource), place(at))).collect();
    what.extend((left > 0).then(|| format!("{left} more")));
    let what = if what.is_empty() { suppressed::without_answers(suppression).to_owned() } else { what.join(", ") };
    format!(
        "- {} at {}: {what}: *{}*\n",
        code(&suppressed::named(suppression)),
        place(&suppression.location),
        plain(&suppressed::why(suppression)),
    )
}

pub(in crate::reports) fn notice_line(notice: &ReportedNotice) -> String {
    let place = format!("{}:{}", notice.location.path, notice.location.start.line);
    format!("- {}: {}. *Fix:* {}\n", code(&place), plain(&notice.message), plain(&notice.remedy))
}

pub(in crate::reports) fn undecided_line(undecided: &Undecided) -> String {
    let place = format!("{}:{}", undecided.location.path, undecided.location.start.line);
    let cause =
        undecided.cause.as_ref().map(|cause| format!(" ({})", code(&format!("{}:{}", cause.path, cause.start.line))));
    let note = if undecided.blocking { "**blocks** " } else { "" };
    format!(
        "- {note}{} {} {}: {}{}; {}\n",
        code(undecided.policy.as_str()),
        code(&undecided.resource),
        code(&place),
        plain(&undecided.reason),
        cause.unwrap_or_default(),
        plain(&undecided.remedy),
    )
}

fn unevaluated_line(file: &UnevaluatedFile) -> String {
    format!("- {}: {}\n", code(file.path.as_str()), plain(&file.what))
}

fn open_section(page: &mut Page, heading: &str, lines: &[String]) {
    if lines.is_empty() || !page.add(&format!("### {heading}\n\n"), CLOSING_BYTES) {
        return;
    }
    list(page, lines);
    page.add("\n", CLOSING_BYTES);
}

/// A folded section: it opens only with room for its end.
fn folded(page: &mut Page, heading: &str, lines: &[String]) {
    if lines.is_empty() || !page.add(&format!("<details><summary>{heading}</summary>\n\n"), CLOSING_BYTES) {
        return;
    }
    list(page, lines);
    page.close("\n</details>\n\n");
}

fn list(page: &mut Page, lines: &[String]) {
    let mut bytes = 0;
    for (shown, line) in lines.iter().enumerate() {
        bytes += line.len();
        if bytes > FOLDED_BYTES || !page.add(line, CLOSING_BYTES) {
            page.close(&format!("- and {} more\n", lines.len() - shown));
            return;
        }
    }
}
