//! One file's text to its body: hcl-edit reads it; where it refuses, what is around the broken place is read all the same.

use std::borrow::Cow;
use std::cell::Cell;

use super::ir::{Body, Expr, FileIndex, Place};
use super::lower::Source;
use super::{heredoc, recover, template};
use crate::resource::ProblemKind;

/// Most items of one object: hcl-edit takes the square of their number.
const OBJECT_LIMIT: usize = 4_096;

/// Most heredocs without a line in one file: the file is read again for each.
const EMPTY_HEREDOC_LIMIT: usize = 32;

/// A place in a file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub kind: ProblemKind,
    pub place: Place,
    pub message: String,
    pub remedy: &'static str,
}

impl Flaw {
    /// Something that is well formed, but not Terraform.
    pub(crate) fn misplaced(place: Place, message: String) -> Self {
        Self { kind: ProblemKind::Partial, place, message, remedy: "correct it, or remove it" }
    }

    pub(super) fn syntax(place: Place, message: &str) -> Self {
        Self {
            kind: ProblemKind::Partial,
            place,
            message: format!("the syntax is wrong here: {message}"),
            remedy: "correct the syntax; the blocks around it were read",
        }
    }
}

/// A file's body, and what of it could not be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parsed {
    pub body: Body,
    pub flaws: Vec<Flaw>,
}

/// Reads native syntax.
pub(crate) fn parse_native(text: &str, file: FileIndex) -> Parsed {
    let found = Cell::new(None);
    if let Some(at) = crowded_object(text) {
        let flaw = Flaw {
            kind: ProblemKind::Limit,
            place: Source { text, file, offset: 0, fixed: None, empty_heredoc: &found }.place(Some(at..at + 1)),
            message: format!("an object has more than {OBJECT_LIMIT} items, the most that are read"),
            remedy: "split the object",
        };
        return Parsed { body: Body::default(), flaws: vec![flaw] };
    }
    let mut text = Cow::Borrowed(text);
    for _ in 0..EMPTY_HEREDOC_LIMIT {
        let source = Source { text: &text, file, offset: 0, fixed: None, empty_heredoc: &found };
        let parsed = match hcl_edit::parser::parse_body(&text) {
            Ok(body) => Parsed { body: source.body(&body), flaws: Vec::new() },
            Err(error) => {
                found.set(heredoc::first_empty(&text));
                if found.get().is_some() { Parsed::default() } else { recover::recover(source, &error) }
            }
        };
        match found.take().and_then(|at| heredoc::without_empty(&text, at)) {
            Some(repaired) => text = Cow::Owned(repaired),
            None => return parsed,
        }
    }
    let flaw = Flaw {
        kind: ProblemKind::Limit,
        place: Place::default(),
        message: format!("more than {EMPTY_HEREDOC_LIMIT} heredocs have no line, the most that are read"),
        remedy: "write empty text as \"\"",
    };
    Parsed { body: Body::default(), flaws: vec![flaw] }
}

/// Reads one expression that a JSON string holds in full (a type, a reference).
pub(crate) fn parse_expression(text: &str, place: Place) -> Result<Expr, String> {
    let parsed = hcl_edit::parser::parse_expr(text).map_err(|error| error.message().to_owned())?;
    let expr = Source { text, file: 0, offset: 0, fixed: Some(place), empty_heredoc: &Cell::new(None) }.expr(&parsed);
    Ok(Expr { place, ..expr })
}

/// Reads a template: the content of a file (`place` is `None`) or of a JSON string, which lies at one place as a whole.
pub(crate) fn parse_template(text: &str, place: Option<Place>) -> Result<Expr, String> {
    let parsed = hcl_edit::parser::parse_template(text).map_err(|error| error.message().to_owned())?;
    let found = Cell::new(None);
    let source = Source { text, file: 0, offset: 0, fixed: place, empty_heredoc: &found };
    Ok(template::bare(&source, &parsed, source.place(Some(0..text.len()))))
}

/// The place of an object (or anything in braces) with more items than are read. Only files with as many signs are looked at.
fn crowded_object(text: &str) -> Option<usize> {
    let signs = text.bytes().filter(|byte| matches!(byte, b'=' | b':')).count();
    if signs <= OBJECT_LIMIT {
        return None;
    }
    let mut open: Vec<(usize, usize)> = Vec::new();
    let (mut quoted, mut comment, mut before) = (false, false, 0_u8);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' => (quoted, comment) = (false, false),
            _ if comment => {}
            b'"' if before != b'\\' => quoted = !quoted,
            _ if quoted => {}
            b'#' => comment = true,
            b'{' => open.push((at, 0)),
            b'}' => drop(open.pop()),
            b'=' | b':' => {
                if let Some((start, count)) = open.last_mut() {
                    *count += 1;
                    if *count > OBJECT_LIMIT {
                        return Some(*start);
                    }
                }
            }
            _ => {}
        }
        before = byte;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::terraform::syntax::ir::{Item, Kind};

    fn template(text: &str) -> String {
        let parsed = parse_native(&format!("a = {text}\n"), 0);
        assert_eq!(parsed.flaws, []);
        let value = &parsed.body.attribute("a").unwrap().value;
        match &value.kind {
            Kind::Text(text) => text.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn heredocs_lose_the_indentation_they_share() {
        assert_eq!(template("<<EOT\n  a\n b\nEOT"), "  a\n b\n");
        assert_eq!(template("<<-EOT\n    a\n\n      b\n    EOT"), "a\n\n  b\n");
        assert_eq!(template("<<-EOT\n  $${x}\n  %%{y}\n  EOT"), "${x}\n%{y}\n");
    }

    #[test]
    fn an_empty_heredoc_ends_where_it_ends() {
        let text = "a = <<EOT\nEOT\nb = [<<-X\n  X\n, <<X\nc\nX\n]\nd = <<EOT\nx <<Y\nY\nEOT\n";
        let parsed = parse_native(text, 0);
        assert_eq!(parsed.flaws, []);
        let kinds: Vec<String> = parsed.body.attributes().map(|a| format!("{:?}", a.value.kind)).collect();
        assert_eq!(kinds[0], "Text(\"\")");
        assert!(kinds[1].contains("Text(\"\")") && kinds[1].contains("Text(\"c\\n\")"), "{}", kinds[1]);
        assert_eq!(kinds[2], "Text(\"x <<Y\\nY\\n\")");
        assert_eq!(parse_native("a = <<EOT\nEOT\n", 0).flaws, []);
    }

    #[test]
    fn every_place_lies_where_the_text_says() {
        let text = "resource \"a\" \"b\" {\n  tags = { Name = \"ü${var.x}\", \"k\" : 1 }\n  b {\n  }\n}\n";
        let parsed = parse_native(text, 0);
        let slice = |place: Place| &text[place.start as usize..place.end as usize];
        let block = parsed.body.blocks().next().unwrap();
        assert_eq!(slice(block.header), "resource \"a\" \"b\"");
        assert_eq!(slice(block.place), text.trim_end());
        let Item::Attribute(tags) = &block.body.items[0] else { panic!() };
        assert_eq!(slice(tags.value.place), "{ Name = \"ü${var.x}\", \"k\" : 1 }");
        let Kind::Object(items) = &tags.value.kind else { panic!() };
        let key = |at: usize| match &items[at].0 {
            crate::formats::terraform::syntax::ir::ObjectKey::Name(name) => slice(name.place),
            other => panic!("{other:?}"),
        };
        assert_eq!([key(0), key(1)], ["Name", "\"k\""]);
        assert_eq!(slice(items[0].1.place), "\"ü${var.x}\"");
    }

    #[test]
    fn a_crowded_object_is_refused_with_its_figure() {
        let items = (0..5_000).map(|i| format!("k{i} = {i}\n")).collect::<String>();
        let parsed = parse_native(&format!("locals {{\n  a = {{\n{items}}}\n}}\n"), 0);
        assert!(parsed.flaws[0].message.contains("4096"), "{:?}", parsed.flaws);
    }
}
