//! The patterns of `fileset`: `*` and `?` within a segment, `**` over segments, `[…]`, `{a,b}`.

use regex::{Regex, RegexBuilder};

/// Largest compiled pattern, in bytes.
const PATTERN_LIMIT: usize = 256 * 1024;

/// A pattern for whole relative paths; `None` when it is none.
pub(super) fn compile(pattern: &str) -> Option<Regex> {
    let mut text = String::from("^(?s:");
    let mut letters = pattern.strip_prefix("./").unwrap_or(pattern).chars().peekable();
    let mut alternatives = 0_u32;
    while let Some(letter) = letters.next() {
        match letter {
            '*' if letters.next_if_eq(&'*').is_some() => {
                // `**/` may stand for no segment at all.
                text.push_str(if letters.next_if_eq(&'/').is_some() { "(?:[^/]+/)*" } else { ".*" });
            }
            '*' => text.push_str("[^/]*"),
            '?' => text.push_str("[^/]"),
            '[' => class(&mut letters, &mut text)?,
            '{' => {
                alternatives += 1;
                text.push_str("(?:");
            }
            '}' if alternatives > 0 => {
                alternatives -= 1;
                text.push(')');
            }
            ',' if alternatives > 0 => text.push('|'),
            '\\' => text.push_str(&regex::escape(&letters.next()?.to_string())),
            _ => text.push_str(&regex::escape(&letter.to_string())),
        }
    }
    text.push_str(")$");
    RegexBuilder::new(&text).size_limit(PATTERN_LIMIT).build().ok()
}

fn class(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, text: &mut String) -> Option<()> {
    text.push('[');
    if letters.next_if(|letter| matches!(letter, '^' | '!')).is_some() {
        text.push('^');
    }
    loop {
        match letters.next()? {
            ']' => break,
            '-' => text.push('-'),
            letter => text.push_str(&regex::escape(&letter.to_string())),
        }
    }
    text.push(']');
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_paths() {
        let matches = |pattern: &str, path: &str| compile(pattern).unwrap().is_match(path);
        assert!(matches("*.json", "a.json") && !matches("*.json", "b/a.json"));
        assert!(matches("**/*.json", "a.json") && matches("**/*.json", "b/c/a.json"));
        assert!(matches("b/**", "b/c/a.json") && matches("{a,b}/?.[jt]s", "b/x.ts"));
        assert!(!matches("[^a].tf", "a.tf") && matches("a.tf", "a.tf") && !matches("a.tf", "aXtf"));
        assert!(compile("[a").is_none() && compile("{a").is_none());
    }
}
