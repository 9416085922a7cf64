//! `portcullis policy schema`: what an editor needs to know of policy files.

use clap::Args;
use portcullis_engine::policy_schema::policy_schema;

use super::super::{Ending, write_out};

/// Print the JSON Schema of policy files, for editors.
///
/// It is published as docs/policy.schema.json. A policy written by `portcullis policy new` names it in its first line, which
/// editors with a YAML language server follow.
#[derive(Args)]
pub(super) struct SchemaArguments {}

/// Prints the schema.
pub(super) fn schema() -> anyhow::Result<Ending> {
    write_out(&format!("{}\n", serde_json::to_string_pretty(&policy_schema())?))?;
    Ok(Ending::Clean)
}
