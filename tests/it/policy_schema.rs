//! The JSON Schema of policy files against the loader: what one takes the other takes, and what the schema refuses is a mistake.

use std::fs;
use std::path::Path;

use portcullis_engine::builtin;
use portcullis_engine::policy::{Library, is_library, load_library, load_policy};
use portcullis_engine::policy_schema::{URL, policy_schema};
use portcullis_engine::resource::{Data, FileTable, Value};
use portcullis_engine::source_tree::{SourceFile, TreePath};
use portcullis_engine::syntax::{Scalars, parse_yaml};
use serde_json::json;

fn json_of(value: &Value) -> serde_json::Value {
    match value.data() {
        Data::Bool(value) => json!(value),
        Data::Number(number) => serde_json::from_str(&number.to_string()).unwrap(),
        Data::Text(text) => json!(&**text),
        Data::List(list) => list.items.iter().map(json_of).collect(),
        Data::Map(map) => map.entries().iter().map(|(key, value)| (key.text.to_string(), json_of(value))).collect(),
        Data::Null | Data::Unknown(_) | Data::OneOf(_) => serde_json::Value::Null,
    }
}

/// A policy as an editor reads it.
fn document(text: &str) -> serde_json::Value {
    let file = SourceFile::from_bytes(TreePath::new("x.yaml").unwrap(), text.into()).unwrap().into();
    let parsed = parse_yaml(text, FileTable::default().add(&file), Scalars::Core12);
    json_of(&parsed.documents[0].value)
}

fn library() -> Library {
    let mut library = Library::default();
    for (path, text) in
        builtin::files().unwrap().into_iter().filter(|(path, _)| is_library(path.trim_start_matches("policies/")))
    {
        load_library(path, text, &mut library).unwrap();
    }
    library
}

#[test]
fn the_published_schema_is_the_one_of_this_program() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policy.schema.json");
    let published = fs::read_to_string(&path).unwrap_or_default();
    let text = format!("{}\n", serde_json::to_string_pretty(&policy_schema()).unwrap());
    assert!(published == text, "docs/policy.schema.json is old: write `portcullis policy schema` to it");
    assert!(URL.ends_with("/docs/policy.schema.json"));
}

#[test]
fn every_policy_that_comes_with_the_program_is_valid() {
    let schema = jsonschema::draft202012::new(&policy_schema()).unwrap();
    let mut wrong = Vec::new();
    for (path, text) in
        builtin::files().unwrap().into_iter().filter(|(path, _)| !is_library(path.trim_start_matches("policies/")))
    {
        let document = document(text);
        wrong.extend(schema.iter_errors(&document).map(|error| format!("{path}: {}: {error}", error.instance_path())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const GOOD: &str = r#"
id: own-x
title: T
severity: low
description: D.
remediation: R.
frameworks: { f: ["1.1"] }
params: { days: 3, list: [a, b] }
instances: { one: { params: { days: 4 }, title: One, aliases: [A], covers: [B] } }
terraform:
  resource: [r, "s_*"]
  when: { "a.b[]": present, any: [{ c: { gt: 3 } }, { d: [x, y] }] }
  unless: { not: { e: absent } }
  related:
    link: { resource: o, via: this.link, except: [p] }
    next: { of: link, resource: q, selector: spec.labels }
  require:
    next.x: { is: { path: y }, default: z }
    "tags.\"a.b\"@keys": { length: { between: [1, 2] } }
    (f|g): { not: { matches: "^x" }, quantity: { gte: 64Mi }, within_days: $days }
    loop[]: { inner: $public_cidr, not: { .version: { version: ">= 1" } } }
  message: "{value} of {path}"
  fix: { set: { f: 1 } }
  undecided: block
  examples: { pass: a = 1, fail: [{ main.tf: "a = 1 # expect" }] }
"#;

#[test]
fn what_the_schema_refuses_is_a_mistake_for_the_loader_too() {
    let schema = jsonschema::draft202012::new(&policy_schema()).unwrap();
    let library = library();
    let load = |text: &str| load_policy("own-x.yaml", text, &library);
    assert!(load(GOOD).is_ok(), "{:?}", load(GOOD).err());
    let errors: Vec<String> = schema.iter_errors(&document(GOOD)).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    for (from, to) in [
        ("id: own-x", "id: Own_x"),
        ("severity: low", "severity: grave"),
        ("title: T", "titel: T"),
        ("terraform:", "teraform:"),
        ("  resource: [r, \"s_*\"]\n", ""),
        ("  require:", "  requires:"),
        ("  require:", "  forbid: exists\n  require:"),
        ("{ gt: 3 }", "{ gt: 3, x: 1 }"),
        ("{ gt: 3 }", "{ default: 3 }"),
        ("{ gt: 3 }", "{}"),
        ("{ gt: 3 }", "null"),
        ("[x, y]", "[]"),
        ("[1, 2]", "[1]"),
        ("gte: 64Mi", "atleast: 64Mi"),
        ("@keys", "@kyes"),
        ("a.b[]", "a..b[]"),
        ("via: this.link", "by: this.link"),
        ("via: this.link", "via: a, selector: b"),
        ("undecided: block", "undecided: never"),
        ("fix: { set: { f: 1 } }", "fix: {}"),
        ("pass: a = 1, ", ""),
        ("pass:", "passes:"),
        ("inner: $public_cidr", "inner: $public_cidr, gt: 3"),
        ("title: One", "titel: One"),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        assert!(!schema.is_valid(&document(&text)), "the schema takes {to}");
        assert!(load(&text).is_err(), "the loader takes {to}");
    }
}

/// The loader says which keys it knows when it meets one it does not: the schema knows the same.
#[test]
fn the_schema_knows_the_keys_that_the_loader_knows() {
    let library = library();
    let schema = policy_schema();
    for (from, to, pointer) in [
        ("id: own-x", "id: own-x\nzzzzzzzz: 1", "/properties"),
        ("  message:", "  zzzzzzzz: 1\n  message:", "/$defs/check/properties"),
        ("via: this.link", "via: this.link, zzzzzzzz: 1", "/$defs/link/properties"),
        ("fix: {", "fix: { zzzzzzzz: 1, ", "/$defs/fix/properties"),
        ("examples: {", "examples: { zzzzzzzz: 1, ", "/$defs/examples/properties"),
        ("title: One", "title: One, zzzzzzzz: 1", "/properties/instances/additionalProperties/properties"),
    ] {
        let mistakes = load_policy("own-x.yaml", &GOOD.replacen(from, to, 1), &library).unwrap_err();
        let said = mistakes.iter().find_map(|mistake| mistake.message.split_once("known are: ")).unwrap().1;
        let mut loader: Vec<&str> = said.split(", ").collect();
        let mut editor: Vec<&str> =
            schema.pointer(pointer).unwrap().as_object().unwrap().keys().map(String::as_str).collect();
        loader.sort_unstable();
        editor.sort_unstable();
        assert_eq!(loader, editor, "{pointer}");
    }
}
