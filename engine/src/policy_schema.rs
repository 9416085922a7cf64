//! The JSON Schema of policy files, for editors: completion, hints and red lines while a policy is written.
//!
//! What can be counted off comes from the loader's own tables (sections, operators, decoders, severities, named tests).
//! Whatever the schema refuses the loader refuses too, and says better why; it may accept more than the loader does.

use serde_json::{Map, Value, json};

use crate::policy::{COMPARISONS, Decoder, OPERATORS, OperatorName, PredicateName, Severity, Takes};
use crate::resource::FormatId;

/// Where the schema is published.
pub const URL: &str = "https://raw.githubusercontent.com/portcullis-gate/portcullis/main/docs/policy.schema.json";

/// The schema, in draft 2020-12.
#[must_use]
pub fn policy_schema() -> Value {
    let mut properties = metadata();
    let mut sections = Vec::new();
    for format in FormatId::ALL {
        let about = format!("What is asked of resources in the format `{format}`: one check or a list of checks.");
        properties.insert(format.name().to_owned(), section("check", &about));
        sections.push(json!({ "required": [format.name()] }));
    }
    let about = "What is asked of the virtual resources that several formats share; examples are grouped by format.";
    properties.insert("everywhere".to_owned(), section("check_everywhere", about));
    sections.push(json!({ "required": ["everywhere"] }));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": URL,
        "title": "Portcullis policy",
        "description": "One requirement: metadata, a section for each source format, and examples that are its tests.",
        "type": "object",
        "properties": properties,
        "required": ["id", "title", "severity", "description", "remediation"],
        "anyOf": sections,
        "additionalProperties": false,
        "$defs": definitions(),
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// A definition, with words of its own.
fn described(name: &str, about: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}"), "description": about })
}

fn section(check: &str, about: &str) -> Value {
    let check = reference(check);
    json!({ "description": about, "anyOf": [check, { "type": "array", "items": check, "minItems": 1 }] })
}

fn metadata() -> Map<String, Value> {
    let severities: Vec<&str> = Severity::WORST_FIRST.iter().rev().map(|severity| severity.name()).collect();
    let instance = json!({
        "type": "object",
        "properties": {
            "params": described("params", "What the instance has instead of the policy's own parameters."),
            "title": described("title", "What holds when it is met; the policy's own by default."),
            "aliases": described("texts", "Ids of other tools that give the same verdict on the same resource."),
            "covers": described("texts", "Ids of other tools whose risk it reports elsewhere or more widely."),
        },
        "additionalProperties": false,
    });
    let fields = json!({
        "id": {
            "type": "string",
            "pattern": "^[a-z](?:[a-z0-9-]*[a-z0-9])?(?:/[a-z](?:[a-z0-9-]*[a-z0-9])?)?$",
            "maxLength": 100,
            "description": "An imperative requirement, area first (aws-rds-encrypt-storage). The file is named after it, and it never changes.",
        },
        "title": described("title", "What holds when the policy is met, in one line."),
        "severity": { "enum": severities, "description": "How bad a violation is." },
        "description": described("text", "Why it matters, in a sentence or two."),
        "remediation": described("text", "What to do about a violation."),
        "frameworks": {
            "type": "object",
            "additionalProperties": reference("texts"),
            "description": "Clauses of frameworks that it answers: { cis-aws-2.0: [\"2.3.1\"] }.",
        },
        "aliases": described("texts", "Ids of other tools that give the same verdict on the same resource."),
        "covers": described("texts", "Ids of other tools whose risk it reports elsewhere or more widely."),
        "params": described("params", "Named values that the rule uses as $name."),
        "instances": {
            "type": "object",
            "additionalProperties": instance,
            "description": "One policy of each, with an id of its own (…/ssh).",
        },
    });
    if let Value::Object(fields) = fields { fields } else { Map::new() }
}

fn definitions() -> Value {
    let scalar = json!({ "type": ["string", "number", "boolean"] });
    json!({
        "text": scalar,
        "texts": { "anyOf": [scalar, { "type": "array", "items": scalar }] },
        "title": { "type": "string", "maxLength": 120, "pattern": "^[^\\n]*\\n?$" },
        "literal": { "anyOf": [scalar, { "type": "array", "items": reference("literal") }] },
        "params": { "type": "object", "additionalProperties": reference("literal") },
        "path": { "type": "string", "pattern": path_pattern() },
        "check": check("examples"),
        "check_everywhere": check("examples_by_format"),
        "examples": examples(),
        "examples_by_format": {
            "type": "object",
            "properties": FormatId::ALL.iter().map(|format| (format.name().to_owned(), reference("examples"))).collect::<Map<_, _>>(),
            "additionalProperties": false,
        },
        "example": {
            "anyOf": [
                { "type": "string" },
                { "type": "object", "additionalProperties": { "type": "string" }, "description": "File names and their texts." },
            ],
        },
        "link": link(),
        "fix": fix(),
        "conditions": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": reference("path"),
            "properties": {
                "all": described("members", "Every one holds."),
                "any": described("members", "At least one holds."),
                "not": described("conditions", "It does not hold."),
            },
            "additionalProperties": reference("matcher"),
        },
        "members": { "anyOf": [reference("conditions"), { "type": "array", "items": reference("conditions") }] },
        "matcher": matcher(&scalar),
        "operators": operators(),
        "operand": { "anyOf": [reference("literal"), reference("other")] },
        "other": {
            "type": "object",
            "properties": { "path": described("path", "Another attribute of the resource, or of one linked to it.") },
            "required": ["path"],
            "additionalProperties": false,
        },
    })
}

fn matcher(scalar: &Value) -> Value {
    let named: Vec<String> = PredicateName::ALL.iter().map(|predicate| format!("${}", predicate.name())).collect();
    // `not` is an operator, and a condition beside paths.
    let operators: Vec<&str> = OPERATORS.iter().map(|operator| operator.name).filter(|name| *name != "not").collect();
    json!({
        "description": format!(
            "A value; a list of values, of which it is one; present; absent; a map of operators; a map of paths; or \
             $name: a set, a parameter, or a named test ({}).",
            named.join(", "),
        ),
        "anyOf": [
            { "enum": ["present", "absent"] },
            scalar,
            { "type": "array", "items": reference("matcher"), "minItems": 1 },
            reference("operators"),
            { "allOf": [reference("conditions"), { "propertyNames": { "not": { "enum": operators } } }] },
        ],
    })
}

fn operators() -> Value {
    let operator = |operator: &OperatorName| {
        let mut schema = operand(operator.takes);
        if let Value::Object(fields) = &mut schema {
            fields.insert("description".to_owned(), operator.about.into());
        }
        (operator.name.to_owned(), schema)
    };
    json!({
        "type": "object",
        "minProperties": 1,
        "properties": OPERATORS.iter().map(operator).collect::<Map<_, _>>(),
        "additionalProperties": false,
        // `default` is no test by itself.
        "not": { "required": ["default"], "maxProperties": 1 },
    })
}

/// What stands behind an operator.
fn operand(takes: Takes) -> Value {
    match takes {
        Takes::Matcher => reference("matcher"),
        Takes::MatcherOrPath => json!({ "anyOf": [reference("matcher"), reference("other")] }),
        Takes::Operand => reference("operand"),
        Takes::Pair => json!({ "type": "array", "items": reference("operand"), "minItems": 2, "maxItems": 2 }),
        Takes::Text => reference("text"),
        Takes::Texts => reference("texts"),
        Takes::Comparisons => {
            let comparisons = COMPARISONS.iter().map(|name| ((*name).to_owned(), reference("operand")));
            json!({ "type": "object", "properties": comparisons.collect::<Map<_, _>>(), "additionalProperties": false })
        }
        Takes::Literal => reference("literal"),
    }
}

fn check(examples: &str) -> Value {
    json!({
        "type": "object",
        "properties": {
            "resource": described("texts", "A type, a list of types, a glob (azurerm_*_rule), or a set ($workload)."),
            "when": described("conditions", "The check applies only if this holds."),
            "unless": described("conditions", "The check does not apply if this holds."),
            "related": {
                "type": "object",
                "maxProperties": 16,
                "additionalProperties": reference("link"),
                "description": "Named links to other resources; a name may begin a path.",
            },
            "require": described("conditions", "Everything listed must hold."),
            "forbid": {
                "anyOf": [{ "const": "exists" }, reference("conditions")],
                "description": "Nothing listed may hold, each by itself; `exists` forbids the resource.",
            },
            "message": {
                "type": "string",
                "description": "What a violation says: {value}, {path}, {resource}, {ports}, {element.name}, {this.name} and {params.name} are filled in.",
            },
            "fix": reference("fix"),
            "undecided": {
                "enum": ["report", "block"],
                "description": "Whether an undecided answer that a pull request introduces stops it.",
            },
            "examples": reference(examples),
        },
        "required": ["resource", "examples"],
        "oneOf": [{ "required": ["require"] }, { "required": ["forbid"] }],
        "additionalProperties": false,
    })
}

fn examples() -> Value {
    let texts = |about: &str| {
        let example = reference("example");
        json!({ "description": about, "anyOf": [example, { "type": "array", "items": example, "minItems": 1 }] })
    };
    json!({
        "type": "object",
        "properties": {
            "pass": texts("No violation, nothing undecided."),
            "fail": texts("A violation at each line marked with the comment `# expect`, and only there."),
            "undecided": texts("An undecided answer, and no violation."),
        },
        "required": ["pass", "fail"],
        "additionalProperties": false,
    })
}

fn link() -> Value {
    let direction = "`this.x`: my attribute; `x`: theirs; `*`: any.";
    json!({
        "type": "object",
        "properties": {
            "resource": described("texts", "The types it leads to, or a glob."),
            "except": described("texts", "Types left out."),
            "of": { "type": "string", "description": "The link above that it goes on from." },
            "via": { "type": "string", "description": format!("Which attribute refers to the other. {direction}") },
            "selector": { "type": "string", "description": format!("Which selector picks the other's labels. {direction}") },
        },
        "required": ["resource"],
        "oneOf": [{ "required": ["via"] }, { "required": ["selector"] }],
        "additionalProperties": false,
    })
}

fn fix() -> Value {
    json!({
        "type": "object",
        "description": "How a violation is mended.",
        "properties": {
            "set": {
                "type": "object",
                "propertyNames": reference("path"),
                "additionalProperties": reference("literal"),
                "description": "Attributes and their values.",
            },
            "remove": described("path", "What is removed."),
            "add": { "type": "string", "description": "Text to add; {id}, {name} and {address} are filled in." },
        },
        "minProperties": 1,
        "additionalProperties": false,
    })
}

/// The grammar of paths as a regular expression.
fn path_pattern() -> String {
    let decoders: Vec<&str> = Decoder::ALL.iter().map(|(name, _)| *name).collect();
    let name = r#"(?:[\p{L}\p{N}_$/:-]+|"[^"]*")"#;
    let step = format!(r"(?:{name}|\({name}(?:\|{name})*\)|\*)(?:\[[^\]]*\])*(?:@(?:{}))*", decoders.join("|"));
    format!(r"^\.?{step}(?:\.{step})*$")
}
