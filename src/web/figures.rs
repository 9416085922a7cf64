//! Figures for whoever watches, in Prometheus' text format: what this process counted, and the state of the queue as the
//! database has it.

use std::fmt::Write;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use metrics::{SetRecorderError, Unit, counter, describe_counter, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::jobs::figures as job_figures;
use crate::store::{Clock, Moment, QueueFigure, Store};

/// How long requests took.
pub(super) const REQUEST_SECONDS: &str = "portcullis_http_request_seconds";
const DELIVERIES: &str = "portcullis_deliveries_total";

const REQUEST_BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0, 10.0];
const JOB_BUCKETS: [f64; 9] = [0.05, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0];

const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);
/// Samples of histograms are kept one by one until then.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Why figures cannot be collected.
#[derive(Debug, thiserror::Error)]
pub enum FiguresError {
    /// The buckets are not well-formed.
    #[error("the figures cannot be set up: {0}")]
    Build(#[from] BuildError),
    /// Somebody else collects them in this process.
    #[error("figures are collected already: {0}")]
    Taken(#[from] SetRecorderError<PrometheusRecorder>),
}

/// Collects the figures of this process from now on.
///
/// # Errors
/// They are collected already.
pub fn collect() -> Result<PrometheusHandle, FiguresError> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(REQUEST_SECONDS.into()), &REQUEST_BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(job_figures::JOB_SECONDS.into()), &JOB_BUCKETS)?
        .build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder)?;
    describe_counter!(DELIVERIES, "Deliveries received, by endpoint, kind of event and result.");
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "How long requests took, by method, route and status.");
    job_figures::describe();
    Ok(handle)
}

/// Keeps the memory of the figures small until stopped.
pub async fn keep_small(figures: PrometheusHandle, stopping: CancellationToken) {
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(UPKEEP_EVERY) => figures.run_upkeep(),
        }
    }
}

/// Counts a delivery. A kind that is no common name counts as `other`, so that senders cannot make endless series.
pub(super) fn count_delivery(endpoint: &str, kind: &str, result: &'static str) {
    let is_name = kind.len() <= 64 && kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let kind = if is_name { kind } else { "other" };
    counter!(DELIVERIES, "endpoint" => endpoint.to_owned(), "kind" => kind.to_owned(), "result" => result).increment(1);
}

/// What the figures are rendered from.
#[derive(Clone)]
pub(super) struct Figures {
    pub(super) figures: PrometheusHandle,
    pub(super) store: Store,
    pub(super) clock: Clock,
}

/// All figures as text. When the database does not answer, those of the queue are missing, and the log says why.
pub(super) async fn render(State(state): State<Figures>) -> Response {
    let mut text = state.figures.render();
    match timeout(DATABASE_TIMEOUT, state.store.queue_figures()).await {
        Ok(Ok(queue)) => render_queue(&mut text, &queue, state.clock.now()),
        Ok(Err(error)) => tracing::warn!(%error, "the queue's figures could not be read"),
        Err(_) => tracing::warn!("the queue's figures could not be read in time"),
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

fn render_queue(text: &mut String, queue: &[QueueFigure], now: Moment) {
    text.push_str("# HELP portcullis_queue_jobs Jobs that are ready, running or dead, by kind.\n");
    text.push_str("# TYPE portcullis_queue_jobs gauge\n");
    for figure in queue {
        let _ = writeln!(text, "portcullis_queue_jobs{} {}", labels(figure), figure.jobs);
    }
    text.push_str("# HELP portcullis_queue_oldest_seconds How long the first job of each has been due.\n");
    text.push_str("# TYPE portcullis_queue_oldest_seconds gauge\n");
    for figure in queue {
        let age = now.since(figure.oldest_run_at).as_secs_f64();
        let _ = writeln!(text, "portcullis_queue_oldest_seconds{} {age}", labels(figure));
    }
}

fn labels(figure: &QueueFigure) -> String {
    let kind = figure.kind.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
    format!("{{kind=\"{kind}\",state=\"{}\"}}", figure.state.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::JobState;

    #[test]
    fn a_label_cannot_break_out_of_its_quotes() {
        let figure =
            QueueFigure { kind: "a\"}\n\\".into(), state: JobState::Ready, jobs: 3, oldest_run_at: Moment(1_000) };
        let mut text = String::new();
        render_queue(&mut text, &[figure], Moment(3_500));
        let line = "portcullis_queue_jobs{kind=\"a\\\"}\\n\\\\\",state=\"ready\"} 3";
        assert!(text.lines().any(|found| found == line), "{text}");
        assert!(text.lines().any(|found| found.ends_with(" 2.5")), "{text}");
    }
}
