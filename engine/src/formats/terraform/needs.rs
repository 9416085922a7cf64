//! Which files to fetch so that the touched units can be read, as far as the files held so far tell.
//!
//! A changed module is judged through its callers. Who they are only the files say, so all configuration is fetched. In a tree
//! too large for that it is the folders touched and what they call, and that nobody looked for callers is said.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::config::load::parse;
use super::config::lock::lock_file;
use super::config::variables::is_variable_file;
use super::syntax::ir::{Block, Expr, Item, Kind, Part, StepKind};
use super::units::{Folders, call_graph, folders, home, reach};
use crate::formats::Gap;
use crate::source_tree::{Entry, Files, Folder, SourceFile, TreePath};

/// Most configuration files, and most bytes of them, that are fetched to find the callers of a module.
const CALLER_SEARCH: (usize, u64) = (5_000, 32 * 1024 * 1024);

/// Most files that one call of `fileset` asks for.
const FILESET_LIMIT: usize = 200;

/// The files to fetch for the units that touched files belong to.
pub(super) fn needs(entries: &[Entry], touched: &BTreeSet<TreePath>, held: &dyn Files) -> BTreeSet<TreePath> {
    let folders = folders(entries.iter().map(|entry| &entry.path));
    let homes: BTreeSet<Folder> = touched.iter().filter_map(|path| home(path, &folders)).collect();
    if homes.is_empty() {
        return BTreeSet::new();
    }
    let mut needed = BTreeSet::new();
    if is_searched(size(entries, &folders)) {
        needed.extend(folders.values().flatten().cloned());
    }
    let graph = call_graph(&folders, held);
    let wanted = wanted_folders(&homes, &folders, &graph);
    let listing = Listing { paths: entries.iter().map(|entry| &entry.path).collect(), entries };
    for folder in &wanted {
        needed.extend(folders.get(folder).into_iter().flatten().cloned());
        needed.extend(listing.variable_files(folder));
        needed.extend(lock_file(folder).filter(|path| listing.paths.contains(path)));
        for path in folders.get(folder).into_iter().flatten() {
            if let Ok(file) = held.read(path) {
                listing.named(&file, &wanted, &mut needed);
            }
        }
    }
    needed
}

/// The touched folders, all that call them, and all that those call.
fn wanted_folders(
    homes: &BTreeSet<Folder>,
    folders: &Folders,
    graph: &HashMap<Folder, Vec<Folder>>,
) -> HashSet<Folder> {
    let mut wanted: HashSet<Folder> = homes.iter().flat_map(|home| reach(home, graph)).collect();
    for caller in folders.keys().filter(|folder| graph.contains_key(folder)) {
        let reached = reach(caller, graph);
        if homes.iter().any(|home| reached.contains(home)) {
            wanted.extend(reached);
        }
    }
    wanted
}

/// The folders whose callers are not looked for, each at one of its touched files.
pub(super) fn gaps(entries: &[Entry], touched: &BTreeSet<TreePath>) -> Vec<Gap> {
    let folders = folders(entries.iter().map(|entry| &entry.path));
    let (count, bytes) = size(entries, &folders);
    if is_searched((count, bytes)) {
        return Vec::new();
    }
    let mebibytes = |bytes: u64| bytes.div_ceil(1024 * 1024);
    let message = format!(
        "whether other folders call this one as a module was not looked for, because the repository has {count} Terraform files \
         of {} MiB; the limits are {} files and {} MiB",
        mebibytes(bytes),
        CALLER_SEARCH.0,
        mebibytes(CALLER_SEARCH.1)
    );
    let homes: BTreeMap<Folder, &TreePath> =
        touched.iter().rev().filter_map(|path| Some((home(path, &folders)?, path))).collect();
    let gap = |path: &TreePath| Gap {
        path: path.clone(),
        message: message.clone(),
        remedy: "divide the repository, or have the source report what cannot be read".into(),
    };
    homes.into_values().map(gap).collect()
}

/// How many files of configuration there are, and their bytes.
fn size(entries: &[Entry], folders: &Folders) -> (usize, u64) {
    let named: HashSet<&TreePath> = folders.values().flatten().collect();
    let bytes = entries.iter().filter(|entry| named.contains(&entry.path)).map(|entry| entry.size_bytes).sum();
    (named.len(), bytes)
}

fn is_searched((count, bytes): (usize, u64)) -> bool {
    count <= CALLER_SEARCH.0 && bytes <= CALLER_SEARCH.1
}

struct Listing<'l> {
    paths: HashSet<&'l TreePath>,
    entries: &'l [Entry],
}

impl Listing<'_> {
    fn variable_files(&self, folder: &Folder) -> Vec<TreePath> {
        let paths = self.entries.iter().map(|entry| &entry.path);
        paths.filter(|path| folder.contains_directly(path) && is_variable_file(path)).cloned().collect()
    }

    /// Adds the files that functions of a configuration file name in plain text.
    fn named(&self, file: &SourceFile, roots: &HashSet<Folder>, needed: &mut BTreeSet<TreePath>) {
        if !file.text().contains("file") {
            return;
        }
        let folder = file.path().folder();
        let mut visit = |expr: &Expr| {
            let Kind::Call(call) = &expr.kind else { return };
            if !call.name.text.contains("file") {
                return;
            }
            let Some((from_module, path)) = call.arguments.first().and_then(written_path) else { return };
            // Paths are relative to where Terraform is run: any of the folders may be that.
            let bases: Vec<&Folder> = if from_module { vec![&folder] } else { roots.iter().collect() };
            for base in bases {
                if &*call.name.text == "fileset" {
                    if let Some(folder) = base.resolve(&path) {
                        let below = self.entries.iter().map(|entry| &entry.path).filter(|path| folder.contains(path));
                        needed.extend(below.take(FILESET_LIMIT).cloned());
                    }
                } else if let Some(path) = TreePath::resolve(base, &path).filter(|path| self.paths.contains(path)) {
                    needed.insert(path);
                }
            }
        };
        for item in &parse(file, 0).body.items {
            walk_item(item, &mut visit);
        }
    }
}

fn walk_item(item: &Item, visit: &mut dyn FnMut(&Expr)) {
    match item {
        Item::Attribute(attribute) => attribute.value.walk(&mut |expr| visit(expr)),
        Item::Block(block) => walk_block(block, visit),
    }
}

/// Without recursion: blocks nest as deep as the parser lets them.
fn walk_block(block: &Block, visit: &mut dyn FnMut(&Expr)) {
    let mut open = vec![block];
    while let Some(block) = open.pop() {
        for item in &block.body.items {
            match item {
                Item::Attribute(attribute) => attribute.value.walk(&mut |expr| visit(expr)),
                Item::Block(inner) => open.push(inner),
            }
        }
    }
}

/// A path in plain text, and whether it begins with `path.module`.
fn written_path(expr: &Expr) -> Option<(bool, String)> {
    match &expr.kind {
        Kind::Text(text) => Some((false, text.to_string())),
        Kind::Traversal(_) if is_path_module(expr) => Some((true, ".".into())),
        Kind::Template(parts) => match &**parts {
            [Part::Interpolation(first), Part::Text(rest, _)] if is_path_module(first) => {
                Some((true, format!(".{rest}")))
            }
            _ => None,
        },
        _ => None,
    }
}

fn is_path_module(expr: &Expr) -> bool {
    let Kind::Traversal(traversal) = &expr.kind else { return false };
    let attribute = |step: &StepKind| matches!(step, StepKind::Attribute(name) if &**name == "module");
    traversal.base.as_name().is_some_and(|root| &**root == "path")
        && traversal.steps.first().is_some_and(|step| attribute(&step.kind))
}
