//! Manifests as their authors write them, and as nobody should.

use std::collections::BTreeSet;

use super::*;
use crate::formats::dump::{check_fixtures, fixtures, read_text};
use crate::source_tree::SourceTree;

fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

fn addresses(unit: &Unit) -> Vec<&str> {
    unit.resources.iter().map(|resource| &*resource.address).collect()
}

#[test]
fn every_fixture_reads_as_its_snapshot() {
    check_fixtures(&Kubernetes);
}

#[test]
fn a_touched_file_affects_its_folder_and_a_kustomization_those_below_it() {
    let names = ["k/a.yaml", "k/b.json", "k/c.md", "k/o/d.yaml", "k/kustomization.yaml", "k/o/p/e.yaml", "x/f.yaml"];
    let tree = SourceTree::from_files(names.map(|name| (path(name), Vec::new())));
    let units = |touched: &[&str]| -> Vec<String> {
        let scope = Scope::Touching(touched.iter().map(|name| path(name)).collect());
        Kubernetes.units(&tree, &scope).into_iter().map(|plan| plan.name).collect()
    };
    assert_eq!(units(&["k/o/gone.yaml"]), ["/k/o"]);
    assert_eq!(units(&["k/kustomization.yaml"]), ["/k", "/k/o", "/k/o/p"]);
    assert!(units(&["k/c.md"]).is_empty());
    let needs = |touched: &str| -> Vec<String> {
        let touched = BTreeSet::from([path(touched)]);
        Kubernetes.needs(tree.entries(), &touched, &tree).iter().map(ToString::to_string).collect()
    };
    assert_eq!(needs("k/o/d.yaml"), ["k/kustomization.yaml", "k/o/d.yaml"]);
    assert_eq!(needs("x/new.json"), ["x/f.yaml"]);
    assert!(needs("k/c.md").is_empty());
}

#[test]
fn what_was_needed_is_enough_to_read_the_units_touched() {
    for (case, tree) in fixtures("kubernetes") {
        for touched in tree.entries().iter().map(|entry| entry.path.clone()) {
            let touched = BTreeSet::from([touched]);
            let mut fetched = SourceTree::from_listing(tree.entries().to_vec());
            for needed in Kubernetes.needs(tree.entries(), &touched, &fetched.clone()) {
                fetched.insert(needed.clone(), tree.read(&needed).unwrap().text().as_bytes().to_vec());
            }
            for plan in Kubernetes.units(&tree, &Scope::Touching(touched.clone())) {
                let all = Kubernetes.read(&plan, &tree, &ReadOptions::default());
                let part = Kubernetes.read(&plan, &fetched, &ReadOptions::default());
                assert_eq!(addresses(&all), addresses(&part), "{case} {touched:?}");
                assert_eq!((&all.problems, &all.unevaluated), (&part.problems, &part.unevaluated));
            }
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_a_problem_where_it_may_hold_manifests() {
    let large = vec![b' '; 10 * 1024 * 1024];
    let pod = b"{apiVersion: v1, kind: Pod}".to_vec();
    let files = [
        ("a/big.yaml", large.clone()),
        ("a/bad.yml", b"kind: \xff".to_vec()),
        ("a/openapi.yaml", large.clone()),
        ("b/data.json", large.clone()),
        ("c/data.json", large),
        ("c/pod.yaml", pod),
    ];
    let tree = SourceTree::from_files(files.map(|(name, text)| (path(name), text)));
    let units: Vec<Unit> = Kubernetes
        .units(&tree, &Scope::All)
        .iter()
        .map(|plan| Kubernetes.read(plan, &tree, &ReadOptions::default()))
        .collect();
    let problems: Vec<String> =
        units.iter().flat_map(|unit| &unit.problems).map(|p| format!("{} {}", p.path, p.message)).collect();
    assert_eq!(
        problems,
        [
            "a/bad.yml the file is not UTF-8 text (byte 6)",
            "a/big.yaml the file has 10485760 bytes, more than the limit of 4194304",
            "c/data.json the file has 10485760 bytes, more than the limit of 4194304",
        ]
    );
    let unevaluated: Vec<&str> = units.iter().flat_map(|unit| &unit.unevaluated).map(|u| u.path.as_str()).collect();
    assert_eq!(unevaluated, ["a/openapi.yaml"]);
}

#[test]
fn hostile_files_are_problems_and_cost_little() {
    let head = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n";
    let mut bomb = format!("{head}  a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for level in 1..9 {
        bomb.push_str(&format!("  a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(",")));
    }
    for text in [bomb, format!("{head}  {}", "- ".repeat(100_000)), format!("{head}  {}", "{a: ".repeat(100_000))] {
        let unit = read_text(&Kubernetes, "a.yaml", text.as_bytes());
        assert_eq!((unit.resources.len(), unit.problems.len()), (0, 1));
    }
    let json = format!("{{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"x\": {}", "[".repeat(100_000));
    assert_eq!(read_text(&Kubernetes, "a.json", json.as_bytes()).problems.len(), 1);
}

#[test]
fn shared_containers_are_counted() {
    let containers = vec!["*c"; 60_000].join(",");
    let text = format!("apiVersion: v1\nkind: Pod\nx: &c {{}}\nspec: {{containers: [{containers}]}}\n");
    let unit = read_text(&Kubernetes, "a.yaml", text.as_bytes());
    let listed = unit.resources[0].attributes.dig(&["pod", "containers"]).unwrap().as_list().unwrap().items.len();
    assert_eq!(listed, 50_001);
}

#[test]
fn too_many_manifests_are_said_to_be_too_many() {
    let items = vec!["{kind: A, apiVersion: b}"; 20_001].join(",");
    let unit = read_text(&Kubernetes, "a.yaml", format!("apiVersion: v1\nkind: List\nitems: [{items}]").as_bytes());
    assert_eq!(unit.resources.len(), 20_000);
    assert!(unit.problems[0].message.contains("20000"));
}

#[test]
fn every_cut_and_every_flipped_byte_of_a_fixture_is_read() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for (_, tree) in fixtures("kubernetes") {
        for entry in tree.entries() {
            let text = tree.read(&entry.path).unwrap().text().as_bytes().to_vec();
            for end in (0..text.len()).step_by(3) {
                read_text(&Kubernetes, entry.path.as_str(), &text[..end]);
            }
            for _ in 0..100 {
                let mut flipped = text.clone();
                for _ in 0..3 {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let at = (random >> 33) as usize % flipped.len().max(1);
                    flipped[at] = (random >> 16) as u8 & 0x7f;
                }
                read_text(&Kubernetes, entry.path.as_str(), &flipped);
            }
        }
    }
}
