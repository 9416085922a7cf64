//! One member per infrastructure-as-code format: which files are of it, which belong together, and what they declare.
//!
//! A format never fails: what it cannot read becomes a [`Problem`](crate::resource::Problem) of the unit. It never guesses
//! either: a value it cannot know is unknown, with the reason.

#[cfg(test)]
mod dump;

mod dockerfile;
mod kubernetes;
mod terraform;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::resource::{FormatId, Unit};
use crate::source_tree::{Entry, Files, Folder, TreePath};
use crate::views::images;

/// Every format, in the order reports list them.
#[rustfmt::skip]
pub static FORMATS: &[&dyn Format] = &[
    &terraform::Terraform,
    &kubernetes::Kubernetes,
    &dockerfile::Dockerfile,
];

/// What a path alone says about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// It is of the format.
    Certain,
    /// Its content decides.
    Possible,
    /// It is not.
    No,
}

/// Which units are wanted.
#[derive(Clone, Debug)]
pub enum Scope {
    /// All of them.
    All,
    /// Those that one of these files belongs to.
    Touching(BTreeSet<TreePath>),
}

impl Scope {
    /// Whether a file lies directly in a folder and is in the scope; for [`Scope::All`] always.
    #[must_use]
    pub fn touches(&self, folder: &Folder) -> bool {
        match self {
            Self::All => true,
            Self::Touching(paths) => paths.iter().any(|path| folder.contains_directly(path)),
        }
    }
}

/// Files that are evaluated together, not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitPlan {
    /// Which format reads it.
    pub format: FormatId,
    /// The folder or file that names it in reports.
    pub name: String,
    /// The folder it is read from.
    pub folder: Folder,
    /// The files it begins with; reading may follow references to others.
    pub paths: Vec<TreePath>,
}

/// What the caller decides about reading.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ReadOptions {
    /// Variable files besides those the format finds by itself, the last one winning.
    pub variable_files: Vec<TreePath>,
}

/// A part of the tree that was not searched for what a touched file has to do with: a problem at that file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The touched file.
    pub path: TreePath,
    /// What was not searched, with the figures, without a final stop.
    pub message: String,
    /// What to do about it, without a final stop.
    pub remedy: String,
}

/// One infrastructure-as-code format.
pub trait Format: Sync {
    /// Its name.
    fn id(&self) -> FormatId;

    /// What a path alone says.
    fn recognise(&self, path: &TreePath) -> Recognition;

    /// The files to fetch so that the units touched can be read: asked with what is held already, and asked again after
    /// fetching until nothing new is named. The listing and what is held are of the same commit.
    fn needs(&self, entries: &[Entry], touched: &BTreeSet<TreePath>, held: &dyn Files) -> BTreeSet<TreePath>;

    /// What [`Format::needs`] will not search because the tree is too large.
    fn gaps(&self, entries: &[Entry], touched: &BTreeSet<TreePath>) -> Vec<Gap> {
        let _ = (entries, touched);
        Vec::new()
    }

    /// The units of a tree.
    fn units(&self, files: &dyn Files, scope: &Scope) -> Vec<UnitPlan>;

    /// Reads a unit.
    fn read(&self, plan: &UnitPlan, files: &dyn Files, options: &ReadOptions) -> Unit;
}

/// The format of an id.
#[must_use]
pub fn format(id: FormatId) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.id() == id)
}

/// Whether a path may be infrastructure-as-code of any format.
#[must_use]
pub fn may_be_code(path: &TreePath) -> bool {
    FORMATS.iter().any(|format| format.recognise(path) != Recognition::No)
}

/// The files to fetch for all formats, see [`Format::needs`].
#[must_use]
pub fn needs(entries: &[Entry], touched: &BTreeSet<TreePath>, held: &dyn Files) -> BTreeSet<TreePath> {
    FORMATS.iter().flat_map(|format| format.needs(entries, touched, held)).collect()
}

/// What is not searched over all formats, see [`Format::gaps`].
#[must_use]
pub fn gaps(entries: &[Entry], touched: &BTreeSet<TreePath>) -> Vec<Gap> {
    FORMATS.iter().flat_map(|format| format.gaps(entries, touched)).collect()
}

/// The units of a tree over all formats.
#[must_use]
pub fn units(files: &dyn Files, scope: &Scope) -> Vec<UnitPlan> {
    FORMATS.iter().flat_map(|format| format.units(files, scope)).collect()
}

/// Reads a unit; a plan of a format that is not here reads as an empty unit.
#[must_use]
pub fn read(plan: &UnitPlan, files: &dyn Files, options: &ReadOptions) -> Unit {
    match format(plan.format) {
        Some(format) => {
            let mut unit = format.read(plan, files, options);
            let mut images = images(&unit.resources);
            unit.resources.append(&mut images);
            unit
        }
        None => Unit::empty(&plan.name),
    }
}
