//! The `commands` view: the programs a script runs, each with its subcommand, options and operands.
//!
//! A program that runs another (`sudo`, `env`, `xargs`, `sh -c '…'`, `python -m …`) is listed, and behind it the one it runs.
//! A word that depends on what only the build knows is unknown; one that may be any number of words is a maybe.

mod expand;
mod interpret;

use std::cell::Cell;
use std::collections::BTreeSet;

use crate::resource::{FileId, Key, ListKind, MapKind, Names, Reason, ReasonKind, Span, Value};
use crate::syntax::shell::{Command, Script, parse_shell};
use crate::syntax::{MappedPart, MappedText};

use super::options::is_shell;
use expand::Argument;

/// What a variable of the surroundings holds: text or an unknown value; `None` when they do not set it.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<Value>;

/// How deep scripts inside words of scripts are read.
const NESTING_LIMIT: usize = 8;

/// Most commands that the views of one file list.
const COMMAND_LIMIT: usize = 20_000;

/// Most bytes that variables may put into the commands of one file.
const EXPANSION_LIMIT_BYTES: usize = 256 * 1024;

/// What the views of one file may still cost.
#[derive(Debug)]
pub struct CommandBudget {
    commands: usize,
    expanded_bytes: Cell<usize>,
    names: Names,
}

impl Default for CommandBudget {
    fn default() -> Self {
        Self { commands: COMMAND_LIMIT, expanded_bytes: Cell::new(EXPANSION_LIMIT_BYTES), names: Names::default() }
    }
}

/// Whether the program at a path reads POSIX shell scripts.
#[must_use]
pub fn reads_scripts(path: &str) -> bool {
    is_shell(interpret::program_name(path))
}

/// Collects the commands of scripts and argument lists.
pub struct CommandReader<'a> {
    file: FileId,
    lookup: Lookup<'a>,
    budget: &'a mut CommandBudget,
    items: Vec<Value>,
    depth: usize,
}

/// What is said of a command besides its words.
#[derive(Clone)]
struct Surroundings<'s> {
    place: Place<'s>,
    env: Vec<(Key, Value)>,
    pipes_to: Vec<Value>,
    heredoc: Option<MappedPart<'s>>,
}

/// Where a command stands.
#[derive(Clone, Copy)]
enum Place<'s> {
    /// In a script.
    Script(MappedPart<'s>),
    /// In a list of arguments.
    List(Span),
}

impl<'a> CommandReader<'a> {
    /// A reader for texts of one file.
    #[must_use]
    pub fn new(file: FileId, lookup: Lookup<'a>, budget: &'a mut CommandBudget) -> Self {
        Self { file, lookup, budget, items: Vec::new(), depth: 0 }
    }

    /// The view: a list at a place.
    #[must_use]
    pub fn finish(self, span: Span) -> Value {
        Value::list(ListKind::List, self.items, span)
    }

    /// Adds the commands of a shell script.
    pub fn script(&mut self, text: MappedPart<'_>) {
        if self.depth >= NESTING_LIMIT {
            return self.give_up(text, format!("scripts are nested more than {NESTING_LIMIT} deep"), ReasonKind::Limit);
        }
        self.depth += 1;
        let script = parse_shell(text.text());
        for command in &script.commands {
            self.command(text, &script, command);
        }
        if let Some(stopped) = script.stopped {
            let kind = if stopped.is_limit { ReasonKind::Limit } else { ReasonKind::Invalid };
            self.give_up(text, stopped.why, kind);
        }
        self.depth -= 1;
    }

    /// Adds the command of an argument list (`["a", "b"]`), of which nothing is expanded.
    pub fn arguments(&mut self, words: &[MappedText], span: Span) {
        let arguments: Vec<Argument<'_>> = words.iter().map(|text| self.whole(text.whole(), span)).collect();
        let place = Place::List(span);
        self.interpret(&arguments, &Surroundings { place, env: Vec::new(), pipes_to: Vec::new(), heredoc: None });
    }

    fn command(&mut self, text: MappedPart<'_>, script: &Script, command: &Command) {
        let arguments = self.words(text, script, command);
        let mut env = Vec::new();
        for assignment in &command.assignments {
            let value = self.value_of(text, &assignment.value, &script.assigned);
            let name = text.part(assignment.name.clone());
            env.push((Key::new(name.text(), self.span(name).unwrap_or(value.span())), value));
        }
        let mut pipes_to = Vec::new();
        if let Some(to) = command.pipes_to
            && let Ok(index) = script.commands.binary_search_by_key(&to, |command| command.span.start)
            && let Some(reader) = script.commands.get(index)
        {
            pipes_to = interpret::programs(&self.words(text, script, reader));
        }
        let heredoc = command.heredocs.last().map(|body| text.part(body.clone()));
        let place = Place::Script(text.part(command.span.clone()));
        self.interpret(&arguments, &Surroundings { place, env, pipes_to, heredoc });
    }

    fn words<'s>(&self, text: MappedPart<'s>, script: &Script, command: &'s Command) -> Vec<Argument<'s>> {
        let mut arguments = Vec::with_capacity(command.words.len());
        for word in &command.words {
            self.expand(text, word, &script.assigned, &mut arguments);
        }
        arguments
    }

    fn push(&mut self, entries: Vec<(Key, Value)>, span: Span) {
        match self.budget.commands {
            0 => {}
            1 => {
                self.budget.commands = 0;
                let why =
                    Reason::new(ReasonKind::Limit, format!("more than {COMMAND_LIMIT} commands in one file"), None);
                self.items.push(may_be(Value::unknown(why.clone(), span), why));
            }
            left => {
                self.budget.commands = left - 1;
                self.items.push(Value::map(MapKind::Map, entries, span));
            }
        }
    }

    /// Says that a script may run more than was found in it.
    fn give_up(&mut self, text: MappedPart<'_>, why: String, kind: ReasonKind) {
        let span = self.span(text).unwrap_or(Span::NOWHERE);
        let reason = Reason::new(kind, why, Some(span));
        self.items.push(may_be(Value::unknown(reason.clone(), span), reason));
    }

    fn span(&self, text: MappedPart<'_>) -> Option<Span> {
        text.written().map(|origin| Span::new(self.file, origin))
    }

    /// Variables that are set in the surroundings of a script, seen through what the script itself sets.
    fn variable(&self, name: &str, assigned: &BTreeSet<String>) -> Result<Value, Reason> {
        if assigned.contains(name) {
            return Err(Reason::new(ReasonKind::Unsupported, format!("${name}"), None));
        }
        match (self.lookup)(name) {
            None => Err(Reason::new(ReasonKind::Outside, format!("${name}"), None)),
            Some(value) => match value.as_unknown() {
                Some(unknown) => Err(unknown.reason.clone()),
                None => self.within_budget(value),
            },
        }
    }
}

impl CommandReader<'_> {
    fn within_budget(&self, value: Value) -> Result<Value, Reason> {
        let bytes = value.as_text().map_or(0, |text| text.len());
        let left = self.budget.expanded_bytes.get().checked_sub(bytes).ok_or_else(|| {
            let why = format!("variables put in more than {EXPANSION_LIMIT_BYTES} bytes in one file");
            Reason::new(ReasonKind::Limit, why, None)
        })?;
        self.budget.expanded_bytes.set(left);
        Ok(value)
    }
}

/// An element that may be any number of elements.
fn may_be(value: Value, reason: Reason) -> Value {
    value.noted(|notes| notes.maybe = Some(reason))
}

#[cfg(test)]
mod tests;
