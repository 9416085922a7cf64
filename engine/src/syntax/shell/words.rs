//! Words: quotes, escapes and expansions.

use std::ops::Range;

use super::parser::Parser;
use super::{NESTING_LIMIT, Part, Word};

/// Longest `((…))` that is looked for: what is longer is read as commands.
const ARITHMETIC_LIMIT_BYTES: usize = 300;

/// Bytes that end a word unless quoted.
fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>')
}

/// The parts of a word as they are found; text that continues is one part.
#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn text(&mut self, span: Range<usize>, quoted: bool) {
        if span.is_empty() {
            return;
        }
        if let Some(Part::Text { span: last, quoted: was }) = self.0.last_mut()
            && last.end == span.start
            && *was == quoted
        {
            last.end = span.end;
            return;
        }
        self.0.push(Part::Text { span, quoted });
    }
}

impl Parser<'_> {
    /// Reads the word that begins here; it may be empty when no word does.
    pub(super) fn word(&mut self) -> Word {
        let start = self.at;
        self.plain_text();
        if self.peek().is_none_or(|byte| ends_word(byte) && !matches!(byte, b'<' | b'>' | b'(')) {
            return Word { span: start..self.at, is_bare: self.at > start, parts: Vec::new() };
        }
        let mut parts = Parts::default();
        parts.text(start..self.at, false);
        while let Some(byte) = self.peek() {
            match byte {
                b'\'' => self.single_quotes(&mut parts),
                b'"' => self.double_quotes(&mut parts),
                b'\\' => self.escape(&mut parts),
                b'$' => self.dollar(&mut parts, false),
                b'`' => self.backticks(&mut parts, false),
                // `<(…)` and `>(…)` are words: the name of a pipe.
                b'<' | b'>' if self.peek_at(1) == Some(b'(') => self.substitution(&mut parts, 2, false),
                // `name=(…)` is a list.
                b'(' if self.at > start && self.before() == Some(b'=') => self.array(&mut parts),
                _ if ends_word(byte) => break,
                _ => {
                    let from = self.at;
                    self.plain_text();
                    parts.text(from..self.at, false);
                }
            }
        }
        let span = start..self.at;
        let is_bare = matches!(parts.0.as_slice(), [Part::Text { span: text, quoted: false }] if *text == span);
        Word { is_bare, parts: if is_bare { Vec::new() } else { parts.0 }, span }
    }

    /// Goes on to where a word ends, or means more than itself.
    fn plain_text(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let special = |byte: &u8| ends_word(*byte) || matches!(byte, b'\'' | b'"' | b'\\' | b'$' | b'`');
        self.at += rest.iter().position(special).unwrap_or(rest.len());
    }

    fn before(&self) -> Option<u8> {
        self.at.checked_sub(1).and_then(|at| self.text.as_bytes().get(at)).copied()
    }

    fn character_at(&self, at: usize) -> Option<char> {
        self.text.get(at..).and_then(|rest| rest.chars().next())
    }

    fn escape(&mut self, parts: &mut Parts) {
        let next = self.at + 1;
        let escaped = self.character_at(next);
        let end = next + escaped.map_or(0, char::len_utf8);
        match escaped {
            None => parts.text(self.at..next, false),
            Some('\n') => {}
            Some(_) => parts.text(next..end, true),
        }
        self.at = end;
    }

    /// The words of `name=(…)`.
    fn array(&mut self, parts: &mut Parts) {
        let start = self.at;
        self.at += 1;
        let closed = self.nested(|parser| {
            while let Some(byte) = parser.peek() {
                let from = parser.at;
                match byte {
                    b')' => break,
                    b'#' => parser.comment(),
                    _ => drop(parser.word()),
                }
                parser.skip(usize::from(parser.at == from));
            }
            parser.skip(1);
        });
        if closed.is_some() {
            parts.0.push(Part::Expansion { span: start..self.at, quoted: true });
        }
    }

    fn single_quotes(&mut self, parts: &mut Parts) {
        let start = self.at + 1;
        let end = self.find(b'\'', start).unwrap_or_else(|| {
            self.unterminated("a quoted string");
            self.text.len()
        });
        parts.text(start..end, true);
        self.at = (end + 1).min(self.text.len());
    }

    fn double_quotes(&mut self, parts: &mut Parts) {
        self.at += 1;
        loop {
            let from = self.at;
            while self.peek().is_some_and(|b| !matches!(b, b'"' | b'\\' | b'$' | b'`')) {
                self.at += 1;
            }
            parts.text(from..self.at, true);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return;
                }
                Some(b'\\') => {
                    let next = self.at + 1;
                    match self.text.as_bytes().get(next) {
                        Some(b'\n') => {}
                        Some(b'$' | b'`' | b'"' | b'\\') => parts.text(next..next + 1, true),
                        // Before any other character a backslash means itself.
                        Some(_) => {
                            parts.text(self.at..next, true);
                            self.at = next;
                            continue;
                        }
                        None => {}
                    }
                    self.at = (next + 1).min(self.text.len());
                }
                Some(b'$') => self.dollar(parts, true),
                Some(_) => self.backticks(parts, true),
                None => {
                    self.unterminated("a quoted string");
                    return;
                }
            }
        }
    }

    fn dollar(&mut self, parts: &mut Parts, quoted: bool) {
        let start = self.at;
        match self.peek_at(1) {
            Some(b'(') if self.peek_at(2) == Some(b'(') => self.arithmetic(parts, quoted),
            Some(b'(') => self.substitution(parts, 2, quoted),
            Some(b'{') => self.parameter(parts, quoted),
            Some(b'\'') if !quoted => self.ansi_quotes(parts),
            Some(b'"') if !quoted => self.at += 1,
            Some(byte) if byte == b'_' || byte.is_ascii_alphabetic() => {
                self.at += 1;
                let from = self.at;
                while self.peek().is_some_and(|b| b == b'_' || b.is_ascii_alphanumeric()) {
                    self.at += 1;
                }
                parts.0.push(Part::Variable { name: from..self.at, span: start..self.at, quoted });
            }
            Some(b'0'..=b'9' | b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => {
                self.at += 2;
                parts.0.push(Part::Expansion { span: start..self.at, quoted });
            }
            _ => {
                self.at += 1;
                parts.text(start..self.at, quoted);
            }
        }
    }

    /// `${name}` or an expansion with operators, whose words may hold further expansions.
    fn parameter(&mut self, parts: &mut Parts, quoted: bool) {
        let start = self.at;
        self.at += 2;
        let from = self.at;
        while self.peek().is_some_and(|b| b == b'_' || b.is_ascii_alphanumeric()) {
            self.at += 1;
        }
        let name = from..self.at;
        if self.peek() == Some(b'}') && !name.is_empty() {
            self.at += 1;
            parts.0.push(Part::Variable { name, span: start..self.at, quoted });
            return;
        }
        if self.nested(|parser| parser.parameter_words()).is_none() {
            return;
        }
        parts.0.push(Part::Expansion { span: start..self.at, quoted });
    }

    fn parameter_words(&mut self) {
        let mut inside = Parts::default();
        while let Some(byte) = self.peek() {
            match byte {
                b'}' => {
                    self.at += 1;
                    return;
                }
                b'\'' => self.single_quotes(&mut inside),
                b'"' => self.double_quotes(&mut inside),
                b'\\' => self.escape(&mut inside),
                b'$' => self.dollar(&mut inside, false),
                b'`' => self.backticks(&mut inside, false),
                _ => self.at += 1,
            }
        }
        self.unterminated("`${`");
    }

    /// `$((…))`, or a substitution that begins with a subshell.
    fn arithmetic(&mut self, parts: &mut Parts, quoted: bool) {
        let start = self.at;
        match self.arithmetic_end(start + 1) {
            Some(end) => {
                self.at = end;
                parts.0.push(Part::Expansion { span: start..end, quoted });
            }
            None => self.substitution(parts, 2, quoted),
        }
    }

    /// The end of `((…))` when that is what stands here, and not a subshell in a subshell. A run of parentheses is looked at
    /// once, from its first, so that it costs no more than its length.
    pub(super) fn arithmetic_end(&self, start: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let is_inside_a_run = start.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'(');
        if is_inside_a_run || bytes.get(start..start + 2) != Some(b"((") {
            return None;
        }
        let mut open = 0_usize;
        for (at, byte) in bytes.iter().enumerate().skip(start).take(ARITHMETIC_LIMIT_BYTES) {
            match byte {
                b'(' => open += 1,
                b')' => open = open.saturating_sub(1),
                _ => continue,
            }
            if *byte == b')' && open == 1 {
                return (bytes.get(at + 1) == Some(&b')')).then_some(at + 2);
            }
        }
        None
    }

    /// A list of commands up to its `)`, which opens `width` bytes before its first command.
    fn substitution(&mut self, parts: &mut Parts, width: usize, quoted: bool) {
        let start = self.at;
        self.at += width;
        if self.nested(|parser| parser.list(true)).is_some() {
            parts.0.push(Part::Expansion { span: start..self.at, quoted });
        }
    }

    fn backticks(&mut self, parts: &mut Parts, quoted: bool) {
        let start = self.at;
        let mut end = start + 1;
        let bytes = self.text.as_bytes();
        while bytes.get(end).is_some_and(|b| *b != b'`') {
            end += if bytes.get(end) == Some(&b'\\') { 2 } else { 1 };
        }
        if end >= bytes.len() {
            self.unterminated("a command in backticks");
            end = bytes.len();
        }
        self.nested(|parser| parser.enclosed(start + 1..end));
        self.at = (end + 1).min(self.text.len()).max(self.at);
        parts.0.push(Part::Expansion { span: start..self.at, quoted });
    }

    /// `$'…'`, in which escapes stand for characters.
    fn ansi_quotes(&mut self, parts: &mut Parts) {
        self.at += 2;
        loop {
            let from = self.at;
            while self.peek().is_some_and(|b| !matches!(b, b'\'' | b'\\')) {
                self.at += 1;
            }
            parts.text(from..self.at, true);
            match self.peek() {
                None => {
                    self.unterminated("a quoted string");
                    return;
                }
                Some(b'\'') => {
                    self.at += 1;
                    return;
                }
                Some(_) => {
                    let start = self.at;
                    let escaped = self.character_at(start + 1);
                    self.at = start + 1 + escaped.map_or(0, char::len_utf8);
                    let character = match escaped {
                        Some('n') => '\n',
                        Some('t') => '\t',
                        Some('r') => '\r',
                        Some(other) => other,
                        None => '\\',
                    };
                    parts.0.push(Part::Character { character, span: start..self.at });
                }
            }
        }
    }

    /// Runs a nested reading one level deeper; beyond the limit the script is given up.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= NESTING_LIMIT {
            self.limit(format!("substitutions are nested more than {NESTING_LIMIT} deep"));
            self.at = self.text.len();
            return None;
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        Some(result)
    }

    fn find(&self, byte: u8, from: usize) -> Option<usize> {
        self.text.as_bytes().get(from..)?.iter().position(|b| *b == byte).map(|at| from + at)
    }
}
