//! What records are known by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::forges::{DeliveryId, RepositoryName};

/// The name of an endpoint deliveries arrive at; everything reached through it carries it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EndpointName(String);

/// A text that is no name of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an endpoint is named with 1 to 64 lower-case letters, digits and dashes")]
pub struct BadEndpointName;

impl EndpointName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EndpointName {
    type Error = BadEndpointName;

    fn try_from(text: String) -> Result<Self, BadEndpointName> {
        let is_well = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(is_well) { Ok(Self(text)) } else { Err(BadEndpointName) }
    }
}

impl FromStr for EndpointName {
    type Err = BadEndpointName;

    fn from_str(text: &str) -> Result<Self, BadEndpointName> {
        Self::try_from(text.to_owned())
    }
}

impl From<EndpointName> for String {
    fn from(name: EndpointName) -> Self {
        name.0
    }
}

impl fmt::Display for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A delivery, by the endpoint it arrived at and the host's id for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DeliveryRef {
    /// Where it arrived.
    pub endpoint: EndpointName,
    /// The host's id.
    pub id: DeliveryId,
}

impl fmt::Display for DeliveryRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.endpoint, self.id)
    }
}

/// A repository, by the endpoint it is reached through and its full name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RepositoryRef {
    /// How it is reached.
    pub endpoint: EndpointName,
    /// Its full name.
    pub name: RepositoryName,
}

impl fmt::Display for RepositoryRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.endpoint, self.name)
    }
}
