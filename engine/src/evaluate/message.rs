//! What a violation says, and the text that would mend it.

use std::collections::BTreeSet;

use crate::policy::{Check, Condition, Fix, Literal, Matcher, Part, Placeholder, Rule, Template};
use crate::resource::{Data, FormatId, Resource, Value};

use super::leaf::Leaf;
use super::truth::Truth;

/// Longest value quoted in a message, in characters.
const VALUE_LIMIT: usize = 80;
/// Longest message, in characters.
const MESSAGE_LIMIT: usize = 400;
/// Most leaves named in a message.
const NAMED_LIMIT: usize = 3;

/// A value as a message quotes it: one line, bounded, nothing sensitive.
pub(super) fn quoted(value: &Value) -> String {
    if value.is_sensitive() {
        return "(sensitive)".to_owned();
    }
    let text = match value.data() {
        Data::Null => "null".to_owned(),
        Data::Text(text) => format!("\"{}\"", cut(text, VALUE_LIMIT)),
        Data::Bool(_) | Data::Number(_) => value.scalar_text().unwrap_or_default().to_string(),
        Data::List(list) if list.items.is_empty() => "empty".to_owned(),
        Data::List(list) => {
            let items: Vec<String> = list.items.iter().take(4).map(quoted).collect();
            let more = if list.items.len() > 4 { ", …" } else { "" };
            format!("[{}{more}]", items.join(", "))
        }
        Data::Map(_) => "a block".to_owned(),
        Data::Unknown(_) => "unknown".to_owned(),
        Data::OneOf(alternatives) => alternatives.iter().take(4).map(quoted).collect::<Vec<_>>().join(" or "),
    };
    cut(&text, VALUE_LIMIT + 2)
}

/// A text in one line of at most `limit` characters.
fn cut(text: &str, limit: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(limit + 1).collect();
    if line.chars().count() <= limit {
        return line;
    }
    line.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

/// What a violation says when its policy does not.
fn default_message(leaves: &[&Leaf], check: &Check) -> String {
    if matches!(check.rule, Rule::ForbidResource) {
        return "this resource must not exist".to_owned();
    }
    // Conditions on one missing link say the same.
    let mut seen = BTreeSet::new();
    let mut sentences: Vec<String> = leaves.iter().map(|leaf| sentence(leaf)).collect();
    sentences.retain(|sentence| seen.insert(sentence.clone()));
    let more = sentences.len().saturating_sub(NAMED_LIMIT);
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    sentences.truncate(NAMED_LIMIT);
    format!("{}{rest}", sentences.join("; "))
}

fn sentence(leaf: &Leaf) -> String {
    if let Some(types) = &leaf.missing_link {
        return format!("no {types} is linked to it");
    }
    let path = if leaf.path.is_empty() { "it" } else { &leaf.path };
    let is = match &leaf.value {
        None => "is not set".to_owned(),
        Some(value) => format!("is {}", quoted(value)),
    };
    match (leaf.truth, leaf.wanted.as_str()) {
        (_, "") => format!("{path} {is}"),
        (Truth::True, "set") => format!("{path} must not be set"),
        (Truth::False, "absent") => format!("{path} must not be set"),
        (Truth::True, wanted) => format!("{path} {is}, must not be {wanted}"),
        (Truth::False | Truth::Unknown, wanted) => format!("{path} {is}, must be {wanted}"),
    }
}

/// What a violation says.
pub(super) fn message(check: &Check, params: &[(String, Literal)], resource: &Resource, leaves: &[&Leaf]) -> String {
    let message = match (&check.message, leaves.first()) {
        (Some(template), Some(leaf)) => filled(template, params, resource, leaf),
        (Some(template), None) => template.to_string(),
        (None, _) => default_message(leaves, check),
    };
    cut(&message, MESSAGE_LIMIT)
}

fn filled(template: &Template, params: &[(String, Literal)], resource: &Resource, leaf: &Leaf) -> String {
    let attribute = |value: &Value, path: &[String]| {
        let keys: Vec<&str> = path.iter().map(String::as_str).collect();
        value.dig(&keys).and_then(Value::scalar_text).map(|text| cut(&text, VALUE_LIMIT))
    };
    let fill = |placeholder: &Placeholder| match placeholder {
        Placeholder::Value => leaf.value.as_ref().map(quoted),
        Placeholder::Path => Some(leaf.path.clone()),
        Placeholder::Resource => Some(resource.reported_address().to_string()),
        Placeholder::Element(path) => leaf.element.as_ref().and_then(|element| attribute(&element.value, path)),
        Placeholder::This(path) => attribute(&resource.attributes, path),
        Placeholder::Param(name) => params.iter().find(|(param, _)| param == name).map(|(_, value)| value.to_text()),
    };
    let part = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Filled(placeholder) => fill(placeholder).unwrap_or_else(|| "(unknown)".to_owned()),
    };
    template.0.iter().map(part).collect()
}

/// The text that would mend a violation: what the policy says, or the literal its rule requires.
pub(super) fn suggestion(check: &Check, resource: &Resource, leaves: &[&Leaf]) -> Option<String> {
    match &check.fix {
        Some(Fix::Add(text)) => {
            let filled = text
                .replace("{id}", &format!("{}.id", resource.address))
                .replace("{name}", &resource.name)
                .replace("{address}", &resource.address);
            return Some(filled.trim_end().to_owned());
        }
        Some(Fix::Set(pairs)) => {
            let lines = pairs.iter().map(|(path, value)| setting(resource.format, &path.to_string(), value));
            return Some(lines.collect::<Vec<_>>().join("\n"));
        }
        Some(Fix::Remove(_)) => return None,
        None => {}
    }
    let Rule::Require(conditions) = &check.rule else { return None };
    let wanted = |leaf: &&Leaf| {
        let attribute = leaf.path.rsplit('.').next().unwrap_or_default();
        conditions.iter().find_map(|condition| match condition {
            Condition::Entry { path, matcher } if path.to_string() == leaf.path => {
                let literal = preferred(matcher)?;
                Some(setting(resource.format, attribute, literal))
            }
            _ => None,
        })
    };
    let lines: Vec<String> = leaves.iter().filter_map(wanted).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The literal that would satisfy a matcher, when one is named.
fn preferred(matcher: &Matcher) -> Option<&Literal> {
    match matcher {
        Matcher::Is(literal) => Some(literal),
        Matcher::Choice(choices) => choices.first().and_then(preferred),
        Matcher::Operators { tests, .. } => match tests.as_slice() {
            [crate::policy::Operator::Match(matcher)] => preferred(matcher),
            _ => None,
        },
        _ => None,
    }
}

/// An attribute set to a value, as its format writes it.
fn setting(format: FormatId, attribute: &str, value: &Literal) -> String {
    match format {
        FormatId::Terraform => format!("{attribute} = {value}"),
        FormatId::Dockerfile => format!("{} {}", attribute.to_uppercase(), value.to_text()),
        _ => nested(attribute, value),
    }
}

/// A path as nested YAML keys; the view a path begins with is not written by anyone.
fn nested(path: &str, value: &Literal) -> String {
    let path = path.strip_prefix("pod.").unwrap_or(path);
    let keys: Vec<&str> = path.split('.').collect();
    let last = keys.len().saturating_sub(1);
    let line = |(depth, key): (usize, &&str)| {
        let end = if depth == last { format!(" {}", value.to_text()) } else { String::new() };
        format!("{}{key}:{end}", "  ".repeat(depth))
    };
    keys.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_are_written_as_their_format_is() {
        let value = Literal::Bool(true);
        assert_eq!(setting(FormatId::Terraform, "encrypted", &value), "encrypted = true");
        assert_eq!(
            setting(FormatId::Kubernetes, "pod.securityContext.runAsNonRoot", &value),
            "securityContext:\n  runAsNonRoot: true"
        );
        assert_eq!(setting(FormatId::Dockerfile, "user", &Literal::Text("app".into())), "USER app");
    }

    #[test]
    fn a_quoted_value_is_one_bounded_line() {
        let long = Value::text("x\n".repeat(300), crate::resource::Span::NOWHERE);
        assert!(quoted(&long).chars().count() <= VALUE_LIMIT + 2 && !quoted(&long).contains('\n'));
        assert_eq!(quoted(&long.noted(|notes| notes.sensitive = true)), "(sensitive)");
    }
}
