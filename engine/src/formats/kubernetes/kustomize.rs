//! What kustomizations say of the files around them: a patch is part of a resource elsewhere, and no resource of its own.
//!
//! Kustomize reads only files in and below the folder of its kustomization, so those of a folder and of the folders above it
//! are asked.

use std::collections::BTreeSet;

use memchr::memmem;

use crate::resource::{Span, Value};
use crate::source_tree::{Files, Folder, TreePath};
use crate::syntax::{Scalars, parse_yaml};

/// The names Kustomize looks for.
const NAMES: &[&str] = &["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// How many folders above its own a patch is looked for in kustomizations.
const LEVELS_ABOVE: usize = 4;

/// Largest kustomization that is read for patches of other folders: written by hand, they have a few KiB.
const SIZE_LIMIT_BYTES: usize = 256 * 1024;

/// Whether a file is a kustomization.
pub(super) fn is_kustomization(path: &TreePath) -> bool {
    NAMES.contains(&path.file_name())
}

/// Whether a folder has a kustomization.
pub(super) fn is_in(folder: &Folder, files: &dyn Files) -> bool {
    paths(folder).any(|path| files.entry(&path).is_some())
}

fn paths(folder: &Folder) -> impl Iterator<Item = TreePath> {
    NAMES.iter().filter_map(|name| folder.file(name).ok())
}

/// The files of a folder that kustomizations use as patches, and none as a resource.
pub(super) fn patches(folder: &Folder, files: &dyn Files) -> BTreeSet<TreePath> {
    let mut named = Named::default();
    let mut above = Some(folder.clone());
    for _ in 0..=LEVELS_ABOVE {
        let Some(at) = above else { break };
        for path in paths(&at).filter(|path| files.entry(path).is_some()) {
            if let Ok(file) = files.read(&path) {
                named.add(&at, folder, file.text());
            }
        }
        above = at.resolve("..");
    }
    let is_here = |path: &TreePath| folder.contains_directly(path) && !named.resources.contains(path);
    named.patches.into_iter().filter(is_here).collect()
}

#[derive(Default)]
struct Named {
    patches: BTreeSet<TreePath>,
    resources: BTreeSet<TreePath>,
}

impl Named {
    /// Takes what a kustomization in `at` says of the files of `folder`.
    fn add(&mut self, at: &Folder, folder: &Folder, text: &str) {
        // Most kustomizations say nothing of other folders, and need not be parsed once for each.
        let below = folder.prefix().strip_prefix(at.prefix()).unwrap_or_default();
        let says = |what: &str| memmem::find(text.as_bytes(), what.as_bytes()).is_some();
        if text.len() > SIZE_LIMIT_BYTES || !says("patch") || !says(below) {
            return;
        }
        // The spans are not used, so the file needs no table to lie in.
        let documents = parse_yaml(text, Span::NOWHERE.file, Scalars::Yaml11).documents;
        for document in &documents {
            let root = &document.value;
            let patches = paths_of(root, "patches").chain(paths_of(root, "patchesJson6902"));
            for written in patches.chain(texts_of(root, "patchesStrategicMerge")) {
                self.patches.extend(TreePath::resolve(at, written));
            }
            for written in texts_of(root, "resources").chain(texts_of(root, "bases")) {
                self.resources.extend(TreePath::resolve(at, written));
            }
        }
    }
}

/// The `path` of each element of a list.
fn paths_of<'v>(root: &'v Value, list: &str) -> impl Iterator<Item = &'v str> {
    elements(root, list).filter_map(|element| element.get("path")?.as_text()).map(AsRef::as_ref)
}

/// The elements of a list that are text.
fn texts_of<'v>(root: &'v Value, list: &str) -> impl Iterator<Item = &'v str> {
    elements(root, list).filter_map(Value::as_text).map(AsRef::as_ref)
}

fn elements<'v>(root: &'v Value, list: &str) -> impl Iterator<Item = &'v Value> {
    root.get(list).and_then(Value::as_list).map(|list| list.items.as_slice()).unwrap_or_default().iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source_tree::SourceTree;

    fn tree(files: &[(&str, &str)]) -> SourceTree {
        SourceTree::from_files(
            files.iter().map(|(path, text)| (TreePath::new(path).unwrap(), text.as_bytes().to_vec())),
        )
    }

    fn patches_in(folder: &str, files: &[(&str, &str)]) -> Vec<String> {
        patches(&Folder::new(folder).unwrap(), &tree(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_way_to_name_a_patch_is_known() {
        let kustomization = "
patches:
- path: a.yaml
- {path: ./sub/b.yaml, target: {kind: Deployment}}
- patch: |-
    - op: remove
patchesStrategicMerge:
- c.yaml
- |-
  kind: X
  metadata: {}
patchesJson6902:
- path: d.json
resources: [r.yaml]
";
        let files = [("o/kustomization.yaml", kustomization)];
        assert_eq!(patches_in("o", &files), ["o/a.yaml", "o/c.yaml", "o/d.json"]);
        assert_eq!(patches_in("o/sub", &files), ["o/sub/b.yaml"]);
    }

    #[test]
    fn a_kustomization_above_names_patches_below_and_none_beside_it() {
        let above = [("o/Kustomization", "patches: [{path: p/q/a.yaml}, {path: ../x/b.yaml}]")];
        assert_eq!(patches_in("o/p/q", &above), ["o/p/q/a.yaml"]);
        assert!(patches_in("x", &above).is_empty());
    }

    #[test]
    fn what_is_a_resource_anywhere_is_a_resource() {
        let files = [
            ("o/kustomization.yaml", "patches: [{path: p/a.yaml}]"),
            ("o/p/kustomization.yaml", "resources: [a.yaml]\npatches: []\n"),
        ];
        assert!(patches_in("o/p", &files).is_empty());
    }
}
