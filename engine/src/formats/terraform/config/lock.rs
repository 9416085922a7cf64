//! The lock file beside a root: which version of each provider is in use.

use std::sync::Arc;

use super::load::parse;
use crate::source_tree::{Files, Folder, TreePath};

/// Its name.
const NAME: &str = ".terraform.lock.hcl";

/// Where the lock file of a root lies.
pub(crate) fn lock_file(folder: &Folder) -> Option<TreePath> {
    TreePath::resolve(folder, NAME)
}

/// The providers a root is locked to: source address and version. One that cannot be read fixes nothing.
pub(crate) fn locked_providers(folder: &Folder, files: &dyn Files) -> Vec<(Arc<str>, Arc<str>)> {
    let Some(file) = lock_file(folder).and_then(|path| files.read(&path).ok()) else { return Vec::new() };
    let parsed = parse(&file, 0);
    let providers = parsed.body.blocks().filter(|block| &*block.kind.text == "provider");
    let locked = providers.filter_map(|block| {
        let version = block.body.attribute("version")?.value.as_text()?;
        Some((Arc::clone(&block.labels.first()?.text), Arc::clone(version)))
    });
    locked.collect()
}
