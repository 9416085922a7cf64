//! What a list of arguments means: the program, its subcommand, options and operands, and the program it runs in turn.

use crate::resource::{Data, Key, ListKind, MapKind, Span, Unknown, Value};
use crate::syntax::MappedText;

use super::expand::{Argument, Source};
use super::{CommandReader, NESTING_LIMIT, Place, Surroundings, may_be};
use crate::views::options::{bundles_letters, is_shell, operands_before_inner, takes_value};

/// Programs whose operands of the form `NAME=value` set variables.
const SETTERS: &[&str] = &["declare", "env", "export", "local", "readonly", "sudo", "doas", "typeset"];

/// The words of a command by what they are.
#[derive(Default)]
struct Sorted {
    flags: Vec<Value>,
    operands: Vec<Value>,
    /// Index of the word that holds the script of `-c`.
    script: Option<usize>,
}

impl CommandReader<'_> {
    /// Lists a command, and those it runs in turn.
    pub(super) fn interpret(&mut self, arguments: &[Argument<'_>], around: &Surroundings<'_>) {
        self.interpret_at(arguments, around, 0);
    }

    fn interpret_at<'s>(&mut self, arguments: &[Argument<'s>], around: &Surroundings<'s>, depth: usize) {
        let Some(first) = arguments.first() else {
            if !around.env.is_empty() {
                self.list(None, arguments, Sorted::default(), around);
            }
            return;
        };
        let program = first.text().map(program_name);
        let sorted = sort(program.unwrap_or_default(), arguments);
        let script = sorted.script;
        let has_operands = !sorted.operands.is_empty();
        self.list(Some(first), arguments, sorted, around);
        let Some(program) = program.filter(|_| depth < NESTING_LIMIT) else { return };
        if let Some(inner) = inner_arguments(program, arguments) {
            let inside = within(arguments, inner, around);
            self.interpret_at(arguments.get(inner.0..inner.1).unwrap_or_default(), &inside, depth + 1);
        } else if is_shell(program) || matches!(program, "su" | "runuser") {
            match script.and_then(|at| arguments.get(at)) {
                Some(argument) => self.script(self.script_in(argument).whole()),
                // A shell without a file to read reads what it is given.
                None => {
                    if let Some(body) = around.heredoc.filter(|_| !has_operands) {
                        self.script(body);
                    }
                }
            }
        } else if program == "eval" {
            self.script(self.joined(arguments.get(1..).unwrap_or_default()).whole());
        }
    }

    /// The text of a command at its place.
    fn text(&self, arguments: &[Argument<'_>], around: &Surroundings<'_>) -> Value {
        match around.place {
            Place::Script(part) => Value::text(part.text(), self.span(part).unwrap_or(Span::NOWHERE)),
            Place::List(span) => {
                Value::text(arguments.iter().filter_map(Argument::text).collect::<Vec<_>>().join(" "), span)
            }
        }
    }

    fn joined(&self, arguments: &[Argument<'_>]) -> MappedText {
        let mut text = MappedText::default();
        for argument in arguments {
            let part = self.script_in(argument);
            let end = part.whole().written().map_or(0, |origin| origin.end);
            text.push_part(part.whole());
            text.push_replaced(" ", end..end);
        }
        text
    }

    fn list(&mut self, first: Option<&Argument<'_>>, all: &[Argument<'_>], sorted: Sorted, around: &Surroundings<'_>) {
        let text = self.text(all, around);
        let span = text.span();
        let names = &self.budget.names;
        let mut entries = Vec::with_capacity(8);
        let program = first.and_then(Argument::text).map(program_name);
        if let Some(first) = first {
            let name = match program {
                Some(name) if first.text() != Some(name) => Value::text(name, first.span()),
                _ => first.value.clone(),
            };
            entries.push(names.entry("name", name));
        }
        entries.extend(sorted.operands.first().map(|first| names.entry("subcommand", first.clone())));
        let mut list = |name, items: Vec<Value>| {
            if !items.is_empty() {
                entries.push(names.entry(name, Value::list(ListKind::List, items, span)));
            }
        };
        list("flags", sorted.flags);
        list("operands", sorted.operands.get(1..).unwrap_or_default().to_vec());
        list("args", sorted.operands);
        list("pipes_to", around.pipes_to.clone());
        let mut env = around.env.clone();
        if program.is_some_and(|name| SETTERS.contains(&name)) {
            env.extend(all.iter().skip(1).filter_map(setting));
        }
        if !env.is_empty() {
            entries.push(names.entry("env", Value::map(MapKind::Map, env, span)));
        }
        entries.push(names.entry("text", text));
        self.push(entries, span);
    }
}

/// The programs that a command runs, from the outside in: `sudo sh` is both.
pub(super) fn programs(arguments: &[Argument<'_>]) -> Vec<Value> {
    let mut names = Vec::new();
    let mut arguments = arguments;
    while let Some(first) = arguments.first() {
        let program = first.text().map(program_name);
        names.push(program.map_or_else(|| first.value.clone(), |name| Value::text(name, first.span())));
        let inner = program.and_then(|program| inner_arguments(program, arguments));
        match inner.and_then(|(from, to)| arguments.get(from..to)) {
            Some(inner) if names.len() < NESTING_LIMIT => arguments = inner,
            _ => break,
        }
    }
    names
}

/// `/usr/bin/env` is `env`.
pub(super) fn program_name(path: &str) -> &str {
    path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(path)
}

/// An operand, which may be no word at all when it is an unquoted expansion.
fn operand(argument: &Argument<'_>) -> Value {
    match argument.value.as_unknown().filter(|_| argument.spreads) {
        Some(unknown) => may_be(argument.value.clone(), unknown.reason.clone()),
        None => argument.value.clone(),
    }
}

/// Tells options from operands.
fn sort(program: &str, arguments: &[Argument<'_>]) -> Sorted {
    let mut sorted = Sorted::default();
    let mut options_end = false;
    let mut is_value = false;
    let mut awaits_script = false;
    for (at, argument) in arguments.iter().enumerate().skip(1) {
        if std::mem::take(&mut is_value) {
            continue;
        }
        let prefix = argument.known_prefix();
        if options_end || !prefix.starts_with('-') || prefix == "-" {
            if argument.spreads && !options_end {
                sorted.flags.push(operand(argument));
            }
            if std::mem::take(&mut awaits_script) {
                sorted.script = Some(at);
                continue;
            }
            sorted.operands.push(operand(argument));
            continue;
        }
        if argument.text() == Some("--") {
            options_end = true;
            continue;
        }
        add_flag(program, argument, prefix, &mut sorted.flags);
        let Some(text) = argument.text() else { continue };
        is_value = takes_value(program, text) || (is_shell(program) && ends_with_letter(text, 'o'));
        // A shell's options end with its first operand, those of `su` do not.
        let may_be_script = !is_shell(program) || sorted.operands.is_empty();
        awaits_script |= may_be_script && (has_letter(text, 'c') || text == "--command");
    }
    sorted
}

fn is_bundle(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

fn has_letter(text: &str, letter: char) -> bool {
    is_bundle(text) && text.contains(letter)
}

fn ends_with_letter(text: &str, letter: char) -> bool {
    is_bundle(text) && text.ends_with(letter)
}

/// Adds an option as it is written, and beside it the names it consists of: `--a=b` is also `--a`, `-xy` also `-x` and `-y`.
fn add_flag(program: &str, argument: &Argument<'_>, prefix: &str, flags: &mut Vec<Value>) {
    flags.push(argument.value.clone());
    if let Some((name, _)) = prefix.split_once('=') {
        flags.push(Value::text(name, argument.span()));
    } else if prefix.len() > 2 && is_bundle(prefix) && argument.text().is_some() && bundles_letters(program) {
        flags.extend(prefix.chars().skip(1).map(|letter| Value::text(format!("-{letter}"), argument.span())));
    }
}

/// Where the arguments of the program that this one runs begin and end.
fn inner_arguments(program: &str, arguments: &[Argument<'_>]) -> Option<(usize, usize)> {
    let texts = |at: usize| arguments.get(at).and_then(Argument::text);
    let end = arguments.len();
    if program == "find" {
        let from = (1..end).find(|at| matches!(texts(*at), Some("-exec" | "-execdir" | "-ok" | "-okdir")))? + 1;
        let to = (from..end).find(|at| matches!(texts(*at), Some(";" | "+"))).unwrap_or(end);
        return (from < to).then_some((from, to));
    }
    if program.starts_with("python") || program.starts_with("pypy") {
        let from = (1..end)
            .take_while(|at| texts(*at).is_some_and(|t| t.starts_with('-')))
            .find(|at| texts(*at) == Some("-m"))?;
        return (from + 1 < end).then_some((from + 1, end));
    }
    let mut operands_left = operands_before_inner(program)?;
    if program == "command" && matches!(texts(1), Some("-v" | "-V")) {
        return None;
    }
    let mut at = 1;
    while at < end {
        let argument = arguments.get(at)?;
        let prefix = argument.known_prefix();
        let is_last = at + 1 == end;
        if prefix == "--" {
            at += 1;
            break;
        }
        if prefix.starts_with('-') {
            at += if argument.text().is_some_and(|text| takes_value(program, text)) { 2 } else { 1 };
        } else if (argument.spreads && !is_last) || (SETTERS.contains(&program) && setting(argument).is_some()) {
            at += 1;
        } else if operands_left > 0 {
            operands_left -= 1;
            at += 1;
        } else {
            break;
        }
    }
    (at < end).then_some((at, end))
}

/// What is said of the inner command: it stands where its own words do.
fn within<'s>(arguments: &[Argument<'s>], (from, to): (usize, usize), around: &Surroundings<'s>) -> Surroundings<'s> {
    let mut inside = around.clone();
    inside.env.extend(arguments.get(1..from).unwrap_or_default().iter().filter_map(setting));
    let ends = (arguments.get(from).map(|a| a.source), arguments.get(to.saturating_sub(1)).map(|a| a.source));
    if let (Some(Source::Word(text, first)), Some(Source::Word(_, last))) = ends {
        inside.place = Place::Script(text.part(first.span.start..last.span.end));
    }
    inside
}

/// `NAME=value` as an entry.
fn setting(argument: &Argument<'_>) -> Option<(Key, Value)> {
    let (name, known) = argument.known_prefix().split_once('=')?;
    let is_name = name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    if !is_name {
        return None;
    }
    let value = match argument.value.data() {
        Data::Unknown(unknown) => {
            let prefix = (!known.is_empty()).then(|| known.into());
            let unknown = Unknown { prefix, ..(**unknown).clone() };
            Value::new(Data::Unknown(unknown.into()), argument.span())
        }
        _ => Value::text(known, argument.span()),
    };
    Some((Key::new(name, argument.span()), value))
}
