//! Label selectors of Kubernetes, and names that mean something only within a namespace.

use std::sync::Arc;

use crate::policy::{Name, Path};
use crate::resource::{Data, FormatId, Key, Resource, Value};

use super::truth::Truth;

/// Whether a selector picks a resource of the same namespace by its labels; a missing or empty selector picks all. The path
/// leads to the labels that must match; `matchExpressions` stands beside them.
pub(super) fn picks(selecting: &Resource, path: &Path, selected: &Resource) -> Truth {
    let together = same_namespace(&selecting.attributes, &selected.attributes);
    if together == Truth::False {
        return Truth::False;
    }
    let keys = path.steps.iter().filter_map(|step| step.names.first());
    let (mut wanted, mut expressions) = (Some(&selecting.attributes), None);
    for key in keys {
        let Name::Key(key) = key else { return Truth::Unknown };
        expressions = wanted.and_then(|node| node.get("matchExpressions"));
        wanted = match wanted.map(Value::data) {
            Some(Data::Map(map)) => map.get(key),
            Some(Data::Unknown(_) | Data::OneOf(_)) => return Truth::Unknown,
            _ => None,
        };
    }
    let labels = labels(selected);
    together.and(match_labels(wanted, labels)).and(match_expressions(expressions, labels))
}

/// The labels by which a resource is picked: those of the pods it makes, if it makes any.
fn labels(resource: &Resource) -> Option<&Value> {
    let owner = resource.attributes.get("pod").or_else(|| resource.attributes.get("metadata"))?;
    match owner.data() {
        Data::Map(map) => map.get("labels").filter(|labels| !labels.is_null()),
        // Of what nobody knows, the labels are unknown too.
        _ => Some(owner),
    }
}

fn match_labels(wanted: Option<&Value>, labels: Option<&Value>) -> Truth {
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_null()) else { return Truth::True };
    let Some(wanted) = wanted.as_map() else { return Truth::Unknown };
    let pair = |(key, value): &(Key, Value)| match label(labels, &key.text) {
        Err(()) => Truth::Unknown,
        Ok(None) => Truth::False,
        Ok(Some(label)) => same(label, value),
    };
    wanted.entries().iter().map(pair).fold(Truth::True, Truth::and)
}

fn match_expressions(expressions: Option<&Value>, labels: Option<&Value>) -> Truth {
    let Some(expressions) = expressions.filter(|expressions| !expressions.is_null()) else { return Truth::True };
    let Some(list) = expressions.as_list() else { return Truth::Unknown };
    list.items.iter().map(|expression| match_expression(expression, labels)).fold(Truth::True, Truth::and)
}

fn match_expression(expression: &Value, labels: Option<&Value>) -> Truth {
    let text = |name: &str| expression.get(name).and_then(Value::as_text);
    let (Some(key), Some(operator)) = (text("key"), text("operator")) else { return Truth::Unknown };
    let Ok(label) = label(labels, key) else { return Truth::Unknown };
    let is_one_of = |label: &Value| match expression.get("values").map(Value::data) {
        Some(Data::List(values)) => values.items.iter().map(|value| same(label, value)).fold(Truth::False, Truth::or),
        _ => Truth::Unknown,
    };
    match &**operator {
        "In" => label.map_or(Truth::False, is_one_of),
        "NotIn" => label.map_or(Truth::True, |label| !is_one_of(label)),
        "Exists" => label.is_some().into(),
        "DoesNotExist" => label.is_none().into(),
        _ => Truth::Unknown,
    }
}

/// The label of a key, if there is one; an error when nobody knows.
fn label<'v>(labels: Option<&'v Value>, key: &str) -> Result<Option<&'v Value>, ()> {
    match labels.map(Value::data) {
        None => Ok(None),
        Some(Data::Map(map)) => Ok(map.get(key).filter(|label| !label.is_null())),
        Some(_) => Err(()),
    }
}

fn same(one: &Value, other: &Value) -> Truth {
    match (one.scalar_text(), other.scalar_text()) {
        (Some(one), Some(other)) => Truth::from(one == other),
        _ => Truth::Unknown,
    }
}

/// Whether a resource can mean another one by its mere name: in Kubernetes, when both live in one namespace.
pub(super) fn may_name(one: &Resource, other: &Resource) -> Truth {
    match (one.format, other.format) {
        (FormatId::Kubernetes, FormatId::Kubernetes) => same_namespace(&one.attributes, &other.attributes),
        _ => Truth::True,
    }
}

/// Whether two resources live in one namespace; where none is written, that is `default`.
fn same_namespace(one: &Value, other: &Value) -> Truth {
    let namespace = |resource: &Value| match resource.dig(&["metadata", "namespace"]).map(Value::data) {
        Some(Data::Text(text)) => Some(Arc::clone(text)),
        Some(Data::Unknown(_) | Data::OneOf(_)) => None,
        _ => Some("default".into()),
    };
    match (namespace(one), namespace(other)) {
        (Some(one), Some(other)) => Truth::from(one == other),
        _ => Truth::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{FileTable, Span};
    use crate::source_tree::{SourceFile, TreePath};
    use crate::syntax::{Scalars, parse_yaml};

    fn resource(text: &str) -> Resource {
        let file = Arc::new(SourceFile::from_bytes(TreePath::new("a.yaml").unwrap(), text.into()).unwrap());
        let read = parse_yaml(text, FileTable::default().add(&file), Scalars::Yaml11);
        Resource {
            address: "a".into(),
            type_name: "Deployment".into(),
            name: "a".into(),
            format: FormatId::Kubernetes,
            span: Span::NOWHERE,
            header: Span::NOWHERE,
            attributes: read.documents[0].value.clone(),
            auxiliary: false,
            maybe: None,
            owner: None,
            called_from: None,
        }
    }

    #[test]
    fn selectors_pick_by_labels_and_expressions() {
        let path = Path::parse("spec.selector.matchLabels").unwrap();
        let pod = resource("{metadata: {labels: {app: not-this}}, pod: {labels: {app: web, tier: front}}}");
        for (selector, truth) in [
            ("{matchLabels: {app: web}}", Truth::True),
            ("{matchLabels: {app: not-this}}", Truth::False),
            ("{matchLabels: {app: web, zone: a}}", Truth::False),
            ("{}", Truth::True),
            ("", Truth::True),
            ("{matchLabels: x}", Truth::Unknown),
            ("{matchExpressions: [{key: app, operator: In, values: [web, shop]}]}", Truth::True),
            ("{matchExpressions: [{key: app, operator: NotIn, values: [web]}]}", Truth::False),
            ("{matchExpressions: [{key: zone, operator: NotIn, values: [a]}]}", Truth::True),
            ("{matchExpressions: [{key: tier, operator: Exists}]}", Truth::True),
            ("{matchExpressions: [{key: tier, operator: DoesNotExist}]}", Truth::False),
            ("{matchLabels: {app: web}, matchExpressions: [{key: zone, operator: Exists}]}", Truth::False),
            ("{matchExpressions: [{key: tier, operator: Gt, values: [1]}]}", Truth::Unknown),
        ] {
            let selecting = resource(&format!("{{spec: {{selector: {selector}}}}}"));
            assert_eq!(picks(&selecting, &path, &pod), truth, "{selector}");
        }
        let elsewhere = resource("{metadata: {namespace: other}, spec: {selector: {}}}");
        assert_eq!(picks(&elsewhere, &path, &pod), Truth::False);
    }

    #[test]
    fn pods_without_labels_are_picked_by_empty_selectors_alone() {
        let path = Path::parse("spec.selector").unwrap();
        let bare = resource("{metadata: {labels: {app: web}}, pod: {containers: []}}");
        assert_eq!(picks(&resource("{spec: {selector: {app: web}}}"), &path, &bare), Truth::False);
        assert_eq!(picks(&resource("{spec: {}}"), &path, &bare), Truth::True);
    }
}
