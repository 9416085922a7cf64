//! A check as the author of a pull request sees it, and what there is to say about it.

use portcullis::github_stand_in::gate::Gate;
use portcullis::github_stand_in::state::{Annotation, CheckRun, CheckStatus, Conclusion};

use crate::github_stand_in::world::CHECK;

/// A check as the author of a pull request sees it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) run: CheckRun,
    pub(super) conclusion: Conclusion,
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) text: String,
    pub(super) gate: Gate,
}

impl Seen {
    pub(super) fn of(run: CheckRun, gate: Gate) -> Self {
        assert_eq!(run.name, CHECK);
        assert_eq!(run.status, CheckStatus::Completed, "{run:#?}");
        Self {
            conclusion: run.conclusion.expect("a completed check has a conclusion"),
            title: run.output.title.clone().unwrap_or_default(),
            summary: run.output.summary.clone().unwrap_or_default(),
            text: run.output.text.clone().unwrap_or_default(),
            run,
            gate,
        }
    }

    /// Success, and the merge is open.
    #[track_caller]
    pub(super) fn assert_passed(&self, title: &str) {
        assert_eq!((self.conclusion, self.title.as_str()), (Conclusion::Success, title), "{self:#?}");
        assert!(self.gate.state.allows_merge(), "{:#?}", self.gate);
    }

    /// Failure, and the merge is closed by this check alone.
    #[track_caller]
    pub(super) fn assert_blocked(&self, title: &str) {
        assert_eq!((self.conclusion, self.title.as_str()), (Conclusion::Failure, title), "{self:#?}");
        assert!(!self.gate.state.allows_merge(), "{:#?}", self.gate);
        assert_eq!(self.gate.reasons, [format!("required check “{CHECK}” ended with failure")]);
    }

    /// The summary and the details say this.
    #[track_caller]
    pub(super) fn assert_says(&self, words: &[&str]) {
        let page = format!("{}\n{}", self.summary, self.text);
        for word in words {
            assert!(page.contains(word), "`{word}` is missing in\n{page}");
        }
    }

    /// `path:line` and title of each annotation.
    pub(super) fn remarks(&self) -> Vec<String> {
        let remark = |annotation: &Annotation| {
            let title = annotation.title.clone().unwrap_or_default();
            format!("{}:{} {title}", annotation.path, annotation.start_line)
        };
        self.run.annotations.iter().map(remark).collect()
    }
}
