//! What the comments of a file silence: its comments from the text, what they speak of from its tree.

use super::syntax::comments;
use super::syntax::ir::{Body, Expr, Item, Kind, ObjectKey, Place};
use crate::resource::FileId;
use crate::source_tree::SourceFile;
use crate::suppressions::{self, Found, Outline, Reading};

/// The suppressions of a file in native syntax; JSON has no comments.
pub(super) fn read(file: &SourceFile, id: FileId, body: &Body) -> Found {
    if !suppressions::are_in(file.text()) || file.path().as_str().ends_with(".json") {
        return Found::default();
    }
    let mut outline = Outline::default();
    outline.declarations.extend(body.blocks().map(|block| bytes(block.place)));
    parts(body, &mut outline);
    let mut reading = Reading::new(file, id);
    reading.comments(&comments(file.text()), &outline);
    reading.finish()
}

fn bytes(place: Place) -> std::ops::Range<usize> {
    place.start as usize..place.end as usize
}

fn parts(body: &Body, outline: &mut Outline) {
    for item in &body.items {
        match item {
            Item::Attribute(attribute) => {
                outline.parts.push(bytes(attribute.name.place.to(attribute.value.place)));
                attribute.value.walk(&mut |expr| elements(expr, outline));
            }
            Item::Block(block) => {
                outline.parts.push(bytes(block.place));
                parts(&block.body, outline);
            }
        }
    }
}

fn elements(expr: &Expr, outline: &mut Outline) {
    match &expr.kind {
        Kind::Tuple(items) => outline.parts.extend(items.iter().map(|item| bytes(item.place))),
        Kind::Object(items) => {
            let key = |key: &ObjectKey| match key {
                ObjectKey::Name(name) => name.place,
                ObjectKey::Expr(expr) => expr.place,
            };
            outline.parts.extend(items.iter().map(|(name, value)| bytes(key(name).to(value.place))));
        }
        _ => {}
    }
}
