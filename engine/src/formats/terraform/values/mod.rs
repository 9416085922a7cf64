//! Values.
pub(crate) mod decimal;
