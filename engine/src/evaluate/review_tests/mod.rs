//! Reviews and scans of small trees: what is introduced, existing, fixed, undecided, and what stands in the way.

mod doubt;
mod identity;
mod lost;
mod place;
mod scope;
mod suppressed;
mod terraform;

use std::collections::BTreeSet;

use super::language_tests::library;
use super::report::{Report, State, Verdict};
use super::{
    OnUndecided, OnUnreadable, Purpose, Request, Selection, SourceScope, SuppressionsTaken, evaluate_unit, review, scan,
};
use crate::formats::{self, ReadOptions, Scope};
use crate::policy::{Catalogue, Severity, load_policy};
use crate::source_tree::{Folder, SourceTree, TreePath};

/// Policies of each shape that matters here, so that these tests hold whatever policies come with the program.
const POLICIES: [(&str, &str, &str); 8] = [
    ("db", "terraform", "resource: aws_db_instance, require: { storage_encrypted: true }"),
    ("backup", "terraform", "resource: aws_db_instance, require: { backup.keep: true, backup.copy: true }"),
    (
        "port",
        "everywhere",
        "resource: network_rule, when: { direction: ingress, action: allow, ports: { overlaps: [22, 3389] } }, \
         forbid: { 'cidrs[]': $public_cidr }, message: '{ports} is open to {value}'",
    ),
    (
        "block",
        "terraform",
        "resource: aws_s3_bucket, related: { block: { resource: aws_s3_bucket_public_access_block, via: bucket } }, \
         require: { block.block_public_acls: true }",
    ),
    ("privileged", "kubernetes", "resource: Pod, forbid: { 'pod.containers[].securityContext.privileged': true }"),
    ("host", "kubernetes", "resource: Pod, forbid: { pod.hostNetwork: true }"),
    (
        "direct",
        "terraform",
        "resource: aws_security_group, forbid: { 'ingress[]': { ports: { overlaps: 5432 }, 'cidrs[]': $public_cidr } }",
    ),
    ("described", "terraform", "resource: aws_security_group, require: { 'ingress[].description': present }"),
];

pub(super) fn catalogue() -> Catalogue {
    let library = library();
    let mut policies = Vec::new();
    for (id, section, check) in POLICIES {
        let examples = match section {
            "everywhere" => "examples: { terraform: { pass: x, fail: 'x # expect' } }",
            _ => "examples: { pass: x, fail: 'x # expect' }",
        };
        let aliases = if id == "host" {
            "[CKV_K8S_19, KSV-0009, 'kube-linter:host-network']\ncovers: [CKV_K8S_17]"
        } else {
            "[]"
        };
        let text = format!(
            "id: {id}\naliases: {aliases}\ntitle: t\nseverity: high\ndescription: d\nremediation: r\n{section}: {{ {check}, {examples} }}\n"
        );
        let loaded =
            load_policy(&format!("{id}.yaml"), &text, &library).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        policies.extend(loaded.policies);
    }
    Catalogue::of(policies, library).unwrap()
}

/// A tree of files: their paths and texts.
pub(super) type Tree<'t> = &'t [(&'t str, &'t str)];

pub(super) fn tree(files: Tree<'_>) -> SourceTree {
    SourceTree::from_files(files.iter().map(|(path, text)| (TreePath::new(path).unwrap(), text.as_bytes().to_vec())))
}

/// A pull request in short.
pub(super) struct Change<'t> {
    pub(super) base: Tree<'t>,
    pub(super) head: Tree<'t>,
    pub(super) folder: &'t str,
    pub(super) renamed: &'t [(&'t str, &'t str)],
    pub(super) on_undecided: OnUndecided,
    pub(super) suppressions: SuppressionsTaken,
    pub(super) today: i64,
}

impl<'t> Change<'t> {
    pub(super) fn new(base: Tree<'t>, head: Tree<'t>) -> Self {
        Self {
            base,
            head,
            folder: "/",
            renamed: &[],
            on_undecided: OnUndecided::Report,
            suppressions: SuppressionsTaken::Allow,
            today: 0,
        }
    }

    pub(super) fn review(&self) -> Report {
        let path = |path: &str| TreePath::new(path).unwrap();
        let differs = |(name, text): &&(&str, &str), other: Tree<'_>| !other.contains(&(*name, *text));
        let added = self.head.iter().filter(|file| differs(file, self.base));
        let removed = self.base.iter().filter(|file| differs(file, self.head));
        let touched: BTreeSet<TreePath> = added.chain(removed).map(|(name, _)| path(name)).collect();
        let source = SourceScope {
            name: "s".into(),
            folders: vec![Folder::new(self.folder).unwrap()],
            blocking: Severity::Medium,
            on_unreadable: OnUnreadable::Block,
            on_undecided: self.on_undecided,
            suppressions: self.suppressions,
        };
        let request = Request {
            head: tree(self.head),
            base: tree(self.base),
            touched,
            gaps: Vec::new(),
            renamed: self.renamed.iter().map(|(from, to)| (path(from), path(to))).collect(),
            sources: vec![source],
            selection: Selection { today: self.today, ..Selection::default() },
            options: ReadOptions::default(),
        };
        review(&request, &catalogue())
    }

    /// The verdict, and a line for each violation: policy, address, state, and `!` when it blocks.
    pub(super) fn answer(&self) -> (Verdict, Vec<String>) {
        let report = self.review();
        let mut lines = Vec::new();
        for violation in &report.violations {
            let state = match violation.state {
                State::Introduced => "introduced",
                State::Found => "found",
                State::Existing => "existing",
                State::Fixed => "fixed",
            };
            let blocks = if violation.blocking { "!" } else { "" };
            lines.push(format!("{} {} {state}{blocks}", violation.policy, violation.resource));
        }
        lines.sort();
        (report.verdict, lines)
    }
}

/// One file that changes from one text to another.
pub(super) fn edit(base: &str, head: &str) -> (Verdict, Vec<String>) {
    Change::new(&[("main.tf", base)], &[("main.tf", head)]).answer()
}

/// A scan of a tree.
pub(super) fn scanned(files: Tree<'_>) -> Report {
    let (tree, catalogue, selection) = (tree(files), catalogue(), Selection::default());
    let plans = formats::units(&tree, &Scope::All);
    let units = plans.iter().map(|plan| {
        evaluate_unit(&formats::read(plan, &tree, &ReadOptions::default()), &catalogue, &selection, Purpose::Scan)
    });
    scan(units.collect(), &catalogue, &selection)
}
