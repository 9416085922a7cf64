//! What Terraform and its providers mean, as the answers of policies show it.

use super::{Change, scanned};
use crate::evaluate::Verdict::Fail;

/// How many violate and how many are undecided.
fn figures(text: &str) -> (usize, usize) {
    let report =
        scanned(&[("main.tf", &format!("variable \"x\" {{}}\nvariable \"l\" {{ type = list(string) }}\n{text}"))]);
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    (report.violations.iter().map(|violation| violation.addresses().count()).sum(), report.undecided.len())
}

fn db(value: &str) -> String {
    format!(
        "resource \"aws_db_instance\" \"d\" {{\n  storage_encrypted = {value}\n  backup {{\n    keep = \"1\"\n    copy = true\n  }}\n}}\n"
    )
}

#[test]
fn booleans_may_be_written_as_text() {
    assert_eq!(figures(&db("\"1\"")), (0, 0));
    assert_eq!(figures(&db("\"0\"")), (1, 0));
    assert_eq!(figures(&db("\"true\"")), (0, 0));
}

#[test]
fn a_firewall_that_may_be_off_or_open_for_other_ports_is_undecided_or_passes() {
    let firewall = |disabled: &str, ports: &str| {
        format!(
            "resource \"google_compute_firewall\" \"f\" {{\n  disabled = {disabled}\n  source_ranges = [\"0.0.0.0/0\"]\n  allow {{\n    protocol = \"tcp\"\n    ports = {ports}\n  }}\n}}\n"
        )
    };
    assert_eq!(figures(&firewall("false", "[\"22\"]")), (1, 0));
    assert_eq!(figures(&firewall("var.x", "[\"22\"]")), (0, 1));
    assert_eq!(figures(&firewall("var.x", "[\"443\"]")), (0, 0));
    assert_eq!(figures(&firewall("true", "[\"22\"]")), (0, 0));
    assert_eq!(figures(&firewall("\"true\"", "[\"22\"]")), (0, 0));
    assert_eq!(figures(&firewall("false", "var.x ? [\"443\"] : [\"8443\"]")), (0, 0));
    assert_eq!(figures(&firewall("false", "var.x ? [\"22\"] : [\"3389\"]")), (1, 0));
    assert_eq!(figures(&firewall("false", "var.x ? [\"22\"] : [\"443\"]")), (0, 1));
    assert_eq!(figures(&firewall("false", "var.x ? [] : [\"22\"]")), (1, 0));
    assert_eq!(figures(&firewall("false", "var.l")), (0, 1));
}

#[test]
fn any_address_has_several_names_in_azure() {
    let rule = |source: &str| {
        format!(
            "resource \"azurerm_network_security_rule\" \"r\" {{\n  direction = \"Inbound\"\n  access = \"Allow\"\n  protocol = \"Tcp\"\n  destination_port_range = \"22\"\n  source_address_prefix = \"{source}\"\n}}\n"
        )
    };
    for source in ["*", "0.0.0.0", "Internet", "any", "0.0.0.0/0"] {
        assert_eq!(figures(&rule(source)), (1, 0), "{source}");
    }
    assert_eq!(figures(&rule("10.0.0.1")), (0, 0));
}

#[test]
fn a_list_decides_by_the_elements_it_has_for_certain() {
    let rule = |cidrs: &str| {
        format!(
            "resource \"aws_security_group_rule\" \"r\" {{\n  type = \"ingress\"\n  protocol = \"tcp\"\n  from_port = 22\n  to_port = 22\n  cidr_blocks = {cidrs}\n}}\n"
        )
    };
    assert_eq!(figures(&rule("concat([\"0.0.0.0/0\"], var.l)")), (1, 0));
    assert_eq!(figures(&rule("concat(var.l, concat(var.l, [\"0.0.0.0/0\"]))")), (1, 0));
    assert_eq!(figures(&rule("flatten([var.l, [\"0.0.0.0/0\"]])")), (1, 0));
    assert_eq!(figures(&rule("concat([\"10.0.0.0/8\"], var.l)")), (0, 1));
    assert_eq!(figures(&rule("[concat([\"0.0.0.0/0\"], var.l)[1]]")), (0, 1));
}

#[test]
fn files_of_opentofu_are_read_and_stand_in_for_those_of_terraform() {
    let (good, bad) = (db("true"), db("false"));
    assert_eq!(scanned(&[("main.tofu", &*bad)]).violations.len(), 1);
    let both = scanned(&[("main.tf", &*bad), ("main.tofu", &*good)]);
    assert_eq!((both.violations.len(), both.unevaluated.len()), (0, 1), "{:?}", both.problems);
    let calls = "module \"m\" {\n  source = \"./m\"\n}\n";
    assert_eq!(
        scanned(&[("main.tofu", calls), ("m/main.tofu", &*bad)]).violations[0].resource,
        "module.m.aws_db_instance.d"
    );
    let (base, head) = ([("main.tofu", &*good)], [("main.tofu", &*bad)]);
    assert_eq!(Change::new(&base, &head).answer(), (Fail, vec!["db aws_db_instance.d introduced!".into()]));
    let (base, head) = ([("main.tf", &*bad)], [("main.tf", &*bad), ("main.tofu", "locals {}\n")]);
    assert_eq!(Change::new(&base, &head).answer().1, ["db aws_db_instance.d existing"]);
}
