//! Templates: text with interpolations and directives, of which a known beginning stays known.

use std::fmt::Write as _;
use std::sync::Arc;

use super::choice::{flat, one_of};
use super::conditional::Truth;
use super::limits::TEXT_LIMIT;
use super::{Evaluator, Frame, Scope, is_known, reason};
use crate::formats::terraform::syntax::ir::{ForPart, IfPart, Part};
use crate::formats::terraform::values::convert::convert;
use crate::formats::terraform::values::document::{Draft, begins_as_json};
use crate::resource::{Data, ListKind, Span, Type, Unknown, Value};

/// Longest known beginning of an unknown text that is kept, in bytes.
const PREFIX_LIMIT: usize = 1_024;

impl<'a> Evaluator<'a> {
    pub(crate) fn template(&self, parts: &[Part], scope: &Scope<'a, '_>, span: Span) -> Value {
        let values = parts.iter().map(|part| self.part(part, scope)).collect();
        self.joined(values, span)
    }

    fn part(&self, part: &Part, scope: &Scope<'a, '_>) -> Value {
        match part {
            Part::Text(text, place) => Value::text(Arc::clone(text), scope.span(*place)),
            Part::Interpolation(expr) => self.eval(expr, scope),
            Part::If(branch) => self.if_part(branch, scope),
            Part::For(each) => self.for_part(each, scope),
        }
    }

    fn if_part(&self, branch: &IfPart, scope: &Scope<'a, '_>) -> Value {
        let span = scope.span(branch.place);
        self.deeper(span, || {
            let condition = self.eval(&branch.condition, scope);
            let sensitive = condition.is_sensitive();
            // The text that is not taken leaves its mark on the one that is.
            let taken = |taken: &[Part], other: &[Part]| {
                let other = (!is_plain(other)).then(|| self.attempt(|| self.template(other, scope, span)));
                let secret = other.is_some_and(|(other, attempt)| !attempt.failed && other.is_sensitive());
                self.marked(self.template(taken, scope, span), secret)
            };
            let value = match self.truth(condition, span) {
                Truth::Yes => taken(&branch.then, &branch.otherwise),
                Truth::No => taken(&branch.otherwise, &branch.then),
                Truth::Error(error) => error,
                Truth::Unknown(condition) => {
                    let branches = [&branch.then, &branch.otherwise];
                    let branches = branches.map(|parts| self.attempt(|| self.template(parts, scope, span)));
                    let valid = branches.into_iter().filter(|(_, attempt)| !attempt.failed);
                    let valid: Vec<Value> = valid.map(|(value, _)| value).collect();
                    let secret = valid.iter().any(Value::is_sensitive);
                    match reason(&condition) {
                        Some(choice) if !valid.is_empty() => self.marked(one_of(valid, choice, span), secret),
                        _ => self.fault("both branches of the directive are wrong", span),
                    }
                }
            };
            self.marked(value, sensitive)
        })
    }

    fn for_part(&self, each: &ForPart, scope: &Scope<'a, '_>) -> Value {
        let span = scope.span(each.place);
        self.deeper(span, || {
            let collection = self.eval(&each.collection, scope);
            self.each_choice(vec![collection], span, &mut |operands| {
                let collection = operands.into_iter().next().unwrap_or_else(|| Value::null(span));
                let elements = match self.elements(&collection, span) {
                    Ok(elements) => elements,
                    Err(other) => return other,
                };
                let mut values = Vec::with_capacity(elements.len());
                for (key, value) in elements {
                    let mut bindings = Vec::with_capacity(2);
                    bindings.push((Arc::clone(&each.value), value));
                    if let Some(name) = &each.key {
                        bindings.push((Arc::clone(name), key));
                    }
                    let frame = Frame { bindings: &bindings, outer: scope.frame };
                    let inner = Scope { frame: Some(&frame), ..*scope };
                    values.push(self.template(&each.body, &inner, span));
                }
                let text = self.marked(self.joined(values, span), collection.is_sensitive());
                // Nobody knows where in a set its unknown elements come, so nothing is known of the beginning.
                let set = collection.as_list().filter(|list| list.kind == ListKind::Set);
                match text.data() {
                    Data::Unknown(open) if set.is_some_and(|set| !set.items.iter().all(is_known)) => {
                        let open = Unknown { prefix: None, ..(**open).clone() };
                        text.with(Data::Unknown(Arc::new(open)))
                    }
                    _ => text,
                }
            })
        })
    }

    /// The texts of values, one after the other.
    fn joined(&self, values: Vec<Value>, span: Span) -> Value {
        let open = values.iter().filter(|value| matches!(value.data(), Data::OneOf(_))).count();
        if open > 0 && open <= 4 {
            return self.each_choice(values, span, &mut |values| self.concatenated(values, span));
        }
        let settled =
            values.into_iter().map(|value| if matches!(value.data(), Data::OneOf(_)) { flat(value) } else { value });
        self.concatenated(settled.collect(), span)
    }

    fn concatenated(&self, values: Vec<Value>, span: Span) -> Value {
        let mut text = String::new();
        let mut unknown: Option<Unknown> = None;
        let mut sensitive = false;
        let mut fault = None;
        // What an unknown text would be as a document.
        let mut draft: Option<Draft> = None;
        for value in values {
            sensitive |= value.is_sensitive();
            if value.is_null() {
                fault = Some(self.fault("a null value cannot be part of a text", span));
                continue;
            }
            if unknown.is_some() && is_known(&value) && value.as_list().is_none() && value.as_map().is_none() {
                if let Some((draft, text)) = draft.as_mut().zip(value.scalar_text()) {
                    draft.push(&text);
                }
                continue;
            }
            match convert(value, &Type::Text) {
                Err(_) => fault = Some(self.fault("this value cannot be part of a text", span)),
                Ok(value) => match value.data() {
                    Data::Text(part) if unknown.is_none() => {
                        let _ = write!(text, "{part}");
                        if text.len() > TEXT_LIMIT {
                            return self.text(text, span);
                        }
                    }
                    Data::Text(part) => {
                        if let Some(draft) = &mut draft {
                            draft.push(part);
                        }
                    }
                    Data::Unknown(this) => {
                        if unknown.is_none() {
                            draft = begins_as_json(&text).then(Draft::default);
                            if let Some(draft) = &mut draft {
                                draft.push(&text);
                            }
                            unknown = Some(beginning(&text, this));
                        }
                        if let Some(draft) = &mut draft {
                            draft.push_unknown(&value);
                        }
                    }
                    _ => draft = None,
                },
            }
        }
        let value = match (fault, unknown) {
            (Some(fault), _) => fault,
            (None, Some(unknown)) => {
                let value = Value::new(Data::Unknown(Arc::new(unknown)), span);
                match draft.and_then(|draft| self.document(&draft, span)) {
                    Some(document) => value.noted(|notes| notes.document = Some(document)),
                    None => value,
                }
            }
            (None, None) => self.text(text, span),
        };
        self.marked(value, sensitive)
    }

    fn document(&self, draft: &Draft, span: Span) -> Option<Value> {
        let table = self.table.borrow();
        let written = table.get(span.file).map(|file| file.slice(span.range())).unwrap_or_default();
        draft.read(written, span)
    }
}

/// Whether a template says the same for everyone.
fn is_plain(parts: &[Part]) -> bool {
    parts.iter().all(|part| matches!(part, Part::Text(..)))
}

/// Unknown text that begins with what was known so far, and with what is known of the unknown part.
fn beginning(known: &str, part: &Unknown) -> Unknown {
    let mut prefix = known.to_owned();
    prefix.push_str(part.prefix.as_deref().unwrap_or_default());
    let mut end = prefix.len().min(PREFIX_LIMIT);
    while !prefix.is_char_boundary(end) {
        end -= 1;
    }
    prefix.truncate(end);
    let prefix = (!prefix.is_empty()).then(|| prefix.into());
    Unknown { reason: part.reason.clone(), not_null: true, prefix, shape: Type::Text }
}
