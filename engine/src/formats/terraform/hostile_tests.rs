//! What must hold for any text whatever: no crash, no place outside its file, and an end within stated limits.

use proptest::prelude::*;

use super::tests::{assert_places, fixtures, read, units};
use crate::resource::{ProblemKind, Unit, Value};
use crate::source_tree::{Files as _, SourceTree, TreePath};

/// Reads a text in place of a fixture's file, and holds every place found to lie in its file.
fn read_changed(bytes: Vec<u8>) {
    let tree = SourceTree::from_files([(TreePath::new("main.tf").unwrap(), bytes)]);
    units(&tree).iter().for_each(assert_places);
}

fn texts() -> Vec<String> {
    let trees = fixtures();
    let file = |tree: &SourceTree, path: &TreePath| tree.read(path).unwrap().text().to_owned();
    let is_code = |path: &TreePath| path.extension() == Some("tf");
    trees
        .iter()
        .flat_map(|(_, tree)| tree.entries().iter().map(move |entry| (tree, &entry.path)))
        .filter(|(_, path)| is_code(path))
        .map(|(tree, path)| file(tree, path))
        .filter(|text| !text.contains("1000000000"))
        .collect()
}

#[test]
fn every_beginning_of_a_file_is_read_without_a_crash() {
    for text in texts() {
        for end in (0..text.len()).step_by(7).filter(|end| text.is_char_boundary(*end)) {
            read_changed(text.as_bytes()[..end].to_vec());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn files_with_bytes_changed_are_read_without_a_crash(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..8),
    ) {
        let texts = texts();
        let mut bytes = which.get(&texts).clone().into_bytes();
        for (at, byte, kind) in changes {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
            if bytes.is_empty() {
                bytes.push(b'x');
            }
        }
        read_changed(bytes);
    }
}

fn attribute(unit: &Unit, name: &str) -> Value {
    let resource = unit.resources.iter().find(|resource| resource.attributes.get(name).is_some());
    resource.and_then(|resource| resource.attributes.get(name)).cloned().unwrap()
}

#[test]
fn long_chains_of_locals_are_followed_to_their_end() {
    let links: String = (1..20_000).map(|at| format!("locals {{\n  l{at} = local.l{}\n}}\n", at - 1)).collect();
    let unit =
        read(&format!("locals {{\n  l0 = \"end\"\n}}\n{links}resource \"a\" \"b\" {{\n  x = local.l19999\n}}\n"));
    assert_eq!(attribute(&unit, "x").as_text().map(|text| &**text), Some("end"));
}

#[test]
fn what_nests_too_deep_is_unknown_and_says_so() {
    let links: String =
        (1..5_000).map(|at| format!("resource \"a\" \"r{at}\" {{\n  x = [[[[a.r{}.x]]]]\n}}\n", at - 1)).collect();
    let unit =
        read(&format!("resource \"a\" \"r0\" {{\n  x = 1\n}}\n{links}output \"o\" {{\n  value = a.r4999.x\n}}\n"));
    let end = |mut value: Value| {
        while let Some(inner) = value.as_list().and_then(|list| list.items.first()).cloned() {
            value = inner;
        }
        value.as_unknown().map(|unknown| unknown.reason.to_string())
    };
    assert!(end(attribute(&unit, "value")).is_some_and(|reason| reason.contains("400 levels")));
    let last = unit.resources.iter().find(|resource| &*resource.address == "a.r4999").unwrap();
    assert!(end(last.attributes.get("x").cloned().unwrap()).is_some_and(|reason| reason.contains(" levels")));
    let encoded: String = (1..5_000).map(|at| format!("  l{at} = jsonencode([local.l{}])\n", at - 1)).collect();
    read(&format!("locals {{\n  l0 = 1\n{encoded}}}\nresource \"a\" \"b\" {{\n  x = local.l4999\n}}\n"));
}

#[test]
fn work_without_end_ends_within_its_limit() {
    let loops = "locals {\n  x = [for a in range(1000) : [for b in range(1000) : [for c in range(1000) : \"${a}${b}${c}\"]]]\n}\n\
                 resource \"a\" \"b\" {\n  x = local.x\n}\n";
    let doubled: String = (1..64).map(|at| format!("  l{at} = [local.l{0}, local.l{0}]\n", at - 1)).collect();
    let shared = format!(
        "locals {{\n  l0 = [1]\n{doubled}}}\nresource \"a\" \"b\" {{\n  a = local.l63\n  b = local.l63 == local.l63\n  \
         c = jsonencode(local.l63)\n  d = toset(local.l63)\n  e = flatten(local.l63)\n  f = distinct([local.l63, local.l63])\n  \
         g = try(local.l63[0][0][0], 1)\n  h = true ? local.l63 : []\n  i = yamlencode(local.l63)\n}}\n"
    );
    for text in [loops.to_owned(), shared] {
        let unit = read(&text);
        assert_places(&unit);
        assert!(unit.problems.iter().any(|problem| problem.kind == ProblemKind::Limit), "{:?}", unit.problems);
    }
}

#[test]
fn instances_and_modules_have_limits_with_their_figures() {
    let tree = |files: &[(&str, &str)]| {
        SourceTree::from_files(
            files.iter().map(|(path, text)| (TreePath::new(path).unwrap(), text.as_bytes().to_vec())),
        )
    };
    let twice = "module \"a\" {\n  source = \"../m1\"\n}\nmodule \"b\" {\n  source = \"../m1\"\n}\n";
    let mut files: Vec<(String, String)> =
        (0..40).map(|at| (format!("m{at}/main.tf"), twice.replace("m1", &format!("m{}", at + 1)))).collect();
    files.push(("m40/main.tf".into(), "resource \"a\" \"b\" {\n}\n".into()));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let messages: Vec<String> =
        units(&tree(&files)).into_iter().flat_map(|unit| unit.problems).map(|problem| problem.message).collect();
    assert!(messages.iter().any(|message| message.contains("nest deeper than 32")), "{messages:?}");
    let many = units(&tree(&[(
        "main.tf",
        "resource \"a\" \"b\" {\n  for_each = toset([for n in range(1024) : \"${n}\"])\n  count = 9\n}\nresource \"a\" \"c\" {\n  count = 1e12\n}\n",
    )]));
    assert!(many[0].problems[0].message.contains("1024"), "{:?}", many[0].problems);
}
