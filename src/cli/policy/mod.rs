//! `portcullis policy`: find, read, write and test policies.

mod docs;
mod explain;
mod list;
mod new;
mod schema;
mod shelf;
mod show;
mod test;

use clap::{Args, Subcommand};

use super::Ending;
use super::terminal::Color;

/// Find, read, write and test policies.
#[derive(Args)]
pub(super) struct PolicyArguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::ListArguments),
    Show(show::ShowArguments),
    Explain(explain::ExplainArguments),
    New(new::NewArguments),
    Test(test::TestArguments),
    Docs(docs::DocsArguments),
    Schema(schema::SchemaArguments),
}

/// Runs a subcommand.
pub(super) fn policy(arguments: &PolicyArguments, color: Color) -> anyhow::Result<Ending> {
    match &arguments.command {
        Command::List(arguments) => list::list(arguments),
        Command::Show(arguments) => show::show(arguments),
        Command::Explain(arguments) => explain::explain(arguments, color),
        Command::New(arguments) => new::new(arguments),
        Command::Test(arguments) => test::test(arguments, color),
        Command::Docs(arguments) => docs::docs(arguments),
        Command::Schema(_) => schema::schema(),
    }
}
