//! Head against base: what a pull request introduces, what was there before, what it fixes.
//!
//! Wanted: nothing new is ever called existing, and nothing is called fixed that merely cannot be judged any more. So resources
//! are matched first, by address ([`pairs`]); then the violations of a policy within each pair of resources ([`holes`]). What is
//! left over in the head is introduced; what is left over in the base is fixed, unless the head cannot tell ([`lost`]).

mod accepted;
mod holes;
mod lost;
mod pairs;

use std::collections::{HashMap, HashSet};

use crate::policy::PolicyId;
use crate::source_tree::TreePath;

use super::report::{State, Suppressed, Undecided, UnitReport, Violation};
use accepted::Accepted;
use holes::Holes;
use lost::Sight;
use pairs::{Id, Pairs};

/// Sets the state of everything in `head`, and adds what was fixed and what can no longer be told.
pub(super) fn compare(head: &mut UnitReport, base: UnitReport, renamed: &[(TreePath, TreePath)]) {
    let UnitReport { violations, undecided: undecided_before, unevaluated, resources, suppressed, .. } = base;
    let Suppressed { violations: silenced, undecided: silenced_undecided, by, .. } = suppressed;
    let pairs = Pairs::of(&head.resources, &head.moved, &resources, renamed);
    let before = violations.into_iter().chain(silenced).collect();
    let now = head.violations.iter_mut().chain(&mut head.suppressed.violations);
    let gone = match_violations(now, before, &pairs);
    let sight = Sight::of(head, &resources, &unevaluated, renamed);
    // What was silenced and is not there any more was nobody's to fix.
    let gone = gone.into_iter().filter(|violation| violation.silenced.is_none());
    let gone: Vec<Violation> = gone.map(|violation| sight.settled(violation, &pairs)).collect();
    head.violations.extend(gone);
    compare_undecided(&mut head.undecided, &undecided_before, &pairs);
    let silenced = &mut head.suppressed;
    compare_undecided(&mut silenced.undecided, &undecided_before, &pairs);
    let accepted = Accepted::of(&by, &resources, &silenced_undecided, &pairs);
    accepted.mark(silenced);
    accepted::recognise(&mut silenced.by, &by, renamed);
}

/// Says of each violation of the head whether it was there before, and returns those of the base that are not any more.
fn match_violations<'h>(
    head: impl Iterator<Item = &'h mut Violation>,
    base: Vec<Violation>,
    pairs: &Pairs<'_>,
) -> Vec<Violation> {
    let mut groups: HashMap<(PolicyId, Id<'_>), Holes<'_>> = HashMap::new();
    let mut left = Vec::new();
    for violation in base {
        let id = pairs.base_id(&violation.unit, &violation.resource);
        match id {
            Some(id) => groups.entry((violation.policy.clone(), id)).or_default().before.push(violation),
            None => left.push(violation),
        }
    }
    for violation in head {
        violation.state = State::Introduced;
        let base_id = pairs.before(&violation.unit, &violation.resource);
        let group = base_id.and_then(|id| groups.get_mut(&(violation.policy.clone(), id)));
        if let Some(group) = group {
            group.is_guess |= pairs.certain(&violation.unit, &violation.resource).is_none();
            group.now.push(violation);
        }
    }
    left.extend(groups.into_values().flat_map(Holes::matched));
    left
}

fn compare_undecided(head: &mut [Undecided], base: &[Undecided], pairs: &Pairs<'_>) {
    let key = |u: &Undecided| Some((u.policy.clone(), pairs.base_id(&u.unit, &u.resource)?));
    let known: HashSet<_> = base.iter().filter_map(key).collect();
    for undecided in head {
        let before = pairs.before(&undecided.unit, &undecided.resource);
        let is_known = before.is_some_and(|id| known.contains(&(undecided.policy.clone(), id)));
        undecided.state = if is_known { State::Existing } else { State::Introduced };
    }
}
