//! Terraform's text, native and JSON, as the tree the evaluator walks.

pub(crate) mod ir;
mod json;
mod lower;
mod parse;
mod recover;
mod template;

pub(crate) use json::{parse_json, parse_json_values};
pub(crate) use parse::{Flaw, Parsed, parse_expression, parse_native, parse_template};
