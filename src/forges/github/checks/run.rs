//! A check run as GitHub gives it back.

use serde::Deserialize;

use super::output::{Output, State};
use crate::forges::github::decode::AppRef;

/// A check run.
#[derive(Deserialize)]
pub(super) struct Run {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) head_sha: String,
    pub(super) external_id: Option<String>,
    pub(super) app: Option<AppRef>,
    status: Option<String>,
    conclusion: Option<String>,
    output: Option<Shown>,
}

#[derive(Deserialize)]
struct Shown {
    title: Option<String>,
    summary: Option<String>,
    text: Option<String>,
    annotations_count: Option<usize>,
}

/// One page of a list of them.
#[derive(Deserialize)]
pub(super) struct RunPage {
    pub(super) check_runs: Vec<Run>,
}

impl Run {
    /// How many annotations it shows.
    pub(super) fn annotations(&self) -> usize {
        self.output.as_ref().and_then(|output| output.annotations_count).unwrap_or_default()
    }

    pub(super) fn is_completed(&self) -> bool {
        self.status.as_deref() == Some("completed")
    }

    /// Whether state and texts are these already.
    pub(super) fn says(&self, state: &State<'_>, output: &Output<'_>) -> bool {
        let Some(shown) = &self.output else {
            return false;
        };
        self.status.as_deref() == Some(state.status)
            && self.conclusion.as_deref() == state.conclusion
            && shown.title.as_deref() == Some(&*output.title)
            && shown.summary.as_deref() == Some(&*output.summary)
            && shown.text.as_deref() == output.text.as_deref()
    }
}
