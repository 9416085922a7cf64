//! Webhook deliveries: what waits, what was sent, and in which order.

use std::time::Duration;

use bytes::Bytes;
use time::OffsetDateTime;

use super::{AppId, DeliveryId, InstallationId, RepositoryId};

/// One attempt to deliver an event. A redelivery is another one with the same guid.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The attempt's number.
    pub id: DeliveryId,
    /// The event's id, `X-GitHub-Delivery`.
    pub guid: String,
    /// To which App.
    pub app: AppId,
    /// The event: `pull_request`.
    pub event: String,
    /// What happened: `opened`.
    pub action: Option<String>,
    /// Through which installation.
    pub installation: Option<InstallationId>,
    /// About which repository.
    pub repository: Option<RepositoryId>,
    /// It was sent before.
    pub redelivery: bool,
    /// The body, exactly as it is signed and sent.
    pub payload: Bytes,
    /// The headers it was sent with.
    pub request_headers: Vec<(String, String)>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// What came of it.
    pub state: DeliveryState,
}

/// What came of a delivery.
#[derive(Clone, Debug)]
pub enum DeliveryState {
    /// It waits.
    Pending,
    /// It is on its way.
    Sending,
    /// It was sent.
    Sent(Outcome),
}

/// How a delivery went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// In words: `OK`, `timed out`.
    pub status: String,
    /// The answer's status; 0 when there was none.
    pub status_code: u16,
    /// When it was sent.
    pub delivered_at: OffsetDateTime,
    /// How long it took.
    pub duration: Duration,
    /// The answer's headers.
    pub response_headers: Vec<(String, String)>,
    /// The answer's body, at most 64 KiB of it.
    pub response_body: String,
}

impl Outcome {
    /// The receiver took it.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status_code)
    }
}

impl Delivery {
    /// How it went, once it was sent.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.state {
            DeliveryState::Sent(outcome) => Some(outcome),
            DeliveryState::Pending | DeliveryState::Sending => None,
        }
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.payload).unwrap_or_default()
    }
}

/// In which order held deliveries are let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryOrder {
    /// As things happened.
    AsHappened,
    /// Newest first.
    Reversed,
    /// At random, the same for the same seed.
    Shuffled {
        /// Decides the order.
        seed: u64,
    },
}

/// How deliveries go out.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeliveryControl {
    /// Nothing is sent for now.
    pub(crate) held: bool,
    /// How many more times each new event is sent.
    pub(crate) extra_copies: usize,
}
