//! Regular expressions.

use std::sync::Arc;

use regex::{Captures, Regex, RegexBuilder};

use super::go_pattern::{self as go, Flaw};
use super::{Context, Function, Outcome, Shape, Stop, TEXT, function, shared_at, text_at};
use crate::formats::terraform::eval::TEXT_LIMIT;
use crate::resource::{Key, ListKind, MapKind, Value};

/// Largest compiled pattern, in bytes.
const PATTERN_LIMIT: usize = 1024 * 1024;

pub(super) const FUNCTIONS: &[Function] = &[
    function("regex", &[TEXT, TEXT], Shape::Any, regex),
    function("regexall", &[TEXT, TEXT], Shape::List, regexall),
    function("replace", &[TEXT, TEXT, TEXT], Shape::Text, replace),
];

impl Context<'_, '_> {
    /// A pattern, compiled once.
    fn pattern(&self, text: &Arc<str>) -> Result<Regex, Stop> {
        let known = self.evaluator.patterns.borrow().get(text).cloned();
        let compiled = known.unwrap_or_else(|| {
            let compiled = go::translated(text).and_then(|ours| {
                let built = RegexBuilder::new(&ours).size_limit(PATTERN_LIMIT).build();
                built.map_err(
                    |error| if matches!(error, regex::Error::CompiledTooBig(_)) { Flaw::Beyond } else { Flaw::Wrong },
                )
            });
            self.evaluator.patterns.borrow_mut().insert(Arc::clone(text), compiled.clone());
            compiled
        });
        compiled.map_err(|flaw| match flaw {
            Flaw::Beyond => Stop::Unsupported(format!("the pattern {text}")),
            Flaw::Wrong => Stop::Fault(format!("{text} is no pattern")),
        })
    }

    /// The pattern of what a match is made of: its groups have names, or none has.
    fn pattern_of_groups(&self, text: &Arc<str>) -> Result<Regex, Stop> {
        let pattern = self.pattern(text)?;
        let named = pattern.capture_names().skip(1).filter(Option::is_some).count();
        if named > 0 && named < pattern.captures_len() - 1 {
            return Err("groups with and without names cannot be mixed".into());
        }
        Ok(pattern)
    }

    /// What a match gives: all of it, its groups in order, or its groups by name.
    fn matched(&self, pattern: &Regex, captures: &Captures<'_>) -> Value {
        let group = |index: usize| match captures.get(index) {
            Some(found) => Value::text(found.as_str(), self.span),
            None => Value::null(self.span),
        };
        let names: Vec<(usize, &str)> =
            pattern.capture_names().enumerate().filter_map(|(at, name)| Some((at, name?))).collect();
        if !names.is_empty() {
            let entries = names.into_iter().map(|(at, name)| (Key::new(name, self.span), group(at)));
            return Value::map(MapKind::Object, entries.collect(), self.span);
        }
        if pattern.captures_len() == 1 {
            return group(0);
        }
        Value::list(ListKind::Tuple, (1..pattern.captures_len()).map(group).collect(), self.span)
    }
}

fn regex(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let pattern = context.pattern_of_groups(&shared_at(arguments, 0))?;
    match pattern.captures(text_at(arguments, 1)) {
        Some(captures) => Ok(context.matched(&pattern, &captures)),
        None => Err("the pattern does not match".into()),
    }
}

fn regexall(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let pattern = context.pattern_of_groups(&shared_at(arguments, 0))?;
    let all = pattern.captures_iter(text_at(arguments, 1));
    context.list(ListKind::List, all.map(|captures| context.matched(&pattern, &captures)).collect())
}

/// A text between slashes is a pattern.
fn replace(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let (text, find, with) = (text_at(arguments, 0), text_at(arguments, 1), text_at(arguments, 2));
    let pattern = find.strip_prefix('/').and_then(|inner| inner.strip_suffix('/')).filter(|_| find.len() > 1);
    let found = pattern.map_or_else(|| text.matches(find).count(), |_| text.len());
    if found.saturating_mul(with.len()) > TEXT_LIMIT.saturating_mul(16) {
        return Ok(context.evaluator.limit(format!("a text of more than {TEXT_LIMIT} bytes"), context.span));
    }
    match pattern {
        Some(pattern) => context.text(context.pattern(&pattern.into())?.replace_all(text, with)),
        None => context.text(text.replace(find, with)),
    }
}
