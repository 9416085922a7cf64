//! Every unit of every root, on all cores.

use std::io::{IsTerminal as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::Context as _;
use portcullis_engine::evaluate::{Purpose, Selection, UnitReport, evaluate_unit};
use portcullis_engine::formats::{self, ReadOptions, Scope, UnitPlan};
use portcullis_engine::policy::Catalogue;
use portcullis_engine::source_tree::Files;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::roots::Roots;

/// Stack of a worker, in bytes: parsers recurse as deep as their limits allow.
const STACK_BYTES: usize = 16 * 1024 * 1024;
/// How long a scan is silent, and how often it then says how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// Evaluates; on a terminal, long work says how far it is.
pub(super) fn evaluate(
    roots: &Roots,
    catalogue: &Catalogue,
    selection: &Selection,
    is_talkative: bool,
) -> anyhow::Result<Vec<UnitReport>> {
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK_BYTES).build().context("threads cannot be started")?;
    let progress = Progress::default();
    let of_tree = |tree: &dyn Files| -> Vec<UnitReport> {
        let plans = formats::units(tree, &Scope::All);
        progress.planned.fetch_add(plans.len(), Ordering::Relaxed);
        plans
            .par_iter()
            .map(|plan| progress.counting(|| unit(plan, tree, catalogue, selection, &roots.options)))
            .collect()
    };
    let work = || roots.trees.par_iter().map(|tree| of_tree(&**tree)).flatten().collect::<Vec<UnitReport>>();
    let mut units = if is_talkative && std::io::stderr().is_terminal() {
        progress.shown_while(|| pool.install(work))
    } else {
        pool.install(work)
    };
    units.push(UnitReport { problems: roots.unlisted.clone(), ..UnitReport::default() });
    Ok(units)
}

/// One unit; a panic in it is an error of the report, not the end of the scan.
fn unit(
    plan: &UnitPlan,
    tree: &dyn Files,
    catalogue: &Catalogue,
    selection: &Selection,
    options: &ReadOptions,
) -> UnitReport {
    let work = || evaluate_unit(&formats::read(plan, tree, options), catalogue, selection, Purpose::Scan);
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let message = format!("{} {} could not be evaluated: please report this error", plan.format, plan.name);
        UnitReport { errors: vec![message], ..UnitReport::default() }
    })
}

#[derive(Default)]
struct Progress {
    planned: AtomicUsize,
    done: AtomicUsize,
}

impl Progress {
    fn counting<T>(&self, work: impl FnOnce() -> T) -> T {
        let result = work();
        self.done.fetch_add(1, Ordering::Relaxed);
        result
    }

    fn shown_while<T>(&self, work: impl FnOnce() -> T) -> T {
        std::thread::scope(|scope| {
            let (ended, end) = mpsc::channel::<()>();
            scope.spawn(move || {
                let mut shown = false;
                while end.recv_timeout(PROGRESS_EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
                    let (done, planned) = (self.done.load(Ordering::Relaxed), self.planned.load(Ordering::Relaxed));
                    let _ = write!(std::io::stderr(), "\r\u{1b}[2K{done} of {planned} units");
                    shown = true;
                }
                if shown {
                    let _ = write!(std::io::stderr(), "\r\u{1b}[2K");
                }
            });
            let result = work();
            drop(ended);
            result
        })
    }
}
