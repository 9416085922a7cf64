//! Runs a review in a child process with limits on memory, processor time and wall time.
//!
//! What strangers write is parsed here. Should a parser overflow its stack, eat all memory or never end, the child dies and the
//! review ends in an error with words; the server goes on.

mod child;

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use portcullis_engine::evaluate::{Report, Request};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

pub use child::answer;

/// The hidden subcommand the child is started with.
pub const SUBCOMMAND: &str = "evaluate";
/// Largest report taken from the child, in bytes.
const REPORT_LIMIT_BYTES: u64 = 64 * 1024 * 1024;
/// Most of the child's last words kept for the log, in bytes.
const COMPLAINT_LIMIT_BYTES: u64 = 4 * 1024;

/// What Linux runs as this very program, whatever has become of its file since.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// This program, to be started as its own child. Where that is possible it is the one that runs, not the one that an upgrade has
/// put in its place, which may speak another language.
///
/// # Errors
/// The program cannot find its own file.
pub fn this_program() -> std::io::Result<PathBuf> {
    if Path::new(THIS_PROGRAM).exists() { Ok(THIS_PROGRAM.into()) } else { std::env::current_exe() }
}

/// What a child may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Wall time.
    pub time: Duration,
    /// Heap and stack together, in bytes.
    pub memory_bytes: u64,
}

impl Default for Limits {
    /// A review takes well under a second; a minute and 2 GiB are for the largest of monorepos.
    fn default() -> Self {
        Self { time: Duration::from_secs(60), memory_bytes: 2 * 1024 * 1024 * 1024 }
    }
}

/// Why a review was not evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// The child could not be started or spoken to.
    #[error("the evaluation could not be run: {0}")]
    Process(#[from] std::io::Error),
    /// It took longer than it may.
    #[error("the evaluation took longer than {} s", .0.as_secs())]
    TimedOut(Duration),
    /// It died, by its limits or by an error of ours.
    #[error(
        "the evaluation ended early ({0}): the files need more memory or time than the limits allow, or hit an error of this program"
    )]
    Died(String),
    /// Somebody stopped it; of the files that says nothing.
    #[error("the evaluation was stopped: {0}")]
    Stopped(String),
    /// It answered something else than a report.
    #[error("the evaluation gave no report: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// Starts children that evaluate.
#[derive(Clone, Debug)]
pub struct Evaluator {
    program: PathBuf,
    limits: Limits,
}

impl Evaluator {
    /// An evaluator that starts `program` (this program) as its child.
    #[must_use]
    pub fn new(program: PathBuf, limits: Limits) -> Self {
        Self { program, limits }
    }

    /// Evaluates a review. A child that dies may have been in somebody's way (a system short of memory kills whom it likes), so
    /// it has a second chance.
    ///
    /// # Errors
    /// [`EvaluationError`]; the reason is fit for the check run.
    pub async fn evaluate(&self, request: Request) -> Result<Report, EvaluationError> {
        // The files are held once from here on, as they are sent.
        let files = request;
        let request = serde_json::to_vec(&files)?;
        drop(files);
        match self.run_in_time(&request).await {
            Err(EvaluationError::Died(_)) => self.run_in_time(&request).await,
            answer => answer,
        }
    }

    async fn run_in_time(&self, request: &[u8]) -> Result<Report, EvaluationError> {
        match tokio::time::timeout(self.limits.time, self.run(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(EvaluationError::TimedOut(self.limits.time)),
        }
    }

    async fn run(&self, request: &[u8]) -> Result<Report, EvaluationError> {
        let mut child = Command::new(&self.program)
            .arg(SUBCOMMAND)
            .args(["--memory-bytes", &self.limits.memory_bytes.to_string()])
            .args(["--cpu-seconds", &self.limits.time.as_secs().max(1).to_string()])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // What a terminal sends to the server's group is not for it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let send = async move {
            if let Some(mut stdin) = stdin {
                // A child that died early has said why; that its input could not be written says nothing more.
                let _ = stdin.write_all(request).await;
            }
        };
        let mut report = Vec::new();
        let mut complaint = Vec::new();
        let hear = async {
            match stdout {
                Some(stdout) => stdout.take(REPORT_LIMIT_BYTES).read_to_end(&mut report).await,
                None => Ok(0),
            }
        };
        let hear_complaint = async {
            match stderr {
                Some(stderr) => stderr.take(COMPLAINT_LIMIT_BYTES).read_to_end(&mut complaint).await,
                None => Ok(0),
            }
        };
        let ((), heard, complained) = tokio::join!(send, hear, hear_complaint);
        heard?;
        complained?;
        let status = child.wait().await?;
        if !status.success() {
            tracing::warn!(status = %status, complaint = %String::from_utf8_lossy(&complaint), "an evaluation died");
            return Err(if was_stopped(status) {
                EvaluationError::Stopped(status.to_string())
            } else {
                EvaluationError::Died(status.to_string())
            });
        }
        Ok(serde_json::from_slice(&report)?)
    }
}

/// Whether a child ended by a signal that asks to stop, before it could pass over it.
fn was_stopped(status: ExitStatus) -> bool {
    let asks = [Signal::TERM, Signal::INT, Signal::HUP];
    status.signal().is_some_and(|signal| asks.iter().any(|ask| ask.as_raw() == signal))
}
