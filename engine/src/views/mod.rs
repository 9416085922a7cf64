//! Views: attributes the engine adds where the raw shape of a resource is awkward to ask about, beside the raw ones, and
//! virtual resources of what several formats share. A view lives here, and not in a format, when more than one format has the
//! thing it is of. Values keep the places their author wrote.

mod commands;
mod image;
mod options;
mod pod;

pub use commands::{CommandBudget, CommandReader, Lookup, reads_scripts};
pub use image::{IMAGE, Reference, images};
pub use pod::{PodViews, WORKLOADS};
