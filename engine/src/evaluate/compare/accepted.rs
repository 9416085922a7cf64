//! Which suppressed answers the base accepts already, and which are the decision of whoever made the change.
//!
//! Wanted: nobody moves, widens or prolongs a suppression unseen. So not the comment is compared but what it does: an answer is
//! accepted when it was silenced in the base too, or when the base silences the policy over the whole declaration of its resource,
//! and either for at least as long. What a resource was in the base must be certain for that: another one that looks like it may
//! be anything.

use std::collections::{HashMap, HashSet};

use crate::evaluate::report::{Listed, Suppressed, Undecided};
use crate::evaluate::silences::Silence;
use crate::evaluate::suppression::{Silenced, Stated};
use crate::policy::PolicyId;
use crate::resource::Date;
use crate::source_tree::TreePath;

use super::pairs::{Id, Pairs};

/// What the base accepts.
pub(super) struct Accepted<'b> {
    pairs: &'b Pairs<'b>,
    declared: HashMap<Id<'b>, &'b Listed>,
    silences: HashMap<(&'b PolicyId, &'b TreePath), Vec<&'b Silence>>,
    undecided: HashMap<(PolicyId, Id<'b>), Vec<&'b Silenced>>,
}

impl<'b> Accepted<'b> {
    pub(super) fn of(
        by: &'b [Stated],
        resources: &'b [Listed],
        undecided: &'b [Undecided],
        pairs: &'b Pairs<'b>,
    ) -> Self {
        let mut silences: HashMap<_, Vec<&Silence>> = HashMap::new();
        for silence in by.iter().map(|stated| &*stated.silence).filter(|silence| !silence.is_expired) {
            silences.entry((&silence.policy, &silence.location.path)).or_default().push(silence);
        }
        let wanted: HashSet<&TreePath> = silences.keys().map(|(_, path)| *path).collect();
        let is_wanted = |listed: &&Listed| listed.path.as_ref().is_some_and(|path| wanted.contains(path));
        let declared = resources.iter().filter(is_wanted).map(|listed| ((&*listed.unit, &*listed.address), listed));
        let mut open: HashMap<_, Vec<&Silenced>> = HashMap::new();
        for answer in undecided {
            let silenced = answer.silenced.as_ref();
            if let (Some(id), Some(silenced)) = (pairs.base_id(&answer.unit, &answer.resource), silenced) {
                open.entry((answer.policy.clone(), id)).or_default().push(silenced);
            }
        }
        Self { pairs, declared: declared.collect(), silences, undecided: open }
    }

    /// Marks what is accepted.
    pub(super) fn mark(&self, suppressed: &mut Suppressed) {
        for violation in &mut suppressed.violations {
            let before = self.pairs.certain(&violation.unit, &violation.resource);
            if let (Some(silenced), Some(before)) = (&mut violation.silenced, before) {
                silenced.is_accepted |= self.is_declared_silent(silenced, before);
            }
        }
        for undecided in &mut suppressed.undecided {
            let before = self.pairs.certain(&undecided.unit, &undecided.resource);
            if let (Some(silenced), Some(before)) = (&mut undecided.silenced, before) {
                let known = self.undecided.get(&(undecided.policy.clone(), before)).into_iter().flatten();
                silenced.is_accepted = self.is_declared_silent(silenced, before)
                    || known.into_iter().any(|before| silenced.ends_with(before));
            }
        }
    }

    /// Whether the base silences the policy over the whole declaration of what the resource was there.
    fn is_declared_silent(&self, silenced: &Silenced, before: Id<'_>) -> bool {
        let Some(listed) = self.declared.get(&before) else { return false };
        let Some(path) = &listed.path else { return false };
        let is_around = |silence: &Silence| {
            let reach = silence.reach.range();
            reach.start <= listed.range.start && listed.range.end <= reach.end && !listed.range.is_empty()
        };
        silenced.by.iter().all(|silence| {
            let known = self.silences.get(&(&silence.policy, path)).into_iter().flatten();
            known.into_iter().any(|known| is_around(known) && silence.ends_with(known))
        })
    }
}

/// What is written, apart from where in the file.
type Text<'s> = (&'s TreePath, &'s PolicyId, &'s str, Option<Date>, &'s str);

/// Recognises the suppressions that are in the base word for word: those that silence nothing are told apart by nothing else.
pub(super) fn recognise(now: &mut [Stated], before: &[Stated], renamed: &[(TreePath, TreePath)]) {
    let now_at: HashMap<&TreePath, &TreePath> = renamed.iter().map(|(from, to)| (from, to)).collect();
    let mut known: HashMap<Text<'_>, usize> = HashMap::new();
    for stated in before {
        let path = &stated.silence.location.path;
        let path = now_at.get(path).copied().unwrap_or(path);
        *known.entry(text(&stated.silence, path)).or_default() += 1;
    }
    for stated in now {
        let text = text(&stated.silence, &stated.silence.location.path);
        if let Some(count) = known.get_mut(&text).filter(|count| **count > 0) {
            *count -= 1;
            stated.is_accepted = true;
        }
    }
}

fn text<'s>(silence: &'s Silence, path: &'s TreePath) -> Text<'s> {
    (path, &silence.policy, &silence.name, silence.until, &silence.reason)
}
