//! All integration tests, in one binary: each links everything.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

mod github_stand_in;
mod http;
