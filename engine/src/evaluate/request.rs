//! A whole evaluation: what is asked, and the report that answers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::formats::{self, Gap, ReadOptions, Scope};
use crate::policy::{Catalogue, Metadata, PolicyId, Severity};
use crate::resource::ProblemKind;
use crate::source_tree::{Folder, LineColumn, SourceTree, TreePath};

use super::compare::compare;
use super::identity::Identity;
use super::report::{Address, Location, Report, ReportedProblem, State, Suppressed, UnitReport, Violation};
use super::suppression::{self, Lapse, Silenced};
use super::unit::{Purpose, Selection, evaluate_unit};
use super::verdict;

/// What a review needs: the two trees and what is asked of them. It can be sent to another process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// The pull request's newest commit, as far as it was fetched.
    pub head: SourceTree,
    /// Its merge base, as far as it was fetched.
    pub base: SourceTree,
    /// The files that differ between the two.
    pub touched: BTreeSet<TreePath>,
    /// Files that moved: from, to.
    pub renamed: Vec<(TreePath, TreePath)>,
    /// What of the head was not searched.
    #[serde(default)]
    pub gaps: Vec<Gap>,
    /// The sources that match.
    pub sources: Vec<SourceScope>,
    /// Which policies are asked.
    pub selection: Selection,
    /// How files are read.
    pub options: ReadOptions,
}

/// What one source asks of a review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceScope {
    /// Its name.
    pub name: String,
    /// What lies in one of these folders counts.
    pub folders: Vec<Folder>,
    /// From this severity on an introduced violation blocks.
    pub blocking: Severity,
    /// Whether a touched file that cannot be read blocks.
    pub on_unreadable: OnUnreadable,
    /// Whether an undecided answer that the pull request introduces blocks.
    pub on_undecided: OnUndecided,
    /// Which suppressions in files hold.
    #[serde(default)]
    pub suppressions: SuppressionsTaken,
}

impl SourceScope {
    /// Whether a file counts for it.
    #[must_use]
    pub fn contains(&self, path: &TreePath) -> bool {
        self.folders.iter().any(|folder| folder.contains(path))
    }

    /// Whether a unit lies in its folders, or they in it.
    pub(super) fn concerns(&self, unit: &str) -> bool {
        let unit = format!("{}/", unit.trim_matches('/'));
        let unit = unit.trim_start_matches('/');
        self.folders.iter().any(|folder| folder.prefix().starts_with(unit) || unit.starts_with(folder.prefix()))
    }
}

/// What a touched file that cannot be read does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnreadable {
    /// It blocks.
    #[default]
    Block,
    /// It is listed.
    Report,
}

/// What an undecided answer does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUndecided {
    /// It is listed, and blocks only when its policy says so.
    #[default]
    Report,
    /// It blocks.
    Block,
}

/// Which suppressions in files hold in a review.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionsTaken {
    /// All; those that the pull request brings are listed as such.
    #[default]
    Allow,
    /// Those of the merge base.
    Base,
}

/// Evaluates the units that a pull request touches, in head and base, and says what it introduces.
#[must_use]
pub fn review(request: &Request, catalogue: &Catalogue) -> Report {
    let scope = Scope::Touching(request.touched.clone());
    let evaluate = |tree: &SourceTree| {
        let plans = formats::units(tree, &scope);
        let units = plans.iter().map(|plan| {
            let unit = formats::read(plan, tree, &request.options);
            evaluate_unit(&unit, catalogue, &request.selection, Purpose::Review)
        });
        merged(units.collect())
    };
    let mut head = evaluate(&request.head);
    let base = evaluate(&request.base);
    let code: BTreeSet<TreePath> = head.files.union(&base.files).cloned().collect();
    let touched: Vec<&TreePath> = request.touched.intersection(&code).collect();
    compare(&mut head, base, &request.renamed);
    refuse(&mut head, &request.sources);
    // What was wrong in a file before is for those who work on it.
    head.notices.retain(|notice| request.touched.contains(&notice.location.path));
    head.problems.extend(request.gaps.iter().map(unsearched));
    for violation in head.violations.iter_mut().filter(|violation| violation.state == State::Introduced) {
        place_in_diff(violation, &request.touched);
    }
    for problem in &mut head.problems {
        // A limit that a unit hits hides what any of its files says.
        problem.touched = problem.kind == ProblemKind::Limit || request.touched.contains(&problem.path);
    }
    let mut report = finished(head, catalogue, &request.selection, true);
    verdict::judge(&mut report, &request.sources, &touched);
    report.group();
    report
}

fn unsearched(gap: &Gap) -> ReportedProblem {
    ReportedProblem {
        kind: ProblemKind::Limit,
        // Whoever calls the folder may lie anywhere.
        unit: "/".to_owned(),
        path: gap.path.clone(),
        location: None,
        message: gap.message.clone(),
        remedy: gap.remedy.clone(),
        touched: true,
        blocking: false,
    }
}

/// Makes a report of the units of a scan: everything found counts, there is no base.
#[must_use]
pub fn scan(units: Vec<UnitReport>, catalogue: &Catalogue, selection: &Selection) -> Report {
    let mut report = finished(merged(units), catalogue, selection, false);
    verdict::judge_scan(&mut report);
    report.group();
    report
}

/// Lets count what the base does not accept, where a source takes no other suppressions.
fn refuse(head: &mut UnitReport, sources: &[SourceScope]) {
    let is_refused = |silenced: Option<&Silenced>, places: &[&Location]| {
        silenced.is_some_and(|silenced| verdict::refuses(sources, silenced, places))
    };
    let Suppressed { violations, undecided, by, refused } = &mut head.suppressed;
    let known = by.iter().filter(|stated| stated.is_accepted).map(|stated| Arc::as_ptr(&stated.silence)).collect();
    for mut violation in std::mem::take(violations) {
        let is_refused = is_refused(violation.silenced.as_ref(), &violation.places());
        match violation.silenced.take_if(|_| is_refused) {
            Some(silenced) => {
                let brought = silenced.brought(&known);
                violation.lapse = brought.first().map(|silence| Lapse::refused(silence));
                head.violations.push(violation);
                refused.extend(brought);
            }
            None => violations.push(violation),
        }
    }
    for mut answer in std::mem::take(undecided) {
        let is_refused = is_refused(answer.silenced.as_ref(), &answer.places());
        match answer.silenced.take_if(|_| is_refused) {
            Some(silenced) => {
                head.undecided.push(answer);
                refused.extend(silenced.brought(&known));
            }
            None => undecided.push(answer),
        }
    }
}

/// Puts a violation on the nearest link of its chain that the pull request touches: there its author looks.
fn place_in_diff(violation: &mut Violation, touched: &BTreeSet<TreePath>) {
    if touched.contains(&violation.location.path) {
        return;
    }
    if let Some(index) = violation.origins.iter().position(|step| touched.contains(&step.location.path)) {
        let link = violation.origins.remove(index);
        violation.used_at = Some(std::mem::replace(&mut violation.location, link.location));
    }
}

fn merged(units: Vec<UnitReport>) -> UnitReport {
    let mut all = UnitReport::default();
    for unit in units {
        all.violations.extend(unit.violations);
        all.undecided.extend(unit.undecided);
        all.suppressed.add(unit.suppressed);
        all.notices.extend(unit.notices);
        all.problems.extend(unit.problems);
        all.unevaluated.extend(unit.unevaluated);
        all.files.extend(unit.files);
        all.errors.extend(unit.errors);
        all.resources.extend(unit.resources);
        all.moved.extend(unit.moved);
        all.coverage.add(&unit.coverage);
    }
    all
}

fn finished(unit: UnitReport, catalogue: &Catalogue, selection: &Selection, is_review: bool) -> Report {
    let UnitReport { violations, mut undecided, mut problems, mut unevaluated, mut coverage, mut errors, .. } = unit;
    let UnitReport { suppressed, mut notices, .. } = unit;
    let violations = sorted(violations);
    undecided.sort_by(|a, b| {
        (a.state, &a.location, &a.policy, &a.resource).cmp(&(b.state, &b.location, &b.policy, &b.resource))
    });
    problems.sort_by(|a, b| (&a.path, &a.location).cmp(&(&b.path, &b.location)));
    problems.dedup();
    notices.sort();
    notices.dedup();
    unevaluated.sort();
    unevaluated.dedup();
    errors.sort();
    errors.dedup();
    coverage.policies = selection.count(catalogue);
    let suppressions = suppression::listed(suppressed, is_review);
    let named = violations.iter().map(|v| &v.policy).chain(undecided.iter().map(|u| &u.policy));
    let named = named.chain(suppressions.iter().map(|suppression| &suppression.policy));
    let mut policies: BTreeMap<PolicyId, Metadata> = BTreeMap::new();
    for id in named {
        if let Some(Ok(metadata)) = catalogue.position(id).map(|position| catalogue.metadata(position)) {
            policies.entry(id.clone()).or_insert_with(|| metadata.clone());
        }
    }
    Report {
        verdict: verdict::UNJUDGED,
        sources: Vec::new(),
        policies,
        violations,
        undecided,
        suppressions,
        notices,
        problems,
        unevaluated,
        coverage,
        errors,
    }
}

impl Report {
    /// Joins what several resources of one place answer.
    fn group(&mut self) {
        self.violations = grouped(std::mem::take(&mut self.violations));
        for suppression in &mut self.suppressions {
            suppression.violations = grouped(std::mem::take(&mut suppression.violations));
        }
    }
}

/// Worst first, then by place. Violations are large: their order is found before any is moved.
fn sorted(violations: Vec<Violation>) -> Vec<Violation> {
    fn key(violation: &Violation) -> impl Ord + '_ {
        let Violation { state, severity, location, policy, .. } = violation;
        (*state, std::cmp::Reverse(*severity), location, policy)
    }
    let mut order: Vec<(usize, &Violation)> = violations.iter().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| key(a).cmp(&key(b)));
    let order: Vec<usize> = order.into_iter().map(|(index, _)| index).collect();
    let mut violations: Vec<Option<Violation>> = violations.into_iter().map(Some).collect();
    order.into_iter().filter_map(|index| violations.get_mut(index)?.take()).collect()
}

/// What violations of one place have in common.
#[derive(PartialEq, Eq, Hash)]
struct Group<'v> {
    state: State,
    blocking: bool,
    policy: &'v PolicyId,
    unit: &'v str,
    place: Place<'v>,
    used_at: Option<Place<'v>>,
    attribute: &'v str,
}

impl<'v> Group<'v> {
    fn of(violation: &'v Violation) -> Self {
        let Violation { state, blocking, policy, unit, location, used_at, attribute, .. } = violation;
        let (place, used_at) = (place(location), used_at.as_ref().map(place));
        Self { state: *state, blocking: *blocking, policy, unit, place, used_at, attribute }
    }
}

type Place<'v> = (&'v TreePath, LineColumn, LineColumn);

fn place(location: &Location) -> Place<'_> {
    (&location.path, location.start, location.end)
}

/// Violations of a unit that stem from one place are one, naming all addresses.
fn grouped(violations: Vec<Violation>) -> Vec<Violation> {
    let mut known: HashMap<Group<'_>, usize> = HashMap::with_capacity(violations.len());
    let mut numbers = Vec::with_capacity(violations.len());
    for violation in &violations {
        let next = known.len();
        numbers.push(*known.entry(Group::of(violation)).or_insert(next));
    }
    let mut groups: Vec<Violation> = Vec::with_capacity(known.len());
    for (mut violation, number) in violations.into_iter().zip(numbers) {
        violation.identity = Identity::default();
        match groups.get_mut(number) {
            Some(group) => {
                if group.addresses().all(|(_, fingerprint)| fingerprint != violation.fingerprint) {
                    let Violation { resource, fingerprint, .. } = violation;
                    group.also.push(Address { resource, fingerprint });
                }
            }
            None => groups.push(violation),
        }
    }
    groups
}
