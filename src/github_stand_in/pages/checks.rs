//! The checks of a pull request's newest commit: what they say, and their remarks at the lines they are about.

use askama::Template;

use super::diff::{FileView, changed_files, other_files};
use super::frame::{Mark, PullHead, Shell, address, ago, duration, head, pull_shell};
use super::markdown::render;
use crate::github_stand_in::state::{Annotation, AnnotationLevel, CheckRun, GitHub, Pull, latest_by_name};

#[derive(Template)]
#[template(path = "github_stand_in/templates/checks.html")]
pub(super) struct ChecksPage {
    shell: Shell,
    pull: PullHead,
    tab: &'static str,
    runs: Vec<RunRow>,
    run: Option<RunView>,
    files: Vec<FileView>,
    others: Vec<FileView>,
}

struct RunRow {
    class: &'static str,
    icon: &'static str,
    name: String,
    address: String,
    is_shown: bool,
    is_old: bool,
}

struct RunView {
    class: &'static str,
    icon: &'static str,
    state: String,
    name: String,
    title: String,
    app: String,
    commit: String,
    age: String,
    duration: Option<String>,
    details: Option<String>,
    summary: String,
    text: String,
    counts: String,
    rerun: String,
}

impl ChecksPage {
    /// The checks of the newest commit; `wanted` says which one is shown in full.
    pub(super) fn new(github: &GitHub, pull: &Pull, wanted: Option<u64>) -> Option<Self> {
        let objects = github.objects(pull.id.repository)?;
        let root = objects.root(pull.head)?;
        let (changes, commits) = github.pull_changes(pull);
        let mut runs = github.check_runs(pull.id.repository, pull.head);
        runs.reverse();
        let latest = latest_by_name(&runs);
        let named = runs.iter().find(|run| Some(run.id.0) == wanted);
        let shown = named.or_else(|| latest.iter().min_by_key(|run| run.conclusion)).copied();
        let page = format!("{}/checks", address(github, pull));
        let annotations = shown.map(|run| run.annotations.as_slice()).unwrap_or_default();
        let mut files = changed_files(objects, &changes, annotations);
        files.retain(|file| annotations.iter().any(|annotation| annotation.path == file.path));
        Some(Self {
            shell: pull_shell(github, pull, &latest),
            tab: "checks",
            runs: runs.iter().map(|run| run_row(run, &page, shown, &latest)).collect(),
            run: shown.map(|run| run_view(github, run, &page)),
            files,
            others: other_files(objects, root, &changes, annotations),
            pull: head(github, pull, &changes, commits.len(), latest.len()),
        })
    }
}

fn run_row(run: &CheckRun, page: &str, shown: Option<&CheckRun>, latest: &[&CheckRun]) -> RunRow {
    let mark = Mark::of_run(run);
    RunRow {
        class: mark.class,
        icon: mark.icon,
        name: run.name.clone(),
        address: format!("{page}?check_run_id={}", run.id),
        is_shown: shown.is_some_and(|shown| shown.id == run.id),
        is_old: !latest.iter().any(|other| other.id == run.id),
    }
}

fn run_view(github: &GitHub, run: &CheckRun, page: &str) -> RunView {
    let mark = Mark::of_run(run);
    let markdown = |text: &Option<String>| text.as_deref().map(render).unwrap_or_default();
    let web = |url: &&String| url.starts_with("https://") || url.starts_with("http://");
    RunView {
        class: mark.class,
        icon: mark.icon,
        state: mark.text,
        name: run.name.clone(),
        title: run.output.title.clone().unwrap_or_else(|| run.name.clone()),
        app: github.app(run.app).map(|app| app.name.clone()).unwrap_or_default(),
        commit: run.head.short(),
        age: ago(run.completed_at.unwrap_or(run.started_at)),
        duration: run.completed_at.map(|end| duration(end - run.started_at)),
        details: run.details_url.as_ref().filter(web).cloned(),
        summary: markdown(&run.output.summary),
        text: markdown(&run.output.text),
        counts: counts(&run.annotations),
        rerun: format!("{page}/{}/rerequest", run.id),
    }
}

fn counts(annotations: &[Annotation]) -> String {
    let of = |level: AnnotationLevel| annotations.iter().filter(|annotation| annotation.level == level).count();
    let named = AnnotationLevel::WORDS.iter().map(|(word, level)| (of(*level), *word)).filter(|(count, _)| *count > 0);
    named
        .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
        .collect::<Vec<_>>()
        .join(", ")
}
