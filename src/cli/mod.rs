//! The command line: one file per subcommand.

mod completions;
mod demo;
mod evaluate;
mod policy;
mod scan;
mod serve;
mod terminal;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory as _, Parser, Subcommand};
use portcullis_engine::policy::Severity;

/// Checks infrastructure-as-code against policy: on every pull request, or here and now.
#[derive(Parser)]
#[command(
    name = "portcullis",
    version,
    about,
    max_term_width = 100,
    after_help = "\
Examples:
  portcullis demo                        see it work, with nothing set up
  portcullis scan .                      check what lies here
  portcullis policy explain main.tf:12   why policies answer as they do there
  portcullis policy new own-rule         write a policy

Exit codes:
  0  clean
  1  violations
  2  bad usage, or an error of the program"
)]
struct Arguments {
    /// When colours and links are used.
    #[arg(long, value_enum, default_value_t, global = true, value_name = "WHEN", hide_possible_values = true)]
    color: terminal::Color,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::ServeArguments),
    Scan(scan::ScanArguments),
    Policy(policy::PolicyArguments),
    Demo(demo::DemoArguments),
    Completions(completions::CompletionsArguments),
    Man(completions::ManArguments),
    Evaluate(evaluate::EvaluateArguments),
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Nothing stands in the way.
    Clean,
    /// Violations, or places that could not be read.
    Violations,
}

/// Runs the program: exit code 0 clean, 1 violations, 2 bad usage or our own error.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let color = arguments.color;
    let ending = match arguments.command {
        Command::Serve(arguments) => serve::serve(&arguments),
        Command::Scan(arguments) => scan::scan(&arguments, color),
        Command::Policy(arguments) => policy::policy(&arguments, color),
        Command::Demo(arguments) => demo::demo(&arguments),
        Command::Completions(arguments) => completions::completions(&arguments, Arguments::command()),
        Command::Man(arguments) => completions::man(&arguments, Arguments::command()),
        Command::Evaluate(arguments) => evaluate::evaluate(&arguments),
    };
    match ending {
        Ok(Ending::Clean) => ExitCode::SUCCESS,
        Ok(Ending::Violations) => ExitCode::from(1),
        Err(error) => {
            complain(&error);
            ExitCode::from(2)
        }
    }
}

/// Writes to standard output; a reader that has seen enough is no error.
fn write_out(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("standard output cannot be written"),
    }
}

/// A severity as typed.
fn severity(name: &str) -> Result<Severity, String> {
    let found = Severity::WORST_FIRST.into_iter().find(|severity| severity.name().eq_ignore_ascii_case(name));
    found.ok_or_else(|| "severities are critical, high, medium, low".to_owned())
}

#[expect(clippy::print_stderr, reason = "the command line's own voice")]
fn complain(error: &anyhow::Error) {
    eprintln!("portcullis: {error:#}");
}
