//! The two trees of a review: listed whole, read as far as the touched units need.

use std::collections::BTreeSet;

use portcullis_engine::evaluate::{Request, Selection, SourceScope};
use portcullis_engine::formats::{self, ReadOptions};
use portcullis_engine::source_tree::{Entry, Files, SourceTree, TreePath, Unreadable, changed_files};

use super::{BlobCache, Place, Room, Subject};
use crate::forges::{BlobRequest, CommitSha, Forge, ForgeError, Repository};

/// How often files are fetched because others refer to them: the longest chain of references that is followed.
const ROUND_LIMIT: usize = 32;
/// Most files read of both commits.
const FILE_LIMIT: usize = 40_000;
/// Most bytes read of both commits.
const BYTE_LIMIT: u64 = 512 * 1024 * 1024;

/// Where a review's files come from, and where they may lie.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// The code host.
    pub forge: &'a dyn Forge,
    /// Blobs that were fetched lately.
    pub cache: &'a BlobCache,
    /// The memory that reviews share.
    pub room: &'a Room,
}

/// Lists both trees, finds what differs, and reads what the touched units need.
///
/// # Errors
/// [`ForgeError`]: what cannot be read completely is never evaluated in part.
pub async fn fetch(
    reading: Reading<'_>,
    subject: &Subject,
    sources: Vec<SourceScope>,
    selection: Selection,
) -> Result<(Request, Place), ForgeError> {
    let forge = reading.forge;
    let repository = &subject.repository;
    let (head, base) =
        tokio::try_join!(forge.tree(repository, &subject.head), forge.tree(repository, &subject.merge_base))?;
    let changes = changed_files(&base, &head);
    let touched: BTreeSet<TreePath> = changes.touched.into_iter().filter(formats::may_be_code).collect();
    let is_watched = |path: &&TreePath| sources.iter().any(|source| source.contains(path));
    let is_untouched = !touched.iter().any(|path| is_watched(&path));
    let touched = if is_untouched { BTreeSet::new() } else { touched };
    let gaps = formats::gaps(&head, &touched);
    let mut place = Place::default();
    let [head, base] = read(reading, subject, [head, base], &touched, &mut place).await?;
    let options = ReadOptions::default();
    Ok((Request { head, base, touched, renamed: changes.renamed, gaps, sources, selection, options }, place))
}

/// The trees of head and merge base with the content their formats need: most of it is the same, and asked for at once.
async fn read(
    reading: Reading<'_>,
    subject: &Subject,
    listings: [Vec<Entry>; 2],
    touched: &BTreeSet<TreePath>,
    place: &mut Place,
) -> Result<[SourceTree; 2], ForgeError> {
    let mut trees = listings.map(SourceTree::from_listing);
    let mut spent = Spent::default();
    if touched.is_empty() {
        return Ok(trees.map(SourceTree::only_held));
    }
    let mut rounds = 0;
    loop {
        let mut wanted = Vec::new();
        for tree in &mut trees {
            wanted.push(missing(tree, touched));
        }
        let Some(first) = wanted.iter().flatten().next() else { return Ok(trees.map(SourceTree::only_held)) };
        rounds += 1;
        if rounds > ROUND_LIMIT {
            return Err(ForgeError::TooLarge(format!(
                "a chain of references from file to file, as far as {} at {}, has more than {ROUND_LIMIT} links; the limit is {ROUND_LIMIT}",
                first.path, subject.head
            )));
        }
        spent.add(wanted.iter().flatten(), &subject.head)?;
        reading.room.make(spent.bytes, place).await;
        let [ref mut head, ref mut base] = trees;
        let sides = [Side::Head, Side::Base].into_iter().zip(wanted);
        let wanted = sides.flat_map(|(side, entries)| entries.into_iter().map(move |entry| (side, entry))).collect();
        for (side, entry, content) in contents(reading.forge, reading.cache, &subject.repository, wanted).await? {
            let tree = match side {
                Side::Head => &mut *head,
                Side::Base => &mut *base,
            };
            match content {
                Ok(bytes) => tree.insert(entry.path, bytes),
                Err(why) => tree.insert_unreadable(entry.path, why),
            }
        }
    }
}

/// Which of the two trees.
#[derive(Clone, Copy)]
enum Side {
    Head,
    Base,
}

/// What the formats still need of a tree; links are answered at once.
fn missing(tree: &mut SourceTree, touched: &BTreeSet<TreePath>) -> Vec<Entry> {
    let needed = formats::needs(tree.entries(), touched, &*tree);
    let missing = needed.iter().filter(|path| !tree.holds(path)).filter_map(|path| tree.entry(path).cloned());
    let (links, files): (Vec<Entry>, Vec<Entry>) = missing.partition(|entry| entry.is_link);
    links.into_iter().for_each(|link| tree.insert_unreadable(link.path, Unreadable::Link));
    files
}

/// A file of one of the trees, and its content.
type Held = (Side, Entry, Result<Vec<u8>, Unreadable>);

async fn contents(
    forge: &dyn Forge,
    cache: &BlobCache,
    repository: &Repository,
    entries: Vec<(Side, Entry)>,
) -> Result<Vec<Held>, ForgeError> {
    let mut read = Vec::with_capacity(entries.len());
    let mut unknown = Vec::new();
    for (side, entry) in entries {
        match entry.blob.as_deref().and_then(|blob| cache.get(blob)) {
            Some(content) => read.push((side, entry, Ok(content.to_vec()))),
            None => unknown.push((side, entry)),
        }
    }
    let wanted: Vec<BlobRequest> = unknown
        .iter()
        .map(|(_, entry)| BlobRequest {
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
    for ((side, entry), content) in unknown.into_iter().zip(fetched) {
        if let (Some(blob), Ok(bytes)) = (&entry.blob, &content) {
            cache.put(blob, bytes);
        }
        read.push((side, entry, content));
    }
    Ok(read)
}

/// What was read of both commits so far.
#[derive(Default)]
struct Spent {
    files: usize,
    bytes: u64,
}

impl Spent {
    fn add<'e>(&mut self, entries: impl Iterator<Item = &'e Entry>, commit: &CommitSha) -> Result<(), ForgeError> {
        for entry in entries {
            self.files += 1;
            self.bytes += entry.size_bytes;
        }
        if self.files > FILE_LIMIT || self.bytes > BYTE_LIMIT {
            let (files, megabytes) = (self.files, self.bytes / (1024 * 1024));
            return Err(ForgeError::TooLarge(format!(
                "the units this change touches have {files} files and {megabytes} MiB at {commit} and its merge base; the limits are {FILE_LIMIT} and {} MiB",
                BYTE_LIMIT / (1024 * 1024)
            )));
        }
        Ok(())
    }
}
