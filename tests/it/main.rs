//! The one integration binary: everything that needs more than one module, a database, a socket or a process.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod databases;
mod durability;
mod log;
mod migrations;
mod postgres;
mod queue;
mod settings;
mod store;
mod test_forge;
mod web;
mod worker;
