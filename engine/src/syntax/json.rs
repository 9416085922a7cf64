//! JSON text as a tree of values; comments and trailing commas are understood, as editors and ARM templates write them.

use jsonc_parser::ast::Value as Ast;
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::SyntaxError;
use crate::resource::{Data, FileId, Key, ListKind, MapKind, Number, Span, Value};

/// Reads a JSON text, nested at most 512 deep. `offset` is added to every span: where the text begins in its file.
///
/// # Errors
/// The first place that is no JSON.
pub fn parse_json(text: &str, file: FileId, offset: usize) -> Result<Value, SyntaxError> {
    let place = Place { file, offset };
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_missing_commas: false,
        allow_loose_object_property_names: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options).map_err(|error| SyntaxError {
        span: place.span(error.range()),
        message: error.kind().to_string(),
        recovered: false,
    })?;
    match parsed.value {
        Some(ast) => Ok(place.value(&ast)),
        None => Err(SyntaxError {
            span: place.span(Range::new(0, 0)),
            message: "the text is empty".into(),
            recovered: false,
        }),
    }
}

#[derive(Clone, Copy)]
struct Place {
    file: FileId,
    offset: usize,
}

impl Place {
    fn span(self, range: Range) -> Span {
        Span::new(self.file, range.start + self.offset..range.end + self.offset)
    }

    fn value(self, ast: &Ast<'_>) -> Value {
        let span = self.span(ast.range());
        match ast {
            Ast::StringLit(text) => Value::text(&*text.value, span),
            Ast::NumberLit(number) => match Number::parse(number.value) {
                Some(number) => Value::number(number, span),
                None => Value::text(number.value, span),
            },
            Ast::BooleanLit(value) => Value::bool(value.value, span),
            Ast::NullKeyword(_) => Value::new(Data::Null, span),
            Ast::Array(array) => {
                let items = array.elements.iter().map(|element| self.value(element)).collect();
                Value::list(ListKind::List, items, span)
            }
            Ast::Object(object) => {
                let entry = |property: &jsonc_parser::ast::ObjectProp<'_>| {
                    let key = Key::new(property.name.as_str(), self.span(property.name.range()));
                    (key, self.value(&property.value))
                };
                Value::map(MapKind::Map, object.properties.iter().map(entry).collect(), span)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::resource::FileTable;
    use crate::source_tree::{SourceFile, TreePath};

    fn file() -> FileId {
        let file = SourceFile::from_bytes(TreePath::new("a.json").unwrap(), Vec::new()).unwrap();
        FileTable::default().add(&Arc::new(file))
    }

    #[test]
    fn values_lie_where_they_were_written() {
        let text = "{ // note\n \"a\": [1, \"x\", null], }";
        let value = parse_json(text, file(), 100).unwrap();
        let list = value.get("a").unwrap();
        assert_eq!(&text[list.span().start as usize - 100..list.span().end as usize - 100], "[1, \"x\", null]");
        assert!(list.as_list().unwrap().items[2].is_null());
    }

    #[test]
    fn what_is_no_json_is_an_error_with_a_place() {
        for bad in ["{\"a\" 1}", "", "{'a': 1}", "[1 2]", &"[".repeat(100_000)] {
            let error = parse_json(bad, file(), 0).unwrap_err();
            assert!(!error.message.is_empty());
        }
    }
}
