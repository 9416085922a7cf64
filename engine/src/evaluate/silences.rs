//! Which policies are silenced where: the suppressions of a unit with the policies they mean.
//!
//! Wanted: a suppression silences what it names, where it stands, and nothing else. So of an answer that several places made,
//! every one must be covered, and it ends with the first that does;
//! what another tool's comment means is what our policy promises to answer like that tool.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::policy::{Catalogue, CatalogueError, Condition, Matcher, PolicyId, Rule};
use crate::resource::{Date, Notice, Origin, Resource, Span, Suppression, Tool, Unit, Value};

use super::identity::place;
use super::leaf::Leaf;
use super::place::{location, pointed_at};
use super::report::Location;
use super::suppression::{Lapse, ReportedNotice, Silenced};

/// Most misspelt names of one unit for which a better one is looked for.
const GUESS_LIMIT: usize = 20;

/// One policy silenced at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Silence {
    pub(super) policy: PolicyId,
    pub(super) tool: Tool,
    pub(super) name: Arc<str>,
    pub(super) reason: Arc<str>,
    pub(super) until: Option<Date>,
    pub(super) is_expired: bool,
    /// Where it is written.
    pub(super) location: Location,
    /// What it covers, in the same file.
    pub(super) reach: Span,
}

/// All of a unit.
#[derive(Default)]
pub(super) struct Silences {
    by_policy: HashMap<PolicyId, Vec<Arc<Silence>>>,
    /// In the order of the files.
    pub(super) all: Vec<Arc<Silence>>,
    /// What was meant to silence something and does not.
    pub(super) notices: Vec<ReportedNotice>,
}

impl Silences {
    /// The suppressions of a unit on a day.
    ///
    /// # Errors
    /// When the catalogue is damaged.
    pub(super) fn of(unit: &Unit, catalogue: &Catalogue, today: i64) -> Result<Self, CatalogueError> {
        let mut silences = Self::default();
        let mut misspelt = 0;
        silences.notices.extend(unit.notices.iter().filter_map(|notice| reported(unit, notice)));
        for suppression in &unit.suppressions {
            let meant = match suppression.tool {
                Tool::Portcullis => catalogue.with_instances(&suppression.name),
                tool => catalogue.aliased(tool.name(), &suppression.name)?,
            };
            if meant.is_empty() && suppression.tool == Tool::Portcullis {
                misspelt += 1;
                let notice = unknown(suppression, catalogue, misspelt <= GUESS_LIMIT)?;
                silences.notices.extend(reported(unit, &notice));
            }
            for policy in meant.into_iter().filter_map(|position| catalogue.id(position)) {
                silences.add(unit, suppression, policy, today);
            }
        }
        Ok(silences)
    }

    fn add(&mut self, unit: &Unit, suppression: &Suppression, policy: &PolicyId, today: i64) {
        let Some(location) = location(&unit.files, suppression.span) else { return };
        let silence = Arc::new(Silence {
            policy: policy.clone(),
            tool: suppression.tool,
            name: Arc::clone(&suppression.name),
            reason: Arc::clone(&suppression.reason),
            until: suppression.until,
            is_expired: suppression.until.is_some_and(|until| until.days() < today),
            location,
            reach: suppression.reach,
        });
        self.by_policy.entry(policy.clone()).or_default().push(Arc::clone(&silence));
        self.all.push(silence);
    }

    /// What is written for an answer of a rule that these leaves made.
    pub(super) fn over(
        &self,
        policy: &PolicyId,
        rule: &Rule,
        (resource, declared): (&Resource, &Resource),
        leaves: &[&Leaf],
    ) -> Cover {
        let Some(silences) = self.by_policy.get(policy) else { return Cover::default() };
        let cover = |is_expired: bool| {
            let silences: Vec<_> = silences.iter().filter(|silence| silence.is_expired == is_expired).collect();
            let whole = silences.iter().copied().filter(|silence| silence.covers_resource(resource, declared));
            let whole = last_ending(whole);
            let over = |leaf: &&Leaf| {
                let beside = silences.iter().copied().filter(|silence| silence.covers_leaf(resource, leaf));
                last_ending(whole.into_iter().chain(beside))
            };
            let each: Vec<Option<&Arc<Silence>>> = leaves.iter().map(over).collect();
            let open = each.iter().position(Option::is_none).unwrap_or_default();
            (deciding(rule, leaves, &each).or_else(|| Silenced::by(whole)), open)
        };
        match cover(false) {
            (Some(silenced), _) => Cover { silenced: Some(silenced), ..Cover::default() },
            (None, open) => {
                let lapse =
                    cover(true).0.and_then(|silenced| silenced.by.first().map(|silence| Lapse::expired(silence)));
                Cover { lapse, open, silenced: None }
            }
        }
    }
}

/// What covers an answer by covering what decided it: every leaf, where each would have been enough; one attribute wherever it
/// is, where only several together are forbidden.
fn deciding(rule: &Rule, leaves: &[&Leaf], each: &[Option<&Arc<Silence>>]) -> Option<Silenced> {
    let mut by_place: BTreeMap<String, Vec<Option<&Arc<Silence>>>> = BTreeMap::new();
    let are_joined =
        matches!(rule, Rule::Forbid(conditions) if conditions.len() == 1 && conditions.iter().all(is_joined));
    for (leaf, silence) in leaves.iter().zip(each) {
        let place = if are_joined { place(leaf) } else { String::new() };
        by_place.entry(place).or_default().push(*silence);
    }
    let whole = by_place.into_values().filter_map(|silences| silences.into_iter().collect::<Option<Vec<_>>>());
    whole.filter_map(Silenced::by).min_by_key(|silenced| Reverse(end(silenced.until())))
}

/// The silence that holds longest, the first of those that end together.
fn last_ending<'s>(silences: impl Iterator<Item = &'s Arc<Silence>>) -> Option<&'s Arc<Silence>> {
    silences.min_by_key(|silence| Reverse(end(silence.until)))
}

/// Orders ends: what has none ends after all others.
pub(super) fn end(until: Option<Date>) -> (bool, Option<Date>) {
    (until.is_none(), until)
}

/// Whether everything a condition asks must hold for it to hold.
fn is_joined(condition: &Condition) -> bool {
    match condition {
        Condition::Entry { matcher: Matcher::Pattern(conditions), .. } | Condition::All(conditions) => {
            conditions.iter().all(is_joined)
        }
        Condition::Entry { .. } => true,
        Condition::Any(_) | Condition::Not(_) => false,
    }
}

/// What suppressions have to do with an answer.
#[derive(Default)]
pub(super) struct Cover {
    /// It does not count.
    pub(super) silenced: Option<Silenced>,
    /// It did not count until its suppression expired.
    pub(super) lapse: Option<Lapse>,
    /// The first leaf that nothing covers.
    pub(super) open: usize,
}

impl Silence {
    /// Whether what a resource is declared by lies in its reach, or a call that leads there.
    fn covers_resource(&self, resource: &Resource, declared: &Resource) -> bool {
        [resource.span, declared.span].iter().any(|span| self.reach.contains(*span))
            || chain(resource.called_from.as_ref()).any(|origin| self.reach.contains(origin.span))
    }

    /// Whether what decided lies in its reach, or a place it came through.
    fn covers_leaf(&self, resource: &Resource, leaf: &Leaf) -> bool {
        self.reach.contains(pointed_at(resource, leaf))
            || chain(leaf.value.as_ref().and_then(Value::origin)).any(|origin| self.reach.contains(origin.span))
    }

    /// Whether it holds no longer than another one.
    pub(super) fn ends_with(&self, other: &Self) -> bool {
        end(self.until) <= end(other.until)
    }
}

fn chain(first: Option<&Arc<Origin>>) -> impl Iterator<Item = &Origin> {
    std::iter::successors(first.map(AsRef::as_ref), |origin| origin.next.as_deref())
}

fn reported(unit: &Unit, notice: &Notice) -> Option<ReportedNotice> {
    let location = location(&unit.files, notice.span)?;
    Some(ReportedNotice { location, message: notice.message.clone(), remedy: notice.remedy.clone() })
}

/// A suppression of ours that names no policy.
fn unknown(suppression: &Suppression, catalogue: &Catalogue, may_guess: bool) -> Result<Notice, CatalogueError> {
    let name = &suppression.name;
    let known =
        if may_guess { catalogue.named(name)?.first().and_then(|position| catalogue.id(*position)) } else { None };
    let near = if may_guess { catalogue.nearest(name) } else { None };
    let remedy = match (known, near) {
        (Some(id), _) => format!("another tool's id is written in that tool's notation; the policy here is `{id}`"),
        (None, Some(near)) => format!("did you mean `{near}`?"),
        (None, None) => "`portcullis policy list` shows all".to_owned(),
    };
    let message = format!("there is no policy `{name}`, so the suppression silences nothing");
    Ok(Notice { span: suppression.span, message, remedy })
}
