//! All checks of the catalogue over the resources of one unit.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::policy::{Catalogue, CheckIndex, PolicyId};
use crate::resource::{FormatId, Resource, Unit};

use super::assumed::Assumptions;
use super::check::{Asked, Outcome};
use super::links::Linked;
use super::place::location;
use super::report::{Coverage, Listed, Moved, ReportedProblem, UnevaluatedFile, UnitReport};
use super::silences::Silences;
use super::sketch::sketch;
use super::suppression::Stated;

/// Most violations kept of one unit; beyond it the report says that there are more.
const VIOLATION_LIMIT: usize = 20_000;

/// Which policies are asked, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Only these, when there are any.
    pub only: Vec<PolicyId>,
    /// Not these.
    pub skip: Vec<PolicyId>,
    /// Days since 1970-01-01, for policies that speak of dates.
    pub today: i64,
}

impl Selection {
    fn wants(&self, id: &PolicyId) -> bool {
        (self.only.is_empty() || self.only.contains(id)) && !self.skip.contains(id)
    }

    /// Number of policies of a catalogue it wants.
    #[must_use]
    pub fn count(&self, catalogue: &Catalogue) -> usize {
        catalogue.ids().filter(|id| self.wants(id)).count()
    }
}

/// What the answers are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be reported as they are.
    Scan,
    /// To be compared with those of another commit: what tells resources and violations apart is gathered too.
    Review,
}

/// Asks every resource of a unit what the policies of its type ask.
#[must_use]
pub fn evaluate_unit(unit: &Unit, catalogue: &Catalogue, selection: &Selection, purpose: Purpose) -> UnitReport {
    let mut report = UnitReport { problems: problems(unit), ..UnitReport::default() };
    let unevaluated = unit.unevaluated.iter();
    report.unevaluated =
        unevaluated.map(|file| UnevaluatedFile { path: file.path.clone(), what: file.what.to_string() }).collect();
    let read = unit.files.iter().map(|file| file.path());
    let holes = unit.problems.iter().map(|problem| &problem.path);
    let left = unit.unevaluated.iter().map(|file| &file.path);
    report.files = read.chain(holes).chain(left).cloned().collect();
    report.coverage = Coverage {
        files: unit.files.len(),
        units: 1,
        resources: unit.resources.iter().filter(|resource| is_counted(resource)).count(),
        ..Coverage::default()
    };
    let silences = Silences::of(unit, catalogue, selection.today).unwrap_or_else(|error| {
        report.errors.push(error.to_string());
        Silences::default()
    });
    let assumptions = Assumptions::new(unit, catalogue.library());
    let linked = Linked::new(unit, catalogue.library(), &assumptions);
    let mut by_type: HashMap<(FormatId, &str), Vec<CheckIndex>> = HashMap::new();
    let mut covered: HashSet<&str> = HashSet::new();
    for resource in &unit.resources {
        let key = (resource.format, &*resource.type_name);
        let checks = by_type.entry(key).or_insert_with(|| wanted(catalogue, selection, key.0, key.1));
        if !checks.is_empty() {
            covered.insert(resource.reported_address());
        }
        for index in checks.iter() {
            let outcome = match asked(catalogue, *index, selection.today, &silences) {
                Ok(asked) => asked.of(resource, &linked, purpose),
                Err(error) => {
                    if !report.errors.contains(&error) {
                        report.errors.push(error);
                    }
                    continue;
                }
            };
            report.take(outcome);
        }
    }
    for resource in unit.resources.iter().filter(|resource| is_counted(resource)) {
        if !covered.contains(&*resource.address) && !linked.reached(&resource.address) {
            *report.coverage.uncovered.entry(resource.type_name.to_string()).or_default() += 1;
        }
    }
    if purpose == Purpose::Review {
        report.resources = listed(unit, &report);
        report.moved = moved(unit);
    }
    report.notices = silences.notices;
    let stated = silences.all.into_iter().map(|silence| Stated { silence, is_accepted: false });
    report.suppressed.by = stated.collect();
    report
}

/// The resources by the addresses they are reported under. Only what violations or undecided answers speak of is sketched.
fn listed(unit: &Unit, report: &UnitReport) -> Vec<Listed> {
    let violations = report.violations.iter().chain(&report.suppressed.violations);
    let undecided = report.undecided.iter().chain(&report.suppressed.undecided);
    let violating = violations.map(|violation| &*violation.resource);
    let open: HashSet<&str> = violating.chain(undecided.map(|undecided| &*undecided.resource)).collect();
    let name: Arc<str> = unit.name.as_str().into();
    let list = |resource: &Resource| Listed {
        unit: Arc::clone(&name),
        address: Arc::clone(&resource.address),
        type_name: Arc::clone(&resource.type_name),
        path: unit.files.get(resource.header.file).map(|file| file.path().clone()),
        range: resource.span.range(),
        sketch: open.contains(&*resource.address).then(|| sketch(&resource.attributes)),
    };
    unit.resources.iter().filter(|resource| resource.owner.is_none()).map(list).collect()
}

fn moved(unit: &Unit) -> Vec<Moved> {
    let name: Arc<str> = unit.name.as_str().into();
    let moved = |(from, to): &(Arc<str>, Arc<str>)| Moved {
        unit: Arc::clone(&name),
        from: Arc::clone(from),
        to: Arc::clone(to),
    };
    unit.moved.iter().map(moved).collect()
}

/// Whether a resource is one of those a report counts: declared, not derived.
fn is_counted(resource: &Resource) -> bool {
    resource.owner.is_none() && !resource.auxiliary
}

pub(super) fn wanted(
    catalogue: &Catalogue,
    selection: &Selection,
    format: FormatId,
    type_name: &str,
) -> Vec<CheckIndex> {
    let mut checks = catalogue.checks(format, type_name);
    checks.retain(|index| catalogue.id(index.policy).is_some_and(|id| selection.wants(id)));
    checks
}

pub(super) fn asked<'c>(
    catalogue: &'c Catalogue,
    index: CheckIndex,
    today: i64,
    silences: &'c Silences,
) -> Result<Asked<'c>, String> {
    let words = |error: crate::policy::CatalogueError| error.to_string();
    let metadata = catalogue.metadata(index.policy).map_err(words)?;
    let body = catalogue.body(index.policy).map_err(words)?;
    let check = body.checks.get(index.check as usize).ok_or_else(|| format!("policy {} lacks a check", metadata.id))?;
    Ok(Asked { policy: &metadata.id, severity: metadata.severity, params: &body.params, check, today, silences })
}

impl UnitReport {
    fn take(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::NotApplicable => return,
            Outcome::Pass => {}
            Outcome::Undecided(undecided) if undecided.silenced.is_some() => self.suppressed.undecided.push(*undecided),
            Outcome::Undecided(undecided) => self.undecided.push(*undecided),
            Outcome::Violations(violations) => {
                let held = self.violations.len() + self.suppressed.violations.len();
                let room = VIOLATION_LIMIT.saturating_sub(held);
                if violations.len() > room {
                    let message =
                        format!("a unit has more than {VIOLATION_LIMIT} violations; the others are not listed");
                    if !self.errors.contains(&message) {
                        self.errors.push(message);
                    }
                }
                let (silenced, standing): (Vec<_>, Vec<_>) =
                    violations.into_iter().take(room).partition(|violation| violation.silenced.is_some());
                self.violations.extend(standing);
                self.suppressed.violations.extend(silenced);
            }
        }
        self.coverage.checks += 1;
    }
}

fn problems(unit: &Unit) -> Vec<ReportedProblem> {
    let problem = |problem: &crate::resource::Problem| ReportedProblem {
        kind: problem.kind,
        unit: unit.name.clone(),
        path: problem.path.clone(),
        location: problem.span.and_then(|span| location(&unit.files, span)),
        message: problem.message.clone(),
        remedy: problem.remedy.clone(),
        touched: true,
        blocking: false,
    };
    unit.problems.iter().map(problem).collect()
}
