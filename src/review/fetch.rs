//! The two trees of a review: listed whole, read as far as the touched units need.

use std::collections::BTreeSet;

use portcullis_engine::evaluate::{Request, Selection, SourceScope};
use portcullis_engine::formats::{self, ReadOptions};
use portcullis_engine::source_tree::{Entry, Files, SourceTree, TreePath, Unreadable, changed_files};

use super::{BlobCache, Subject};
use crate::forges::{BlobRequest, CommitSha, Forge, ForgeError, Repository};

/// How often files are fetched because others refer to them: the longest chain of references that is followed.
const ROUND_LIMIT: usize = 32;
/// Most files read of one commit.
const FILE_LIMIT: usize = 20_000;
/// Most bytes read of one commit.
const BYTE_LIMIT: u64 = 256 * 1024 * 1024;

/// Lists both trees, finds what differs, and reads what the touched units need.
///
/// # Errors
/// [`ForgeError`]: what cannot be read completely is never evaluated in part.
pub async fn fetch(
    forge: &dyn Forge,
    cache: &BlobCache,
    subject: &Subject,
    sources: Vec<SourceScope>,
    selection: Selection,
) -> Result<Request, ForgeError> {
    let repository = &subject.repository;
    let (head, base) =
        tokio::try_join!(forge.tree(repository, &subject.head), forge.tree(repository, &subject.merge_base))?;
    let changes = changed_files(&base, &head);
    let touched: BTreeSet<TreePath> = changes.touched.into_iter().filter(formats::may_be_code).collect();
    let is_watched = |path: &&TreePath| sources.iter().any(|source| source.contains(path));
    let is_untouched = !touched.iter().any(|path| is_watched(&path));
    let touched = if is_untouched { BTreeSet::new() } else { touched };
    let gaps = formats::gaps(&head, &touched);
    let head = read(forge, cache, repository, &subject.head, head, &touched).await?;
    let base = read(forge, cache, repository, &subject.merge_base, base, &touched).await?;
    let options = ReadOptions::default();
    Ok(Request { head, base, touched, renamed: changes.renamed, gaps, sources, selection, options })
}

/// A tree with the content its formats need.
async fn read(
    forge: &dyn Forge,
    cache: &BlobCache,
    repository: &Repository,
    commit: &CommitSha,
    entries: Vec<Entry>,
    touched: &BTreeSet<TreePath>,
) -> Result<SourceTree, ForgeError> {
    let mut tree = SourceTree::from_listing(entries);
    let mut spent = Spent::default();
    if touched.is_empty() {
        return Ok(tree.only_held());
    }
    let mut rounds = 0;
    loop {
        let needed = formats::needs(tree.entries(), touched, &tree);
        let missing: Vec<Entry> =
            needed.iter().filter(|path| !tree.holds(path)).filter_map(|path| tree.entry(path).cloned()).collect();
        if missing.is_empty() {
            return Ok(tree.only_held());
        }
        rounds += 1;
        if rounds > ROUND_LIMIT {
            let first = missing.first().map(|entry| entry.path.to_string()).unwrap_or_default();
            return Err(ForgeError::TooLarge(format!(
                "a chain of references from file to file, as far as {first} at {commit}, has more than {ROUND_LIMIT} links; the limit is {ROUND_LIMIT}"
            )));
        }
        let (links, missing): (Vec<Entry>, Vec<Entry>) = missing.into_iter().partition(|entry| entry.is_link);
        links.into_iter().for_each(|link| tree.insert_unreadable(link.path, Unreadable::Link));
        spent.add(&missing, commit)?;
        for (entry, content) in contents(forge, cache, repository, missing).await? {
            match content {
                Ok(bytes) => tree.insert(entry.path, bytes),
                Err(why) => tree.insert_unreadable(entry.path, why),
            }
        }
    }
}

async fn contents(
    forge: &dyn Forge,
    cache: &BlobCache,
    repository: &Repository,
    entries: Vec<Entry>,
) -> Result<Vec<(Entry, Result<Vec<u8>, Unreadable>)>, ForgeError> {
    let mut read = Vec::with_capacity(entries.len());
    let mut unknown = Vec::new();
    for entry in entries {
        match entry.blob.as_deref().and_then(|blob| cache.get(blob)) {
            Some(content) => read.push((entry, Ok(content.to_vec()))),
            None => unknown.push(entry),
        }
    }
    let wanted: Vec<BlobRequest> = unknown
        .iter()
        .map(|entry| BlobRequest {
            blob: entry.blob.clone().unwrap_or_default(),
            path: entry.path.clone(),
            size_bytes: entry.size_bytes,
        })
        .collect();
    if wanted.is_empty() {
        return Ok(read);
    }
    let fetched = forge.blobs(repository, &wanted).await?;
    if fetched.len() != wanted.len() {
        let (asked, came) = (wanted.len(), fetched.len());
        return Err(ForgeError::Unreachable(format!("{asked} files were asked for, {came} came")));
    }
    for (entry, content) in unknown.into_iter().zip(fetched) {
        if let (Some(blob), Ok(bytes)) = (&entry.blob, &content) {
            cache.put(blob, bytes);
        }
        read.push((entry, content));
    }
    Ok(read)
}

/// What was read of one commit so far.
#[derive(Default)]
struct Spent {
    files: usize,
    bytes: u64,
}

impl Spent {
    fn add(&mut self, entries: &[Entry], commit: &CommitSha) -> Result<(), ForgeError> {
        self.files += entries.len();
        self.bytes += entries.iter().map(|entry| entry.size_bytes).sum::<u64>();
        if self.files > FILE_LIMIT || self.bytes > BYTE_LIMIT {
            let (files, megabytes) = (self.files, self.bytes / (1024 * 1024));
            return Err(ForgeError::TooLarge(format!(
                "the units this change touches have {files} files and {megabytes} MiB at {commit}; the limits are {FILE_LIMIT} and {} MiB",
                BYTE_LIMIT / (1024 * 1024)
            )));
        }
        Ok(())
    }
}
