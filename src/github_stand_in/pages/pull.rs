//! A pull request: its description, the merge box, its files.

use askama::Template;

use super::diff::{FileView, changed_files, other_files};
use super::frame::{Mark, PullHead, Shell, address, head, pull_shell};
use super::markdown::render;
use crate::github_stand_in::gate::{Gate, MergeState, RequiredState, Standing};
use crate::github_stand_in::state::{Annotation, CheckRun, GitHub, Pull, PullState, latest_by_name};

#[derive(Template)]
#[template(path = "github_stand_in/templates/pull.html")]
pub(super) struct PullPage {
    shell: Shell,
    pull: PullHead,
    tab: &'static str,
    body: String,
    gate: GateView,
    files: Vec<FileView>,
    others: Vec<FileView>,
}

/// The merge box.
struct GateView {
    class: &'static str,
    icon: &'static str,
    headline: &'static str,
    detail: String,
    checks: Vec<CheckLine>,
    reasons: Vec<String>,
    button: Option<&'static str>,
    can_merge: bool,
}

struct CheckLine {
    class: &'static str,
    icon: &'static str,
    name: String,
    text: String,
    is_required: bool,
    address: Option<String>,
}

impl PullPage {
    pub(super) fn new(github: &GitHub, pull: &Pull) -> Option<Self> {
        let objects = github.objects(pull.id.repository)?;
        let root = objects.root(pull.head)?;
        let (changes, commits) = github.pull_changes(pull);
        let runs = github.check_runs(pull.id.repository, pull.head);
        let latest = latest_by_name(&runs);
        let annotations: Vec<Annotation> = latest.iter().flat_map(|run| run.annotations.clone()).collect();
        Some(Self {
            shell: pull_shell(github, pull, &latest),
            tab: "conversation",
            body: pull.body.as_deref().map(render).unwrap_or_default(),
            gate: gate_view(github, pull, &latest),
            files: changed_files(objects, &changes, &annotations),
            others: other_files(objects, root, &changes, &annotations),
            pull: head(github, pull, &changes, commits.len(), latest.len()),
        })
    }
}

fn gate_view(github: &GitHub, pull: &Pull, latest: &[&CheckRun]) -> GateView {
    let gate = github.gate(pull);
    let checks = check_lines(github, pull, &gate, latest);
    let home = github.repository(pull.id.repository);
    let in_queue = home.is_some_and(|home| home.queue.iter().any(|entry| entry.pull == pull.id.number));
    let has_queue = home.and_then(|home| home.protection(&pull.base_branch)).is_some_and(|p| p.merge_queue);
    let (class, icon, headline, detail) = standing(pull, &gate, in_queue);
    let button = if has_queue { "Merge when ready" } else { "Merge pull request" };
    GateView {
        class,
        icon,
        headline,
        detail,
        checks,
        reasons: if pull.is_open() { untold_reasons(&gate) } else { Vec::new() },
        button: (pull.is_open() && !in_queue).then_some(button),
        can_merge: gate.state.allows_merge(),
    }
}

/// Colour, sign, headline and a sentence.
fn standing(pull: &Pull, gate: &Gate, in_queue: bool) -> (&'static str, &'static str, &'static str, String) {
    match (pull.merged, pull.state, gate.state) {
        (Some(merged), ..) => {
            ("merged", "pull", "Merged", format!("as {} into {}", merged.commit.short(), pull.base_branch))
        }
        (None, PullState::Closed, _) => ("neutral", "neutral", "Closed", "without being merged".to_owned()),
        _ if in_queue => {
            ("waiting", "waiting", "In the merge queue", "Its checks on the merged commit decide.".to_owned())
        }
        (_, _, MergeState::Clean) => {
            ("passed", "passed", "Ready to be merged", "Everything required has passed.".to_owned())
        }
        (_, _, MergeState::Unstable) => {
            ("passed", "passed", "Ready to be merged", "A check that is not required failed.".to_owned())
        }
        (_, _, MergeState::Blocked) if !gate.required.iter().any(RequiredState::has_failed) => {
            ("waiting", "waiting", "Waiting for required checks", "Merging opens when they have passed.".to_owned())
        }
        (_, _, MergeState::Dirty) => {
            ("failed", "failed", "Conflicts stand in the way", "They must be resolved on the branch.".to_owned())
        }
        (_, _, MergeState::Draft) => {
            ("neutral", "neutral", "Still a draft", "It can be merged once it is ready for review.".to_owned())
        }
        (_, _, MergeState::Behind) => {
            ("waiting", "waiting", "Out of date", format!("{} must be merged into the branch first.", pull.base_branch))
        }
        (_, _, MergeState::Blocked) => {
            ("failed", "failed", "Merging is blocked", "Something required is not met.".to_owned())
        }
    }
}

/// The reasons that the lines of the checks do not tell already.
fn untold_reasons(gate: &Gate) -> Vec<String> {
    let told: Vec<String> = gate
        .required
        .iter()
        .filter(|required| !matches!(required.standing, Standing::WrongApp { .. }))
        .filter_map(RequiredState::reason)
        .collect();
    gate.reasons.iter().filter(|reason| !told.contains(reason)).cloned().collect()
}

fn check_lines(github: &GitHub, pull: &Pull, gate: &Gate, latest: &[&CheckRun]) -> Vec<CheckLine> {
    let checks_page = format!("{}/checks", address(github, pull));
    let reported = latest.iter().map(|run| {
        let mark = Mark::of_run(run);
        let title = run.output.title.clone().unwrap_or_default();
        CheckLine {
            class: mark.class,
            icon: mark.icon,
            name: run.name.clone(),
            text: if title.is_empty() { mark.text } else { format!("{} — {title}", mark.text) },
            is_required: gate.required.iter().any(|required| required.name == run.name),
            address: Some(format!("{checks_page}?check_run_id={}", run.id)),
        }
    });
    let missing = gate.required.iter().filter(|required| required.standing == Standing::Missing);
    let missing = missing.map(|required| CheckLine {
        class: "waiting",
        icon: "waiting",
        name: required.name.clone(),
        text: "expected, not reported yet".to_owned(),
        is_required: true,
        address: None,
    });
    reported.chain(missing).collect()
}
