//! Reading a YAML value with all mistakes collected: unknown keys, wrong kinds, "did you mean".

use std::cell::RefCell;

use crate::policy::{Literal, Place};
use crate::resource::{Data, Key, Span, Value};
use crate::source_tree::{LineColumn, SourceFile};

use super::Mistake;

/// Most mistakes said of one file.
const MISTAKE_LIMIT: usize = 50;

/// The file being read and the mistakes found so far.
pub(super) struct Reading<'f> {
    path: &'f str,
    file: &'f SourceFile,
    mistakes: RefCell<Vec<Mistake>>,
}

impl<'f> Reading<'f> {
    pub(super) fn new(path: &'f str, file: &'f SourceFile) -> Self {
        Self { path, file, mistakes: RefCell::new(Vec::new()) }
    }

    pub(super) fn mistake(&self, span: Span, message: &str) {
        self.mistake_at(self.file.position(span.start), message);
    }

    pub(super) fn mistake_at(&self, place: LineColumn, message: &str) {
        let mut mistakes = self.mistakes.borrow_mut();
        if mistakes.len() < MISTAKE_LIMIT {
            mistakes.push(Mistake { path: self.path.to_owned(), place, message: message.to_owned() });
        }
    }

    /// A name that is none of the known ones.
    pub(super) fn unknown<'k>(&self, span: Span, what: &str, name: &str, known: impl Iterator<Item = &'k str>) {
        let known: Vec<&str> = known.collect();
        let hint = match nearest(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "there is none here".to_owned(),
            None => format!("known are: {}", known.join(", ")),
        };
        self.mistake(span, &format!("`{name}` is no {what}; {hint}"));
    }

    /// The mistakes in the order of the file.
    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by_key(|mistake| mistake.place);
        mistakes
    }

    pub(super) fn position(&self, span: Span) -> LineColumn {
        self.file.position(span.start)
    }

    pub(super) fn place(&self, key: Span, value: Span) -> Place {
        Place { key: self.position(key), value: self.position(value) }
    }

    pub(super) fn entries(&self, value: &Value, what: &str) -> Option<Vec<(Key, Value)>> {
        let Some(map) = value.as_map() else {
            self.mistake(value.span(), &format!("{what}: a map is expected, found {}", kind(value)));
            return None;
        };
        Some(map.entries().to_vec())
    }

    pub(super) fn map(&self, value: &Value, what: &'static str) -> Option<Fields> {
        let entries = self.entries(value, what)?;
        Some(Fields { what, span: value.span(), entries, asked: Vec::new() })
    }

    /// The elements of a list, or the value itself.
    pub(super) fn one_or_many(&self, value: &Value) -> Vec<Value> {
        value.as_list().map_or_else(|| vec![value.clone()], |list| list.items.clone())
    }

    pub(super) fn text(&self, value: &Value) -> Option<String> {
        match value.scalar_text() {
            Some(text) => Some(text.to_string()),
            None => {
                self.mistake(value.span(), &format!("text is expected, found {}", kind(value)));
                None
            }
        }
    }

    /// A text, or a list of texts.
    pub(super) fn texts(&self, value: &Value) -> Vec<String> {
        self.one_or_many(value).iter().filter_map(|item| self.text(item)).collect()
    }

    pub(super) fn literal(&self, value: &Value) -> Option<Literal> {
        match value.data() {
            Data::Bool(value) => Some(Literal::Bool(*value)),
            Data::Number(number) => Some(Literal::Number(number.clone())),
            Data::Text(text) => Some(Literal::Text(text.to_string())),
            Data::List(_) => Some(Literal::List(self.literals(value))),
            Data::Null | Data::Map(_) | Data::Unknown(_) | Data::OneOf(_) => {
                self.mistake(value.span(), &format!("a value or a list is expected, found {}", kind(value)));
                None
            }
        }
    }

    pub(super) fn literals(&self, value: &Value) -> Vec<Literal> {
        self.one_or_many(value).iter().filter_map(|item| self.literal(item)).collect()
    }
}

/// What a value is, for messages.
pub(super) fn kind(value: &Value) -> &'static str {
    match value.data() {
        Data::Null => "nothing",
        Data::Bool(_) => "true or false",
        Data::Number(_) => "a number",
        Data::Text(_) => "text",
        Data::List(_) => "a list",
        Data::Map(_) => "a map",
        Data::Unknown(_) | Data::OneOf(_) => "an unknown value",
    }
}

/// The fields of a map that are still to be read; what nobody asked for is a mistake.
pub(super) struct Fields {
    what: &'static str,
    span: Span,
    entries: Vec<(Key, Value)>,
    asked: Vec<&'static str>,
}

impl Fields {
    pub(super) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.asked.push(name);
        let at = self.entries.iter().position(|(key, _)| &*key.text == name)?;
        Some(self.entries.swap_remove(at).1)
    }

    pub(super) fn required(&mut self, reading: &Reading<'_>, name: &'static str) -> Option<Value> {
        let value = self.take(name);
        if value.is_none() {
            reading.mistake(self.span, &format!("{} needs `{name}`", self.what));
        }
        value
    }

    pub(super) fn required_text(&mut self, reading: &Reading<'_>, name: &'static str) -> String {
        let text = self.required(reading, name).and_then(|value| reading.text(&value)).unwrap_or_default();
        text.trim().to_owned()
    }

    pub(super) fn text(&mut self, reading: &Reading<'_>, name: &'static str) -> Option<String> {
        self.take(name).and_then(|value| reading.text(&value)).map(|text| text.trim().to_owned())
    }

    pub(super) fn texts(&mut self, reading: &Reading<'_>, name: &'static str) -> Vec<String> {
        self.take(name).map(|value| reading.texts(&value)).unwrap_or_default()
    }

    /// Says which keys nobody asked for.
    pub(super) fn finish(self, reading: &Reading<'_>) {
        for (key, _) in &self.entries {
            reading.unknown(key.span, &format!("key of {}", self.what), &key.text, self.asked.iter().copied());
        }
    }
}

/// The known name closest to a misspelt one, if it is close enough to be meant.
#[must_use]
pub fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let limit = 1 + name.chars().count() / 4;
    let near = nearest_within(name, known, limit);
    // Half a name: `kms_key` for `kms_key_id`.
    let longer =
        || known.iter().filter(|known| name.len() > 2 && known.starts_with(name)).min_by_key(|known| known.len());
    near.or_else(|| longer().copied())
}

/// The closest known name, if at most so many letters differ.
#[must_use]
pub fn nearest_within<'k>(name: &str, known: &[&'k str], limit: usize) -> Option<&'k str> {
    let similar = known.iter().filter(|candidate| candidate.len().abs_diff(name.len()) <= limit);
    let with_distance = similar.map(|candidate| (distance(name, candidate), *candidate));
    with_distance.filter(|(distance, _)| *distance <= limit).min().map(|(_, candidate)| candidate)
}

/// Edit distance with neighbouring characters swapped counting as one, of texts up to 64 characters.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&last, j) + usize::from(from != to);
            let mut best = replaced.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(to) && b.get(j - 1) == Some(from);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_what_was_meant() {
        let known = ["require", "forbid", "resource", "related", "when"];
        assert_eq!(nearest("requrie", &known), Some("require"));
        assert_eq!(nearest("resources", &known), Some("resource"));
        assert_eq!(nearest("zzz", &known), None);
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
