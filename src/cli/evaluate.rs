//! `portcullis evaluate`: what the server starts as its child; not for people.

use clap::Args;

use super::Ending;
use crate::evaluator::answer;

/// Evaluate one request from standard input, within limits.
#[derive(Args)]
#[command(hide = true)]
pub(super) struct EvaluateArguments {
    /// Most memory it may use.
    #[arg(long)]
    memory_bytes: u64,

    /// Most processor time it may use.
    #[arg(long)]
    cpu_seconds: u64,
}

/// Reads a request, writes a report.
pub(super) fn evaluate(arguments: &EvaluateArguments) -> anyhow::Result<Ending> {
    answer(arguments.memory_bytes, arguments.cpu_seconds)?;
    Ok(Ending::Clean)
}
