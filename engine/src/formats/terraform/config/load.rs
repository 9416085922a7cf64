//! Reads a folder and every local module it calls, each once.

use std::collections::HashMap;
use std::sync::Arc;

use super::module::{Module, Source};
use super::overrides;
use crate::formats::terraform::suppressions;
use crate::formats::terraform::syntax::ir::{Body, FileIndex};
use crate::formats::terraform::syntax::{self, Flaw, Parsed};
use crate::resource::{FileId, FileTable, Problem, ProblemKind, Span, Unevaluated};
use crate::source_tree::{Files, Folder, SourceFile, TreePath};
use crate::suppressions::Found;

/// Most folders one unit is read from.
const MODULE_LIMIT: usize = 2_000;

/// A folder and the local modules it calls at any depth.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    modules: Vec<Module>,
    by_folder: HashMap<Folder, usize>,
    pub problems: Vec<Problem>,
    pub unevaluated: Vec<Unevaluated>,
    pub suppressions: Found,
}

/// Whether a path is configuration that Terraform or OpenTofu reads.
pub(crate) fn is_configuration(path: &TreePath) -> bool {
    let name = path.file_name();
    let ignored = name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'));
    !ignored && [".tf", ".tf.json", ".tofu", ".tofu.json"].iter().any(|end| name.ends_with(end))
}

/// The file that OpenTofu reads in place of a file of Terraform, if it is there: `main.tofu` of `main.tf`.
pub(crate) fn stand_in(path: &TreePath) -> Option<TreePath> {
    let name = path.file_name();
    let (stem, json) = name.strip_suffix(".json").map_or((name, ""), |stem| (stem, ".json"));
    path.folder().file(&format!("{}.tofu{json}", stem.strip_suffix(".tf")?)).ok()
}

/// The configuration files directly in a folder, in the order Terraform reads them.
pub(crate) fn configuration_files<'f>(files: &'f dyn Files, folder: &'f Folder) -> impl Iterator<Item = &'f TreePath> {
    let below = files.below(folder).iter().map(|entry| &entry.path);
    below.filter(|path| folder.contains_directly(path) && is_configuration(path))
}

/// Whether OpenTofu reads another file in place of this one.
fn is_replaced(path: &TreePath, files: &dyn Files) -> bool {
    stand_in(path).is_some_and(|other| files.entry(&other).is_some())
}

/// The text of a configuration file as its tree.
pub(crate) fn parse(file: &SourceFile, index: FileIndex) -> Parsed {
    if file.path().as_str().ends_with(".json") {
        syntax::parse_json(file.text(), index)
    } else {
        syntax::parse_native(file.text(), index)
    }
}

impl Loaded {
    /// Reads a folder, and what it calls.
    pub(crate) fn read(root: &Folder, files: &dyn Files, table: &mut FileTable) -> Self {
        let mut loaded = Self::default();
        let mut wanted = vec![root.clone()];
        while let Some(folder) = wanted.pop() {
            if loaded.by_folder.contains_key(&folder) {
                continue;
            }
            if loaded.modules.len() >= MODULE_LIMIT {
                loaded.too_many(files, root);
                break;
            }
            let module = loaded.module(&folder, files, table);
            wanted.extend(module.calls.iter().filter_map(|call| match &call.source {
                Source::Local(folder) => Some(folder.clone()),
                Source::Outside(_) | Source::Remote(_) | Source::Unreadable => None,
            }));
            loaded.by_folder.insert(folder, loaded.modules.len());
            loaded.modules.push(module);
        }
        loaded
    }

    /// The module of a folder, if it has any configuration.
    pub(crate) fn get(&self, folder: &Folder) -> Option<&Module> {
        self.by_folder.get(folder).and_then(|index| self.modules.get(*index)).filter(|module| !module.files.is_empty())
    }

    fn module(&mut self, folder: &Folder, files: &dyn Files, table: &mut FileTable) -> Module {
        let mut module = Module::new(folder.clone());
        let mut bodies = Vec::new();
        let mut override_bodies = Vec::new();
        for path in configuration_files(files, folder) {
            if is_replaced(path, files) {
                let what = "file that OpenTofu reads another one for (.tofu)".into();
                self.unevaluated.push(Unevaluated { path: path.clone(), what });
                continue;
            }
            let file = match files.read(path) {
                Ok(file) => file,
                Err(why) => {
                    self.problems.push(unreadable(path, &why.to_string()));
                    continue;
                }
            };
            let index = module.files.len() as FileIndex;
            let id = table.add(&file);
            module.files.push(id);
            let parsed = parse(&file, index);
            self.suppressions.add(suppressions::read(&file, id, &parsed.body));
            module.flaws.extend(parsed.flaws.into_iter().map(|flaw| (index, flaw)));
            if overrides::is_override(path.file_name()) {
                override_bodies.push(parsed.body);
            } else {
                bodies.push(parsed.body);
            }
        }
        for body in &override_bodies {
            module.flaws.append(&mut overrides::apply(&mut bodies, body));
        }
        bodies.iter().for_each(|body: &Body| module.declare(body));
        self.report(&mut module, table);
        module
    }

    fn report(&mut self, module: &mut Module, table: &FileTable) {
        for (index, flaw) in module.flaws.drain(..) {
            let file = module.files.get(index as usize).copied();
            if let Some((id, file)) = file.and_then(|id| table.get(id).map(|file| (id, file))) {
                self.problems.push(problem(flaw, id, file));
            }
        }
    }

    fn too_many(&mut self, files: &dyn Files, root: &Folder) {
        if let Some(path) = configuration_files(files, root).next() {
            self.problems.push(Problem {
                kind: ProblemKind::Limit,
                path: path.clone(),
                span: None,
                message: format!("more than {MODULE_LIMIT} module folders are called; the rest were not read"),
                remedy: "split the configuration".into(),
            });
        }
    }
}

/// A flaw as a problem of its file.
pub(crate) fn problem(flaw: Flaw, id: FileId, file: &Arc<SourceFile>) -> Problem {
    Problem {
        kind: flaw.kind,
        path: file.path().clone(),
        span: Some(Span::new(id, flaw.place.start as usize..flaw.place.end as usize)),
        message: flaw.message,
        remedy: flaw.remedy.into(),
    }
}

/// A file without text.
pub(crate) fn unreadable(path: &TreePath, why: &str) -> Problem {
    Problem {
        kind: ProblemKind::Unreadable,
        path: path.clone(),
        span: None,
        message: why.to_owned(),
        remedy: "make it a UTF-8 text of ordinary size".into(),
    }
}
