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

/// What a predicate says of a value.
pub(super) fn test(name: PredicateName, value: &Value) -> Truth {
    let of_text: fn(&str) -> bool = match name {
        PredicateName::PublicCidr => cidr::is_public,
        PredicateName::Secret => secret::is_secret,
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
