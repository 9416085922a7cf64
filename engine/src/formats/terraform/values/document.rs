//! JSON written as text in a configuration, read as the structure it will be: a hole where nobody knows the text, and each
//! part at the line it is written on.
//!
//! Wanted: the resource of a statement in a heredoc may be unknown without the statement being so. So unknown pieces are
//! put into the text as letters nobody writes, the text is read, and the values with such letters are unknown again.

use std::ops::Range;
use std::sync::Arc;

use crate::resource::{Data, Key, Reason, ReasonKind, Span, Type, Unknown, Value};
use crate::syntax::parse_json;

/// The first letter that stands for an unknown piece: private use, so nobody means anything by it.
const FIRST_HOLE: u32 = 0xE000;

/// Most unknown pieces: as many as there are such letters.
const HOLE_LIMIT: usize = 0x1900;

/// A text of which some pieces are unknown.
#[derive(Default)]
pub(crate) struct Draft {
    text: String,
    holes: Vec<Value>,
    in_string: bool,
    escaped: bool,
}

/// Whether a text begins as a JSON object or list does.
pub(crate) fn begins_as_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

impl Draft {
    /// Appends a known piece.
    pub(crate) fn push(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                _ if self.escaped => self.escaped = false,
                '\\' if self.in_string => self.escaped = true,
                '"' => self.in_string = !self.in_string,
                _ => {}
            }
        }
        self.text.push_str(text);
    }

    /// Appends a piece nobody knows: part of a string, or a value of its own.
    pub(crate) fn push_unknown(&mut self, value: &Value) {
        let number = self.holes.len();
        let letter = u32::try_from(number).ok().and_then(|number| char::from_u32(FIRST_HOLE + number));
        let Some(letter) = letter.filter(|_| number < HOLE_LIMIT) else { return };
        self.holes.push(value.clone());
        let quote = if self.in_string { "" } else { "\"" };
        self.text.push_str(quote);
        self.text.push(letter);
        self.text.push_str(quote);
    }

    /// The structure; `None` when the text is no JSON. `written` is what stands at `span`.
    pub(crate) fn read(&self, written: &str, span: Span) -> Option<Value> {
        let tree = parse_json(&self.text, span.file, 0).ok()?;
        let lines = Lines::new(&self.text, written, span);
        Some(self.placed(&tree, &lines))
    }

    fn placed(&self, tree: &Value, lines: &Lines<'_>) -> Value {
        let span = lines.place(tree.span());
        match tree.data() {
            Data::List(list) => {
                Value::list(list.kind, list.items.iter().map(|item| self.placed(item, lines)).collect(), span)
            }
            Data::Map(map) => {
                let entry = |(key, value): &(Key, Value)| {
                    (Key::new(Arc::clone(&key.text), lines.place(key.span)), self.placed(value, lines))
                };
                Value::map(map.kind, map.entries().iter().map(entry).collect(), span)
            }
            Data::Text(text) => self.filled(text, span).unwrap_or_else(|| tree.clone().at(span)),
            _ => tree.clone().at(span),
        }
    }

    /// A string with holes: what fills it alone, or an unknown text that begins with what is known.
    fn filled(&self, text: &str, span: Span) -> Option<Value> {
        let (at, letter) = text.char_indices().find(|(_, letter)| self.hole(*letter).is_some())?;
        let hole = self.hole(letter)?;
        if text.len() == letter.len_utf8() {
            return Some(hole.clone().at(span));
        }
        let why = || Reason::new(ReasonKind::Computed, "a part of the text", Some(span));
        let (reason, own) = match hole.data() {
            Data::Unknown(unknown) => (unknown.reason.clone(), unknown.prefix.as_deref()),
            _ => (why(), None),
        };
        let prefix = format!("{}{}", text.get(..at)?, own.unwrap_or_default());
        let prefix = (!prefix.is_empty()).then(|| prefix.into());
        let unknown = Unknown { reason, not_null: true, prefix, shape: Type::Text };
        Some(Value::new(Data::Unknown(Arc::new(unknown)), span))
    }

    fn hole(&self, letter: char) -> Option<&Value> {
        let number = u32::from(letter).checked_sub(FIRST_HOLE)?;
        self.holes.get(usize::try_from(number).ok()?)
    }
}

/// Which line of the file each line of a text is.
struct Lines<'t> {
    /// Where each line of the text begins, the line, where it is in the file, and what is written there.
    lines: Vec<(usize, &'t str, usize, &'t str)>,
    whole: Span,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str, written: &'t str, whole: Span) -> Self {
        let heredoc = written.starts_with("<<");
        let quoted = written.starts_with('"');
        let texts: Vec<(usize, &str)> = numbered(text).collect();
        let files: Vec<(usize, &str)> = numbered(written).skip(usize::from(heredoc)).collect();
        // The end mark of a heredoc, or an empty last line, is all there may be more of one than of the other.
        let same = !quoted && files.len().abs_diff(texts.len()) <= usize::from(heredoc);
        let start = whole.start as usize;
        let pair =
            |((at, line), (place, written)): ((usize, &'t str), (usize, &'t str))| (at, line, start + place, written);
        let lines = if same { texts.into_iter().zip(files).map(pair).collect() } else { Vec::new() };
        Self { lines, whole }
    }

    /// The place in the file of a place in the text.
    fn place(&self, span: Span) -> Span {
        let bounds = self.bound(span.start as usize, false).zip(self.bound(span.end as usize, true));
        match bounds {
            Some((start, end)) if start <= end => Span::new(self.whole.file, Range { start, end }),
            _ => self.whole,
        }
    }

    fn bound(&self, offset: usize, is_end: bool) -> Option<usize> {
        let index = self.lines.partition_point(|(at, ..)| if is_end { *at < offset } else { *at <= offset });
        let (at, line, place, written) = self.lines.get(index.checked_sub(1)?)?;
        let column = offset - at;
        // Indentation may be stripped; where a piece was filled in, the line as a whole is the place.
        match written.strip_suffix(line) {
            Some(indent) if column <= line.len() => Some(place + indent.len() + column),
            _ if is_end => Some(place + written.trim_end().len()),
            _ => Some(place + written.len() - written.trim_start().len()),
        }
    }
}

/// The lines of a text and where each begins.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hole() -> Value {
        Value::unknown_not_null(Reason::new(ReasonKind::Computed, "x.arn", None), Span::NOWHERE)
    }

    fn read(pieces: &[Option<&str>], written: &str) -> Option<Value> {
        let mut draft = Draft::default();
        for piece in pieces {
            match piece {
                Some(text) => draft.push(text),
                None => draft.push_unknown(&hole()),
            }
        }
        draft.read(written, Span::new(Span::NOWHERE.file, 0..written.len()))
    }

    #[test]
    fn a_piece_nobody_knows_leaves_the_rest_known() {
        let tree = read(&[Some("{\"a\": \"x/"), None, Some("\", \"b\": "), None, Some(", \"c\": 1}")], "").unwrap();
        assert_eq!(tree.get("a").unwrap().as_unknown().unwrap().prefix.as_deref(), Some("x/"));
        assert!(tree.get("b").unwrap().as_unknown().unwrap().prefix.is_none());
        assert_eq!(tree.get("c").unwrap().as_number().unwrap().as_i64(), Some(1));
    }

    #[test]
    fn a_quote_in_a_string_ends_nothing() {
        let tree = read(&[Some("{\"a\": \"\\\"\\\\"), None, Some("\"}")], "").unwrap();
        assert_eq!(tree.get("a").unwrap().as_unknown().unwrap().prefix.as_deref(), Some("\"\\"));
        assert!(read(&[Some("{\"a\": "), None], "").is_none());
    }

    #[test]
    fn parts_lie_on_their_lines() {
        let written = "<<-EOT\n    {\n      \"a\": 1,\n      \"b\": \"${x.arn}\"\n    }\n  EOT";
        let tree = read(&[Some("{\n  \"a\": 1,\n  \"b\": \""), None, Some("\"\n}\n")], written).unwrap();
        let at = |name: &str| {
            let span = tree.get(name).unwrap().span();
            &written[span.start as usize..span.end as usize]
        };
        assert_eq!(at("a"), "1");
        assert_eq!(at("b"), "\"b\": \"${x.arn}\"");
    }
}
