//! Heredocs without a single line, which hcl-edit does not see the end of: they are blanked out before it reads them.

use super::lower::ends_heredoc;

/// Where the first of them seems to begin. Only asked for text that does not parse: inside another heredoc it would be text.
pub(super) fn first_empty(text: &str) -> Option<usize> {
    text.match_indices("<<").map(|(at, _)| at).find(|at| end(text, *at).is_some())
}

/// The text with the empty heredoc at a place written as `""`, at the same length; `None` when there is none.
pub(super) fn without_empty(text: &str, at: usize) -> Option<String> {
    let (opening, closing) = end(text, at)?;
    let blank = |part: &str| {
        part.chars().map(|c| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf8()) }).collect::<String>()
    };
    let mut repaired = String::with_capacity(text.len());
    repaired.push_str(text.get(..at)?);
    repaired.push_str("\"\"");
    repaired.push_str(&blank(text.get(at + 2..opening)?));
    repaired.push_str(&blank(text.get(opening..closing)?));
    repaired.push_str(text.get(closing..)?);
    Some(repaired)
}

/// Where the line a heredoc begins on ends, and where its end mark does, when that stands on the very next line.
fn end(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = text.get(at..)?.strip_prefix("<<")?;
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let (delimiter, after) = rest.split_once('\n')?;
    let delimiter = delimiter.trim_end_matches('\r');
    let plain = !delimiter.is_empty() && delimiter.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if !plain || !ends_heredoc(after, delimiter) {
        return None;
    }
    let opening = text.len() - after.len();
    let indent = after.len() - after.trim_start_matches([' ', '\t']).len();
    Some((opening, opening + indent + delimiter.len()))
}
