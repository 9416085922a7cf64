//! The violations of one policy in one resource, before and now: which of them are the same.

use std::collections::HashMap;

use crate::evaluate::identity::{Identity, Way};
use crate::evaluate::report::{State, Violation};
use crate::evaluate::suppression::Silenced;

/// Most pairs compared within one resource in one way; what is left then counts as introduced.
const COMPARISON_LIMIT: usize = 250_000;

/// What is not matched yet.
#[derive(Default)]
pub(super) struct Holes<'h> {
    pub(super) now: Vec<&'h mut Violation>,
    pub(super) before: Vec<Violation>,
    /// Whether only likeness says that it is one resource.
    pub(super) is_guess: bool,
}

/// What a violation is to one of the base.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Same {
    Yes,
    /// It is in the same place, but more has come to it.
    Grown,
    No,
}

impl Holes<'_> {
    /// Marks what was there before, and returns what is not there any more.
    pub(super) fn matched(mut self) -> Vec<Violation> {
        let way = |violation: &Violation| Some((violation.identity.way.clone()?, violation.silenced.clone()));
        let ways: Vec<(Way, Option<Silenced>)> = self.before.iter().filter_map(way).collect();
        // Several checks of a policy may speak of one element, so what decided is compared first.
        self.by(|identity| format!("{} {}", identity.leaf, identity.element), |_, _| Same::Yes);
        self.by(|identity| identity.element.clone(), in_one_element);
        // An element that is known by its content has another key once anything in it changes.
        self.by(
            |identity| identity.leaf.clone(),
            |now, before| if now.replaces(before) { Same::Yes } else { Same::No },
        );
        self.narrowed(&ways);
        self.before
    }

    /// Matches one to one what has the same key and is the same.
    fn by(&mut self, key: impl Fn(&Identity) -> String, is_same: impl Fn(&Identity, &Identity) -> Same) {
        let mut waiting: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, violation) in self.before.iter().enumerate().rev() {
            waiting.entry(key(&violation.identity)).or_default().push(index);
        }
        let mut matched = vec![false; self.before.len()];
        let mut compared = 0;
        let (before, is_guess) = (&self.before, self.is_guess);
        self.now.retain_mut(|violation| {
            let Some(candidates) = waiting.get_mut(&key(&violation.identity)) else { return true };
            for at in (0..candidates.len()).rev() {
                compared += 1;
                let Some(index) = candidates.get(at).copied().filter(|_| compared <= COMPARISON_LIMIT) else { break };
                let Some(other) = before.get(index) else { continue };
                let same = is_same(&violation.identity, &other.identity);
                if same != Same::No {
                    violation.continues(other, same, is_guess);
                    candidates.remove(at);
                    if let Some(slot) = matched.get_mut(index) {
                        *slot = true;
                    }
                    return false;
                }
            }
            true
        });
        self.forget(&matched);
    }

    /// What came through a way before comes through it now, if a rule only became narrower or was split.
    fn narrowed(&mut self, ways: &[(Way, Option<Silenced>)]) {
        if self.now.len().saturating_mul(ways.len().max(self.before.len())) > COMPARISON_LIMIT {
            return;
        }
        let mut is_part = vec![false; self.before.len()];
        for violation in &mut self.now {
            let Some(way) = &violation.identity.way else { continue };
            // What came through silenced is new where nothing silences it, or something does for longer.
            let (silenced, is_guess) = (&violation.silenced, self.is_guess);
            let is_no_wider = |before: &Option<Silenced>| match (silenced, before) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(now), Some(before)) => !is_guess && now.ends_with(before),
            };
            if ways.iter().any(|(way_before, before)| is_no_wider(before) && way_before.covers(way)) {
                violation.state = State::Existing;
            }
            // The rest of a way is no hole that was closed.
            for (before, is_part) in self.before.iter().zip(&mut is_part) {
                let is_around = |before: &Way| before.covers(way) || way.covers(before);
                *is_part |= before.identity.way.as_ref().is_some_and(is_around);
            }
        }
        self.forget(&is_part);
    }

    fn forget(&mut self, matched: &[bool]) {
        let mut matched = matched.iter();
        self.before.retain(|_| matched.next() != Some(&true));
    }
}

impl Violation {
    /// Takes over what is known of the same violation of the base. One that was silenced there and is not any more is the doing
    /// of whoever took the suppression away; one that is silenced now is accepted as long as the base accepts it, unless it is a guess that the
    /// resource is the same.
    fn continues(&mut self, before: &Self, same: Same, is_guess: bool) {
        let is_old = match (&mut self.silenced, &before.silenced) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(now), Some(before)) => {
                now.is_accepted = !is_guess && same == Same::Yes && now.ends_with(before);
                now.is_accepted
            }
        };
        self.state = if same == Same::Yes && is_old { State::Existing } else { State::Introduced };
    }
}

fn in_one_element(now: &Identity, before: &Identity) -> Same {
    if now.is_part_of(before) {
        Same::Yes
    } else if now.overlaps(before) {
        Same::Grown
    } else {
        Same::No
    }
}
