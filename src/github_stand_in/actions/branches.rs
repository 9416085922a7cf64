//! Pushes: a branch moves, and what hangs on it follows.

use super::{ActionError, NewCommit};
use crate::github_stand_in::events::{Event, Push};
use crate::github_stand_in::git::{self, Oid};
use crate::github_stand_in::state::{AccountId, GitHub, Lag, PullId, RepositoryId, now};

impl GitHub {
    /// Adds a commit to a branch; a branch nobody knows begins at the default branch.
    ///
    /// # Errors
    /// There is no such repository, or the commit cannot be made.
    pub fn push(&mut self, repository: RepositoryId, branch: &str, new: &NewCommit) -> Result<Oid, ActionError> {
        let start = self.branch_or_default(repository, branch)?;
        self.push_onto(repository, branch, start, new)
    }

    /// Puts a branch at a commit on top of `parent`, whatever it was at before.
    ///
    /// # Errors
    /// There is no such repository, or the commit cannot be made.
    pub fn push_onto(
        &mut self,
        repository: RepositoryId,
        branch: &str,
        parent: Oid,
        new: &NewCommit,
    ) -> Result<Oid, ActionError> {
        let by = self.account_or_new(&new.author);
        let after = self.commit(repository, Some(parent), new)?;
        self.move_branch(repository, branch, Some(after), by)?;
        Ok(after)
    }

    /// Puts a branch at a commit that is there.
    ///
    /// # Errors
    /// There is no such repository or commit.
    pub fn set_branch(&mut self, repository: RepositoryId, branch: &str, to: Oid, by: &str) -> Result<(), ActionError> {
        let known = self.objects(repository).and_then(|objects| objects.commit(to));
        known.ok_or_else(|| ActionError::no_such("commit", to))?;
        let by = self.account_or_new(by);
        self.move_branch(repository, branch, Some(to), by)
    }

    /// Deletes a branch.
    ///
    /// # Errors
    /// There is no such branch.
    pub fn delete_branch(&mut self, repository: RepositoryId, branch: &str, by: &str) -> Result<(), ActionError> {
        self.branch(repository, branch).ok_or_else(|| ActionError::no_such("branch", branch))?;
        let by = self.account_or_new(by);
        self.move_branch(repository, branch, None, by)
    }

    fn branch_or_default(&self, id: RepositoryId, branch: &str) -> Result<Oid, ActionError> {
        let repository = self.repository(id).ok_or_else(|| ActionError::no_such("repository", id))?;
        let start = repository.branches.get(branch).or_else(|| repository.branches.get(&repository.default_branch));
        start.copied().ok_or_else(|| ActionError::no_such("branch", branch))
    }

    /// Moves a branch, then everything that follows it, then tells of it.
    pub(super) fn move_branch(
        &mut self,
        id: RepositoryId,
        branch: &str,
        after: Option<Oid>,
        by: AccountId,
    ) -> Result<(), ActionError> {
        self.begin_lag(id, after);
        let repository = self.repositories.get_mut(&id).ok_or_else(|| ActionError::no_such("repository", id))?;
        let before = match after {
            Some(after) => repository.branches.insert(branch.to_owned(), after),
            None => repository.branches.remove(branch),
        };
        repository.pushed_at = now();
        let forced = match (before, after, self.objects(id)) {
            (Some(before), Some(after), Some(objects)) => git::merge_base(objects, before, after) != Some(before),
            _ => false,
        };
        let moved = after.map(|after| self.move_heads(id, branch, after)).unwrap_or_default();
        self.refresh_test_merges(id);
        let push = Push { repository: id, branch: branch.to_owned(), before, after, forced, by };
        self.emit_push(&push);
        self.request_suites(&push);
        for (pull, before) in moved {
            self.emit_synchronize(pull, before, by);
        }
        self.rebuild_queue(id, branch);
        Ok(())
    }

    /// Open pull requests of this branch are at its new commit; they give what they were at.
    fn move_heads(&mut self, head_repository: RepositoryId, branch: &str, after: Oid) -> Vec<(PullId, Oid)> {
        let mut moved = Vec::new();
        for repository in self.repositories.values_mut() {
            let tips = &repository.branches;
            for pull in repository.pulls.values_mut() {
                if pull.is_open() && pull.head_repository == head_repository && pull.head_branch == branch {
                    moved.push((pull.id, pull.head));
                    pull.head = after;
                    pull.base = tips.get(&pull.base_branch).copied().unwrap_or(pull.base);
                    pull.updated_at = now();
                }
            }
        }
        moved
    }

    fn emit_synchronize(&mut self, id: PullId, before: Oid, by: AccountId) {
        let Some(after) = self.pull(id).map(|pull| pull.head) else { return };
        let event = Event::new("pull_request", Some("synchronize"), by);
        let event = event.with("before", before.to_string().into()).with("after", after.to_string().into());
        self.emit_pull(id, event);
    }

    /// What merging each open pull request of the network would give is computed anew.
    pub(super) fn refresh_test_merges(&mut self, changed: RepositoryId) {
        let Ok(network) = self.network_of(changed) else { return };
        let homes = self.repositories.values().filter(|repository| repository.network == network);
        let open: Vec<PullId> =
            homes.flat_map(|home| home.pulls.values()).filter(|pull| pull.is_open()).map(|pull| pull.id).collect();
        for id in open {
            self.refresh_test_merge(id);
        }
    }

    fn refresh_test_merge(&mut self, id: PullId) {
        let Some(pull) = self.pull(id).cloned() else { return };
        let Some(tip) = self.branch(id.repository, &pull.base_branch) else { return };
        let merged = match pull.test_merge.and_then(|known| self.objects(id.repository)?.commit(known)) {
            Some(known) if known.parents == [tip, pull.head] => return,
            _ => self.merge_commit(
                id.repository,
                tip,
                pull.head,
                pull.author,
                &format!("Merge {} into {tip}", pull.head),
            ),
        };
        let Some(pull) = self.repositories.get_mut(&id.repository).and_then(|home| home.pulls.get_mut(&id.number))
        else {
            return;
        };
        match merged {
            Ok(commit) => (pull.test_merge, pull.conflicts) = (Some(commit), Vec::new()),
            Err(ActionError::Refused(paths)) => (pull.test_merge, pull.conflicts) = (None, paths),
            Err(_) => (pull.test_merge, pull.conflicts) = (None, Vec::new()),
        }
    }

    /// Keeps the commit that merges `head` into `base`, without moving any branch.
    ///
    /// # Errors
    /// [`ActionError::Refused`] with the paths in conflict.
    pub(super) fn merge_commit(
        &mut self,
        repository: RepositoryId,
        base: Oid,
        head: Oid,
        by: AccountId,
        message: &str,
    ) -> Result<Oid, ActionError> {
        let network = self.network_of(repository)?;
        let objects = self.networks.get_mut(network).ok_or_else(|| ActionError::no_such("repository", repository))?;
        let fork_point = git::merge_base(objects, base, head).and_then(|oid| objects.root(oid));
        let (Some(fork_point), Some(ours), Some(theirs)) = (fork_point, objects.root(base), objects.root(head)) else {
            return Err(ActionError::refused("the two have no commit in common"));
        };
        let merged = git::merge_trees(objects, fork_point, ours, theirs);
        let tree = merged
            .map_err(|paths| ActionError::Refused(paths.iter().map(|path| path.as_str().to_owned()).collect()))?;
        self.put_commit(repository, by, tree, vec![base, head], message)
    }

    /// From here on readers of the repository and its forks see what there is now, for as many reads as were asked for.
    pub(super) fn begin_lag(&mut self, changed: RepositoryId, after: Option<Oid>) {
        let reads = std::mem::take(&mut self.lag_next_change);
        let Ok(network) = self.network_of(changed) else { return };
        for repository in self.repositories.values_mut().filter(|repository| repository.network == network) {
            if let Some(lag) = &mut repository.lag {
                lag.unknown.extend(after);
            } else if reads > 0 {
                repository.lag = Some(Lag {
                    reads_left: reads,
                    branches: repository.branches.clone(),
                    pulls: repository.pulls.clone(),
                    unknown: after.into_iter().collect(),
                });
            }
        }
    }
}
