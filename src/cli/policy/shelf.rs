//! The policies to speak of: those of the program, and those of folders beside them.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use portcullis_engine::builtin;
use portcullis_engine::policy::{Catalogue, Library, Metadata, Mistake, Policy, is_library, load_library, load_policy};

use crate::policy_folder::{Mistakes, PolicyFile, PolicyFolder};

/// Which policies.
#[derive(Args)]
pub(super) struct ShelfArguments {
    /// A folder of your own policies, or one file of them, instead of those that come with the program.
    #[arg(long = "policies", value_name = "FOLDER")]
    folders: Vec<PathBuf>,
}

/// Policy files and the sets they name.
pub(super) struct Shelf {
    pub(super) books: Vec<PolicyFile>,
    pub(super) library: Library,
}

impl ShelfArguments {
    /// Reads them.
    pub(super) fn shelf(&self) -> anyhow::Result<Shelf> {
        let builtin = Shelf::builtin()?;
        if self.folders.is_empty() {
            return Ok(builtin);
        }
        let mut shelf = Shelf { books: Vec::new(), library: builtin.library };
        for folder in &self.folders {
            shelf = shelf.with_folder(folder)?;
        }
        Ok(shelf)
    }
}

impl Shelf {
    fn builtin() -> anyhow::Result<Self> {
        let mut shelf = Self { books: Vec::new(), library: Library::default() };
        let mut mistakes: Vec<Mistake> = Vec::new();
        for (path, text) in builtin::files()? {
            if is_library(path.trim_start_matches("policies/")) {
                mistakes.extend(load_library(path, text, &mut shelf.library).err().into_iter().flatten());
                continue;
            }
            match load_policy(path, text, &shelf.library) {
                Ok(loaded) => shelf.books.push(PolicyFile { path: path.to_owned(), text: text.to_owned(), loaded }),
                Err(found) => mistakes.extend(found),
            }
        }
        if mistakes.is_empty() { Ok(shelf) } else { bail!(Mistakes(mistakes)) }
    }

    fn with_folder(mut self, folder: &Path) -> anyhow::Result<Self> {
        let read = PolicyFolder::read(folder, self.library)?;
        if read.files.is_empty() {
            bail!("{} holds no policy (files named *.yaml)", folder.display());
        }
        self.books.extend(read.files);
        self.library = read.library;
        Ok(self)
    }

    /// All policies with the files they stand in.
    pub(super) fn policies(&self) -> impl Iterator<Item = (&Policy, &PolicyFile)> {
        self.books.iter().flat_map(|book| book.loaded.policies.iter().map(move |policy| (policy, book)))
    }

    /// The policies that a name means; all when there is none.
    pub(super) fn named(&self, names: &[String]) -> anyhow::Result<Vec<(&Policy, &PolicyFile)>> {
        let catalogue =
            Catalogue::of(self.policies().map(|(policy, _)| policy.clone()).collect(), self.library.clone())?;
        let mut wanted = Vec::new();
        for name in names {
            let found = catalogue.named(name)?;
            if found.is_empty() {
                bail!("no policy is called `{name}`, and none stands for it; `portcullis policy list` shows all");
            }
            wanted.extend(found.into_iter().filter_map(|position| catalogue.id(position).cloned()));
        }
        let mut chosen: Vec<_> = self.policies().collect();
        chosen.retain(|(policy, _)| names.is_empty() || wanted.contains(&policy.metadata.id));
        chosen.sort_by(|(a, _), (b, _)| a.metadata.id.cmp(&b.metadata.id));
        Ok(chosen)
    }
}

/// The formats a policy speaks of: `terraform`, `kubernetes`; `any` where it speaks of what several formats share.
pub(super) fn formats(policy: &Policy) -> Vec<&'static str> {
    let mut names: Vec<&str> =
        policy.checks.iter().map(|check| check.format.map_or("everywhere", |format| format.name())).collect();
    names.dedup();
    names
}

/// Whether a word occurs in what a policy says of itself.
pub(super) fn speaks_of(metadata: &Metadata, word: &str) -> bool {
    let word = word.to_lowercase();
    [metadata.id.as_str(), &metadata.title, &metadata.description]
        .iter()
        .any(|text| text.to_lowercase().contains(&word))
}
