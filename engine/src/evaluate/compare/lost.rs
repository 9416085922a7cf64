//! What the head cannot tell any more: a violation of the base that is not found again is fixed only if its resource was judged,
//! or is gone from files that were read.

use std::collections::{HashMap, HashSet};

use crate::evaluate::report::{Listed, State, UnevaluatedFile, UnitReport, Violation};
use crate::policy::PolicyId;
use crate::resource::ProblemKind;
use crate::source_tree::TreePath;

use super::pairs::{Id, Pairs, whole};

/// What the head leaves in the dark.
pub(super) struct Sight<'b> {
    undecided: HashSet<(PolicyId, String, String)>,
    undecided_blocks: HashSet<(PolicyId, String, String)>,
    unreadable: HashSet<TreePath>,
    unevaluated: HashSet<TreePath>,
    newly_unevaluated: HashSet<TreePath>,
    limited: HashSet<String>,
    is_incomplete: bool,
    declared: HashMap<Id<'b>, &'b TreePath>,
    renamed: HashMap<&'b TreePath, &'b TreePath>,
}

impl<'b> Sight<'b> {
    pub(super) fn of(
        head: &UnitReport,
        base: &'b [Listed],
        unevaluated_before: &[UnevaluatedFile],
        renamed: &'b [(TreePath, TreePath)],
    ) -> Self {
        let known: HashSet<&UnevaluatedFile> = unevaluated_before.iter().collect();
        let undecided = head.undecided.iter().chain(&head.suppressed.undecided);
        let limits = head.problems.iter().filter(|problem| problem.kind == ProblemKind::Limit);
        let declared = base.iter().filter_map(|one| Some(((&*one.unit, &*one.address), one.path.as_ref()?)));
        Self {
            undecided: undecided.clone().map(|u| (u.policy.clone(), u.unit.clone(), u.resource.clone())).collect(),
            undecided_blocks: undecided.map(|u| (u.policy.clone(), u.unit.clone(), whole(&u.resource))).collect(),
            unreadable: head.problems.iter().map(|problem| problem.path.clone()).collect(),
            unevaluated: head.unevaluated.iter().map(|file| file.path.clone()).collect(),
            newly_unevaluated: head.unevaluated.iter().filter(|f| !known.contains(f)).map(|f| f.path.clone()).collect(),
            limited: limits.map(|problem| problem.unit.clone()).collect(),
            is_incomplete: !head.errors.is_empty(),
            declared: declared.collect(),
            renamed: renamed.iter().map(|(from, to)| (from, to)).collect(),
        }
    }

    /// A violation of the base that the head does not have: fixed, unless the head can no longer tell.
    pub(super) fn settled(&self, mut violation: Violation, pairs: &Pairs<'_>) -> Violation {
        let why = self.cannot_tell(&violation, pairs);
        violation.state = if why.is_some() { State::Existing } else { State::Fixed };
        if let Some(why) = why {
            violation.message = format!("{} (before this change; now {why})", violation.message);
        }
        violation
    }

    fn cannot_tell(&self, violation: &Violation, pairs: &Pairs<'_>) -> Option<&'static str> {
        let Violation { policy, unit, resource, .. } = violation;
        let now = pairs.now(unit, resource);
        let is_undecided = match now {
            Some((unit, address)) => self.undecided.contains(&(policy.clone(), unit.to_owned(), address.to_owned())),
            None => self.undecided_blocks.contains(&(policy.clone(), unit.clone(), whole(resource))),
        };
        if is_undecided {
            return Some("nobody can tell");
        }
        let own: Vec<&TreePath> = self
            .declared
            .get(&(unit.as_str(), resource.as_str()))
            .copied()
            .into_iter()
            .chain([&violation.location.path])
            .map(|path| self.now(path))
            .collect();
        let is_one_of = |paths: &[&TreePath], files: &HashSet<TreePath>| paths.iter().any(|path| files.contains(*path));
        if is_one_of(&own, &self.unreadable) {
            return Some("the file cannot be read");
        }
        if self.is_incomplete {
            return Some("the evaluation is not complete");
        }
        if is_one_of(&own, &self.newly_unevaluated) {
            return Some("its file is not evaluated");
        }
        if now.is_some() {
            return None;
        }
        let above: Vec<&TreePath> = violation.origins.iter().map(|step| self.now(&step.location.path)).collect();
        if is_one_of(&own, &self.unevaluated) || is_one_of(&above, &self.newly_unevaluated) {
            return Some("it is not evaluated");
        }
        if is_one_of(&above, &self.unreadable) {
            return Some("what leads to it cannot be read");
        }
        self.limited.contains(unit).then_some("a limit is hit before it")
    }

    /// Where a file of the base is in the head.
    fn now<'p>(&'p self, path: &'p TreePath) -> &'p TreePath {
        self.renamed.get(path).copied().unwrap_or(path)
    }
}
