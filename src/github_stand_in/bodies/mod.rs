//! The bodies of GitHub's interface: what the state looks like in JSON, the same in answers and in webhooks.
//!
//! Every field GitHub's OpenAPI description requires is there; lists nobody can fill here are empty.

mod account;
mod app;
mod change;
mod check;
mod commit;
mod pull;
mod repository;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub(crate) use account::{account, account_by_id, organization};
pub(crate) use app::{app, delivery, delivery_item, installation, permissions};
pub(crate) use change::{change, escape_path};
pub(crate) use check::{annotation, check_run, check_suite, webhook_check_run, webhook_check_suite};
pub(crate) use commit::{commit, commit_with_changes, git_commit, push_commit, simple_commit};
pub(crate) use pull::{pull, simple_pull};
pub(crate) use repository::{branch_commit, full_repository, push_repository, repository};

use super::state::{GitHub, Layout, Urls};

/// A state and the addresses its bodies are written with.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) github: &'a GitHub,
    pub(crate) urls: &'a Urls,
}

impl GitHub {
    /// The addresses webhooks are written with.
    pub(crate) fn webhook_urls(&self) -> Urls {
        Urls::new(&self.base_url, self.webhook_layout)
    }

    /// The addresses answers to requests of a layout are written with.
    pub(crate) fn urls(&self, layout: Layout) -> Urls {
        Urls::new(&self.base_url, layout)
    }
}

/// A moment as GitHub writes it: `2026-03-02T09:00:00Z`.
pub(crate) fn timestamp(at: OffsetDateTime) -> String {
    at.replace_nanosecond(0).unwrap_or(at).format(&Rfc3339).unwrap_or_default()
}

/// The opaque id of a thing in GraphQL.
pub(crate) fn node_id(kind: &str, id: impl std::fmt::Display) -> String {
    STANDARD.encode(format!("0{}:{kind}{id}", kind.len()))
}
