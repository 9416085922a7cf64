//! Head against base: what a pull request introduces, what was there before, what it fixes.
//!
//! Violations are matched one to one: by fingerprint; then by policy and resource; then through renamed files; then by policy,
//! type and deciding leaf. What is left over in the head is introduced, what is left over in the base is fixed — unless the
//! head can no longer tell.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;

use crate::source_tree::TreePath;

use super::report::{State, Undecided, UnitReport, Violation};

/// Sets the state of everything in `head`, and adds what was fixed and what can no longer be told.
pub(super) fn compare(head: &mut UnitReport, base: UnitReport, renamed: &[(TreePath, TreePath)]) {
    let mut matching = Matching::new(&mut head.violations, base.violations);
    let renames: HashMap<&TreePath, &TreePath> = renamed.iter().map(|(from, to)| (from, to)).collect();
    matching.pass(|v| Some(v.fingerprint.clone()), |v| Some(v.fingerprint.clone()));
    let by_resource = |v: &Violation| Some((v.policy.clone(), v.unit.clone(), v.resource.clone()));
    matching.pass(by_resource, by_resource);
    matching.pass(
        |v| Some((v.policy.clone(), v.location.path.clone(), v.resource.clone())),
        |v| Some((v.policy.clone(), (*renames.get(&v.location.path)?).clone(), v.resource.clone())),
    );
    let by_leaf = |v: &Violation| Some((v.policy.clone(), v.resource_type.clone(), v.leaf.clone()));
    matching.pass(by_leaf, by_leaf);
    let gone = matching.finish();
    let gone: Vec<Violation> = gone.into_iter().map(|violation| settle(violation, head)).collect();
    head.violations.extend(gone);
    compare_undecided(&mut head.undecided, &base.undecided);
}

/// A violation of the base that the head does not have: fixed, unless the head can no longer tell.
fn settle(mut violation: Violation, head: &UnitReport) -> Violation {
    let is_undecided = head.undecided.iter().any(|undecided| {
        undecided.policy == violation.policy
            && undecided.unit == violation.unit
            && undecided.resource == violation.resource
    });
    let is_unreadable = head.problems.iter().any(|problem| problem.path == violation.location.path);
    violation.state = if is_undecided || is_unreadable { State::Existing } else { State::Fixed };
    if is_undecided {
        violation.message.push_str(" (before this change; now nobody can tell)");
    } else if is_unreadable {
        violation.message.push_str(" (before this change; now the file cannot be read)");
    }
    violation
}

fn compare_undecided(head: &mut [Undecided], base: &[Undecided]) {
    let key = |u: &Undecided| (u.policy.clone(), u.unit.clone(), u.resource.clone());
    let known: HashSet<_> = base.iter().map(key).collect();
    for undecided in head {
        undecided.state = if known.contains(&key(undecided)) { State::Existing } else { State::Introduced };
    }
}

struct Matching<'h> {
    head: &'h mut [Violation],
    open: Vec<usize>,
    base: Vec<Option<Violation>>,
}

impl<'h> Matching<'h> {
    fn new(head: &'h mut [Violation], base: Vec<Violation>) -> Self {
        let open = (0..head.len()).collect();
        for violation in head.iter_mut() {
            violation.state = State::Introduced;
        }
        Self { head, open, base: base.into_iter().map(Some).collect() }
    }

    /// Matches what is still open on both sides by a key.
    fn pass<K: Hash + Eq>(
        &mut self,
        head_key: impl Fn(&Violation) -> Option<K>,
        base_key: impl Fn(&Violation) -> Option<K>,
    ) {
        let mut waiting: HashMap<K, VecDeque<usize>> = HashMap::new();
        for (index, violation) in self.base.iter().enumerate() {
            if let Some(key) = violation.as_ref().and_then(&base_key) {
                waiting.entry(key).or_default().push_back(index);
            }
        }
        self.open.retain(|index| {
            let Some(violation) = self.head.get_mut(*index) else { return false };
            let partner = head_key(violation).and_then(|key| waiting.get_mut(&key)?.pop_front());
            let Some(partner) = partner else { return true };
            violation.state = State::Existing;
            if let Some(slot) = self.base.get_mut(partner) {
                *slot = None;
            }
            false
        });
    }

    /// The violations of the base that nothing in the head matches.
    fn finish(self) -> Vec<Violation> {
        self.base.into_iter().flatten().collect()
    }
}
