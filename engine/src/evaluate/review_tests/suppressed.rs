//! Suppressions in a scan and in a pull request: what they cover, what they let pass, and whose decision they are.

use super::*;
use crate::evaluate::report::Violation;
use crate::evaluate::{LapseKind, Suppression, SuppressionStatus};
use crate::resource::Date;

const BARE: &str = "resource \"aws_db_instance\" \"d\" {\n  storage_encrypted = false\n}\n";
const IGNORED: &str = "resource \"aws_db_instance\" \"d\" {\n  storage_encrypted = false # portcullis:ignore db until=2027-01-31 moved soon\n}\n";

fn places(violations: &[Violation]) -> Vec<String> {
    let place = |v: &Violation| format!("{} {}:{}", v.policy, v.resource, v.location.start.line);
    violations.iter().map(place).collect()
}

/// What counts, what is suppressed and by whose word, and what was meant to be.
fn told(report: &Report) -> (Vec<String>, Vec<String>, Vec<String>) {
    let one = |suppression: &Suppression| {
        let what = places(&suppression.violations).join(", ");
        let reason = suppression.reason.as_deref().unwrap_or("no reason");
        format!("{} {:?}: {what} ({reason})", suppression.name, suppression.status)
    };
    let notices = report.notices.iter().map(|n| format!("{}: {}; {}", n.location.start.line, n.message, n.remedy));
    (places(&report.violations), report.suppressions.iter().map(one).collect(), notices.collect())
}

fn standing(text: &str) -> usize {
    let report = scanned(&[("main.tf", text)]);
    assert_eq!(report.notices, [], "{text}");
    report.violations.len()
}

#[test]
fn one_policy_is_silenced_at_one_place_and_listed_with_its_reason() {
    let report = scanned(&[("main.tf", IGNORED), ("other.tf", &BARE.replace("\"d\"", "\"e\""))]);
    let (counted, suppressed, notices) = told(&report);
    assert_eq!(counted, ["backup aws_db_instance.d:1", "backup aws_db_instance.e:1", "db aws_db_instance.e:2"]);
    assert_eq!(suppressed, ["db Holds: db aws_db_instance.d:2 (moved soon)"]);
    assert_eq!(notices, [""; 0]);
    let suppression = &report.suppressions[0];
    assert_eq!((suppression.until.as_deref(), suppression.location.start.line), (Some("2027-01-31"), 2));
    assert_eq!(report.verdict, Verdict::Fail);
    assert!(report.policies.contains_key(&suppression.policy));
}

#[test]
fn where_a_comment_stands_says_what_it_covers() {
    let group = |before: &str, first: &str, between: &str| {
        format!(
            "{before}resource \"aws_security_group\" \"g\" {{\n  {first}ingress {{ # one\n    from_port = 5432\n    to_port = 5432\n    \
             protocol = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n    description = \"a\"\n  }}\n{between}  ingress {{\n    \
             from_port = 5432\n    to_port = 5432\n    protocol = \"udp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n    description = \"b\"\n  }}\n}}\n"
        )
    };
    let comment = "# portcullis:ignore direct for a test\n";
    assert_eq!(standing(&group("", "", "")), 2);
    assert_eq!(standing(&group(comment, "", "")), 0, "the line before a block covers it");
    assert_eq!(
        standing(&group(&format!("{comment}\n"), "", "").replace("# portcullis:ignore direct for a test\n\n", "")),
        2
    );
    assert_eq!(standing(&group("", comment, "")), 1, "the line before a nested block covers that");
    assert_eq!(standing(&group("", &format!("{comment}\n"), "")), 0, "by itself in a block, the block");
    assert_eq!(standing(&group("", "", comment)), 1);
    assert_eq!(
        standing(&group("", "", "").replacen("# one", "// portcullis:ignore direct", 1)),
        1,
        "at the end of its line"
    );
    assert_eq!(standing(&group("", "", "").replacen("[\"0", "[/* portcullis:ignore direct */ \"0", 1)), 1);
    assert_eq!(standing(&group("", "", "").replacen("\"g\" {", "\"g\" { # portcullis:ignore direct", 1)), 0);
    assert_eq!(standing(&group("# portcullis:ignore db, direct\n", "", "")), 0);
    assert_eq!(standing(&group("# portcullis:ignore db\n", "", "")), 2, "another policy is not silenced");
}

#[test]
fn an_answer_that_several_places_made_is_silenced_only_as_a_whole() {
    let text = |one: &str, two: &str, above: &str| {
        format!(
            "{above}resource \"aws_db_instance\" \"d\" {{\n  storage_encrypted = true\n  backup {{\n    keep = false {one}\n    copy = false {two}\n  }}\n}}\n"
        )
    };
    let comment = "# portcullis:ignore backup";
    let partly = scanned(&[("main.tf", &text(comment, "", ""))]);
    assert_eq!(told(&partly).0, ["backup aws_db_instance.d:5"], "what is left is pointed at");
    assert_eq!(partly.suppressions[0].status, SuppressionStatus::Unused);
    assert_eq!(standing(&text(comment, comment, "")), 0);
    assert_eq!(standing(&text("", "", &format!("{comment}\n"))), 0);
}

#[test]
fn values_that_came_a_long_way_are_silenced_at_every_step() {
    let root =
        "module \"a\" {\n  source = \"./m\"\n  on = false #1\n}\nmodule \"b\" {\n  source = \"./m\"\n  on = false\n}\n";
    let module = "variable \"on\" {}\nresource \"aws_db_instance\" \"d\" {\n  storage_encrypted = var.on #2\n  backup {\n    keep = true\n    copy = true\n  }\n}\n";
    let check = |root: &str, module: &str| told(&scanned(&[("main.tf", root), ("m/main.tf", module)]));
    assert_eq!(check(root, module).0.len(), 1, "one place, two addresses");
    let (counted, suppressed, _) = check(root, &module.replace("#2", "# portcullis:ignore db shared"));
    assert_eq!((counted.len(), suppressed.len()), (0, 1), "two instances of one place are one listing: {suppressed:?}");
    assert_eq!(check(&root.replace("#1", "# portcullis:ignore db"), module).0, ["db module.b.aws_db_instance.d:3"]);
    assert_eq!(check(&format!("# portcullis:ignore db\n{root}"), module).0, ["db module.b.aws_db_instance.d:3"]);
}

#[test]
fn undecided_answers_are_silenced_too() {
    let text = "variable \"x\" {}\nresource \"aws_db_instance\" \"d\" {\n  storage_encrypted = var.x # portcullis:ignore db\n}\n";
    let report = scanned(&[("main.tf", text)]);
    assert!(report.undecided.iter().all(|undecided| undecided.policy.as_str() != "db"));
    assert_eq!((report.suppressions[0].count(), report.suppressions[0].undecided.len()), (1, 1));
}

#[test]
fn manifests_are_silenced_by_comments_and_annotations() {
    let pod = |annotations: &str, before: &str, behind: &str| {
        format!(
            "---\n{before}apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations: {{ {annotations} }}\nspec:\n  hostNetwork: true {behind}\n  containers:\n    - name: app\n"
        )
    };
    let count = |text: &str| scanned(&[("a.yaml", text)]).violations.len();
    assert_eq!(count(&pod("", "", "")), 1);
    assert_eq!(count(&pod("", "# portcullis:ignore host\n", "")), 0);
    assert_eq!(count(&pod("", "", "# portcullis:ignore host why")), 0);
    assert_eq!(count(&pod("'ignore-check.kube-linter.io/host-network': why", "", "")), 0);
    assert_eq!(count(&pod("checkov.io/skip1: CKV_K8S_19=why", "", "")), 0);
    assert_eq!(count(&pod("", "", "# checkov:skip=CKV_K8S_19:why")), 0);
    assert_eq!(count(&pod("", "", "# trivy:ignore:AVD-KSV-0009")), 0);
    assert_eq!(count(&pod("", "# trivy:ignore:KSV009\n", "")), 0);
    assert_eq!(count(&pod("'ignore-check.kube-linter.io/host-pid': why", "", "")), 1);
    assert_eq!(count(&pod("", "", "# checkov:skip=CKV_K8S_17")), 1, "what a policy only covers is not silenced");
    let all = scanned(&[("a.yaml", &pod("kube-linter.io/ignore-all: why", "", ""))]);
    assert_eq!((all.violations.len(), all.notices.len()), (1, 1));
    assert_eq!(count(&format!("data: |\n  # portcullis:ignore host\n{}", pod("", "", ""))), 1, "text is no comment");
}

#[test]
fn what_is_wrong_is_said_with_line_and_remedy() {
    let text = |comment: &str| format!("{comment}\n{BARE}");
    for (comment, said) in [
        ("# portcullis:ignore dv typing", "did you mean `db`?"),
        ("# portcullis:ignore CKV_K8S_19", "the policy here is `host`"),
        ("# portcullis:ignore quite-another-thing", "`portcullis policy list` shows all"),
        ("# portcullis:ignore *", "name each policy"),
        ("# portcullis:ignore db until=2027-13-01", "until=2027-01-31"),
        ("# portcullis:ignore", "names no policy"),
        ("# tfsec:ignore:*", "name each check"),
    ] {
        let report = scanned(&[("main.tf", &text(comment))]);
        let (counted, suppressed, notices) = told(&report);
        assert_eq!((counted.len(), suppressed.len(), notices.len()), (2, 0, 1), "{comment}");
        assert!(notices[0].starts_with("1: ") && notices[0].contains(said), "{notices:?}");
    }
    let foreign = scanned(&[("main.tf", &text("# checkov:skip=CKV_AWS_999"))]);
    assert_eq!(foreign.notices, [], "of other tools' ids we know only ours");
}

fn change<'t>(base: Tree<'t>, head: Tree<'t>) -> Change<'t> {
    Change { today: Date::parse("2026-06-01").unwrap().days(), ..Change::new(base, head) }
}

/// The policy `db` of a changed file, with and without suppressions of the pull request.
fn reviewed(base: &str, head: &str) -> [String; 2] {
    reviewed_for("db", base, head)
}

fn reviewed_for(policy: &str, base: &str, head: &str) -> [String; 2] {
    [SuppressionsTaken::Allow, SuppressionsTaken::Base].map(|suppressions| {
        let report = Change { suppressions, ..change(&[("main.tf", base)], &[("main.tf", head)]) }.review();
        let own = report.violations.iter().filter(|v| v.policy.as_str() == policy);
        let own = own.map(|v| format!("{:?}{}", v.state, if v.blocking { "!" } else { "" }));
        let other = report.suppressions.iter().map(|s| format!("{:?} {:?}", s.status, s.state));
        own.chain(other).collect::<Vec<_>>().join(" ").to_lowercase()
    })
}

#[test]
fn whose_decision_a_suppression_is() {
    let unencrypted = |comment: &str| BARE.replace("false", &format!("false {comment}"));
    let soon = unencrypted("# portcullis:ignore db until=2026-12-31");
    let later = unencrypted("# portcullis:ignore db until=2027-12-31");
    let over = unencrypted("# portcullis:ignore db until=2026-05-31");
    let good = BARE.replace("false", "true");
    for (base, head, allowed, of_the_base) in [
        ("", IGNORED, "holds introduced", "introduced! refused introduced"),
        (BARE, IGNORED, "holds introduced", "existing refused introduced"),
        (IGNORED, IGNORED.replace("moved", "gone").as_str(), "holds existing", "holds existing"),
        (IGNORED, BARE, "introduced!", "introduced!"),
        (&soon, &format!("# x\n{later}"), "holds introduced", "introduced! refused introduced"),
        (&later, &format!("# x\n{soon}"), "holds existing", "holds existing"),
        (&over, &format!("# x\n{over}"), "existing expired existing", "existing expired existing"),
        (IGNORED, &over, "introduced! expired introduced", "introduced! expired introduced"),
        (&over, IGNORED, "holds introduced", "existing refused introduced"),
        (IGNORED, &good, "", ""),
        (BARE, &good, "fixed", "fixed"),
        (&good, &format!("# portcullis:ignore db\n{good}"), "unused introduced", "unused introduced"),
    ] {
        assert_eq!(reviewed(base, head), [allowed, of_the_base], "from:\n{base}to:\n{head}");
    }
}

#[test]
fn a_suppression_does_not_move_or_widen_unseen() {
    let two = |one: &str, two: &str, encrypted: bool| {
        let first = format!("{one}resource \"aws_db_instance\" \"one\" {{\n  storage_encrypted = {}\n}}\n", !encrypted);
        format!("{first}{two}resource \"aws_db_instance\" \"two\" {{\n  storage_encrypted = {encrypted}\n}}\n")
    };
    let comment = "# portcullis:ignore db why\n";
    assert_eq!(
        reviewed(&two(comment, "", true), &two("", comment, false)),
        ["holds introduced", "introduced! refused introduced"]
    );
    let whole = |more: &str| {
        format!("{comment}resource \"aws_security_group\" \"g\" {{\n  name = \"g\"\n{more}}}\n").replace("db", "direct")
    };
    let hole = "  ingress {\n    from_port = 5432\n    to_port = 5432\n    protocol = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n    description = \"d\"\n  }\n";
    let (base, head) = (whole(""), whole(hole));
    let report =
        Change { suppressions: SuppressionsTaken::Base, ..change(&[("main.tf", &base)], &[("main.tf", &head)]) }
            .review();
    assert_eq!(told(&report).0, [""; 0], "the base silences the whole resource");
    assert_eq!(report.suppressions[0].state, State::Existing);
}

#[test]
fn a_refused_suppression_is_said_and_blocks_only_where_it_is_refused() {
    let report = Change { suppressions: SuppressionsTaken::Base, ..change(&[], &[("main.tf", IGNORED)]) }.review();
    let refused = report.violations.iter().find(|violation| violation.policy.as_str() == "db").unwrap();
    let lapse = refused.lapse.as_ref().unwrap();
    assert_eq!((lapse.kind, lapse.location.start.line), (LapseKind::Refused, 2));
    assert!(lapse.message.contains("comes with this pull request"), "{}", lapse.message);
    let expired = IGNORED.replace("2027-01-31", "2026-05-31");
    let report = change(&[], &[("main.tf", &expired)]).review();
    let lapse = report.violations.iter().find_map(|violation| violation.lapse.as_ref()).unwrap();
    assert_eq!(lapse.message, "the suppression in line 2 expired on 2026-05-31");
}

#[test]
fn notices_of_files_that_are_not_touched_are_not_repeated() {
    let wrong = "# portcullis:ignore nothing-of-ours\nresource \"x\" \"y\" {}\n";
    let report = change(&[("a.tf", wrong), ("b.tf", BARE)], &[("a.tf", wrong), ("b.tf", IGNORED)]).review();
    assert_eq!(report.notices, []);
    assert_eq!(change(&[], &[("a.tf", wrong)]).review().notices.len(), 1);
}

#[test]
fn what_only_looks_like_a_suppressed_resource_is_not_accepted() {
    let of = |name: &str, comment: &str, is_encrypted: bool| {
        format!(
            "{comment}resource \"aws_db_instance\" \"{name}\" {{\n  engine = \"postgres\"\n  port = 5432\n  username = \"u\"\n  db_name = \"n\"\n  storage_encrypted = {is_encrypted}\n}}\n"
        )
    };
    let comment = "# portcullis:ignore db why\n";
    let moved = "moved {\n  from = aws_db_instance.old\n  to = aws_db_instance.new\n}\n";
    for is_encrypted in [true, false] {
        let base = of("old", comment, is_encrypted);
        let head = of("new", comment, false);
        assert_eq!(reviewed(&base, &head), ["holds introduced", "introduced! refused introduced"], "{is_encrypted}");
        assert_eq!(reviewed(&base, &format!("{head}{moved}")), ["holds existing"; 2], "{is_encrypted}");
        let (suppressions, renamed) = (SuppressionsTaken::Base, &[("a.tf", "b.tf")]);
        let same = of("old", comment, false);
        let report = Change { suppressions, renamed, ..change(&[("a.tf", &base)], &[("b.tf", &same)]) }.review();
        assert_eq!(report.suppressions[0].state, State::Existing);
    }
    let open = |name: &str| of(name, comment, false).replace("false", "var.x") + "variable \"x\" {}\n";
    assert_eq!(reviewed(&open("old"), &open("new")), ["holds introduced", "refused introduced"]);
    assert_eq!(reviewed(&open("old"), &format!("# x\n{}", open("old"))), ["holds existing"; 2]);
}

#[test]
fn what_is_not_taken_is_told_before_it_becomes_part_of_the_base() {
    let brought = |base: &str, head: &str| {
        let suppressions = SuppressionsTaken::Base;
        let report = Change { suppressions, ..change(&[("main.tf", base)], &[("main.tf", head)]) }.review();
        let told = report.suppressions.iter().filter(|suppression| suppression.is_introduced());
        told.map(|suppression| suppression.status).collect::<Vec<_>>()
    };
    assert_eq!(brought(BARE, IGNORED), [SuppressionStatus::Refused]);
    let shared = format!("# portcullis:ignore db why\n{BARE}");
    let head = format!("{shared}\n{}", IGNORED.replace("\"d\"", "\"e\""));
    assert!(brought(&shared, &head).contains(&SuppressionStatus::Refused));
}

#[test]
fn of_several_that_cover_an_answer_the_one_that_ends_last_is_asked() {
    let soon = format!("# portcullis:ignore db until=2026-12-31 soon\n{BARE}");
    let head = soon.replace("false", "false # portcullis:ignore db for ever");
    assert_eq!(
        reviewed(&soon, &head),
        ["unused existing holds introduced", "introduced! unused existing refused introduced"]
    );
    assert_eq!(reviewed(&head, &soon), ["holds existing"; 2]);
    assert_eq!(reviewed(&head, &format!("# x\n{head}")), ["unused existing holds existing"; 2]);
}

#[test]
fn an_answer_that_needs_several_is_accepted_only_with_each_of_them() {
    let two = |keep: &str, copy: &str| {
        let comment = "# portcullis:ignore backup";
        format!(
            "resource \"aws_db_instance\" \"d\" {{\n  storage_encrypted = true\n  backup {{\n    keep = false {comment} {keep}\n    copy = false {comment} {copy}\n  }}\n}}\n"
        )
    };
    let (soon, later) = (two("", "until=2026-12-31"), two("", "until=2027-12-31"));
    let reviewed = |base: &str, head: &str| reviewed_for("backup", base, head);
    assert_eq!(reviewed(&soon, &format!("# x\n{soon}")), ["holds existing holds existing"; 2]);
    assert_eq!(reviewed(&later, &soon), ["holds existing holds existing"; 2]);
    assert_eq!(
        reviewed(&soon, &later),
        ["holds introduced holds introduced", "introduced! unused existing refused introduced"]
    );
    assert_eq!(
        reviewed(&two("until=2026-12-31", "until=2026-12-31"), &soon),
        ["holds introduced holds introduced", "introduced! refused introduced unused existing"]
    );
    let report = scanned(&[("main.tf", &two("", ""))]);
    assert_eq!(report.suppressions.iter().map(Suppression::count).collect::<Vec<_>>(), [1, 0]);
    assert!(report.suppressions.iter().all(|one| one.status == SuppressionStatus::Holds));
}

#[test]
fn a_way_that_became_narrower_is_not_silenced_for_longer() {
    let group = |ports: &str, until: &str| {
        format!(
            "# portcullis:ignore port until={until}\nresource \"aws_security_group\" \"g\" {{\n  ingress {{\n    {ports}\n    protocol = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n    description = \"d\"\n  }}\n}}\n"
        )
    };
    let wide = group("from_port = 20\n    to_port = 30", "2026-12-31");
    let narrow = |until: &str| group("from_port = 22\n    to_port = 22", until);
    assert_eq!(reviewed_for("port", &wide, &narrow("2026-12-31")), ["holds existing"; 2]);
    assert_eq!(reviewed_for("port", &wide, &narrow("2027-12-31"))[1], "introduced! refused introduced");
}
