//! Where the parts of a policy are written: for those who speak to its author, not for those who evaluate it.

use crate::source_tree::LineColumn;

/// Where an entry stands: its key and its value. Never stored, and no part of what makes two policies equal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// The path, the name of a link, or the whole check.
    pub key: LineColumn,
    /// What is said of it.
    pub value: LineColumn,
}

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Where the types of a check or link stand, one for each; a set's types all stand where the set is named.
#[derive(Clone, Debug, Default)]
pub struct TypePlaces(pub Vec<LineColumn>);

impl TypePlaces {
    /// The place of a type by its position.
    #[must_use]
    pub fn get(&self, position: usize) -> LineColumn {
        self.0.get(position).copied().unwrap_or_default()
    }
}

impl PartialEq for TypePlaces {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
