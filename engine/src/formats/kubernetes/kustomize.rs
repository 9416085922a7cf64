//! What kustomizations say of the files around them: a patch is part of a resource elsewhere, and no resource of its own. One
//! that no resource of the build answers to is judged as a resource: else whoever names a manifest as a patch would hide it.
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

/// What brings resources into a build that no file here shows.
const GENERATORS: &[&str] =
    &["components", "helmCharts", "helmChartInflationGenerator", "generators", "configMapGenerator", "secretGenerator"];

/// Most files that are read for the resources of a build; with more, any patch may have one.
const RESOURCE_FILE_LIMIT: usize = 100;

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
                named.add(&at, folder, file.text(), files);
            }
        }
        above = at.resolve("..");
    }
    named.patches.retain(|path| !named.resources.contains(path));
    named.patches
}

#[derive(Default)]
struct Named {
    patches: BTreeSet<TreePath>,
    resources: BTreeSet<TreePath>,
}

impl Named {
    /// Takes what a kustomization in `at` says of the files of `folder`.
    fn add(&mut self, at: &Folder, folder: &Folder, text: &str, files: &dyn Files) {
        // Most kustomizations say nothing of other folders, and need not be parsed once for each.
        let below = folder.prefix().strip_prefix(at.prefix()).unwrap_or_default();
        if text.len() > SIZE_LIMIT_BYTES || !says(text, "patch") || !says(text, below) {
            return;
        }
        for root in documents(text) {
            let build = Build::of(&root, at, files);
            let (strategic, of_json) = (elements(&root, "patches"), elements(&root, "patchesJson6902"));
            let of_paths =
                strategic.chain(of_json).filter_map(|one| Some((one.get("path")?.as_text()?, one.get("target"))));
            let listed = texts_of(&root, "patchesStrategicMerge").map(|path| (path, None));
            for (written, target) in of_paths.map(|(path, target)| (&**path, target)).chain(listed) {
                let path = TreePath::resolve(at, written).filter(|path| folder.contains_directly(path));
                self.patches.extend(path.filter(|path| build.may_be_patched_by(path, target, files)));
            }
            self.resources.extend(build.resources);
        }
    }
}

/// What a kustomization builds from.
struct Build {
    resources: BTreeSet<TreePath>,
    /// Some of it is not in these files.
    is_open: bool,
}

impl Build {
    fn of(root: &Value, at: &Folder, files: &dyn Files) -> Self {
        let is_component = root.get("kind").and_then(Value::as_text).is_some_and(|kind| &**kind == "Component");
        let has_generator = GENERATORS.iter().any(|name| root.get(name).is_some_and(|value| !value.is_null()));
        let mut build = Self { resources: BTreeSet::new(), is_open: is_component || has_generator };
        for written in texts_of(root, "resources").chain(texts_of(root, "bases")) {
            let path = TreePath::resolve(at, written);
            build.is_open |= path.as_ref().is_none_or(|path| files.read(path).is_err());
            build.resources.extend(path);
        }
        build.is_open |= build.resources.len() > RESOURCE_FILE_LIMIT;
        build
    }

    /// Whether a resource of the build may be what a patch is for: the one it names, or those of its target.
    fn may_be_patched_by(&self, path: &TreePath, target: Option<&Value>, files: &dyn Files) -> bool {
        let Ok(patch) = files.read(path) else { return true };
        if self.is_open {
            return true;
        }
        let part = |value: &Value, keys: &[&str]| value.dig(keys).and_then(Value::as_text).cloned();
        documents(patch.text()).all(|document| {
            let (kind, name) = match target {
                Some(target) => (part(target, &["kind"]), None),
                None => (part(&document, &["kind"]), part(&document, &["metadata", "name"])),
            };
            let mut resources = self.resources.iter().filter_map(|path| files.read(path).ok());
            kind.is_none()
                || resources.any(|file| {
                    let may_have = |text: &Option<_>| text.as_deref().is_none_or(|text| says(file.text(), text));
                    may_have(&kind)
                        && may_have(&name)
                        && documents(file.text()).any(|resource| {
                            part(&resource, &["kind"]) == kind
                                && (name.is_none() || part(&resource, &["metadata", "name"]) == name)
                        })
                })
        })
    }
}

fn says(text: &str, what: &str) -> bool {
    memmem::find(text.as_bytes(), what.as_bytes()).is_some()
}

/// The documents of a file. Their places are not used, so the file needs no table to lie in.
fn documents(text: &str) -> impl Iterator<Item = Value> {
    parse_yaml(text, Span::NOWHERE.file, Scalars::Yaml11).documents.into_iter().map(|document| document.value)
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
