//! The manifests of one file.

use std::sync::Arc;

use memchr::memmem;

use crate::resource::{Data, FileId, FormatId, Key, MapKind, Problem, ProblemKind, Resource, Span, Value};
use crate::source_tree::SourceFile;
use crate::suppressions;
use crate::syntax::{Scalars, SyntaxError, parse_json, parse_yaml};
use crate::views::PodViews;

/// Most resources that are read of one file.
const RESOURCE_LIMIT: usize = 20_000;

/// How deep lists of lists are unfolded.
const LIST_DEPTH_LIMIT: usize = 4;

/// Most problems that are told of one file.
const PROBLEM_LIMIT: usize = 20;

/// What was found in a file.
pub(super) struct Found {
    pub(super) resources: Vec<Resource>,
    pub(super) problems: Vec<Problem>,
    /// What its comments and annotations silence.
    pub(super) silenced: suppressions::Found,
    /// Some of it is not YAML before a template engine has filled it in.
    pub(super) has_placeholders: bool,
}

/// Whether a text may hold manifests: told without parsing it.
pub(super) fn may_be_in(text: &str) -> bool {
    let bytes = text.as_bytes();
    memmem::find(bytes, b"apiVersion").is_some() && memmem::find(bytes, b"kind").is_some()
}

/// Reads the manifests of a file. Documents with placeholders for a template engine are left out where the text has any.
pub(super) fn read(file: &SourceFile, id: FileId, is_templated: bool, pods: &mut PodViews) -> Found {
    let text = file.text();
    let is_json = file.path().extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let (documents, errors): (Vec<Value>, Vec<SyntaxError>) = if is_json {
        match parse_json(text, id, 0) {
            Ok(value) => (vec![value], Vec::new()),
            Err(error) => (Vec::new(), vec![error]),
        }
    } else {
        let read = parse_yaml(text, id, Scalars::Yaml11);
        (read.documents.into_iter().map(|document| document.value).collect(), read.errors)
    };
    let mut reading = Reading { pods, resources: Vec::new(), is_templated, has_placeholders: false, is_over: false };
    for document in &documents {
        reading.document(document, None, 0);
    }
    let silenced = super::suppressions::read(file, id, &documents, &reading.resources);
    let mut found = Found {
        silenced,
        resources: reading.resources,
        problems: Vec::new(),
        has_placeholders: reading.has_placeholders,
    };
    let problem = |kind, span, message: String, remedy: &str| Problem {
        kind,
        path: file.path().clone(),
        span: Some(span),
        message,
        remedy: remedy.to_owned(),
    };
    if reading.is_over {
        let message = format!("the file has more than {RESOURCE_LIMIT} manifests");
        found.problems.push(problem(ProblemKind::Limit, Span::new(id, 0..0), message, "split the file"));
    }
    if !errors.is_empty() && (!found.resources.is_empty() || looks_like_manifests(text)) {
        found.has_placeholders |= errors.iter().any(|error| !error.recovered);
        for error in errors.into_iter().take(PROBLEM_LIMIT) {
            let (what, remedy) = match (error.recovered, is_json) {
                (true, _) => ("", "write the key once"),
                (false, true) => ("not valid JSON: ", "correct the JSON"),
                (false, false) => ("not valid YAML: ", "correct the YAML"),
            };
            found.problems.push(problem(ProblemKind::Partial, error.span, format!("{what}{}", error.message), remedy));
        }
    }
    found
}

/// Whether a text that cannot be parsed was meant as manifests: both keys stand where a manifest has them, with text behind.
fn looks_like_manifests(text: &str) -> bool {
    let has = |key: &str| {
        text.lines().any(|line| {
            let unquoted = line.strip_prefix(key).and_then(|rest| rest.trim_start().strip_prefix(':'));
            unquoted.is_some_and(|value| !value.trim().is_empty())
        }) || {
            let quoted = format!("\"{key}\"");
            memmem::find_iter(text.as_bytes(), &quoted).any(|at| {
                let rest = text.get(at + quoted.len()..).unwrap_or_default().trim_start();
                rest.strip_prefix(':').is_some_and(|value| value.trim_start().starts_with('"'))
            })
        }
    };
    has("apiVersion") && has("kind")
}

struct Reading<'p> {
    pods: &'p mut PodViews,
    resources: Vec<Resource>,
    is_templated: bool,
    has_placeholders: bool,
    is_over: bool,
}

impl Reading<'_> {
    /// Takes a document, or an element of a list, whose own kind may go without saying.
    fn document(&mut self, document: &Value, implied_kind: Option<&Arc<str>>, depth: usize) {
        let Some(map) = document.as_map() else { return };
        let text = |name: &str| map.get(name).and_then(Value::as_text);
        let is_filled_in = |name: &str| map.get(name).is_some_and(is_placeholder);
        if self.is_templated && (is_filled_in("kind") || is_filled_in("apiVersion") || holds_placeholder(document, 0)) {
            self.has_placeholders = true;
            return;
        }
        let kind = match (text("apiVersion"), text("kind")) {
            (Some(_), Some(kind)) => kind,
            (_, None) => match implied_kind {
                Some(kind) => kind,
                None => return,
            },
            (None, Some(_)) => return,
        };
        if let Some(element_kind) = kind.strip_suffix("List")
            && depth < LIST_DEPTH_LIMIT
            && let Some(items) = map.get("items").and_then(Value::as_list)
            && (element_kind.is_empty() || items.items.iter().any(|item| item.as_map().is_some()))
        {
            let implied: Option<Arc<str>> = (!element_kind.is_empty()).then(|| element_kind.into());
            for item in &items.items {
                self.document(item, implied.as_ref(), depth + 1);
            }
            return;
        }
        if self.resources.len() >= RESOURCE_LIMIT {
            self.is_over = true;
            return;
        }
        let kind = Arc::clone(kind);
        let resource = self.resource(document, &kind);
        self.resources.push(resource);
    }

    fn resource(&mut self, document: &Value, kind: &Arc<str>) -> Resource {
        let metadata = document.get("metadata");
        let text =
            |name: &str| metadata.and_then(|m| m.get(name)).and_then(Value::scalar_text).filter(|t| !t.is_empty());
        let name = text("name").or_else(|| text("generateName").map(|prefix| format!("{prefix}*").into()));
        let name = name.unwrap_or_default();
        let namespace = text("namespace").unwrap_or_else(|| "default".into());
        let entries = document.as_map().map(|map| map.entries()).unwrap_or_default();
        let header = entries.iter().find(|(key, _)| &*key.text == "kind").map(|(key, value)| key.span.to(value.span()));
        Resource {
            address: format!("{kind}.{namespace}.{name}").into(),
            type_name: Arc::clone(kind),
            name,
            format: FormatId::Kubernetes,
            span: document.span(),
            header: header.unwrap_or_else(|| document.span().at_start()),
            attributes: match self.pods.view(kind, document) {
                Some(pod) => with_view(document, entries, pod),
                None => document.clone(),
            },
            auxiliary: false,
            maybe: None,
            owner: None,
            called_from: None,
        }
    }
}

/// The manifest with its pod view beside what its author wrote.
fn with_view(document: &Value, entries: &[(Key, Value)], pod: Value) -> Value {
    let mut attributes = Vec::with_capacity(entries.len() + 1);
    attributes.extend_from_slice(entries);
    attributes.push((Key::new("pod", pod.span()), pod));
    Value::map(MapKind::Map, attributes, document.span())
}

/// Whether a value is nothing before a template engine has filled it in: `{{ x }}` reads as a map whose key is a map.
fn is_placeholder(value: &Value) -> bool {
    match value.data() {
        Data::Text(text) => text.starts_with("{{"),
        Data::Map(map) => map.entries().first().is_some_and(|(key, _)| &*key.text == "?"),
        _ => false,
    }
}

/// Whether a placeholder stands somewhere in the upper levels of a value without quotes.
fn holds_placeholder(value: &Value, depth: usize) -> bool {
    const DEPTH: usize = 12;
    let is_one = |value: &Value| value.as_map().is_some() && is_placeholder(value);
    depth < DEPTH
        && match value.data() {
            Data::Map(map) => is_one(value) || map.entries().iter().any(|(_, v)| holds_placeholder(v, depth + 1)),
            Data::List(list) => list.items.iter().any(|item| holds_placeholder(item, depth + 1)),
            _ => false,
        }
}
