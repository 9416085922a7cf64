//! What holds for every policy, tried on the examples of all of them: the order of resources does not matter, and knowing
//! less never turns one answer into the other.

use std::collections::BTreeMap;

use super::policies;
use crate::evaluate::{Purpose, Report, Selection, evaluate_unit, scan};
use crate::formats::{self, ReadOptions, Scope};
use crate::policy::{Catalogue, Example, Loaded};
use crate::resource::{Data, Key, Map, Reason, ReasonKind, Unit, Value};
use crate::source_tree::{SourceTree, TreePath};

/// What a policy answers for the resources of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Undecided,
    Violation,
}

type Answers = BTreeMap<(String, String), Answer>;

/// Calls `check` with every example of every policy file: its catalogue and its units.
fn for_every_example(mut check: impl FnMut(&Loaded, &Catalogue, &mut Unit)) {
    let (library, policies) = policies();
    for (_, _, loaded) in policies {
        let catalogue = Catalogue::of(loaded.policies.clone(), library.clone()).unwrap();
        for example in &loaded.examples {
            for mut unit in units(example) {
                check(&loaded, &catalogue, &mut unit);
            }
        }
    }
}

fn units(example: &Example) -> Vec<Unit> {
    let files = example.files.iter().map(|(path, text)| (TreePath::new(path).unwrap(), text.clone().into_bytes()));
    let tree = SourceTree::from_files(files.collect::<Vec<_>>());
    let plans = formats::units(&tree, &Scope::All);
    plans.iter().map(|plan| formats::read(plan, &tree, &ReadOptions::default())).collect()
}

fn report(unit: &Unit, catalogue: &Catalogue) -> Report {
    let selection = Selection::default();
    scan(vec![evaluate_unit(unit, catalogue, &selection, Purpose::Scan)], catalogue, &selection)
}

fn answers(unit: &Unit, catalogue: &Catalogue) -> Answers {
    let report = evaluate_unit(unit, catalogue, &Selection::default(), Purpose::Scan);
    let mut answers = Answers::new();
    for undecided in &report.undecided {
        answers.insert((undecided.policy.to_string(), undecided.resource.clone()), Answer::Undecided);
    }
    for violation in &report.violations {
        answers.insert((violation.policy.to_string(), violation.resource.clone()), Answer::Violation);
    }
    answers
}

#[test]
fn the_order_of_resources_does_not_matter() {
    for_every_example(|loaded, catalogue, unit| {
        let before = report(unit, catalogue);
        assert_eq!(before, report(unit, catalogue), "{}", loaded.policies[0].metadata.id);
        unit.resources.reverse();
        assert_eq!(before, report(unit, catalogue), "{}", loaded.policies[0].metadata.id);
    });
}

#[test]
fn knowing_less_never_turns_an_answer_around() {
    let mut tried = 0;
    let mut wrong = Vec::new();
    for_every_example(|loaded, catalogue, unit| {
        let before = answers(unit, catalogue);
        for index in 0..unit.resources.len() {
            // Terraform takes nothing but literals there.
            if &*unit.resources[index].type_name == "terraform" {
                continue;
            }
            let known = unit.resources[index].attributes.clone();
            let mut variants = Vec::new();
            less_known(&known, &mut |variant, path| variants.push((variant, path)));
            for (variant, path) in variants {
                unit.resources[index].attributes = variant;
                tried += 1;
                let after = answers(unit, catalogue);
                let keys = before.keys().chain(after.keys());
                for key in keys.filter(|key| is_turned(before.get(*key), after.get(*key))) {
                    let id = &loaded.policies[0].metadata.id;
                    let address = &unit.resources[index].address;
                    let (was, is) = (before.get(key), after.get(key));
                    wrong.push(format!("{id}: {was:?} became {is:?} for {} with {address}.{path} unknown", key.1));
                }
            }
            unit.resources[index].attributes = known;
        }
    });
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 5_000, "only {tried} values were made unknown");
}

/// Whether an answer became another one that less knowledge cannot give.
fn is_turned(before: Option<&Answer>, after: Option<&Answer>) -> bool {
    match (before, after) {
        (None | Some(Answer::Undecided), Some(Answer::Violation)) => true,
        (Some(Answer::Undecided | Answer::Violation), None) => true,
        (None | Some(_), Some(Answer::Undecided)) | (None, None) => false,
        (Some(Answer::Violation), Some(Answer::Violation)) => false,
    }
}

/// Every value that is the same but for one part that nobody knows, and the path of that part.
fn less_known(value: &Value, found: &mut dyn FnMut(Value, String)) {
    match value.data() {
        Data::Map(map) => {
            for (index, (key, child)) in map.entries().iter().enumerate() {
                let replaced = |child: Value| {
                    let mut entries: Vec<(Key, Value)> = map.entries().to_vec();
                    entries[index].1 = child;
                    value.clone().with(Data::Map(Map::new(map.kind, entries).into()))
                };
                found(replaced(unknown_like(child)), key.text.to_string());
                less_known(child, &mut |child, path| found(replaced(child), format!("{}.{path}", key.text)));
            }
        }
        Data::List(list) => {
            for (index, child) in list.items.iter().enumerate() {
                let replaced = |child: Value| {
                    let mut list = list.as_ref().clone();
                    list.items[index] = child;
                    value.clone().with(Data::List(list.into()))
                };
                found(replaced(unknown_like(child)), format!("[{index}]"));
                less_known(child, &mut |child, path| found(replaced(child), format!("[{index}].{path}")));
            }
        }
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) | Data::Unknown(_) | Data::OneOf(_) => {}
    }
}

fn unknown_like(value: &Value) -> Value {
    let unknown = Value::unknown(Reason::new(ReasonKind::NoDefault, "var.x", Some(value.span())), value.span());
    match value.maybe() {
        // Whether it exists is another question.
        Some(why) => unknown.noted(|notes| notes.maybe = Some(why.clone())),
        None => unknown,
    }
}
