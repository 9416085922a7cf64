//! Delivering webhooks: signed, in the background, and never again by itself, as GitHub does.

mod post;

use std::time::{Duration, Instant};

use bytes::Bytes;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::Sha256;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::shared::{Shared, Stand};
use super::state::{DeliveryId, DeliveryState, GitHub, Layout, Outcome, now};

/// Everything that is needed to send one delivery.
struct Parcel {
    id: DeliveryId,
    url: String,
    headers: Vec<(String, String)>,
    payload: Bytes,
    timeout: Duration,
}

/// Delivers until told to stop; at most `at_once` on their way. One at a time keeps the order in which things happened.
pub(crate) async fn deliver(stand: Stand, at_once: usize, stop: CancellationToken) {
    let mut on_their_way = JoinSet::new();
    loop {
        while on_their_way.len() < at_once.max(1) {
            let Some(parcel) = next(&stand) else { break };
            on_their_way.spawn(send(stand.clone(), parcel));
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = stand.changed.notified() => {}
            Some(_) = on_their_way.join_next(), if !on_their_way.is_empty() => {}
        }
    }
}

/// Waits until nothing is to be delivered and nothing is on its way.
pub(crate) async fn idle(stand: &Shared) {
    loop {
        let delivered = stand.delivered.notified();
        tokio::pin!(delivered);
        delivered.as_mut().enable();
        if stand.lock().is_idle() {
            return;
        }
        delivered.await;
    }
}

fn next(stand: &Shared) -> Option<Parcel> {
    let mut github = stand.lock();
    let at = github.next_to_send()?;
    let delivery = github.deliveries.get(at)?;
    let app = github.app(delivery.app)?;
    let mut headers = vec![
        ("accept".to_owned(), "*/*".to_owned()),
        ("content-type".to_owned(), "application/json".to_owned()),
        ("user-agent".to_owned(), "GitHub-Hookshot/5ca1ab1".to_owned()),
        ("x-github-delivery".to_owned(), delivery.guid.clone()),
        ("x-github-event".to_owned(), delivery.event.clone()),
        ("x-github-hook-id".to_owned(), app.webhook.id.to_string()),
        ("x-github-hook-installation-target-id".to_owned(), app.id.to_string()),
        ("x-github-hook-installation-target-type".to_owned(), "integration".to_owned()),
        ("x-hub-signature".to_owned(), format!("sha1={}", sign_sha1(&app.webhook.secret, &delivery.payload))),
        ("x-hub-signature-256".to_owned(), format!("sha256={}", sign(&app.webhook.secret, &delivery.payload))),
    ];
    if github.webhook_layout == Layout::EnterpriseServer {
        let host = github.base_url.split_once("//").map(|(_, host)| host.to_owned()).unwrap_or_default();
        headers.push(("x-github-enterprise-host".to_owned(), host));
        headers.push(("x-github-enterprise-version".to_owned(), super::ENTERPRISE_VERSION.to_owned()));
    }
    let url = app.webhook.url.clone()?;
    let (id, payload, timeout) = (delivery.id, delivery.payload.clone(), github.limits.webhook_timeout);
    let delivery = github.deliveries.get_mut(at)?;
    delivery.state = DeliveryState::Sending;
    delivery.request_headers.clone_from(&headers);
    Some(Parcel { id, url, headers, payload, timeout })
}

impl GitHub {
    fn next_to_send(&self) -> Option<usize> {
        if self.delivery_control.held {
            return None;
        }
        let ready = |app| self.app(app).is_some_and(|app| app.webhook.url.is_some());
        self.deliveries.iter().position(|d| matches!(d.state, DeliveryState::Pending) && ready(d.app))
    }

    fn is_idle(&self) -> bool {
        let on_its_way = self.deliveries.iter().any(|delivery| matches!(delivery.state, DeliveryState::Sending));
        self.next_to_send().is_none() && !on_its_way
    }
}

async fn send(stand: Stand, parcel: Parcel) {
    let begun = Instant::now();
    let delivered_at = now();
    let answer = tokio::time::timeout(parcel.timeout, post::post(&parcel.url, &parcel.headers, parcel.payload)).await;
    let answer = answer.unwrap_or_else(|_| Err("timed out".to_owned()));
    let outcome = match answer {
        Ok(answer) => Outcome {
            status: if answer.is_ok() { "OK".to_owned() } else { format!("Invalid HTTP Response: {}", answer.status) },
            status_code: answer.status,
            delivered_at,
            duration: begun.elapsed(),
            response_headers: answer.headers,
            response_body: answer.body,
        },
        Err(problem) => Outcome {
            status: problem,
            status_code: 0,
            delivered_at,
            duration: begun.elapsed(),
            response_headers: Vec::new(),
            response_body: String::new(),
        },
    };
    let mut github = stand.lock();
    if let Some(delivery) = github.deliveries.iter_mut().find(|delivery| delivery.id == parcel.id) {
        delivery.state = DeliveryState::Sent(outcome);
    }
    drop(github);
    stand.delivered.notify_waiters();
}

/// HMAC-SHA-256 of a body under a secret, in hexadecimal: what follows `sha256=` in `X-Hub-Signature-256`.
#[must_use]
pub fn sign(secret: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

fn sign_sha1(secret: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_github_documents() {
        let signature = sign("It's a Secret to Everybody", b"Hello, World!");
        assert_eq!(signature, "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    }
}
