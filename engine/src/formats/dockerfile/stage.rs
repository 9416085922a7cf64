//! A stage: what it begins with, what its instructions make of it, and what it hands on.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::resource::{Key, ListKind, MapKind, Names, Reason, ReasonKind, Span, Value};

use super::fields::Effect;
use super::scope::Variables;
use super::scripts::Shell;

/// What a stage hands on of which the last instruction counts; of an image nobody knows it is unknown.
const LAST_COUNTS: &[&str] = &["cmd", "entrypoint", "healthcheck", "stopsignal", "user", "workdir"];

/// A stage while its instructions come.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) name: Option<Value>,
    pub(super) index: usize,
    /// A stage before it has the same name.
    is_duplicate: bool,
    base: Option<Value>,
    parent: Option<Value>,
    platform: Option<Value>,
    /// Its FROM.
    header: Span,
    pub(super) span: Span,
    pub(super) variables: Variables,
    pub(super) shell: Shell,
    state: State,
    pub(super) instructions: Vec<Value>,
}

/// What an image is set up with, and a stage that continues it too.
#[derive(Clone, Default)]
struct State {
    env: Vec<(Key, Value)>,
    labels: Vec<(Key, Value)>,
    ports: Vec<Value>,
    volumes: Vec<Value>,
    last: BTreeMap<&'static str, Value>,
}

/// What a FROM says.
pub(super) struct Beginning {
    pub(super) image: Value,
    pub(super) name: Option<Value>,
    pub(super) platform: Option<Value>,
    pub(super) header: Span,
}

impl Stage {
    /// The stage of a FROM, behind those that have ended.
    pub(super) fn begin(from: Beginning, ended: &[Self], escape: u8) -> Self {
        let Beginning { image, name, platform, header } = from;
        let text = image.as_text().map(|image| &**image);
        let parent = text.and_then(|image| ended.iter().rev().find(|stage| stage.is_named(image)));
        let is_duplicate = name.as_ref().and_then(Value::as_text).is_some_and(|n| ended.iter().any(|s| s.is_named(n)));
        let index = ended.len();
        let (span, instructions) = (header, Vec::new());
        if let Some(parent) = parent {
            let platform = platform.or_else(|| parent.platform.clone());
            let (base, parent_name) = (None, Some(image));
            let (variables, shell, state) = (parent.variables.clone(), parent.shell.clone(), parent.state.clone());
            let parent = parent_name;
            return Self {
                name,
                index,
                is_duplicate,
                base,
                parent,
                platform,
                header,
                span,
                variables,
                shell,
                state,
                instructions,
            };
        }
        let variables = Variables::of_stage(text == Some("scratch"));
        let shell = Shell::of_image(text.unwrap_or_default(), escape);
        let (state, base, parent) = (State::of_image(&image, ended), Some(image), None);
        Self { name, index, is_duplicate, base, parent, platform, header, span, variables, shell, state, instructions }
    }

    /// What addresses call it: its name, unless a stage before has it, or its index.
    pub(super) fn label(&self) -> String {
        let name = self.name.as_ref().filter(|_| !self.is_duplicate).and_then(Value::as_text);
        name.map_or_else(|| self.index.to_string(), ToString::to_string)
    }

    fn is_named(&self, wanted: &str) -> bool {
        self.name.as_ref().and_then(Value::as_text).is_some_and(|name| name.eq_ignore_ascii_case(wanted))
    }

    /// What its instructions say of it.
    pub(super) fn about(&self, is_final: bool, names: &Names) -> Value {
        let at = self.header.at_start();
        let mut entries = Vec::with_capacity(3);
        entries.extend(self.name.clone().map(|name| names.entry("name", name)));
        entries.push(names.entry("index", Value::number(self.index as i64, at)));
        entries.push(names.entry("final", Value::bool(is_final, at)));
        Value::map(MapKind::Map, entries, at)
    }

    /// Changes it as an instruction says, whose attributes are `whole`.
    pub(super) fn apply(&mut self, effect: Effect, whole: &Value) {
        match effect {
            Effect::Nothing | Effect::Stage(..) => {}
            Effect::Env(pairs) => {
                for (key, value) in pairs {
                    self.variables.set(&key.text, value.clone());
                    put(&mut self.state.env, key, value);
                }
            }
            Effect::Arguments(pairs) => {
                pairs.into_iter().for_each(|(key, value)| self.variables.declare(&key.text, value));
            }
            Effect::Labels(pairs) => pairs.into_iter().for_each(|(key, value)| put(&mut self.state.labels, key, value)),
            Effect::User(user) => drop(self.state.last.insert("user", user)),
            Effect::Workdir(path) => {
                let path = absolute(path, self.state.last.get("workdir"), self.variables.begins_empty());
                self.state.last.insert("workdir", path);
            }
            Effect::Ports(ports) => self.state.ports.extend(ports),
            Effect::Volumes(paths) => self.state.volumes.extend(paths),
            Effect::Whole(name) => drop(self.state.last.insert(name, whole.clone())),
            Effect::Shell(items) => self.shell.set(items),
        }
    }

    /// What it has become.
    pub(super) fn attributes(&self, is_final: bool, names: &Names) -> Value {
        let at = self.header.at_start();
        let mut entries = Vec::with_capacity(16);
        entries.extend(self.name.clone().map(|name| names.entry("name", name)));
        entries.push(names.entry("index", Value::number(self.index as i64, at)));
        entries.push(names.entry("final", Value::bool(is_final, at)));
        if self.is_duplicate {
            entries.push(names.entry("duplicate", Value::bool(true, self.name.as_ref().map_or(at, Value::span))));
        }
        let optional = [("base", &self.base), ("parent", &self.parent), ("platform", &self.platform)];
        entries.extend(optional.into_iter().filter_map(|(name, value)| Some(names.entry(name, value.clone()?))));
        entries.extend(self.state.last.iter().map(|(name, value)| names.entry(name, value.clone())));
        for (name, pairs) in [("env", &self.state.env), ("labels", &self.state.labels)] {
            if let Some((key, value)) = pairs.first() {
                let span = key.span.to(value.span());
                entries.push(names.entry(name, Value::map(MapKind::Map, pairs.clone(), span)));
            }
        }
        for (name, items) in [("expose", &self.state.ports), ("volumes", &self.state.volumes)] {
            if let Some(first) = items.first() {
                entries.push(names.entry(name, Value::list(ListKind::List, items.clone(), first.span())));
            }
        }
        entries.extend(self.shell.value().map(|shell| names.entry("shell", shell)));
        let instructions = Value::list(ListKind::List, self.instructions.clone(), self.header);
        entries.push(names.entry("instructions", instructions));
        Value::map(MapKind::Map, entries, self.span)
    }
}

impl State {
    /// What an image hands on that is none of the stages, as far as anybody can tell: when nobody knows which image it is,
    /// it may be one of them, and what that one would hand on is unknown.
    fn of_image(image: &Value, ended: &[Stage]) -> Self {
        let mut state = Self::default();
        let Some(unknown) = image.as_unknown() else { return state };
        let prefix = unknown.prefix.as_deref().unwrap_or_default().to_ascii_lowercase();
        let may_be = |stage: &Stage| {
            let name = stage.name.as_ref().and_then(Value::as_text);
            name.is_some_and(|name| name.to_ascii_lowercase().starts_with(&prefix))
        };
        if ended.iter().any(may_be) {
            let value = Value::unknown(unknown.reason.clone(), image.span());
            state.last.extend(LAST_COUNTS.iter().map(|name| (*name, value.clone())));
        }
        state
    }
}

/// Sets an entry, in the place of one of the same name.
fn put(entries: &mut Vec<(Key, Value)>, key: Key, value: Value) {
    match entries.iter_mut().find(|(known, _)| known.text == key.text) {
        Some(known) => *known = (key, value),
        None => entries.push((key, value)),
    }
}

/// A working directory, joined with the one before when it is relative.
fn absolute(path: Value, before: Option<&Value>, begins_empty: bool) -> Value {
    let Some(text) = path.as_text() else { return path };
    let is_absolute = text.starts_with(['/', '\\']) || text.get(1..2) == Some(":");
    if is_absolute {
        return path;
    }
    let root = begins_empty.then(|| Arc::from("/"));
    match before.map_or(root, |before| before.as_text().cloned()) {
        Some(before) => Value::text(format!("{}/{text}", before.trim_end_matches('/')), path.span()),
        None => {
            let reason = before.and_then(Value::as_unknown).map(|unknown| unknown.reason.clone());
            let outside = || Reason::new(ReasonKind::Outside, "the working directory of the base image", None);
            Value::unknown_not_null(reason.unwrap_or_else(outside), path.span())
        }
    }
}
