//! Options, and the instructions that bring files: COPY and ADD, and here-documents.

use crate::resource::{Key, ListKind, MapKind, Span, Value};
use crate::syntax::MappedPart;

use super::{FieldReader, Fields, told};
use crate::formats::dockerfile::instruction::{BuildOption, Instruction};
use crate::formats::dockerfile::lines::Line;

/// Options that may be given several times.
const REPEATED_OPTIONS: &[&str] = &["mount", "exclude"];

impl FieldReader<'_, '_> {
    pub(super) fn copy(&self, instruction: &Instruction<'_>, line: &Line, fields: &mut Fields) {
        let text = instruction.arguments.written().trimmed();
        let mut items = self.items(&instruction.arguments);
        if items.len() < 2 {
            let message = format!("{} needs a source and a destination", instruction.keyword.name());
            fields.mistake = Some((message, "name both"));
        }
        if let Some(dest) = items.pop() {
            fields.tells = told(&dest);
            fields.entries.push(self.names.entry("dest", dest));
        }
        if !line.heredocs.is_empty() {
            items.retain(|item| !item.as_text().is_some_and(|text| text.starts_with("<<")));
        }
        fields.entries.push(self.names.entry("sources", self.list(text, items)));
        self.heredocs(line, fields);
    }

    pub(super) fn heredocs(&self, line: &Line, fields: &mut Fields) {
        let shown = line.heredocs.iter().map(|heredoc| {
            let span = Span::new(self.expander.file, heredoc.body.clone());
            let text = self.file.get(heredoc.body.clone()).unwrap_or_default();
            let entries = vec![
                self.names.entry("name", Value::text(heredoc.name.as_str(), span)),
                self.names.entry("expands", Value::bool(heredoc.expands, span)),
                self.names.entry("text", Value::text(text, span)),
            ];
            Value::map(MapKind::Map, entries, span)
        });
        let shown: Vec<Value> = shown.collect();
        if let Some(span) = shown.first().map(Value::span) {
            fields.entries.push(self.names.entry("heredocs", Value::list(ListKind::List, shown, span)));
        }
    }

    /// The options before the arguments, by their names.
    pub(super) fn options(&self, options: &[BuildOption<'_>]) -> Value {
        let mut entries: Vec<(Key, Value)> = Vec::with_capacity(options.len());
        for option in options {
            let name = option.name.text();
            let span = self.place(option);
            let value = match option.value {
                None => Value::bool(true, span),
                Some(value) if name == "mount" => self.mount(value, span),
                Some(value) if value.text().is_empty() => Value::text("", span),
                Some(value) => self.expander.value(value),
            };
            if !REPEATED_OPTIONS.contains(&name) {
                entries.push((Key::new(name, span), value));
            } else if let Some((_, known)) = entries.iter_mut().find(|(key, _)| &*key.text == name) {
                let mut items = known.as_list().map(|list| list.items.clone()).unwrap_or_default();
                items.push(value);
                *known = Value::list(ListKind::List, items, known.span());
            } else {
                entries.push((Key::new(name, span), Value::list(ListKind::List, vec![value], span)));
            }
        }
        let ends = options.first().zip(options.last());
        let span = ends.map_or(Span::NOWHERE, |(first, last)| self.place(first).to(self.place(last)));
        Value::map(MapKind::Map, entries, span)
    }

    fn place(&self, option: &BuildOption<'_>) -> Span {
        let name = self.expander.span(option.name);
        let value = option.value.map(|value| self.expander.span(value)).filter(|span| span.is_somewhere());
        value.map_or(name, |value| name.to(value))
    }

    /// `type=cache,target=/x,readonly` as a map.
    fn mount(&self, text: MappedPart<'_>, span: Span) -> Value {
        let mut entries = Vec::new();
        let mut at = 0;
        for part in text.text().split(',') {
            let name_end = part.find('=').unwrap_or(part.len());
            let value = match part.get(name_end + 1..) {
                None => Value::bool(true, span),
                Some("") => Value::text("", span),
                Some(_) => self.expander.value(text.part(at + name_end + 1..at + part.len())),
            };
            entries.push((Key::new(part.get(..name_end).unwrap_or_default(), span), value));
            at += part.len() + 1;
        }
        Value::map(MapKind::Map, entries, span)
    }
}
