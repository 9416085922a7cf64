//! Check suites, check runs and their annotations.

use std::cmp::Reverse;

use time::OffsetDateTime;

use super::{AppId, CheckRunId, CheckSuiteId, RepositoryId};
use crate::github_stand_in::git::Oid;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every one, by GitHub's word for it.
            pub const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),+];

            /// GitHub's word for it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

words!(
    /// How far a check is.
    CheckStatus {
        /// Asked for.
        Queued = "queued",
        /// At work.
        InProgress = "in_progress",
        /// Done.
        Completed = "completed",
    }
);

words!(
    /// How a check ended, the one that decides a suite first.
    Conclusion {
        /// It found what must be mended.
        Failure = "failure",
        /// It never ended.
        TimedOut = "timed_out",
        /// Someone must do something.
        ActionRequired = "action_required",
        /// It was given up.
        Cancelled = "cancelled",
        /// GitHub gave it up after a fortnight.
        Stale = "stale",
        /// All is well.
        Success = "success",
        /// It has nothing to say.
        Neutral = "neutral",
        /// It was not run.
        Skipped = "skipped",
    }
);

words!(
    /// How loud an annotation is.
    AnnotationLevel {
        /// Blocks.
        Failure = "failure",
        /// Does not block.
        Warning = "warning",
        /// For information.
        Notice = "notice",
    }
);

impl Conclusion {
    /// Whether a required check of this end lets a merge through.
    #[must_use]
    pub fn passes(self) -> bool {
        matches!(self, Self::Success | Self::Neutral | Self::Skipped)
    }
}

/// The runs of one App on one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckSuite {
    /// Its number.
    pub id: CheckSuiteId,
    /// In which repository.
    pub repository: RepositoryId,
    /// Whose.
    pub app: AppId,
    /// Of which commit.
    pub head: Oid,
    /// The branch that was pushed; `None` for a fork's.
    pub head_branch: Option<String>,
    /// The commit the branch was at before.
    pub before: Option<Oid>,
    /// Asked for again, and no run has been made since.
    pub rerequested: bool,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was changed.
    pub updated_at: OffsetDateTime,
}

/// One check of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRun {
    /// Its number.
    pub id: CheckRunId,
    /// The suite it belongs to.
    pub suite: CheckSuiteId,
    /// In which repository.
    pub repository: RepositoryId,
    /// Whose.
    pub app: AppId,
    /// Of which commit.
    pub head: Oid,
    /// Its name, which rules refer to.
    pub name: String,
    /// The App's own name for it.
    pub external_id: Option<String>,
    /// Where the App says more.
    pub details_url: Option<String>,
    /// How far it is.
    pub status: CheckStatus,
    /// How it ended.
    pub conclusion: Option<Conclusion>,
    /// When it began.
    pub started_at: OffsetDateTime,
    /// When it ended.
    pub completed_at: Option<OffsetDateTime>,
    /// What it shows.
    pub output: Output,
    /// What it says about lines, in the order it came.
    pub annotations: Vec<Annotation>,
}

/// What a check run shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// One line.
    pub title: Option<String>,
    /// Markdown.
    pub summary: Option<String>,
    /// Markdown, below the summary.
    pub text: Option<String>,
}

/// A remark on lines of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// The file.
    pub path: String,
    /// First line, from 1.
    pub start_line: u32,
    /// Last line.
    pub end_line: u32,
    /// First column, when it is about one line.
    pub start_column: Option<u32>,
    /// Last column.
    pub end_column: Option<u32>,
    /// How loud.
    pub level: AnnotationLevel,
    /// What is the matter.
    pub message: String,
    /// In a few words.
    pub title: Option<String>,
    /// More of it.
    pub raw_details: Option<String>,
}

/// Status and conclusion of a suite of these runs: of runs of one name the newest counts, and the worst decides.
pub(crate) fn suite_state(suite: &CheckSuite, runs: &[&CheckRun]) -> (CheckStatus, Option<Conclusion>) {
    let latest = latest_by_name(runs);
    if suite.rerequested || latest.is_empty() {
        return (CheckStatus::Queued, None);
    }
    match latest.iter().map(|run| run.conclusion).collect::<Option<Vec<_>>>() {
        Some(ended) => (CheckStatus::Completed, ended.into_iter().min()),
        None if latest.iter().all(|run| run.status == CheckStatus::Queued) => (CheckStatus::Queued, None),
        None => (CheckStatus::InProgress, None),
    }
}

/// The newest run of each name.
pub(crate) fn latest_by_name<'a>(runs: &[&'a CheckRun]) -> Vec<&'a CheckRun> {
    let mut newest_first = runs.to_vec();
    newest_first.sort_by_key(|run| Reverse(run.id));
    let mut latest: Vec<&CheckRun> = Vec::new();
    for run in newest_first {
        if !latest.iter().any(|known| known.name == run.name && known.app == run.app) {
            latest.push(run);
        }
    }
    latest
}
