//! What a file's comments and its objects' annotations silence.

use std::ops::Range;

use crate::resource::{Data, FileId, Resource, Span, Value};
use crate::source_tree::SourceFile;
use crate::suppressions::{self, Found, Outline, Reading};
use crate::syntax::yaml_comments;

pub(super) fn read(file: &SourceFile, id: FileId, documents: &[Value], resources: &[Resource]) -> Found {
    if !suppressions::are_in(file.text()) {
        return Found::default();
    }
    let mut reading = Reading::new(file, id);
    let is_json = file.path().extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    if !is_json {
        let mut outline = Outline::default();
        outline.declarations.extend(resources.iter().map(|resource| bytes(resource.span)));
        for document in documents {
            outline.parts.push(bytes(document.span()));
            parts(document, &mut outline.parts);
        }
        reading.comments(&yaml_comments(file.text()), &outline);
    }
    for resource in resources {
        let annotations = resource.attributes.dig(&["metadata", "annotations"]).and_then(Value::as_map);
        for (key, value) in annotations.map(|map| map.entries()).unwrap_or_default() {
            let text = value.scalar_text().unwrap_or_default();
            reading.annotation(&key.text, &text, key.span.to(value.span()), resource.span);
        }
    }
    reading.finish()
}

fn bytes(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

/// Everything that has a place of its own; what an alias stands for lies elsewhere.
fn parts(value: &Value, found: &mut Vec<Range<usize>>) {
    let whole = value.span();
    match value.data() {
        Data::Map(map) => {
            for (key, inner) in map.entries().iter().filter(|(key, _)| whole.contains(key.span)) {
                let is_alias = !whole.contains(inner.span());
                found.push(bytes(if is_alias { key.span } else { key.span.to(inner.span()) }));
                if !is_alias {
                    parts(inner, found);
                }
            }
        }
        Data::List(list) => {
            for inner in list.items.iter().filter(|inner| whole.contains(inner.span())) {
                found.push(bytes(inner.span()));
                parts(inner, found);
            }
        }
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) | Data::Unknown(_) | Data::OneOf(_) => {}
    }
}
