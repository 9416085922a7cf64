//! A folder or file on disk as the engine's files: listed once, read on demand, never written.
//!
//! Several roots are several trees; all their paths start at one base (the current folder, or `/` when a root lies outside
//! of it), so that every path in a report can be opened as it is printed.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use ignore::WalkBuilder;
use portcullis_engine::source_tree::{Entry, FILE_LIMIT_BYTES, Files, SourceFile, TreePath, Unreadable};

/// Most files of one root.
const FILE_COUNT_LIMIT: usize = 500_000;
/// Deepest nesting of folders.
const DEPTH_LIMIT: usize = 64;
/// Folders that hold what programs made, not what people wrote.
const SKIPPED_FOLDERS: [&str; 3] = [".git", ".terraform", "node_modules"];

/// What every path of a report starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    folder: PathBuf,
    /// What to write before a path so that it can be opened: nothing, or `/`.
    pub prefix: &'static str,
}

impl Base {
    /// The current folder when all roots lie in it, else the root of the file system.
    ///
    /// # Errors
    /// When a root does not exist.
    pub fn of(roots: &[PathBuf]) -> anyhow::Result<(Self, Vec<PathBuf>)> {
        let here = std::env::current_dir().context("the current folder cannot be named")?;
        let here = here.canonicalize().unwrap_or(here);
        let resolve =
            |root: &PathBuf| root.canonicalize().with_context(|| format!("{} cannot be opened", root.display()));
        let resolved: Vec<PathBuf> = roots.iter().map(resolve).collect::<Result<_, _>>()?;
        let is_inside = resolved.iter().all(|root| root.starts_with(&here));
        let base = if is_inside {
            Self { folder: here, prefix: "" }
        } else {
            Self { folder: PathBuf::from("/"), prefix: "/" }
        };
        Ok((base, resolved))
    }

    /// The folder itself.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn tree_path(&self, path: &Path) -> Result<TreePath, String> {
        let relative = path.strip_prefix(&self.folder).unwrap_or(path);
        let segments: Option<Vec<&str>> = relative
            .components()
            .map(|component| if let Component::Normal(segment) = component { segment.to_str() } else { None })
            .collect();
        let segments = segments.ok_or_else(|| "the name is not UTF-8".to_owned())?;
        TreePath::new(&segments.join("/")).map_err(|error| error.to_string())
    }
}

/// The files of one root.
pub struct WorkingTree {
    base: Base,
    entries: Vec<Entry>,
    /// What was not looked at.
    pub unlisted: Vec<Unlisted>,
}

/// A file whose name no report can carry, or a folder too deep.
pub struct Unlisted {
    /// Where it lies, as the system shows it.
    pub path: String,
    /// Why it was not looked at.
    pub why: String,
    /// What to do about it.
    pub remedy: &'static str,
}

impl WorkingTree {
    /// Lists a folder (what its `.gitignore` files leave out is left out) or a single file.
    ///
    /// # Errors
    /// When the folder cannot be listed or has more files than the limit.
    pub fn open(base: &Base, root: &Path) -> anyhow::Result<Self> {
        let mut tree = Self { base: base.clone(), entries: Vec::new(), unlisted: Vec::new() };
        let is_skipped = |name: &std::ffi::OsStr| SKIPPED_FOLDERS.iter().any(|skipped| name == *skipped);
        let walk = WalkBuilder::new(root)
            .hidden(false)
            .require_git(false)
            .follow_links(false)
            .max_depth(Some(DEPTH_LIMIT))
            .filter_entry(move |entry| entry.depth() == 0 || !is_skipped(entry.file_name()))
            .build();
        for entry in walk {
            let entry = entry.with_context(|| format!("{} cannot be listed", root.display()))?;
            if entry.depth() == DEPTH_LIMIT && entry.file_type().is_some_and(|kind| kind.is_dir()) {
                let why = format!("what lies in it is deeper than the limit of {DEPTH_LIMIT} folders");
                tree.unlisted.push(Unlisted {
                    path: entry.path().to_string_lossy().into_owned(),
                    why,
                    remedy: "scan it by itself",
                });
                continue;
            }
            if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            if tree.entries.len() == FILE_COUNT_LIMIT {
                bail!("{} holds more than {FILE_COUNT_LIMIT} files; scan its parts one by one", root.display());
            }
            tree.add(entry.path(), entry.metadata().map(|metadata| metadata.len()).unwrap_or_default());
        }
        tree.entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    /// Adds a file that lies elsewhere below the base, and says by which path it is known.
    ///
    /// # Errors
    /// When there is no such file, or no report can carry its name.
    pub fn add_file(&mut self, file: &Path) -> anyhow::Result<TreePath> {
        let size_bytes = file.metadata().with_context(|| format!("{} cannot be opened", file.display()))?.len();
        let path = self.base.tree_path(file).map_err(|why| anyhow!("{}: {why}", file.display()))?;
        if self.entry(&path).is_none() {
            self.entries.push(Entry { path: path.clone(), blob: None, size_bytes, is_link: false });
            self.entries.sort_by(|a, b| a.path.cmp(&b.path));
        }
        Ok(path)
    }

    fn add(&mut self, path: &Path, size_bytes: u64) {
        match self.base.tree_path(path) {
            Ok(path) => self.entries.push(Entry { path, blob: None, size_bytes, is_link: false }),
            Err(why) => {
                self.unlisted.push(Unlisted {
                    path: path.to_string_lossy().into_owned(),
                    why,
                    remedy: "rename the file",
                });
            }
        }
    }
}

impl Files for WorkingTree {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn read(&self, path: &TreePath) -> Result<Arc<SourceFile>, Unreadable> {
        let entry = self.entry(path).ok_or(Unreadable::Absent)?;
        let too_large = |size_bytes| Unreadable::TooLarge { size_bytes, limit_bytes: FILE_LIMIT_BYTES };
        if entry.size_bytes > FILE_LIMIT_BYTES {
            return Err(too_large(entry.size_bytes));
        }
        let refused = |error: std::io::Error| Unreadable::Refused(error.to_string());
        let file = File::open(self.base.folder.join(path.as_str())).map_err(refused)?;
        let mut bytes = Vec::with_capacity(entry.size_bytes as usize);
        file.take(FILE_LIMIT_BYTES + 1).read_to_end(&mut bytes).map_err(refused)?;
        if bytes.len() as u64 > FILE_LIMIT_BYTES {
            return Err(too_large(bytes.len() as u64));
        }
        SourceFile::from_bytes(path.clone(), bytes).map(Arc::new)
    }
}
