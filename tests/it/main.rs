//! The one integration binary: every test that needs more than one module, over real HTTP, real databases and real processes.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

mod command_line;
mod databases;
mod durability;
mod evaluator;
mod flow;
mod github_forge;
mod github_stand_in;
mod house;
mod http;
mod log;
mod migrations;
mod policy_command;
mod policy_schema;
mod postgres;
mod queue;
mod scan;
mod settings;
mod store;
mod test_forge;
mod text_report;
mod web;
mod worker;
