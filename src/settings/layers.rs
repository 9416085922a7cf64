//! Settings as given: a file, over it the environment, over it the command line; and where each key was given.
//!
//! Everything from the environment stays text here; the typed structs turn it into numbers, so that no secret is ever mistaken
//! for one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Serialize;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::error::{Origin, SettingsError, SettingsErrors};

/// What every variable of ours begins with.
const PREFIX: &str = "PORTCULLIS_";
/// What lies between two names of a setting's path.
const DOWN: &str = "__";
/// Names the settings file; no setting itself.
const CONFIG_VARIABLE: &str = "PORTCULLIS_CONFIG";
/// Read when no other file is named and it is there.
const DEFAULT_FILE: &str = "portcullis.toml";
/// Largest settings file taken.
const FILE_LIMIT_BYTES: u64 = 1 << 20;

/// Names and values.
type Variables = Vec<(String, String)>;

/// The three layers settings come from.
#[derive(Default)]
pub struct Layers {
    file: Option<(String, String)>,
    environment: Variables,
    foreign: Vec<String>,
    flags: Table,
}

impl Layers {
    /// Gathers the layers: `config` is the file named on the command line, `environment` every variable of the process, `flags`
    /// the settings given on the command line, nested as in the file.
    ///
    /// # Errors
    /// The file that cannot be read, or the variable that is not text.
    pub fn gather(
        config: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        flags: &impl Serialize,
    ) -> Result<Self, SettingsErrors> {
        let (mut environment, foreign) = our_variables(environment)?;
        let named = environment.iter().position(|(name, _)| name == CONFIG_VARIABLE);
        let named = named.map(|at| PathBuf::from(environment.swap_remove(at).1));
        let flags = Table::try_from(flags)
            .map_err(|error| whole("", format!("the command line's settings are no table: {error}"), "Report this."))?;
        Ok(Self { file: read_file(config.map(Path::to_owned).or(named))?, environment, foreign, flags })
    }

    /// Variables that begin as ours do and are none: Kubernetes makes `PORTCULLIS_PORT` and others of a service's name.
    #[must_use]
    pub fn foreign_variables(&self) -> &[String] {
        &self.foreign
    }

    /// All layers as one table.
    pub(super) fn merge(&self) -> Result<Table, SettingsErrors> {
        let mut merged = match &self.file {
            Some((path, text)) => toml::from_str(text).map_err(|error| not_toml(path, text, &error))?,
            None => Table::new(),
        };
        for (name, value) in &self.environment {
            let mut keys = segments(name);
            let Some(first) = keys.first().cloned() else { continue };
            let rest = keys.split_off(1);
            place(merged.entry(first).or_insert_with(|| Value::Table(Table::new())), &rest, value)
                .map_err(|problem| misplaced(name, problem))?;
        }
        for (key, value) in &self.flags {
            lay_over(merged.entry(key.clone()).or_insert_with(|| Value::Table(Table::new())), value.clone());
        }
        Ok(merged)
    }

    /// The same mistakes, each with the place its key was given at: for what only the parts built from settings can judge.
    #[must_use]
    pub fn placed(&self, mut errors: SettingsErrors) -> SettingsErrors {
        for error in &mut errors.0 {
            error.origin = error.origin.take().or_else(|| self.origin(&error.key));
        }
        errors
    }

    /// Where a key (`sources[1].branches`) was given, the last layer first.
    pub(super) fn origin(&self, key: &str) -> Option<Origin> {
        let keys: Vec<String> =
            key.split(['.', '[', ']']).filter(|part| !part.is_empty()).map(str::to_ascii_lowercase).collect();
        if !keys.is_empty() && in_table(&self.flags, &keys) {
            return Some(Origin::Flag);
        }
        let variable =
            |is_it: &dyn Fn(&[String]) -> bool| self.environment.iter().find(|(name, _)| is_it(&segments(name)));
        if let Some((name, _)) = variable(&|given| given == keys) {
            return Some(Origin::Variable(name.clone()));
        }
        let line = self.file.as_ref().and_then(|(path, text)| Some((path.clone(), line_of_key(text, &keys)?)));
        if let Some((path, line)) = line {
            return Some(Origin::File { path, line });
        }
        // A whole section that only variables made.
        let (name, _) = variable(&|given| !keys.is_empty() && given.starts_with(&keys))?;
        Some(Origin::Variable(name.clone()))
    }
}

/// Our variables, sorted, so that a list's elements come in their order; and the names of those that only look like ours. Every
/// setting lies in a section, so its variable has a [`DOWN`].
fn our_variables(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<(Variables, Vec<String>), SettingsErrors> {
    let (mut ours, mut foreign) = (Variables::new(), Vec::new());
    for (name, value) in environment {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        if name != CONFIG_VARIABLE && !name.contains(DOWN) {
            foreign.push(name.to_owned());
            continue;
        }
        let Some(value) = value.to_str() else {
            let remedy = format!("Set {name} to a text, or put it into a file and set the key that ends in `_path`.");
            return Err(whole(name, "the value is not UTF-8".into(), &remedy));
        };
        ours.push((name.to_owned(), value.to_owned()));
    }
    ours.sort_by_cached_key(|(name, _)| {
        segments(name).into_iter().map(|part| (part.parse().unwrap_or(0_usize), part)).collect::<Vec<_>>()
    });
    foreign.sort();
    Ok((ours, foreign))
}

fn read_file(named: Option<PathBuf>) -> Result<Option<(String, String)>, SettingsErrors> {
    let path = match named {
        Some(path) => path,
        None if Path::new(DEFAULT_FILE).exists() => PathBuf::from(DEFAULT_FILE),
        None => return Ok(None),
    };
    let shown = path.display().to_string();
    let unreadable = |problem: String| {
        let remedy = format!("Name a readable file with --config or {CONFIG_VARIABLE}, or leave both out.");
        whole("", format!("the settings file {shown} cannot be read: {problem}"), &remedy)
    };
    let size_bytes = std::fs::metadata(&path).map_err(|error| unreadable(error.to_string()))?.len();
    if size_bytes > FILE_LIMIT_BYTES {
        return Err(unreadable(format!("{size_bytes} bytes are more than the limit of {FILE_LIMIT_BYTES}")));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| unreadable(error.to_string()))?;
    Ok(Some((shown, text)))
}

/// `PORTCULLIS_GITHUB__APP_ID` as `github`, `app_id`.
fn segments(variable: &str) -> Vec<String> {
    let rest = variable.strip_prefix(PREFIX).unwrap_or(variable);
    rest.split(DOWN).map(str::to_ascii_lowercase).collect()
}

/// Puts a value at the place `keys` name; a number names an element of a list, the next one included.
fn place(target: &mut Value, keys: &[String], value: &str) -> Result<(), String> {
    let Some((key, rest)) = keys.split_first() else {
        *target = Value::String(value.to_owned());
        return Ok(());
    };
    if let Ok(index) = key.parse::<usize>() {
        if target.as_table().is_some_and(Table::is_empty) {
            *target = Value::Array(Vec::new());
        }
        let Value::Array(list) = target else { return Err(format!("`{key}` counts in what is no list")) };
        if index == list.len() {
            list.push(Value::Table(Table::new()));
        }
        let length = list.len();
        let Some(element) = list.get_mut(index) else {
            return Err(format!("`{key}` comes after a gap: the list has {length} elements"));
        };
        return place(element, rest, value);
    }
    let Value::Table(table) = target else { return Err(format!("`{key}` lies in what is no table")) };
    place(table.entry(key.clone()).or_insert_with(|| Value::Table(Table::new())), rest, value)
}

fn lay_over(target: &mut Value, value: Value) {
    match (target, value) {
        (Value::Table(below), Value::Table(above)) => {
            for (key, value) in above {
                lay_over(below.entry(key).or_insert_with(|| Value::Table(Table::new())), value);
            }
        }
        (target, value) => *target = value,
    }
}

fn in_table(table: &Table, keys: &[String]) -> bool {
    let Some((first, rest)) = keys.split_first() else { return true };
    match table.get(first) {
        Some(Value::Table(inner)) => in_table(inner, rest),
        Some(_) => true,
        None => false,
    }
}

/// The line a key is on; that of the nearest table around it when the key itself is not written.
fn line_of_key(text: &str, keys: &[String]) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut at = None;
    let mut value: Option<&Spanned<DeValue<'_>>> = None;
    for key in keys {
        let table = match value {
            None => Some(document.get_ref()),
            Some(value) => value.get_ref().as_table(),
        };
        let next = match table {
            Some(table) => table.get_key_value(key.as_str()).map(|(name, value)| (name.span().start, value)),
            None => value.and_then(|list| list.get_ref().get(key.parse::<usize>().ok()?)).map(|v| (v.span().start, v)),
        };
        let Some((start, inner)) = next else { break };
        at = Some(start);
        value = Some(inner);
    }
    at.map(|start| line(text, start))
}

fn line(text: &str, at_byte: usize) -> usize {
    text.bytes().take(at_byte).filter(|byte| *byte == b'\n').count() + 1
}

fn not_toml(path: &str, text: &str, error: &toml::de::Error) -> SettingsErrors {
    let at_byte = error.span().map_or(0, |span| span.start);
    SettingsErrors(vec![SettingsError {
        key: String::new(),
        origin: Some(Origin::File { path: path.to_owned(), line: line(text, at_byte) }),
        problem: error.message().to_owned(),
        remedy: "Mend the file; it is TOML (https://toml.io).".into(),
    }])
}

fn misplaced(variable: &str, problem: String) -> SettingsErrors {
    let remedy = "Two underscores go one level down, a number counts in a list from 0: PORTCULLIS_SOURCES__0__NAME.";
    SettingsErrors(vec![SettingsError {
        key: segments(variable).join("."),
        origin: Some(Origin::Variable(variable.to_owned())),
        problem,
        remedy: remedy.into(),
    }])
}

fn whole(key: &str, problem: String, remedy: &str) -> SettingsErrors {
    SettingsErrors(vec![SettingsError { key: key.into(), origin: None, problem, remedy: remedy.into() }])
}
