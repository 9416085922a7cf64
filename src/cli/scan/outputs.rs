//! Where reports go, and what an earlier one says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use portcullis_engine::evaluate::Report;
use portcullis_engine::reports::{Context, RENDERINGS, Rendering};
use serde_json::Value;

use super::super::write_out;

/// Largest baseline, in bytes.
const BASELINE_LIMIT_BYTES: u64 = 256 * 1024 * 1024;

/// A file for the report.
#[derive(Clone)]
pub(super) struct Output {
    rendering: &'static dyn Rendering,
    file: PathBuf,
}

/// A rendering by its name.
pub(super) fn rendering(name: &str) -> Result<&'static dyn Rendering, String> {
    let known = RENDERINGS.iter().find(|rendering| rendering.name() == name);
    known.copied().ok_or_else(|| {
        let names: Vec<&str> = RENDERINGS.iter().map(|rendering| rendering.name()).collect();
        format!("known formats are {}", names.join(", "))
    })
}

/// `FORMAT=FILE`, or a file whose name ends with what one of the formats is known by.
pub(super) fn output(text: &str) -> Result<Output, String> {
    if let Some((name, file)) = text.split_once('=')
        && !name.contains('/')
    {
        return Ok(Output { rendering: rendering(name)?, file: file.into() });
    }
    let ends = |rendering: &&&dyn Rendering| text.ends_with(&format!(".{}", rendering.extension()));
    let longest = RENDERINGS.iter().filter(ends).max_by_key(|rendering| rendering.extension().len());
    match longest {
        Some(rendering) => Ok(Output { rendering: *rendering, file: text.into() }),
        None => Err("the name says no format; write it before the name: json=FILE".to_owned()),
    }
}

impl Output {
    /// Writes the report to the file.
    pub(super) fn write(&self, report: &Report, context: &Context<'_>) -> anyhow::Result<()> {
        let text = self.rendering.render(report, context);
        fs::write(&self.file, text).with_context(|| format!("{} cannot be written", self.file.display()))
    }
}

/// Writes the report to standard output.
pub(super) fn print(rendering: &dyn Rendering, report: &Report, context: &Context<'_>) -> anyhow::Result<()> {
    write_out(&rendering.render(report, context))
}

/// The fingerprints of the violations of an earlier report, in JSON or SARIF.
pub(super) fn fingerprints(file: &Path) -> anyhow::Result<BTreeSet<String>> {
    let unreadable = || format!("the baseline {} cannot be read", file.display());
    let size_bytes = fs::metadata(file).with_context(unreadable)?.len();
    if size_bytes > BASELINE_LIMIT_BYTES {
        bail!("the baseline {} has more than {BASELINE_LIMIT_BYTES} bytes", file.display());
    }
    let document: Value = serde_json::from_slice(&fs::read(file).with_context(unreadable)?).with_context(unreadable)?;
    let (list, field) = if document.get("runs").is_some() {
        (document.pointer("/runs/0/results"), "/partialFingerprints/portcullis~1v1")
    } else {
        (document.pointer("/report/violations"), "/fingerprint")
    };
    let Some(Value::Array(list)) = list else {
        bail!("the baseline {} is no report of `portcullis scan --format json` or `--format sarif`", file.display());
    };
    // What was suppressed then was never known to count.
    let is_suppressed =
        |entry: &&Value| entry.get("suppressions").and_then(Value::as_array).is_some_and(|s| !s.is_empty());
    let list: Vec<&Value> = list.iter().filter(|entry| !is_suppressed(entry)).collect();
    // A report in JSON names several resources that violate from one place together.
    let also = list.iter().filter_map(|entry| entry.get("also")?.as_array()).flatten();
    let all = list.iter().copied().chain(also).filter_map(|entry| entry.pointer(field));
    Ok(all.filter_map(Value::as_str).map(str::to_owned).collect())
}
