//! What an evaluation says: plain data that can be stored, sent and rendered without asking anyone.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::policy::{Metadata, PolicyId, Severity};
use crate::resource::{FormatId, ProblemKind, ReasonKind};
use crate::source_tree::{LineColumn, TreePath};

use super::identity::Identity;
use super::silences::Silence;
use super::suppression::{Lapse, ReportedNotice, Silenced, Stated, Suppression};

/// The gate's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing stands in the way.
    Pass,
    /// Something does.
    Fail,
    /// It could not be evaluated; never a pass.
    Error,
}

/// Everything an evaluation says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The worst verdict of all sources.
    pub verdict: Verdict,
    /// What each source answers; a scan without sources has none.
    pub sources: Vec<SourceReport>,
    /// The policies that are named below.
    pub policies: BTreeMap<PolicyId, Metadata>,
    /// Worst first, then by place.
    pub violations: Vec<Violation>,
    /// By place.
    pub undecided: Vec<Undecided>,
    /// What suppressions keep from counting, and suppressions that keep nothing, by place.
    #[serde(default)]
    pub suppressions: Vec<Suppression>,
    /// What in the files was meant to silence something and does not, by place.
    #[serde(default)]
    pub notices: Vec<ReportedNotice>,
    /// By place.
    pub problems: Vec<ReportedProblem>,
    /// Files of a kind that is recognised but not evaluated.
    pub unevaluated: Vec<UnevaluatedFile>,
    /// What was looked at.
    pub coverage: Coverage,
    /// Why the evaluation itself went wrong, in words.
    pub errors: Vec<String>,
}

impl Report {
    /// What holds when a policy that is named in it is met; nothing for a policy nobody knows any more.
    #[must_use]
    pub fn title(&self, policy: &PolicyId) -> &str {
        self.policies.get(policy).map_or("", |metadata| &metadata.title)
    }

    /// How a violation of a policy that is named in it is mended.
    #[must_use]
    pub fn remediation(&self, policy: &PolicyId) -> &str {
        self.policies.get(policy).map_or("", |metadata| &metadata.remediation)
    }
}

/// What one source answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReport {
    /// Its name.
    pub name: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// From this severity on an introduced violation blocks.
    pub blocking: Severity,
    /// Introduced violations that block.
    pub blocking_violations: usize,
    /// Problems in touched files that block.
    pub blocking_problems: usize,
    /// Introduced undecided answers that block.
    pub blocking_undecided: usize,
    /// Touched infrastructure-as-code files in its folders.
    pub touched_files: usize,
}

/// How a violation stands to the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Of the head alone.
    Introduced,
    /// Found; there was no base to compare with.
    Found,
    /// Of base and head.
    Existing,
    /// Of the base alone.
    Fixed,
}

/// One policy not met by one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Stable across commits, also when lines move: 32 hexadecimal digits.
    pub fingerprint: String,
    /// The policy.
    pub policy: PolicyId,
    /// How bad.
    pub severity: Severity,
    /// How it stands to the base.
    pub state: State,
    /// Whether a source is blocked by it; in a scan without sources, always.
    pub blocking: bool,
    /// The unit it was found in.
    pub unit: String,
    /// The resource's address.
    pub resource: String,
    /// The resource's type.
    pub resource_type: String,
    /// The resource's format.
    pub format: FormatId,
    /// Further resources that violate the policy from the same place.
    pub also: Vec<Address>,
    /// Where in the resource.
    pub attribute: String,
    /// What is wrong, in one line.
    pub message: String,
    /// The deciding place; of what a pull request introduces, the nearest link of the chain that it touches.
    pub location: Location,
    /// Where the resource uses the value, when that is not the deciding place.
    #[serde(default)]
    pub used_at: Option<Location>,
    /// The places the value came through, nearest first.
    pub origins: Vec<Step>,
    /// Why the resource may not exist at all: it is a violation whenever it is created.
    pub whenever: Option<String>,
    /// Text to add or to set, ready to copy.
    pub suggestion: Option<String>,
    /// Why it counts although a suppression is written for it.
    #[serde(default)]
    pub lapse: Option<Lapse>,
    /// What tells it from others of its policy; gone once the report is made.
    #[serde(skip)]
    pub(crate) identity: Identity,
    /// What silences it; gone once the report is made.
    #[serde(skip)]
    pub(crate) silenced: Option<Silenced>,
}

/// A resource that violates a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Its address.
    pub resource: String,
    /// The violation's fingerprint.
    pub fingerprint: String,
}

impl Violation {
    /// Each resource that violates the policy from this place: its address and the violation's fingerprint.
    pub fn addresses(&self) -> impl Iterator<Item = (&str, &str)> {
        let also = self.also.iter().map(|address| (address.resource.as_str(), address.fingerprint.as_str()));
        std::iter::once((self.resource.as_str(), self.fingerprint.as_str())).chain(also)
    }
}

/// A policy whose answer depends on a value nobody can know from the files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undecided {
    /// The policy.
    pub policy: PolicyId,
    /// How bad a violation would be.
    pub severity: Severity,
    /// How it stands to the base.
    pub state: State,
    /// Whether the policy wants undecided answers to block.
    pub blocks: bool,
    /// Whether a source is blocked by it.
    pub blocking: bool,
    /// The unit.
    pub unit: String,
    /// The resource's address.
    pub resource: String,
    /// The resource's type.
    pub resource_type: String,
    /// Where in the resource.
    pub attribute: String,
    /// Where the unknown value stands.
    pub location: Location,
    /// Why it is unknown.
    pub reason: String,
    /// What kind of reason.
    pub reason_kind: ReasonKind,
    /// Where the unknown begins.
    pub cause: Option<Location>,
    /// The places the value came through, nearest first, and the calls that lead to the resource.
    #[serde(default)]
    pub origins: Vec<Step>,
    /// What would make it known.
    pub remedy: String,
    /// What silences it; gone once the report is made.
    #[serde(skip)]
    pub(crate) silenced: Option<Silenced>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The file.
    pub path: TreePath,
    /// First character.
    pub start: LineColumn,
    /// Behind the last character.
    pub end: LineColumn,
    /// The text of the lines, the first few.
    pub lines: Vec<String>,
}

/// A place a value came through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What is there: `variable acl`.
    pub what: String,
    /// Where.
    pub location: Location,
}

/// A place that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedProblem {
    /// What kind of hole it leaves.
    pub kind: ProblemKind,
    /// The unit.
    pub unit: String,
    /// The file.
    pub path: TreePath,
    /// The place in it.
    pub location: Option<Location>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
    /// Whether the file is one that the pull request touches; always in a scan.
    pub touched: bool,
    /// Whether a source is blocked by it.
    pub blocking: bool,
}

/// A file of a kind that is recognised but not evaluated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnevaluatedFile {
    /// The file.
    pub path: TreePath,
    /// What it is.
    pub what: String,
}

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Infrastructure-as-code files read.
    pub files: usize,
    /// Units evaluated.
    pub units: usize,
    /// Resources found.
    pub resources: usize,
    /// Policies in force.
    pub policies: usize,
    /// Checks of a policy on a resource that it applies to.
    pub checks: usize,
    /// Resource types that no policy speaks of, and how many resources of each.
    pub uncovered: BTreeMap<String, usize>,
    /// How long it took, if somebody measured.
    pub elapsed_ms: Option<u64>,
}

impl Coverage {
    /// Adds what another unit looked at.
    pub(crate) fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.units += other.units;
        self.resources += other.resources;
        self.checks += other.checks;
        for (name, count) in &other.uncovered {
            *self.uncovered.entry(name.clone()).or_default() += count;
        }
    }
}

/// What the evaluation of one unit says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitReport {
    /// The violations.
    pub violations: Vec<Violation>,
    /// The undecided answers.
    pub undecided: Vec<Undecided>,
    /// What was meant to silence something and does not.
    pub notices: Vec<ReportedNotice>,
    /// The problems.
    pub problems: Vec<ReportedProblem>,
    /// The files not evaluated.
    pub unevaluated: Vec<UnevaluatedFile>,
    /// The infrastructure-as-code files that were read, or could not be.
    pub files: BTreeSet<TreePath>,
    /// What was looked at.
    pub coverage: Coverage,
    /// Why the evaluation itself went wrong.
    pub errors: Vec<String>,
    /// What suppressions keep from counting; known only while reports are made and compared, as what follows.
    #[serde(skip)]
    pub suppressed: Suppressed,
    /// The resources.
    #[serde(skip)]
    pub resources: Vec<Listed>,
    /// Resources and modules that have another address than before.
    #[serde(skip)]
    pub moved: Vec<Moved>,
}

/// Answers that do not count, and what silences them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppressed {
    /// The violations.
    pub violations: Vec<Violation>,
    /// The undecided answers.
    pub undecided: Vec<Undecided>,
    /// All suppressions, also those that silence nothing.
    pub(crate) by: Vec<Stated>,
    /// Those that a source does not take.
    pub(crate) refused: Vec<Arc<Silence>>,
}

impl Suppressed {
    /// Adds those of another unit.
    pub(crate) fn add(&mut self, mut other: Self) {
        self.violations.append(&mut other.violations);
        self.undecided.append(&mut other.undecided);
        self.by.append(&mut other.by);
        self.refused.append(&mut other.refused);
    }
}

/// A resource that was evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its unit.
    pub unit: Arc<str>,
    /// Its address.
    pub address: Arc<str>,
    /// Its type.
    pub type_name: Arc<str>,
    /// The file that declares it.
    pub path: Option<TreePath>,
    /// The bytes of its declaration there.
    pub range: Range<u32>,
    /// What it looks like, of one that is not a clear pass.
    pub sketch: Option<Arc<[u64]>>,
}

/// What has another address than before (`moved`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The unit.
    pub unit: Arc<str>,
    /// The address before.
    pub from: Arc<str>,
    /// The address now.
    pub to: Arc<str>,
}
