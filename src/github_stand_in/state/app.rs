//! GitHub Apps, where they are installed, and the tokens they get.

use std::collections::{BTreeMap, BTreeSet};

use jsonwebtoken::DecodingKey;
use time::OffsetDateTime;

use super::{AccountId, AppId, InstallationId, RepositoryId};

/// How much a permission allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Look.
    Read,
    /// Look and change.
    Write,
}

impl Access {
    /// GitHub's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// From GitHub's word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "read" => Some(Self::Read),
            "write" => Some(Self::Write),
            _ => None,
        }
    }
}

/// What may be done, by GitHub's names: `checks`, `contents`, `metadata`, …
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions(pub BTreeMap<String, Access>);

impl Permissions {
    /// A set of permissions; `metadata: read` always belongs to it.
    #[must_use]
    pub fn of(granted: &[(&str, Access)]) -> Self {
        let mut all: BTreeMap<String, Access> =
            granted.iter().map(|(name, access)| ((*name).into(), *access)).collect();
        all.entry("metadata".to_owned()).or_insert(Access::Read);
        Self(all)
    }

    /// What the merge gate needs and no more.
    #[must_use]
    pub fn gate() -> Self {
        let read = ["contents", "pull_requests", "merge_queues"].map(|name| (name, Access::Read));
        Self::of(&[&[("checks", Access::Write)], read.as_slice()].concat())
    }

    /// Whether this much is granted.
    #[must_use]
    pub fn allow(&self, name: &str, access: Access) -> bool {
        self.0.get(name).is_some_and(|granted| *granted >= access)
    }
}

/// Where an App's webhooks go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The hook's own number.
    pub id: u64,
    /// Where to; without one deliveries wait.
    pub url: Option<String>,
    /// What signs them.
    pub secret: String,
}

/// A GitHub App.
pub struct App {
    /// Its number.
    pub id: AppId,
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its other name in tokens.
    pub client_id: String,
    /// Who made it.
    pub owner: AccountId,
    /// Its own account, `slug[bot]`.
    pub bot: AccountId,
    /// What it asks for.
    pub permissions: Permissions,
    /// The events it is told.
    pub events: BTreeSet<String>,
    /// Where it is told them.
    pub webhook: Webhook,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// The half of its key that GitHub keeps.
    pub(crate) public_key: DecodingKey,
}

/// Which repositories of an account an App sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All, future ones too.
    All,
    /// These.
    Selected(BTreeSet<RepositoryId>),
}

/// An App on an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Its number.
    pub id: InstallationId,
    /// Which App.
    pub app: AppId,
    /// On which account.
    pub account: AccountId,
    /// Which repositories.
    pub selection: Selection,
    /// What the account has agreed to.
    pub permissions: Permissions,
    /// Since when it is suspended, and by whom.
    pub suspended: Option<(OffsetDateTime, AccountId)>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was changed.
    pub updated_at: OffsetDateTime,
}

/// An installation token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The token itself.
    pub text: String,
    /// Of which installation.
    pub installation: InstallationId,
    /// The repositories it was narrowed to; `None`: all of the installation's.
    pub repositories: Option<BTreeSet<RepositoryId>>,
    /// What it allows.
    pub permissions: Permissions,
    /// Until when.
    pub expires_at: OffsetDateTime,
}

/// The requests an installation has made in the present hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateWindow {
    /// How many are allowed.
    pub limit: u64,
    /// How many were made.
    pub used: u64,
    /// When the count starts anew.
    pub resets_at: OffsetDateTime,
}

impl RateWindow {
    /// How many are left.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}
