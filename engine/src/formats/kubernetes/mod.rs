//! Kubernetes manifests: the YAML and JSON files of a folder, each document a resource.
//!
//! A document is a manifest when it is a map with text `apiVersion` and `kind`; everything else that is written in YAML or JSON
//! is none of ours. Charts and Kustomize builds are not rendered: plain manifests are judged as they stand, and what only
//! a rendering would show is listed as not evaluated.

mod kustomize;
mod manifests;
mod places;
mod suppressions;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::resource::{FormatId, Problem, Unevaluated, Unit};
use crate::source_tree::{Entry, Files, Folder, SourceFile, TreePath, Unreadable};
use crate::views::PodViews;

use super::{Format, ReadOptions, Recognition, Scope, UnitPlan};

/// The member.
pub(super) struct Kubernetes;

impl Format for Kubernetes {
    fn id(&self) -> FormatId {
        FormatId::Kubernetes
    }

    fn recognise(&self, path: &TreePath) -> Recognition {
        if places::may_hold_manifests(path) { Recognition::Possible } else { Recognition::No }
    }

    fn needs(&self, entries: &[Entry], touched: &BTreeSet<TreePath>, _held: &dyn Files) -> BTreeSet<TreePath> {
        let folders = places::Affected::by(touched);
        let needed = entries.iter().map(|entry| &entry.path).filter(|path| {
            places::may_hold_manifests(path) && (folders.contains(&path.folder()) || folders.is_kustomized_from(path))
        });
        needed.cloned().collect()
    }

    fn units(&self, files: &dyn Files, scope: &Scope) -> Vec<UnitPlan> {
        let affected = match scope {
            Scope::All => None,
            Scope::Touching(touched) => Some(places::Affected::by(touched)),
        };
        let mut plans: Vec<UnitPlan> = Vec::new();
        let mut by_folder = HashMap::new();
        for entry in files.entries().iter().filter(|entry| places::may_hold_manifests(&entry.path)) {
            let folder = entry.path.folder();
            if affected.as_ref().is_some_and(|affected| !affected.contains(&folder)) {
                continue;
            }
            let index = *by_folder.entry(folder.clone()).or_insert_with(|| {
                plans.push(UnitPlan { format: self.id(), name: folder.to_string(), folder, paths: Vec::new() });
                plans.len() - 1
            });
            if let Some(plan) = plans.get_mut(index) {
                plan.paths.push(entry.path.clone());
            }
        }
        plans
    }

    fn read(&self, plan: &UnitPlan, files: &dyn Files, _options: &ReadOptions) -> Unit {
        let mut reader =
            Reader { files, unit: Unit::empty(&plan.name), pods: PodViews::default(), unreadable: Vec::new() };
        let patches = kustomize::patches(&plan.folder, files);
        for path in &plan.paths {
            match files.read(path) {
                Err(why) => reader.unreadable.push((path.clone(), why)),
                Ok(_) if kustomize::is_kustomization(path) => reader.unevaluated(path, "Kustomize build"),
                Ok(file) => reader.file(&file, patches.contains(path)),
            }
        }
        reader.finish(&plan.folder)
    }
}

struct Reader<'f> {
    files: &'f dyn Files,
    unit: Unit,
    pods: PodViews,
    unreadable: Vec<(TreePath, Unreadable)>,
}

impl Reader<'_> {
    fn file(&mut self, file: &Arc<SourceFile>, is_patch: bool) {
        let path = file.path();
        if !manifests::may_be_in(file.text()) {
            return;
        }
        if is_patch {
            return self.unevaluated(path, "Kustomize patch");
        }
        let is_templated = memchr::memmem::find(file.text().as_bytes(), b"{{").is_some();
        if is_templated && places::is_chart_template(path, self.files) {
            return self.unevaluated(path, "Helm template");
        }
        let id = self.unit.files.add(file);
        let found = manifests::read(file, id, is_templated, &mut self.pods);
        if is_templated && found.has_placeholders {
            self.unevaluated(path, "templated manifest");
        } else {
            self.unit.problems.extend(found.problems);
        }
        self.unit.suppressions.extend(found.silenced.suppressions);
        self.unit.notices.extend(found.silenced.notices);
        self.unit.resources.extend(found.resources);
    }

    fn unevaluated(&mut self, path: &TreePath, what: &str) {
        self.unit.unevaluated.push(Unevaluated { path: path.clone(), what: what.into() });
    }

    /// Says of each file without text what that means, now that it is known whether manifests lie beside it.
    fn finish(mut self, folder: &Folder) -> Unit {
        let beside_manifests = !self.unit.resources.is_empty() || kustomize::is_in(folder, self.files);
        for (path, why) in std::mem::take(&mut self.unreadable) {
            match places::meaning(&path, &why, beside_manifests) {
                places::Meaning::Nothing => {}
                places::Meaning::NotLookedAt => self.unevaluated(&path, "YAML file that could not be read"),
                places::Meaning::Hole => {
                    let remedy = "split the file, or leave it out of the source's folders";
                    self.unit.problems.push(Problem::of_unreadable(&path, &why, remedy));
                }
            }
        }
        self.unit
    }
}

#[cfg(test)]
mod tests;
