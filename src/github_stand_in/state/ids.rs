//! Numbers GitHub gives to things, one type for each kind.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A user, an organization or an App's bot.
    AccountId
);
id!(
    /// A GitHub App.
    AppId
);
id!(
    /// An App on an account.
    InstallationId
);
id!(
    /// A repository.
    RepositoryId
);
id!(
    /// A check suite.
    CheckSuiteId
);
id!(
    /// A check run.
    CheckRunId
);
id!(
    /// One attempt to deliver a webhook.
    DeliveryId
);

/// A pull request: its repository and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PullId {
    /// The repository it wants to change.
    pub repository: RepositoryId,
    /// Its number, as people name it.
    pub number: u64,
}

/// The next number of each kind. They start where GitHub's are: beyond 32 bits where GitHub's are.
#[derive(Debug)]
pub(crate) struct Ids {
    apps: u64,
    small: u64,
    large: u64,
}

impl Default for Ids {
    fn default() -> Self {
        Self { apps: 700_000, small: 70_000_000, large: 61_000_000_000 }
    }
}

impl Ids {
    /// For Apps, whose numbers are short.
    pub(crate) fn app(&mut self) -> u64 {
        self.apps += 1;
        self.apps
    }

    /// For accounts, repositories, installations, hooks.
    pub(crate) fn small(&mut self) -> u64 {
        self.small += 7;
        self.small
    }

    /// For pull requests, checks, deliveries.
    pub(crate) fn large(&mut self) -> u64 {
        self.large += 13;
        self.large
    }
}
