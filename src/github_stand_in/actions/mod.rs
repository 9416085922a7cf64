//! What people and GitHub itself do: each verb changes the state and queues the webhooks that tell of it.

mod apps;
mod branches;
mod checks;
mod content;
mod deliveries;
mod pulls;
mod queue;
mod repositories;

pub use apps::NewApp;
pub(crate) use checks::{NewRun, RunUpdate};
pub use content::{Changes, NewCommit};
pub use pulls::{NewPull, Proposal};
pub use repositories::NewRepository;

use portcullis_engine::source_tree::BadPath;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// It is about something that does not exist.
    #[error("there is no {0}")]
    NoSuch(String),
    /// It is there already.
    #[error("{0} is there already")]
    Exists(String),
    /// The gate is closed.
    #[error("not possible: {}", .0.join("; "))]
    Refused(Vec<String>),
    /// A path that no repository can hold.
    #[error("`{path}`: {reason}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: BadPath,
    },
    /// A key that is none.
    #[error("the App's key cannot be read: {0}")]
    Key(String),
}

impl ActionError {
    fn no_such(what: &str, name: impl std::fmt::Display) -> Self {
        Self::NoSuch(format!("{what} {name}"))
    }

    fn refused(reason: impl Into<String>) -> Self {
        Self::Refused(vec![reason.into()])
    }
}
