//! Addresses in bodies: GitHub has two layouts, and the answer follows the request's.

/// Where the REST interface lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// As on api.github.com: at the root, GraphQL at `/graphql`.
    #[default]
    GitHub,
    /// As on GitHub Enterprise Server: under `/api/v3`, GraphQL at `/api/graphql`.
    EnterpriseServer,
}

/// Addresses of one layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Urls {
    html: String,
    api: String,
}

impl Urls {
    pub(crate) fn new(base: &str, layout: Layout) -> Self {
        let html = base.trim_end_matches('/').to_owned();
        let api = match layout {
            Layout::GitHub => html.clone(),
            Layout::EnterpriseServer => format!("{html}/api/v3"),
        };
        Self { html, api }
    }

    /// A page for people.
    pub(crate) fn html(&self, path: &str) -> String {
        format!("{}/{path}", self.html)
    }

    /// A resource of the REST interface.
    pub(crate) fn api(&self, path: &str) -> String {
        format!("{}/{path}", self.api)
    }
}
