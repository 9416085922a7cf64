//! The named tests that need a table or arithmetic: what `$name` does in a policy.

mod cidr;
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
    };
    match value.data() {
        Data::Text(text) => of_text(text).into(),
        Data::Unknown(_) => Truth::Unknown,
        Data::OneOf(alternatives) => one_of(alternatives, |value| test(name, value)),
        Data::List(_) => Truth::Unknown,
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::Map(_) => Truth::False,
    }
}
