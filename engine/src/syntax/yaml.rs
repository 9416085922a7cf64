//! YAML text as documents of values.
//!
//! Wanted: every value with its span; a broken document costs only itself; an alias bomb costs nothing. So the tree is built
//! from parser events (which refuse nesting beyond 255) with an explicit stack, aliases share their anchor's value, and the
//! number of values a document would unfold to is counted and limited.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, StructureStyle, Tag};

use super::{SyntaxError, VALUE_LIMIT};
use crate::resource::{Data, FileId, Key, ListKind, MapKind, Number, Span, Value};

/// How plain scalars are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalars {
    /// YAML 1.2 core: `true`, `false` and `null` only; `on`, `off`, `yes`, `no` are text.
    Core12,
    /// YAML 1.1 as Kubernetes' tools read it: `yes`, `on`, `y` are true, `0777` is octal, `<<` merges.
    Yaml11,
}

/// One document of a YAML text.
#[derive(Clone, Debug)]
pub struct YamlDocument {
    /// Its value; null when the document is empty.
    pub value: Value,
}

/// A YAML text: the documents that could be read, and the places that could not.
#[derive(Clone, Debug, Default)]
pub struct YamlText {
    /// In the order of the text.
    pub documents: Vec<YamlDocument>,
    /// In the order of the text.
    pub errors: Vec<SyntaxError>,
}

/// Reads a YAML text. Never fails: what is wrong is said in [`YamlText::errors`].
#[must_use]
pub fn parse_yaml(text: &str, file: FileId, scalars: Scalars) -> YamlText {
    let mut parser = Parser::new_from_str_with_options(text, granit_parser::options! { emit_comments: false });
    let mut read = YamlText::default();
    loop {
        let mut builder = Builder::new(text, file, scalars);
        match builder.documents(&mut parser, &mut read) {
            Ok(()) => return read,
            Err(stop) => {
                read.errors.push(stop);
                // Whatever a skipped document holds, the parser moves forward; its own error is the one just kept.
                if !parser.proceed_next_document().unwrap_or(false) {
                    return read;
                }
            }
        }
    }
}

/// Where the comments of a YAML text are; those behind a place that cannot be read are left out.
#[must_use]
pub fn yaml_comments(text: &str) -> Vec<Range<usize>> {
    let mut comments = Vec::new();
    let mut parser = Parser::new_from_str_with_options(text, granit_parser::options! { emit_comments: true });
    loop {
        match parser.next_event() {
            Some(Ok((Event::Comment(..), place))) => comments.extend(place.byte_range()),
            Some(Ok(_)) => {}
            Some(Err(_)) if parser.proceed_next_document().unwrap_or(false) => {}
            Some(Err(_)) | None => return comments,
        }
    }
}

/// A collection whose end has not come yet.
enum Open {
    List { start: usize, flow: bool, anchor: usize, tag: Option<Arc<str>>, items: Vec<Value>, weight: usize },
    Map { start: usize, flow: bool, anchor: usize, tag: Option<Arc<str>>, map: OpenMap, weight: usize },
}

#[derive(Default)]
struct OpenMap {
    entries: Vec<(Key, Value)>,
    key: Option<Key>,
    merges: Vec<Value>,
}

struct Builder<'t> {
    text: &'t str,
    file: FileId,
    scalars: Scalars,
    open: Vec<Open>,
    anchors: HashMap<usize, (Value, usize)>,
    root: Option<Value>,
    errors: Vec<SyntaxError>,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str, file: FileId, scalars: Scalars) -> Self {
        Self { text, file, scalars, open: Vec::new(), anchors: HashMap::new(), root: None, errors: Vec::new() }
    }

    fn documents(&mut self, parser: &mut Parser<'t, StrInput<'t>>, read: &mut YamlText) -> Result<(), SyntaxError> {
        while let Some(next) = parser.next_event() {
            let (event, place) = next.map_err(|e| self.scan_error(&e))?;
            let range = place.byte_range().unwrap_or(0..0);
            match event {
                Event::DocumentEnd => {
                    let value = self.root.take().unwrap_or_else(|| Value::null(self.span(range)));
                    read.documents.push(YamlDocument { value });
                    read.errors.append(&mut self.errors);
                    self.anchors.clear();
                }
                Event::Alias(anchor) => {
                    let (value, weight) =
                        self.anchors.get(&anchor).cloned().ok_or_else(|| {
                            self.error(range.clone(), "an alias may not stand inside the value it names")
                        })?;
                    self.add(value.at(self.span(range)), weight)?;
                }
                Event::Scalar(text, style, anchor, tag) => {
                    let value = self.scalar(&text, style, tag.as_deref(), self.span(range));
                    self.finish(value, anchor, 1)?;
                }
                Event::SequenceStart(style, anchor, tag) => {
                    let flow = style == StructureStyle::Flow;
                    let tag = tag.as_deref().and_then(tag_name);
                    self.open.push(Open::List { start: range.start, flow, anchor, tag, items: Vec::new(), weight: 1 });
                }
                Event::MappingStart(style, anchor, tag) => {
                    let flow = style == StructureStyle::Flow;
                    let tag = tag.as_deref().and_then(tag_name);
                    let map = OpenMap::default();
                    self.open.push(Open::Map { start: range.start, flow, anchor, tag, map, weight: 1 });
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(range.end)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Ends the innermost collection. A block collection ends with its last value, not with the blank lines behind it.
    fn close(&mut self, end: usize) -> Result<(), SyntaxError> {
        let (value, anchor, weight) = match self.open.pop() {
            None => return Ok(()),
            Some(Open::List { start, flow, anchor, tag, items, weight }) => {
                let last = items.last().map_or(start, |item| item.span().end as usize);
                let span = self.span(start..if flow { end } else { last.max(start) });
                (tagged(Value::list(ListKind::List, items, span), tag), anchor, weight)
            }
            Some(Open::Map { start, flow, anchor, tag, map, weight }) => {
                let last = map.entries.last().map_or(start, |(key, value)| value.span().end.max(key.span.end) as usize);
                let span = self.span(start..if flow { end } else { last.max(start) });
                (tagged(Value::map(MapKind::Map, map.merged(), span), tag), anchor, weight)
            }
        };
        self.finish(value, anchor, weight)
    }

    fn finish(&mut self, value: Value, anchor: usize, weight: usize) -> Result<(), SyntaxError> {
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), weight));
        }
        self.add(value, weight)
    }

    /// Puts a finished value where it belongs: into the innermost open collection, or at the root.
    fn add(&mut self, value: Value, weight: usize) -> Result<(), SyntaxError> {
        let at = value.span();
        let total = match self.open.last_mut() {
            None => {
                self.root = Some(value);
                return Ok(());
            }
            Some(Open::List { items, weight: total, .. }) => {
                items.push(value);
                *total = total.saturating_add(weight);
                *total
            }
            Some(Open::Map { map, weight: total, .. }) => {
                if let Some(repeated) = map.add(value, self.scalars) {
                    self.errors.push(SyntaxError {
                        span: repeated.span,
                        message: format!(
                            "the key `{}` is written twice in one mapping; the last one was used",
                            repeated.text
                        ),
                        recovered: true,
                    });
                }
                *total = total.saturating_add(weight);
                *total
            }
        };
        if total > VALUE_LIMIT {
            let message = format!("the document unfolds to more than {VALUE_LIMIT} values");
            return Err(SyntaxError { span: at, message, recovered: false });
        }
        Ok(())
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Value {
        let core = tag.and_then(Tag::core_suffix);
        let value = match (core, style) {
            (Some("str"), _) => Value::text(text, span),
            (None, ScalarStyle::Plain) | (Some(_), _) => Value::new(plain(text, self.scalars), span),
            (None, _) => Value::text(text, span),
        };
        tagged(value, tag.and_then(tag_name))
    }

    fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span::new(self.file, range)
    }

    fn error(&self, range: std::ops::Range<usize>, message: &str) -> SyntaxError {
        SyntaxError { span: self.span(range), message: message.to_owned(), recovered: false }
    }

    fn scan_error(&self, error: &ScanError) -> SyntaxError {
        let at = error.marker().byte_offset().unwrap_or(self.text.len()).min(self.text.len());
        self.error(at..at, &error.info())
    }
}

impl OpenMap {
    /// Takes a key or the value of the last one; gives back a key that was there already.
    fn add(&mut self, value: Value, scalars: Scalars) -> Option<Key> {
        let Some(key) = self.key.take() else {
            // A key that is no scalar has no name a policy could ask for; it is kept so that its value is not lost.
            let text = value.scalar_text().unwrap_or_else(|| if value.is_null() { "null".into() } else { "?".into() });
            self.key = Some(Key::new(text, value.span()));
            return None;
        };
        if scalars == Scalars::Yaml11 && &*key.text == "<<" {
            match value.data() {
                Data::List(list) => self.merges.extend(list.items.iter().cloned()),
                _ => self.merges.push(value),
            }
            return None;
        }
        let repeated = self.entries.len() < 1_000 && self.entries.iter().any(|(known, _)| known.text == key.text);
        let again = repeated.then(|| key.clone());
        self.entries.push((key, value));
        again
    }

    /// The entries with those of `<<` behind them, the nearest first; own entries win.
    fn merged(self) -> Vec<(Key, Value)> {
        let mut entries = self.entries;
        for merge in &self.merges {
            for (key, value) in merge.as_map().map(|map| map.entries()).unwrap_or_default() {
                if !entries.iter().any(|(known, _)| known.text == key.text) {
                    entries.push((key.clone(), value.clone()));
                }
            }
        }
        entries
    }
}

/// The name of a tag of the file's own (`!Ref`, `!Sub`).
fn tag_name(tag: &Tag) -> Option<Arc<str>> {
    (tag.core_suffix().is_none() && tag.handle() == "!").then(|| tag.suffix().into())
}

fn tagged(value: Value, tag: Option<Arc<str>>) -> Value {
    match tag {
        Some(tag) => value.noted(|notes| notes.tag = Some(tag)),
        None => value,
    }
}

/// What a plain scalar means.
fn plain(text: &str, scalars: Scalars) -> Data {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Data::Null,
        "true" | "True" | "TRUE" => return Data::Bool(true),
        "false" | "False" | "FALSE" => return Data::Bool(false),
        _ => {}
    }
    if scalars == Scalars::Yaml11 {
        match text {
            "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Data::Bool(true),
            "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Data::Bool(false),
            _ => {}
        }
    }
    number(text, scalars).map_or_else(|| Data::Text(text.into()), Data::Number)
}

fn number(text: &str, scalars: Scalars) -> Option<Number> {
    let first = text.bytes().next()?;
    if !(first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.')) {
        return None;
    }
    let radix = |prefix: &str, radix| {
        text.strip_prefix(prefix).and_then(|digits| i64::from_str_radix(digits, radix).ok()).map(Number::from)
    };
    if let Some(number) = radix("0x", 16).or_else(|| radix("0o", 8)) {
        return Some(number);
    }
    let octal = scalars == Scalars::Yaml11 && text.len() > 1 && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
    if octal && let Some(number) = radix("0", 8) {
        return Some(number);
    }
    Number::parse(text.strip_prefix('+').unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::FileTable;
    use crate::source_tree::{SourceFile, TreePath};

    fn read(text: &str) -> YamlText {
        read_as(text, Scalars::Core12)
    }

    fn read_as(text: &str, scalars: Scalars) -> YamlText {
        let file = SourceFile::from_bytes(TreePath::new("a.yaml").unwrap(), text.into()).unwrap();
        parse_yaml(text, FileTable::default().add(&Arc::new(file)), scalars)
    }

    fn slice(text: &str, value: &Value) -> String {
        text[value.span().start as usize..value.span().end as usize].to_owned()
    }

    #[test]
    fn values_know_where_they_were_written() {
        let text = "a:\n  b: [1, 'x']\n\n\nc: |\n  hi\n";
        let read = read(text);
        let root = &read.documents[0].value;
        assert_eq!(slice(text, root.dig(&["a", "b"]).unwrap()), "[1, 'x']");
        assert_eq!(slice(text, root.get("a").unwrap()), "b: [1, 'x']");
        assert_eq!(root.get("c").unwrap().as_text().unwrap().as_ref(), "hi\n");
        assert_eq!(root.dig(&["a", "b"]).unwrap().as_list().unwrap().items[0].as_number(), Some(Number::from(1)));
    }

    #[test]
    fn a_broken_document_costs_only_itself() {
        let read = read("a: 1\n---\nb: [1, 2\n---\nc: 3\n");
        assert_eq!(read.documents.len(), 2);
        assert!(read.documents[1].value.get("c").is_some());
        assert_eq!(read.errors.len(), 1);
        assert!(!read.errors[0].recovered);
    }

    #[test]
    fn a_repeated_key_is_an_error_and_the_last_one_counts() {
        let read = read("a: 1\nb: 2\na: 3\n");
        assert_eq!(read.documents[0].value.get("a").unwrap().as_number(), Some(Number::from(3)));
        assert_eq!(read.errors[0].span.start, 10);
        assert!(read.errors[0].recovered);
    }

    #[test]
    fn an_alias_bomb_is_refused_and_an_honest_alias_is_shared() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for level in 1..9 {
            let list = vec![format!("*a{}", level - 1); 9].join(",");
            bomb.push_str(&format!("a{level}: &a{level} [{list}]\n"));
        }
        let read_bomb = read(&bomb);
        assert_eq!(read_bomb.documents.len(), 0);
        assert!(read_bomb.errors[0].message.contains("1000000"));
        let read = read("a: &x {k: 1}\nb: *x\n");
        assert_eq!(read.documents[0].value.dig(&["b", "k"]).unwrap().as_number(), Some(Number::from(1)));
    }

    #[test]
    fn nesting_without_end_is_refused_at_once() {
        for deep in ["- ".repeat(100_000), "{a: ".repeat(100_000), "[".repeat(100_000)] {
            let read = read(&deep);
            assert_eq!((read.documents.len(), read.errors.len()), (0, 1));
        }
    }

    #[test]
    fn scalars_follow_the_dialect() {
        let text = "[yes, on, 0777, 0x1f, 1.5, ~, 'true', true, 12abc, .inf]";
        let words = |scalars| -> Vec<String> {
            let read = read_as(text, scalars);
            let list = read.documents[0].value.as_list().unwrap().clone();
            list.items.iter().map(|v| format!("{:?}", v.data())).collect()
        };
        let core = words(Scalars::Core12);
        assert_eq!(core[..2], ["Text(\"yes\")", "Text(\"on\")"]);
        assert!(core[2].contains("777") && core[3].contains("31") && core[5] == "Null" && core[6].starts_with("Text"));
        let old = words(Scalars::Yaml11);
        assert_eq!(old[..2], ["Bool(true)", "Bool(true)"]);
        assert!(old[2].contains("511"));
        assert!(old[8].starts_with("Text") && old[9].starts_with("Text"));
    }

    #[test]
    fn merge_keys_give_way_to_own_keys() {
        let read = read_as("d: &d {a: 1, b: 2}\ne:\n  <<: *d\n  b: 3\n", Scalars::Yaml11);
        let e = read.documents[0].value.get("e").unwrap().clone();
        assert_eq!(e.get("a").unwrap().as_number(), Some(Number::from(1)));
        assert_eq!(e.get("b").unwrap().as_number(), Some(Number::from(3)));
    }

    #[test]
    fn comments_have_their_places_and_text_with_their_sign_is_none() {
        let text = "# a\na: 1 # b\nc: 'x # no'\nd: |\n  # no\n# e\nf: [1, # g\n  2]\n---\n# h\ni: x#no\n";
        let found: Vec<&str> = yaml_comments(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["# a", "# b", "# e", "# g", "# h"]);
        let broken = "a: [\n---\n# b\nc: 1\n";
        assert_eq!(yaml_comments(broken).len(), 1);
    }

    #[test]
    fn tags_of_the_file_are_kept() {
        let read = read("a: !Ref B\n");
        let a = read.documents[0].value.get("a").unwrap().clone();
        assert_eq!(a.notes().unwrap().tag.as_deref(), Some("Ref"));
    }
}
