//! Names and ids as every host has them, checked once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that is not the name or id it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}: {expected}")]
pub struct IdentityError {
    what: &'static str,
    expected: &'static str,
    text: String,
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $accepts:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdentityError;

            fn try_from(text: String) -> Result<Self, IdentityError> {
                let accepts: fn(&str) -> bool = $accepts;
                if accepts(&text) {
                    return Ok(Self(text));
                }
                let text = text.chars().take(80).collect();
                Err(IdentityError { what: $what, expected: $expected, text })
            }
        }

        impl FromStr for $name {
            type Err = IdentityError;

            fn from_str(text: &str) -> Result<Self, IdentityError> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_text!(
    /// A commit, by the full hexadecimal id of SHA-1 or SHA-256.
    CommitSha,
    "commit id",
    "40 or 64 hexadecimal digits",
    |text| matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
);

checked_text!(
    /// The id a host gives a delivery; the same again for a redelivery.
    DeliveryId,
    "delivery id",
    "1 to 128 letters, digits or dashes",
    |text| (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
);

checked_text!(
    /// A branch, without `refs/heads/`.
    BranchName,
    "branch name",
    "1 to 1,024 bytes without control characters",
    |text| (1..=1024).contains(&text.len()) && !text.chars().any(char::is_control)
);

checked_text!(
    /// The full name of a repository: `owner/name`, or with more groups where the host has them.
    RepositoryName,
    "repository name",
    "owner/name",
    |text| {
        let well = |part: &str| {
            !matches!(part, "" | "." | "..") && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        text.len() <= 512 && text.contains('/') && text.split('/').all(well)
    }
);

impl RepositoryName {
    /// Everything before the last `/`.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(owner, _)| owner)
    }

    /// Everything behind the last `/`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }
}

/// What a forge needs to act on a repository (on GitHub the installation id), opaque to everyone else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Access(pub String);

/// A repository and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Repository {
    /// Its full name.
    pub name: RepositoryName,
    /// How to reach it.
    pub access: Access,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_their_place_in_a_url_are_refused() {
        for bad in ["a", "a/", "/b", "a/..", "../b", "a/b?c", "a/b#c", "a b/c", "a//b"] {
            assert!(RepositoryName::from_str(bad).is_err(), "{bad}");
        }
        let name = RepositoryName::from_str("group/sub/re.po-1").unwrap();
        assert_eq!((name.owner(), name.name()), ("group/sub", "re.po-1"));
        assert!(CommitSha::from_str("main").is_err());
        assert!(DeliveryId::from_str("72d3162e-cc78-11e3-81ab-4c9367dc0958").is_ok());
        assert!(DeliveryId::from_str("a/b").is_err());
    }
}
