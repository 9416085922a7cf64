//! The text of a report as a terminal shows it.

use portcullis_engine::builtin;
use portcullis_engine::evaluate::{Purpose, Selection, evaluate_unit, scan};
use portcullis_engine::formats::{self, ReadOptions, Scope};
use portcullis_engine::reports::{Context, RENDERINGS, Terminal};
use portcullis_engine::source_tree::{SourceTree, TreePath};

/// A pod that many policies have something to say of, among it one thing that is high and many that are low.
const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: { name: NAME }\nspec:\n  hostNetwork: true\n  containers:\n    - name: app\n      image: example.org/app\n";
const MODULE: &str = "variable \"open\" {\n  default = true\n}\nvariable \"who\" {}\nresource \"aws_db_instance\" \"main\" {\n  publicly_accessible = var.open\n  storage_encrypted = var.who\n}\n";

fn text(width: usize, links: Option<&str>, color: bool, in_full: bool) -> String {
    let files =
        [("a.yaml", POD.replace("NAME", "one")), ("b.yaml", POD.replace("NAME", "two")), ("m.tf", MODULE.into())];
    let files = files.into_iter().map(|(path, text)| (TreePath::new(path).unwrap(), text.into_bytes()));
    let tree = SourceTree::from_files(files.collect::<Vec<_>>());
    let (catalogue, selection) = (builtin::catalogue().unwrap(), Selection::default());
    let units = formats::units(&tree, &Scope::All);
    let units = units.iter().map(|plan| {
        evaluate_unit(&formats::read(plan, &tree, &ReadOptions::default()), &catalogue, &selection, Purpose::Scan)
    });
    let report = scan(units.collect(), &catalogue, &selection);
    let terminal = Terminal { width, color, links };
    let text = RENDERINGS.iter().find(|rendering| rendering.name() == "text").unwrap();
    text.render(
        &report,
        &Context { catalogue: &catalogue, version: "1", prefix: "", terminal, in_full, shows_suppressed: true },
    )
}

#[test]
fn no_line_is_longer_than_the_terminal_is_wide() {
    for width in [60, 80, 100, 200] {
        for line in text(width, None, false, true).lines() {
            assert!(line.chars().count() <= width, "{} columns of {width}: {line}", line.chars().count());
        }
    }
}

#[test]
fn what_is_low_takes_a_line_and_the_end_names_what_is_worst() {
    let text = text(100, None, false, false);
    let (blocks, rest) = text.split_once(" of low severity; --full shows each:\n").unwrap();
    assert!(blocks.contains("high[k8s-no-host-network]") && !blocks.contains("\nlow["), "{blocks}");
    assert!(blocks.contains("1 more place:") && blocks.contains("b.yaml:5:16  Pod.default.two"), "{blocks}");
    assert!(blocks.contains("the value comes from variable open"), "{blocks}");
    assert!(rest.contains("var.who has no default (m.tf:4:1)"), "{rest}");
    let end = rest.split_once("First of all:\n  high ").unwrap().1;
    assert!(end.contains(" (2 places)\n            a.yaml:5:16\n") && end.contains("looked at 3 files"), "{end}");
}

#[test]
fn colours_and_links_are_there_only_when_asked_for() {
    assert!(!text(100, None, false, true).contains('\u{1b}'));
    let linked = text(100, Some("file:///r/"), true, true);
    assert!(linked.contains("\u{1b}]8;;file:///r/a.yaml\u{1b}\\a.yaml") && linked.contains("\u{1b}[1;31m"), "{linked}");
}
