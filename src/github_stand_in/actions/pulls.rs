//! Pull requests: opened, edited, closed, merged.

use bytes::Bytes;
use serde_json::json;

use super::{ActionError, Changes, NewCommit};
use crate::github_stand_in::bodies::{self, View};
use crate::github_stand_in::events::Event;
use crate::github_stand_in::git::{Mode, Oid, Tree, TreeEntry};
use crate::github_stand_in::state::{AccountId, GitHub, Merged, Pull, PullId, PullState, RepositoryId, now};

/// A pull request of a branch that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPull {
    /// Its title.
    pub title: String,
    /// Its description, Markdown.
    pub body: Option<String>,
    /// Who opens it.
    pub author: String,
    /// The repository its branch is in; `None`: the same.
    pub fork: Option<RepositoryId>,
    /// Its branch.
    pub head: String,
    /// The branch it is to be merged into; `None`: the default branch.
    pub base: Option<String>,
    /// Not yet to be merged.
    pub draft: bool,
    /// Its number; `None`: the next.
    pub number: Option<u64>,
}

/// A pull request with all that is in it: a branch, one commit, title and description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The pull request.
    pub pull: NewPull,
    /// What its commit changes.
    pub changes: Changes,
}

impl Proposal {
    /// A pull request into the default branch, with a branch of its own.
    #[must_use]
    pub fn new(author: &str, title: &str, changes: Changes) -> Self {
        let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let head = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-");
        let pull = NewPull {
            title: title.to_owned(),
            body: None,
            author: author.to_owned(),
            fork: None,
            head,
            base: None,
            draft: false,
            number: None,
        };
        Self { pull, changes }
    }
}

impl GitHub {
    /// Pushes a branch with one commit on top of the base and opens a pull request of it.
    ///
    /// # Errors
    /// The branch is there already, or something named is not there.
    pub fn propose(&mut self, repository: RepositoryId, proposal: &Proposal) -> Result<PullId, ActionError> {
        let new = &proposal.pull;
        let base = self.base_branch(repository, new.base.as_deref())?;
        let start = self.branch(repository, &base).ok_or_else(|| ActionError::no_such("branch", &base))?;
        let head_repository = new.fork.unwrap_or(repository);
        if self.branch(head_repository, &new.head).is_some() {
            return Err(ActionError::Exists(format!("branch {}", new.head)));
        }
        let commit = NewCommit::new(&new.author, &new.title, proposal.changes.clone());
        self.push_onto(head_repository, &new.head, start, &commit)?;
        self.open_pull_request(repository, new)
    }

    /// Opens a pull request.
    ///
    /// # Errors
    /// A branch or the repository is not there, or the number is taken.
    pub fn open_pull_request(&mut self, id: RepositoryId, new: &NewPull) -> Result<PullId, ActionError> {
        self.begin_lag(id, None);
        let base_branch = self.base_branch(id, new.base.as_deref())?;
        let base = self.branch(id, &base_branch).ok_or_else(|| ActionError::no_such("branch", &base_branch))?;
        let head_repository = new.fork.unwrap_or(id);
        let head = self.branch(head_repository, &new.head).ok_or_else(|| ActionError::no_such("branch", &new.head))?;
        let author = self.account_or_new(&new.author);
        let global_id = self.ids.large();
        let repository = self.repositories.get_mut(&id).ok_or_else(|| ActionError::no_such("repository", id))?;
        let number = new.number.unwrap_or_else(|| repository.next_number());
        if repository.pulls.contains_key(&number) {
            return Err(ActionError::Exists(format!("pull request #{number}")));
        }
        let pull = PullId { repository: id, number };
        repository.pulls.insert(
            number,
            Pull {
                id: pull,
                global_id,
                title: new.title.clone(),
                body: new.body.clone(),
                author,
                state: PullState::Open,
                draft: new.draft,
                head_repository,
                head_branch: new.head.clone(),
                head,
                base_branch,
                base,
                test_merge: None,
                conflicts: Vec::new(),
                merged: None,
                created_at: now(),
                updated_at: now(),
                closed_at: None,
            },
        );
        self.refresh_test_merges(id);
        self.emit_pull(pull, Event::new("pull_request", Some("opened"), author));
        Ok(pull)
    }

    /// Adds a commit to a pull request's branch.
    ///
    /// # Errors
    /// There is no such pull request, or the commit cannot be made.
    pub fn push_to(&mut self, id: PullId, commit: &NewCommit) -> Result<Oid, ActionError> {
        let pull = self.pull_or_error(id)?.clone();
        self.push(pull.head_repository, &pull.head_branch, commit)
    }

    /// Adds a commit to a pull request's branch that puts a file into the root folder under any name, also one that git itself
    /// would not make.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn push_entry(&mut self, id: PullId, name: &str, content: impl Into<Bytes>) -> Result<Oid, ActionError> {
        let pull = self.pull_or_error(id)?.clone();
        let network = self.network_of(id.repository)?;
        let objects =
            self.networks.get_mut(network).ok_or_else(|| ActionError::no_such("repository", id.repository))?;
        let root = objects.root(pull.head).and_then(|root| objects.tree(root));
        let mut entries = root.map(|root| root.entries().to_vec()).unwrap_or_default();
        let oid = objects.put_blob(content.into());
        entries.push(TreeEntry { name: name.to_owned(), mode: Mode::File, oid });
        let tree = objects.put_tree(Tree::new(entries));
        let commit = self.put_commit(id.repository, pull.author, tree, vec![pull.head], "An odd name")?;
        self.move_branch(pull.head_repository, &pull.head_branch, Some(commit), pull.author)?;
        Ok(commit)
    }

    /// Closes a pull request without merging it.
    ///
    /// # Errors
    /// There is no such pull request, or it is closed.
    pub fn close(&mut self, id: PullId) -> Result<(), ActionError> {
        self.expect_open(id)?;
        self.leave_queue_if_there(id);
        let by = self.change(id, |pull| (pull.state, pull.closed_at) = (PullState::Closed, Some(now())))?;
        self.emit_pull(id, Event::new("pull_request", Some("closed"), by));
        Ok(())
    }

    /// Opens a closed pull request again.
    ///
    /// # Errors
    /// There is no such pull request, it is open, or it was merged.
    pub fn reopen(&mut self, id: PullId) -> Result<(), ActionError> {
        let pull = self.pull_or_error(id)?;
        if pull.is_open() || pull.merged.is_some() {
            return Err(ActionError::refused("only a closed pull request that was not merged can be opened again"));
        }
        let tip = self.branch(pull.head_repository, &pull.head_branch);
        let head = tip.ok_or_else(|| ActionError::no_such("branch", &pull.head_branch))?;
        let by = self.change(id, |pull| (pull.state, pull.closed_at, pull.head) = (PullState::Open, None, head))?;
        self.refresh_test_merges(id.repository);
        self.emit_pull(id, Event::new("pull_request", Some("reopened"), by));
        Ok(())
    }

    /// A draft becomes ready for review.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn mark_ready(&mut self, id: PullId) -> Result<(), ActionError> {
        let by = self.change(id, |pull| pull.draft = false)?;
        self.emit_pull(id, Event::new("pull_request", Some("ready_for_review"), by));
        Ok(())
    }

    /// A pull request becomes a draft.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn convert_to_draft(&mut self, id: PullId) -> Result<(), ActionError> {
        let by = self.change(id, |pull| pull.draft = true)?;
        self.emit_pull(id, Event::new("pull_request", Some("converted_to_draft"), by));
        Ok(())
    }

    /// Changes the title.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn rename(&mut self, id: PullId, title: &str) -> Result<(), ActionError> {
        let from = self.pull_or_error(id)?.title.clone();
        let by = self.change(id, |pull| title.clone_into(&mut pull.title))?;
        let event = Event::new("pull_request", Some("edited"), by);
        self.emit_pull(id, event.with("changes", json!({ "title": { "from": from } })));
        Ok(())
    }

    /// Changes the branch it is to be merged into.
    ///
    /// # Errors
    /// There is no such pull request or branch.
    pub fn retarget(&mut self, id: PullId, base_branch: &str) -> Result<(), ActionError> {
        let before = self.pull_or_error(id)?.clone();
        let tip = self.branch(id.repository, base_branch);
        let base = tip.ok_or_else(|| ActionError::no_such("branch", base_branch))?;
        let by = self.change(id, |pull| {
            base_branch.clone_into(&mut pull.base_branch);
            pull.base = base;
        })?;
        self.refresh_test_merges(id.repository);
        let changes = json!({ "base": {
            "ref": { "from": before.base_branch },
            "sha": { "from": before.base.to_string() },
        } });
        self.emit_pull(id, Event::new("pull_request", Some("edited"), by).with("changes", changes));
        Ok(())
    }

    /// Merges a pull request, if the gate is open.
    ///
    /// # Errors
    /// [`ActionError::Refused`] with the gate's reasons.
    pub fn merge(&mut self, id: PullId) -> Result<Oid, ActionError> {
        self.expect_open(id)?;
        let pull = self.pull_or_error(id)?.clone();
        let gate = self.gate(&pull);
        if !gate.state.allows_merge() {
            return Err(ActionError::Refused(gate.reasons));
        }
        let home = self.repository(id.repository);
        if home.and_then(|home| home.protection(&pull.base_branch)).is_some_and(|protection| protection.merge_queue) {
            return Err(ActionError::refused(format!("{} is merged into by the merge queue", pull.base_branch)));
        }
        let tip = self.branch(id.repository, &pull.base_branch);
        let tip = tip.ok_or_else(|| ActionError::no_such("branch", &pull.base_branch))?;
        let message = self.merge_message(&pull);
        let commit = self.merge_commit(id.repository, tip, pull.head, pull.author, &message)?;
        self.finish_merge(id, commit)
    }

    pub(super) fn merge_message(&self, pull: &Pull) -> String {
        let owner = self.repository(pull.head_repository).map(|head| self.login(head.owner)).unwrap_or_default();
        format!("Merge pull request #{} from {owner}/{}\n\n{}", pull.id.number, pull.head_branch, pull.title)
    }

    /// The base branch is at the merge commit, and the pull request is closed.
    pub(super) fn finish_merge(&mut self, id: PullId, commit: Oid) -> Result<Oid, ActionError> {
        let at = now();
        let by = self.change(id, |pull| {
            pull.state = PullState::Closed;
            pull.closed_at = Some(at);
            pull.merged = Some(Merged { commit, at, by: pull.author });
        })?;
        let branch = self.pull_or_error(id)?.base_branch.clone();
        self.move_branch(id.repository, &branch, Some(commit), by)?;
        self.emit_pull(id, Event::new("pull_request", Some("closed"), by));
        Ok(commit)
    }

    /// Tells of a pull request.
    pub(super) fn emit_pull(&mut self, id: PullId, event: Event) {
        let Some(pull) = self.pull(id) else { return };
        let (changes, commits) = self.pull_changes(pull);
        let urls = self.webhook_urls();
        let body = bodies::pull(View { github: self, urls: &urls }, pull, &self.gate(pull), commits.len(), &changes);
        let event = event.in_repository(id.repository).with("number", id.number.into()).with("pull_request", body);
        self.emit(event);
    }

    fn base_branch(&self, id: RepositoryId, base: Option<&str>) -> Result<String, ActionError> {
        let repository = self.repository(id).ok_or_else(|| ActionError::no_such("repository", id))?;
        Ok(base.unwrap_or(&repository.default_branch).to_owned())
    }

    pub(super) fn pull_or_error(&self, id: PullId) -> Result<&Pull, ActionError> {
        self.pull(id).ok_or_else(|| ActionError::no_such("pull request", format!("#{}", id.number)))
    }

    pub(super) fn expect_open(&self, id: PullId) -> Result<(), ActionError> {
        let open = self.pull_or_error(id)?.is_open();
        if open { Ok(()) } else { Err(ActionError::refused("the pull request is closed")) }
    }

    /// Changes a pull request; gives who is taken to have done it: its author.
    fn change(&mut self, id: PullId, change: impl FnOnce(&mut Pull)) -> Result<AccountId, ActionError> {
        let home = self.repositories.get_mut(&id.repository);
        let pull = home.and_then(|home| home.pulls.get_mut(&id.number));
        let pull = pull.ok_or_else(|| ActionError::no_such("pull request", format!("#{}", id.number)))?;
        change(pull);
        pull.updated_at = now();
        Ok(pull.author)
    }
}
