//! Where a value was written.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::source_tree::{SourceFile, TreePath};

/// A file of a unit, by its index in the unit's [`FileTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A range of bytes in a file of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Which file; meaningless when the span is [`Span::NOWHERE`].
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of what no file says: a provider's default, a synthesised value.
    pub const NOWHERE: Self = Self { file: FileId(u32::MAX), start: 0, end: 0 };

    /// A span from byte offsets; offsets beyond 4 GiB are cut.
    #[must_use]
    pub fn new(file: FileId, range: Range<usize>) -> Self {
        let cut = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { file, start: cut(range.start), end: cut(range.end) }
    }

    /// Whether it lies in a file.
    #[must_use]
    pub fn is_somewhere(self) -> bool {
        self.file.0 != u32::MAX
    }

    /// Whether another span lies within this one.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }

    /// The byte offsets.
    #[must_use]
    pub fn range(self) -> Range<u32> {
        self.start..self.end
    }

    /// An empty span at the start of this one.
    #[must_use]
    pub fn at_start(self) -> Self {
        Self { end: self.start, ..self }
    }

    /// The shortest span over both; the first when they lie in different files.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        if self.file != other.file {
            return self;
        }
        Self { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// The files a unit was read from.
#[derive(Clone, Debug, Default)]
pub struct FileTable {
    files: Vec<Arc<SourceFile>>,
    by_path: HashMap<TreePath, u32>,
}

impl FileTable {
    /// Adds a file, or finds it when the table has its path already.
    pub fn add(&mut self, file: &Arc<SourceFile>) -> FileId {
        let next = u32::try_from(self.files.len()).unwrap_or(u32::MAX - 1);
        let index = *self.by_path.entry(file.path().clone()).or_insert(next);
        if index == next {
            self.files.push(Arc::clone(file));
        }
        FileId(index)
    }

    /// The file of an id; `None` for a span that is nowhere.
    #[must_use]
    pub fn get(&self, id: FileId) -> Option<&Arc<SourceFile>> {
        self.files.get(id.0 as usize)
    }

    /// All files in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<SourceFile>> {
        self.files.iter()
    }

    /// Number of files.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}
