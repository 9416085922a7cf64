//! Terraform's values: their types, conversions, order and arithmetic.

pub(crate) mod compare;
pub(crate) mod convert;
pub(crate) mod decimal;
pub(crate) mod shape;
