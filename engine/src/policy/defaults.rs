//! What providers assume of attributes that nobody writes, and which attributes cannot change without a new resource.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Literal;

/// Defaults by resource type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Defaults {
    types: BTreeMap<String, Vec<AttributeDefault>>,
}

/// What is known of one attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributeDefault {
    /// Its name behind those of the blocks it lies in.
    pub path: Vec<String>,
    /// What the provider assumes: for every version, or for some.
    pub values: Vec<VersionedValue>,
    /// The same holds when the block it lies in is not there.
    pub without_block: bool,
    /// To change it is to create the resource anew.
    pub replaces: bool,
}

/// What some versions of a provider assume.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionedValue {
    /// The value.
    pub value: Literal,
    /// By which versions.
    pub versions: VersionRange,
}

/// A version of a provider: its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version(Vec<u64>);

/// Versions from one on and below another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRange {
    /// The first; absent when there is no first.
    pub since: Option<Version>,
    /// The first that is not in it any more.
    pub until: Option<Version>,
}

impl Defaults {
    /// What is known of the attributes of a type.
    #[must_use]
    pub fn of(&self, type_name: &str) -> Option<&[AttributeDefault]> {
        self.types.get(type_name).map(Vec::as_slice)
    }

    /// Every type and what is known of it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[AttributeDefault])> {
        self.types.iter().map(|(name, attributes)| (name.as_str(), attributes.as_slice()))
    }

    /// Adds what is known of an attribute; what was known before is replaced.
    pub fn add(&mut self, type_name: &str, attribute: AttributeDefault) {
        let attributes = self.types.entry(type_name.to_owned()).or_default();
        attributes.retain(|known| known.path != attribute.path);
        attributes.push(attribute);
    }
}

impl AttributeDefault {
    /// What the newest of the versions that may be in use assumes: it is the one that `terraform init` takes where no lock
    /// file says otherwise.
    #[must_use]
    pub fn assumed(&self, possible: &VersionRange) -> Option<&Literal> {
        let is_newest = |range: &VersionRange| match (&range.until, &possible.until) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(until), Some(end)) => until >= end,
        };
        let newest = self.values.iter().find(|value| value.versions.overlaps(possible) && is_newest(&value.versions));
        newest.map(|value| &value.value)
    }
}

impl Version {
    /// Reads `4.2` or `v4.2.1`; what follows the numbers (`-beta1`) is left out.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('v');
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let numbers: Option<Vec<u64>> = text.get(..end)?.split('.').map(|part| part.parse().ok()).collect();
        numbers.map(Self)
    }

    /// The first version behind this one: of `4.2` it is `4.2.1`, of `4.2.1` it is `4.2.2`.
    fn next(&self) -> Self {
        let mut numbers = self.0.clone();
        numbers.resize(numbers.len().max(3), 0);
        if let Some(last) = numbers.last_mut() {
            *last = last.saturating_add(1);
        }
        Self(numbers)
    }

    /// The first version that `~>` leaves out; none when a single number is given.
    fn pessimistic_end(&self) -> Option<Self> {
        let mut numbers = self.0.clone();
        numbers.pop()?;
        let last = numbers.last_mut()?;
        *last = last.saturating_add(1);
        Some(Self(numbers))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let at = |version: &Self, index: usize| version.0.get(index).copied().unwrap_or(0);
        let longest = self.0.len().max(other.0.len());
        let compared = (0..longest).map(|index| at(self, index).cmp(&at(other, index)));
        Some(compared.into_iter().find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

impl VersionRange {
    /// Exactly one version.
    #[must_use]
    pub fn exactly(version: &Version) -> Self {
        Self { since: Some(version.clone()), until: Some(version.next()) }
    }

    /// Whether a version can be in both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let begins = |a: &Option<Version>, b: &Option<Version>| match (a, b) {
            (Some(since), Some(until)) => since < until,
            _ => true,
        };
        begins(&self.since, &other.until) && begins(&other.since, &self.until)
    }

    /// What is left of it under a constraint as Terraform writes them (`>= 3.0, < 5.0`, `~> 4.2`). Comparisons that are none
    /// say nothing, and `!=` takes nothing away.
    #[must_use]
    pub fn under(mut self, constraint: &str) -> Self {
        for comparison in constraint.split(',') {
            let comparison = comparison.trim();
            let end = comparison.find(|c: char| !"<>=!~".contains(c)).unwrap_or(comparison.len());
            let (operator, version) = comparison.split_at(end);
            let Some(version) = Version::parse(version) else { continue };
            match operator {
                ">=" => self.since_at_least(version),
                ">" => self.since_at_least(version.next()),
                "<" => self.until_at_most(version),
                "<=" => self.until_at_most(version.next()),
                "" | "=" => {
                    self.until_at_most(version.next());
                    self.since_at_least(version);
                }
                "~>" => {
                    if let Some(end) = version.pessimistic_end() {
                        self.until_at_most(end);
                    }
                    self.since_at_least(version);
                }
                _ => {}
            }
        }
        self
    }

    fn since_at_least(&mut self, version: Version) {
        if self.since.as_ref().is_none_or(|since| *since < version) {
            self.since = Some(version);
        }
    }

    fn until_at_most(&mut self, version: Version) {
        if self.until.as_ref().is_none_or(|until| *until > version) {
            self.until = Some(version);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(since: Option<&str>, until: Option<&str>) -> VersionRange {
        VersionRange { since: since.and_then(Version::parse), until: until.and_then(Version::parse) }
    }

    #[test]
    fn constraints_leave_a_range() {
        for (constraint, since, until) in [
            (">= 3.0, < 5.0", Some("3.0"), Some("5.0")),
            ("~> 4.2", Some("4.2"), Some("5")),
            ("~> 4.2.1", Some("4.2.1"), Some("4.3")),
            ("~> 4", Some("4"), None),
            ("= 4.2.1", Some("4.2.1"), Some("4.2.2")),
            ("4.2", Some("4.2"), Some("4.2.1")),
            ("> 4, <= 6, != 5.1, nonsense", Some("4.0.1"), Some("6.0.1")),
            ("", None, None),
        ] {
            assert_eq!(VersionRange::default().under(constraint), range(since, until), "{constraint}");
        }
    }

    #[test]
    fn the_newest_version_that_may_be_in_use_says_what_is_assumed() {
        let value = |text: &str, since, until| VersionedValue {
            value: Literal::Text(text.to_owned()),
            versions: range(since, until),
        };
        let attribute = AttributeDefault {
            path: vec!["min_tls_version".to_owned()],
            values: vec![value("TLS1_0", Some("2.0"), Some("3.0")), value("TLS1_2", Some("3.0"), None)],
            without_block: false,
            replaces: false,
        };
        for (constraint, wanted) in [
            ("", Some("TLS1_2")),
            (">= 2.9", Some("TLS1_2")),
            ("~> 4.0", Some("TLS1_2")),
            ("< 3", Some("TLS1_0")),
            ("~> 2.4", Some("TLS1_0")),
            ("< 2", None),
            ("> 4, < 3", None),
        ] {
            let assumed = attribute.assumed(&VersionRange::default().under(constraint));
            assert_eq!(assumed, wanted.map(|text| Literal::Text(text.to_owned())).as_ref(), "{constraint}");
        }
    }
}
