//! Which policies a scan asks.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use portcullis_engine::builtin;
use portcullis_engine::evaluate::Selection;
use portcullis_engine::policy::{Catalogue, Library, PolicyId};

use super::ScanArguments;
use crate::policy_folder::PolicyFolder;

/// The policies of the program and those of the folders.
pub(in crate::cli) fn catalogue(folders: &[PathBuf], no_builtin: bool) -> anyhow::Result<Catalogue> {
    let builtin = builtin::catalogue()?;
    let mut library = builtin.library().clone();
    let mut catalogue = if no_builtin { Catalogue::of(Vec::new(), Library::default())? } else { builtin };
    for folder in folders {
        let read = PolicyFolder::read(folder, library)?;
        let policies = read.policies();
        if policies.is_empty() {
            bail!("{} holds no policy (files named *.yaml)", folder.display());
        }
        library = read.library;
        catalogue = catalogue.with_library(library.clone()).with(policies).with_context(|| clash(folder))?;
    }
    Ok(catalogue)
}

fn clash(folder: &std::path::Path) -> String {
    format!("{}: give your policy an id of its own", folder.display())
}

/// The policies that are wanted of a catalogue.
pub(super) fn selection(arguments: &ScanArguments, catalogue: &Catalogue, today: i64) -> anyhow::Result<Selection> {
    let mut only = named(catalogue, &arguments.only)?;
    let skip = named(catalogue, &arguments.skip)?;
    if let Some(least) = arguments.severity {
        let candidates = if arguments.only.is_empty() { catalogue.ids().cloned().collect() } else { only };
        only = Vec::new();
        for id in candidates {
            let position = catalogue.position(&id).ok_or_else(|| anyhow!("no policy {id}"))?;
            if catalogue.metadata(position)?.severity >= least {
                only.push(id);
            }
        }
        if only.is_empty() {
            bail!("no policy of severity {least} or worse is left");
        }
    }
    Ok(Selection { only, skip, today })
}

/// The ids of the policies that names mean.
pub(in crate::cli) fn named(catalogue: &Catalogue, names: &[String]) -> anyhow::Result<Vec<PolicyId>> {
    let mut ids = Vec::new();
    for name in names {
        let found = catalogue.named(name)?;
        if found.is_empty() {
            bail!("no policy is called `{name}`, and none stands for it; `portcullis policy list` shows all");
        }
        ids.extend(found.into_iter().filter_map(|position| catalogue.id(position)).cloned());
    }
    Ok(ids)
}
