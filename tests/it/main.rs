//! What the parts of Portcullis do together, over real HTTP and on real databases.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

mod github_forge;
