//! A policy as data: its parts, the loader that reads and checks it, and the catalogue compiled from `policies/`.
//!
//! The language is described in `docs/policy-language.md`. What a policy *answers* is the business of `evaluate`.

mod aliases;
mod catalogue;
mod defaults;
mod find;
mod library;
mod load;
mod matcher;
mod path;
mod place;
mod template;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::resource::FormatId;

pub use catalogue::{CHECK_ALL, Catalogue, CatalogueError, CheckIndex, CompiledPolicy, glob_matches, pack};
pub use defaults::{AttributeDefault, Defaults, Version, VersionRange, VersionedValue};
pub use library::{Library, Predicate, PredicateName};
pub use load::{
    COMPARISONS, Example, ExampleKind, Loaded, Mistake, Needed, OPERATORS, OperatorName, Takes, Variant, is_library,
    load_library, load_policy, nearest, nearest_within, variants,
};
pub use matcher::{Comparison, Literal, Matcher, Operand, Operator, Text};
pub use path::{Decoder, Name, Path, Selector, Step};
pub use place::{Place, TypePlaces};
pub use template::{Part, Placeholder, Template};

/// How bad a violation is. Ordered: `Low < Critical`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good practice.
    Low,
    /// Weakens a defence.
    Medium,
    /// Opens a way in, or loses data.
    High,
    /// Open to anyone.
    Critical,
}

impl Severity {
    /// All of them, worst first.
    pub const WORST_FIRST: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// Its name in policies, settings and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::WORST_FIRST.into_iter().find(|severity| severity.name() == text);
        known.ok_or_else(|| format!("`{text}` is no severity: low, medium, high or critical"))
    }
}

/// The id of a policy: an imperative requirement, area first (`aws-rds-encrypt-storage`), or of one of its instances
/// (`net-no-public-port/ssh`). It never changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PolicyId(String);

impl PolicyId {
    /// Longest id, in bytes.
    pub const LIMIT_BYTES: usize = 100;

    /// Checks an id.
    ///
    /// # Errors
    /// Says what an id looks like.
    pub fn new(text: &str) -> Result<Self, String> {
        let well = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_lowercase())
                && !part.ends_with('-')
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let parts: Vec<&str> = text.split('/').collect();
        if text.len() <= Self::LIMIT_BYTES && parts.len() <= 2 && parts.iter().all(|part| well(part)) {
            return Ok(Self(text.to_owned()));
        }
        Err("an id is lower-case words joined by dashes, area first: `aws-rds-encrypt-storage`".to_owned())
    }

    /// What a policy is called while nobody knows its id.
    pub(super) fn unnamed() -> Self {
        Self("policy".to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a person needs to know of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Its id.
    pub id: PolicyId,
    /// What holds when it is met.
    pub title: String,
    /// How bad a violation is.
    pub severity: Severity,
    /// Why it matters.
    pub description: String,
    /// How to mend a violation.
    pub remediation: String,
    /// Clauses of outside frameworks it answers: framework, then clauses.
    pub frameworks: Vec<(String, Vec<String>)>,
    /// Peers' ids that give the same verdict on the same resource.
    pub aliases: Vec<String>,
    /// Peers' ids whose risk it reports elsewhere or more widely.
    pub covers: Vec<String>,
}

/// One requirement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// What a person needs to know.
    pub metadata: Metadata,
    /// Named values that a policy set may override.
    pub params: Vec<(String, Literal)>,
    /// What is looked at.
    pub checks: Vec<Check>,
}

/// What is asked of one kind of resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The format it is written for; absent for `everywhere`.
    pub format: Option<FormatId>,
    /// The resource types: names, or globs with `*`.
    pub resource: Vec<String>,
    /// Where the types are written.
    #[serde(skip)]
    pub types_at: TypePlaces,
    /// Applies only if this holds.
    pub when: Option<Condition>,
    /// Applies only if this does not hold.
    pub unless: Option<Condition>,
    /// Named links to other resources.
    pub related: Vec<Related>,
    /// What is asked.
    pub rule: Rule,
    /// What a violation says; without one it is made from the matcher.
    pub message: Option<Template>,
    /// How a violation is mended; without one it is made from the rule.
    pub fix: Option<Fix>,
    /// Whether an undecided answer counts against the gate.
    pub undecided_blocks: bool,
    /// Where its message and its fix are written.
    #[serde(skip)]
    pub says_at: Place,
}

/// What a check asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Rule {
    /// Everything listed must hold.
    Require(Vec<Condition>),
    /// Nothing listed may hold.
    Forbid(Vec<Condition>),
    /// The resource itself may not be.
    ForbidResource,
}

/// A condition on a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Condition {
    /// What lies at a path matches.
    Entry {
        /// From this node, or from a related name.
        path: Path,
        /// What must be there.
        matcher: Matcher,
        /// Where that is written.
        #[serde(skip)]
        place: Place,
    },
    /// Every one holds.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
}

/// A named link to other resources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Related {
    /// Its name in paths.
    pub name: String,
    /// The related resources' types: names, or globs.
    pub resource: Vec<String>,
    /// Types left out.
    pub except: Vec<String>,
    /// The related name this link goes on from; absent for the checked resource.
    pub of: Option<String>,
    /// How the two are linked.
    pub link: Link,
    /// Only the unit's own resources are meant: a name none of them has leads nowhere, not outside.
    pub closed: bool,
    /// Where its name and its `via` or `selector` are written.
    #[serde(skip)]
    pub place: Place,
    /// Where the types are written.
    #[serde(skip)]
    pub types_at: TypePlaces,
}

/// How two resources are linked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Link {
    /// Their attribute refers to me; `*` for any attribute.
    Theirs(Path),
    /// My attribute refers to them.
    Mine(Path),
    /// My selector picks their labels.
    MySelector(Path),
    /// Their selector picks my labels.
    TheirSelector(Path),
}

/// How a violation is mended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fix {
    /// Set attributes to values.
    Set(Vec<(Path, Literal)>),
    /// Remove what lies at a path.
    Remove(Path),
    /// Add a block or a companion resource; `{id}`, `{name}` and `{address}` are filled in.
    Add(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_order_and_read_back() {
        assert!(Severity::Low < Severity::Critical);
        for severity in Severity::WORST_FIRST {
            assert_eq!(severity.name().parse(), Ok(severity));
        }
        assert!("HIGH".parse::<Severity>().is_err());
    }

    #[test]
    fn ids_are_words_joined_by_dashes() {
        for good in ["aws-rds-encrypt-storage", "net-no-public-port/ssh", "k8s"] {
            assert!(PolicyId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "Aws", "a_b", "a-", "-a", "a/b/c", "a/", &"a".repeat(101)] {
            assert!(PolicyId::new(bad).is_err(), "{bad}");
        }
    }
}
