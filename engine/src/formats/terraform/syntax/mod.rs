//! Terraform's text, native and JSON, as the tree the evaluator walks.

pub(crate) mod ir;
mod lower;
mod parse;
mod recover;
mod template;

pub(crate) use parse::{Flaw, Parsed, parse_expression, parse_native, parse_template};
