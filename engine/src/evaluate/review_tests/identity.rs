//! Which violation of the head is which of the base.

use super::{Change, edit};
use crate::evaluate::Verdict::{Fail, Pass};

/// A security group whose rules let ports through from somewhere.
fn group(name: &str, rules: &[(i64, i64, &str)]) -> String {
    let rule = |(from, to, cidr): &(i64, i64, &str)| {
        format!(
            "  ingress {{\n    description = \"x\"\n    from_port = {from}\n    to_port = {to}\n    protocol = \"tcp\"\n    \
             cidr_blocks = [\"{cidr}\"]\n  }}\n"
        )
    };
    format!("resource \"aws_security_group\" \"{name}\" {{\n{}}}\n", rules.iter().map(rule).collect::<String>())
}

fn pod(name: &str, containers: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: x}}\nspec:\n  containers:\n{containers}")
}

fn pods(base: &str, head: &str) -> (crate::evaluate::Verdict, Vec<String>) {
    Change::new(&[("a.yaml", base)], &[("a.yaml", head)]).answer()
}

const OPEN: &str = "resource \"aws_db_instance\" \"old\" {\n  backup {\n    keep = true\n    copy = true\n  }\n}\n";
const SHUT: &str = "resource \"aws_db_instance\" \"old\" {\n  storage_encrypted = true\n  backup {\n    keep = true\n    copy = true\n  }\n}\n";

#[test]
fn a_violation_repaired_here_buys_none_elsewhere() {
    let (verdict, lines) = edit(OPEN, &format!("{SHUT}{}", OPEN.replace("old", "new")));
    assert_eq!(
        (verdict, lines),
        (Fail, vec!["db aws_db_instance.new introduced!".into(), "db aws_db_instance.old fixed".into()])
    );
    let base = group("a", &[(22, 22, "0.0.0.0/0")]);
    let head = group("a", &[(22, 22, "10.0.0.0/8")]);
    let other = group("z", &[(3389, 3389, "0.0.0.0/0")]);
    let (verdict, lines) = Change::new(&[("main.tf", &base)], &[("main.tf", &head), ("x/main.tf", &other)]).answer();
    assert_eq!((verdict, lines.len()), (Fail, 2), "{lines:?}");
}

#[test]
fn another_port_in_the_same_group_is_another_hole() {
    let one = |from, to| group("a", &[(from, to, "0.0.0.0/0")]);
    assert_eq!(edit(&one(22, 22), &one(3389, 3389)).0, Fail);
    assert_eq!(edit(&one(22, 22), &one(0, 65535)).0, Fail);
    let twice = group("a", &[(22, 22, "10.0.0.0/8"), (3389, 3389, "0.0.0.0/0")]);
    assert_eq!(edit(&group("a", &[(22, 22, "0.0.0.0/0"), (3389, 3389, "10.0.0.0/8")]), &twice).0, Fail);
    assert_eq!(edit(&group("a", &[(22, 22, "8.0.0.0/8")]), &one(22, 22)).0, Fail);
}

#[test]
fn a_rule_that_is_narrowed_or_split_or_moved_was_there_before() {
    let wide = group("a", &[(0, 65535, "0.0.0.0/0")]);
    for rules in [
        &[(22, 22, "0.0.0.0/0")][..],
        &[(22, 22, "0.0.0.0/0"), (3389, 3389, "8.0.0.0/8")],
        &[(443, 443, "0.0.0.0/0"), (0, 65535, "0.0.0.0/0")],
    ] {
        let (verdict, lines) = edit(&wide, &group("a", rules));
        assert_eq!(verdict, Pass, "{lines:?}");
        assert!(lines.iter().all(|line| line.ends_with("existing")) && !lines.is_empty(), "{lines:?}");
    }
}

#[test]
fn a_container_is_known_by_its_name() {
    let shut = |name: &str| format!("  - {{name: {name}, image: \"x:1\"}}\n");
    let open = |name: &str| format!("  - {{name: {name}, image: \"x:1\", securityContext: {{privileged: true}}}}\n");
    let base = pod("a", &(open("logger") + &shut("web")));
    let (verdict, lines) = pods(&base, &pod("a", &(shut("logger") + &open("web"))));
    assert_eq!(
        (verdict, lines),
        (Fail, vec!["privileged Pod.x.a fixed".into(), "privileged Pod.x.a introduced!".into()])
    );
    assert_eq!(
        pods(&base, &pod("a", &(shut("web") + &open("logger")))),
        (Pass, vec!["privileged Pod.x.a existing".into()])
    );
    assert_eq!(
        pods(&base, &pod("a", &(open("log") + &shut("web")))),
        (Pass, vec!["privileged Pod.x.a existing".into()])
    );
    assert_eq!(pods(&base, &pod("a", &(open("logger") + &open("web")))).0, Fail);
}

#[test]
fn an_element_without_a_name_is_known_by_what_is_left_of_it() {
    let one = group("a", &[(80, 80, "0.0.0.0/0")]).replace("    description = \"x\"\n", "");
    let two = group("a", &[(81, 81, "0.0.0.0/0")]).replace("    description = \"x\"\n", "");
    assert_eq!(edit(&one, &two), (Pass, vec!["described aws_security_group.a existing".into()]));
    let both = one.replace("}\n}\n", "}\n") + two.split_once('\n').map_or("", |(_, rest)| rest);
    assert_eq!(edit(&one, &both).0, Fail);
}

#[test]
fn one_requirement_broken_and_another_met_is_new() {
    let db = |keep, copy| {
        format!(
            "resource \"aws_db_instance\" \"a\" {{\n  storage_encrypted = true\n  backup {{\n    keep = {keep}\n    copy = {copy}\n  }}\n}}\n"
        )
    };
    let both = vec!["backup aws_db_instance.a fixed".into(), "backup aws_db_instance.a introduced!".into()];
    assert_eq!(edit(&db(true, false), &db(false, true)), (Fail, both));
    assert_eq!(edit(&db(true, false), &db(false, false)), (Fail, vec!["backup aws_db_instance.a introduced!".into()]));
    assert_eq!(edit(&db(false, false), &db(true, false)), (Pass, vec!["backup aws_db_instance.a existing".into()]));
}

#[test]
fn a_resource_under_another_name_is_the_same_when_it_looks_the_same() {
    let db = |name: &str, class: &str| {
        format!(
            "resource \"aws_db_instance\" \"{name}\" {{\n  class = \"{class}\"\n  engine = \"{class}\"\n  backup {{\n    keep = true\n    copy = true\n  }}\n}}\n"
        )
    };
    let renamed = |name: &str, state: &str| vec![format!("db aws_db_instance.{name} {state}")];
    assert_eq!(edit(&db("a", "x"), &db("b", "x")), (Pass, renamed("b", "existing")));
    let (verdict, lines) = edit(&db("a", "x").replace("backup", "b"), &db("b", "y"));
    assert_eq!((verdict, lines.len()), (Fail, 3), "{lines:?}");
    let moved = "moved {\n  from = aws_db_instance.a\n  to = module.m.aws_db_instance.b\n}\nmodule \"m\" {\n  source = \"./m\"\n}\n";
    let body = db("b", "y");
    let base = [(
        "main.tf",
        "resource \"aws_db_instance\" \"a\" {\n  name = \"n\"\n  size = 1\n  backup {\n    keep = true\n    copy = true\n  }\n}\n",
    )];
    let head = [("main.tf", moved), ("m/main.tf", &*body)];
    assert_eq!(Change::new(&base, &head).answer(), (Pass, vec!["db module.m.aws_db_instance.b existing".into()]));
}

#[test]
fn files_and_folders_may_be_renamed_but_copies_are_new() {
    let files: [(&str, &str); 1] = [("a/main.tf", OPEN)];
    let moved: [(&str, &str); 1] = [("b/main.tf", OPEN)];
    let change = Change { renamed: &[("a/main.tf", "b/main.tf")], ..Change::new(&files, &moved) };
    assert_eq!(change.answer(), (Pass, vec!["db aws_db_instance.old existing".into()]));
    assert_eq!(Change::new(&files, &moved).answer().0, Pass);
    assert_eq!(Change::new(&files, &[("a/main.tf", OPEN), ("b/main.tf", OPEN)]).answer().0, Fail);
}

#[test]
fn an_instance_more_is_one_violation_more() {
    let many = |count: &str| OPEN.replace("{\n  backup", &format!("{{\n  {count}\n  backup"));
    assert_eq!(edit(OPEN, &many("count = 1")), (Pass, vec!["db aws_db_instance.old[0] existing".into()]));
    let (verdict, lines) = edit(OPEN, &many("count = 2"));
    assert_eq!(
        (verdict, lines),
        (Fail, vec!["db aws_db_instance.old[0] existing".into(), "db aws_db_instance.old[1] introduced!".into()])
    );
    let keys = |keys: &str| many(&format!("for_each = toset([{keys}])"));
    assert_eq!(edit(&keys("\"a\", \"b\""), &keys("\"b\", \"c\"")).0, Pass);
}
