//! `portcullis policy show`: one policy, as it is written.

use clap::Args;
use portcullis_engine::policy::Policy;

use super::super::{Ending, write_out};
use super::shelf::{ShelfArguments, formats};
use crate::policy_folder::PolicyFile;

/// Show policies: what they ask, why, how a violation is fixed, and their examples.
#[derive(Args)]
pub(super) struct ShowArguments {
    /// Ids, globs of ids, or ids of another tool (CKV_AWS_16).
    #[arg(required = true, value_name = "POLICY")]
    names: Vec<String>,

    #[command(flatten)]
    shelf: ShelfArguments,
}

/// Prints them.
pub(super) fn show(arguments: &ShowArguments) -> anyhow::Result<Ending> {
    let shelf = arguments.shelf.shelf()?;
    let shown: Vec<String> =
        shelf.named(&arguments.names)?.into_iter().map(|(policy, book)| shown(policy, book)).collect();
    write_out(&shown.join("\n"))?;
    Ok(Ending::Clean)
}

fn shown(policy: &Policy, book: &PolicyFile) -> String {
    let metadata = &policy.metadata;
    let mut text = format!("{}\n{}\n\n", metadata.title, "─".repeat(metadata.title.chars().count()));
    let mut line = |name: &str, words: &str| {
        if !words.is_empty() {
            text.push_str(&format!("{name:<10}{words}\n"));
        }
    };
    line("id", metadata.id.as_str());
    line("severity", metadata.severity.name());
    line("formats", &formats(policy).join(", "));
    line("why", &metadata.description);
    line("fix", &metadata.remediation);
    for (framework, clauses) in &metadata.frameworks {
        line("framework", &format!("{framework} {}", clauses.join(", ")));
    }
    line("same as", &metadata.aliases.join(", "));
    line("covers", &metadata.covers.join(", "));
    line("file", &book.path);
    text.push('\n');
    for section in sections(&book.text) {
        text.push_str(section);
        text.push('\n');
    }
    text
}

/// The file without what was said above: from the first line on that opens a section.
fn sections(text: &str) -> impl Iterator<Item = &str> {
    const SAID: [&str; 8] =
        ["id:", "title:", "severity:", "description:", "remediation:", "frameworks:", "aliases:", "covers:"];
    let is_said = |line: &&str| SAID.iter().any(|key| line.starts_with(key)) || line.starts_with([' ', '-', '#']);
    text.lines().skip_while(is_said)
}
