//! How every code host is spoken to over HTTP: pacing, retries, rate limits, timeouts, size limits, redaction.
//!
//! A forge builds requests and reads answers. When a request may be sent, how often, how long its answer may take and how
//! much of it is read is decided here, the same for all of them.

mod client;
mod governor;
mod headers;
mod redact;
mod transport;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

pub(crate) use client::{Client, USER_AGENT};
pub(crate) use governor::{Governor, Hold};
pub(crate) use headers::{clock_skew_secs, host_clock, next_page, retry_after};
pub(crate) use redact::redact;
pub use transport::TransportError;

use super::ForgeError;

/// How a host is spared, and how long it is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Least time between the starts of two writes to one account.
    pub write_gap: Duration,
    /// Requests to one account at once.
    pub concurrency: usize,
    /// What the requests to one account may cost in any minute: a question one point, a write five.
    pub points_per_minute: u32,
    /// How often a question is asked before giving up. A write is never repeated.
    pub attempts: u32,
    /// Pause before the second attempt, doubled before each further one.
    pub backoff: Duration,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for a whole answer.
    pub answer_timeout: Duration,
    /// Longest wait a host may ask for that is waited out on the spot; a longer one is [`ForgeError::Wait`].
    pub patience: Duration,
    /// Longest wait for other writes to the same account; a longer one is [`ForgeError::Wait`].
    pub queue_patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            write_gap: Duration::from_secs(1),
            concurrency: 8,
            points_per_minute: 900,
            attempts: 3,
            backoff: Duration::from_millis(500),
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
            patience: Duration::from_secs(5),
            queue_patience: Duration::from_secs(30),
        }
    }
}

impl Pace {
    /// The pause before another attempt: doubled each time, and up to half of it longer at random, so that many do not
    /// come back at once.
    pub(crate) fn pause(&self, attempts_made: u32) -> Duration {
        let doubled = self.backoff.saturating_mul(1 << attempts_made.saturating_sub(1).min(6));
        doubled.mul_f64(1.0 + rand::random::<f64>() / 2.0)
    }
}

/// What a request does at the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing that anyone could see twice: it may be repeated.
    None,
    /// Something visible: one at a time, paced, never repeated when its outcome is unknown.
    Write,
}

impl Effect {
    fn points(self) -> f64 {
        match self {
            Self::None => 1.0,
            Self::Write => 5.0,
        }
    }
}

/// A request to a host's own origin.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The method.
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    /// All headers, credentials among them.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Bytes,
    /// What it does.
    pub(crate) effect: Effect,
    /// Largest answer that is read.
    pub(crate) answer_limit_bytes: usize,
}

/// An answer, completely read.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Bytes,
}

impl Answer {
    /// A header, if it is there and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Why there is no answer to use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// Nothing was sent: the host asked to be left alone.
    #[error("wait {} s: {reason}", wait.as_secs())]
    Wait {
        /// How long.
        wait: Duration,
        /// In its words.
        reason: String,
    },
    /// No answer came, or only a part of one: whether the host did what was asked is unknown.
    #[error("{0}")]
    NoAnswer(String),
    /// The answer is larger than the limit.
    #[error("an answer larger than the limit of {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The host sends us somewhere we do not go.
    #[error("{0}")]
    Strayed(String),
}

impl From<SendError> for ForgeError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Wait { wait, reason } => Self::Wait { wait, reason },
            SendError::NoAnswer(text) => Self::Unreachable(text),
            SendError::TooLarge { .. } => Self::TooLarge(error.to_string()),
            SendError::Strayed(text) => Self::Refused(text),
        }
    }
}

/// A text as one segment of a path or one value of a query: everything but letters, digits and `-._~` is escaped.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_leave_its_place_in_a_url() {
        assert_eq!(percent_encode("release/1 &x=#?%ü"), "release%2F1%20%26x%3D%23%3F%25%C3%BC");
    }

    #[test]
    fn pauses_double_with_jitter_and_never_overflow() {
        let pace = Pace { backoff: Duration::from_secs(1), ..Pace::default() };
        for (attempt, least) in [(1, 1), (2, 2), (3, 4), (40, 64)] {
            let pause = pace.pause(attempt);
            assert!(pause >= Duration::from_secs(least) && pause <= Duration::from_secs(least).mul_f64(1.5));
        }
    }
}
