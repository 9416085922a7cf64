//! The objects of a repository and all its forks.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use portcullis_engine::source_tree::TreePath;

use super::{Commit, Mode, Oid, Tree, TreeEntry};

/// A file of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// What it is.
    pub mode: Mode,
    /// Its blob.
    pub oid: Oid,
}

/// What an id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// The content of a file.
    Blob,
    /// A folder.
    Tree,
    /// A commit.
    Commit,
}

enum Object {
    Blob(Bytes),
    Tree(Tree),
    Commit(Commit),
}

/// Objects by id.
#[derive(Default)]
pub struct ObjectStore(HashMap<Oid, Object>);

impl ObjectStore {
    /// Keeps the content of a file.
    pub fn put_blob(&mut self, content: Bytes) -> Oid {
        let oid = Oid::of("blob", &content);
        self.0.entry(oid).or_insert(Object::Blob(content));
        oid
    }

    /// Keeps a folder.
    pub fn put_tree(&mut self, tree: Tree) -> Oid {
        let oid = Oid::of("tree", &tree.encode());
        self.0.entry(oid).or_insert(Object::Tree(tree));
        oid
    }

    /// Keeps a commit.
    pub fn put_commit(&mut self, commit: Commit) -> Oid {
        let oid = Oid::of("commit", &commit.encode());
        self.0.entry(oid).or_insert(Object::Commit(commit));
        oid
    }

    /// What an id stands for, if it is here.
    #[must_use]
    pub fn kind(&self, oid: Oid) -> Option<ObjectKind> {
        self.0.get(&oid).map(|object| match object {
            Object::Blob(_) => ObjectKind::Blob,
            Object::Tree(_) => ObjectKind::Tree,
            Object::Commit(_) => ObjectKind::Commit,
        })
    }

    /// The content of a file.
    #[must_use]
    pub fn blob(&self, oid: Oid) -> Option<&Bytes> {
        match self.0.get(&oid)? {
            Object::Blob(content) => Some(content),
            Object::Tree(_) | Object::Commit(_) => None,
        }
    }

    /// A folder.
    #[must_use]
    pub fn tree(&self, oid: Oid) -> Option<&Tree> {
        match self.0.get(&oid)? {
            Object::Tree(tree) => Some(tree),
            Object::Blob(_) | Object::Commit(_) => None,
        }
    }

    /// A commit.
    #[must_use]
    pub fn commit(&self, oid: Oid) -> Option<&Commit> {
        match self.0.get(&oid)? {
            Object::Commit(commit) => Some(commit),
            Object::Blob(_) | Object::Tree(_) => None,
        }
    }

    /// The root folder of a commit, or the folder itself.
    #[must_use]
    pub fn root(&self, commit_or_tree: Oid) -> Option<Oid> {
        match self.0.get(&commit_or_tree)? {
            Object::Commit(commit) => Some(commit.tree),
            Object::Tree(_) => Some(commit_or_tree),
            Object::Blob(_) => None,
        }
    }

    /// Every file under a root folder, links and submodules too.
    #[must_use]
    pub fn files(&self, root: Oid) -> BTreeMap<TreePath, FileEntry> {
        let entries = self.walk(root).into_iter();
        let files = entries.filter(|(_, entry)| entry.mode != Mode::Folder);
        files
            .filter_map(|(path, entry)| {
                Some((TreePath::new(&path).ok()?, FileEntry { mode: entry.mode, oid: entry.oid }))
            })
            .collect()
    }

    /// Every entry under a root folder, folders before what they hold.
    #[must_use]
    pub fn walk(&self, root: Oid) -> Vec<(String, &TreeEntry)> {
        let mut found = Vec::new();
        let mut open: Vec<(String, &TreeEntry)> = self.listing("", root);
        while let Some((path, entry)) = open.pop() {
            found.push((path.clone(), entry));
            if entry.mode == Mode::Folder {
                open.extend(self.listing(&format!("{path}/"), entry.oid));
            }
        }
        found
    }

    /// The entries of one folder, last first, so that a stack gives them back in order.
    fn listing(&self, prefix: &str, folder: Oid) -> Vec<(String, &TreeEntry)> {
        let entries = self.tree(folder).map(Tree::entries).unwrap_or_default();
        entries.iter().rev().map(|entry| (format!("{prefix}{}", entry.name), entry)).collect()
    }

    /// What lies at a path under a root folder; the empty path is the folder itself.
    #[must_use]
    pub fn entry_at(&self, root: Oid, path: &str) -> Option<TreeEntry> {
        let mut found = TreeEntry { name: String::new(), mode: Mode::Folder, oid: root };
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let folder = self.tree(found.oid)?;
            found = folder.entries().iter().find(|entry| entry.name == name)?.clone();
        }
        Some(found)
    }

    /// Keeps the folders that hold these files, and gives the root's id.
    pub fn put_files(&mut self, files: &BTreeMap<TreePath, FileEntry>) -> Oid {
        let mut root = Folder::default();
        for (path, file) in files {
            root.insert(path.as_str(), *file);
        }
        root.put(self)
    }
}

#[derive(Default)]
struct Folder {
    files: BTreeMap<String, FileEntry>,
    folders: BTreeMap<String, Folder>,
}

impl Folder {
    fn insert(&mut self, path: &str, file: FileEntry) {
        let mut folder = self;
        let (parents, name) = path.rsplit_once('/').map_or((None, path), |(parents, name)| (Some(parents), name));
        for parent in parents.into_iter().flat_map(|parents| parents.split('/')) {
            folder = folder.folders.entry(parent.to_owned()).or_default();
        }
        folder.files.insert(name.to_owned(), file);
    }

    /// Recursion is bounded: a path has at most 4,096 bytes.
    fn put(self, store: &mut ObjectStore) -> Oid {
        let files = self.files.into_iter().map(|(name, file)| TreeEntry { name, mode: file.mode, oid: file.oid });
        let mut entries: Vec<TreeEntry> = files.collect();
        for (name, folder) in self.folders {
            let oid = folder.put(store);
            entries.push(TreeEntry { name, mode: Mode::Folder, oid });
        }
        store.put_tree(Tree::new(entries))
    }
}
