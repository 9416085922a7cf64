//! The programs that RUN, CMD, ENTRYPOINT and HEALTHCHECK start, in whichever way they say so.

use std::ops::Range;

use crate::resource::{ListKind, Reason, ReasonKind, Span, Value};
use crate::syntax::{MappedPart, MappedText};
use crate::views::{CommandBudget, CommandReader, reads_scripts};

use super::instruction::Arguments;
use super::lines::Heredoc;
use super::words::{Expander, plain_words};

/// Programs that say little about what a script is for.
const PREPARATIONS: &[&str] = &["set", "cd", "export", "[", "[[", "test", ":", "true", "echo", "mkdir"];

/// What reads the scripts of a stage.
#[derive(Clone, Debug, Default)]
pub(super) struct Shell {
    /// As SHELL says; none where it does not.
    written: Option<Value>,
    /// The base image is one of Windows, whose scripts are not read by a POSIX shell.
    is_windows: bool,
}

/// Reads the scripts of one file.
#[derive(Default)]
pub(super) struct Scripts {
    pub(super) budget: CommandBudget,
    pub(super) current: Shell,
}

impl Shell {
    /// The shell a stage on an image begins with.
    pub(super) fn of_image(image: &str, escape: u8) -> Self {
        let image = image.to_ascii_lowercase();
        let names_windows = ["windows", "nanoserver", "servercore"].iter().any(|name| image.contains(name));
        Self { written: None, is_windows: names_windows || escape == b'`' }
    }

    /// Takes what SHELL says.
    pub(super) fn set(&mut self, items: Vec<Value>) {
        let span = items.first().map_or(Span::NOWHERE, Value::span);
        self.written = Some(Value::list(ListKind::List, items, span));
    }

    /// As SHELL says it.
    pub(super) fn value(&self) -> Option<Value> {
        self.written.clone()
    }

    /// Why its scripts cannot be read.
    fn unreadable(&self) -> Option<Reason> {
        let name = match &self.written {
            None if self.is_windows => "cmd".to_owned(),
            None => return None,
            Some(items) => match items.as_list().and_then(|list| list.items.first()).and_then(Value::as_text) {
                Some(path) if reads_scripts(path) => return None,
                Some(path) => path.to_string(),
                None => "an unknown shell".to_owned(),
            },
        };
        Some(Reason::new(ReasonKind::Unsupported, format!("a script for {name}"), None))
    }
}

impl Scripts {
    /// The shell as SHELL says it.
    pub(super) fn shell(&self) -> Option<Value> {
        self.current.value()
    }

    /// The programs a command starts.
    pub(super) fn commands(
        &mut self,
        arguments: &Arguments<'_>,
        heredocs: &[Heredoc],
        file: &str,
        span: Span,
        expander: &Expander<'_>,
    ) -> Value {
        let variable = |name: &str| expander.variables.value(name);
        let mut reader = CommandReader::new(expander.file, &variable, &mut self.budget);
        match (arguments, self.current.unreadable()) {
            (Arguments::List(items, _), _) => reader.arguments(items, span),
            (Arguments::Text(_), Some(reason)) => return Value::unknown_not_null(reason, span),
            (Arguments::Text(text), None) => match heredocs {
                [] => reader.script(*text),
                [only] if is_heredoc_alone(text.text()) => {
                    let body = file.get(only.body.clone()).unwrap_or_default();
                    let script = MappedText::verbatim(body, only.body.start);
                    match interpreter(body) {
                        Some(words) => {
                            let words: Vec<MappedText> =
                                words.into_iter().map(|word| copy(script.part(word))).collect();
                            reader.arguments(&words, Span::new(expander.file, only.body.clone()));
                        }
                        None => reader.script(script.whole()),
                    }
                }
                // The shell gets the here-documents behind the line, and handles them as its own.
                [first, ..] => {
                    let last = heredocs.last().unwrap_or(first);
                    let mut script = copy(*text);
                    let bodies = first.whole.start..last.whole.end;
                    script.push_replaced("\n", bodies.start..bodies.start);
                    script.push(file.get(bodies.clone()).unwrap_or_default(), bodies.start);
                    reader.script(script.whole());
                }
            },
        }
        reader.finish(span)
    }

    /// What a script is for, in a word or two: its first program that does more than prepare, and the subcommand.
    pub(super) fn tells(&self, commands: &Value) -> Option<String> {
        let items = commands.as_list().map(|list| list.items.as_slice()).unwrap_or_default();
        let name = |item: &Value| item.get("name").and_then(Value::as_text).map(|name| name.to_string());
        let says_more = |item: &&Value| name(item).is_some_and(|name| !PREPARATIONS.contains(&&*name));
        let item = items.iter().find(says_more).or_else(|| items.first())?;
        let subcommand = item.get("subcommand").and_then(Value::as_text).filter(|word| {
            word.len() <= 20
                && word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
        });
        let name = name(item)?;
        Some(subcommand.map_or_else(|| name.clone(), |subcommand| format!("{name}-{subcommand}")))
    }
}

fn copy(part: MappedPart<'_>) -> MappedText {
    let mut text = MappedText::default();
    text.push_part(part);
    text
}

/// Whether a command is nothing but a here-document, whose body then is the script.
fn is_heredoc_alone(text: &str) -> bool {
    let text = text.trim();
    text.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with("<<")
        && !text.contains([' ', '\t', '>', '|', ';', '&'])
}

/// The program and arguments that a script names in its first line, unless it is a shell.
fn interpreter(script: &str) -> Option<Vec<Range<usize>>> {
    let line = script.strip_prefix("#!")?.lines().next()?;
    let mut words: Vec<Range<usize>> = plain_words(line).into_iter().map(|word| word.start + 2..word.end + 2).collect();
    let text = |word: Option<&Range<usize>>| word.and_then(|word| script.get(word.clone()));
    if text(words.first()).is_some_and(|program| program.ends_with("/env")) && words.len() > 1 {
        words.remove(0);
    }
    let is_shell = text(words.first()).is_none_or(reads_scripts);
    (!is_shell).then_some(words)
}
