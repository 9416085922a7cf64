//! What comments are made of: their lines without the signs around them, and reasons fit to be shown.

use std::ops::Range;

/// Longest reason that is kept, in characters.
const REASON_LIMIT: usize = 300;

/// The lines of a comment, each without the signs that make it one and the blanks around it, with its place in the file.
pub(super) fn lines(text: &str, comment: Range<usize>) -> impl Iterator<Item = (Range<usize>, &str)> {
    let whole = text.get(comment.clone()).unwrap_or_default();
    let (inner, mut at) = match whole.strip_prefix("/*") {
        Some(inner) => (inner.strip_suffix("*/").unwrap_or(inner), comment.start + 2),
        None => (whole, comment.start),
    };
    inner.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        let signs = |c: char| c.is_whitespace() || matches!(c, '#' | '/' | '*' | '!');
        let content = line.trim_start_matches(signs);
        let start = start + (line.len() - content.len());
        let content = content.trim_end();
        (start..start + content.len(), content)
    })
}

/// A reason in one line: no control characters, nothing that turns the direction of text around, of a length to be shown.
pub(super) fn reason(written: &str) -> String {
    let mut reason = String::new();
    let mut left = REASON_LIMIT;
    let is_shown = |c: char| !(c.is_control() || is_direction(c));
    for word in written.split(|c: char| c.is_whitespace() || !is_shown(c)).filter(|word| !word.is_empty()) {
        let word =
            if reason.is_empty() { word.trim_start_matches(['#', ':', '-', '–', '—', '=', ',']) } else { word };
        if word.is_empty() {
            continue;
        }
        let blank = usize::from(!reason.is_empty());
        let length = word.chars().count() + blank;
        if blank > 0 && left > 0 {
            reason.push(' ');
        }
        reason.extend(word.chars().take(left.saturating_sub(blank)));
        if length > left {
            reason.push('…');
            break;
        }
        left -= length;
    }
    reason
}

/// Unicode's bidirectional controls, and characters that take no room: they make text lie.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' | '\u{061c}' | '\u{feff}')
}

/// A name as a message shows it.
pub(super) fn shown(name: &str) -> String {
    let short: String = name.chars().filter(|c| !(c.is_control() || is_direction(*c))).take(60).collect();
    if short.len() < name.len() { format!("{short}…") } else { short }
}

/// Whether a word can be a policy's name in some tool: letters, digits and a few signs.
pub(super) fn is_name(word: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
    !word.is_empty() && word.len() <= NAME_LIMIT_BYTES && word.chars().all(is_sign)
}

/// Longest name of a policy, in bytes.
pub(super) const NAME_LIMIT_BYTES: usize = 150;
/// Most names in one comment.
pub(super) const NAMES_LIMIT: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(comment: &str) -> Vec<(String, &str)> {
        let text = format!("a = 1 {comment}\n");
        let range = 6..6 + comment.len();
        let found: Vec<_> =
            lines(&text, range).map(|(range, line)| (text[range].to_owned(), line.to_owned())).collect();
        found.into_iter().map(|(slice, line)| (slice, &*line.leak())).collect()
    }

    #[test]
    fn comments_lose_their_signs_and_their_lines_keep_their_places() {
        for (comment, lines) in [
            ("# a b ", &["a b"][..]),
            ("//a", &["a"]),
            ("/* a */", &["a"]),
            ("/* a\n * b: c\r\n */", &["a", "b: c", ""]),
            ("/**/", &[]),
            ("/***/", &[""]),
            ("/*", &[]),
            ("##!x", &["x"]),
        ] {
            let found = of(comment);
            assert!(found.iter().all(|(slice, line)| slice == line), "{comment}: {found:?}");
            assert_eq!(found.iter().map(|(_, line)| *line).collect::<Vec<_>>(), lines, "{comment}");
        }
    }

    #[test]
    fn reasons_are_one_short_line() {
        assert_eq!(reason("  — legacy\u{1b}[31m \u{202e}  app\n"), "legacy [31m app");
        assert_eq!(reason(""), "");
        let long = reason(&"ab ".repeat(1_000));
        assert_eq!((long.chars().count(), long.ends_with('…')), (301, true));
        assert_eq!(reason(&"x".repeat(400)).chars().count(), 301);
    }
}
