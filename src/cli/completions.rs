//! `portcullis completions` and `portcullis man`: what a shell and a manual need to know of the command line.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Command};
use clap_complete::Shell;

use super::{Ending, write_out};

/// Print completions for a shell.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portcullis completions bash > /etc/bash_completion.d/portcullis
  portcullis completions zsh  > \"${fpath[1]}/_portcullis\"
  portcullis completions fish > ~/.config/fish/completions/portcullis.fish")]
pub(super) struct CompletionsArguments {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or that of a command.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portcullis man policy test | man -l -
  portcullis man --folder /usr/local/share/man/man1")]
pub(super) struct ManArguments {
    /// The command.
    #[arg(value_name = "COMMAND", conflicts_with = "folder")]
    names: Vec<String>,

    /// Write the pages of all commands to this folder instead.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// Prints completions.
pub(super) fn completions(arguments: &CompletionsArguments, mut command: Command) -> anyhow::Result<Ending> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "portcullis", &mut text);
    write_out(&String::from_utf8(text)?)?;
    Ok(Ending::Clean)
}

/// Prints a page, or writes them all.
pub(super) fn man(arguments: &ManArguments, mut command: Command) -> anyhow::Result<Ending> {
    command.build();
    if let Some(folder) = &arguments.folder {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        write_pages(&command, folder)?;
        return Ok(Ending::Clean);
    }
    let mut found = &command;
    for name in &arguments.names {
        let Some(next) = found.find_subcommand(name) else { bail!("`{}` has no command `{name}`", found.get_name()) };
        found = next;
    }
    write_out(&page(found)?)?;
    Ok(Ending::Clean)
}

fn write_pages(command: &Command, folder: &Path) -> anyhow::Result<()> {
    let file = folder.join(format!("{}.1", page_name(command)));
    fs::write(&file, page(command)?).with_context(|| format!("{} cannot be written", file.display()))?;
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help");
    shown.into_iter().try_for_each(|command| write_pages(command, folder))
}

/// `portcullis-policy-test`.
fn page_name(command: &Command) -> String {
    command.get_bin_name().unwrap_or(command.get_name()).replace(' ', "-")
}

fn page(command: &Command) -> anyhow::Result<String> {
    let mut text = Vec::new();
    let named = command.clone().display_name(page_name(command));
    clap_mangen::Man::new(named).title(page_name(command)).render(&mut text).context("the page cannot be made")?;
    Ok(String::from_utf8(text)?)
}
