//! Named sets of values and named tests: what `$name` means in a policy.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Defaults, Literal, Matcher};

/// Everything `$name` can mean, and what identifies a resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Library {
    /// Sets of values.
    pub sets: BTreeMap<String, NamedSet>,
    /// Which attributes identify a resource of a type, so that two resources naming it are linked.
    pub identity: BTreeMap<String, Vec<String>>,
    /// What providers assume of attributes that nobody writes.
    pub defaults: Defaults,
}

/// A named set of values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedSet {
    /// What is in it, and by what measure.
    pub description: String,
    /// Its values.
    pub values: Vec<Literal>,
}

impl Library {
    /// What `$name` matches: a set's values or a predicate.
    #[must_use]
    pub fn matcher(&self, name: &str) -> Option<Matcher> {
        if let Some(set) = self.sets.get(name) {
            return Some(Matcher::Choice(set.values.iter().cloned().map(Matcher::Is).collect()));
        }
        PredicateName::ALL
            .iter()
            .find(|predicate| predicate.name() == name)
            .map(|predicate| Matcher::Predicate(Predicate { name: *predicate }))
    }

    /// Every name, for suggestions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sets.keys().map(String::as_str).chain(PredicateName::ALL.iter().map(|predicate| predicate.name()))
    }
}

/// A named test and its settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predicate {
    /// Which.
    pub name: PredicateName,
}

impl Predicate {
    /// What it says of a value that passes it, behind "must be" or "must not be".
    #[must_use]
    pub fn phrase(&self) -> &'static str {
        match self.name {
            PredicateName::PublicCidr => "a public address range",
            PredicateName::Secret => "a secret in plain text",
            PredicateName::PrivilegeEscalation => "a way to more privileges",
            PredicateName::DataExfiltration => "a way to read all data",
            PredicateName::CredentialExposure => "a way to credentials of others",
            PredicateName::ResourceExposure => "a way to open resources to others",
        }
    }
}

/// The named tests kept in Rust: each needs a table or arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PredicateName {
    /// An address range open to strangers: outside RFC 1918, 6598 and 4193 space and wider than /16 (IPv4) or /32 (IPv6).
    PublicCidr,
    /// Text that is a credential: a known key format, or long and of high entropy.
    Secret,
    /// Statements, or actions, that lead to the permissions of somebody else on any resource.
    PrivilegeEscalation,
    /// Statements, or actions, that read objects, parameters or secrets, whichever they are.
    DataExfiltration,
    /// Statements, or actions, that hand out credentials on any resource.
    CredentialExposure,
    /// Statements, or actions, that change who may use resources, whichever they are.
    ResourceExposure,
}

impl PredicateName {
    /// Whether it can be asked of a whole list, not of its elements alone.
    #[must_use]
    pub fn takes_lists(self) -> bool {
        match self {
            Self::PublicCidr | Self::Secret => false,
            Self::PrivilegeEscalation | Self::DataExfiltration | Self::CredentialExposure | Self::ResourceExposure => {
                true
            }
        }
    }

    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::PublicCidr,
        Self::Secret,
        Self::PrivilegeEscalation,
        Self::DataExfiltration,
        Self::CredentialExposure,
        Self::ResourceExposure,
    ];

    /// Its name behind `$`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PublicCidr => "public_cidr",
            Self::Secret => "secret",
            Self::PrivilegeEscalation => "privilege_escalation",
            Self::DataExfiltration => "data_exfiltration",
            Self::CredentialExposure => "credential_exposure",
            Self::ResourceExposure => "resource_exposure",
        }
    }
}
