//! Compiles `policies/` into the bytes the engine embeds, with the engine's own loader.
//!
//! The loader's modules are taken in by path: they name nothing outside themselves, so they mean the same here.

#![allow(dead_code, unreachable_pub, unused_imports, reason = "only the loader of these modules is used here")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    clippy::disallowed_methods,
    reason = "a build script"
)]

#[path = "src/source_tree/mod.rs"]
mod source_tree;

#[path = "src/resource/mod.rs"]
mod resource;

#[path = "src/syntax/mod.rs"]
mod syntax;

#[path = "src/policy/mod.rs"]
mod policy;

use std::error::Error;
use std::path::{Path, PathBuf};

use policy::{Library, Mistake, Policy};

fn main() -> Result<(), Box<dyn Error>> {
    let home = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    pack_schemas(&home.join("schemas"))?;
    let root = home.join("../policies");
    println!("cargo::rerun-if-changed={}", root.display());
    println!("cargo::rerun-if-changed=build.rs");
    let mut files = Vec::new();
    files_named(&root, "yaml", &mut files)?;
    files.sort();
    let (library_files, policy_files): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| policy::is_library(&relative(&root, file)));
    let mut mistakes = Vec::new();
    let mut library = Library::default();
    for file in &library_files {
        mistakes.extend(policy::load_library(&name(&root, file), &std::fs::read_to_string(file)?, &mut library).err());
    }
    let mut policies: Vec<Policy> = Vec::new();
    for file in &policy_files {
        match policy::load_policy(&name(&root, file), &std::fs::read_to_string(file)?, &library) {
            Ok(loaded) => policies.extend(loaded.policies),
            Err(found) => mistakes.push(found),
        }
    }
    refuse(&mistakes.concat());
    policies.sort_by(|a, b| a.metadata.id.cmp(&b.metadata.id));
    for pair in policies.windows(2) {
        if let [a, b] = pair
            && a.metadata.id == b.metadata.id
        {
            return Err(format!("two policies have the id `{}`", a.metadata.id).into());
        }
    }
    let packed = policy::pack(&policies, &library)?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("catalogue.bin"), packed)?;
    let mut texts: Vec<(String, String)> = Vec::new();
    for file in library_files.iter().chain(&policy_files) {
        texts.push((name(&root, file), std::fs::read_to_string(file)?));
    }
    std::fs::write(out.join("policies.bin"), postcard::to_allocvec(&texts)?)?;
    Ok(())
}

/// Packs the schemas of resource types, unless that was done since they last changed.
fn pack_schemas(root: &Path) -> Result<(), Box<dyn Error>> {
    let packed = PathBuf::from(std::env::var("OUT_DIR")?).join("schemas.bin");
    let mut files = Vec::new();
    for folder in ["data", "views"] {
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
        files_named(&root.join(folder), "txt", &mut files)?;
    }
    files.sort();
    let changed = |file: &PathBuf| std::fs::metadata(file).and_then(|file| file.modified());
    let newest = files.iter().map(changed).collect::<std::io::Result<Vec<_>>>()?.into_iter().max();
    if changed(&packed).ok() > newest {
        return Ok(());
    }
    let mut texts: Vec<(String, String)> = Vec::new();
    for file in &files {
        texts.push((file.strip_prefix(root)?.display().to_string(), std::fs::read_to_string(file)?));
    }
    let bytes = postcard::to_allocvec(&texts)?;
    std::fs::write(packed, lz4_flex::block::compress_prepend_size(&bytes))?;
    Ok(())
}

/// Ends the build with every mistake, each on a line of its own.
fn refuse(mistakes: &[Mistake]) {
    for mistake in mistakes {
        eprintln!("{mistake}");
    }
    if !mistakes.is_empty() {
        eprintln!("{} mistakes in policies", mistakes.len());
        std::process::exit(1);
    }
}

fn name(root: &Path, file: &Path) -> String {
    format!("policies/{}", relative(root, file))
}

fn relative(root: &Path, file: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).display().to_string()
}

fn files_named(folder: &Path, ending: &str, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files_named(&path, ending, files)?;
        } else if path.extension().is_some_and(|extension| extension == ending) {
            files.push(path);
        }
    }
    Ok(())
}
