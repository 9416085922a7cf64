//! What a commit or a pull request changes, and what readers may see while they lag behind.

use std::collections::BTreeMap;

use super::{GitHub, Pull, Repository, RepositoryId};
use crate::github_stand_in::git::{self, Change, Oid, Patch};

impl GitHub {
    /// What a commit changed against its first parent.
    pub(crate) fn changes_of(&self, repository: RepositoryId, oid: Oid) -> Vec<Change> {
        let Some(objects) = self.objects(repository) else { return Vec::new() };
        let Some(commit) = objects.commit(oid) else { return Vec::new() };
        let before = commit.parents.first().and_then(|parent| objects.root(*parent));
        git::changes(objects, before, commit.tree)
    }

    /// The changes from one commit to another, each with its patch.
    pub(crate) fn patched_changes(&self, id: RepositoryId, before: Oid, after: Oid) -> Vec<(Change, Option<Patch>)> {
        let Some(objects) = self.objects(id) else { return Vec::new() };
        let Some(after) = objects.root(after) else { return Vec::new() };
        let changes = git::changes(objects, objects.root(before), after);
        changes.into_iter().map(|change| (git::patch_of(objects, &change), change)).map(|(p, c)| (c, p)).collect()
    }

    /// What a pull request changes since it left its base, and its commits.
    pub(crate) fn pull_changes(&self, pull: &Pull) -> (Vec<(Change, Option<Patch>)>, Vec<Oid>) {
        let id = pull.id.repository;
        // A merged pull request still shows what it changed: the base is what it was.
        let tip = self.branch(id, &pull.base_branch).filter(|_| pull.merged.is_none()).unwrap_or(pull.base);
        let Some(compared) = self.objects(id).and_then(|objects| git::compare(objects, tip, pull.head)) else {
            return (Vec::new(), Vec::new());
        };
        (self.patched_changes(id, compared.merge_base, pull.head), compared.ahead)
    }
}

impl Repository {
    /// Branches as readers see them.
    pub(crate) fn seen_branches(&self) -> &BTreeMap<String, Oid> {
        self.lag.as_ref().map_or(&self.branches, |lag| &lag.branches)
    }

    /// Pull requests as readers see them.
    pub(crate) fn seen_pulls(&self) -> &BTreeMap<u64, Pull> {
        self.lag.as_ref().map_or(&self.pulls, |lag| &lag.pulls)
    }

    /// Whether readers see an object yet.
    pub(crate) fn shows(&self, oid: Oid) -> bool {
        self.lag.as_ref().is_none_or(|lag| !lag.unknown.contains(&oid))
    }

    /// A read has been answered.
    pub(crate) fn count_read(&mut self) {
        match &mut self.lag {
            Some(lag) if lag.reads_left > 0 => lag.reads_left -= 1,
            _ => self.lag = None,
        }
    }
}
