//! What nobody can know is undecided, and says why: links that are one of several, companions that may not exist, choices.

use std::fmt::Write as _;

use super::scanned;

const BLOCKED: &str = "  block_public_acls = true\n}\n";

/// The addresses that violate a policy, and the undecided ones with their reasons.
fn answers(text: &str) -> (Vec<String>, Vec<String>) {
    let report = scanned(&[("main.tf", &format!("variable \"x\" {{}}\n{text}"))]);
    let open = report.undecided.iter().map(|undecided| format!("{}: {}", undecided.resource, undecided.reason));
    (report.violations.iter().map(|violation| violation.resource.clone()).collect(), open.collect())
}

fn block(bucket: &str) -> String {
    format!("resource \"aws_s3_bucket_public_access_block\" \"p\" {{\n  {bucket}\n{BLOCKED}")
}

fn bucket(name: &str, attributes: &str) -> String {
    format!("resource \"aws_s3_bucket\" \"{name}\" {{\n  {attributes}\n}}\n")
}

#[test]
fn a_link_that_is_one_of_several_is_not_certain() {
    let two = bucket("a", "") + &bucket("b", "");
    let undecided = |names: [&str; 2]| names.map(|name| format!("aws_s3_bucket.{name}: var.x has no default")).to_vec();
    let chosen = two.clone() + &block("bucket = var.x ? aws_s3_bucket.a.id : aws_s3_bucket.b.id");
    assert_eq!(answers(&chosen), (vec![], undecided(["a", "b"])));
    let keyed = bucket("t", "for_each = toset([\"k\", \"l\"])") + &block("bucket = aws_s3_bucket.t[var.x].id");
    assert_eq!(answers(&keyed), (vec![], undecided(["t[\"k\"]", "t[\"l\"]"])));
    assert_eq!(
        answers(&(two + &block("bucket = var.x ? aws_s3_bucket.a.id : aws_s3_bucket.a.bucket"))).0,
        ["aws_s3_bucket.b"]
    );
}

#[test]
fn a_companion_that_may_not_exist_satisfies_nothing() {
    let perhaps = bucket("a", "") + &block("count = var.x ? 1 : 0\n  bucket = aws_s3_bucket.a.id");
    assert_eq!(answers(&perhaps), (vec![], vec!["aws_s3_bucket.a: var.x has no default".into()]));
    let wrong = perhaps.replace("acls = true", "acls = false");
    assert_eq!(answers(&wrong), (vec!["aws_s3_bucket.a".into()], vec![]));
    let together =
        bucket("a", "count = var.x ? 1 : 0") + &block("count = var.x ? 1 : 0\n  bucket = aws_s3_bucket.a[0].id");
    assert_eq!(answers(&together), (vec![], vec![]));
}

#[test]
fn an_identity_that_is_one_of_two_is_an_identity() {
    let text = bucket("a", "bucket = var.x ? \"logs-a\" : \"logs-b\"") + &block("bucket = \"logs-a\"");
    assert_eq!(answers(&text), (vec![], vec!["aws_s3_bucket.a: var.x has no default".into()]));
    let other = text.replace("\"logs-a\"\n", "\"logs-c\"\n");
    assert_eq!(answers(&other).0, ["aws_s3_bucket.a"]);
}

#[test]
fn many_open_links_are_one_doubt_and_cost_no_more_each() {
    let many = |count: usize| {
        let mut text = String::new();
        for n in 0..count {
            let _ = write!(text, "{}", bucket(&format!("b{n}"), &format!("bucket = \"n{n}-${{var.x}}\"")));
            let named = block(&format!("bucket = \"n{n}-${{var.x}}\"")).replace("\"p\"", &format!("\"p{n}\""));
            text.push_str(&named);
        }
        text
    };
    assert_eq!(answers(&many(40)).1.len(), 40);
    let text = format!("variable \"x\" {{}}\n{}", many(1_000));
    assert_eq!(scanned(&[("main.tf", &text)]).undecided.len(), 1_000);
}

#[test]
fn a_choice_says_what_it_depends_on() {
    let db = |value: &str| {
        format!(
            "resource \"aws_db_instance\" \"d\" {{\n  storage_encrypted = {value}\n  backup {{\n    keep = true\n    copy = true\n  }}\n}}\n"
        )
    };
    for value in ["var.x ? true : null", "element([true, false], var.x)", "var.x ? true : false"] {
        assert_eq!(answers(&db(value)), (vec![], vec!["aws_db_instance.d: var.x has no default".into()]), "{value}");
    }
    let group = |protocol: &str, port: &str, cidr: &str| {
        format!(
            "resource \"aws_security_group_rule\" \"r\" {{\n  type = \"ingress\"\n  protocol = {protocol}\n  from_port = {port}\n  to_port = {port}\n  cidr_blocks = [{cidr}]\n}}\n"
        )
    };
    for text in [
        group("\"tcp\"", "22", "var.x ? \"0.0.0.0/0\" : \"10.0.0.0/8\""),
        group("var.x", "443", "\"0.0.0.0/0\""),
        group("\"tcp\"", "var.x", "\"0.0.0.0/0\""),
    ] {
        assert_eq!(answers(&text), (vec![], vec!["aws_security_group_rule.r: var.x has no default".into()]), "{text}");
    }
}
