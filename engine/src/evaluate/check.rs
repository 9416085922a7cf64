//! What one check answers for one resource.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::policy::{Check, Literal, PolicyId, Rule, Severity};
use crate::resource::{FormatId, Reason, ReasonKind, Resource, Unit};
use crate::views::IMAGE;

use super::fingerprint::fingerprint;
use super::identity::{Identity, NETWORK_RULE, Siblings};
use super::leaf::{Leaf, Leaves, Nobody};
use super::links::Linked;
use super::message::{message, suggestion};
use super::place;
use super::quantity::Mode;
use super::report::{Location, State, Undecided, Violation};
use super::scalar::TextCase;
use super::silences::{Cover, Silences};
use super::truth::Truth;
use super::unit::Purpose;
use super::walk::Walk;

/// What a check answers for a resource.
pub(super) enum Outcome {
    NotApplicable,
    Pass,
    Violations(Vec<Violation>),
    Undecided(Box<Undecided>),
}

/// One check of one policy, about to be asked.
pub(super) struct Asked<'c> {
    pub(super) policy: &'c PolicyId,
    pub(super) severity: Severity,
    pub(super) params: &'c [(String, Literal)],
    pub(super) check: &'c Check,
    pub(super) today: i64,
    pub(super) silences: &'c Silences,
}

impl<'c> Asked<'c> {
    /// Asks a resource.
    pub(super) fn of(&self, resource: &'c Resource, linked: &'c Linked<'c>, purpose: Purpose) -> Outcome {
        let walk = self.walk(resource, linked);
        let applies = self.applies(&walk);
        if applies == Truth::False {
            return Outcome::NotApplicable;
        }
        match (self.violated(&walk), applies) {
            (Truth::False, _) => Outcome::Pass,
            (Truth::True, Truth::True) => Outcome::Violations(self.violations(&walk, purpose)),
            _ => match self.undecided(&walk, applies) {
                Some(undecided) => Outcome::Undecided(Box::new(undecided)),
                None => Outcome::Pass,
            },
        }
    }

    pub(super) fn walk(&self, resource: &'c Resource, linked: &'c Linked<'c>) -> Walk<'c> {
        let case = match resource.format {
            FormatId::Azure => TextCase::Ignored,
            FormatId::Terraform => TextCase::Converted,
            _ => TextCase::Exact,
        };
        Walk { linked, resource, related: &self.check.related, params: self.params, case, today: self.today }
    }

    fn applies(&self, walk: &Walk<'_>) -> Truth {
        let root = walk.root();
        let when = self.check.when.as_ref();
        let when = when.map_or(Truth::True, |when| walk.condition(&root, when, Mode::When, &mut Nobody));
        if when == Truth::False {
            return when;
        }
        let unless = self.check.unless.as_ref();
        when.and(unless.map_or(Truth::True, |unless| !walk.condition(&root, unless, Mode::When, &mut Nobody)))
    }

    fn violated(&self, walk: &Walk<'_>) -> Truth {
        let root = walk.root();
        match &self.check.rule {
            Rule::Require(conditions) => !walk.all(&root, conditions, Mode::Require, &mut Nobody),
            Rule::Forbid(conditions) => walk.any(&root, conditions, Mode::Forbid, &mut Nobody),
            Rule::ForbidResource => Truth::True,
        }
    }

    /// The leaves that made the rule answer as it does.
    fn leaves(&self, walk: &Walk<'_>) -> Vec<Leaf> {
        let root = walk.root();
        let mut leaves = Leaves::default();
        match &self.check.rule {
            Rule::Require(conditions) => {
                walk.all(&root, conditions, Mode::Require, &mut leaves);
            }
            Rule::Forbid(conditions) => {
                walk.any(&root, conditions, Mode::Forbid, &mut leaves);
            }
            Rule::ForbidResource => {}
        }
        leaves.0
    }

    /// One violation for each element that violates, and one for what lies in no element.
    fn violations(&self, walk: &Walk<'_>, purpose: Purpose) -> Vec<Violation> {
        let leaves = self.leaves(walk);
        let mut groups: Vec<(Option<&str>, Vec<&Leaf>)> = Vec::new();
        for leaf in &leaves {
            let element = leaf.element.as_ref().map(|element| element.path.as_str());
            match groups.iter_mut().find(|(known, _)| *known == element) {
                Some((_, group)) => group.push(leaf),
                None => groups.push((element, vec![leaf])),
            }
        }
        if groups.is_empty() {
            groups.push((None, Vec::new()));
        }
        let mut siblings = (purpose == Purpose::Review).then(Siblings::default);
        let mut twins: HashMap<String, usize> = HashMap::new();
        let numbered = |(_, group): &(Option<&str>, Vec<&Leaf>)| {
            let mut violation = self.violation(walk, group, siblings.as_mut());
            let count = twins.entry(violation.identity.element.clone()).or_default();
            // Elements that look alike are told apart by their order.
            if *count > 0 {
                let _ = write!(violation.identity.element, "#{count}");
            }
            *count += 1;
            let Violation { policy, unit, resource, identity, .. } = &violation;
            violation.fingerprint = fingerprint(policy, unit, resource, &identity.element);
            violation
        };
        groups.iter().map(numbered).collect()
    }

    fn violation(&self, walk: &Walk<'_>, leaves: &[&Leaf], siblings: Option<&mut Siblings>) -> Violation {
        let resource = walk.resource;
        let files = &walk.linked.unit().files;
        let declared = walk.linked.declared(resource);
        let Cover { silenced, lapse, open } =
            self.silences.over(self.policy, &self.check.rule, (resource, declared), leaves);
        // Where a part is silenced, what is left is what to look at.
        let leaf = leaves.get(open);
        let value = leaf.and_then(|leaf| leaf.value.as_ref());
        Violation {
            fingerprint: String::new(),
            policy: self.policy.clone(),
            severity: self.severity,
            state: State::Found,
            blocking: false,
            unit: walk.linked.unit().name.clone(),
            resource: resource.reported_address().to_string(),
            resource_type: resource.type_name.to_string(),
            format: declared.format,
            also: Vec::new(),
            attribute: leaf.map(|leaf| attribute(resource, declared, leaf)).unwrap_or_default(),
            message: message(self.check, self.params, resource, leaves),
            location: leaf_location(walk.linked.unit(), resource, leaf.copied()),
            used_at: None,
            origins: place::origins(files, resource, value),
            whenever: resource.maybe.as_ref().map(ToString::to_string),
            suggestion: suggestion(self.check, resource, declared, leaves).map(|text| self.warned(walk, leaves, text)),
            lapse,
            silenced,
            identity: match siblings {
                Some(siblings) => Identity::of(resource, leaves, siblings),
                None => Identity::of_element(resource, leaves),
            },
        }
    }

    /// A suggestion that would create the resource anew says so where it stands.
    fn warned(&self, walk: &Walk<'_>, leaves: &[&Leaf], suggestion: String) -> String {
        let defaults = walk.linked.assumptions().of(walk.resource);
        let replaces = defaults.is_some_and(|defaults| leaves.iter().any(|leaf| defaults.is_replaced_by(&leaf.path)));
        if replaces { format!("{suggestion} # this replaces the resource") } else { suggestion }
    }

    fn undecided(&self, walk: &Walk<'_>, applies: Truth) -> Option<Undecided> {
        let resource = walk.resource;
        let files = &walk.linked.unit().files;
        let mut leaves = self.leaves(walk);
        if applies == Truth::Unknown {
            let root = walk.root();
            let mut when = Leaves::default();
            for condition in self.check.when.iter().chain(&self.check.unless) {
                walk.condition(&root, condition, Mode::When, &mut when);
            }
            leaves.extend(when.0);
        }
        let open: Vec<&Leaf> = leaves.iter().filter(|leaf| leaf.truth == Truth::Unknown).collect();
        let cover =
            self.silences.over(self.policy, &self.check.rule, (resource, walk.linked.declared(resource)), &open);
        let leaf = leaves.iter().find(|leaf| leaf.truth == Truth::Unknown && leaf.reason.is_some());
        let reason = leaf.and_then(|leaf| leaf.reason.clone());
        let reason = reason.unwrap_or_else(|| Reason::new(ReasonKind::Unsupported, "a value it depends on", None));
        Some(Undecided {
            policy: self.policy.clone(),
            severity: self.severity,
            state: State::Found,
            blocks: self.check.undecided_blocks,
            blocking: false,
            unit: walk.linked.unit().name.clone(),
            resource: resource.reported_address().to_string(),
            resource_type: resource.type_name.to_string(),
            attribute: leaf.map(|leaf| leaf.path.clone()).unwrap_or_default(),
            location: leaf_location(walk.linked.unit(), resource, leaf),
            reason: reason.to_string(),
            reason_kind: reason.kind,
            cause: reason.place.and_then(|span| place::location(files, span)),
            remedy: reason.remedy().to_owned(),
            origins: place::origins(files, resource, leaf.and_then(|leaf| leaf.value.as_ref())),
            silenced: cover.silenced,
        })
    }
}

/// Where a leaf lies, as the author of the resource calls it: what a part of it is made of has names in no file.
fn attribute(resource: &Resource, declared: &Resource, leaf: &Leaf) -> String {
    let is_view = [NETWORK_RULE, IMAGE].contains(&&*resource.type_name);
    let written = is_view.then(|| place::written_path(&declared.attributes, leaf.span)).flatten();
    written.unwrap_or_else(|| leaf.path.clone())
}

/// Where a leaf lies; the resource's own place when it lies in no file.
pub(super) fn leaf_location(unit: &Unit, resource: &Resource, leaf: Option<&Leaf>) -> Location {
    let span = leaf.map(|leaf| place::pointed_at(resource, leaf));
    let location = span.and_then(|span| place::location(&unit.files, span));
    let location = location.or_else(|| place::of_resource(&unit.files, resource));
    location.unwrap_or_else(|| place::nowhere(unit))
}
