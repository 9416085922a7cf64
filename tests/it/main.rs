//! The one integration binary: every test that needs more than one module, over real HTTP, real databases and real processes.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

mod github_forge;
mod house;
