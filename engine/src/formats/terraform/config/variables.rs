//! Values for a root's variables, from the variable files Terraform reads by itself and those the caller names.

use std::collections::HashMap;
use std::sync::Arc;

use super::load::{problem, unreadable};
use crate::formats::ReadOptions;
use crate::formats::terraform::syntax::ir::Attribute;
use crate::formats::terraform::{suppressions, syntax};
use crate::resource::{FileId, FileTable, Problem};
use crate::source_tree::{Files, Folder, TreePath};
use crate::suppressions::Found;

/// Whether a path is a variable file.
pub(crate) fn is_variable_file(path: &TreePath) -> bool {
    let name = path.file_name();
    name.ends_with(".tfvars") || name.ends_with(".tfvars.json")
}

/// Whether Terraform reads a variable file without being told.
fn is_automatic(path: &TreePath) -> bool {
    let name = path.file_name();
    let name = name.strip_suffix(".json").unwrap_or(name);
    name == "terraform.tfvars" || name.ends_with(".auto.tfvars")
}

/// The variable files of a folder, in the order they are read: later ones win.
pub(crate) fn automatic_files(files: &dyn Files, folder: &Folder) -> Vec<TreePath> {
    let below = files.below(folder).iter().map(|entry| &entry.path);
    let mut found: Vec<TreePath> = below
        .filter(|path| folder.contains_directly(path) && is_variable_file(path) && is_automatic(path))
        .cloned()
        .collect();
    let rank = |path: &TreePath| match path.file_name() {
        "terraform.tfvars" => 0,
        "terraform.tfvars.json" => 1,
        _ => 2,
    };
    found.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.file_name().cmp(b.file_name())));
    found
}

/// The values given to a root's variables.
pub(crate) fn given(
    folder: &Folder,
    files: &dyn Files,
    options: &ReadOptions,
    table: &mut FileTable,
    problems: &mut Vec<Problem>,
    silenced: &mut Found,
) -> HashMap<Arc<str>, (Arc<Attribute>, FileId)> {
    let mut given = HashMap::new();
    for path in automatic_files(files, folder).iter().chain(&options.variable_files) {
        let file = match files.read(path) {
            Ok(file) => file,
            Err(why) => {
                problems.push(unreadable(path, &why.to_string()));
                continue;
            }
        };
        let id = table.add(&file);
        let parsed = if path.as_str().ends_with(".json") {
            syntax::parse_json_values(file.text(), 0)
        } else {
            syntax::parse_native(file.text(), 0)
        };
        silenced.add(suppressions::read(&file, id, &parsed.body));
        problems.extend(parsed.flaws.into_iter().map(|flaw| problem(flaw, id, &file)));
        for attribute in parsed.body.attributes() {
            given.insert(Arc::clone(&attribute.name.text), (Arc::clone(attribute), id));
        }
    }
    given
}
