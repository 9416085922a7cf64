//! Override files (`override.tf`, `*_override.tf`): what they say replaces what the other files of the folder say.

use std::sync::Arc;

use crate::formats::terraform::syntax::Flaw;
use crate::formats::terraform::syntax::ir::{Block, Body, FileIndex, Item};

/// Whether a file's name makes it an override.
pub(crate) fn is_override(file_name: &str) -> bool {
    let stem = file_name.strip_suffix(".json").unwrap_or(file_name);
    let stem = stem.strip_suffix(".tf").or_else(|| stem.strip_suffix(".tofu")).unwrap_or(stem);
    stem == "override" || stem.ends_with("_override")
}

/// Applies one override file to the bodies of the folder, and says what it could not apply.
pub(crate) fn apply(bodies: &mut [Body], overrides: &Body) -> Vec<(FileIndex, Flaw)> {
    let mut flaws = Vec::new();
    for block in overrides.blocks() {
        let applied =
            if &*block.kind.text == "locals" { override_locals(bodies, block) } else { override_block(bodies, block) };
        if !applied {
            let message =
                format!("this {} overrides nothing: no other file of the folder declares it", block.kind.text);
            flaws.push((block.file, Flaw::misplaced(block.header, message)));
        }
    }
    flaws
}

fn override_block(bodies: &mut [Body], with: &Arc<Block>) -> bool {
    for item in bodies.iter_mut().flat_map(|body| &mut body.items) {
        if let Item::Block(block) = item
            && declares_the_same(block, with)
        {
            let body = merged(&block.body, &with.body);
            *block = Arc::new(Block { body, ..(**block).clone() });
            return true;
        }
    }
    // Settings and providers may stand in an override file alone.
    if matches!(&*with.kind.text, "terraform" | "provider")
        && let Some(body) = bodies.first_mut()
    {
        body.items.push(Item::Block(Arc::clone(with)));
        return true;
    }
    false
}

fn declares_the_same(a: &Block, b: &Block) -> bool {
    let alias = |block: &Block| block.body.attribute("alias").and_then(|alias| alias.value.as_text().cloned());
    a.kind.text == b.kind.text
        && a.labels.len() == b.labels.len()
        && a.labels.iter().zip(&b.labels).all(|(a, b)| a.text == b.text)
        && alias(a) == alias(b)
}

/// Attributes one by one; nested blocks all of a kind together.
fn merged(base: &Body, with: &Body) -> Body {
    let kept = |item: &&Item| match item {
        Item::Attribute(attribute) => with.attribute(&attribute.name.text).is_none(),
        Item::Block(block) => !with.blocks().any(|other| replaces(other, block)),
    };
    let items = base.items.iter().filter(kept).chain(&with.items).cloned().collect();
    Body { items, place: base.place }
}

fn replaces(with: &Block, base: &Block) -> bool {
    let kind =
        |block: &Block| if &*block.kind.text == "dynamic" { block.label(0).into() } else { block.kind.text.clone() };
    kind(with) == kind(base)
}

fn override_locals(bodies: &mut [Body], with: &Block) -> bool {
    let mut left: Vec<_> = with.body.attributes().cloned().collect();
    for item in bodies.iter_mut().flat_map(|body| &mut body.items) {
        let Item::Block(block) = item else { continue };
        if &*block.kind.text != "locals" || !left.iter().any(|new| block.body.attribute(&new.name.text).is_some()) {
            continue;
        }
        let mut changed = (**block).clone();
        for item in &mut changed.body.items {
            let Item::Attribute(attribute) = item else { continue };
            if let Some(index) = left.iter().position(|new| new.name.text == attribute.name.text) {
                *attribute = left.swap_remove(index);
            }
        }
        *block = Arc::new(changed);
    }
    left.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::terraform::syntax::parse_native;

    #[test]
    fn an_override_replaces_attributes_and_blocks_of_its_kind() {
        let base = "resource \"a\" \"b\" {\n  x = 1\n  y = 1\n  in {\n  }\n  in {\n  }\n  out {\n  }\n}\nlocals {\n  l = 1\n}\n";
        let over = "resource \"a\" \"b\" {\n  x = 2\n  in {\n    z = 3\n  }\n}\nlocals {\n  l = 2\n}\nresource \"a\" \"none\" {\n}\n";
        let mut bodies = vec![parse_native(base, 0).body];
        let flaws = apply(&mut bodies, &parse_native(over, 1).body);
        assert_eq!(flaws.len(), 1);
        let block = bodies[0].block("resource").unwrap();
        let files: Vec<_> = block.body.attributes().map(|a| (a.name.text.to_string(), a.file)).collect();
        assert_eq!(files, [("y".to_owned(), 0), ("x".to_owned(), 1)]);
        assert_eq!(block.body.blocks().map(|b| (&*b.kind.text, b.file)).collect::<Vec<_>>(), [("out", 0), ("in", 1)]);
        assert_eq!(bodies[0].block("locals").unwrap().body.attribute("l").unwrap().file, 1);
        assert!(is_override("a_override.tf.json") && is_override("override.tf") && !is_override("overrides.tf"));
    }
}
