//! Reads policy files and says, of every mistake, where it is, what was expected and what was probably meant.

mod check;
mod condition;
mod defaults;
mod examples;
mod fields;
mod variants;

use std::fmt;

use crate::resource::{FileTable, FormatId, Value};
use crate::source_tree::{LineColumn, SourceFile, TreePath};
use crate::syntax::{Scalars, parse_yaml};

use super::library::NamedSet;
use super::{Library, Literal, Metadata, Policy, PolicyId, Severity};
pub use condition::{COMPARISONS, OPERATORS, OperatorName, Takes};
use defaults::load_defaults;
pub use examples::{Example, ExampleKind};
use fields::{Fields, Reading};
pub use fields::{nearest, nearest_within};
pub use variants::{Needed, Variant, variants};

/// A mistake in a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file.
    pub path: String,
    /// Where.
    pub place: LineColumn,
    /// What is wrong and what was expected.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.path, self.place.line, self.place.column, self.message)
    }
}

/// What a policy file holds: one policy, or one for each of its instances.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The policies.
    pub policies: Vec<Policy>,
    /// Their examples.
    pub examples: Vec<Example>,
}

/// Reads a policy file. `path` is only used in messages and to check that the file is named after its policy.
///
/// # Errors
/// Every mistake that was found.
pub fn load_policy(path: &str, text: &str, library: &Library) -> Result<Loaded, Vec<Mistake>> {
    faultless(path, with_document(path, text, |reading, document| document_policy(reading, document, path, library)))
}

fn document_policy(reading: &Reading<'_>, document: &Value, path: &str, library: &Library) -> Option<Loaded> {
    let mut fields = reading.map(document, "a policy")?;
    // What is wrong with one part hides nothing of the others.
    let metadata = metadata(reading, &mut fields, path);
    let params = params(reading, &mut fields, library).unwrap_or_default();
    let instances = fields.take("instances");
    let mut loaded = Loaded::default();
    let unnamed = PolicyId::unnamed();
    let policy = metadata.as_ref().map_or(&unnamed, |metadata| &metadata.id);
    let mut checks = Vec::new();
    let mut sections = 0;
    for format in FormatId::ALL.into_iter().map(Some).chain([None]) {
        let name = format.map_or("everywhere", FormatId::name);
        let Some(section) = fields.take(name) else { continue };
        sections += 1;
        for value in reading.one_or_many(&section) {
            let scope = check::Scope { reading, library, params: &params, format, policy };
            if let Some((check, examples)) = scope.check(&value, checks.len()) {
                checks.push(check);
                loaded.examples.extend(examples);
            }
        }
    }
    if sections == 0 {
        reading.mistake(document.span(), "a policy has at least one section: terraform, kubernetes, dockerfile, …");
    }
    fields.finish(reading);
    let policy = Policy { metadata: metadata?, params, checks };
    loaded.policies = match instances {
        Some(instances) => instances_of(reading, &policy, &instances, library)?,
        None => vec![policy],
    };
    Some(loaded)
}

/// Whether a file beside policies is none: one of `lib` or `defaults`, by its path within the folder of policies.
#[must_use]
pub fn is_library(path: &str) -> bool {
    path.starts_with("lib/") || path.starts_with("defaults/")
}

/// Reads a file beside policies. In `lib` it is `name: { description, values }`, or the table `identity`; in `defaults` what
/// a provider assumes.
///
/// # Errors
/// Every mistake that was found.
pub fn load_library(path: &str, text: &str, library: &mut Library) -> Result<(), Vec<Mistake>> {
    if path.rsplit('/').nth(1) == Some("defaults") {
        return load_defaults(path, text, library);
    }
    let read = with_document(path, text, |reading, document| {
        let identity = path.ends_with("identity.yaml");
        for (key, value) in reading.entries(document, "named sets")? {
            if identity {
                let attributes = reading.texts(&value);
                library.identity.insert(key.text.to_string(), attributes);
                continue;
            }
            let Some(mut fields) = reading.map(&value, "a named set") else { continue };
            let description = fields.text(reading, "description").unwrap_or_default();
            let values = fields.take("values").map(|values| reading.literals(&values)).unwrap_or_default();
            fields.finish(reading);
            library.sets.insert(key.text.to_string(), NamedSet { description, values });
        }
        Some(())
    });
    faultless(path, read)
}

/// Parses a YAML file of one document and collects the mistakes of reading it.
fn with_document<T>(
    path: &str,
    text: &str,
    read: impl FnOnce(&Reading<'_>, &Value) -> Option<T>,
) -> (Option<T>, Vec<Mistake>) {
    let tree_path = TreePath::new(path.trim_start_matches('/')).map_err(|error| error.to_string());
    let opened = tree_path
        .and_then(|tree_path| SourceFile::from_bytes(tree_path, text.into()).map_err(|error| error.to_string()));
    let file = match opened {
        Ok(file) => file,
        Err(message) => return (None, whole(path, &message)),
    };
    let mut table = FileTable::default();
    let file = std::sync::Arc::new(file);
    let parsed = parse_yaml(file.text(), table.add(&file), Scalars::Core12);
    let reading = Reading::new(path, &file);
    for error in &parsed.errors {
        reading.mistake(error.span, &error.message);
    }
    let read = match parsed.documents.as_slice() {
        [document] => read(&reading, &document.value),
        _ => {
            reading.mistake_at(LineColumn { line: 1, column: 1 }, "a policy file holds exactly one YAML document");
            None
        }
    };
    (read, reading.into_mistakes())
}

/// A mistake of a file as a whole.
fn whole(path: &str, message: &str) -> Vec<Mistake> {
    let place = LineColumn { line: 1, column: 1 };
    vec![Mistake { path: path.to_owned(), place, message: message.to_owned() }]
}

/// What was read, if nothing is wrong with it.
fn faultless<T>(path: &str, read: (Option<T>, Vec<Mistake>)) -> Result<T, Vec<Mistake>> {
    match read {
        (Some(read), mistakes) if mistakes.is_empty() => Ok(read),
        (None, mistakes) if mistakes.is_empty() => Err(whole(path, "the file could not be read")),
        (_, mistakes) => Err(mistakes),
    }
}

fn metadata(reading: &Reading<'_>, fields: &mut Fields, path: &str) -> Option<Metadata> {
    let id = fields.required(reading, "id").and_then(|id| policy_id(reading, &id, path));
    let severity = fields.required(reading, "severity").and_then(|severity| {
        let text = reading.text(&severity)?;
        text.parse::<Severity>().map_err(|message| reading.mistake(severity.span(), &message)).ok()
    });
    let frameworks = fields.take("frameworks").map(|value| {
        let entries = reading.entries(&value, "frameworks").unwrap_or_default();
        entries.into_iter().map(|(key, clauses)| (key.text.to_string(), reading.texts(&clauses))).collect()
    });
    let title = fields.required(reading, "title");
    let title_at = title.as_ref().map(Value::span);
    let title = title.and_then(|title| reading.text(&title)).unwrap_or_default().trim().to_owned();
    if let Some(span) = title_at.filter(|_| title.contains('\n') || title.chars().count() > 120) {
        reading.mistake(span, "a title is one line of at most 120 characters");
    }
    let description = fields.required_text(reading, "description");
    let remediation = fields.required_text(reading, "remediation");
    let aliases = fields.texts(reading, "aliases");
    let covers = fields.texts(reading, "covers");
    let (id, severity, frameworks) = (id?, severity?, frameworks.unwrap_or_default());
    Some(Metadata { id, title, severity, description, remediation, frameworks, aliases, covers })
}

fn policy_id(reading: &Reading<'_>, id: &Value, path: &str) -> Option<PolicyId> {
    let text = reading.text(id)?;
    let stem = path.rsplit('/').next().and_then(|name| name.strip_suffix(".yaml")).unwrap_or(path);
    if stem != text {
        reading.mistake(id.span(), &format!("a policy's file is named after it: `{text}.yaml`"));
    }
    PolicyId::new(&text).map_err(|message| reading.mistake(id.span(), &message)).ok()
}

/// `params: { days: 365, ports: $admin_ports }`: values, or the values of a set.
fn params(reading: &Reading<'_>, fields: &mut Fields, library: &Library) -> Option<Vec<(String, Literal)>> {
    let Some(value) = fields.take("params") else { return Some(Vec::new()) };
    let entries = reading.entries(&value, "parameters")?;
    let param = |(key, value): (crate::resource::Key, Value)| {
        let literal = param_value(reading, &value, library)?;
        Some((key.text.to_string(), literal))
    };
    Some(entries.into_iter().filter_map(param).collect())
}

fn param_value(reading: &Reading<'_>, value: &Value, library: &Library) -> Option<Literal> {
    let literal = reading.literal(value)?;
    let Literal::Text(text) = &literal else { return Some(literal) };
    let Some(name) = text.strip_prefix('$') else { return Some(literal) };
    match library.sets.get(name) {
        Some(set) => Some(Literal::List(set.values.clone())),
        None => {
            let known = library.sets.keys().map(String::as_str);
            reading.unknown(value.span(), "value set", name, known);
            None
        }
    }
}

/// `instances: { ssh: { params: { ports: [22] }, aliases: […] } }`: one policy for each, with an id of its own.
fn instances_of(reading: &Reading<'_>, policy: &Policy, value: &Value, library: &Library) -> Option<Vec<Policy>> {
    let mut policies = Vec::new();
    for (key, value) in reading.entries(value, "instances")? {
        let mut fields = reading.map(&value, "an instance")?;
        let mut instance = policy.clone();
        let id = format!("{}/{}", policy.metadata.id, key.text);
        instance.metadata.id = PolicyId::new(&id).map_err(|message| reading.mistake(key.span, &message)).ok()?;
        for (name, value) in params(reading, &mut fields, library)? {
            match instance.params.iter_mut().find(|(known, _)| *known == name) {
                Some((_, param)) => *param = value,
                None => {
                    reading.unknown(key.span, "parameter", &name, policy.params.iter().map(|(name, _)| name.as_str()))
                }
            }
        }
        if let Some(title) = fields.text(reading, "title") {
            instance.metadata.title = title;
        }
        instance.metadata.aliases = fields.texts(reading, "aliases");
        instance.metadata.covers.extend(fields.texts(reading, "covers"));
        fields.finish(reading);
        policies.push(instance);
    }
    Some(policies)
}
