//! GitHub's limits, each of which a test may lower.

use std::time::Duration;

/// GitHub's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries of a recursive tree; more are cut off, and `truncated` says so.
    pub tree_entries: usize,
    /// Files of a pull request, over all pages.
    pub pull_files: usize,
    /// Files of a comparison.
    pub compare_files: usize,
    /// Commits of a comparison on one page.
    pub compare_commits: usize,
    /// Size of a patch; a larger one is left out.
    pub patch_bytes: usize,
    /// Lines of a patch; a longer one is left out.
    pub patch_lines: u32,
    /// Size of a blob's text in GraphQL; the rest is cut off, and `isTruncated` says so.
    pub graphql_text_bytes: usize,
    /// Objects one GraphQL query may ask for.
    pub graphql_nodes: usize,
    /// Size of a file whose content the contents interface gives in JSON.
    pub contents_bytes: usize,
    /// Size of a file the contents interface gives at all.
    pub contents_raw_bytes: usize,
    /// Entries of a folder the contents interface lists.
    pub contents_entries: usize,
    /// Requests an installation may make in an hour.
    pub requests_per_hour: u64,
    /// How long a receiver may take to answer a webhook.
    pub webhook_timeout: Duration,
    /// How long an installation token is good for.
    pub token_lifetime: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tree_entries: 100_000,
            pull_files: 3000,
            compare_files: 300,
            compare_commits: 250,
            patch_bytes: 500 * 1024,
            patch_lines: 20_000,
            graphql_text_bytes: 512 * 1024,
            graphql_nodes: 500_000,
            contents_bytes: 1024 * 1024,
            contents_raw_bytes: 100 * 1024 * 1024,
            contents_entries: 1000,
            requests_per_hour: 5000,
            webhook_timeout: Duration::from_secs(10),
            token_lifetime: Duration::from_secs(3600),
        }
    }
}
