//! Terraform's text, native and JSON, as the tree the evaluator walks.

mod comments;
mod heredoc;
pub(crate) mod ir;
mod json;
mod lower;
mod parse;
mod recover;
mod template;

pub(crate) use comments::comments;
pub(crate) use json::{parse_json, parse_json_values};
#[cfg(test)]
pub(crate) use parse::parse_expression;
pub(crate) use parse::{Flaw, Parsed, parse_native, parse_template};
