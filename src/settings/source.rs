//! Sources: which repositories, folders and branches are under watch, and what blocks there.

use globset::GlobMatcher;
use portcullis_engine::evaluate::{OnUndecided, OnUnreadable, SuppressionsTaken};
use portcullis_engine::policy::Severity;
use portcullis_engine::source_tree::{Folder, TreePath};
use serde::Deserialize;

use super::error::Problems;
use super::pattern::{BranchPattern, repository_pattern};
use super::value::{flag, texts};

/// Most sources.
const SOURCES_LIMIT: usize = 10_000;
/// Longest name of a source, in characters.
const NAME_LIMIT_CHARS: usize = 100;

/// As typed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TypedSource {
    name: String,
    repository: String,
    #[serde(default = "all_folders", deserialize_with = "texts")]
    folders: Vec<String>,
    #[serde(default = "all_branches")]
    branches: String,
    #[serde(default = "medium")]
    blocking_severity: Severity,
    #[serde(default)]
    on_unreadable: OnUnreadable,
    #[serde(default)]
    on_undecided: OnUndecided,
    #[serde(default)]
    suppressions: SuppressionsTaken,
    #[serde(default = "enabled", deserialize_with = "flag")]
    enabled: bool,
}

fn all_folders() -> Vec<String> {
    vec!["/".into()]
}

fn all_branches() -> String {
    ".*".into()
}

fn medium() -> Severity {
    Severity::Medium
}

fn enabled() -> bool {
    true
}

/// A repository, folders of it and base branches under watch.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name, one of its kind.
    pub name: String,
    /// The repositories it covers, as typed.
    pub repository: String,
    /// The folders whose files count.
    pub folders: Vec<Folder>,
    /// The base branches it covers.
    pub branches: BranchPattern,
    /// From which severity on a violation blocks.
    pub blocking_severity: Severity,
    /// What a touched file that cannot be read does.
    pub on_unreadable: OnUnreadable,
    /// What an undecided policy does.
    pub on_undecided: OnUndecided,
    /// Which suppressions in files hold.
    pub suppressions: SuppressionsTaken,
    /// Whether it is in use.
    pub enabled: bool,
    repositories: GlobMatcher,
}

impl Source {
    /// Whether a pull request into this branch of this repository is its concern.
    #[must_use]
    pub fn matches(&self, repository: &str, base_branch: &str) -> bool {
        self.covers_repository(repository) && self.branches.matches(base_branch)
    }

    /// Whether this repository is its concern, whatever the branch.
    #[must_use]
    pub fn covers_repository(&self, repository: &str) -> bool {
        self.enabled && self.repositories.is_match(repository)
    }

    /// Whether a file is its concern.
    #[must_use]
    pub fn contains(&self, path: &TreePath) -> bool {
        self.folders.iter().any(|folder| folder.contains(path))
    }
}

/// Validates all sources; a mistake names the source it is in.
pub(super) fn validate(typed: Vec<TypedSource>, problems: &mut Problems<'_>) -> Option<Vec<Source>> {
    if typed.len() > SOURCES_LIMIT {
        let problem = format!("{} sources are more than the limit of {SOURCES_LIMIT}", typed.len());
        return problems.add("sources", problem, "Use patterns in `repository` to say the same with fewer.");
    }
    let mut names = std::collections::HashSet::new();
    let mut sources = Vec::with_capacity(typed.len());
    for (index, source) in typed.into_iter().enumerate() {
        let key = format!("sources[{index}]");
        if !names.insert(source.name.clone()) {
            let problem = format!("another source is named `{}` too", source.name);
            problems.add::<()>(&format!("{key}.name"), problem, "Give each source a name of its own.");
        }
        sources.push(source.validate(&key, problems));
    }
    sources.into_iter().collect()
}

impl TypedSource {
    fn validate(self, key: &str, problems: &mut Problems<'_>) -> Option<Source> {
        let name_is_well = !self.name.trim().is_empty()
            && self.name.chars().count() <= NAME_LIMIT_CHARS
            && !self.name.chars().any(char::is_control);
        if !name_is_well {
            let remedy = format!("Give 1 to {NAME_LIMIT_CHARS} characters, such as `prod us-east`.");
            problems.add::<()>(&format!("{key}.name"), "it is no name", remedy);
        }
        let name = self.name;
        let told = |problem: String| format!("source `{}`: {problem}", name.escape_debug());
        let repositories = repository_pattern(&self.repository).or_else(|problem| {
            let remedy = "Give owner/name; * stands for any part of a name, as in acme/*.";
            problems.add(&format!("{key}.repository"), told(problem), remedy).ok_or(())
        });
        let branches = BranchPattern::new(&self.branches).or_else(|problem| {
            let remedy = "Give a regular expression of whole branch names, such as main|release/.*";
            problems.add(&format!("{key}.branches"), told(problem), remedy).ok_or(())
        });
        let folders = folders(&format!("{key}.folders"), &self.folders, told, problems);
        Some(Source {
            repositories: repositories.ok()?,
            branches: branches.ok()?,
            folders: folders?,
            repository: self.repository,
            blocking_severity: self.blocking_severity,
            on_unreadable: self.on_unreadable,
            on_undecided: self.on_undecided,
            suppressions: self.suppressions,
            enabled: self.enabled,
            name: name_is_well.then_some(name)?,
        })
    }
}

fn folders(
    key: &str,
    typed: &[String],
    told: impl Fn(String) -> String,
    problems: &mut Problems<'_>,
) -> Option<Vec<Folder>> {
    let remedy = "Give folders from the root of the repository, such as infra/prod; / stands for all.";
    if typed.is_empty() {
        return problems.add(key, told("it has no folder, so nothing would be checked".into()), remedy);
    }
    let mut folders = Vec::with_capacity(typed.len());
    for (index, text) in typed.iter().enumerate() {
        folders.push(Folder::new(text).or_else(|bad| {
            let problem = told(format!("`{}`, column {}: {bad}", text.escape_debug(), bad_column(text)));
            problems.add(&format!("{key}[{index}]"), problem, remedy).ok_or(())
        }));
    }
    folders.into_iter().collect::<Result<_, ()>>().ok()
}

/// Where a folder stops being one, in characters from 1.
fn bad_column(text: &str) -> usize {
    if let Some(at) = text.chars().position(char::is_control) {
        return at + 1;
    }
    let mut column = 1;
    let last = text.split('/').count() - 1;
    for (index, segment) in text.split('/').enumerate() {
        let is_edge = (index == 0 || index == last) && text.len() > 1;
        if matches!(segment, "." | "..") || (segment.is_empty() && !is_edge) {
            return column;
        }
        column += segment.chars().count() + 1;
    }
    1
}

#[cfg(test)]
mod tests {
    use super::bad_column;

    #[test]
    fn a_bad_folder_shows_the_place() {
        assert_eq!(bad_column("a/../b"), 3);
        assert_eq!(bad_column("infra//prod"), 7);
        assert_eq!(bad_column("a\u{7}b"), 2);
        assert_eq!(bad_column(""), 1);
        assert_eq!(bad_column("/./"), 2);
    }
}
