//! The named tests that need a table or arithmetic: what `$name` does in a policy.

mod cidr;
mod iam;
mod iam_actions;
mod secret;

use crate::policy::PredicateName;
use crate::resource::{Data, Value};

use super::scalar::one_of;
use super::truth::Truth;

pub(super) use cidr::is_within;
pub(super) use secret::is_secret;

/// What a predicate says of a value.
pub(super) fn test(name: PredicateName, value: &Value) -> Truth {
    let of_text: fn(&str) -> bool = match name {
        PredicateName::PublicCidr => cidr::is_public,
        PredicateName::Secret => is_secret,
        PredicateName::Literal => return literal(value),
        PredicateName::PrivilegeEscalation => return iam::grants(value, iam_actions::PRIVILEGE_ESCALATION),
        PredicateName::DataExfiltration => return iam::grants(value, iam_actions::DATA_EXFILTRATION),
        PredicateName::CredentialExposure => return iam::grants(value, iam_actions::CREDENTIAL_EXPOSURE),
        PredicateName::ResourceExposure => return iam::grants(value, iam_actions::RESOURCE_EXPOSURE),
    };
    match value.data() {
        Data::Text(text) => of_text(text).into(),
        Data::Unknown(_) => Truth::Unknown,
        Data::OneOf(alternatives) => one_of(alternatives, |value| test(name, value)),
        Data::List(_) => Truth::Unknown,
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::Map(_) => Truth::False,
    }
}

/// Whether a value is written out: one that is an attribute of a resource in these files is not, known or unknown.
fn literal(value: &Value) -> Truth {
    match value.data() {
        _ if !value.references().is_empty() => Truth::False,
        Data::Unknown(_) => Truth::Unknown,
        Data::OneOf(alternatives) => one_of(alternatives, literal),
        _ => Truth::True,
    }
}
