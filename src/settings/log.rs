//! What is logged, and how it looks.

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

use super::error::Problems;

/// As typed.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TypedLog {
    format: LogFormat,
    level: String,
}

impl Default for TypedLog {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".into() }
    }
}

/// What is logged, and how it looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// How a line looks.
    pub format: LogFormat,
    /// Levels, alone or by module: `info`, `info,portcullis::jobs=debug`.
    pub level: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl TypedLog {
    pub(super) fn validate(self, problems: &mut Problems<'_>) -> Option<LogSettings> {
        if let Err(error) = EnvFilter::builder().parse(&self.level) {
            let remedy = "Give error, warn, info, debug or trace, alone or by module: info,portcullis::jobs=debug.";
            return problems.add("log.level", error.to_string(), remedy);
        }
        Some(LogSettings { format: self.format, level: self.level })
    }
}
