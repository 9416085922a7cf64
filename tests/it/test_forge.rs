//! A code host for tests that do not care which: deliveries signed with HMAC-SHA256 in headers of its own.

use async_trait::async_trait;
use hmac::{Hmac, Mac};
use http::HeaderMap;
use portcullis::forges::{
    BlobRequest, BranchName, Capabilities, Check, CheckId, CommitSha, Event, Forge, ForgeError, KnownCheck,
    PullRequest, PullRequestFilter, Rejection, Repository, VerifiedDelivery,
};
use portcullis_engine::source_tree::{Entry, Unreadable};
use sha2::Sha256;

const SECRET: &[u8] = b"It's a Secret to Everybody";

pub(crate) fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

pub(crate) struct TestForge;

#[async_trait]
impl Forge for TestForge {
    fn kind(&self) -> &'static str {
        "test"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { merge_queue: false, check_text_limit_bytes: 1000, check_annotation_limit: 100 }
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<VerifiedDelivery, Rejection> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let signature = text("x-test-signature").and_then(|text| hex::decode(text).ok());
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
        mac.update(body);
        mac.verify_slice(&signature.ok_or(Rejection::NoSignature)?).map_err(|_| Rejection::WrongSignature)?;
        let id = text("x-test-delivery").and_then(|text| text.parse().ok());
        let kind = text("x-test-kind").ok_or(Rejection::Header("x-test-kind"))?;
        Ok(VerifiedDelivery { id: id.ok_or(Rejection::Header("x-test-delivery"))?, kind: kind.to_owned() })
    }

    fn decode(&self, kind: &str, _: &[u8]) -> Result<Event, serde_path_to_error::Error<serde_json::Error>> {
        Ok(Event::Ignored { what: kind.to_owned() })
    }

    async fn pull_request(&self, _: &Repository, _: u64) -> Result<PullRequest, ForgeError> {
        unreachable!("no request asks the host")
    }

    async fn open_pull_requests(&self, _: &Repository, _: &PullRequestFilter) -> Result<Vec<PullRequest>, ForgeError> {
        unreachable!("no request asks the host")
    }

    async fn tip(&self, _: &Repository, _: &BranchName) -> Result<CommitSha, ForgeError> {
        unreachable!("no request asks the host")
    }

    async fn merge_base(&self, _: &Repository, _: &CommitSha, _: &CommitSha) -> Result<CommitSha, ForgeError> {
        unreachable!("no request asks the host")
    }

    async fn tree(&self, _: &Repository, _: &CommitSha) -> Result<Vec<Entry>, ForgeError> {
        unreachable!("no request asks the host")
    }

    async fn blobs(&self, _: &Repository, _: &[BlobRequest]) -> Result<Vec<Result<Vec<u8>, Unreadable>>, ForgeError> {
        unreachable!("no request asks the host")
    }

    async fn publish_check(&self, _: &Repository, _: &Check, _: KnownCheck<'_>) -> Result<CheckId, ForgeError> {
        unreachable!("no request asks the host")
    }
}
