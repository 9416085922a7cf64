//! Text for a terminal, as good compilers write it: the excerpt, the offending span, why, and what to do.
//!
//! A policy is one block however many places violate it: the first with its excerpt, the others in a line each. Beside
//! something worse, what is of low severity is a line for each policy. The end names what to mend first.

mod block;
mod closing;

use annotate_snippets::Renderer;
use annotate_snippets::renderer::DecorStyle;

use crate::evaluate::{Report, Violation};
use crate::policy::{Metadata, PolicyId, Severity};

use super::terminal::Ink;
use super::{Context, Rendering};

pub(super) struct Text;

/// Violations of one policy, by place.
struct Group<'r> {
    policy: &'r PolicyId,
    severity: Severity,
    metadata: Option<&'r Metadata>,
    first: &'r Violation,
    others: Vec<&'r Violation>,
}

impl Group<'_> {
    fn title(&self) -> &str {
        self.metadata.map_or(self.policy.as_str(), |metadata| &metadata.title)
    }

    fn violations(&self) -> impl Iterator<Item = &Violation> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }
}

impl Rendering for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn render(&self, report: &Report, context: &Context<'_>) -> String {
        let renderer = if context.terminal.color { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Unicode).term_width(context.terminal.columns());
        let groups = groups(report);
        let worst = groups.first().map(|group| group.severity);
        let is_brief =
            |group: &&Group<'_>| !context.in_full && group.severity == Severity::Low && worst > Some(Severity::Low);
        let (brief, whole): (Vec<&Group<'_>>, Vec<&Group<'_>>) = groups.iter().partition(is_brief);
        let mut text = String::new();
        for group in &whole {
            text.push_str(&block::of_group(group, context, &renderer));
            text.push_str("\n\n");
        }
        for problem in &report.problems {
            text.push_str(&block::of_problem(problem, context, &renderer));
            text.push_str("\n\n");
        }
        for notice in &report.notices {
            text.push_str(&block::of_notice(notice, context, &renderer));
            text.push_str("\n\n");
        }
        text.push_str(&closing::brief(&brief, context));
        text.push_str(&closing::undecided(&report.undecided, context));
        if context.shows_suppressed {
            text.push_str(&closing::suppressed_list(report, context));
        }
        text.push_str(&closing::first_of_all(&groups, context));
        text.push_str(&closing::sentence(report, context));
        text
    }
}

/// What is new, grouped by policy: the worst first, then by the place of the first.
fn groups(report: &Report) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut known = std::collections::HashMap::new();
    for violation in report.violations.iter().filter(|violation| violation.is_new()) {
        match known.get(&violation.policy).and_then(|index: &usize| groups.get_mut(*index)) {
            Some(group) => group.others.push(violation),
            None => {
                known.insert(&violation.policy, groups.len());
                groups.push(Group {
                    policy: &violation.policy,
                    severity: violation.severity,
                    metadata: report.policies.get(&violation.policy),
                    first: violation,
                    others: Vec::new(),
                });
            }
        }
    }
    groups
}

fn ink(severity: Severity) -> Ink {
    match severity {
        Severity::Critical | Severity::High => Ink::Red,
        Severity::Medium => Ink::Yellow,
        Severity::Low => Ink::Blue,
    }
}
