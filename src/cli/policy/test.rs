//! `portcullis policy test`: every example of every policy, every part of a policy that no example needs, and how long it took.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use portcullis_engine::policy::{Catalogue, Example};
use portcullis_engine::proof::{Failure, Proof, Unneeded, prove, prove_thoroughly};
use portcullis_engine::reports::{Context, explanation};
use portcullis_engine::schemas::{self, Finding, Schemas};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::super::terminal::Color;
use super::super::{Ending, write_out};
use super::shelf::{Shelf, ShelfArguments};
use crate::policy_folder::PolicyFile;

/// Lines of an example shown before and behind the line that matters.
const AROUND: usize = 2;
/// Stack of a worker, in bytes: parsers recurse as deep as their limits allow.
const STACK_BYTES: usize = 16 * 1024 * 1024;
/// Most resources explained of one wrong example.
const EXPLAINED_LIMIT: usize = 5;

/// Run the examples of policies, and find the parts of a policy that no example needs.
///
/// Every type, attribute and value that a policy names is looked up. Each example must answer what it says; one that does not
/// is explained step by step. Then each condition, member of `any` and `all`, operator, resource type and value of a short
/// list is left out in turn: some example must notice. A part that none needs is a warning, or with --strict an error.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portcullis policy test --policies policies
  portcullis policy test 'k8s-*' --strict

Exit codes:
  0  every example answers what it says, and what is named exists
  1  something is not so; with --strict, or some part of a policy is needed by none
  2  a policy file has mistakes, or bad usage")]
pub(super) struct TestArguments {
    /// Only these policies: ids or globs of ids.
    #[arg(value_name = "POLICY")]
    names: Vec<String>,

    /// A part of a policy that no example needs is an error.
    #[arg(long, conflicts_with = "no_mutations")]
    strict: bool,

    /// Only run the examples; leave nothing out.
    #[arg(long)]
    no_mutations: bool,

    /// Name every policy, with its time.
    #[arg(short, long)]
    verbose: bool,

    #[command(flatten)]
    shelf: ShelfArguments,
}

/// What came of one file.
struct Tested<'s> {
    book: &'s PolicyFile,
    /// What the types it speaks of do not have.
    findings: Vec<Finding>,
    proof: Proof,
    took: Duration,
}

/// Runs them and prints what is wrong.
pub(super) fn test(arguments: &TestArguments, color: Color) -> anyhow::Result<Ending> {
    let shelf = arguments.shelf.shelf()?;
    let schemas = Schemas::load().map_err(anyhow::Error::msg)?;
    let started = Instant::now();
    let books = chosen(&shelf, &arguments.names)?;
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK_BYTES).build().context("threads cannot be started")?;
    let one = |book: &&'_ PolicyFile| -> anyhow::Result<(Proof, Duration)> {
        let begun = Instant::now();
        let proof = if arguments.no_mutations {
            prove(&book.loaded, &shelf.library)?
        } else {
            prove_thoroughly(&book.path, &book.text, &book.loaded, &shelf.library)?
        };
        Ok((proof, begun.elapsed()))
    };
    let proofs: Vec<(Proof, Duration)> = pool.install(|| books.par_iter().map(one).collect::<anyhow::Result<_>>())?;
    let mut tested = Vec::new();
    for (book, (proof, took)) in books.into_iter().zip(proofs) {
        let findings = schemas::check(&book.path, &book.loaded, &shelf.library, &schemas);
        tested.push(Tested { book, findings, proof, took });
    }
    write_out(&written(&tested, arguments, color))?;
    summarise(&tested, started.elapsed());
    let is_clean = |tested: &Tested<'_>| {
        let Tested { findings, proof, .. } = tested;
        findings.is_empty() && proof.failures.is_empty() && (!arguments.strict || proof.unneeded.is_empty())
    };
    Ok(if tested.iter().all(is_clean) { Ending::Clean } else { Ending::Violations })
}

fn written(tested: &[Tested<'_>], arguments: &TestArguments, color: Color) -> String {
    let mut text = String::new();
    let (mut examples, mut wrong, mut unneeded) = (0, 0, 0);
    for Tested { book, findings, proof, took } in tested {
        if arguments.verbose {
            let mark = match (proof.failures.is_empty() && findings.is_empty(), proof.unneeded.is_empty()) {
                (true, true) => "ok",
                (true, false) => "gaps",
                (false, _) => "WRONG",
            };
            let counts = format!("{:>3} examples  {:>3} parts", book.loaded.examples.len(), proof.mutations);
            let _ = writeln!(text, "{mark:<5}  {:>9}  {counts}  {}", time(*took), book.path);
        }
        for finding in findings {
            let _ = writeln!(text, "{finding}");
        }
        for failure in &proof.failures {
            text.push_str(&explained(failure, book, color));
        }
        for unneeded in &proof.unneeded {
            let Unneeded { place, .. } = unneeded;
            let word = if arguments.strict { "error" } else { "warning" };
            let _ = writeln!(text, "{}:{}:{}: {word}: {unneeded}", book.path, place.line, place.column);
        }
        examples += book.loaded.examples.len();
        wrong += proof.failures.len() + findings.len();
        unneeded += proof.unneeded.len();
    }
    let verdict = if wrong == 0 { "all as they say".to_owned() } else { format!("{wrong} wrong") };
    let gaps = match unneeded {
        0 => String::new(),
        1 => "; 1 part of a policy that no example needs".to_owned(),
        count => format!("; {count} parts of policies that no example needs"),
    };
    let files = if tested.len() == 1 { "1 file".to_owned() } else { format!("{} files", tested.len()) };
    let _ = writeln!(text, "{examples} examples of {files}: {verdict}{gaps}");
    text
}

/// How long it took, and what took longest: on standard error, so that the answer is the same each time.
#[expect(clippy::print_stderr, reason = "the command line's own voice")]
fn summarise(tested: &[Tested<'_>], elapsed: Duration) {
    let parts: usize = tested.iter().map(|tested| tested.proof.mutations).sum();
    let slowest = tested.iter().max_by_key(|tested| tested.took);
    let slowest = slowest.map(|tested| format!("; longest {} {}", tested.book.path, time(tested.took)));
    let (time, slowest) = (time(elapsed), slowest.unwrap_or_default());
    eprintln!("{} files, {parts} parts left out in turn, {time}{slowest}", tested.len());
}

/// The files that hold the policies named, each once.
fn chosen<'s>(shelf: &'s Shelf, names: &[String]) -> anyhow::Result<Vec<&'s PolicyFile>> {
    let mut books: Vec<&PolicyFile> = shelf.named(names)?.into_iter().map(|(_, book)| book).collect();
    books.sort_by(|a, b| a.path.cmp(&b.path));
    books.dedup_by(|a, b| a.path == b.path);
    Ok(books)
}

/// What is wrong with an example: its text, and step by step what the policy found in it.
fn explained(failure: &Failure, book: &PolicyFile, color: Color) -> String {
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
    if failure.explanations.is_empty() {
        text.push_str("  nothing there is of a type that the policy speaks of\n\n");
        return text;
    }
    let catalogue = Catalogue::default();
    let terminal = color.terminal(None);
    let context = Context {
        catalogue: &catalogue,
        version: env!("CARGO_PKG_VERSION"),
        prefix: "",
        terminal,
        in_full: true,
        shows_suppressed: true,
    };
    let shown = failure.explanations.get(..EXPLAINED_LIMIT).unwrap_or(&failure.explanations);
    for line in explanation(shown, &context).lines() {
        let _ = if line.is_empty() { writeln!(text) } else { writeln!(text, "  {line}") };
    }
    text.push('\n');
    text
}

fn time(elapsed: Duration) -> String {
    format!("{:.1} ms", elapsed.as_secs_f64() * 1_000.0)
}
