//! Which attributes resource types have, and what is wrong with a policy that asks for others.
//!
//! The data is in `engine/schemas`: what generators read from the providers' own schemas, and beside it the views that the
//! engine makes. It is unpacked when policies are validated and never while files are scanned.

mod check;
mod matchers;
mod node;
#[cfg(test)]
mod tests;
mod text;

use crate::resource::FormatId;

pub use check::{Finding, check};
use node::Node;
use text::{Field, Fields, Source};

/// All schemas, packed by the build (see `build.rs`).
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/schemas.bin"));

/// The schemas of every format that has them.
#[derive(Debug)]
pub struct Schemas {
    sources: Vec<Part>,
}

/// The schemas of one file.
#[derive(Debug)]
struct Part {
    /// Absent for the virtual resources of `everywhere`.
    format: Option<FormatId>,
    /// What the engine adds, not what authors write.
    is_view: bool,
    source: Source,
}

/// The attributes of a type, or of a block in it: those of its provider, and the engine's views of them.
#[derive(Clone, Copy, Debug)]
struct Shape<'s> {
    schemas: &'s Schemas,
    format: Option<FormatId>,
    fields: Fields<'s>,
}

impl Schemas {
    /// Unpacks them.
    ///
    /// # Errors
    /// When the program's file was damaged.
    pub fn load() -> Result<Self, String> {
        let damaged = || "the stored schemas are damaged: install the program again".to_owned();
        let bytes = lz4_flex::block::decompress_size_prepended(PACKED).map_err(|_| damaged())?;
        let files: Vec<(String, String)> = postcard::from_bytes(&bytes).map_err(|_| damaged())?;
        let part = |(path, text): (String, String)| {
            let (folder, name) = path.split_once('/')?;
            let name = name.strip_suffix(".txt")?;
            let format = FormatId::ALL.into_iter().find(|format| format.name() == name);
            Some(Part { format, is_view: folder == "views", source: Source::read(text) })
        };
        let sources: Option<Vec<Part>> = files.into_iter().map(part).collect();
        Ok(Self { sources: sources.ok_or_else(damaged)? })
    }

    /// The types of a format.
    fn types(&self, format: Option<FormatId>) -> impl Iterator<Item = &str> {
        self.sources.iter().filter(move |part| part.format == format).flat_map(|part| part.source.names())
    }

    /// The attributes of a type, its views included.
    fn shape(&self, format: Option<FormatId>, type_name: &str) -> Option<Shape<'_>> {
        let parts = self.sources.iter().filter(|part| part.format == format);
        // A type's views stand in a line of their own that names the type, so they are asked first.
        let find = |is_view: bool| {
            let mut of_kind = parts.clone().filter(move |part| part.is_view == is_view);
            of_kind.find_map(|part| part.source.fields(type_name))
        };
        let fields = find(true).or_else(|| find(false))?;
        Some(Shape { schemas: self, format, fields })
    }

    /// The attributes as the provider's authors write them.
    fn written(&self, format: Option<FormatId>, type_name: &str) -> Option<Shape<'_>> {
        let mut parts = self.sources.iter().filter(|part| part.format == format && !part.is_view);
        let fields = parts.find_map(|part| part.source.fields(type_name))?;
        Some(Shape { schemas: self, format, fields })
    }
}

impl<'s> Shape<'s> {
    fn field(&self, name: &str) -> Option<Field<'s>> {
        self.fields.get(name).or_else(|| self.base()?.field(name))
    }

    /// What this shape adds to.
    fn base(&self) -> Option<Shape<'s>> {
        let (type_name, path) = self.fields.base()?;
        let mut shape = self.schemas.written(self.format, type_name)?;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            shape = Node::of(self, shape.field(name)?).shape?;
        }
        Some(shape)
    }

    fn names(&self) -> Vec<String> {
        let inherited = self.base().map(|base| base.names()).unwrap_or_default();
        self.fields.names().map(|name| name.into_owned()).chain(inherited).collect()
    }

    fn is_open(&self) -> bool {
        self.fields.is_open() || self.base().is_some_and(|base| base.is_open())
    }
}
