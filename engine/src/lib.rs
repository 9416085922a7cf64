//! Portcullis' engine: policies over infrastructure-as-code.
//!
//! Everything here is pure: no network, disk, clock, environment or async. Files come in through [`source_tree::Files`], a
//! report goes out. The modules are floors: each names only those above it.

/// The files of one commit, read-only.
pub mod source_tree;

/// What every format yields and every policy reads.
pub mod resource;

/// YAML and JSON text as value trees, shell scripts as commands.
pub mod syntax;

/// What policies ask of pods and scripts, in one shape for every format that has them.
pub mod views;

/// Suppressions in files: one member per notation.
pub mod suppressions;

/// One member per infrastructure-as-code format.
pub mod formats;

/// A policy as data.
pub mod policy;

/// Policies over resources.
pub mod evaluate;

/// One file per rendering of a report.
pub mod reports;

/// The policies that come with the program.
pub mod builtin;

/// Which attributes resource types have, and policies that ask for others.
pub mod schemas;

/// A policy's examples as its tests.
pub mod proof;

/// The JSON Schema of policy files, for editors.
pub mod policy_schema;
