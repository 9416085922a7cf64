//! What a terminal shows: colours, links, and lines no longer than it is wide. Without colour and links everything is plain text.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Narrowest width that text is wrapped to.
const NARROWEST: usize = 40;

/// What the reader's terminal can show.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal<'t> {
    /// Width in columns.
    pub width: usize,
    /// Whether colours may be used.
    pub color: bool,
    /// Where paths begin, as a URL (`file:///home/me/`), when it shows links.
    pub links: Option<&'t str>,
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// Bad.
    Red,
    /// Doubtful.
    Yellow,
    /// Good.
    Green,
    /// Merely said.
    Blue,
    /// What matters most.
    Bold,
    /// What matters least.
    Faint,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Self::Red => "1;31",
            Self::Yellow => "1;33",
            Self::Green => "32",
            Self::Blue => "1;34",
            Self::Bold => "1",
            Self::Faint => "2",
        }
    }
}

impl Terminal<'_> {
    /// Width that text is wrapped to.
    pub(super) fn columns(&self) -> usize {
        self.width.max(NARROWEST)
    }

    /// A text in a colour.
    pub(super) fn paint(&self, ink: Ink, text: &str) -> String {
        if self.color && !text.is_empty() { format!("\u{1b}[{}m{text}\u{1b}[0m", ink.code()) } else { text.to_owned() }
    }

    /// A path that can be followed.
    pub(super) fn linked(&self, path: &str, text: &str) -> String {
        match self.links {
            Some(root) => {
                format!("\u{1b}]8;;{root}{}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\", url_path(path.trim_start_matches('/')))
            }
            None => text.to_owned(),
        }
    }
}

/// A path in a URL: everything but letters, digits and what never has a meaning of its own is written in hexadecimal.
fn url_path(path: &str) -> String {
    let mut url = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url
}

/// A text as lines of at most `width` columns, broken at spaces; a word that is longer is broken where the line ends.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for letter in word.chars() {
            if line.width() + letter.width().unwrap_or(0) > width && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push(letter);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Control characters would move the cursor, or hide what is written.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_reordering(c) { '\u{fffd}' } else { c }).collect()
}

/// Characters that turn the direction of what follows.
fn is_reordering(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_spaces_and_only_then_within_words() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("日本語 x", 4), ["日本", "語 x"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn what_moves_the_cursor_is_never_written() {
        assert_eq!(clean("a\u{1b}[2Kb\u{202e}c\n"), "a\u{fffd}[2Kb\u{fffd}c\u{fffd}");
    }

    #[test]
    fn links_are_written_for_terminals_that_show_them() {
        let shows = Terminal { links: Some("file:///r/"), ..Terminal::default() };
        assert_eq!(
            shows.linked("a b/ü;\u{7}.tf", "x"),
            "\u{1b}]8;;file:///r/a%20b/%C3%BC%3B%07.tf\u{1b}\\x\u{1b}]8;;\u{1b}\\"
        );
        assert_eq!(Terminal::default().linked("a", "x"), "x");
    }
}
