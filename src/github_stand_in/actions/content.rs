//! What is to be committed.

use std::collections::BTreeMap;

use bytes::Bytes;
use portcullis_engine::source_tree::TreePath;

use super::ActionError;
use crate::github_stand_in::git::{Commit, FileEntry, Mode, ObjectStore, Oid, Person};
use crate::github_stand_in::state::{AccountId, GitHub, RepositoryId};

/// Files to write and files to delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(Vec<(String, Option<(Mode, Bytes)>)>);

impl Changes {
    /// No change.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a file.
    #[must_use]
    pub fn write(self, path: &str, content: impl Into<Bytes>) -> Self {
        self.put(path, Mode::File, content)
    }

    /// Writes something with another mode: a link (whose content is its target), a file that may be executed.
    #[must_use]
    pub fn put(mut self, path: &str, mode: Mode, content: impl Into<Bytes>) -> Self {
        self.0.push((path.to_owned(), Some((mode, content.into()))));
        self
    }

    /// Deletes a file.
    #[must_use]
    pub fn delete(mut self, path: &str) -> Self {
        self.0.push((path.to_owned(), None));
        self
    }

    fn apply(&self, objects: &mut ObjectStore, files: &mut BTreeMap<TreePath, FileEntry>) -> Result<(), ActionError> {
        for (text, content) in &self.0 {
            let path = TreePath::new(text).map_err(|reason| ActionError::Path { path: text.clone(), reason })?;
            match content {
                Some((mode, content)) => {
                    let oid = objects.put_blob(content.clone());
                    files.insert(path, FileEntry { mode: *mode, oid });
                }
                None if files.remove(&path).is_none() => return Err(ActionError::no_such("file", text)),
                None => {}
            }
        }
        Ok(())
    }
}

/// A commit to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCommit {
    /// What it says.
    pub message: String,
    /// Who makes it.
    pub author: String,
    /// What it changes.
    pub changes: Changes,
}

impl NewCommit {
    /// A commit.
    #[must_use]
    pub fn new(author: &str, message: &str, changes: Changes) -> Self {
        Self { message: message.to_owned(), author: author.to_owned(), changes }
    }
}

impl GitHub {
    /// Keeps a commit that changes its parent, without moving any branch.
    pub(super) fn commit(
        &mut self,
        repository: RepositoryId,
        parent: Option<Oid>,
        new: &NewCommit,
    ) -> Result<Oid, ActionError> {
        let author = self.account_or_new(&new.author);
        let network = self.network_of(repository)?;
        let objects = self.networks.get_mut(network).ok_or_else(|| ActionError::no_such("repository", repository))?;
        let root = parent.and_then(|parent| objects.root(parent));
        let mut files = root.map(|root| objects.files(root)).unwrap_or_default();
        new.changes.apply(objects, &mut files)?;
        let tree = objects.put_files(&files);
        self.put_commit(repository, author, tree, parent.into_iter().collect(), &new.message)
    }

    /// Keeps a commit of a tree.
    pub(super) fn put_commit(
        &mut self,
        repository: RepositoryId,
        author: AccountId,
        tree: Oid,
        parents: Vec<Oid>,
        message: &str,
    ) -> Result<Oid, ActionError> {
        let network = self.network_of(repository)?;
        let at = self.commit_clock;
        self.commit_clock += time::Duration::MINUTE;
        let account = self.account(author);
        let name = account.map(|account| account.login.clone()).unwrap_or_default();
        let email = account.map(|account| account.email()).unwrap_or_default();
        let person = Person { name, email, at };
        let commit = Commit { tree, parents, author: person.clone(), committer: person, message: message.to_owned() };
        let objects = self.networks.get_mut(network).ok_or_else(|| ActionError::no_such("repository", repository))?;
        Ok(objects.put_commit(commit))
    }

    pub(super) fn network_of(&self, repository: RepositoryId) -> Result<usize, ActionError> {
        let found = self.repository(repository).ok_or_else(|| ActionError::no_such("repository", repository))?;
        Ok(found.network)
    }
}
