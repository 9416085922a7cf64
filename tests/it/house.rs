//! The house rules that a compiler does not hold: floors, families, sizes, and documents that tell the truth.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !matches!(name.as_str(), "target" | ".git") {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The modules of a package from the ground up, as its `lib.rs` lists them.
fn floors(source: &Path) -> Vec<String> {
    let text = fs::read_to_string(source.join("lib.rs")).unwrap();
    let names = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    names.map(str::to_owned).collect()
}

fn floor_of(source: &Path, file: &Path) -> Option<String> {
    let relative = file.strip_prefix(source).unwrap();
    let first = relative.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    let name = first.strip_suffix(".rs").unwrap_or(&first).to_owned();
    (name != "lib" && name != "main").then_some(name)
}

/// The modules of this package that a file names: `crate::name`.
fn named(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let starts = code.match_indices("crate::").map(|(at, found)| at + found.len());
    starts.map(|at| code[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()).collect()
}

#[test]
fn a_module_names_only_the_floors_below_it() {
    let mut wrong = Vec::new();
    for source in [root().join("engine/src"), root().join("src")] {
        let floors = floors(&source);
        assert!(floors.len() >= 4, "{}", source.display());
        let height: BTreeMap<&str, usize> = floors.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        for file in files(&source, "rs") {
            let Some(floor) = floor_of(&source, &file) else { continue };
            let own = *height.get(floor.as_str()).unwrap_or_else(|| panic!("{floor} is not in lib.rs"));
            for name in named(&fs::read_to_string(&file).unwrap()) {
                match height.get(name.as_str()) {
                    Some(other) if *other > own => wrong.push(format!("{} names `{name}`", file.display())),
                    Some(_) => {}
                    None => wrong.push(format!("{} names `{name}`, which is no floor", file.display())),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn members_of_a_family_do_not_name_each_other() {
    let families = ["engine/src/formats", "engine/src/reports", "src/forges", "src/jobs", "src/cli"];
    let mut wrong = Vec::new();
    for family in families {
        let folder = root().join(family);
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        let name = Path::new(family).file_name().unwrap().to_string_lossy().into_owned();
        let mut members = Vec::new();
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                members.push(path);
            }
        }
        for member in &members {
            let own = member.file_name().unwrap().to_string_lossy().into_owned();
            for file in files(member, "rs") {
                let text = fs::read_to_string(&file).unwrap();
                for other in members.iter().map(|other| other.file_name().unwrap().to_string_lossy().into_owned()) {
                    if other != own && other != "http" && text.contains(&format!("crate::{name}::{other}::")) {
                        wrong.push(format!("{} names {other}", file.display()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut wrong = Vec::new();
    for folder in ["engine/src", "src", "tests", "benches"] {
        for file in files(&root().join(folder), "rs") {
            let text = fs::read_to_string(&file).unwrap();
            let lines = text.lines().count();
            if !text.starts_with("//!") {
                wrong.push(format!("{} does not open with `//!`", file.display()));
            }
            if lines > 600 {
                wrong.push(format!("{} has {lines} lines", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_is_no_module_file_beside_its_folder() {
    for folder in ["engine/src", "src"] {
        for file in files(&root().join(folder), "rs") {
            let twin = file.with_extension("");
            assert!(!twin.is_dir(), "{} stands beside its folder: move it to mod.rs", file.display());
        }
    }
}

#[test]
fn the_engine_depends_on_nothing_that_touches_the_world() {
    let manifest = fs::read_to_string(root().join("engine/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    for banned in ["tokio", "axum", "octocrab", "sqlx", "reqwest", "hyper", "ignore", "rayon", "chrono", "async"] {
        let names = dependencies.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim());
        assert!(!names.clone().any(|name| name.starts_with(banned)), "the engine depends on {banned}");
    }
}

#[test]
fn paths_named_in_documents_exist() {
    let mut wrong = Vec::new();
    let mut documents = files(&root().join("docs"), "md");
    documents.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root().join(name)));
    for document in documents.iter().filter(|document| document.exists()) {
        let text = fs::read_to_string(document).unwrap();
        for path in text.split('`').skip(1).step_by(2).filter(|word| is_path_of_ours(word)) {
            if !root().join(path.trim_end_matches('/')).exists() {
                wrong.push(format!("{}: `{path}`", document.display()));
            }
        }
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = target.split('#').next().unwrap();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            if !document.parent().unwrap().join(target).exists() {
                wrong.push(format!("{}: link to {target}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "named, but not there:\n{}", wrong.join("\n"));
}

/// Whether a word in code marks names a path of this repository, and no pattern.
fn is_path_of_ours(word: &str) -> bool {
    let folders = ["src/", "engine/", "policies/", "fixtures/", "tests/", "docs/", "benches/", ".ci/"];
    folders.iter().any(|folder| word.starts_with(folder)) && !word.contains(['*', '<', '{', ' ', '…'])
}
