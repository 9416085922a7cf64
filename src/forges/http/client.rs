//! Sends requests with patience: asks again where that is safe, obeys the host's wishes, follows it within its origin.

use http::StatusCode;

use super::transport::{Transport, TransportError};
use super::{Answer, Effect, Governor, Hold, Pace, Request, SendError};

/// What we call ourselves.
pub(crate) const USER_AGENT: &str = concat!("portcullis/", env!("CARGO_PKG_VERSION"));

/// Most redirects of one request that are followed.
const REDIRECT_LIMIT: usize = 3;

/// How a host says in an answer that it wants to be left alone.
pub(crate) type WishReader = fn(&Request, &Answer) -> Option<Hold>;

/// A client of one host.
pub(crate) struct Client {
    transport: Transport,
    pace: Pace,
    wishes: WishReader,
}

impl Client {
    /// A client of the host at an origin, which reads its wishes its own way.
    ///
    /// # Errors
    /// [`TransportError`] when the system has no certificates for HTTPS.
    pub(crate) fn new(origin: &str, pace: Pace, wishes: WishReader) -> Result<Self, TransportError> {
        Ok(Self { transport: Transport::new(origin, pace)?, pace, wishes })
    }

    /// The host's answer, whatever its status.
    ///
    /// A question is asked again when there is no answer or the host fails. A write is not: its outcome is unknown then, and
    /// only its caller can find out. What the host refuses because it wants to be left alone was not done, so both are sent
    /// again when the wait is short.
    ///
    /// # Errors
    /// [`SendError`] says why there is no answer.
    pub(crate) async fn send(&self, governor: &Governor, request: &Request) -> Result<Answer, SendError> {
        let mut made = 0;
        loop {
            let permit = governor.admit(request.effect).await?;
            let outcome = self.follow(request).await;
            made += 1;
            let wish = outcome.as_ref().ok().and_then(|answer| (self.wishes)(request, answer));
            let last = made >= self.pace.attempts;
            if let Some(hold) = wish {
                let wait = governor.hold(&hold);
                if hold.refused {
                    if last {
                        return Err(SendError::Wait { wait, reason: hold.reason });
                    }
                    continue;
                }
            }
            // Given back only after the host's wish is noted: the next in the queue must see it.
            drop(permit);
            if !has_failed(&outcome) {
                governor.served();
                return outcome;
            }
            if last || request.effect == Effect::Write {
                return outcome;
            }
            tokio::time::sleep(self.pace.pause(made)).await;
        }
    }

    async fn follow(&self, request: &Request) -> Result<Answer, SendError> {
        let mut path = request.path.clone();
        for _ in 0..=REDIRECT_LIMIT {
            let answer = self.transport.send(request, &path).await?;
            tracing::debug!(
                http.method = %request.method, http.path = path, http.status = answer.status.as_u16(), "host answered"
            );
            match answer.header("location") {
                Some(location) if is_redirect(answer.status, request.effect) => {
                    path = self.transport.own_path(location)?;
                }
                _ => return Ok(answer),
            }
        }
        Err(SendError::Strayed(format!("more than {REDIRECT_LIMIT} redirects from {}", request.path)))
    }
}

/// A renamed repository answers with these. A write is followed only where the method is sure to stay the same.
fn is_redirect(status: StatusCode, effect: Effect) -> bool {
    let same_method = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    same_method || (effect == Effect::None && matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND))
}

fn has_failed(outcome: &Result<Answer, SendError>) -> bool {
    match outcome {
        Ok(answer) => answer.status.is_server_error(),
        Err(SendError::NoAnswer(_)) => true,
        Err(SendError::Wait { .. } | SendError::TooLarge { .. } | SendError::Strayed(_)) => false,
    }
}
