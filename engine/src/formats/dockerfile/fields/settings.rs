//! The instructions that set an image up: variables, labels, ports, the user.

use crate::resource::{Key, MapKind, Span, Value};
use crate::syntax::MappedPart;

use super::{Effect, FieldReader, Fields, told};
use crate::formats::dockerfile::lines::shortened;
use crate::formats::dockerfile::scope::Variables;
use crate::formats::dockerfile::words::{plain_words, quoted_words};

impl FieldReader<'_, '_> {
    /// `NAME=value …`, or of old `NAME value`.
    pub(super) fn pairs(&self, what: &str, text: MappedPart<'_>, fields: &mut Fields) -> Vec<(Key, Value)> {
        let words = quoted_words(text.text(), self.expander.escape);
        let key = |part: MappedPart<'_>| {
            let name = self.expander.value(part);
            Key::new(name.scalar_text().unwrap_or_else(|| part.text().into()), name.span())
        };
        let mut lacks_value = |part: MappedPart<'_>| {
            let message = format!("{what} {} has no value", shortened(part.text()));
            fields.mistake = Some((message, "write NAME=value, with quotes around a value that has blanks"));
        };
        let Some(first) = words.first().map(|word| text.part(word.clone())) else { return Vec::new() };
        let mut pairs = Vec::with_capacity(words.len());
        if !first.text().contains('=') {
            match words.get(1) {
                Some(second) => {
                    pairs.push((key(first), self.expander.value(text.part(second.start..text.text().len()))));
                }
                None => lacks_value(first),
            }
        } else {
            for word in words.into_iter().map(|word| text.part(word)) {
                match word.text().find('=') {
                    Some(at) => {
                        let value = self.expander.value(word.part(at + 1..word.text().len()));
                        pairs.push((key(word.part(0..at)), value));
                    }
                    None => lacks_value(word),
                }
            }
        }
        fields.tells = pairs.first().map(|(key, _)| key.text.to_string());
        pairs
    }

    pub(super) fn build_arguments(&self, text: MappedPart<'_>, fields: &mut Fields) {
        let mut declared = Vec::new();
        for word in quoted_words(text.text(), self.expander.escape) {
            let word = text.part(word);
            let equals = word.text().find('=');
            let name = word.part(0..equals.unwrap_or(word.text().len()));
            let key = Key::new(name.text(), self.expander.span(name));
            let default = equals.map(|at| self.expander.value(word.part(at + 1..word.text().len())));
            let value = Variables::argument(&key.text, default, self.globals, key.span);
            declared.push((key, value));
        }
        fields.tells = declared.first().map(|(key, _)| key.text.to_string());
        fields.entries.push(self.names.entry("variables", self.map(text, declared.clone())));
        fields.effect = Effect::Arguments(declared);
    }

    pub(super) fn expose(&self, text: MappedPart<'_>, fields: &mut Fields) {
        let mut ports = Vec::new();
        for word in plain_words(text.text()) {
            let value = self.expander.value(text.part(word));
            match value.as_text() {
                None => ports.push(value),
                // A variable may hold several.
                Some(text) => ports.extend(text.split_whitespace().map(|one| self.port(one, value.span()))),
            }
        }
        let first = ports.first().and_then(|port| port.get("from")).and_then(Value::scalar_text);
        fields.tells = first.map(|port| port.to_string());
        fields.entries.push(self.names.entry("ports", self.list(text, ports.clone())));
        fields.effect = Effect::Ports(ports);
    }

    /// `8080`, `8080/udp`, `8000-8010`, `1.2.3.4:80:8080`.
    fn port(&self, text: &str, span: Span) -> Value {
        let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let container = range.rsplit(':').next().unwrap_or(range);
        let (from, to) = container.split_once('-').unwrap_or((container, container));
        let number = |text: &str| match text.parse::<u32>() {
            Ok(port) => Value::number(i64::from(port), span),
            Err(_) => self.invalid(format!("`{}` is no port", shortened(text)), span),
        };
        let entries = vec![
            self.names.entry("from", number(from)),
            self.names.entry("to", number(to)),
            self.names.entry("protocol", Value::text(protocol.to_ascii_lowercase(), span)),
            self.names.entry("text", Value::text(text, span)),
        ];
        Value::map(MapKind::Map, entries, span)
    }

    pub(super) fn user(&self, text: MappedPart<'_>, fields: &mut Fields) {
        let whole = self.expander.value(text);
        let known = whole.as_unknown().map_or(whole.as_text(), |unknown| unknown.prefix.as_ref());
        let (user, group) = match known.and_then(|text| text.split_once(':')) {
            None => (whole.clone(), None),
            Some((user, group)) => {
                let group = if whole.as_text().is_some() { Value::text(group, whole.span()) } else { whole.clone() };
                (Value::text(user, whole.span()), Some(group))
            }
        };
        fields.tells = told(&user);
        fields.entries.push(self.names.entry("user", user.clone()));
        fields.entries.extend(group.map(|group| self.names.entry("group", group)));
        fields.effect = Effect::User(user);
    }
}
