//! How far a comment reaches: from where it stands to what it speaks of.
//!
//! Wanted: an author says in one sentence what a comment covers, in every format. At the end of a line it is for what begins on
//! that line; alone on its line for what begins on the next; where nothing begins, for what it stands in. A format says what there
//! is ([`Outline`]), and nothing else about it.

use std::collections::HashMap;
use std::ops::Range;

use super::Scope;
use crate::source_tree::SourceFile;

/// What a file consists of, as ranges of bytes.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    /// Everything a comment can speak of: declarations, blocks, attributes, elements, instructions.
    pub parts: Vec<Range<usize>>,
    /// The resources, or what else is declared as a whole.
    pub declarations: Vec<Range<usize>>,
    /// The instructions of a script.
    pub instructions: Vec<Range<usize>>,
}

/// An outline by its lines, to ask it about the comments of its file.
pub(super) struct Reach<'f> {
    file: &'f SourceFile,
    /// The longest part that begins on a line, and on which line it ends.
    beginning: HashMap<u32, Range<usize>>,
    /// The longest part that ends on a line and begins on another.
    ending: HashMap<u32, Range<usize>>,
    instructions: HashMap<u32, Range<usize>>,
    parts: Nested,
    declarations: Nested,
    /// For each line that holds nothing but comments, the line behind them.
    behind: HashMap<u32, u32>,
}

impl<'f> Reach<'f> {
    pub(super) fn new(file: &'f SourceFile, comments: &[Range<usize>], outline: &Outline) -> Self {
        let mut beginning: HashMap<u32, Range<usize>> = HashMap::new();
        let mut ending: HashMap<u32, Range<usize>> = HashMap::new();
        let line = |at: usize| line_of(file, at);
        for part in outline.parts.iter().filter(|part| part.start < part.end) {
            let (first, last) = (line(part.start), line(part.end - 1));
            longest(&mut beginning, first, part);
            if last != first {
                longest(&mut ending, last, part);
            }
        }
        let instructions = outline.instructions.iter().map(|part| (line(part.start), part.clone())).collect();
        let mut behind: HashMap<u32, u32> = HashMap::new();
        for comment in comments.iter().rev().filter(|comment| is_alone(file, comment)) {
            let (first, last) = (line(comment.start), line(last_byte(comment)));
            let next = behind.get(&(last + 1)).copied().unwrap_or(last + 1);
            // What only parts documents is nothing to speak of.
            let is_parting = file.line(next).trim_end() == "---";
            let next = if is_parting { behind.get(&(next + 1)).copied().unwrap_or(next + 1) } else { next };
            behind.extend((first..=last).map(|line| (line, next)));
        }
        Self {
            file,
            beginning,
            ending,
            instructions,
            parts: Nested::new(&outline.parts),
            declarations: Nested::new(&outline.declarations),
            behind,
        }
    }

    /// What a comment speaks of; `None` when it stands where nothing is.
    pub(super) fn of(&self, comment: &Range<usize>, scope: Scope) -> Option<Range<usize>> {
        match scope {
            Scope::File => Some(0..self.file.text().len()),
            Scope::Declaration => self.declarations.around(comment),
            Scope::Instruction => self.instructions.get(&self.line_meant(comment)).cloned(),
            Scope::Beside => self.beside(comment),
            Scope::BesideOrAround => self.beside(comment).or_else(|| self.parts.around(comment)),
        }
    }

    fn beside(&self, comment: &Range<usize>) -> Option<Range<usize>> {
        let line = self.line_meant(comment);
        let begins = self.beginning.get(&line).cloned();
        if begins.is_some() || self.behind.contains_key(&line_of(self.file, comment.start)) {
            return begins;
        }
        // Behind a closing brace, what it closes; inside of something longer, that.
        self.ending.get(&line).cloned().or_else(|| self.parts.around(comment))
    }

    /// The line a comment speaks of: its own, or the one behind it and its neighbours when nothing else stands there.
    fn line_meant(&self, comment: &Range<usize>) -> u32 {
        let first = line_of(self.file, comment.start);
        match self.behind.get(&first) {
            Some(line) => *line,
            // `/* … */ attribute = 1` is about what follows it.
            None => line_of(self.file, last_byte(comment)),
        }
    }
}

fn longest(by_line: &mut HashMap<u32, Range<usize>>, line: u32, part: &Range<usize>) {
    let known = by_line.entry(line).or_insert_with(|| part.clone());
    if part.len() > known.len() {
        *known = part.clone();
    }
}

fn line_of(file: &SourceFile, at: usize) -> u32 {
    file.line_around(at).0
}

fn last_byte(comment: &Range<usize>) -> usize {
    comment.end.saturating_sub(1).max(comment.start)
}

/// Whether nothing but blanks stands on the lines of a comment. Looks no further than its neighbours: a line may be long.
fn is_alone(file: &SourceFile, comment: &Range<usize>) -> bool {
    let bytes = file.text().as_bytes();
    let start = file.line_around(comment.start).1.start;
    let end = file.line_around(last_byte(comment)).1.end;
    let before = bytes.get(start..comment.start).unwrap_or_default();
    let behind = bytes.get(comment.end..end).unwrap_or_default();
    before.iter().rev().chain(behind).all(u8::is_ascii_whitespace)
}

/// Ranges within each other, by their starts.
struct Nested {
    ranges: Vec<(Range<usize>, Option<usize>)>,
}

impl Nested {
    fn new(ranges: &[Range<usize>]) -> Self {
        let mut sorted: Vec<Range<usize>> = ranges.to_vec();
        sorted.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut nested: Vec<(Range<usize>, Option<usize>)> = Vec::with_capacity(sorted.len());
        let mut open: Vec<usize> = Vec::new();
        for (index, range) in sorted.into_iter().enumerate() {
            while let Some(last) = open.last()
                && nested.get(*last).is_none_or(|(outer, _)| outer.end < range.end)
            {
                open.pop();
            }
            nested.push((range, open.last().copied()));
            open.push(index);
        }
        Self { ranges: nested }
    }

    /// The innermost range around another.
    fn around(&self, inner: &Range<usize>) -> Option<Range<usize>> {
        let before = self.ranges.partition_point(|(range, _)| range.start <= inner.start);
        let mut at = before.checked_sub(1);
        while let Some((range, parent)) = at.and_then(|at| self.ranges.get(at)) {
            if range.end >= inner.end {
                return Some(range.clone());
            }
            at = *parent;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source_tree::TreePath;

    /// What the comment `#?` (or `/*?*/`) of a text reaches. Parts are `<…>`, which may nest and are blanks in the text.
    fn reached(text: &str, scope: Scope) -> Option<String> {
        let mut parts = Vec::new();
        let mut open = Vec::new();
        for (at, sign) in text.char_indices() {
            match sign {
                '<' => open.push(at + 1),
                '>' => parts.push(open.pop().unwrap()..at),
                _ => {}
            }
        }
        let plain = text.replace(['<', '>'], " ");
        let file = SourceFile::from_bytes(TreePath::new("a").unwrap(), plain.clone().into_bytes()).unwrap();
        let mut comments: Vec<Range<usize>> = Vec::new();
        for (at, _) in plain.match_indices('#') {
            let end = plain[at..].find('\n').map_or(plain.len(), |length| at + length);
            comments.push(at..end);
        }
        comments.extend(plain.find("/*?").map(|at| at..at + 5));
        let asked = comments
            .iter()
            .find(|range| plain[range.start..].starts_with("#?") || plain[range.start..].starts_with("/*?"));
        let outline = Outline { declarations: parts.clone(), instructions: parts.clone(), parts };
        let reach = Reach::new(&file, &comments, &outline).of(asked.unwrap(), scope)?;
        Some(plain[reach].split_whitespace().collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_comment_reaches_what_begins_beside_it() {
        for (text, wanted) in [
            ("#?\n<a {\n<b>\n}>\n<c>", "a { b }"),
            ("<a { #?\n<b>\n}>", "a { #? b }"),
            ("<a {\n<b> #?\n<c>\n}>", "b"),
            ("<a {\n#?\n<b>\n<c>\n}>", "b"),
            ("<a {\n#?\n# more\n  # and more\n<b>\n<c>\n}>", "b"),
            ("<a {\n#?\n\n<b>\n}>", "a { #? b }"),
            ("<a {\n<b>\n#?\n}>", "a { b #? }"),
            ("<a {\n<b [\n<1>, #?\n<2>\n]>\n}>", "1"),
            ("<a {\n<b [\n<1>\n]> #?\n}>", "b [ 1 ]"),
            ("<a {\n<b>\n}> #?", "a { b }"),
            ("<a {\n/*?*/ <b>\n}>", "b"),
            ("#?\n---\n<a>", "a"),
            ("<a>\n---\n#?\n# x\n---\n# y\n<b>", "b"),
        ] {
            assert_eq!(reached(text, Scope::BesideOrAround).as_deref(), Some(wanted), "{text}");
        }
        assert_eq!(reached("#?\n\n<a>", Scope::BesideOrAround), None);
        assert_eq!(reached("<a>\n#?", Scope::BesideOrAround), None);
    }

    #[test]
    fn other_tools_reach_as_far_as_they_say() {
        assert_eq!(reached("<a {\n#?\n\n<b>\n}>", Scope::Beside), None);
        assert_eq!(reached("<a {\n<b>\n}>\n#?\n<c>", Scope::Declaration), None);
        assert_eq!(reached("<a {\n<b>\n#?\n}>", Scope::Declaration).as_deref(), Some("a { b #? }"));
        assert_eq!(reached("<a>\n#?\n<b\nc>\n", Scope::Instruction).as_deref(), Some("b c"));
        assert_eq!(reached("<a>\n#?\n\n<b>", Scope::Instruction), None);
        assert_eq!(reached("<a>\n#?", Scope::File).as_deref(), Some("a #?"));
    }
}
