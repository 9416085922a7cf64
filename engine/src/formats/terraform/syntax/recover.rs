//! What is around a broken place, read all the same.
//!
//! tree-sitter cuts the text into blocks; each goes through hcl-edit again, so that the rest of the program knows one tree.
//! A block that hcl-edit refuses although it is well formed (it knows no line breaks in a `for`, and no repeated object
//! keys), or whose only fault is an attribute set twice, is read with that blanked out: places stay what they are.

use std::collections::{HashMap, HashSet};
use std::ops::{ControlFlow, Range};

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree};

use super::ir::{Body, Place};
use super::lower::Source;
use super::parse::{Flaw, Parsed};
use crate::resource::ProblemKind;

/// Largest broken text whose rest is saved, in bytes: the worst that was tried costs a second.
const SIZE_LIMIT: usize = 256 * 1024;

/// Most openings of templates in a broken text whose rest is saved: tree-sitter's scanner copies all open ones at each.
const TEMPLATE_LIMIT: usize = 10_000;

/// Most of tree-sitter's own progress reports before it is stopped: about half a second of work.
const STEP_LIMIT: u32 = 20_000;

/// Most places of one file that are said to be wrong.
const FLAW_LIMIT: usize = 50;

/// The blocks that stand at the top of a file.
const TOP: [&str; 13] = [
    "check",
    "data",
    "ephemeral",
    "import",
    "locals",
    "module",
    "moved",
    "output",
    "provider",
    "removed",
    "resource",
    "terraform",
    "variable",
];

/// Reads what can be read of a text that hcl-edit refused.
pub(super) fn recover(whole: Source<'_>, error: &hcl_edit::parser::Error) -> Parsed {
    let text = whole.text;
    let at = error.location().offset();
    let place = whole.place(Some(at..at));
    let lost = |kind, message| Parsed {
        body: Body::default(),
        flaws: vec![Flaw { kind, place, message, remedy: "correct the syntax; nothing of the file was read" }],
    };
    if text.len() > SIZE_LIMIT {
        let message = format!(
            "the syntax is wrong here: {}; of broken files over {SIZE_LIMIT} bytes nothing is read",
            error.message()
        );
        return lost(ProblemKind::Limit, message);
    }
    if text.matches("${").count() + text.matches("%{").count() > TEMPLATE_LIMIT {
        let message = format!(
            "the syntax is wrong here: {}; of broken files with more than {TEMPLATE_LIMIT} templates nothing is read",
            error.message()
        );
        return lost(ProblemKind::Limit, message);
    }
    let Some(tree) = tree(text) else {
        return lost(ProblemKind::Unreadable, format!("the syntax is wrong here: {}", error.message()));
    };
    let mut recovery = Recovery { whole, body: Body::default(), flaws: Vec::new() };
    recovery.blocks(&tree);
    recovery.body.place = whole.place(Some(0..text.len()));
    let mut parsed = Parsed { body: recovery.body, flaws: recovery.flaws };
    if parsed.flaws.is_empty() && parsed.body.items.is_empty() {
        return lost(ProblemKind::Unreadable, format!("the syntax is wrong here: {}", error.message()));
    }
    if parsed.body.items.is_empty() {
        parsed.flaws.iter_mut().for_each(|flaw| flaw.kind = ProblemKind::Unreadable);
    }
    parsed
}

fn tree(text: &str) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_hcl::LANGUAGE.into()).ok()?;
    let mut steps = 0;
    let mut progress = |_: &ParseState| {
        steps += 1;
        if steps > STEP_LIMIT { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let mut chunk = |at: usize, _| text.as_bytes().get(at..).unwrap_or_default();
    parser.parse_with_options(&mut chunk, None, Some(options))
}

struct Recovery<'t> {
    whole: Source<'t>,
    body: Body,
    flaws: Vec<Flaw>,
}

impl Recovery<'_> {
    /// Reads the blocks tree-sitter sees; what lies between two that could be read is cut at its lines.
    fn blocks(&mut self, tree: &Tree) {
        let mut broken: Option<Range<usize>> = None;
        let root = tree.root_node();
        let mut cursor = root.walk();
        let body = root.children(&mut cursor).find(|child| child.kind() == "body").filter(|_| !root.is_error());
        let Some(body) = body else { return self.cut(0..self.whole.text.len()) };
        let mut cursor = body.walk();
        let outside = [0..body.start_byte(), body.end_byte()..self.whole.text.len()];
        for node in body.children(&mut cursor).filter(|node| node.kind() != "comment") {
            if self.read(node) {
                broken.take().into_iter().for_each(|range| self.cut(range));
            } else {
                let start = broken.map_or(node.start_byte(), |range| range.start);
                broken = Some(start..node.end_byte());
            }
        }
        broken.take().into_iter().for_each(|range| self.cut(range));
        for range in outside {
            if hcl_edit::parser::parse_body(self.whole.text.get(range.clone()).unwrap_or_default()).is_err() {
                self.cut(range);
            }
        }
    }

    /// Reads a block or attribute that tree-sitter sees.
    fn read(&mut self, node: Node<'_>) -> bool {
        let range = node.byte_range();
        if node.is_error() || node.is_missing() {
            return false;
        }
        if self.piece(range.clone()).is_ok() {
            return true;
        }
        let Some(text) = self.whole.text.get(range.clone()).filter(|_| !node.has_error()) else { return false };
        let mut repair = Repair::default();
        repair.collect(node, self.whole.text);
        let repaired = repair.apply(text, range.start);
        let Ok(body) = hcl_edit::parser::parse_body(&repaired) else { return false };
        let source = Source { text: &repaired, offset: range.start, ..self.whole };
        self.body.items.append(&mut source.body(&body).items);
        self.flaws.append(&mut repair.flaws);
        true
    }

    fn piece(&mut self, range: Range<usize>) -> Result<(), hcl_edit::parser::Error> {
        let text = self.whole.text.get(range.clone()).unwrap_or_default();
        let body = hcl_edit::parser::parse_body(text)?;
        let source = Source { text, offset: range.start, ..self.whole };
        self.body.items.append(&mut source.body(&body).items);
        Ok(())
    }

    /// Cuts a range at the lines that begin with one of Terraform's own words, and reads each piece.
    fn cut(&mut self, range: Range<usize>) {
        for piece in pieces(self.whole.text, range) {
            if self.flaws.len() >= FLAW_LIMIT {
                return self.give_up(piece);
            }
            if let Err(error) = self.piece(piece.clone()) {
                let at = piece.start + error.location().offset();
                let place = self.whole.place(Some(at..at));
                self.flaws.push(Flaw::syntax(place, error.message()));
            }
        }
    }

    fn give_up(&mut self, rest: Range<usize>) {
        let place = self.whole.place(Some(rest.start..rest.start));
        self.flaws.push(Flaw {
            kind: ProblemKind::Limit,
            place,
            message: format!("the syntax is wrong in {FLAW_LIMIT} places before this one; nothing more was read"),
            remedy: "correct the syntax",
        });
    }
}

/// Where the pieces of a broken range begin and end. A line inside a heredoc begins none.
fn pieces(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = range.start;
    let mut at = range.start;
    let mut heredoc: Option<&str> = None;
    let text = text.get(range.clone()).unwrap_or_default();
    let mut last_line_of = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        last_line_of.insert(line.trim(), number);
    }
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let word = line.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        match heredoc {
            Some(end) if line.trim() == end => heredoc = None,
            Some(_) => {}
            None => {
                if at > start && TOP.contains(&word) && line.trim_end().ends_with('{') {
                    pieces.push(start..at);
                    start = at;
                }
                heredoc = heredoc_word(line).filter(|end| last_line_of.get(end).is_some_and(|last| *last > number));
            }
        }
        at += line.len();
    }
    pieces.push(start..range.end);
    pieces
}

/// The word that ends the heredoc a line begins.
fn heredoc_word(line: &str) -> Option<&str> {
    let (_, word) = line.trim_end().rsplit_once("<<")?;
    let word = word.strip_prefix('-').unwrap_or(word);
    let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    plain.then_some(word)
}

/// Byte ranges of a block to blank out, so that hcl-edit reads it.
#[derive(Default)]
struct Repair {
    /// All but line breaks.
    blanks: Vec<Range<usize>>,
    /// Line breaks only.
    breaks: Vec<Range<usize>>,
    /// Texts whose line breaks stay.
    heredocs: Vec<Range<usize>>,
    flaws: Vec<Flaw>,
}

impl Repair {
    fn collect(&mut self, root: Node<'_>, text: &str) {
        let mut left = vec![root];
        while let Some(node) = left.pop() {
            match node.kind() {
                "body" => self.repeated_attributes(node, text),
                "object" => self.repeated_keys(node, text),
                "for_expr" => self.breaks.push(node.byte_range()),
                "heredoc_template" => self.heredocs.push(node.byte_range()),
                "comment" => self.blanks.push(node.byte_range()),
                _ => {}
            }
            let mut cursor = node.walk();
            left.extend(node.children(&mut cursor));
        }
    }

    fn repeated_attributes(&mut self, body: Node<'_>, text: &str) {
        let mut seen = HashSet::new();
        let mut cursor = body.walk();
        for attribute in body.children(&mut cursor).filter(|child| child.kind() == "attribute") {
            let name = attribute.child(0).map(|name| name.byte_range());
            let Some(range) = name else { continue };
            let name = text.get(range.clone()).unwrap_or_default();
            if !seen.insert(name) {
                self.blanks.push(attribute.byte_range());
                let place = Place { start: range.start as u32, end: range.end as u32 };
                self.flaws.push(Flaw::twice(place, name));
            }
        }
    }

    /// Of equal keys Terraform takes the last.
    fn repeated_keys(&mut self, object: Node<'_>, text: &str) {
        let mut seen: HashMap<&str, Range<usize>> = HashMap::new();
        let mut cursor = object.walk();
        let children: Vec<_> = object.children(&mut cursor).collect();
        for (index, item) in children.iter().enumerate().filter(|(_, child)| child.kind() == "object_elem") {
            let key = item.child_by_field_name("key").and_then(|key| text.get(key.byte_range()));
            let Some(key) = key else { continue };
            let comma = children.get(index + 1).filter(|next| next.kind() == ",");
            let range = item.start_byte()..comma.map_or(item.end_byte(), Node::end_byte);
            if let Some(earlier) = seen.insert(key, range) {
                self.blanks.push(earlier);
            }
        }
    }

    fn apply(&self, text: &str, offset: usize) -> String {
        let mut bytes = text.as_bytes().to_vec();
        let mut blank = |range: &Range<usize>, blanks: &dyn Fn(usize, u8) -> bool| {
            let range = range.start.saturating_sub(offset)..range.end.saturating_sub(offset);
            for (at, byte) in bytes.iter_mut().enumerate().skip(range.start).take(range.len()) {
                if blanks(at + offset, *byte) {
                    *byte = b' ';
                }
            }
        };
        let mut heredocs = self.heredocs.clone();
        heredocs.sort_by_key(|heredoc| heredoc.start);
        let in_heredoc = |at: usize| {
            let before = heredocs.partition_point(|heredoc| heredoc.start <= at);
            heredocs.get(before.saturating_sub(1)).is_some_and(|heredoc| heredoc.contains(&at))
        };
        self.blanks.iter().for_each(|range| blank(range, &|_, byte| byte != b'\n'));
        self.breaks.iter().for_each(|range| blank(range, &|at, byte| matches!(byte, b'\n' | b'\r') && !in_heredoc(at)));
        String::from_utf8(bytes).unwrap_or_default()
    }
}

impl Flaw {
    fn twice(place: Place, name: &str) -> Self {
        Self {
            kind: ProblemKind::Partial,
            place,
            message: format!("{name} is set twice in one block; the first one was read"),
            remedy: "remove one of them",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse_native;
    use super::*;

    fn names(parsed: &Parsed) -> Vec<String> {
        parsed
            .body
            .blocks()
            .map(|block| block.labels.iter().map(|label| &*label.text).collect::<Vec<_>>().join("."))
            .collect()
    }

    #[test]
    fn the_blocks_around_a_broken_one_are_read() {
        let text = "resource \"a\" \"x\" {\n  b = 1\n}\nresource \"a\" \"broken\" {\n  b = = 2\n}\nresource \"a\" \"y\" {\n  b = 3\n}\n";
        let parsed = parse_native(text, 0);
        assert_eq!(names(&parsed), ["a.x", "a.y"]);
        assert_eq!(parsed.flaws.len(), 1, "{:?}", parsed.flaws);
        let line = text[..parsed.flaws[0].place.start as usize].matches('\n').count() + 1;
        assert_eq!(line, 5);
    }

    #[test]
    fn a_missing_brace_hides_nothing_that_begins_a_line() {
        let parsed =
            parse_native("resource \"a\" \"open\" {\n  b {\n    c = 1\n}\nresource \"a\" \"y\" {\n  b = 3\n}\n", 0);
        assert_eq!(names(&parsed), ["a.y"]);
        assert_eq!(parsed.flaws.len(), 1, "{:?}", parsed.flaws);
    }

    #[test]
    fn what_terraform_accepts_is_read_although_the_parser_refuses_it() {
        let parsed = parse_native(
            "locals {\n  a = { for k, v in var.x :\n    k => v\n      ? 1 # why\n      : 2 }\n  b = { c = 1, c = 2, \"d\" = <<E\n x\nE\n }\n}\n",
            0,
        );
        assert_eq!(parsed.flaws, []);
        let block = parsed.body.blocks().next().unwrap();
        let b = format!("{:?}", block.body.attribute("b").unwrap().value.kind);
        assert!(b.contains("Whole(2)") && !b.contains("Whole(1)"), "{b}");
    }

    #[test]
    fn an_attribute_set_twice_is_said_and_the_block_is_read() {
        let parsed = parse_native("resource \"a\" \"x\" {\n  b = 1\n  b = 2\n  c = 3\n}\n", 0);
        assert_eq!(names(&parsed), ["a.x"]);
        assert_eq!(parsed.flaws.len(), 1);
        assert!(parsed.flaws[0].message.starts_with("b is set twice"));
    }

    #[test]
    fn hostile_text_is_a_flaw_and_no_crash() {
        let deep = format!("a = {}1{}\n", "[".repeat(50_000), "]".repeat(50_000));
        let chain = format!("a = {}\n", vec!["1"; 5_000].join(" + "));
        let braces = "a {\n".repeat(20_000);
        let templates = format!("a = {}\n", "\"${".repeat(5_000));
        for text in [&*deep, &*chain, &*braces, &*templates, "\u{0}", "}", "a = \"", "<<", "a = <<E\n", "="] {
            assert!(!parse_native(text, 0).flaws.is_empty(), "{}", &text[..text.len().min(40)]);
        }
    }
}
