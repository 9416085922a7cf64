//! What a review says, as the check a forge publishes.

use portcullis_engine::evaluate::{Report, Verdict};
use portcullis_engine::reports::{CheckRun, CheckRunLimits, check_run, failed_check_run, pending_check_run};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::forges::{
    Annotation, AnnotationLevel, Capabilities, Check, CheckKey, CheckOutput, CheckState, CommitSha, Conclusion,
};
use crate::store::Moment;

/// Most annotations: each further fifty cost the author a second of waiting.
const ANNOTATION_LIMIT: usize = 250;

/// What is answered, when, and as which check.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Our own id of the check.
    pub key: CheckKey,
    /// The commit.
    pub head: CommitSha,
    /// When the review began.
    pub started_at: Moment,
}

/// The check while the review is at work.
#[must_use]
pub fn pending(answer: &Answer, files: Option<usize>) -> Check {
    check(answer, CheckState::InProgress, pending_check_run(files))
}

/// The check of a finished review.
#[must_use]
pub fn finished(answer: &Answer, report: &Report, capabilities: Capabilities, now: Moment) -> Check {
    let conclusion = match report.verdict {
        Verdict::Pass => Conclusion::Success,
        Verdict::Fail | Verdict::Error => Conclusion::Failure,
    };
    let limits = CheckRunLimits {
        text_bytes: capabilities.check_text_limit_bytes,
        annotations: capabilities.check_annotation_limit.min(ANNOTATION_LIMIT),
    };
    check(answer, completed(conclusion, now), check_run(report, &limits))
}

/// The check of a review that passes while another pull request of the same commit does not: it says what is found there.
#[must_use]
pub fn finished_as_well(
    answer: &Answer,
    other: u64,
    report: Option<&Report>,
    capabilities: Capabilities,
    now: Moment,
) -> Check {
    let mut found = match report {
        Some(report) => finished(answer, report, capabilities, now),
        None => failed(answer, "The other pull request could not be evaluated.", "\"Re-run\" there tries again.", now),
    };
    found.output.summary.insert_str(
        0,
        &format!(
            "This pull request passes. Its newest commit is also the newest of #{other}, which does not pass, and a check \
             stands for all pull requests of a commit: this is what was found there.\n\n"
        ),
    );
    found
}

/// The check of a review that could not be finished: never a pass.
#[must_use]
pub fn failed(answer: &Answer, reason: &str, next: &str, now: Moment) -> Check {
    check(answer, completed(Conclusion::Failure, now), failed_check_run(reason, next))
}

/// The check of a review that is not wanted any more.
#[must_use]
pub fn cancelled(answer: &Answer, reason: &str, now: Moment) -> Check {
    let run = CheckRun {
        title: "Cancelled".to_owned(),
        summary: format!("{reason}\n"),
        text: String::new(),
        annotations: Vec::new(),
    };
    check(answer, completed(Conclusion::Cancelled, now), run)
}

fn completed(conclusion: Conclusion, now: Moment) -> CheckState {
    CheckState::Completed { conclusion, completed_at: rfc3339(now) }
}

fn check(answer: &Answer, state: CheckState, run: CheckRun) -> Check {
    let annotation = |annotation: portcullis_engine::reports::CheckRunAnnotation| Annotation {
        path: annotation.path,
        start_line: annotation.start_line,
        end_line: annotation.end_line,
        level: if annotation.blocking { AnnotationLevel::Failure } else { AnnotationLevel::Warning },
        title: annotation.title,
        message: annotation.message,
    };
    Check {
        key: answer.key.clone(),
        head: answer.head.clone(),
        state,
        started_at: rfc3339(answer.started_at),
        output: CheckOutput {
            title: run.title,
            summary: run.summary,
            text: (!run.text.is_empty()).then_some(run.text),
            annotations: run.annotations.into_iter().map(annotation).collect(),
        },
    }
}

/// A moment as RFC 3339 in whole seconds, UTC.
fn rfc3339(moment: Moment) -> String {
    let time = OffsetDateTime::from_unix_timestamp(moment.0.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    time.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_hosts_read_them() {
        assert_eq!(rfc3339(Moment(1_790_000_000_999)), "2026-09-21T14:13:20Z");
    }
}
