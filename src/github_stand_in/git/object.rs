//! Trees and commits, and the bytes git hashes for them.

use time::OffsetDateTime;

use super::Oid;

/// What a tree says about an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A file.
    File,
    /// A file that may be executed.
    Executable,
    /// A symbolic link; its blob is the target.
    Link,
    /// A folder.
    Folder,
    /// A commit of another repository.
    Submodule,
}

impl Mode {
    /// As trees hold it: no leading zero.
    #[must_use]
    pub fn octal(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Link => "120000",
            Self::Folder => "40000",
            Self::Submodule => "160000",
        }
    }

    /// As GitHub's REST interface writes it: six digits.
    #[must_use]
    pub fn six_digits(self) -> &'static str {
        match self {
            Self::Folder => "040000",
            other => other.octal(),
        }
    }

    /// As GitHub's GraphQL interface writes it: the number.
    #[must_use]
    pub fn number(self) -> u32 {
        u32::from_str_radix(self.octal(), 8).unwrap_or_default()
    }

    /// The kind of object it points to.
    #[must_use]
    pub fn object_kind(self) -> &'static str {
        match self {
            Self::File | Self::Executable | Self::Link => "blob",
            Self::Folder => "tree",
            Self::Submodule => "commit",
        }
    }
}

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// Its name in the folder.
    pub name: String,
    /// What it is.
    pub mode: Mode,
    /// Its object.
    pub oid: Oid,
}

/// One folder, in git's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree(Vec<TreeEntry>);

impl Tree {
    /// A folder of these entries.
    #[must_use]
    pub fn new(mut entries: Vec<TreeEntry>) -> Self {
        entries.sort_by_key(sort_name);
        Self(entries)
    }

    /// Its entries.
    #[must_use]
    pub fn entries(&self) -> &[TreeEntry] {
        &self.0
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for entry in &self.0 {
            body.extend_from_slice(entry.mode.octal().as_bytes());
            body.push(b' ');
            body.extend_from_slice(entry.name.as_bytes());
            body.push(0);
            body.extend_from_slice(entry.oid.as_bytes());
        }
        body
    }
}

/// Git sorts a folder as if its name ended in a slash.
fn sort_name(entry: &TreeEntry) -> Vec<u8> {
    let mut name = entry.name.clone().into_bytes();
    if entry.mode == Mode::Folder {
        name.push(b'/');
    }
    name
}

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// When, in UTC.
    pub at: OffsetDateTime,
}

impl Person {
    fn encode(&self) -> String {
        format!("{} <{}> {} +0000", self.name, self.email, self.at.unix_timestamp())
    }
}

/// One commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its root folder.
    pub tree: Oid,
    /// What it follows: none for a first commit, two for a merge.
    pub parents: Vec<Oid>,
    /// Who wrote it.
    pub author: Person,
    /// Who committed it.
    pub committer: Person,
    /// What it says.
    pub message: String,
}

impl Commit {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut text = format!("tree {}\n", self.tree);
        for parent in &self.parents {
            text.push_str(&format!("parent {parent}\n"));
        }
        text.push_str(&format!("author {}\ncommitter {}\n\n", self.author.encode(), self.committer.encode()));
        text.push_str(&self.message);
        text.into_bytes()
    }
}
