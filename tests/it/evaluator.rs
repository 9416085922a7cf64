//! The evaluation's child process: what reaches it, and what its death means.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portcullis::evaluator::{EvaluationError, Evaluator, Limits, SUBCOMMAND};
use portcullis_engine::evaluate::{Report, Request};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_portcullis");

fn request() -> Request {
    let tree = || json!({ "entries": [], "texts": {} });
    serde_json::from_value(json!({
        "head": tree(), "base": tree(), "touched": [], "renamed": [], "sources": [],
        "selection": { "only": [], "skip": [], "today": 0 }, "options": { "variable_files": [] }
    }))
    .unwrap()
}

/// A program that does this instead of evaluating.
fn script(folder: &Path, does: &str) -> PathBuf {
    let path = folder.join("script");
    std::fs::write(&path, format!("#!/bin/sh\ncd {}\n{does}\n", folder.display())).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

async fn evaluated(does: &str) -> (Result<Report, EvaluationError>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let evaluator = Evaluator::new(script(folder.path(), does), Limits::default());
    (evaluator.evaluate(request()).await, folder)
}

#[tokio::test]
async fn a_stop_of_the_server_that_ends_the_child_is_no_answer_about_the_files() {
    for signal in ["TERM", "INT", "HUP"] {
        let (outcome, _folder) = evaluated(&format!("kill -{signal} $$")).await;
        let error = outcome.unwrap_err();
        assert!(!matches!(error, EvaluationError::Died(_)), "{signal}: {error}");
    }
}

#[tokio::test]
async fn a_child_that_dies_otherwise_is_given_a_second_chance() {
    let (outcome, folder) = evaluated("echo x >> tries; exit 7").await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, EvaluationError::Died(_)), "{error}");
    assert_eq!(std::fs::read_to_string(folder.path().join("tries")).unwrap(), "x\nx\n");
    let again = format!("[ -e tried ] && exec {PROGRAM} \"$@\"\ntouch tried; kill -KILL $$");
    let (outcome, _folder) = evaluated(&again).await;
    outcome.unwrap();
}

#[tokio::test]
async fn the_child_is_in_no_group_a_terminal_interrupts() {
    let (_, folder) = evaluated(
        "cut -d' ' -f1,5 /proc/self/stat > /dev/null; cut -d' ' -f5 /proc/$$/stat > group; echo $$ > own; exit 7",
    )
    .await;
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("group"), read("own"));
}

#[test]
fn the_child_goes_on_when_its_whole_service_is_asked_to_stop() {
    let mut child = Command::new(PROGRAM)
        .arg(SUBCOMMAND)
        .args(["--memory-bytes", "2147483648", "--cpu-seconds", "60"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while !hears(child.id(), &[Signal::TERM, Signal::INT, Signal::HUP]) {
        if began.elapsed() > Duration::from_secs(10) {
            child.kill().unwrap();
            panic!("the signals would end it");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        kill_process(Pid::from_child(&child), signal).unwrap();
    }
    child.stdin.take().unwrap().write_all(&serde_json::to_vec(&request()).unwrap()).unwrap();
    let mut report = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut report).unwrap();
    assert!(child.wait().unwrap().success());
    serde_json::from_slice::<Report>(&report).unwrap();
}

/// Whether a process does something of its own at these signals.
fn hears(process: u32, signals: &[Signal]) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    };
    let held = mask("SigCgt:") | mask("SigIgn:");
    signals.iter().all(|signal| held & (1 << (signal.as_raw() - 1)) != 0)
}
