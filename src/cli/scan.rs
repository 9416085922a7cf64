//! `portcullis scan`: the engine on folders and files.

use std::io::{IsTerminal, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, anyhow};
use clap::Args;
use portcullis_engine::builtin;
use portcullis_engine::evaluate::{
    Report, ReportedProblem, Selection, UnitReport, Verdict, evaluate_unit, scan as judged,
};
use portcullis_engine::formats::{self, ReadOptions, Scope, UnitPlan};
use portcullis_engine::policy::Catalogue;
use portcullis_engine::reports::{Context, RENDERINGS, Rendering};
use portcullis_engine::resource::ProblemKind;
use portcullis_engine::source_tree::TreePath;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::Ending;
use crate::working_tree::{Base, WorkingTree};

/// Stack of a worker, in bytes: parsers recurse as deep as their limits allow.
const STACK_BYTES: usize = 16 * 1024 * 1024;
/// Width of text where no terminal says better.
const DEFAULT_WIDTH: usize = 120;
const SECONDS_PER_DAY: u64 = 86_400;

/// Check folders and files against all policies.
///
/// Exit code 0: clean. 1: violations, or places that could not be read. 2: bad usage, or an error of the program.
#[derive(Args)]
pub(super) struct ScanArguments {
    /// Folders or files, each a root of its own.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// How the report is written.
    #[arg(long, default_value = "text", value_parser = rendering)]
    format: &'static dyn Rendering,
}

fn rendering(name: &str) -> Result<&'static dyn Rendering, String> {
    let known = RENDERINGS.iter().find(|rendering| rendering.name() == name);
    known.copied().ok_or_else(|| {
        let names: Vec<&str> = RENDERINGS.iter().map(|rendering| rendering.name()).collect();
        format!("known formats are {}", names.join(", "))
    })
}

/// Scans and prints the report.
pub(super) fn scan(arguments: &ScanArguments) -> anyhow::Result<Ending> {
    let started = Instant::now();
    let catalogue = builtin::catalogue()?;
    let (base, roots) = Base::of(&arguments.paths)?;
    let trees: Vec<WorkingTree> = roots.iter().map(|root| WorkingTree::open(&base, root)).collect::<Result<_, _>>()?;
    let selection = Selection { today: today(), ..Selection::default() };
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK_BYTES).build().context("threads cannot be started")?;
    let units = pool.install(|| evaluate(&trees, &catalogue, &selection));
    let mut report = judged(units, &catalogue, &selection);
    report.coverage.elapsed_ms = u64::try_from(started.elapsed().as_millis()).ok();
    let is_terminal = std::io::stdout().is_terminal();
    let context = Context {
        catalogue: &catalogue,
        version: env!("CARGO_PKG_VERSION"),
        prefix: base.prefix,
        width: terminal_width(is_terminal),
        color: is_terminal && std::env::var_os("NO_COLOR").is_none(),
    };
    write_out(&arguments.format.render(&report, &context))?;
    ending(&report)
}

fn ending(report: &Report) -> anyhow::Result<Ending> {
    match report.verdict {
        Verdict::Error => Err(anyhow!("the evaluation went wrong: {}", report.errors.join("; "))),
        Verdict::Fail => Ok(Ending::Violations),
        Verdict::Pass if report.problems.is_empty() => Ok(Ending::Clean),
        Verdict::Pass => Ok(Ending::Violations),
    }
}

/// Every unit of every tree, on all cores.
fn evaluate(trees: &[WorkingTree], catalogue: &Catalogue, selection: &Selection) -> Vec<UnitReport> {
    let of_tree = |tree: &WorkingTree| -> Vec<UnitReport> {
        let plans = formats::units(tree, &Scope::All);
        let mut units: Vec<UnitReport> = plans.par_iter().map(|plan| unit(plan, tree, catalogue, selection)).collect();
        units.push(UnitReport { problems: unnameable(tree), ..UnitReport::default() });
        units
    };
    trees.par_iter().map(of_tree).flatten().collect()
}

/// One unit; a panic in it is an error of the report, not the end of the scan.
fn unit(plan: &UnitPlan, tree: &WorkingTree, catalogue: &Catalogue, selection: &Selection) -> UnitReport {
    let work = || {
        let unit = formats::read(plan, tree, &ReadOptions::default());
        evaluate_unit(&unit, catalogue, selection)
    };
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let message = format!("{} {} could not be evaluated: please report this error", plan.format, plan.name);
        UnitReport { errors: vec![message], ..UnitReport::default() }
    })
}

/// Files whose names no report can carry.
fn unnameable(tree: &WorkingTree) -> Vec<ReportedProblem> {
    let problem = |(name, why): &(String, String)| {
        let shown: String = name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        ReportedProblem {
            kind: ProblemKind::Unreadable,
            unit: String::new(),
            path: TreePath::new(shown.trim_matches('/')).unwrap_or_else(|_| TreePath::unnamed()),
            location: None,
            message: format!("the file was not looked at: {why}"),
            remedy: "rename the file".to_owned(),
            touched: true,
            blocking: false,
        }
    };
    tree.unnameable.iter().map(problem).collect()
}

/// Days since 1970-01-01.
fn today() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs() / SECONDS_PER_DAY).unwrap_or_default()
}

fn terminal_width(is_terminal: bool) -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    match columns {
        Some(columns) if is_terminal => columns,
        _ => DEFAULT_WIDTH,
    }
}

/// Writes to standard output; a reader that has seen enough is no error.
fn write_out(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("the report cannot be written"),
    }
}
