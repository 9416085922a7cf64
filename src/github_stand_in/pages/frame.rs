//! What the pages have in common: the frame, signs, the top of a pull request's pages, times in words.

use time::OffsetDateTime;

use crate::github_stand_in::git::{Change, Patch};
use crate::github_stand_in::state::{CheckRun, CheckStatus, Conclusion, GitHub, Pull, PullState, now};

/// Around every page.
pub(super) struct Shell {
    pub(super) title: String,
    pub(super) refreshes: bool,
    pub(super) trail: Vec<(String, String)>,
}

impl Shell {
    pub(super) fn new(title: &str) -> Self {
        Self { title: title.to_owned(), refreshes: false, trail: Vec::new() }
    }
}

/// A sign with a word.
pub(super) struct Mark {
    pub(super) class: &'static str,
    pub(super) icon: &'static str,
    pub(super) text: String,
}

impl Mark {
    pub(super) fn new(class: &'static str, icon: &'static str, text: impl Into<String>) -> Self {
        Self { class, icon, text: text.into() }
    }

    pub(super) fn of_run(run: &CheckRun) -> Self {
        match (run.conclusion, run.status) {
            (Some(Conclusion::Success), _) => Self::new("passed", "passed", "passed"),
            (Some(conclusion @ (Conclusion::Neutral | Conclusion::Skipped)), _) => {
                Self::new("neutral", "neutral", conclusion.as_str())
            }
            (Some(Conclusion::Failure), _) => Self::new("failed", "failed", "failed"),
            (Some(Conclusion::Cancelled | Conclusion::Stale), _) => Self::new("neutral", "neutral", "cancelled"),
            (Some(conclusion), _) => Self::new("failed", "failed", conclusion.as_str().replace('_', " ")),
            (None, CheckStatus::Queued) => Self::new("waiting", "waiting", "queued"),
            (None, _) => Self::new("waiting", "waiting", "at work"),
        }
    }
}

pub(super) fn address(github: &GitHub, pull: &Pull) -> String {
    format!("/{}/pull/{}", github.full_name(pull.id.repository), pull.id.number)
}

pub(super) fn state(pull: &Pull) -> (&'static str, &'static str) {
    match (pull.state, pull.merged, pull.draft) {
        (_, Some(_), _) => ("merged", "Merged"),
        (PullState::Closed, None, _) => ("closed", "Closed"),
        (PullState::Open, None, true) => ("draft", "Draft"),
        (PullState::Open, None, false) => ("open", "Open"),
    }
}

/// The top of a pull request's pages.
pub(super) struct PullHead {
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) state: &'static str,
    pub(super) state_text: &'static str,
    pub(super) author: String,
    pub(super) initial: String,
    pub(super) hue: usize,
    pub(super) wants: &'static str,
    pub(super) base: String,
    pub(super) head: String,
    pub(super) commits: usize,
    pub(super) files: usize,
    pub(super) additions: u32,
    pub(super) deletions: u32,
    pub(super) checks: usize,
    pub(super) age: String,
    pub(super) address: String,
}

pub(super) type Changes = Vec<(Change, Option<Patch>)>;

pub(super) fn head(github: &GitHub, pull: &Pull, changes: &Changes, commits: usize, checks: usize) -> PullHead {
    let author = github.login(pull.author).to_owned();
    let count = |of: fn(&Patch) -> u32| changes.iter().filter_map(|(_, patch)| patch.as_ref()).map(of).sum();
    let owner = github.repository(pull.head_repository).map(|head| github.login(head.owner)).unwrap_or_default();
    let (state, state_text) = state(pull);
    PullHead {
        number: pull.id.number,
        title: pull.title.clone(),
        state,
        state_text,
        initial: author.chars().next().map(|c| c.to_uppercase().to_string()).unwrap_or_default(),
        hue: author.bytes().map(usize::from).sum::<usize>() % 6,
        wants: if pull.merged.is_some() { "merged" } else { "wants to merge" },
        author,
        base: pull.base_branch.clone(),
        head: if pull.is_from_fork() { format!("{owner}:{}", pull.head_branch) } else { pull.head_branch.clone() },
        commits,
        files: changes.len(),
        additions: count(|patch| patch.additions),
        deletions: count(|patch| patch.deletions),
        checks,
        age: ago(pull.created_at),
        address: address(github, pull),
    }
}

pub(super) fn pull_shell(github: &GitHub, pull: &Pull, runs: &[&CheckRun]) -> Shell {
    let name = github.full_name(pull.id.repository);
    let pending = runs.is_empty() || runs.iter().any(|run| run.conclusion.is_none());
    Shell {
        title: format!("{} · #{} · {name}", pull.title, pull.id.number),
        refreshes: pull.is_open() && pending,
        trail: vec![(name, "/".to_owned()), (format!("#{}", pull.id.number), address(github, pull))],
    }
}

pub(super) fn duration(span: time::Duration) -> String {
    match span.whole_seconds() {
        seconds if seconds < 1 => "less than a second".to_owned(),
        1 => "1 second".to_owned(),
        seconds if seconds < 120 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds / 60),
    }
}

pub(super) fn ago(at: OffsetDateTime) -> String {
    let plural = |count: i64, unit: &str| format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" });
    match (now() - at).whole_seconds() {
        seconds if seconds < 10 => "just now".to_owned(),
        seconds if seconds < 60 => plural(seconds, "second"),
        seconds if seconds < 3600 => plural(seconds / 60, "minute"),
        seconds if seconds < 86_400 => plural(seconds / 3600, "hour"),
        seconds => plural(seconds / 86_400, "day"),
    }
}
