//! Words of instructions: where they end, and what they say once quotes are off and variables in, by the builder's rules
//! (moby/buildkit, `frontend/dockerfile/shell`), which are not quite those of a shell.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use super::scope::{Lookup, Variables};
use crate::resource::{Data, FileId, Reason, ReasonKind, Span, Type, Unknown, Value};
use crate::syntax::MappedPart;

/// How deep `${a:-${b:-c}}` may go.
const NESTING_LIMIT: usize = 16;

/// Longest value that variables may make: `$a$a` doubles what `a` holds.
const VALUE_LIMIT_BYTES: usize = 4096;

/// Most bytes that variables may put into the values of one file.
pub(super) const EXPANSION_LIMIT_BYTES: usize = 1024 * 1024;

/// The words of a text, cut at blanks outside quotes; quotes stay.
pub(super) fn quoted_words(text: &str, escape: u8) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut is_escaped = false;
    for (at, character) in text.char_indices() {
        if start.is_none() {
            if character.is_whitespace() {
                continue;
            }
            start = Some(at);
        }
        if std::mem::take(&mut is_escaped) {
            continue;
        }
        match character {
            c if c == char::from(escape) && quote != Some('\'') => is_escaped = true,
            '\'' | '"' => match quote {
                None => quote = Some(character),
                Some(open) if open == character => quote = None,
                Some(_) => {}
            },
            c if c.is_whitespace() && quote.is_none() => words.extend(start.take().map(|from| from..at)),
            _ => {}
        }
    }
    words.extend(start.map(|from| from..text.len()));
    words
}

/// The words of a text, cut at blanks.
pub(super) fn plain_words(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices() {
        match (character.is_whitespace(), start) {
            (true, Some(from)) => {
                words.push(from..at);
                start = None;
            }
            (false, None) => start = Some(at),
            _ => {}
        }
    }
    words.extend(start.map(|from| from..text.len()));
    words
}

/// The names of the here-documents in an instruction, whether tabs before their lines are taken off, and whether variables
/// in them are replaced.
pub(super) fn heredoc_names(text: &str) -> Vec<(String, bool, bool)> {
    let name = |range: Range<usize>| {
        let word = text.get(range)?;
        let rest = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
        let (strip_tabs, rest) = rest.strip_prefix('-').map_or((false, rest), |rest| (true, rest));
        if rest.is_empty() || rest.contains('<') {
            return None;
        }
        let name: String = rest.chars().filter(|c| !matches!(c, '\'' | '"' | '\\')).collect();
        let expands = name.len() == rest.len();
        (!name.is_empty()).then_some((name, strip_tabs, expands))
    };
    // Here the escape is always a backslash.
    quoted_words(text, b'\\').into_iter().filter_map(name).collect()
}

/// What a text says with the variables that hold at its place.
pub(super) struct Expander<'v> {
    pub(super) escape: u8,
    pub(super) file: FileId,
    pub(super) variables: &'v Variables,
    /// Bytes that variables may still put in.
    pub(super) left: &'v Cell<usize>,
}

/// A text while it is put together.
#[derive(Default)]
struct Output {
    text: String,
    unknown: Option<Reason>,
    /// The first variable that was put in, and where it was set.
    via: Option<(Arc<str>, Span)>,
}

impl Output {
    fn push(&mut self, character: char) {
        if self.unknown.is_none() {
            self.text.push(character);
        }
    }

    fn append(&mut self, other: Self) {
        if self.unknown.is_none() {
            self.text.push_str(&other.text);
            self.unknown = other.unknown;
        }
        self.via = self.via.take().or(other.via);
    }

    fn lose(&mut self, reason: Reason) {
        self.unknown.get_or_insert(reason);
    }
}

impl Expander<'_> {
    /// The value of a text.
    pub(super) fn value(&self, text: MappedPart<'_>) -> Value {
        let span = self.span(text);
        let written = text.text();
        if !written.bytes().any(|byte| matches!(byte, b'$' | b'\'' | b'"') || byte == self.escape) {
            return Value::text(written, span);
        }
        let mut output = Output::default();
        let mut rest = written.chars().collect::<Vec<_>>().into_iter().peekable();
        self.until(&mut rest, None, &mut output, 0);
        let data = match output.unknown {
            None => Data::Text(output.text.into()),
            Some(reason) => {
                let prefix = (!output.text.is_empty()).then(|| output.text.into());
                Data::Unknown(Unknown { reason, not_null: prefix.is_some(), prefix, shape: Type::Text }.into())
            }
        };
        match output.via.filter(|(_, place)| place.is_somewhere()) {
            Some((what, place)) => Value::new(data, place).through(what, span),
            None => Value::new(data, span),
        }
    }

    /// Where a text was written.
    pub(super) fn span(&self, text: MappedPart<'_>) -> Span {
        text.written().map_or(Span::NOWHERE, |origin| Span::new(self.file, origin))
    }

    /// Reads up to a character that ends the text, which is taken.
    fn until(&self, rest: &mut Characters, end: Option<char>, output: &mut Output, depth: usize) {
        while let Some(character) = rest.next() {
            match character {
                c if Some(c) == end => return,
                '\'' => rest.by_ref().take_while(|c| *c != '\'').for_each(|c| output.push(c)),
                '"' => self.double_quotes(rest, output, depth),
                '$' => self.dollar(rest, output, depth),
                c if c == char::from(self.escape) => match rest.next() {
                    Some(escaped) => output.push(escaped),
                    None => output.push(c),
                },
                c => output.push(c),
            }
        }
    }

    fn double_quotes(&self, rest: &mut Characters, output: &mut Output, depth: usize) {
        let escape = char::from(self.escape);
        while let Some(character) = rest.next() {
            match character {
                '"' => return,
                '$' => self.dollar(rest, output, depth),
                c if c == escape => match rest.peek() {
                    Some('"' | '$') => rest.next().into_iter().for_each(|c| output.push(c)),
                    Some(next) if *next == escape => rest.next().into_iter().for_each(|c| output.push(c)),
                    _ => output.push(c),
                },
                c => output.push(c),
            }
        }
    }

    fn dollar(&self, rest: &mut Characters, output: &mut Output, depth: usize) {
        match rest.peek() {
            Some('{') => {
                rest.next();
                self.braces(rest, output, depth);
            }
            Some(c) if is_name(*c) => {
                let name = name(rest);
                self.put(&name, output);
            }
            // `$1`, `$@`: never set while an image is built.
            Some('@' | '*' | '#' | '?' | '-' | '!') => {
                rest.next();
            }
            _ => output.push('$'),
        }
    }

    fn braces(&self, rest: &mut Characters, output: &mut Output, depth: usize) {
        let name = name(rest);
        if depth >= NESTING_LIMIT {
            output.lose(limit(format!("variables are nested more than {NESTING_LIMIT} deep")));
            rest.by_ref().for_each(drop);
            return;
        }
        let mut operator = rest.next();
        let counts_empty = operator == Some(':');
        if counts_empty {
            operator = rest.next();
        }
        if operator == Some('}') && !counts_empty && !name.is_empty() {
            return self.put(&name, output);
        }
        let mut word = Output::default();
        self.until(rest, Some('}'), &mut word, depth + 1);
        let looked = self.variables.look_up(&name);
        let is_set = match &looked {
            Lookup::Known { text, .. } => Some(!(counts_empty && text.is_empty())),
            Lookup::Unset => Some(false),
            Lookup::Unknown(_) => None,
        };
        match (operator, is_set) {
            (Some('-'), Some(true)) | (Some('?'), Some(true)) => self.put(&name, output),
            (Some('-'), Some(false)) | (Some('+'), Some(true)) => output.append(word),
            (Some('+'), Some(false)) => {}
            (Some('-' | '+' | '?'), None) => self.put(&name, output),
            (Some('?'), Some(false)) => {
                output.lose(Reason::new(ReasonKind::Invalid, format!("${name} must be set, and is not"), None))
            }
            (Some('#' | '%' | '/'), _) => {
                output.lose(Reason::new(ReasonKind::Unsupported, format!("a pattern in ${{{name}}}"), None));
            }
            _ => output.lose(Reason::new(ReasonKind::Invalid, format!("${{{name}}} is no variable"), None)),
        }
    }

    fn put(&self, name: &str, output: &mut Output) {
        match self.variables.look_up(name) {
            Lookup::Known { text, what, place } => match self.left.get().checked_sub(text.len()) {
                Some(left) if output.text.len() + text.len() <= VALUE_LIMIT_BYTES => {
                    self.left.set(left);
                    output.append(Output { text: text.to_string(), unknown: None, via: Some((what, place)) });
                }
                Some(_) => output.lose(limit(format!("variables make a value of more than {VALUE_LIMIT_BYTES} bytes"))),
                None => {
                    output.lose(limit(format!("variables put in more than {EXPANSION_LIMIT_BYTES} bytes in one file")));
                }
            },
            Lookup::Unset => {}
            Lookup::Unknown(reason) => output.lose(reason),
        }
    }
}

fn limit(why: String) -> Reason {
    Reason::new(ReasonKind::Limit, why, None)
}

type Characters = std::iter::Peekable<std::vec::IntoIter<char>>;

fn is_name(character: char) -> bool {
    character == '_' || character.is_ascii_alphanumeric()
}

fn name(rest: &mut Characters) -> String {
    let mut name = String::new();
    while let Some(character) = rest.next_if(|c| is_name(*c)) {
        name.push(character);
        if name.len() == 1 && character.is_ascii_digit() {
            break;
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::FileTable;
    use crate::source_tree::{SourceFile, TreePath};
    use crate::syntax::MappedText;

    fn expanded(text: &str) -> String {
        let file = SourceFile::from_bytes(TreePath::new("Dockerfile").unwrap(), text.into()).unwrap();
        let file = FileTable::default().add(&Arc::new(file));
        let mut variables = Variables::of_stage(false);
        variables.set(&"x".into(), Value::text("1 2", Span::NOWHERE));
        variables.set(&"empty".into(), Value::text("", Span::NOWHERE));
        variables.declare(&"build".into(), Variables::argument("build", None, None, Span::NOWHERE));
        let left = Cell::new(EXPANSION_LIMIT_BYTES);
        let expander = Expander { escape: b'\\', file, variables: &variables, left: &left };
        let value = expander.value(MappedText::verbatim(text, 0).whole());
        match (value.as_text(), value.as_unknown()) {
            (Some(text), _) => text.to_string(),
            (_, Some(unknown)) => format!("<{}{}>", unknown.prefix.as_deref().unwrap_or_default(), unknown.reason),
            _ => unreachable!(),
        }
    }

    #[test]
    fn words_end_at_blanks_outside_quotes() {
        let words = |text: &str| quoted_words(text, b'\\').into_iter().map(|r| text[r].to_owned()).collect::<Vec<_>>();
        assert_eq!(words(" a=1  b='x y' c=\"x 'y\" d=x\\ y "), ["a=1", "b='x y'", "c=\"x 'y\"", "d=x\\ y"]);
        assert_eq!(words("'a\\' b"), ["'a\\'", "b"]);
        assert_eq!(words("\"a b"), ["\"a b"]);
        assert_eq!(plain_words(" a \tb ").len(), 2);
    }

    #[test]
    fn quotes_come_off_and_variables_go_in() {
        assert_eq!(expanded("a$x-${x}b"), "a1 2-1 2b");
        assert_eq!(expanded("'$x' \"$x\" \\$x \"\\\"\\y\""), "$x 1 2 $x \"\\y");
        assert_eq!(expanded("${x:-d}${empty:-d}${empty-d}${x:+s}${empty:+s}${x:?e}"), "1 2ds1 2");
        assert_eq!(expanded("${empty:-${x:-y}-$x}"), "1 2-1 2");
        assert_eq!(expanded("$ $+ 5$"), "$ $+ 5$");
    }

    #[test]
    fn what_nobody_sets_is_unknown_and_what_stands_before_it_is_not() {
        assert_eq!(expanded("a/$build/b"), "<a/ARG build has no default>");
        assert_eq!(expanded("$HOME"), "<$HOME is not in these files>");
        assert_eq!(expanded("${build:-d}"), "<ARG build has no default>");
        assert_eq!(expanded("${x%2}"), "<a pattern in ${x} is not evaluated>");
        assert_eq!(expanded("${empty:?e}"), "<$empty must be set, and is not>");
        assert_eq!(expanded("${x"), "<${x} is no variable>");
        assert!(expanded(&"${x:+".repeat(100)).contains("more than 16 deep"));
        assert!(expanded(&"$x".repeat(2000)).contains("more than 4096 bytes"));
    }
}
