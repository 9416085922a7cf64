//! Portcullis, the program: everything that touches the world. What is decided about a file is decided in `portcullis-engine`.
//!
//! The modules are floors: each names only those above it.

/// The server's own configuration, from file, environment and command line, validated once.
pub mod settings;

/// Code hosts behind one trait.
pub mod forges;

/// The only place with SQL: deliveries, jobs, checks, reviews, and the migrations.
pub mod store;

/// A review in a child process with limits.
pub mod evaluator;

/// One review, from commits to check.
pub mod review;

/// The long-lived things a job needs, built once at start.
pub mod app;

/// The durable queue's workers and one file per job.
pub mod jobs;

/// The web server: webhooks, health, figures.
pub mod web;

/// The server: everything started and stopped in order.
pub mod server;

/// A folder on disk as the engine's files.
pub mod working_tree;

/// A folder of policy files on disk.
pub mod policy_folder;

/// A GitHub to try things on: on loopback, in memory, for `demo` and the tests, never on a production path.
pub mod github_stand_in;

/// The command line.
pub mod cli;
