//! YAML and JSON text as value trees with spans, and shell scripts as commands; no meaning is given to them here.

mod json;
mod mapped;
pub mod shell;
mod yaml;

pub use json::parse_json;
pub use mapped::{MappedPart, MappedText};
pub use yaml::{Scalars, YamlDocument, YamlText, parse_yaml, yaml_comments};

use crate::resource::Span;

/// Most values one text may unfold to, aliases included.
pub const VALUE_LIMIT: usize = 1_000_000;

/// A place where a text is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where.
    pub span: Span,
    /// What is wrong, in plain words, without a final stop.
    pub message: String,
    /// Whether everything but this place was read all the same.
    pub recovered: bool,
}
