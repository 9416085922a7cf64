//! Configuration: what folders declare, and the modules that belong together.

pub(crate) mod constraint;
pub(crate) mod load;
pub(crate) mod lock;
pub(crate) mod module;
mod overrides;
pub(crate) mod variables;
