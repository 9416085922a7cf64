//! A query against the schema, before anything is looked up: GitHub refuses the whole query for one wrong field.

use std::collections::{BTreeSet, HashMap};

use graphql_parser::Pos;
use graphql_parser::query::{FragmentDefinition, Selection, TypeCondition, Value};
use serde_json::{Value as Json, json};

use super::schema::{self, Gives};

/// Fragments may name each other; deeper than this they do not.
const DEPTH_LIMIT: usize = 25;

/// Fragments that name each other twice grow without bound; beyond this many selections a query is refused.
const SELECTION_LIMIT: usize = 100_000;

/// The parser's types, owning their text.
pub(super) type Set = graphql_parser::query::SelectionSet<'static, String>;
pub(super) type Field = graphql_parser::query::Field<'static, String>;
pub(super) type Fragments<'a> = HashMap<&'a str, &'a FragmentDefinition<'static, String>>;

/// Everything wrong with a selection on a type, and the variables it uses.
pub(super) struct Validator<'a> {
    pub(super) fragments: &'a Fragments<'a>,
    pub(super) errors: Vec<Json>,
    pub(super) used: BTreeSet<&'a str>,
    selections: usize,
}

pub(super) fn location(at: Pos) -> Json {
    json!([{ "line": at.line, "column": at.column }])
}

/// Where the answer has the field: under its alias, else its name.
pub(super) fn response_key(field: &Field) -> &str {
    field.alias.as_deref().unwrap_or(&field.name)
}

impl<'a> Validator<'a> {
    pub(super) fn new(fragments: &'a Fragments<'a>) -> Self {
        Self { fragments, errors: Vec::new(), used: BTreeSet::new(), selections: 0 }
    }

    fn report(&mut self, path: &[&str], at: Pos, code: &str, message: String) {
        let path: Vec<&str> = std::iter::once("query").chain(path.iter().copied()).collect();
        self.errors.push(json!({
            "path": path,
            "extensions": { "code": code },
            "locations": location(at),
            "message": message,
        }));
    }

    pub(super) fn selection(&mut self, on: &str, set: &'a Set, path: &[&'a str]) {
        let within = self.selections <= SELECTION_LIMIT;
        self.selections += set.items.len();
        if self.selections > SELECTION_LIMIT {
            if within {
                self.errors.clear();
                let text = format!("Query has more selections than the limit of {SELECTION_LIMIT}");
                self.report(&[], set.span.0, "maxSelections", text);
            }
            return;
        }
        if path.len() > DEPTH_LIMIT {
            return self.report(
                path,
                set.span.0,
                "maxDepth",
                format!("Query is deeper than the limit of {DEPTH_LIMIT}"),
            );
        }
        let mut keys: HashMap<&str, &'a Field> = HashMap::new();
        for item in &set.items {
            match item {
                Selection::Field(field) => {
                    let key = response_key(field);
                    let first = *keys.entry(key).or_insert(field);
                    if first.name != field.name || first.arguments != field.arguments {
                        let text = format!("Field '{key}' has a field or argument conflict");
                        self.report(path, field.position, "fieldConflict", text);
                    }
                    self.field(on, field, path);
                }
                Selection::InlineFragment(fragment) => {
                    let to = fragment.type_condition.as_ref().map_or(on, |TypeCondition::On(to)| to.as_str());
                    self.fragment(on, to, fragment.position, &fragment.selection_set, path);
                }
                Selection::FragmentSpread(spread) => match self.fragments.get(spread.fragment_name.as_str()) {
                    Some(fragment) => {
                        let TypeCondition::On(to) = &fragment.type_condition;
                        self.fragment(on, to, spread.position, &fragment.selection_set, path);
                    }
                    None => {
                        let text = format!("Fragment {} was used, but not defined", spread.fragment_name);
                        self.report(path, spread.position, "useAndDefineFragment", text);
                    }
                },
            }
        }
    }

    fn fragment(&mut self, on: &str, to: &str, at: Pos, set: &'a Set, path: &[&'a str]) {
        let Some(known) = schema::known_type(to) else {
            let text = format!("No such type {to}, so it can't be a fragment condition");
            return self.report(path, at, "undefinedType", text);
        };
        if !schema::overlap(on, known) {
            let text = format!("Fragment on {to} can't be spread inside {on}");
            return self.report(path, at, "cannotSpreadFragment", text);
        }
        let path: Vec<&str> = path.iter().copied().chain(["... on"]).collect();
        self.selection(known, set, &path);
    }

    fn field(&mut self, on: &str, field: &'a Field, path: &[&'a str]) {
        let path: Vec<&str> = path.iter().copied().chain([response_key(field)]).collect();
        let name = field.name.as_str();
        let Some(known) = schema::field(on, name) else {
            let text = format!("Field '{name}' doesn't exist on type '{on}'");
            return self.report(&path, field.position, "undefinedField", text);
        };
        if let Some(directive) = field.directives.first() {
            let text = format!("Directive @{} is not known here", directive.name);
            self.report(&path, directive.position, "undefinedDirective", text);
        }
        self.arguments(&known, field, &path);
        match known.gives {
            Gives::Leaf if !field.selection_set.items.is_empty() => {
                let text = format!("Selections can't be made on scalars (field '{name}' returns a scalar)");
                self.report(&path, field.position, "selectionMismatch", text);
            }
            Gives::Node(of) if field.selection_set.items.is_empty() => {
                let text = format!("Field must have selections (field '{name}' returns {of} but has no selections)");
                self.report(&path, field.position, "selectionMismatch", text);
            }
            Gives::Leaf => {}
            Gives::Node(of) => self.selection(of, &field.selection_set, &path),
        }
    }

    fn arguments(&mut self, known: &schema::Field, field: &'a Field, path: &[&'a str]) {
        for (argument, value) in &field.arguments {
            if !known.arguments.iter().any(|(name, _)| *name == argument.as_str()) {
                let text = format!("Field '{}' doesn't accept argument '{argument}'", field.name);
                self.report(path, field.position, "argumentNotAccepted", text);
            }
            if let Value::Variable(variable) = value {
                self.used.insert(variable);
            }
        }
        for (name, _) in known.arguments.iter().filter(|(_, required)| *required) {
            if !field.arguments.iter().any(|(given, _)| given == name) {
                let text = format!("Field '{}' is missing required arguments: {name}", field.name);
                self.report(path, field.position, "missingRequiredArguments", text);
            }
        }
    }
}
