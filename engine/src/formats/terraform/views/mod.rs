//! What policies read beside what authors write: views of rules and documents, and virtual resources made of them.

use crate::resource::Resource;

/// Adds a resource and what can be seen of it.
pub(super) fn add(resource: Resource, resources: &mut Vec<Resource>) {
    resources.push(resource);
}
