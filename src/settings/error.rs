//! What is wrong with the settings: which key, where it was set, what to do.

use std::fmt;

use super::layers::Layers;

/// Where a setting was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the settings file.
    File {
        /// The file, as it was named.
        path: String,
        /// The line, from 1.
        line: usize,
    },
    /// In an environment variable of this name.
    Variable(String),
    /// On the command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag => f.write_str("command line"),
        }
    }
}

/// One mistake in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// The key, as a path: `sources[1].branches`.
    pub key: String,
    /// Where it was given; absent for what was not given at all.
    pub origin: Option<Origin>,
    /// What is wrong.
    pub problem: String,
    /// What to do, unless the problem says so.
    pub remedy: String,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.problem)?;
        if let Some(origin) = &self.origin {
            write!(f, " ({origin})")?;
        }
        if !self.remedy.is_empty() {
            write!(f, "\n  {}", self.remedy)?;
        }
        Ok(())
    }
}

/// Every mistake found in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsErrors(pub Vec<SettingsError>);

impl fmt::Display for SettingsErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings cannot be used")?;
        for error in &self.0 {
            write!(f, "\n- {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsErrors {}

/// Collects mistakes while settings are validated, so that all are told at once.
pub(super) struct Problems<'a> {
    layers: &'a Layers,
    found: Vec<SettingsError>,
}

impl<'a> Problems<'a> {
    pub(super) fn new(layers: &'a Layers) -> Self {
        Self { layers, found: Vec::new() }
    }

    /// Notes a mistake; the answer is `None`, so that a validation can end with it. Of mistakes about one key the first counts: what
    /// was refused is not missing too.
    pub(super) fn add<T>(&mut self, key: &str, problem: impl Into<String>, remedy: impl Into<String>) -> Option<T> {
        if self.found.iter().any(|found| found.key == key) {
            return None;
        }
        self.found.push(SettingsError {
            key: key.to_owned(),
            origin: self.layers.origin(key),
            problem: problem.into(),
            remedy: remedy.into(),
        });
        None
    }

    /// The number itself when it lies within the bounds.
    pub(super) fn within(&mut self, key: &str, value: u64, bounds: std::ops::RangeInclusive<u64>) -> Option<u64> {
        if bounds.contains(&value) {
            return Some(value);
        }
        let problem = format!("{value} is out of bounds");
        self.add(key, problem, format!("Give a whole number from {} to {}.", bounds.start(), bounds.end()))
    }

    /// The mistakes so far.
    pub(super) fn take_errors(&mut self) -> SettingsErrors {
        SettingsErrors(std::mem::take(&mut self.found))
    }

    /// The mistakes; none when all is well.
    pub(super) fn into_errors(self) -> SettingsErrors {
        SettingsErrors(self.found)
    }
}
