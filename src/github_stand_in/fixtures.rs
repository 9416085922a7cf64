//! Repositories and pull requests from folders: `fixtures/repositories` in the source tree, or one's own.
//!
//! The layout is described in `fixtures/repositories/README.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use bytes::Bytes;
use serde::Deserialize;

use super::actions::{Changes, NewPull, NewRepository, Proposal};
use super::state::{AppId, GitHub, Protection, PullId, RepositoryId, RequiredCheck};

/// What the program carries.
const EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/repository_fixtures.rs"));

/// Larger files, or more of them, are no fixture.
const FILE_LIMIT_BYTES: u64 = 10 * 1024 * 1024;
const FILE_LIMIT: usize = 10_000;

/// A repository and the pull requests that can be opened in it.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// The repository.
    pub repository: NewRepository,
    /// Its pull requests, by number.
    pub pulls: Vec<PullFixture>,
    protections: Vec<ProtectionFile>,
}

/// A pull request that can be opened.
#[derive(Clone, Debug)]
pub struct PullFixture {
    /// The pull request.
    pub proposal: Proposal,
    /// Its branch is in a fork of its author's.
    pub from_fork: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RepositoryFile {
    description: Option<String>,
    #[serde(default = "octocat")]
    author: String,
    #[serde(default = "yes")]
    private: bool,
    #[serde(default)]
    protection: Vec<ProtectionFile>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProtectionFile {
    branch: String,
    #[serde(default)]
    required_checks: Vec<String>,
    #[serde(default)]
    must_be_up_to_date: bool,
    #[serde(default)]
    merge_queue: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PullFile {
    title: String,
    author: String,
    branch: String,
    body: Option<String>,
    base: Option<String>,
    #[serde(default)]
    draft: bool,
    #[serde(default)]
    fork: bool,
    #[serde(default)]
    deleted: Vec<String>,
}

fn octocat() -> String {
    "octocat".to_owned()
}

fn yes() -> bool {
    true
}

/// Files by path.
type Files = BTreeMap<String, Bytes>;

impl Fixture {
    /// The repositories the program carries.
    ///
    /// # Errors
    /// One of them is not as the layout wants it.
    pub fn embedded() -> anyhow::Result<Vec<Self>> {
        Self::from_files(
            EMBEDDED.iter().map(|(path, content)| ((*path).to_owned(), Bytes::from_static(content))).collect(),
        )
    }

    /// The repositories of a folder.
    ///
    /// # Errors
    /// It cannot be read, or is not as the layout wants it.
    pub fn from_folder(folder: &Path) -> anyhow::Result<Vec<Self>> {
        let mut files = Files::new();
        read_folder(folder, "", &mut files).with_context(|| format!("reading {}", folder.display()))?;
        Self::from_files(files)
    }

    /// The repositories of files named `owner/name/…`.
    ///
    /// # Errors
    /// They are not as the layout wants them.
    pub fn from_files(files: Files) -> anyhow::Result<Vec<Self>> {
        let mut repositories: BTreeMap<String, Files> = BTreeMap::new();
        for (path, content) in files {
            // What lies beside the repositories is for readers.
            let mut parts = path.splitn(3, '/');
            if let (Some(owner), Some(name), Some(rest)) = (parts.next(), parts.next(), parts.next()) {
                repositories.entry(format!("{owner}/{name}")).or_default().insert(rest.to_owned(), content);
            }
        }
        let read = |(name, files): (String, Files)| {
            read_repository(&name, &files).with_context(|| format!("repository {name}"))
        };
        repositories.into_iter().map(read).collect()
    }
}

fn read_folder(folder: &Path, prefix: &str, files: &mut Files) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            read_folder(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file() {
            let size = entry.metadata()?.len();
            if size > FILE_LIMIT_BYTES {
                bail!("{path} has {size} bytes, more than the limit of {FILE_LIMIT_BYTES}");
            }
            files.insert(path, fs::read(entry.path())?.into());
        }
        if files.len() > FILE_LIMIT {
            bail!("more than {FILE_LIMIT} files");
        }
    }
    Ok(())
}

fn read_repository(name: &str, files: &Files) -> anyhow::Result<Fixture> {
    let settings: RepositoryFile = parse(files, "repository.toml")?;
    let repository = NewRepository {
        description: settings.description,
        private: settings.private,
        author: settings.author,
        ..NewRepository::new(name, under(files, "main/"))
    };
    let mut pulls = Vec::new();
    for folder in pull_folders(files) {
        pulls.push(read_pull(files, folder).with_context(|| format!("pulls/{folder}"))?);
    }
    pulls.sort_by_key(|pull| pull.proposal.pull.number);
    Ok(Fixture { repository, pulls, protections: settings.protection })
}

fn pull_folders(files: &Files) -> Vec<&str> {
    let inside = files.keys().filter_map(|path| path.strip_prefix("pulls/")?.split_once('/'));
    let mut folders: Vec<&str> = inside.map(|(folder, _)| folder).collect();
    folders.dedup();
    folders
}

fn read_pull(files: &Files, folder: &str) -> anyhow::Result<PullFixture> {
    let number = folder.split_once('-').and_then(|(number, _)| number.parse().ok());
    let number: u64 = number.context("the folder's name does not begin with a number and a dash")?;
    let settings: PullFile = parse(files, &format!("pulls/{folder}/pull.toml"))?;
    let written = under(files, &format!("pulls/{folder}/files/"));
    let changes = settings.deleted.iter().fold(written, |changes, path| changes.delete(path));
    let pull = NewPull {
        title: settings.title,
        body: settings.body.map(|body| body.trim().to_owned()),
        author: settings.author,
        fork: None,
        head: settings.branch,
        base: settings.base,
        draft: settings.draft,
        number: Some(number),
    };
    Ok(PullFixture { proposal: Proposal { pull, changes }, from_fork: settings.fork })
}

fn under(files: &Files, prefix: &str) -> Changes {
    let found = files.iter().filter_map(|(path, content)| Some((path.strip_prefix(prefix)?, content.clone())));
    found.fold(Changes::new(), |changes, (path, content)| changes.write(path, content))
}

fn parse<T: for<'de> Deserialize<'de>>(files: &Files, path: &str) -> anyhow::Result<T> {
    let content = files.get(path).with_context(|| format!("{path} is missing"))?;
    let text = std::str::from_utf8(content).with_context(|| format!("{path} is not UTF-8"))?;
    toml::from_str(text).with_context(|| path.to_owned())
}

impl GitHub {
    /// Makes the repository of a fixture. Its required checks must come from `app`, if one is given.
    ///
    /// # Errors
    /// The name is taken, or a path in it is none.
    pub fn add_fixture(&mut self, fixture: &Fixture, app: Option<AppId>) -> anyhow::Result<RepositoryId> {
        let id = self.create_repository(&fixture.repository)?;
        for protection in &fixture.protections {
            let required = protection.required_checks.iter();
            self.protect(
                id,
                Protection {
                    branch: protection.branch.clone(),
                    required_checks: required.map(|name| RequiredCheck { name: name.clone(), app }).collect(),
                    must_be_up_to_date: protection.must_be_up_to_date,
                    merge_queue: protection.merge_queue,
                },
            )?;
        }
        Ok(id)
    }

    /// Opens a pull request of a fixture, from a fork of its author's when the fixture says so.
    ///
    /// # Errors
    /// Something it names is not there, or its branch is there already.
    pub fn open_fixture(&mut self, repository: RepositoryId, pull: &PullFixture) -> anyhow::Result<PullId> {
        let mut proposal = pull.proposal.clone();
        if pull.from_fork {
            let author = self.account_or_new(&proposal.pull.author);
            let known = self.repositories().find(|fork| fork.owner == author && fork.fork_of == Some(repository));
            let fork = match known.map(|fork| fork.id) {
                Some(fork) => fork,
                None => self.fork(repository, &proposal.pull.author)?,
            };
            proposal.pull.fork = Some(fork);
        }
        Ok(self.propose(repository, &proposal)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> Files {
        list.iter().map(|(path, text)| ((*path).to_owned(), Bytes::from((*text).to_owned()))).collect()
    }

    #[test]
    fn the_embedded_repositories_are_those_of_the_source_tree() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/repositories");
        let (embedded, read) = (Fixture::embedded().unwrap(), Fixture::from_folder(&folder).unwrap());
        assert_eq!(format!("{embedded:?}"), format!("{read:?}"));
        let numbers: Vec<_> = embedded[0].pulls.iter().map(|pull| pull.proposal.pull.number).collect();
        assert_eq!(numbers, [Some(1), Some(2), Some(3), Some(4), Some(5)]);
    }

    #[test]
    fn mistakes_name_their_place() {
        let error = |list: &[(&str, &str)]| format!("{:#}", Fixture::from_files(files(list)).unwrap_err());
        assert_eq!(error(&[("o/n/main/a", "")]), "repository o/n: repository.toml is missing");
        let wrong = [("o/n/repository.toml", "privat = true")];
        assert!(error(&wrong).contains("unknown field `privat`"), "{}", error(&wrong));
        let unnumbered = [("o/n/repository.toml", ""), ("o/n/pulls/x/pull.toml", "")];
        assert!(error(&unnumbered).contains("pulls/x: the folder's name does not begin"), "{}", error(&unnumbered));
    }
}
