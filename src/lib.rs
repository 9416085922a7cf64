//! Portcullis, the program: everything that touches the world. What is decided about a file is decided in `portcullis-engine`.
//!
//! The modules are floors: each names only those above it.

/// Code hosts behind one trait.
pub mod forges;

/// A review in a child process with limits.
pub mod evaluator;

/// A folder on disk as the engine's files.
pub mod working_tree;

/// The command line.
pub mod cli;
