//! The first page: every repository and its pull requests. And the page that says that something is not there.

use askama::Template;

use super::frame::{Mark, Shell, address, ago, state};
use crate::github_stand_in::state::{GitHub, Pull, Repository, latest_by_name};

#[derive(Template)]
#[template(path = "github_stand_in/templates/message.html")]
pub(super) struct MessagePage<'a> {
    pub(super) shell: Shell,
    pub(super) heading: &'a str,
    pub(super) text: String,
}

#[derive(Template)]
#[template(path = "github_stand_in/templates/index.html")]
pub(super) struct IndexPage {
    shell: Shell,
    repositories: Vec<RepositoryView>,
}

struct RepositoryView {
    full_name: String,
    description: Option<String>,
    private: bool,
    is_fork: bool,
    pulls: Vec<PullRow>,
}

struct PullRow {
    number: u64,
    title: String,
    author: String,
    age: String,
    state: &'static str,
    address: String,
    verdict: Mark,
}

impl IndexPage {
    pub(super) fn new(github: &GitHub) -> Self {
        // A fork is shown in the pull requests that come from it.
        let shown =
            github.repositories().filter(|repository| repository.fork_of.is_none() || !repository.pulls.is_empty());
        let repositories = shown.map(|repository| RepositoryView {
            full_name: github.full_name(repository.id),
            description: repository.description.clone(),
            private: repository.private,
            is_fork: repository.fork_of.is_some(),
            pulls: repository.pulls.values().rev().map(|pull| pull_row(github, repository, pull)).collect(),
        });
        Self { repositories: repositories.collect(), shell: Shell::new("GitHub stand-in") }
    }
}

fn pull_row(github: &GitHub, repository: &Repository, pull: &Pull) -> PullRow {
    let runs = github.check_runs(repository.id, pull.head);
    let latest = latest_by_name(&runs);
    let worst = latest.iter().max_by_key(|run| (run.conclusion.is_none(), run.conclusion.map(std::cmp::Reverse)));
    PullRow {
        number: pull.id.number,
        title: pull.title.clone(),
        author: github.login(pull.author).to_owned(),
        age: ago(pull.created_at),
        state: state(pull).0,
        address: address(github, pull),
        verdict: worst.map_or_else(|| Mark::new("neutral", "waiting", "no check yet"), |run| Mark::of_run(run)),
    }
}
