//! What counts for a source, and what of several units and resources is said together.

use std::collections::BTreeSet;

use super::{Change, scanned};
use crate::evaluate::Verdict::{Fail, Pass};
use crate::evaluate::{OnUndecided, State, against_baseline};

const MODULE: &str = "variable \"enc\" {}\nresource \"aws_db_instance\" \"r\" {\n  storage_encrypted = var.enc\n  backup {\n    keep = true\n    copy = true\n  }\n}\n";

fn call(enc: &str) -> String {
    format!("variable \"u\" {{}}\nmodule \"db\" {{\n  source = \"../modules/db\"\n  enc    = {enc}\n}}\n")
}

#[test]
fn what_a_source_introduces_through_a_module_elsewhere_blocks_it() {
    let (good, bad) = (call("true"), call("false"));
    let base = [("live/main.tf", &*good), ("modules/db/main.tf", MODULE)];
    let head = [("live/main.tf", &*bad), ("modules/db/main.tf", MODULE)];
    let change = Change { folder: "/live", ..Change::new(&base, &head) };
    let report = change.review();
    assert_eq!(change.answer(), (Fail, vec!["db module.db.aws_db_instance.r introduced!".into()]));
    let violation = &report.violations[0];
    assert_eq!((violation.location.path.as_str(), violation.location.start.line), ("live/main.tf", 4));
    assert_eq!(violation.used_at.as_ref().map(|at| at.path.as_str()), Some("modules/db/main.tf"));
    assert_eq!(Change { folder: "/other", ..Change::new(&base, &head) }.answer().0, Pass);
    let open = call("var.u");
    let head = [("live/main.tf", &*open), ("modules/db/main.tf", MODULE)];
    let change = Change { folder: "/live", on_undecided: OnUndecided::Block, ..Change::new(&base, &head) };
    assert_eq!((change.review().verdict, change.review().sources[0].blocking_undecided), (Fail, 1));
}

#[test]
fn a_limit_hit_in_an_untouched_file_of_a_touched_unit_blocks_and_is_said_once() {
    let locals = "locals {\n  x = length(flatten([for i in range(var.n) : [for j in range(var.n) : [for k in range(var.n) : i + j + k]]]))\n}\n\
                  resource \"aws_ssm_parameter\" \"p\" {\n  value = local.x\n}\nresource \"aws_db_instance\" \"db\" {\n  storage_encrypted = var.enc\n}\n";
    let variables = |n: i64, enc: bool| {
        format!("variable \"n\" {{\n  default = {n}\n}}\nvariable \"enc\" {{\n  default = {enc}\n}}\n")
    };
    let (few, many) = (variables(2, true), variables(900, false));
    let base = [("live/vars.tf", &*few), ("live/locals.tf", locals)];
    let head = [("live/vars.tf", &*many), ("live/locals.tf", locals)];
    let change = Change { folder: "/live", ..Change::new(&base, &head) };
    let report = change.review();
    assert_eq!((report.verdict, report.problems.len()), (Fail, 1), "{:?}", report.problems);
    assert!(report.problems[0].blocking);
    assert_eq!(Change { folder: "/elsewhere", ..change }.review().verdict, Pass);
}

#[test]
fn the_same_module_in_two_roots_violates_twice() {
    let bad = call("false").replace("../modules", "../../modules");
    let files = [("live/dev/main.tf", &*bad), ("live/prod/main.tf", &*bad), ("modules/db/main.tf", MODULE)];
    let report = scanned(&files);
    let units: Vec<&str> = report.violations.iter().map(|violation| violation.unit.as_str()).collect();
    assert_eq!(units, ["/live/dev", "/live/prod"]);
    let good = call("true").replace("../modules", "../../modules");
    let base = [("live/dev/main.tf", &*good), ("live/prod/main.tf", &*good), ("modules/db/main.tf", MODULE)];
    assert_eq!(Change { folder: "/live/prod", ..Change::new(&base, &files) }.review().verdict, Fail);
}

#[test]
fn a_baseline_that_knows_one_address_of_a_place_does_not_know_the_others() {
    let mut report = scanned(&[(
        "main.tf",
        "resource \"aws_db_instance\" \"a\" {\n  count = 3\n  backup {\n    keep = true\n    copy = true\n  }\n}\n",
    )]);
    assert_eq!((report.violations.len(), report.violations[0].also.len()), (1, 2));
    let fingerprints: BTreeSet<&str> = report.violations[0].addresses().map(|(_, fingerprint)| fingerprint).collect();
    assert_eq!(fingerprints.len(), 3);
    let known = BTreeSet::from([report.violations[0].fingerprint.clone()]);
    against_baseline(&mut report, &known);
    let states: Vec<(State, usize, bool)> =
        report.violations.iter().map(|v| (v.state, v.addresses().count(), v.blocking)).collect();
    assert_eq!(states, [(State::Introduced, 2, true), (State::Existing, 1, false)]);
}
