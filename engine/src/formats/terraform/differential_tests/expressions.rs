//! Every stored answer to an expression against ours.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value as Json;

use super::answer::{KnowsMore, Told, admits};
use crate::formats::terraform::config::load::Loaded;
use crate::formats::terraform::eval::{Evaluator, Instance, Scope, reason_within, wholly_known};
use crate::formats::terraform::syntax::ir::Attribute;
use crate::formats::terraform::syntax::parse_native;
use crate::formats::terraform::values::{compare, shape};
use crate::resource::{Data, FileTable, ListKind, MapKind, Type, Value};
use crate::source_tree::{Folder, SourceFile, SourceTree, TreePath};

/// What terraform said of one expression.
enum Answer {
    Error(String),
    Value {
        shape: String,
        text: String,
        /// What is sensitive in it.
        content: Option<String>,
        /// What it is for certain values of the unknown variables, where that is no error.
        concrete: Vec<Option<Json>>,
    },
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/terraform/expressions")
}

#[expect(clippy::disallowed_methods, reason = "tests read fixtures")]
fn read_file(path: &std::path::Path) -> Option<Vec<u8>> {
    std::fs::read(path).ok()
}

fn answers(name: &str) -> Vec<(String, Answer)> {
    let Some(bytes) = read_file(&folder().join(name)) else { return Vec::new() };
    let lines = String::from_utf8(bytes).unwrap();
    let line = |line: &str| {
        let parts: Vec<Json> = serde_json::from_str(line).unwrap();
        let text = |at: usize| parts.get(at).and_then(Json::as_str).map(str::to_owned);
        let (expression, first) = (text(0).unwrap(), text(1).unwrap());
        let Some(value) = text(2) else { return (expression, Answer::Error(first)) };
        let concrete = parts.get(3).and_then(Json::as_array).into_iter().flatten();
        let read = |json: &Json| json.as_str().map(|json| serde_json::from_str(json).unwrap());
        let concrete = concrete.map(read).collect();
        (expression, Answer::Value { shape: first, text: value, content: text(3), concrete })
    };
    lines.lines().map(line).collect()
}

#[expect(clippy::disallowed_methods, reason = "tests read fixtures")]
fn context() -> SourceTree {
    let mut files = Vec::new();
    let mut open = vec![folder()];
    while let Some(at) = open.pop() {
        for path in std::fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_none_or(|end| end != "jsonl" && end != "tfvars") {
                let relative = path.strip_prefix(folder()).unwrap().to_str().unwrap();
                files.push((TreePath::new(relative).unwrap(), std::fs::read(&path).unwrap()));
            }
        }
    }
    SourceTree::from_files(files)
}

/// What we say of one expression.
struct Ours {
    value: Option<Value>,
    failed: bool,
}

/// Evaluates expressions as if each stood in the context's folder.
fn evaluate<'e>(expressions: impl Iterator<Item = &'e str>) -> Vec<Ours> {
    let tree = context();
    let mut table = FileTable::default();
    let loaded = Loaded::read(&Folder::root(), &tree, &mut table);
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let module = loaded.get(&Folder::root()).unwrap();
    let one = |expression: &str| {
        let text = format!("a = {expression}\n");
        let parsed = parse_native(&text, 0);
        let attribute: Option<&Arc<Attribute>> = parsed.body.attribute("a");
        let Some(attribute) = attribute.filter(|_| parsed.flaws.is_empty() && parsed.body.items.len() == 1) else {
            return Ours { value: None, failed: true };
        };
        let mut table = table.clone();
        let file = table.add(&Arc::new(
            SourceFile::from_bytes(TreePath::new("case.tf").unwrap(), text.clone().into_bytes()).unwrap(),
        ));
        let evaluator = Evaluator::new(&Folder::root(), &loaded, &tree, table);
        let instance = Rc::new(Instance::new(module, "".into(), None));
        let scope = Scope::top(&instance, file);
        let (value, attempt) = evaluator.attempt(|| evaluator.eval_whole(&attribute.value, &scope));
        Ours { value: Some(value), failed: attempt.failed }
    };
    expressions.map(one).collect()
}

/// A value in the form of the stored answers. `open` leaves out what is sensitive and what has which type.
fn shown(value: &Value, open: bool, out: &mut String) {
    if value.is_sensitive() && !open {
        return out.push('!');
    }
    match value.data() {
        Data::Null => out.push_str("null"),
        Data::Bool(bool) => drop(write!(out, "{bool}")),
        Data::Number(number) => drop(write!(out, "{number}")),
        Data::Text(text) => out.push_str(&serde_json::to_string(&**text).unwrap()),
        Data::Unknown(_) | Data::OneOf(_) => out.push('?'),
        Data::List(list) => {
            out.push_str(match list.kind {
                ListKind::List | ListKind::Blocks if !open => "L[",
                ListKind::Set if !open => "S[",
                _ => "[",
            });
            for (at, item) in list.items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                shown(item, open, out);
            }
            out.push(']');
        }
        Data::Map(map) => {
            out.push_str(if map.kind == MapKind::Map && !open { "M{" } else { "{" });
            for (at, (key, item)) in compare::sorted(map).into_iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                let _ = write!(out, "{}:", serde_json::to_string(&**key).unwrap());
                shown(item, open, out);
            }
            out.push('}');
        }
    }
}

fn text_of(value: &Value, open: bool) -> String {
    let mut text = String::new();
    shown(value, open, &mut text);
    text
}

/// A type as terraform's console writes it, white space left out. What we do not know the type of fits any.
fn fits(ours: &Type, theirs: &str) -> bool {
    let inner = |start: &str, end: &str| theirs.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
    match ours {
        _ if theirs == "dynamic" => true,
        Type::Any => true,
        Type::Bool => theirs == "bool",
        Type::Number => theirs == "number",
        Type::Text => theirs == "string",
        Type::List(element) => inner("list(", ")").is_some_and(|theirs| fits(element, theirs)),
        Type::Set(element) => inner("set(", ")").is_some_and(|theirs| fits(element, theirs)),
        Type::Map(element) => inner("map(", ")").is_some_and(|theirs| fits(element, theirs)),
        Type::Tuple(elements) => inner("tuple([", "])").is_some_and(|theirs| {
            let theirs = parts(theirs);
            theirs.len() == elements.len() && elements.iter().zip(theirs).all(|(ours, theirs)| fits(ours, theirs))
        }),
        Type::Object(fields) => {
            (fields.is_empty() && theirs == "object({})")
                || inner("object({", "})").is_some_and(|theirs| {
                    let theirs: HashMap<&str, &str> =
                        parts(theirs).into_iter().filter_map(|part| part.split_once(':')).collect();
                    // Terraform's types are read without the space around their parts.
                    let plain = |c: char| c.is_alphanumeric() || "_-".contains(c);
                    if !fields.iter().all(|field| field.name.chars().all(plain)) {
                        return true;
                    }
                    let one = |field: &crate::resource::Field| {
                        let name = serde_json::to_string(&*field.name).unwrap();
                        let theirs = theirs.get(field.name.trim()).or_else(|| theirs.get(&*name));
                        theirs.is_some_and(|theirs| fits(&field.shape, theirs))
                    };
                    theirs.len() == fields.len() && fields.iter().all(one)
                })
        }
    }
}

/// The parts between the outermost commas.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut start) = (0, 0);
    let mut parts = Vec::new();
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend((start < text.len()).then(|| &text[start..]));
    parts
}

/// What is wrong with our answer, if anything.
///
/// By chance there are questions nobody answers in full: errors that we do not see for what is unknown, and what we know more of
/// while no set of values reaches it.
fn disagreement(answer: &Answer, ours: &Ours, by_chance: bool) -> Option<String> {
    match (answer, &ours.value) {
        (Answer::Error(why), Some(value)) if wholly_known(value, &mut 1_000_000) => {
            Some(format!("is an error ({why}), ours {}", text_of(value, false)))
        }
        (Answer::Error(why), Some(value)) if !ours.failed && !by_chance => {
            Some(format!("is an error ({why}), ours is none: {}", text_of(value, false)))
        }
        (Answer::Error(_), _) => None,
        (Answer::Value { text, .. }, None) => Some(format!("{text}, ours is not read")),
        (Answer::Value { shape, text, content, concrete }, Some(value)) => {
            let told = text_of(value, false);
            let why = reason_within(value, &mut 1_000).map(|reason| reason.to_string()).unwrap_or_default();
            // Infinity is no value of ours.
            if (text.contains("Inf") || why.contains("beyond all limits")) && !wholly_known(value, &mut 1_000_000) {
                return None;
            }
            // What terraform says in so many words it may say wrongly; what we add to it is held against what comes out.
            let same = told == *text && text != "?";
            let refused = concrete.iter().flatten().find(|json| !same && !ours.failed && !admits(value, json));
            if let Some(json) = refused {
                return Some(format!("{text}, may be {json}, ours {told} cannot: {value:?}"));
            }
            let reached = concrete.iter().any(Option::is_some);
            match Told::read(text).agrees(value) {
                _ if ours.failed && text.contains('?') && !reached => return None,
                _ if ours.failed => return Some(format!("{text}, ours {told} (an error) {why}")),
                None => return Some(format!("{text}, ours {told} {why}")),
                Some(KnowsMore(true)) if !reached && !by_chance => {
                    return Some(format!("{text}, ours knows more: {told} {why}"));
                }
                Some(_) => {}
            }
            let content = content.as_ref().map(|content| serde_json::from_str(content).unwrap());
            if let Some(content) = content.filter(|content: &Json| !admits(value, content)) {
                return Some(format!("hides {content}, ours {}", text_of(value, true)));
            }
            if by_chance && text == "?" {
                return None;
            }
            let type_of = shape::type_of(value);
            (!fits(&type_of, shape)).then(|| format!("{text} is {shape}, ours {type_of:?}"))
        }
    }
}

/// Where we say something else for a reason, by expression.
fn differences() -> HashSet<String> {
    let text = String::from_utf8(read_file(&folder().join("differences.txt")).unwrap()).unwrap();
    text.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")).map(str::to_owned).collect()
}

fn check(names: &[&str]) -> usize {
    let answers: Vec<(String, Answer)> = names.iter().flat_map(|name| answers(name)).collect();
    let ours = evaluate(answers.iter().map(|(expression, _)| expression.as_str()));
    let mut report = String::new();
    let mut count = 0;
    let mut differences = differences();
    for ((expression, answer), ours) in answers.iter().zip(&ours) {
        let wrong = disagreement(answer, ours, names == ["random.jsonl"]);
        match (wrong, differences.remove(&expression.replace('\n', "⏎"))) {
            (Some(_), true) | (None, false) => {}
            (Some(wrong), false) => {
                count += 1;
                let _ = writeln!(report, "{expression}\n    {wrong}");
            }
            (None, true) => drop(writeln!(report, "{expression}\n    is no difference")),
        }
    }
    assert!(names.len() == 1 || differences.is_empty(), "not among the expressions: {differences:?}");
    assert!(report.is_empty(), "{names:?}: {count} of {} disagree\n{report}", answers.len());
    answers.len()
}

#[test]
fn expressions_are_worth_what_terraform_says() {
    assert!(check(&["written.jsonl", "matrix.jsonl"]) >= 2_000);
}

#[test]
fn every_function_is_held_against_terraform() {
    let answers: Vec<_> = ["written.jsonl", "matrix.jsonl"].iter().flat_map(|name| answers(name)).collect();
    let absent = |name: &&str| !answers.iter().any(|(expression, _)| expression.contains(&format!("{name}(")));
    assert_eq!(crate::formats::terraform::functions::names().filter(absent).collect::<Vec<_>>(), [""; 0]);
}

#[test]
#[ignore = "needs the answers of fixtures/terraform/random_expressions.py"]
fn random_expressions_are_worth_what_terraform_says() {
    check(&["random.jsonl"]);
}
