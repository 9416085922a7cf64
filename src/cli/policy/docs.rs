//! `portcullis policy docs`: the catalogue as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::Args;
use portcullis_engine::policy::Policy;
use portcullis_engine::reports::{markdown_code, markdown_text};

use super::super::{Ending, write_out};
use super::shelf::{ShelfArguments, formats};

/// Write the catalogue as a Markdown page.
#[derive(Args)]
pub(super) struct DocsArguments {
    #[command(flatten)]
    shelf: ShelfArguments,
}

/// Prints the page.
pub(super) fn docs(arguments: &DocsArguments) -> anyhow::Result<Ending> {
    let shelf = arguments.shelf.shelf()?;
    let mut families: BTreeMap<&str, Vec<&Policy>> = BTreeMap::new();
    let policies: Vec<&Policy> = shelf.named(&[])?.into_iter().map(|(policy, _)| policy).collect();
    for policy in &policies {
        let family = policy.metadata.id.as_str().split('-').next().unwrap_or_default();
        families.entry(family).or_default().push(policy);
    }
    let mut page = format!("# Policies\n\n{} policies.\n\n", policies.len());
    for (family, policies) in families {
        let _ = write!(
            page,
            "## {family}\n\n| severity | policy | what holds | formats | frameworks |\n| --- | --- | --- | --- | --- |\n"
        );
        for policy in policies {
            page.push_str(&row(policy));
        }
        page.push('\n');
    }
    write_out(&page)?;
    Ok(Ending::Clean)
}

fn row(policy: &Policy) -> String {
    let metadata = &policy.metadata;
    let frameworks: Vec<String> = metadata
        .frameworks
        .iter()
        .map(|(name, clauses)| format!("{} {}", markdown_text(name), markdown_text(&clauses.join(", "))))
        .collect();
    format!(
        "| {} | {} | {} | {} | {} |\n",
        metadata.severity,
        markdown_code(metadata.id.as_str()),
        markdown_text(&metadata.title),
        formats(policy).join(", "),
        frameworks.join("; "),
    )
}
