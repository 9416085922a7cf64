//! The child's side: takes limits upon itself, reads a request, writes a report.

use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use anyhow::{Context, anyhow};
use portcullis_engine::builtin;
use portcullis_engine::evaluate::{Request, review};
use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

/// Stack of the thread that evaluates, in bytes: parsers recurse as deep as their limits allow.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Answers one request from standard input on standard output.
///
/// # Errors
/// When the limits cannot be set, the request is none, or the evaluation panicked.
pub fn answer(memory_bytes: u64, cpu_seconds: u64) -> anyhow::Result<()> {
    let _deaf = pass_over_stops()?;
    limit(Resource::Data, memory_bytes)?;
    limit(Resource::Cpu, cpu_seconds)?;
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    let mut request = Vec::new();
    std::io::stdin().lock().read_to_end(&mut request).context("the request cannot be read")?;
    let request: Request = serde_json::from_slice(&request).context("the request is none")?;
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || report(&request));
    let report = thread.context("no thread")?.join().map_err(|_| anyhow!("the evaluation panicked"))??;
    std::io::stdout().lock().write_all(&report).context("the report cannot be written")
}

/// Who asks the whole service to stop asks this process too, though its server still waits for the answer. The server ends it when
/// it has no more time; when the server is gone, the end of the pipes does.
fn pass_over_stops() -> anyhow::Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_io().build().context("no runtime")?;
    let in_runtime = runtime.enter();
    for stop in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
        // A process that listens, whether it hears or not, is not ended.
        drop(signal(stop).context("signals cannot be heard")?);
    }
    drop(in_runtime);
    Ok(runtime)
}

fn report(request: &Request) -> anyhow::Result<Vec<u8>> {
    let started = Instant::now();
    let catalogue = builtin::catalogue()?;
    let evaluated = catch_unwind(AssertUnwindSafe(|| review(request, &catalogue)));
    let mut report = evaluated.map_err(|_| anyhow!("the evaluation panicked"))?;
    report.coverage.elapsed_ms = u64::try_from(started.elapsed().as_millis()).ok();
    serde_json::to_vec(&report).context("the report cannot be written")
}

fn limit(resource: Resource, maximum: u64) -> anyhow::Result<()> {
    let limit = Rlimit { current: Some(maximum), maximum: Some(maximum) };
    setrlimit(resource, limit).with_context(|| format!("the limit on {resource:?} cannot be set"))
}
