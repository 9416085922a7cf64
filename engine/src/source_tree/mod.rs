//! The files of one commit, read-only: paths, blob ids, text, line index, and the lines that differ from another commit.
//!
//! Nothing here reads a disk or a network: whoever holds the bytes (a working tree, a code host) implements [`Files`].

mod changes;
mod file;
mod path;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use changes::{Changes, changed_files, changed_lines};
pub use file::{LineColumn, SourceFile};
pub use path::{BadPath, Folder, TreePath};

/// Largest file that is read, in bytes: larger ones are a problem in the report. Kubernetes' own largest bundles have 3 to 4 MB.
pub const FILE_LIMIT_BYTES: u64 = 4 * 1024 * 1024;

/// One file of a commit as its tree lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where it lies.
    pub path: TreePath,
    /// The object id git computes for its content; absent for a working tree.
    pub blob: Option<String>,
    /// Size in bytes.
    pub size_bytes: u64,
    /// A symbolic link; its blob is the name of its target.
    #[serde(default)]
    pub is_link: bool,
}

/// Why a listed file has no text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unreadable {
    /// The tree has no such file.
    Absent,
    /// It was not fetched: nobody said it was needed.
    NotFetched,
    /// Larger than the limit.
    TooLarge {
        /// Size in bytes.
        size_bytes: u64,
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// Not UTF-8; the byte offset of the first bad sequence.
    NotText {
        /// Offset in bytes.
        at: usize,
    },
    /// A symbolic link: it is not followed.
    Link,
    /// The disk or the host refused.
    Refused(String),
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => f.write_str("the file does not exist"),
            Self::NotFetched => f.write_str("the file was not fetched"),
            Self::TooLarge { size_bytes, limit_bytes } => {
                write!(f, "the file has {size_bytes} bytes, more than the limit of {limit_bytes}")
            }
            Self::NotText { at } => write!(f, "the file is not UTF-8 text (byte {at})"),
            Self::Link => f.write_str("the file is a symbolic link, which is not followed"),
            Self::Refused(why) => write!(f, "the file could not be read: {why}"),
        }
    }
}

/// The files of one commit. Implementations are free to read lazily and to forget what was read.
pub trait Files: Sync {
    /// Every file, sorted by path, without submodules.
    fn entries(&self) -> &[Entry];

    /// The text of one file.
    ///
    /// # Errors
    /// [`Unreadable`] says why there is none.
    fn read(&self, path: &TreePath) -> Result<Arc<SourceFile>, Unreadable>;

    /// The entry at a path, if the tree has it.
    fn entry(&self, path: &TreePath) -> Option<&Entry> {
        let entries = self.entries();
        entries.binary_search_by(|e| e.path.cmp(path)).ok().and_then(|i| entries.get(i))
    }

    /// The entries below a folder, at any depth.
    fn below<'a>(&'a self, folder: &Folder) -> &'a [Entry] {
        let entries = self.entries();
        let start = entries.partition_point(|e| e.path.as_str() < folder.prefix());
        let rest = entries.get(start..).unwrap_or_default();
        let len = rest.partition_point(|e| folder.contains(&e.path));
        rest.get(..len).unwrap_or_default()
    }
}

/// The files of one commit held in memory: what a server hands to the engine, and what tests write.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SourceTree {
    entries: Vec<Entry>,
    texts: BTreeMap<TreePath, Result<Arc<SourceFile>, Unreadable>>,
}

impl SourceTree {
    /// A tree from its listing; no text is held yet.
    #[must_use]
    pub fn from_listing(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries.dedup_by(|a, b| a.path == b.path);
        Self { entries, texts: BTreeMap::new() }
    }

    /// A tree of whole files.
    #[must_use]
    pub fn from_files(files: impl IntoIterator<Item = (TreePath, Vec<u8>)>) -> Self {
        let files: Vec<_> = files.into_iter().collect();
        let listing = files
            .iter()
            .map(|(path, bytes)| Entry {
                path: path.clone(),
                blob: None,
                size_bytes: bytes.len() as u64,
                is_link: false,
            })
            .collect();
        let mut tree = Self::from_listing(listing);
        for (path, bytes) in files {
            tree.insert(path, bytes);
        }
        tree
    }

    /// Holds the content of a listed file.
    pub fn insert(&mut self, path: TreePath, bytes: Vec<u8>) {
        let size_bytes = bytes.len() as u64;
        if size_bytes > FILE_LIMIT_BYTES {
            return self.insert_unreadable(path, Unreadable::TooLarge { size_bytes, limit_bytes: FILE_LIMIT_BYTES });
        }
        let text = SourceFile::from_bytes(path.clone(), bytes).map(Arc::new);
        self.texts.insert(path, text);
    }

    /// Says why a listed file has no content.
    pub fn insert_unreadable(&mut self, path: TreePath, why: Unreadable) {
        self.texts.insert(path, Err(why));
    }

    /// The same tree with only those files listed whose content is held: what is left to say of the others was said.
    #[must_use]
    pub fn only_held(mut self) -> Self {
        self.entries.retain(|entry| self.texts.contains_key(&entry.path));
        self
    }

    /// Whether the content of a path is held, readable or not.
    #[must_use]
    pub fn holds(&self, path: &TreePath) -> bool {
        self.texts.contains_key(path)
    }
}

impl Files for SourceTree {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn read(&self, path: &TreePath) -> Result<Arc<SourceFile>, Unreadable> {
        match self.texts.get(path) {
            Some(text) => text.clone(),
            None if self.entry(path).is_some() => Err(Unreadable::NotFetched),
            None => Err(Unreadable::Absent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text).unwrap()
    }

    #[test]
    fn below_a_folder_are_its_files_and_not_its_namesakes() {
        let tree =
            SourceTree::from_files(["a/b.tf", "a/c/d.tf", "a.tf", "a-b/e.tf", "b.tf"].map(|p| (path(p), Vec::new())));
        let names = |folder: &str| -> Vec<String> {
            tree.below(&Folder::new(folder).unwrap()).iter().map(|e| e.path.to_string()).collect()
        };
        assert_eq!(names("a"), ["a/b.tf", "a/c/d.tf"]);
        assert_eq!(names("/").len(), 5);
        assert!(names("zzz").is_empty());
    }

    #[test]
    fn a_file_without_text_says_why() {
        let mut tree =
            SourceTree::from_listing(vec![Entry { path: path("a"), blob: None, size_bytes: 1, is_link: false }]);
        assert_eq!(tree.read(&path("a")).unwrap_err(), Unreadable::NotFetched);
        assert_eq!(tree.read(&path("b")).unwrap_err(), Unreadable::Absent);
        tree.insert(path("a"), vec![b'x', 0xff]);
        assert_eq!(tree.read(&path("a")).unwrap_err(), Unreadable::NotText { at: 1 });
    }
}
