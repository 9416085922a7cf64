//! The merge queue: each entry is a commit made on top of the entry before it, merged once its own checks have passed.

use serde_json::json;

use super::ActionError;
use crate::github_stand_in::bodies::{self, View};
use crate::github_stand_in::events::{Event, Push};
use crate::github_stand_in::gate::RequiredState;
use crate::github_stand_in::git::Oid;
use crate::github_stand_in::state::{AccountId, GitHub, PullId, QueueEntry, RepositoryId};

/// Why an entry left the queue, in GitHub's words.
#[derive(Clone, Copy)]
enum Left {
    Merged,
    Failed,
    ByHand,
}

impl Left {
    /// The reason in `merge_group.destroyed`.
    fn group_reason(self) -> &'static str {
        match self {
            Self::Merged => "merged",
            Self::Failed | Self::ByHand => "dequeued",
        }
    }

    /// The reason in `pull_request.dequeued`.
    fn pull_reason(self) -> &'static str {
        match self {
            Self::Merged => "MERGE",
            Self::Failed => "CI_FAILURE",
            Self::ByHand => "MANUAL",
        }
    }
}

impl GitHub {
    /// Puts a pull request into the merge queue and gives the commit whose checks decide.
    ///
    /// # Errors
    /// The branch has no queue, the gate is closed, or it is in the queue already.
    pub fn enqueue(&mut self, id: PullId) -> Result<Oid, ActionError> {
        self.expect_open(id)?;
        let pull = self.pull_or_error(id)?.clone();
        let gate = self.gate(&pull);
        if !gate.state.allows_merge() {
            return Err(ActionError::Refused(gate.reasons));
        }
        let home = self.repository(id.repository).ok_or_else(|| ActionError::no_such("repository", id.repository))?;
        if !home.protection(&pull.base_branch).is_some_and(|protection| protection.merge_queue) {
            return Err(ActionError::refused(format!("{} has no merge queue", pull.base_branch)));
        }
        if home.queue.iter().any(|entry| entry.pull == id.number) {
            return Err(ActionError::Exists(format!("pull request #{} in the queue", id.number)));
        }
        self.emit_pull(id, Event::new("pull_request", Some("enqueued"), pull.author));
        let head = self.build_group(id)?;
        self.settle_queue(id.repository);
        Ok(head)
    }

    /// Takes a pull request out of the merge queue; those behind it are built anew.
    ///
    /// # Errors
    /// It is not in the queue.
    pub fn dequeue(&mut self, id: PullId) -> Result<(), ActionError> {
        let branch = self.leave_queue(id, Left::ByHand)?;
        self.rebuild_groups(id.repository, &branch);
        Ok(())
    }

    pub(super) fn leave_queue_if_there(&mut self, id: PullId) {
        // An error means that it was not there.
        drop(self.dequeue(id));
    }

    /// Merges what has passed and throws out what has failed, from the front of each queue.
    pub(super) fn settle_queue(&mut self, repository: RepositoryId) {
        while let Some((pull, passed)) = self.decided_front(repository) {
            let left = if passed { self.merge_front(pull) } else { self.leave_queue(pull, Left::Failed) };
            match left {
                Ok(branch) if !passed => self.rebuild_groups(repository, &branch),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }

    /// The first entry of a branch whose checks have all passed, or one of whose checks has failed.
    fn decided_front(&self, repository: RepositoryId) -> Option<(PullId, bool)> {
        let home = self.repository(repository)?;
        let mut branches: Vec<&str> = Vec::new();
        for entry in &home.queue {
            if branches.contains(&entry.base_branch.as_str()) {
                continue;
            }
            branches.push(&entry.base_branch);
            let standings = self.group_standings(repository, entry);
            let passed = standings.iter().all(RequiredState::passes);
            if passed || standings.iter().any(RequiredState::has_failed) {
                return Some((PullId { repository, number: entry.pull }, passed));
            }
        }
        None
    }

    /// How the required checks stand on a group's commit.
    pub(crate) fn group_standings(&self, repository: RepositoryId, entry: &QueueEntry) -> Vec<RequiredState> {
        let protection = self.repository(repository).and_then(|home| home.protection(&entry.base_branch));
        let required = protection.map(|protection| protection.required_checks.as_slice()).unwrap_or_default();
        required.iter().map(|check| self.required_state(repository, entry.head, check)).collect()
    }

    fn merge_front(&mut self, id: PullId) -> Result<String, ActionError> {
        let entry = self.entry(id)?;
        let branch = self.leave_queue(id, Left::Merged)?;
        self.finish_merge(id, entry.head)?;
        Ok(branch)
    }

    fn entry(&self, id: PullId) -> Result<QueueEntry, ActionError> {
        let found =
            self.repository(id.repository).and_then(|home| home.queue.iter().find(|entry| entry.pull == id.number));
        found.cloned().ok_or_else(|| ActionError::no_such("queued pull request", format!("#{}", id.number)))
    }

    /// Removes the entry and its branch and tells of it; gives the base branch.
    fn leave_queue(&mut self, id: PullId, left: Left) -> Result<String, ActionError> {
        let entry = self.entry(id)?;
        let by = self.pull_or_error(id)?.author;
        if let Some(home) = self.repositories.get_mut(&id.repository) {
            home.queue.retain(|other| other.pull != id.number);
        }
        self.emit_group(id.repository, &entry, by, Some(left.group_reason()));
        self.move_group_branch(id.repository, &entry, None, by);
        let event = Event::new("pull_request", Some("dequeued"), by);
        self.emit_pull(id, event.with("reason", left.pull_reason().into()));
        Ok(entry.base_branch)
    }

    /// A push to a branch with a queue makes every group of it stale, unless the push is the first group being merged.
    pub(super) fn rebuild_queue(&mut self, repository: RepositoryId, branch: &str) {
        let tip = self.branch(repository, branch);
        let queue = self.repository(repository).map(|home| home.queue.as_slice()).unwrap_or_default();
        let first = queue.iter().find(|entry| entry.base_branch == branch);
        if first.is_some_and(|entry| Some(entry.base) != tip) {
            self.rebuild_groups(repository, branch);
        }
    }

    fn rebuild_groups(&mut self, repository: RepositoryId, branch: &str) {
        let Some(home) = self.repositories.get_mut(&repository) else { return };
        let (stale, kept): (Vec<_>, Vec<_>) = home.queue.drain(..).partition(|entry| entry.base_branch == branch);
        home.queue = kept;
        for entry in &stale {
            let id = PullId { repository, number: entry.pull };
            let Some(by) = self.pull(id).map(|pull| pull.author) else { continue };
            self.emit_group(repository, entry, by, Some("invalidated"));
            self.move_group_branch(repository, entry, None, by);
        }
        for entry in &stale {
            let id = PullId { repository, number: entry.pull };
            if self.build_group(id).is_err() {
                let by = self.pull(id).map(|pull| pull.author);
                let event = by.map(|by| Event::new("pull_request", Some("dequeued"), by));
                event.into_iter().for_each(|event| self.emit_pull(id, event.with("reason", "MERGE_CONFLICT".into())));
            }
        }
    }

    /// Makes the commit of an entry on top of the entries before it, and asks for its checks.
    fn build_group(&mut self, id: PullId) -> Result<Oid, ActionError> {
        let pull = self.pull_or_error(id)?.clone();
        let tip = self.branch(id.repository, &pull.base_branch);
        let home = self.repository(id.repository).ok_or_else(|| ActionError::no_such("repository", id.repository))?;
        let ahead = home.queue.iter().rev().find(|entry| entry.base_branch == pull.base_branch).map(|entry| entry.head);
        let base = ahead.or(tip).ok_or_else(|| ActionError::no_such("branch", &pull.base_branch))?;
        let message = self.merge_message(&pull);
        let head = self.merge_commit(id.repository, base, pull.head, pull.author, &message)?;
        let branch = format!("gh-readonly-queue/{}/pr-{}-{base}", pull.base_branch, id.number);
        let entry = QueueEntry { pull: id.number, base_branch: pull.base_branch, base, head, branch };
        if let Some(home) = self.repositories.get_mut(&id.repository) {
            home.queue.push(entry.clone());
        }
        self.move_group_branch(id.repository, &entry, Some(head), pull.author);
        self.emit_group(id.repository, &entry, pull.author, None);
        Ok(head)
    }

    fn move_group_branch(&mut self, id: RepositoryId, entry: &QueueEntry, after: Option<Oid>, by: AccountId) {
        let Some(home) = self.repositories.get_mut(&id) else { return };
        let before = match after {
            Some(after) => home.branches.insert(entry.branch.clone(), after),
            None => home.branches.remove(&entry.branch),
        };
        let push = Push { repository: id, branch: entry.branch.clone(), before, after, forced: false, by };
        self.emit_push(&push);
        self.request_suites(&push);
    }

    /// Asks for the checks of a group, or tells that it is gone and why.
    fn emit_group(&mut self, repository: RepositoryId, entry: &QueueEntry, by: AccountId, gone: Option<&str>) {
        let urls = self.webhook_urls();
        let view = View { github: self, urls: &urls };
        let group = json!({
            "head_sha": entry.head.to_string(),
            "head_ref": format!("refs/heads/{}", entry.branch),
            "base_sha": entry.base.to_string(),
            "base_ref": format!("refs/heads/{}", entry.base_branch),
            "head_commit": bodies::simple_commit(view, repository, entry.head),
        });
        let action = if gone.is_some() { "destroyed" } else { "checks_requested" };
        let mut event =
            Event::new("merge_group", Some(action), by).in_repository(repository).with("merge_group", group);
        if let Some(reason) = gone {
            event = event.with("reason", reason.into());
        }
        self.emit(event);
    }
}
