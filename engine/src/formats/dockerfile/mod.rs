//! Dockerfiles and Containerfiles: each a unit of its own, its stages and its instructions resources.
//!
//! The builder's own rules are followed (moby/buildkit): what it would build is what is judged. Where it would refuse the
//! whole file, the place is said and the rest is read all the same.

mod fields;
mod instruction;
mod lines;
mod reading;
mod scope;
mod scripts;
mod stage;
mod suppressions;
mod words;

use std::collections::BTreeSet;

use crate::resource::{FormatId, Problem, Unevaluated, Unit};
use crate::source_tree::{Entry, Files, TreePath, Unreadable};

use super::{Format, ReadOptions, Recognition, Scope, UnitPlan};

/// Largest file that is read, in bytes: the largest written by hand have some hundred KiB.
const FILE_LIMIT_BYTES: usize = 1024 * 1024;

/// The member.
pub(super) struct Dockerfile;

impl Format for Dockerfile {
    fn id(&self) -> FormatId {
        FormatId::Dockerfile
    }

    fn recognise(&self, path: &TreePath) -> Recognition {
        recognise(path.file_name())
    }

    fn needs(&self, entries: &[Entry], touched: &BTreeSet<TreePath>, _held: &dyn Files) -> BTreeSet<TreePath> {
        let listed = entries.iter().map(|entry| &entry.path);
        listed.filter(|path| touched.contains(*path) && self.recognise(path) != Recognition::No).cloned().collect()
    }

    fn units(&self, files: &dyn Files, scope: &Scope) -> Vec<UnitPlan> {
        let is_wanted = |path: &TreePath| match scope {
            Scope::All => true,
            Scope::Touching(touched) => touched.contains(path),
        };
        let wanted = files.entries().iter().map(|entry| &entry.path);
        let wanted = wanted.filter(|path| self.recognise(path) != Recognition::No && is_wanted(path));
        let plan = |path: &TreePath| UnitPlan {
            format: self.id(),
            name: path.to_string(),
            folder: path.folder(),
            paths: vec![path.clone()],
        };
        wanted.map(plan).collect()
    }

    fn read(&self, plan: &UnitPlan, files: &dyn Files, _options: &ReadOptions) -> Unit {
        let mut unit = Unit::empty(&plan.name);
        for path in &plan.paths {
            read_file(path, files, &mut unit);
        }
        unit
    }
}

/// What a file's name says. Builders look for exactly `Dockerfile` and `Containerfile`; people add what a file is for before
/// or behind, and in any case.
fn recognise(name: &str) -> Recognition {
    let name = name.to_ascii_lowercase();
    for kind in ["dockerfile", "containerfile"] {
        if name == kind || name.strip_suffix(kind).is_some_and(|before| before.ends_with('.') && before.len() > 1) {
            return Recognition::Certain;
        }
        if let Some(behind) = name.strip_prefix(kind)
            && behind.starts_with(['.', '-', '_'])
            && !is_of_another_kind(behind)
        {
            return Recognition::Possible;
        }
    }
    Recognition::No
}

/// Whether a name goes on as that of a program or a document about Dockerfiles (`dockerfile_test.go`, `Dockerfile.md`), or
/// of the list of files a build leaves out.
fn is_of_another_kind(behind: &str) -> bool {
    const OTHERS: &[&str] = &[
        "adoc",
        "bak",
        "c",
        "cpp",
        "cs",
        "css",
        "csv",
        "diff",
        "dockerignore",
        "go",
        "h",
        "html",
        "java",
        "js",
        "json",
        "jsx",
        "kt",
        "lock",
        "log",
        "lua",
        "md",
        "orig",
        "patch",
        "php",
        "pl",
        "png",
        "ps1",
        "py",
        "rb",
        "rej",
        "rs",
        "rst",
        "scala",
        "sh",
        "snap",
        "svg",
        "swift",
        "swp",
        "tf",
        "toml",
        "ts",
        "tsx",
        "txt",
        "vim",
        "xml",
        "yaml",
        "yml",
    ];
    behind.rsplit_once('.').is_some_and(|(_, extension)| OTHERS.contains(&extension))
}

fn read_file(path: &TreePath, files: &dyn Files, unit: &mut Unit) {
    let unreadable =
        |why: &Unreadable| Problem::of_unreadable(path, why, "move what is long into files the build copies");
    let file = match files.read(path) {
        Ok(file) if file.text().len() <= FILE_LIMIT_BYTES => file,
        Ok(file) => {
            let (size_bytes, limit_bytes) = (file.text().len() as u64, FILE_LIMIT_BYTES as u64);
            return unit.problems.push(unreadable(&Unreadable::TooLarge { size_bytes, limit_bytes }));
        }
        Err(why) => return unit.problems.push(unreadable(&why)),
    };
    let lines = lines::cut(file.text());
    let is_certain = recognise(path.file_name()) == Recognition::Certain;
    if !is_certain && !lines.instructions.iter().any(|line| instruction::Keyword::of(line.keyword().text()).is_some()) {
        return;
    }
    let id = unit.files.add(&file);
    let found = reading::read(&file, id, &lines);
    if !found.problems.is_empty() && is_template(file.text()) {
        let what = "Dockerfile template".into();
        return unit.unevaluated.push(Unevaluated { path: path.clone(), what });
    }
    let silenced = suppressions::read(&file, id, &lines, &found.resources);
    (unit.suppressions, unit.notices) = (silenced.suppressions, silenced.notices);
    unit.resources = found.resources;
    unit.problems = found.problems;
}

/// Whether a template engine has to fill a file in before it is a Dockerfile.
fn is_template(text: &str) -> bool {
    ["{{", "{%", "<%"].iter().any(|mark| text.lines().any(|line| line.trim_start().starts_with(mark)))
}

#[cfg(test)]
mod second_opinion;
#[cfg(test)]
mod tests;
