//! Git in memory: objects with the ids git gives them, history, changes between trees, patches, three-way merges.
//!
//! Nothing here knows GitHub.

mod changes;
mod history;
mod merge;
mod object;
mod oid;
mod patch;
mod store;

pub use changes::{Change, ChangeKind};
pub(crate) use changes::{changes, patch_of};
pub(crate) use history::{between, compare, merge_base};
pub(crate) use merge::merge_trees;
pub use object::{Commit, Mode, Person, Tree, TreeEntry};
pub use oid::{Oid, OidError};
pub use patch::{Hunk, Line, LineKind, Patch};
pub(crate) use patch::{is_binary, patch};
pub use store::{FileEntry, ObjectKind, ObjectStore};
