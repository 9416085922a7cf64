//! A folder of policy files on disk: policies anywhere in it, named sets in its `lib`, providers' defaults in its `defaults`.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use portcullis_engine::policy::{Library, Loaded, Mistake, Policy, is_library, load_library, load_policy};

/// Most policy files of a folder.
const FILE_COUNT_LIMIT: usize = 20_000;
/// Largest policy file, in bytes.
const FILE_LIMIT_BYTES: u64 = 1024 * 1024;
/// Deepest nesting of folders.
const DEPTH_LIMIT: usize = 32;

/// A policy file.
pub struct PolicyFile {
    /// Its path as people may open it.
    pub path: String,
    /// Its text.
    pub text: String,
    /// What it holds.
    pub loaded: Loaded,
}

/// The policy files of a folder, each read by itself.
pub struct PolicyFolder {
    /// The files, by path.
    pub files: Vec<PolicyFile>,
    /// The sets the policies may name: those given, and the folder's own.
    pub library: Library,
}

/// What is wrong with the policies of a folder.
#[derive(Debug)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the policies cannot be used")?;
        self.0.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

impl std::error::Error for Mistakes {}

impl PolicyFolder {
    /// Reads a folder, or a single policy file, over a library of named sets.
    ///
    /// # Errors
    /// [`Mistakes`] with every mistake of every file; or what cannot be read.
    pub fn read(root: &Path, mut library: Library) -> anyhow::Result<Self> {
        let mut paths = Vec::new();
        if root.is_dir() {
            yaml_files(root, 0, &mut paths)?
        } else {
            paths.push(root.to_path_buf())
        }
        paths.sort();
        let is_beside = |path: &PathBuf| path.strip_prefix(root).is_ok_and(|path| is_library(&shown(path)));
        let (sets, policies): (Vec<_>, Vec<_>) = paths.into_iter().partition(is_beside);
        let mut mistakes = Vec::new();
        for path in sets {
            mistakes.extend(load_library(&shown(&path), &text(&path)?, &mut library).err().into_iter().flatten());
        }
        let mut files = Vec::new();
        for path in policies {
            let (text, path) = (text(&path)?, shown(&path));
            match load_policy(&path, &text, &library) {
                Ok(loaded) => files.push(PolicyFile { path, text, loaded }),
                Err(found) => mistakes.extend(found),
            }
        }
        if !mistakes.is_empty() {
            bail!(Mistakes(mistakes));
        }
        Ok(Self { files, library })
    }

    /// All its policies.
    #[must_use]
    pub fn policies(&self) -> Vec<Policy> {
        self.files.iter().flat_map(|file| file.loaded.policies.clone()).collect()
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn text(path: &Path) -> anyhow::Result<String> {
    let unreadable = || format!("{} cannot be read", path.display());
    let size_bytes = fs::metadata(path).with_context(unreadable)?.len();
    if size_bytes > FILE_LIMIT_BYTES {
        bail!("{} has {size_bytes} bytes; a policy file has at most {FILE_LIMIT_BYTES}", path.display());
    }
    fs::read_to_string(path).with_context(unreadable)
}

fn yaml_files(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if depth > DEPTH_LIMIT {
        bail!("{} lies deeper than {DEPTH_LIMIT} folders", folder.display());
    }
    let unreadable = || format!("{} cannot be listed", folder.display());
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        let path = entry.path();
        let kind = entry.file_type().with_context(unreadable)?;
        if kind.is_dir() {
            yaml_files(&path, depth + 1, paths)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
        {
            paths.push(path);
        }
        if paths.len() > FILE_COUNT_LIMIT {
            bail!("{} holds more than {FILE_COUNT_LIMIT} policy files", folder.display());
        }
    }
    Ok(())
}
