//! Where the comments of native syntax are: only asked of files that hold a suppression.
//!
//! Nothing else is understood of the text than what can hold the sign of a comment without being one: quoted text, heredocs,
//! and the templates in both.

use std::ops::Range;

use super::lower::ends_heredoc;

/// What the scanner is in.
enum In<'t> {
    /// Configuration, or the expression of a template, with so many braces open.
    Code(usize),
    Quotes,
    Heredoc(&'t str),
}

/// The comments of a text, in its order. One in slashes and stars that has no end goes to the end of the text.
pub(crate) fn comments(text: &str) -> Vec<Range<usize>> {
    let mut scanner = Scanner { text, at: 0, within: vec![In::Code(0)], found: Vec::new() };
    while scanner.at < text.len() {
        scanner.step();
    }
    scanner.found
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    within: Vec<In<'t>>,
    found: Vec<Range<usize>>,
}

impl<'t> Scanner<'t> {
    fn rest(&self) -> &'t [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn step(&mut self) {
        match self.within.last() {
            Some(In::Quotes) => self.quotes(),
            Some(In::Heredoc(delimiter)) => self.heredoc(delimiter),
            Some(In::Code(_)) | None => self.code(),
        }
    }

    fn code(&mut self) {
        let is_nested = self.within.len() > 1;
        match self.rest() {
            [b'#', ..] | [b'/', b'/', ..] => self.comment(line_length(self.rest())),
            [b'/', b'*', body @ ..] => {
                let length = memchr::memmem::find(body, b"*/").map_or(self.rest().len(), |length| length + 4);
                self.comment(length);
            }
            [b'"', ..] => self.enter(1, In::Quotes),
            [b'<', b'<', ..] => self.heredoc_begins(),
            [b'{', ..] => self.brace(1),
            [b'}', ..] if is_nested && matches!(self.within.last(), Some(In::Code(0))) => self.leave(1),
            [b'}', ..] => self.brace(-1),
            _ => self.at += 1,
        }
    }

    fn comment(&mut self, length: usize) {
        self.found.push(self.at..self.at + length);
        self.at += length;
    }

    fn brace(&mut self, by: isize) {
        if let Some(In::Code(open)) = self.within.last_mut() {
            *open = open.saturating_add_signed(by);
        }
        self.at += 1;
    }

    fn enter(&mut self, length: usize, inner: In<'t>) {
        self.within.push(inner);
        self.at += length;
    }

    fn leave(&mut self, length: usize) {
        self.within.pop();
        self.at += length;
    }

    fn heredoc_begins(&mut self) {
        let word = self.text.get(self.at + 2..).unwrap_or_default();
        let word = word.strip_prefix('-').unwrap_or(word);
        let length = word.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(word.len());
        match word.get(..length).filter(|word| !word.is_empty()) {
            // The line its delimiter stands on is no part of it.
            Some(delimiter) => {
                let length = line_length(self.rest()) + 1;
                self.enter(length.min(self.rest().len()), In::Heredoc(delimiter));
            }
            None => self.at += 2,
        }
    }

    /// Within quotes a text ends with its line: one that does not is wrong, and what follows is read.
    fn quotes(&mut self) {
        match self.rest() {
            [b'\\', _, ..] => self.at += 2,
            [b'"' | b'\n', ..] => self.leave(1),
            _ => self.template_or_text(),
        }
    }

    fn heredoc(&mut self, delimiter: &str) {
        let is_line_start = self.at == 0 || self.text.as_bytes().get(self.at - 1) == Some(&b'\n');
        let rest = self.text.get(self.at..).unwrap_or_default();
        if is_line_start && ends_heredoc(rest, delimiter) {
            let indent = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            return self.leave(indent + delimiter.len());
        }
        self.template_or_text();
    }

    fn template_or_text(&mut self) {
        match self.rest() {
            [b'$', b'$', b'{', ..] | [b'%', b'%', b'{', ..] => self.at += 3,
            [b'$' | b'%', b'{', ..] => self.enter(2, In::Code(0)),
            _ => self.at += 1,
        }
    }
}

fn line_length(rest: &[u8]) -> usize {
    let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    if length > 0 && rest.get(length - 1) == Some(&b'\r') { length - 1 } else { length }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        comments(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn comments_are_found_wherever_they_stand() {
        let text = "# a\nx = 1 // b\r\ny = [ /* c\n d */ 2, # e\n]\nz \"q\" { # f\n}\n/* open";
        assert_eq!(found(text), ["# a", "// b", "/* c\n d */", "# e", "# f", "/* open"]);
    }

    #[test]
    fn what_is_text_is_no_comment() {
        for text in [
            "a = \"# no\"",
            "a = \"\\\"# no\"",
            "a = \"http://no\"",
            "a = \"${\"# no\"} # no\"",
            "a = \"${f({ b = \"}# no\" })}# no\"",
            "a = \"$${ # no\"",
            "a = <<E\n# no\n  ${x} # no\n E # no\n",
            "a = <<-E\n  # no\n",
            "a = \"%{ if x }# no%{ endif }\"",
        ] {
            let end = if text.contains("E # no") { vec!["# no"] } else { Vec::new() };
            assert_eq!(found(text), end, "{text}");
        }
        assert_eq!(found("a = <<E\n# no\nE\n# yes\n"), ["# yes"]);
        assert_eq!(found("a = <<E\nE\n# yes\n"), ["# yes"]);
        assert_eq!(found("a = f(<<E\nx\nE\n) # yes\n"), ["# yes"]);
        assert_eq!(found("a = \"${x # yes\n}\"\n"), ["# yes"]);
        assert_eq!(found("a = \"open\nb = 1 # yes\n"), ["# yes"]);
        assert_eq!(found("a = 1 << 2 # yes\n"), ["# yes"]);
    }

    #[test]
    fn hostile_text_is_read_to_its_end() {
        for text in [
            "\"${".repeat(200_000),
            "<<A\n".repeat(200_000),
            "}".repeat(200_000),
            "/*".repeat(200_000),
            "<<".repeat(1_000_000),
            "<<-".repeat(1_000_000),
            "ü\"\\ü".repeat(9),
        ] {
            comments(&text);
        }
    }
}
