//! Users, organizations and bots.

use super::AccountId;

/// What kind of account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// A person.
    User,
    /// An organization.
    Organization,
    /// An App acting as itself.
    Bot,
}

impl AccountKind {
    /// GitHub's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Organization => "Organization",
            Self::Bot => "Bot",
        }
    }
}

/// Someone who owns repositories or does things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// Its name in addresses.
    pub login: String,
    /// What kind.
    pub kind: AccountKind,
}

impl Account {
    /// The address commits on the site are made with.
    #[must_use]
    pub fn email(&self) -> String {
        format!("{}+{}@users.noreply.github.com", self.id, self.login)
    }
}
