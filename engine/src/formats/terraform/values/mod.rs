//! Terraform's values: their types, conversions, order and arithmetic.

mod big;
pub(crate) mod compare;
pub(crate) mod convert;
pub(crate) mod decimal;
mod digits;
pub(crate) mod document;
pub(crate) mod shape;
