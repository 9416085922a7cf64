//! What the head cannot tell any more is not fixed.

use super::{Change, edit};
use crate::evaluate::Verdict::Pass;

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: x}\nspec:\n  containers:\n  - {name: a, image: \"x:1\", securityContext: {privileged: true}}\n";
const DB: &str = "resource \"aws_db_instance\" \"a\" {\n  storage_encrypted = false\n  backup {\n    keep = true\n    copy = true\n  }\n}\n";

#[test]
fn a_manifest_that_becomes_a_patch_or_a_template_is_not_fixed() {
    let templated = format!("{POD}# {{{{ .Values.x }}}}\n");
    let placeholder = POD.replace("namespace: x}", "namespace: x, labels: {{ x }} }");
    let patched = "resources: [https://example.com/base]\npatches:\n- path: templates/a.yaml\n";
    let base = [("templates/a.yaml", POD)];
    for head in [
        &[("Chart.yaml", "name: x\n"), ("templates/a.yaml", &*templated)][..],
        &[("templates/a.yaml", &*placeholder)],
        &[("kustomization.yaml", patched), ("templates/a.yaml", POD)],
    ] {
        let (_, lines) = Change::new(&base, head).answer();
        assert_eq!(lines, ["privileged Pod.x.a existing"], "{head:?}");
    }
    assert_eq!(Change::new(&base, &[("templates/b.yaml", "a: b\n")]).answer().1, ["privileged Pod.x.a fixed"]);
}

#[test]
fn a_patch_of_nothing_in_the_build_is_a_resource() {
    let evil = POD.replace("name: a, namespace", "name: evil, namespace");
    let kustomization = "resources: [other.yaml]\npatches:\n- path: deploy.yaml\n- path: extra.yaml\n";
    let other = POD.replace("privileged: true", "privileged: false");
    let head =
        [("deploy.yaml", POD), ("extra.yaml", &*evil), ("kustomization.yaml", kustomization), ("other.yaml", &*other)];
    let (_, lines) = Change::new(&[("deploy.yaml", POD)], &head).answer();
    assert_eq!(lines, ["privileged Pod.x.a existing", "privileged Pod.x.evil introduced!"]);
}

#[test]
fn what_becomes_undecided_is_not_fixed_whatever_its_instances() {
    let open = format!(
        "variable \"n\" {{}}\n{}",
        DB.replace("storage_encrypted = false", "for_each = toset([\"x\", \"y\"])\n  storage_encrypted = var.n")
    );
    assert_eq!(edit(DB, &open), (Pass, vec!["db aws_db_instance.a existing".into()]));
    let moved = format!(
        "{}moved {{\n  from = aws_db_instance.a\n  to   = aws_db_instance.b\n}}\n",
        open.replace("\"a\"", "\"b\"").replace("for_each = toset([\"x\", \"y\"])", "")
    );
    assert_eq!(edit(DB, &moved), (Pass, vec!["db aws_db_instance.a existing".into()]));
}

#[test]
fn a_module_that_is_kept_elsewhere_now_is_not_fixed() {
    let call = |source: &str| format!("module \"m\" {{\n  source = \"{source}\"\n}}\n");
    let (here, there) = (call("./m"), call("example/m/aws"));
    let base = [("main.tf", &*here), ("m/main.tf", DB)];
    assert_eq!(Change::new(&base, &[("main.tf", &there)]).answer().1, ["db module.m.aws_db_instance.a existing"]);
    assert_eq!(Change::new(&base, &[("main.tf", "")]).answer().1, ["db module.m.aws_db_instance.a fixed"]);
    let empty = call("./n");
    assert_eq!(Change::new(&base, &[("main.tf", &empty)]).answer().1, ["db module.m.aws_db_instance.a existing"]);
}

#[test]
fn a_file_that_cannot_be_read_now_fixes_nothing() {
    let (_, lines) = edit(DB, &DB.replace("{\n  storage", "{{\n  storage"));
    assert_eq!(lines, ["db aws_db_instance.a existing"]);
}
