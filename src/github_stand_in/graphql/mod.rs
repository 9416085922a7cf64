//! GitHub's GraphQL interface, as far as files of a commit are read through it: one query, many aliases.
//!
//! Errors come with status 200, as GitHub sends them.

mod execute;
mod schema;
mod validate;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use graphql_parser::parse_query;
use graphql_parser::query::{Definition, OperationDefinition, Type};
use http::StatusCode;
use serde_json::{Map, Value, json};

use self::execute::Execution;
use self::validate::{Fragments, Set, Validator, location};
use super::rest::{Answer, Call, Refusal, Reply};
use super::shared::Stand;
use super::state::{Access, GitHub};

const METADATA: (&str, Access) = ("metadata", Access::Read);

/// Brackets inside brackets beyond this are refused before the parser, which recurses, sees them.
const NESTING_LIMIT: usize = 60;

/// The two paths: GitHub's and Enterprise Server's.
pub(crate) fn routes() -> Router<Stand> {
    let handler =
        || post(|State(stand): State<Stand>, call: Call| async move { stand.with(|github| query(&call, github)) });
    Router::new().route("/graphql", handler()).route("/api/graphql", handler())
}

fn query(call: &Call, github: &mut GitHub) -> Answer {
    let installation = call.token()?.installation;
    let body = call.body()?;
    let Some(text) = body.get("query").and_then(Value::as_str) else {
        let text = "A query attribute must be specified and must be a string.";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, text));
    };
    let window = *github.rate(installation);
    if window.remaining() == 0 {
        return Ok(rate_limited(&format!("API rate limit already exceeded for installation ID {installation}.")));
    }
    let none = Map::new();
    let variables = body.get("variables").and_then(Value::as_object).unwrap_or(&none);
    if nesting(text) > NESTING_LIMIT {
        return Ok(errors(vec![json!({ "message": format!("Query is deeper than the limit of {NESTING_LIMIT}") })]));
    }
    match parse_query::<String>(text) {
        Ok(document) => Ok(run(call, github, &document.into_static(), variables)),
        Err(error) => Ok(errors(vec![json!({ "message": format!("Parse error: {error}") })])),
    }
}

/// How GitHub's GraphQL interface says that a limit is reached.
pub(crate) fn rate_limited(message: &str) -> Reply {
    errors(vec![json!({ "type": "RATE_LIMITED", "message": message })])
}

fn errors(errors: Vec<Value>) -> Reply {
    Reply::ok(&json!({ "errors": errors }))
}

/// The deepest nesting of brackets; those in texts count too, which does no harm.
fn nesting(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut deepest = 0;
    for byte in text.bytes() {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

type Document = graphql_parser::query::Document<'static, String>;
type Variable = graphql_parser::query::VariableDefinition<'static, String>;

fn run(call: &Call, github: &mut GitHub, document: &Document, given: &Map<String, Value>) -> Reply {
    let mut fragments = Fragments::new();
    let mut operations: Vec<(&Set, &[Variable])> = Vec::new();
    for definition in &document.definitions {
        match definition {
            Definition::Fragment(fragment) => drop(fragments.insert(fragment.name.as_str(), fragment)),
            Definition::Operation(OperationDefinition::SelectionSet(set)) => operations.push((set, &[])),
            Definition::Operation(OperationDefinition::Query(query)) => {
                operations.push((&query.selection_set, &query.variable_definitions));
            }
            Definition::Operation(OperationDefinition::Mutation(_) | OperationDefinition::Subscription(_)) => {
                return errors(vec![json!({ "message": "The stand-in answers queries alone" })]);
            }
        }
    }
    let [(set, definitions)] = operations.as_slice() else {
        return errors(vec![json!({ "message": "Exactly one operation must be given" })]);
    };
    let mut validator = Validator::new(&fragments);
    validator.selection("Query", set, &[]);
    let mut problems = validator.errors;
    let declared: BTreeMap<&str, &Variable> = definitions.iter().map(|d| (d.name.as_str(), d)).collect();
    problems.extend(declared.values().filter(|d| !validator.used.contains(d.name.as_str())).map(|d| {
        json!({ "message": format!("Variable ${} is declared but not used", d.name), "locations": location(d.position) })
    }));
    problems.extend(
        validator
            .used
            .iter()
            .filter(|name| !declared.contains_key(**name))
            .map(|name| json!({ "message": format!("Variable ${name} is used but not declared") })),
    );
    problems.extend(declared.values().filter_map(|definition| bad_value(definition, given)));
    if !problems.is_empty() {
        return errors(problems);
    }
    execute(call, github, &fragments, set, &with_defaults(definitions, given))
}

fn bad_value(definition: &Variable, given: &Map<String, Value>) -> Option<Value> {
    let required = matches!(definition.var_type, Type::NonNullType(_)) && definition.default_value.is_none();
    let is_text = ["String", "ID", "GitObjectID"].iter().any(|name| definition.var_type.to_string().contains(name));
    let wrong = match given.get(&definition.name) {
        None | Some(Value::Null) => required,
        Some(value) => is_text && !value.is_string(),
    };
    wrong.then(|| {
        let text = format!("Variable ${} of type {} was provided invalid value", definition.name, definition.var_type);
        json!({ "message": text, "locations": location(definition.position) })
    })
}

fn with_defaults(definitions: &[Variable], given: &Map<String, Value>) -> Map<String, Value> {
    let mut values = given.clone();
    for definition in definitions {
        if let Some(graphql_parser::query::Value::String(text)) = &definition.default_value {
            values.entry(definition.name.clone()).or_insert_with(|| text.as_str().into());
        }
    }
    values
}

fn execute(
    call: &Call,
    github: &mut GitHub,
    fragments: &Fragments<'_>,
    set: &Set,
    variables: &Map<String, Value>,
) -> Reply {
    let limit = github.limits.graphql_nodes;
    let rate = match call.token() {
        Ok(token) => *github.rate(token.installation),
        Err(_) => return errors(Vec::new()),
    };
    let mut execution = Execution { call, github, fragments, variables, rate, nodes: 0, errors: Vec::new() };
    let data = execution.run(set);
    if execution.nodes > limit {
        let text = format!(
            "This query requests up to {} possible nodes which exceeds the maximum limit of {limit}.",
            execution.nodes
        );
        return errors(vec![json!({ "type": "MAX_NODE_LIMIT_EXCEEDED", "message": text })]);
    }
    let mut body = json!({ "data": data });
    if let (Some(fields), false) = (body.as_object_mut(), execution.errors.is_empty()) {
        fields.insert("errors".to_owned(), Value::Array(execution.errors));
    }
    Reply::ok(&body)
}
