//! The report itself, as JSON: what other programs read.

use crate::evaluate::Report;

use super::{Context, Rendering};

pub(super) struct Json;

impl Rendering for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn render(&self, report: &Report, context: &Context<'_>) -> String {
        let document = serde_json::json!({ "version": context.version, "report": report });
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        text
    }
}
