//! The server's own configuration, from file, environment and command line, validated once.
//!
//! Each concern has two structs: as typed, with every default, and as validated, which is what the program uses. Settings know
//! no code host's behaviour; they carry what a host's folder in `forges` is built from.

mod database;
mod error;
mod github;
mod layers;
mod log;
mod pattern;
mod policies;
mod queue;
mod server;
mod source;
mod value;

use serde::Deserialize;
use serde_path_to_error::{Path, Segment};
use toml::{Table, Value};

pub use database::{DatabaseLocation, DatabaseSettings};
pub use error::{Origin, SettingsError, SettingsErrors};
pub use github::GitHubAppSettings;
pub use layers::Layers;
pub use log::{LogFormat, LogSettings};
pub use pattern::BranchPattern;
pub use policies::PolicySettings;
pub use queue::QueueSettings;
pub use server::ServerSettings;
pub use source::Source;

use error::Problems;

/// Everything the server is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens and how it ends.
    pub server: ServerSettings,
    /// Which database holds what it knows.
    pub database: DatabaseSettings,
    /// The GitHub App it acts as.
    pub github: GitHubAppSettings,
    /// What is logged.
    pub log: LogSettings,
    /// How jobs are run.
    pub queue: QueueSettings,
    /// Which policies are asked.
    pub policies: PolicySettings,
    /// What is under watch.
    pub sources: Vec<Source>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Typed {
    server: server::TypedServer,
    database: database::TypedDatabase,
    github: github::TypedGitHub,
    log: log::TypedLog,
    queue: queue::TypedQueue,
    policies: policies::TypedPolicies,
    sources: Vec<source::TypedSource>,
}

impl Settings {
    /// Validates what the layers say.
    ///
    /// # Errors
    /// Every mistake, each with its key, the place it was given and what to do.
    pub fn load(layers: &Layers) -> Result<Self, SettingsErrors> {
        let mut problems = Problems::new(layers);
        let typed = typed(layers.merge()?, &mut problems)?;
        let server = typed.server.validate(&mut problems);
        let database = typed.database.validate(&mut problems);
        let github = typed.github.validate(&mut problems);
        let log = typed.log.validate(&mut problems);
        let queue = typed.queue.validate(&mut problems);
        let policies = typed.policies.validate(&mut problems);
        let sources = source::validate(typed.sources, &mut problems);
        let errors = problems.into_errors();
        match (server, database, github, log, queue, policies, sources) {
            (Some(server), Some(database), Some(github), Some(log), Some(queue), Some(policies), Some(sources))
                if errors.0.is_empty() =>
            {
                Ok(Self { server, database, github, log, queue, policies, sources })
            }
            _ => Err(errors),
        }
    }
}

/// The settings as typed. A key that cannot be used is noted and left out, so that those after it are looked at too.
fn typed(mut given: Table, problems: &mut Problems<'_>) -> Result<Typed, SettingsErrors> {
    loop {
        let error = match serde_path_to_error::deserialize(Value::Table(given.clone())) {
            Ok(typed) => return Ok(typed),
            Err(error) => error,
        };
        let key = error.path().to_string();
        misfit(if key == "." { "" } else { &key }, error.inner().message(), problems);
        if !take_out(&mut given, error.path()) {
            return Err(problems.take_errors());
        }
    }
}

/// A key nobody knows, or a value of the wrong kind.
fn misfit(key: &str, message: &str, problems: &mut Problems<'_>) {
    if message.starts_with("unknown field") {
        problems.add::<()>(key, message.replace("unknown field", "unknown key"), "Correct the key or take it out.");
    } else if message.starts_with("missing field") {
        problems.add::<()>(key, message.replace("missing field", "missing key"), "Add the key.");
    } else {
        problems.add::<()>(key, message.to_owned(), "Correct the value.");
    }
}

/// Takes a key out of its table; an element of a list stays, because others are counted from it.
fn take_out(given: &mut Table, path: &Path) -> bool {
    let mut segments: Vec<&Segment> = path.iter().collect();
    let Some(Segment::Map { key }) = segments.pop() else { return false };
    let mut table = Some(given);
    let mut list: Option<&mut Vec<Value>> = None;
    for segment in segments {
        let value = match segment {
            Segment::Map { key } => table.take().and_then(|table| table.get_mut(key)),
            Segment::Seq { index } => list.take().and_then(|list| list.get_mut(*index)),
            Segment::Enum { .. } | Segment::Unknown => None,
        };
        match value {
            Some(Value::Table(inner)) => table = Some(inner),
            Some(Value::Array(inner)) => list = Some(inner),
            _ => return false,
        }
    }
    table.is_some_and(|table| table.remove(key).is_some())
}
