//! `portcullis policy`: find, read, write and test policies.

mod docs;
mod list;
mod new;
mod shelf;
mod show;
mod test;

use clap::{Args, Subcommand};

use super::Ending;

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
    New(new::NewArguments),
    Test(test::TestArguments),
    Docs(docs::DocsArguments),
}

/// Runs a subcommand.
pub(super) fn policy(arguments: &PolicyArguments) -> anyhow::Result<Ending> {
    match &arguments.command {
        Command::List(arguments) => list::list(arguments),
        Command::Show(arguments) => show::show(arguments),
        Command::New(arguments) => new::new(arguments),
        Command::Test(arguments) => test::test(arguments),
        Command::Docs(arguments) => docs::docs(arguments),
    }
}
