//! A Dockerfile cut into its instructions: lines joined, comments dropped, here-documents set apart.
//!
//! This is the builder's own first pass (moby/buildkit, `frontend/dockerfile/parser`): an instruction goes on while its line ends
//! in the escape character, comment and empty lines within it are nothing, and `<<NAME` words of RUN, COPY and ADD take the
//! lines behind it. Every byte of an instruction knows where in the file it was written.

use std::ops::Range;

use super::words;
use crate::syntax::{MappedPart, MappedText};

/// A file as its instructions.
#[derive(Debug)]
pub(super) struct Lines {
    /// What continues a line and takes the meaning off a character: `\`, or a backtick where the file says so.
    pub(super) escape: u8,
    pub(super) instructions: Vec<Line>,
    pub(super) mistakes: Vec<Mistake>,
}

/// One instruction as it is written.
#[derive(Debug)]
pub(super) struct Line {
    /// Its lines joined, here-documents left out.
    text: MappedText,
    keyword: Range<usize>,
    rest: Range<usize>,
    /// From the keyword to the end, here-documents included.
    pub(super) span: Range<usize>,
    /// Its first line.
    pub(super) header: Range<usize>,
    pub(super) heredocs: Vec<Heredoc>,
}

impl Line {
    /// The first word.
    pub(super) fn keyword(&self) -> MappedPart<'_> {
        self.text.part(self.keyword.clone())
    }

    /// What stands behind it.
    pub(super) fn rest(&self) -> MappedPart<'_> {
        self.text.part(self.rest.clone())
    }
}

/// A here-document of an instruction.
#[derive(Debug)]
pub(super) struct Heredoc {
    pub(super) name: String,
    /// The whole lines between the instruction and the end mark.
    pub(super) body: Range<usize>,
    /// With the line of the end mark.
    pub(super) whole: Range<usize>,
    /// Whether variables in it are replaced: its name is written without quotes.
    pub(super) expands: bool,
}

/// A place that is wrong.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) remedy: &'static str,
}

/// Cuts a file into its instructions. Never fails.
pub(super) fn cut(text: &str) -> Lines {
    let mut lines = Lines { escape: b'\\', instructions: Vec::new(), mistakes: Vec::new() };
    lines.directives(text);
    let mut at = 0;
    while at < text.len() {
        let (line, next) = physical(text, at);
        let content = text.get(line).unwrap_or_default();
        if content.trim_start().is_empty() || is_comment(content) {
            at = next;
            continue;
        }
        at = lines.instruction(text, at);
    }
    lines
}

/// The line that begins at a byte without its break, and the byte behind the break.
fn physical(text: &str, at: usize) -> (Range<usize>, usize) {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    let length = if end > 0 && rest.get(end - 1) == Some(&b'\r') { end - 1 } else { end };
    (at..at + length, (at + end + 1).min(text.len()))
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

impl Lines {
    /// `# escape=` and its like, which only the first lines of a file may say.
    fn directives(&mut self, text: &str) {
        let mut at = 0;
        while at < text.len() {
            let (line, next) = physical(text, at);
            let content = text.get(line.clone()).unwrap_or_default();
            let Some((name, value)) = content.strip_prefix('#').and_then(|comment| comment.split_once('=')) else {
                return;
            };
            let name = name.trim();
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return;
            }
            if name.eq_ignore_ascii_case("escape") {
                match value.trim() {
                    "`" => self.escape = b'`',
                    "\\" => {}
                    _ => self.mistakes.push(Mistake {
                        span: line.clone(),
                        message: "the escape character is neither `\\` nor a backtick".to_owned(),
                        remedy: "write `# escape=\\` or leave the line out",
                    }),
                }
            }
            at = next;
        }
    }

    /// Takes the instruction that begins on a line; gives the byte behind it.
    fn instruction(&mut self, text: &str, start: usize) -> usize {
        let mut joined = MappedText::default();
        let mut at = start;
        let mut is_first = true;
        while at < text.len() {
            let (line, next) = physical(text, at);
            at = next;
            let content = text.get(line.clone()).unwrap_or_default();
            if !is_first && (content.trim_start().is_empty() || is_comment(content)) {
                continue;
            }
            is_first = false;
            let (content, goes_on) = self.continued(content);
            joined.push(content, line.start);
            if !goes_on {
                break;
            }
        }
        let whole = joined.text();
        let end = whole.trim_end().len();
        let start = whole.len() - whole.trim_start().len();
        let text_of = |from: usize| whole.get(from..end).unwrap_or_default();
        let keyword = text_of(start).find(char::is_whitespace).map_or(end, |length| start + length);
        let from = end - text_of(keyword).trim_start().len();
        let Some(span) = joined.part(start..end).written().filter(|_| start < end) else { return at };
        let header = span.start..physical(text, span.start).0.end.min(span.end);
        let mut line =
            Line { keyword: start..keyword, rest: from..end, text: joined, header, span, heredocs: Vec::new() };
        let at = self.heredocs(text, &mut line, at);
        self.instructions.push(line);
        at
    }

    /// A line without the escape character that continues it, and whether there is one.
    fn continued<'t>(&self, line: &'t str) -> (&'t str, bool) {
        let escape = char::from(self.escape);
        let before = line.trim_end_matches([' ', '\t']).strip_suffix(escape);
        match before.filter(|before| !before.ends_with(escape)) {
            Some(before) => (before, true),
            None => (line, false),
        }
    }

    /// Takes the bodies of the here-documents an instruction names; gives the byte behind them.
    fn heredocs(&mut self, text: &str, line: &mut Line, mut at: usize) -> usize {
        if !line.rest().text().contains("<<") || !may_have_heredocs(line) {
            return at;
        }
        for (name, strip_tabs, expands) in words::heredoc_names(line.rest().text()) {
            let start = at;
            let mut end = None;
            while at < text.len() && end.is_none() {
                let (range, next) = physical(text, at);
                let content = text.get(range.clone()).unwrap_or_default();
                let content = if strip_tabs { content.trim_start_matches('\t') } else { content };
                if content == name {
                    end = Some(range.clone());
                }
                at = next;
            }
            let ends_at = end.unwrap_or_else(|| {
                self.mistakes.push(Mistake {
                    span: line.header.clone(),
                    message: format!(
                        "the here-document `{}` has no end: the rest of the file was taken for it",
                        shortened(&name)
                    ),
                    remedy: "end it with its name on a line of its own",
                });
                text.len()..text.len()
            });
            line.span.end = ends_at.end.max(line.span.end);
            line.heredocs.push(Heredoc {
                name,
                body: start..ends_at.start.max(start),
                whole: start..ends_at.end.max(start),
                expands,
            });
        }
        at
    }
}

/// Whether the builder looks for here-documents in an instruction: not in others, and not in a list of arguments.
fn may_have_heredocs(line: &Line) -> bool {
    let is = |word: &str, names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(word));
    let takes = ["RUN", "COPY", "ADD"];
    let (word, rest) = match is(line.keyword().text(), &["ONBUILD"]) {
        true => line.rest().text().split_once(char::is_whitespace).unwrap_or_default(),
        false => (line.keyword().text(), line.rest().text()),
    };
    is(word, &takes) && !rest.trim_start().starts_with('[')
}

/// A name short enough for a message.
pub(super) fn shortened(name: &str) -> String {
    const LIMIT: usize = 40;
    name.chars().take(LIMIT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let lines = cut(text);
        assert!(lines.mistakes.is_empty(), "{:?}", lines.mistakes);
        lines.instructions.iter().map(|line| format!("{}|{}", line.keyword().text(), line.rest().text())).collect()
    }

    #[test]
    fn continued_lines_are_one_and_comments_within_are_nothing() {
        let text = "# c\n\n  FROM a \\\n\n# c\n  # c\n AS b\nRUN x \\  \n  && y\\\\\nCMD z";
        assert_eq!(shown(text), ["FROM|a  AS b", "RUN|x   && y\\\\", "CMD|z"]);
        assert_eq!(shown("\\\nRUN a\r\nRUN b \\\r\n c\r\n"), ["RUN|a", "RUN|b  c"]);
        assert_eq!(shown("RUN a \\"), ["RUN|a"]);
        assert_eq!(shown("RUN\ta\nR\\\nUN b\nHEALTHCHECK"), ["RUN|a", "RUN|b", "HEALTHCHECK|"]);
        assert!(shown(" \n#\n\\\n").is_empty());
    }

    #[test]
    fn the_escape_character_is_what_the_first_lines_say() {
        assert_eq!(shown("# syntax=x\n# escape=`\nRUN a `\n b\\\nRUN c"), ["RUN|a  b\\", "RUN|c"]);
        assert_eq!(shown("\n# escape=`\nRUN a `\nRUN b"), ["RUN|a `", "RUN|b"]);
        assert_eq!(cut("# escape=x\nRUN a").mistakes.len(), 1);
    }

    #[test]
    fn here_documents_are_no_instructions_wherever_they_are_named() {
        let text = "RUN <<E\nUSER x\nE\nRUN cat <<-'F' 3<<G > y\n\tFROM z\n\tF\ng\nG\nCOPY <<H /a\nh\nH\nCMD <<I\n";
        let lines = cut(text);
        let bodies: Vec<Vec<&str>> = lines
            .instructions
            .iter()
            .map(|line| line.heredocs.iter().map(|h| &text[h.body.clone()]).collect())
            .collect();
        assert_eq!(bodies, [vec!["USER x\n"], vec!["\tFROM z\n", "g\n"], vec!["h\n"], vec![]]);
        assert_eq!(lines.instructions[1].heredocs.iter().map(|h| h.expands).collect::<Vec<_>>(), [false, true]);
        assert!(text[lines.instructions[1].span.clone()].ends_with("\nG"));
        assert_eq!(shown("RUN [\"<<E\"]\nRUN a <<<E x<<F $((1<<2))\nRUN b").len(), 3);
        let open = cut("RUN <<E\na\nRUN b");
        assert_eq!((open.instructions.len(), open.mistakes.len()), (1, 1));
    }

    #[test]
    fn an_instruction_knows_where_it_was_written() {
        let text = "FROM a\n  RUN x \\\n   y  \n";
        let line = &cut(text).instructions[1];
        assert_eq!((&text[line.span.clone()], &text[line.header.clone()]), ("RUN x \\\n   y", "RUN x \\"));
        assert_eq!(&text[line.rest().origin(0..1).unwrap()], "x");
    }
}
