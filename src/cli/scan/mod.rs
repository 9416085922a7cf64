//! `portcullis scan`: the engine on folders and files.

pub(super) mod choice;
mod evaluation;
mod outputs;
mod roots;

use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use portcullis_engine::evaluate::{Report, Verdict, against_baseline, scan as judged};
use portcullis_engine::policy::Severity;
use portcullis_engine::reports::{Context, Rendering, Terminal};

use super::Ending;
use super::terminal::{Color, DEFAULT_WIDTH};
use outputs::Output;

const SECONDS_PER_DAY: u64 = 86_400;

/// Check folders and files against all policies.
///
/// Terraform, Kubernetes manifests and Dockerfiles are found by themselves; what .gitignore files leave out is left out.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portcullis scan infra/ deploy/
  portcullis scan . --severity high --output report.sarif
  portcullis scan . --policies our-policies --skip 'docker-*'
  portcullis scan . --baseline last.json --format github
  helm template chart/ | portcullis scan - --stdin-name chart.yaml

Exit codes:
  0  clean
  1  violations, or places that could not be read; with --undecided fail, undecided answers too
  2  bad usage, or an error of the program")]
pub(super) struct ScanArguments {
    /// Folders or files, each a root of its own; `-` reads one file from standard input.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// How the report on standard output is written: text, json, sarif, junit, gitlab, github, markdown or csv.
    #[arg(short, long, default_value = "text", value_parser = outputs::rendering, help_heading = "Report")]
    format: &'static dyn Rendering,

    /// Also write the report to a file; the format is the one its name ends with. May be given several times.
    #[arg(short, long = "output", value_name = "[FORMAT=]FILE", value_parser = outputs::output, help_heading = "Report")]
    outputs: Vec<Output>,

    /// Text shows every place and every violation of low severity, however many there are.
    #[arg(long, help_heading = "Report")]
    full: bool,

    /// Nothing on standard output; the exit code and the files of --output say it.
    #[arg(short, long, help_heading = "Report")]
    quiet: bool,

    /// List what suppressions in the files keep from counting, with their reasons; other formats than text always do.
    #[arg(long, help_heading = "Report")]
    show_suppressed: bool,

    /// Only policies of this severity or worse.
    #[arg(long, value_name = "SEVERITY", value_parser = super::severity, help_heading = "Policies")]
    severity: Option<Severity>,

    /// Only these policies: ids, globs of ids, or ids of another tool (CKV_AWS_16).
    #[arg(long = "policy", value_name = "NAME", value_delimiter = ',', help_heading = "Policies")]
    only: Vec<String>,

    /// Not these policies.
    #[arg(long, value_name = "NAME", value_delimiter = ',', help_heading = "Policies")]
    skip: Vec<String>,

    /// A folder of your own policies, beside those that come with the program.
    #[arg(long = "policies", value_name = "FOLDER", help_heading = "Policies")]
    folders: Vec<PathBuf>,

    /// Without the policies that come with the program.
    #[arg(long, requires = "folders", help_heading = "Policies")]
    no_builtin: bool,

    /// An earlier report (--format json or sarif): what it lists does not count.
    #[arg(long, value_name = "FILE", help_heading = "Judgement")]
    baseline: Option<PathBuf>,

    /// What an undecided answer does.
    #[arg(long, value_enum, default_value_t = OnUndecided::Report, help_heading = "Judgement")]
    undecided: OnUndecided,

    /// A file of Terraform variables, as for terraform plan; the last one wins.
    #[arg(long = "var-file", value_name = "FILE", help_heading = "Input")]
    variable_files: Vec<PathBuf>,

    /// What the file of standard input is called, which says what it is.
    #[arg(long, value_name = "NAME", default_value = "main.tf", help_heading = "Input")]
    stdin_name: String,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnUndecided {
    /// It is listed.
    Report,
    /// It is listed, and the exit code is 1.
    Fail,
}

/// Scans and prints the report.
pub(super) fn scan(arguments: &ScanArguments, color: Color) -> anyhow::Result<Ending> {
    let started = Instant::now();
    let catalogue = choice::catalogue(&arguments.folders, arguments.no_builtin)?;
    let selection = choice::selection(arguments, &catalogue, today())?;
    let known = arguments.baseline.as_deref().map(outputs::fingerprints).transpose()?;
    let roots = roots::Roots::open(arguments)?;
    let units = evaluation::evaluate(&roots, &catalogue, &selection, !arguments.quiet)?;
    let mut report = judged(units, &catalogue, &selection);
    if let Some(known) = &known {
        against_baseline(&mut report, known);
    }
    report.coverage.elapsed_ms = u64::try_from(started.elapsed().as_millis()).ok();
    let plain = Context {
        catalogue: &catalogue,
        version: env!("CARGO_PKG_VERSION"),
        prefix: roots.prefix,
        terminal: Terminal { width: DEFAULT_WIDTH, ..Terminal::default() },
        in_full: true,
        shows_suppressed: arguments.show_suppressed,
    };
    for output in &arguments.outputs {
        output.write(&report, &plain)?;
    }
    if !arguments.quiet {
        let shown = Context { terminal: color.terminal(roots.links.as_deref()), in_full: arguments.full, ..plain };
        outputs::print(arguments.format, &report, &shown)?;
    }
    ending(&report, arguments.undecided)
}

fn ending(report: &Report, on_undecided: OnUndecided) -> anyhow::Result<Ending> {
    let is_open = on_undecided == OnUndecided::Fail && !report.undecided.is_empty();
    match report.verdict {
        Verdict::Error => Err(anyhow!("the evaluation went wrong: {}", report.errors.join("; "))),
        Verdict::Fail => Ok(Ending::Violations),
        Verdict::Pass if report.problems.is_empty() && !is_open => Ok(Ending::Clean),
        Verdict::Pass => Ok(Ending::Violations),
    }
}

/// Days since 1970-01-01.
pub(super) fn today() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs() / SECONDS_PER_DAY).unwrap_or_default()
}
