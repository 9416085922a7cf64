//! Accounts, repositories, forks, rules.

use std::collections::BTreeMap;

use super::{ActionError, Changes, NewCommit};
use crate::github_stand_in::git::ObjectStore;
use crate::github_stand_in::state::{
    Account, AccountId, AccountKind, GitHub, Protection, Repository, RepositoryId, now,
};

/// A repository to be made.
#[derive(Clone, Debug)]
pub struct NewRepository {
    /// `owner/name`; an owner nobody knows becomes an organization.
    pub full_name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Only for those with access.
    pub private: bool,
    /// The branch its content is on.
    pub default_branch: String,
    /// Who makes its first commit.
    pub author: String,
    /// Its first content.
    pub content: Changes,
}

impl NewRepository {
    /// A private repository with `main` as its branch.
    #[must_use]
    pub fn new(full_name: &str, content: Changes) -> Self {
        Self {
            full_name: full_name.to_owned(),
            description: None,
            private: true,
            default_branch: "main".to_owned(),
            author: "octocat".to_owned(),
            content,
        }
    }
}

impl GitHub {
    /// The account of a name; a new user when nobody has it.
    pub fn account_or_new(&mut self, login: &str) -> AccountId {
        self.account_or(login, AccountKind::User)
    }

    /// The account of a name; a new organization when nobody has it.
    pub fn organization_or_new(&mut self, login: &str) -> AccountId {
        self.account_or(login, AccountKind::Organization)
    }

    pub(super) fn account_or(&mut self, login: &str, kind: AccountKind) -> AccountId {
        if let Some(known) = self.account_named(login) {
            return known.id;
        }
        let id = AccountId(self.ids.small());
        self.accounts.insert(id, Account { id, login: login.to_owned(), kind });
        id
    }

    /// Makes a repository with one commit on its default branch.
    ///
    /// # Errors
    /// The name is taken or no name, or a path in it is none.
    pub fn create_repository(&mut self, new: &NewRepository) -> Result<RepositoryId, ActionError> {
        let (owner, name) = self.free_name(&new.full_name, AccountKind::Organization)?;
        self.networks.push(ObjectStore::default());
        let network = self.networks.len() - 1;
        let id = self.insert_repository(owner, name, network, &new.default_branch, None);
        if let Some(repository) = self.repositories.get_mut(&id) {
            repository.description.clone_from(&new.description);
            repository.private = new.private;
        }
        let first = self.commit(id, None, &NewCommit::new(&new.author, "Initial commit", new.content.clone()))?;
        if let Some(repository) = self.repositories.get_mut(&id) {
            repository.branches.insert(new.default_branch.clone(), first);
        }
        Ok(id)
    }

    /// Makes a fork with the default branch of its parent.
    ///
    /// # Errors
    /// There is no such repository, or the owner has one of that name.
    pub fn fork(&mut self, parent: RepositoryId, owner: &str) -> Result<RepositoryId, ActionError> {
        let origin = self.repository(parent).cloned().ok_or_else(|| ActionError::no_such("repository", parent))?;
        let (owner, name) = self.free_name(&format!("{owner}/{}", origin.name), AccountKind::User)?;
        let id = self.insert_repository(owner, name, origin.network, &origin.default_branch, Some(parent));
        if let Some(fork) = self.repositories.get_mut(&id) {
            fork.private = origin.private;
            fork.branches
                .extend(origin.branches.get_key_value(&origin.default_branch).map(|(b, oid)| (b.clone(), *oid)));
        }
        Ok(id)
    }

    /// Sets what must hold before something is merged into a branch; it takes the place of what was set before.
    ///
    /// # Errors
    /// There is no such repository.
    pub fn protect(&mut self, id: RepositoryId, protection: Protection) -> Result<(), ActionError> {
        let repository = self.repositories.get_mut(&id).ok_or_else(|| ActionError::no_such("repository", id))?;
        repository.protections.retain(|known| known.branch != protection.branch);
        repository.protections.push(protection);
        Ok(())
    }

    /// Whether a push makes check suites.
    ///
    /// # Errors
    /// There is no such repository.
    pub fn set_automatic_suites(&mut self, id: RepositoryId, automatic: bool) -> Result<(), ActionError> {
        let repository = self.repositories.get_mut(&id).ok_or_else(|| ActionError::no_such("repository", id))?;
        repository.automatic_suites = automatic;
        Ok(())
    }

    /// The next so many reads see the world as it was before the next change: the interface lags behind the webhook.
    pub fn lag_next_change(&mut self, reads: u32) {
        self.lag_next_change = reads;
    }

    fn free_name(&mut self, full_name: &str, kind: AccountKind) -> Result<(AccountId, String), ActionError> {
        let parts = full_name.split_once('/').filter(|(owner, name)| is_name(owner) && is_name(name));
        let (owner, name) = parts.ok_or_else(|| ActionError::refused(format!("`{full_name}` is not owner/name")))?;
        if self.repository_named(full_name).is_some() {
            return Err(ActionError::Exists(full_name.to_owned()));
        }
        Ok((self.account_or(owner, kind), name.to_owned()))
    }

    fn insert_repository(
        &mut self,
        owner: AccountId,
        name: String,
        network: usize,
        default_branch: &str,
        fork_of: Option<RepositoryId>,
    ) -> RepositoryId {
        let id = RepositoryId(self.ids.small());
        let repository = Repository {
            id,
            owner,
            name,
            description: None,
            private: true,
            default_branch: default_branch.to_owned(),
            fork_of,
            branches: BTreeMap::new(),
            pulls: BTreeMap::new(),
            protections: Vec::new(),
            queue: Vec::new(),
            automatic_suites: true,
            created_at: now(),
            pushed_at: now(),
            network,
            lag: None,
        };
        self.repositories.insert(id, repository);
        id
    }
}

fn is_name(text: &str) -> bool {
    let well = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !matches!(text, "" | "." | "..") && text.len() <= 100 && text.bytes().all(well)
}
