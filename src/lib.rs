//! Portcullis, the program: everything that touches the world. What is decided about a file is decided in `portcullis-engine`.
//!
//! The modules are floors: each names only those above it.

/// Code hosts behind one trait.
pub mod forges;

/// A GitHub to try things on: on loopback, in memory, for `demo` and the tests, never on a production path.
pub mod github_stand_in;
