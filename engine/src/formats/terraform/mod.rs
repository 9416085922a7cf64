//! Terraform, evaluated as Terraform does it: what it would compute from the files is computed, what it cannot know is
//! unknown with the reason and the place, and nothing in between.
//!
//! [`syntax`] reads text into a tree, [`config`] says what folders declare, [`values`] has the types and their conversions,
//! [`eval`] and [`functions`] compute, [`views`] adds what policies read beside what authors write. [`units`] and [`needs`]
//! say which folders and files belong together; [`read`] puts it together.

mod config;
#[cfg(test)]
mod differential_tests;
mod eval;
mod functions;
#[cfg(test)]
mod hostile_tests;
mod needs;
mod read;
mod suppressions;
mod syntax;
#[cfg(test)]
mod tests;
mod units;
mod values;
mod views;

use std::collections::BTreeSet;

use super::{Format, Gap, ReadOptions, Recognition, Scope, UnitPlan};
use crate::resource::{FormatId, Unit};
use crate::source_tree::{Entry, Files, TreePath};

/// Configuration in Terraform's language, native and JSON.
#[derive(Debug)]
pub(super) struct Terraform;

impl Format for Terraform {
    fn id(&self) -> FormatId {
        FormatId::Terraform
    }

    fn recognise(&self, path: &TreePath) -> Recognition {
        if config::load::is_configuration(path) || config::variables::is_variable_file(path) {
            Recognition::Certain
        } else {
            Recognition::No
        }
    }

    fn needs(&self, entries: &[Entry], touched: &BTreeSet<TreePath>, held: &dyn Files) -> BTreeSet<TreePath> {
        needs::needs(entries, touched, held)
    }

    fn gaps(&self, entries: &[Entry], touched: &BTreeSet<TreePath>) -> Vec<Gap> {
        needs::gaps(entries, touched)
    }

    fn units(&self, files: &dyn Files, scope: &Scope) -> Vec<UnitPlan> {
        units::units(files, scope)
    }

    fn read(&self, plan: &UnitPlan, files: &dyn Files, options: &ReadOptions) -> Unit {
        read::read(plan, files, options)
    }
}
