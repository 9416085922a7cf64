//! Figures about jobs for whoever watches.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

const JOBS: &str = "portcullis_jobs_total";
/// How long tries of jobs took.
pub const JOB_SECONDS: &str = "portcullis_job_seconds";
const CHECKS: &str = "portcullis_check_publications_total";

/// Says what each figure means.
pub fn describe() {
    describe_counter!(JOBS, "Tries of jobs, by kind and result.");
    describe_histogram!(JOB_SECONDS, Unit::Seconds, "How long tries of jobs took, by kind.");
    describe_counter!(CHECKS, "Checks sent to code hosts, by result.");
}

/// Counts a check that was sent to a code host.
pub fn count_check_publication(result: &'static str) {
    counter!(CHECKS, "result" => result).increment(1);
}

pub(super) fn count_job(kind: &str, result: &'static str, took: Duration) {
    counter!(JOBS, "kind" => kind.to_owned(), "result" => result).increment(1);
    histogram!(JOB_SECONDS, "kind" => kind.to_owned()).record(took.as_secs_f64());
}
