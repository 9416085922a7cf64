//! Text from strangers inside GitHub's Markdown: it is shown, and means nothing.

use std::fmt::Write as _;

/// A text as itself: no emphasis, link, mention, reference, table or HTML begins in it, and it stays on its line.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '+' | '-' | '!' | '|' | '~' | '$' | '^'
            | '=' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // Numbers, names and addresses become links without any markup: an entity in their middle keeps them text.
            '#' | '@' | ':' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            '.' => out.push_str("\\."),
            c if c.is_control() || is_direction(c) => out.push(' '),
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

/// A text in a code span.
pub fn code(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() || is_direction(c) { ' ' } else { c }).collect();
    if line.trim().is_empty() {
        return "` `".to_owned();
    }
    let fence = "`".repeat(longest_run(&line, '`') + 1);
    let pad = if line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{line}{pad}{fence}")
}

/// A text in a fenced block.
pub(super) fn block(text: &str, language: &str) -> String {
    let fence = "`".repeat(longest_run(text, '`').max(2) + 1);
    let body: String =
        text.chars().filter(|c| *c == '\n' || *c == '\t' || !(c.is_control() || is_direction(*c))).collect();
    format!("{fence}{language}\n{}\n{fence}\n", body.trim_end_matches('\n'))
}

/// The characters that turn the direction of text around (Unicode's bidirectional controls): they make text lie.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
}

fn longest_run(text: &str, of: char) -> usize {
    let runs = text.split(|c| c != of).map(|run| run.chars().count());
    runs.max().unwrap_or(0)
}

/// Collects blocks of Markdown until a limit of bytes; a block goes in whole or not at all.
pub(super) struct Page {
    text: String,
    limit_bytes: usize,
    is_full: bool,
}

impl Page {
    pub(super) fn new(limit_bytes: usize) -> Self {
        Self { text: String::new(), limit_bytes, is_full: false }
    }

    /// Adds a block if it fits while `reserve` bytes stay free; says whether it did. After one that did not, none does.
    pub(super) fn add(&mut self, block: &str, reserve: usize) -> bool {
        if self.is_full || self.text.len() + block.len() + reserve > self.limit_bytes {
            self.is_full = true;
            return false;
        }
        self.text.push_str(block);
        true
    }

    /// Adds a block for which space was kept.
    pub(super) fn close(&mut self, block: &str) {
        if self.text.len() + block.len() <= self.limit_bytes {
            self.text.push_str(block);
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_begins_in_a_plain_text() {
        let hostile = "</details><img src=x> [a](http://x) @team #12 **b** | `c` ![i](u) www.x.org\n# h\n- l ~~s~~ $m$";
        let text = plain(hostile);
        for bad in ["<", "](", "http:", "@t", "#1", "\n", "www.x"] {
            assert!(!text.contains(bad), "{bad}: {text}");
        }
        for (index, _) in text.match_indices(['*', '|', '`', '[', '~']) {
            assert_eq!(&text[index - 1..index], "\\", "{text}");
        }
    }

    #[test]
    fn code_spans_and_blocks_cannot_be_closed_from_inside() {
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("a\nb\u{202e}c"), "`a b c`");
        assert_eq!(block("x\n````\ny", "hcl"), "`````hcl\nx\n````\ny\n`````\n");
    }

    #[test]
    fn a_page_ends_at_a_block() {
        let mut page = Page::new(10);
        assert!(page.add("üü\n", 2));
        assert!(!page.add("123456", 2));
        assert!(!page.add("1", 2));
        page.close("end");
        assert_eq!(page.into_text(), "üü\nend");
    }
}
