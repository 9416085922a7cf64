//! Which folders are evaluated by themselves: those that no other folder calls as a module.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::config::load::{is_configuration, parse, stand_in};
use super::config::module::Source;
use super::config::variables::{automatic_files, is_variable_file};
use crate::formats::{Scope, UnitPlan};
use crate::resource::FormatId;
use crate::source_tree::{Files, Folder, SourceFile, TreePath};

/// The folders with configuration, and the files of each.
pub(super) type Folders = BTreeMap<Folder, Vec<TreePath>>;

/// Whether a path lies in what Terraform downloads beside the configuration.
fn is_downloaded(path: &TreePath) -> bool {
    path.as_str().split('/').any(|segment| segment == ".terraform")
}

/// The folders of a listing that hold configuration.
pub(super) fn folders<'p>(paths: impl Iterator<Item = &'p TreePath>) -> Folders {
    let mut folders = Folders::new();
    for path in paths.filter(|path| is_configuration(path) && !is_downloaded(path)) {
        folders.entry(path.folder()).or_default().push(path.clone());
    }
    for paths in folders.values_mut() {
        let there: HashSet<TreePath> = paths.iter().cloned().collect();
        paths.retain(|path| stand_in(path).is_none_or(|other| !there.contains(&other)));
    }
    folders
}

/// The local folders a file calls as modules. Only files that can have such a call are parsed.
pub(super) fn called_folders(file: &SourceFile) -> Vec<Folder> {
    let text = file.text();
    if !text.contains("module") || !(text.contains("\"./") || text.contains("\"../") || text.contains("\".")) {
        return Vec::new();
    }
    let folder = file.path().folder();
    let parsed = parse(file, 0);
    let calls = parsed.body.blocks().filter(|block| &*block.kind.text == "module");
    let local = calls.filter_map(|block| match Source::of(block, &folder) {
        Source::Local(folder) => Some(folder),
        Source::Outside(_) | Source::Remote(_) | Source::Unreadable => None,
    });
    local.collect()
}

/// Who calls whom, as far as the files are held.
pub(super) fn call_graph(folders: &Folders, files: &dyn Files) -> HashMap<Folder, Vec<Folder>> {
    let mut graph = HashMap::new();
    for (folder, paths) in folders {
        let called: BTreeSet<Folder> =
            paths.iter().filter_map(|path| files.read(path).ok()).flat_map(|file| called_folders(&file)).collect();
        let called: Vec<Folder> = called.into_iter().filter(|other| other != folder).collect();
        if !called.is_empty() {
            graph.insert(folder.clone(), called);
        }
    }
    graph
}

/// A folder and all it calls at any depth.
pub(super) fn reach(from: &Folder, graph: &HashMap<Folder, Vec<Folder>>) -> HashSet<Folder> {
    let mut reached = HashSet::new();
    let mut open = vec![from.clone()];
    while let Some(folder) = open.pop() {
        if reached.insert(folder.clone()) {
            open.extend(graph.get(&folder).into_iter().flatten().cloned());
        }
    }
    reached
}

/// The folders to evaluate by themselves. Of folders that call each other in a circle the first one is.
pub(super) fn roots(folders: &Folders, graph: &HashMap<Folder, Vec<Folder>>) -> Vec<Folder> {
    let called: HashSet<&Folder> = graph.values().flatten().collect();
    let mut roots: Vec<Folder> = folders.keys().filter(|folder| !called.contains(folder)).cloned().collect();
    let mut reached: HashSet<Folder> = roots.iter().flat_map(|root| reach(root, graph)).collect();
    for folder in folders.keys() {
        if !reached.contains(folder) {
            reached.extend(reach(folder, graph));
            roots.push(folder.clone());
        }
    }
    roots.sort();
    roots
}

/// The units of a tree.
pub(super) fn units(files: &dyn Files, scope: &Scope) -> Vec<UnitPlan> {
    let folders = folders(files.entries().iter().map(|entry| &entry.path));
    let graph = call_graph(&folders, files);
    let wanted = |root: &Folder| match scope {
        Scope::All => true,
        Scope::Touching(touched) => {
            let reached = reach(root, &graph);
            touched.iter().filter_map(|path| home(path, &folders)).any(|folder| reached.contains(&folder))
        }
    };
    let plan = |root: Folder| {
        let mut paths = folders.get(&root).cloned().unwrap_or_default();
        paths.extend(automatic_files(files, &root));
        UnitPlan { format: FormatId::Terraform, name: root.to_string(), folder: root, paths }
    };
    roots(&folders, &graph).into_iter().filter(wanted).map(plan).collect()
}

/// The folder with configuration that a file belongs to: its own, or for files of other kinds the nearest above it.
pub(super) fn home(path: &TreePath, folders: &Folders) -> Option<Folder> {
    let mut folder = path.folder();
    if is_configuration(path) || is_variable_file(path) {
        return folders.contains_key(&folder).then_some(folder);
    }
    while !folders.contains_key(&folder) {
        folder = folder.resolve("..")?;
    }
    Some(folder)
}
