//! A whole evaluation: what is asked, and the report that answers.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::formats::{self, Gap, ReadOptions, Scope};
use crate::policy::{Catalogue, Metadata, PolicyId, Severity};
use crate::resource::ProblemKind;
use crate::source_tree::{Folder, SourceTree, TreePath};

use super::compare::compare;
use super::report::{Report, ReportedProblem, State, UnitReport, Violation};
use super::unit::{Selection, evaluate_unit};
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
}

impl SourceScope {
    /// Whether a file counts for it.
    #[must_use]
    pub fn contains(&self, path: &TreePath) -> bool {
        self.folders.iter().any(|folder| folder.contains(path))
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

/// Evaluates the units that a pull request touches, in head and base, and says what it introduces.
#[must_use]
pub fn review(request: &Request, catalogue: &Catalogue) -> Report {
    let scope = Scope::Touching(request.touched.clone());
    let evaluate = |tree: &SourceTree| {
        let plans = formats::units(tree, &scope);
        let units = plans.iter().map(|plan| {
            let unit = formats::read(plan, tree, &request.options);
            evaluate_unit(&unit, catalogue, &request.selection)
        });
        merged(units.collect())
    };
    let mut head = evaluate(&request.head);
    let base = evaluate(&request.base);
    let code: BTreeSet<TreePath> = head.files.union(&base.files).cloned().collect();
    let touched: Vec<&TreePath> = request.touched.intersection(&code).collect();
    compare(&mut head, base, &request.renamed);
    head.problems.extend(request.gaps.iter().map(unsearched));
    for problem in &mut head.problems {
        problem.touched = request.touched.contains(&problem.path);
    }
    let mut report = finished(head, catalogue, &request.selection);
    verdict::judge(&mut report, &request.sources, &touched);
    report
}

fn unsearched(gap: &Gap) -> ReportedProblem {
    ReportedProblem {
        kind: ProblemKind::Limit,
        unit: gap.path.folder().to_string(),
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
    let mut report = finished(merged(units), catalogue, selection);
    verdict::judge_scan(&mut report);
    report
}

fn merged(units: Vec<UnitReport>) -> UnitReport {
    let mut all = UnitReport::default();
    for unit in units {
        all.violations.extend(unit.violations);
        all.undecided.extend(unit.undecided);
        all.problems.extend(unit.problems);
        all.unevaluated.extend(unit.unevaluated);
        all.files.extend(unit.files);
        all.errors.extend(unit.errors);
        all.coverage.add(&unit.coverage);
    }
    all
}

fn finished(unit: UnitReport, catalogue: &Catalogue, selection: &Selection) -> Report {
    let UnitReport { violations, mut undecided, mut problems, mut unevaluated, mut coverage, mut errors, files: _ } =
        unit;
    let mut violations = grouped(violations);
    violations.sort_by(|a, b| {
        let key = |v: &Violation| (v.state, std::cmp::Reverse(v.severity));
        key(a).cmp(&key(b)).then_with(|| a.location.cmp(&b.location)).then_with(|| a.policy.cmp(&b.policy))
    });
    undecided.sort_by(|a, b| {
        (a.state, &a.location, &a.policy, &a.resource).cmp(&(b.state, &b.location, &b.policy, &b.resource))
    });
    problems.sort_by(|a, b| (&a.path, &a.location).cmp(&(&b.path, &b.location)));
    problems.dedup();
    unevaluated.sort();
    unevaluated.dedup();
    errors.sort();
    errors.dedup();
    coverage.policies = selection.count(catalogue);
    let named = violations.iter().map(|v| &v.policy).chain(undecided.iter().map(|u| &u.policy));
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
        problems,
        unevaluated,
        coverage,
        errors,
    }
}

/// Violations that stem from one place are one, naming all addresses.
fn grouped(violations: Vec<Violation>) -> Vec<Violation> {
    let mut groups: Vec<Violation> = Vec::new();
    let mut known: HashMap<(State, PolicyId, TreePath, u32, u32, String), usize> = HashMap::new();
    for violation in violations {
        let place = &violation.location;
        let key = (
            violation.state,
            violation.policy.clone(),
            place.path.clone(),
            place.start.line,
            place.start.column,
            violation.attribute.clone(),
        );
        let group = known.get(&key).and_then(|index| groups.get_mut(*index));
        match group {
            Some(group) => {
                if group.resource != violation.resource && !group.also.contains(&violation.resource) {
                    group.also.push(violation.resource);
                }
            }
            None => {
                known.insert(key, groups.len());
                groups.push(violation);
            }
        }
    }
    groups
}
