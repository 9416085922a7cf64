//! `portcullis policy test`: every example of every policy, and how long it takes.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use clap::Args;
use portcullis_engine::policy::Example;
use portcullis_engine::proof::{Failure, prove};
use portcullis_engine::schemas::{self, Schemas};

use super::super::{Ending, write_out};
use super::shelf::{Shelf, ShelfArguments};
use crate::policy_folder::PolicyFile;

/// Lines of an example shown before and behind the line that matters.
const AROUND: usize = 2;

/// Run the examples of policies: each must answer what it says. And look every type, attribute and value up that they name.
///
/// Exit code 0: all is right. 1: some is not. 2: a policy file has mistakes.
#[derive(Args)]
pub(super) struct TestArguments {
    /// Only these policies: ids or globs of ids.
    #[arg(value_name = "POLICY")]
    names: Vec<String>,

    /// Name every policy, with its time.
    #[arg(short, long)]
    verbose: bool,

    #[command(flatten)]
    shelf: ShelfArguments,
}

/// Runs them and prints what is wrong.
pub(super) fn test(arguments: &TestArguments) -> anyhow::Result<Ending> {
    let shelf = arguments.shelf.shelf()?;
    let schemas = Schemas::load().map_err(anyhow::Error::msg)?;
    let mut text = String::new();
    let (mut files, mut examples, mut wrong) = (0, 0, 0);
    let started = Instant::now();
    for book in chosen(&shelf, &arguments.names)? {
        let begun = Instant::now();
        let failures = prove(&book.loaded, &shelf.library)?;
        if arguments.verbose {
            let mark = if failures.is_empty() { "ok" } else { "WRONG" };
            let count = book.loaded.examples.len();
            let _ = writeln!(text, "{mark:<5}  {:>7}  {count:>3} examples  {}", time(begun.elapsed()), book.path);
        }
        let findings = schemas::check(&book.path, &book.loaded, &shelf.library, &schemas);
        for finding in &findings {
            let _ = writeln!(text, "{finding}");
        }
        for failure in &failures {
            text.push_str(&explained(failure, book));
        }
        files += 1;
        examples += book.loaded.examples.len();
        wrong += failures.len() + findings.len();
    }
    let verdict = if wrong == 0 { "all as they say".to_owned() } else { format!("{wrong} wrong") };
    let _ = writeln!(text, "{examples} examples of {files} files: {verdict} ({})", time(started.elapsed()));
    write_out(&text)?;
    Ok(if wrong == 0 { Ending::Clean } else { Ending::Violations })
}

/// The files that hold the policies named, each once.
fn chosen<'s>(shelf: &'s Shelf, names: &[String]) -> anyhow::Result<Vec<&'s PolicyFile>> {
    let mut books: Vec<&PolicyFile> = shelf.named(names)?.into_iter().map(|(_, book)| book).collect();
    books.sort_by(|a, b| a.path.cmp(&b.path));
    books.dedup_by(|a, b| a.path == b.path);
    Ok(books)
}

/// What is wrong with an example, with its text.
fn explained(failure: &Failure, book: &PolicyFile) -> String {
    let mut text = format!("{}:{}: {}\n", book.path, failure.place.line, failure.message);
    let example = book.loaded.examples.iter().find(|example| example.place == failure.place);
    for (path, line) in example.map(Example::expected_lines).unwrap_or_default() {
        let file = example.into_iter().flat_map(|example| &example.files).find(|(name, _)| name == path);
        let first = (line as usize).saturating_sub(AROUND + 1);
        let lines = file.into_iter().flat_map(|(_, text)| text.lines().zip(1_u32..));
        for (content, number) in lines.skip(first).take(2 * AROUND + 1) {
            let mark = if number == line { ">" } else { " " };
            let _ = writeln!(text, "  {mark} {path}:{number:<3} {content}");
        }
    }
    text.push('\n');
    text
}

fn time(elapsed: Duration) -> String {
    format!("{:.1} ms", elapsed.as_secs_f64() * 1_000.0)
}
