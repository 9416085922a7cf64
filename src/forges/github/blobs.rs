//! The content of blobs: many small ones in one GraphQL question, the rest one by one as raw bytes.
//!
//! GraphQL gives text and may cut, convert or withhold it, so nothing is believed that does not have the object id that was
//! asked for; such a blob is asked for again as raw bytes.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use portcullis_engine::source_tree::{FILE_LIMIT_BYTES, Unreadable};
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::api::RepositoryApi;
use crate::forges::{BlobRequest, ForgeError};

/// Most blobs in one question.
const BATCH_COUNT: usize = 100;

/// Most bytes in one question: GitHub has ten seconds for its answer.
const BATCH_BYTES: u64 = 1024 * 1024;

/// Blobs larger than this are asked for alone: GitHub cuts the text of larger ones.
const TEXT_LIMIT_BYTES: u64 = 256 * 1024;

/// Most bytes one call may ask for: they are all held in memory.
const CALL_LIMIT_BYTES: u64 = 512 * 1024 * 1024;

/// Questions asked at once.
const AT_ONCE: usize = 4;

type Content = Result<Vec<u8>, Unreadable>;

/// The content of each blob, in the order asked.
pub(super) async fn contents(api: &RepositoryApi<'_>, wanted: &[BlobRequest]) -> Result<Vec<Content>, ForgeError> {
    let plan = Plan::of(wanted)?;
    let batches = plan.batches.iter().map(|batch| by_text(api, batch)).collect::<Vec<_>>();
    let by_text: Vec<HashMap<&str, Content>> = stream::iter(batches).buffer_unordered(AT_ONCE).try_collect().await?;
    let mut held: HashMap<&str, Content> = by_text.into_iter().flatten().collect();

    let missing: Vec<&str> = plan.ids().filter(|id| !held.contains_key(id)).collect();
    let raws = missing.into_iter().map(|id| async move { raw(api, id).await.map(|content| (id, content)) });
    let raws: Vec<(&str, Content)> =
        stream::iter(raws.collect::<Vec<_>>()).buffer_unordered(AT_ONCE).try_collect().await?;
    held.extend(raws);

    Ok(wanted.iter().map(|request| known(request).unwrap_or_else(|| take(&mut held, request))).collect())
}

/// The same blob can lie at many paths; it is fetched once.
fn take(held: &mut HashMap<&str, Content>, request: &BlobRequest) -> Content {
    held.get(request.blob.as_str()).cloned().unwrap_or(Err(Unreadable::NotFetched))
}

/// What is known about a blob without asking.
fn known(request: &BlobRequest) -> Option<Content> {
    let size_bytes = request.size_bytes;
    if size_bytes > FILE_LIMIT_BYTES {
        return Some(Err(Unreadable::TooLarge { size_bytes, limit_bytes: FILE_LIMIT_BYTES }));
    }
    if !is_object_id(&request.blob) {
        return Some(Err(Unreadable::Refused("its object id is none".to_owned())));
    }
    None
}

/// Lower case, as git writes them: it is compared with, and stands inside a question.
fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Which blobs are asked for together.
struct Plan<'a> {
    batches: Vec<Vec<&'a str>>,
    alone: Vec<&'a str>,
}

impl<'a> Plan<'a> {
    fn of(wanted: &'a [BlobRequest]) -> Result<Self, ForgeError> {
        let mut plan = Self { batches: Vec::new(), alone: Vec::new() };
        let mut seen = HashSet::with_capacity(wanted.len());
        let (mut batch, mut batch_bytes, mut all_bytes) = (Vec::new(), 0, 0_u64);
        for request in wanted {
            let is_new = known(request).is_none() && seen.insert(request.blob.as_str());
            if !is_new {
                continue;
            }
            all_bytes = all_bytes.saturating_add(request.size_bytes);
            if request.size_bytes > TEXT_LIMIT_BYTES {
                plan.alone.push(request.blob.as_str());
                continue;
            }
            if batch.len() == BATCH_COUNT || batch_bytes + request.size_bytes > BATCH_BYTES {
                plan.batches.push(std::mem::take(&mut batch));
                batch_bytes = 0;
            }
            batch.push(request.blob.as_str());
            batch_bytes += request.size_bytes;
        }
        if all_bytes > CALL_LIMIT_BYTES {
            return Err(ForgeError::TooLarge(format!("{all_bytes} bytes of files, the limit is {CALL_LIMIT_BYTES}")));
        }
        if !batch.is_empty() {
            plan.batches.push(batch);
        }
        Ok(plan)
    }

    fn ids(&self) -> impl Iterator<Item = &'a str> {
        self.batches.iter().flatten().chain(&self.alone).copied()
    }
}

#[derive(Serialize)]
struct Question<'a> {
    query: String,
    variables: Variables<'a>,
}

#[derive(Serialize)]
struct Variables<'a> {
    owner: &'a str,
    name: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    repository: Option<HashMap<String, Option<Blob>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
    text: Option<String>,
    #[serde(default)]
    is_binary: Option<bool>,
    #[serde(default)]
    is_truncated: Option<bool>,
}

/// Those blobs of a batch whose text GitHub gives, and gives unchanged.
///
/// What is missing from the answer, or the whole answer when GitHub fails at it, is left to be asked for as raw bytes.
async fn by_text<'a>(api: &RepositoryApi<'_>, batch: &[&'a str]) -> Result<HashMap<&'a str, Content>, ForgeError> {
    let question = Question { query: query(batch), variables: Variables { owner: api.owner(), name: api.name() } };
    let answer: Answer = match api.graphql(&question).await {
        Ok(answer) => answer,
        Err(ForgeError::Unreachable(why)) => {
            tracing::warn!(repo.name = api.name(), error.message = why, "no texts by GraphQL, asking for each blob");
            return Ok(HashMap::new());
        }
        Err(error) => return Err(error),
    };
    let mut found = answer.data.and_then(|data| data.repository).unwrap_or_default();
    let mut texts = HashMap::with_capacity(batch.len());
    for (at, id) in batch.iter().copied().enumerate() {
        let Some(Some(blob)) = found.remove(&alias(at)) else {
            continue;
        };
        let is_whole = blob.is_binary != Some(true) && blob.is_truncated != Some(true);
        if let Some(text) = blob.text.filter(|text| is_whole && has_id(text.as_bytes(), id)) {
            texts.insert(id, Ok(text.into_bytes()));
        }
    }
    Ok(texts)
}

fn alias(at: usize) -> String {
    format!("b{at}")
}

/// The ids are hexadecimal digits and nothing else, so they can stand in the text.
fn query(batch: &[&str]) -> String {
    let mut query = String::from("query($owner: String!, $name: String!) { repository(owner: $owner, name: $name) {");
    for (at, id) in batch.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write!(query, " {}: object(oid: \"{id}\") {{ ...content }}", alias(at));
    }
    query.push_str(" } } fragment content on Blob { isBinary isTruncated text }");
    query
}

async fn raw(api: &RepositoryApi<'_>, id: &str) -> Result<Content, ForgeError> {
    let limit = usize::try_from(FILE_LIMIT_BYTES).unwrap_or(usize::MAX);
    match api.get_raw(&format!("git/blobs/{id}"), limit).await {
        Ok(bytes) if has_id(&bytes, id) => Ok(Ok(bytes.into())),
        Ok(_) => Ok(Err(Unreadable::Refused("GitHub gave something else than the blob asked for".to_owned()))),
        Err(ForgeError::TooLarge(_)) => {
            Ok(Err(Unreadable::TooLarge { size_bytes: FILE_LIMIT_BYTES + 1, limit_bytes: FILE_LIMIT_BYTES }))
        }
        Err(ForgeError::NotFound(why)) => Ok(Err(Unreadable::Refused(why))),
        Err(error) => Err(error),
    }
}

/// Whether git gives these bytes this object id.
fn has_id(bytes: &[u8], id: &str) -> bool {
    let header = format!("blob {}\0", bytes.len());
    let digest = match id.len() {
        40 => hex::encode(Sha1::new().chain_update(header).chain_update(bytes).finalize()),
        _ => hex::encode(Sha256::new().chain_update(header).chain_update(bytes).finalize()),
    };
    digest == id
}

#[cfg(test)]
mod tests {
    use portcullis_engine::source_tree::TreePath;

    use super::*;

    fn request(id: u32, size_bytes: u64) -> BlobRequest {
        BlobRequest { blob: format!("{id:040x}"), path: TreePath::new("f.tf").unwrap(), size_bytes }
    }

    fn shape(wanted: &[BlobRequest]) -> (Vec<usize>, usize) {
        let plan = Plan::of(wanted).unwrap();
        (plan.batches.iter().map(Vec::len).collect(), plan.alone.len())
    }

    #[test]
    fn batches_are_bounded_in_count_and_bytes() {
        let small: Vec<_> = (0..250).map(|n| request(n, 10)).collect();
        assert_eq!(shape(&small), (vec![100, 100, 50], 0));
        let medium: Vec<_> = (0..10).map(|n| request(n, 200 * 1024)).collect();
        assert_eq!(shape(&medium), (vec![5, 5], 0));
        let mixed =
            [request(1, 10), request(2, TEXT_LIMIT_BYTES + 1), request(1, 10), request(3, FILE_LIMIT_BYTES + 1)];
        assert_eq!(shape(&mixed), (vec![1], 1));
        assert_eq!(shape(&[]), (vec![], 0));
        let huge: Vec<_> = (0..129).map(|n| request(n, FILE_LIMIT_BYTES)).collect();
        assert!(matches!(Plan::of(&huge), Err(ForgeError::TooLarge(_))));
    }

    #[test]
    fn an_id_that_is_none_is_never_asked_for() {
        for bad in ["", "main", "\") { x }", &"A".repeat(40), &"g".repeat(40), &"a".repeat(41)] {
            let request = BlobRequest { blob: (*bad).to_owned(), ..request(1, 1) };
            assert!(known(&request).is_some(), "{bad}");
            assert_eq!(shape(&[request]), (vec![], 0));
        }
    }

    #[test]
    fn content_is_known_by_the_id_git_gives_it() {
        assert!(has_id(b"", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"));
        assert!(has_id(b"", "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"));
        assert!(has_id(b"hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"));
        assert!(!has_id(b"hello", "ce013625030ba8dba906f756967f9e9ca394464a"));
    }
}
