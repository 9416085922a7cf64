//! `portcullis policy list`: which policies there are.

use clap::{Args, ValueEnum};
use portcullis_engine::policy::{Policy, Severity};
use serde_json::json;

use super::super::{Ending, write_out};
use super::shelf::{ShelfArguments, formats, speaks_of};

/// List policies, all or those that match every filter.
#[derive(Args)]
pub(super) struct ListArguments {
    /// Words that must occur in id, title or description; or ids of another tool (CKV_AWS_16).
    #[arg(value_name = "WORD")]
    words: Vec<String>,

    /// Only this severity or worse.
    #[arg(long, value_name = "SEVERITY", value_parser = super::super::severity)]
    severity: Option<Severity>,

    /// Only those that speak of this format: terraform, kubernetes, dockerfile, everywhere.
    #[arg(long = "for", value_name = "FORMAT")]
    format: Option<String>,

    /// Only those that answer a clause of this framework (cis-aws-2.0).
    #[arg(long, value_name = "NAME")]
    framework: Option<String>,

    /// How the list is written.
    #[arg(long, value_enum, default_value_t = Form::Table)]
    format_as: Form,

    #[command(flatten)]
    shelf: ShelfArguments,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    Table,
    Json,
}

/// Prints the list.
pub(super) fn list(arguments: &ListArguments) -> anyhow::Result<Ending> {
    let shelf = arguments.shelf.shelf()?;
    let policies: Vec<&Policy> =
        shelf.named(&[])?.into_iter().map(|(policy, _)| policy).filter(|policy| arguments.wants(policy)).collect();
    let text = match arguments.format_as {
        Form::Table => table(&policies),
        Form::Json => {
            let entries: Vec<_> = policies
                .iter()
                .map(|policy| json!({ "formats": formats(policy), "policy": policy.metadata }))
                .collect();
            format!("{}\n", serde_json::to_string_pretty(&entries)?)
        }
    };
    write_out(&text)?;
    Ok(Ending::Clean)
}

impl ListArguments {
    fn wants(&self, policy: &Policy) -> bool {
        let metadata = &policy.metadata;
        let is_meant = |word: &String| speaks_of(metadata, word) || metadata.answers_to(word);
        self.words.iter().all(is_meant)
            && self.severity.is_none_or(|least| metadata.severity >= least)
            && self.format.as_ref().is_none_or(|format| formats(policy).contains(&format.as_str()))
            && self.framework.as_ref().is_none_or(|wanted| metadata.frameworks.iter().any(|(name, _)| name == wanted))
    }
}

fn table(policies: &[&Policy]) -> String {
    let width = policies.iter().map(|policy| policy.metadata.id.as_str().len()).max().unwrap_or_default();
    let mut text = String::new();
    for policy in policies {
        let metadata = &policy.metadata;
        let id = metadata.id.as_str();
        text.push_str(&format!("{:<8}  {id:<width$}  {}\n", metadata.severity.name(), metadata.title));
    }
    let noun = if policies.len() == 1 { "policy" } else { "policies" };
    text.push_str(&format!("{} {noun}\n", policies.len()));
    text
}
