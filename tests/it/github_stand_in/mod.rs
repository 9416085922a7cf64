//! The GitHub stand-in over real HTTP, one file for each thing it must do as GitHub does it.
//!
//! With `STAND_IN_RECORDINGS` set to a folder each test leaves what was asked, answered and delivered there as JSON lines, so
//! that a validator of GitHub's own description can judge it.

mod checks;
mod credentials;
mod faults;
mod gate;
mod git;
mod graphql;
mod pages;
mod queue;
mod reading;
mod rules;
mod tour;
mod webhooks;
pub(crate) mod world;
