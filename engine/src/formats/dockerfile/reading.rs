//! A Dockerfile as resources: one for each stage, and an auxiliary one for each instruction.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use crate::resource::{
    FileId, FormatId, MapKind, Names, Problem, ProblemKind, Reason, ReasonKind, Resource, Span, Value,
};
use crate::source_tree::SourceFile;

use super::fields::{Effect, FieldReader};
use super::instruction::{Instruction, Keyword};
use super::lines::{Line, Lines, shortened};
use super::scope::Variables;
use super::scripts::Scripts;
use super::stage::{Beginning, Stage};
use super::words::{EXPANSION_LIMIT_BYTES, Expander};

/// Most stages of a file: inheriting costs each what the one before has.
const STAGE_LIMIT: usize = 200;

/// Most instructions of a file.
const INSTRUCTION_LIMIT: usize = 10_000;

/// Most variables, labels, ports and volumes of a file.
const SETTING_LIMIT: usize = 2_000;

/// Most problems that are told of a file.
const PROBLEM_LIMIT: usize = 20;

/// Longest part of an address that says what an instruction is about, in characters.
const TELL_LIMIT: usize = 40;

/// What was found in a file.
#[derive(Default)]
pub(super) struct Found {
    pub(super) resources: Vec<Resource>,
    pub(super) problems: Vec<Problem>,
}

/// Reads the instructions of a file.
pub(super) fn read(file: &SourceFile, id: FileId, lines: &Lines) -> Found {
    let keywords: Vec<Option<Keyword>> =
        lines.instructions.iter().map(|line| Keyword::of(line.keyword().text())).collect();
    let names = Names::default();
    let mut reading = Reading {
        file,
        id,
        escape: lines.escape,
        names: &names,
        stages: keywords.iter().filter(|keyword| **keyword == Some(Keyword::From)).count(),
        expansion_left: Cell::new(EXPANSION_LIMIT_BYTES),
        settings_left: SETTING_LIMIT,
        globals: Variables::global(),
        scripts: Scripts::default(),
        ended: Vec::new(),
        current: None,
        addresses: HashMap::new(),
        found: Found::default(),
    };
    for mistake in &lines.mistakes {
        reading.problem(ProblemKind::Partial, mistake.span.clone(), mistake.message.clone(), mistake.remedy);
    }
    reading.instructions(lines, &keywords);
    reading.end_stage();
    reading.found.problems.sort_by_key(|problem| problem.span.map(|span| span.start));
    reading.found
}

struct Reading<'f> {
    file: &'f SourceFile,
    id: FileId,
    escape: u8,
    names: &'f Names,
    /// How many stages the file has.
    stages: usize,
    expansion_left: Cell<usize>,
    settings_left: usize,
    globals: Variables,
    scripts: Scripts,
    ended: Vec<Stage>,
    current: Option<Open>,
    /// How often an address was given.
    addresses: HashMap<Arc<str>, usize>,
    found: Found,
}

/// The stage whose instructions come.
struct Open {
    stage: Stage,
    label: String,
    /// What its instructions say of it.
    about: Value,
    /// Where its resource stands.
    resource: usize,
}

/// Instructions behind one another whose keyword nobody knows.
struct Run {
    span: Range<usize>,
    first: String,
    count: usize,
}

impl Reading<'_> {
    fn instructions(&mut self, lines: &Lines, keywords: &[Option<Keyword>]) {
        let overridden = overridden(keywords);
        let mut unknown: Option<Run> = None;
        for (index, (line, keyword)) in lines.instructions.iter().zip(keywords).enumerate() {
            if index >= INSTRUCTION_LIMIT {
                let message = format!("the file has more than {INSTRUCTION_LIMIT} instructions");
                return self.problem(ProblemKind::Limit, line.header.clone(), message, "split the file");
            }
            let Some(keyword) = *keyword else {
                // A forgotten line continuation makes a run of them: one problem.
                let first = || Run { span: line.header.clone(), first: shortened(line.keyword().text()), count: 0 };
                let run = unknown.get_or_insert_with(first);
                (run.span.end, run.count) = (line.header.end, run.count + 1);
                continue;
            };
            self.unknown(unknown.take());
            if keyword == Keyword::From && self.ended.len() + usize::from(self.current.is_some()) >= STAGE_LIMIT {
                let message = format!("the file has more than {STAGE_LIMIT} stages");
                return self.problem(ProblemKind::Limit, line.header.clone(), message, "split the file");
            }
            self.instruction(keyword, line, overridden.contains(&index));
        }
        self.unknown(unknown);
        if self.stages == 0 && self.found.problems.is_empty() {
            self.problem(ProblemKind::Unreadable, 0..0, "there is no FROM".to_owned(), "begin with FROM and an image");
        }
    }

    fn unknown(&mut self, run: Option<Run>) {
        let Some(Run { span, first, count }) = run else { return };
        let message = match count {
            1 => format!("`{first}` is no instruction"),
            _ => format!("`{first}` is no instruction, nor are the {} behind it", count - 1),
        };
        let remedy = "correct the keyword, or end the line before with a line continuation";
        self.problem(ProblemKind::Partial, span, message, remedy);
    }

    fn problem(&mut self, kind: ProblemKind, span: Range<usize>, message: String, remedy: &str) {
        if self.found.problems.len() < PROBLEM_LIMIT {
            let (path, span) = (self.file.path().clone(), Some(Span::new(self.id, span)));
            self.found.problems.push(Problem { kind, path, span, message, remedy: remedy.to_owned() });
        }
    }

    fn instruction(&mut self, keyword: Keyword, line: &Line, is_overridden: bool) {
        let is_from = keyword == Keyword::From;
        if is_from {
            self.end_stage();
        }
        let stage = self.current.as_ref().map(|open| &open.stage);
        self.scripts.current = stage.map(|stage| stage.shell.clone()).unwrap_or_default();
        let mut reader = FieldReader {
            expander: Expander {
                escape: self.escape,
                file: self.id,
                variables: stage.map_or(&self.globals, |stage| &stage.variables),
                left: &self.expansion_left,
            },
            globals: stage.map(|_| &self.globals),
            names: self.names,
            scripts: &mut self.scripts,
            file: self.file.text(),
        };
        let mut fields = reader.read(&Instruction::parse(keyword, line.rest()), line);
        if let Some((message, remedy)) = fields.mistake.take() {
            self.problem(ProblemKind::Partial, line.header.clone(), message, remedy);
        } else if self.current.is_none() && !matches!(keyword, Keyword::From | Keyword::Arg) {
            let message = format!("{} stands before the first FROM", keyword.name());
            self.problem(ProblemKind::Partial, line.header.clone(), message, "begin with FROM and an image");
        }
        let span = Span::new(self.id, line.span.clone());
        if is_from {
            let flags = fields.entries.iter().find(|(key, _)| &*key.text == "flags").map(|(_, flags)| flags);
            let platform = flags.and_then(|flags| flags.get("platform")).cloned();
            let effect = std::mem::replace(&mut fields.effect, Effect::Nothing);
            self.begin_stage(effect, platform, Span::new(self.id, line.header.clone()));
        }
        if is_overridden {
            fields.entries.push(self.names.entry("overridden", Value::bool(true, span)));
        }
        fields.entries.extend(self.current.as_ref().map(|open| self.names.entry("stage", open.about.clone())));
        let attributes = Value::map(MapKind::Map, fields.entries, span);
        self.apply(fields.effect, &attributes, line);
        self.add(keyword, line, fields.tells, attributes);
    }

    /// Adds the resource of an instruction.
    fn add(&mut self, keyword: Keyword, line: &Line, tells: Option<String>, attributes: Value) {
        let span = Span::new(self.id, line.span.clone());
        let mut address = String::with_capacity(64);
        address.push_str(keyword.name());
        if let Some(open) = &mut self.current {
            address.push('.');
            address.push_str(&open.label);
            open.stage.span = open.stage.span.to(span);
            open.stage.instructions.push(attributes.clone());
        }
        let tells = tells.filter(|tells| !tells.is_empty()).map(|tells| told(&tells));
        if let Some(tells) = &tells {
            address.push('.');
            address.push_str(tells);
        }
        let type_name = self.names.name(keyword.name());
        let address = self.unique(&address);
        self.found.resources.push(Resource {
            address,
            name: tells.map_or_else(|| Arc::clone(&type_name), Into::into),
            type_name,
            format: FormatId::Dockerfile,
            span,
            header: Span::new(self.id, line.header.clone()),
            attributes,
            auxiliary: true,
            maybe: None,
            owner: None,
            called_from: None,
        });
    }

    /// An address nothing else of the file has.
    fn unique(&mut self, address: &str) -> Arc<str> {
        if let Some(times) = self.addresses.get_mut(address) {
            *times += 1;
            return format!("{address}#{times}").into();
        }
        let unique: Arc<str> = address.into();
        self.addresses.insert(Arc::clone(&unique), 1);
        unique
    }

    /// Opens the stage of a FROM; its resource stands before that of the instruction.
    fn begin_stage(&mut self, effect: Effect, platform: Option<Value>, header: Span) {
        let (image, name) = match effect {
            Effect::Stage(image, name) => (image, name),
            _ => (Value::unknown(Reason::new(ReasonKind::Invalid, "FROM names no image", Some(header)), header), None),
        };
        let stage = Stage::begin(Beginning { image, name, platform, header }, &self.ended, self.escape);
        let label = told(&stage.label());
        let about = stage.about(stage.index + 1 == self.stages, self.names);
        let address = self.unique(&format!("stage.{label}"));
        self.current = Some(Open { stage, label: label.clone(), about, resource: self.found.resources.len() });
        self.found.resources.push(Resource {
            address,
            type_name: self.names.name("stage"),
            name: label.into(),
            format: FormatId::Dockerfile,
            span: header,
            header,
            attributes: Value::null(header),
            auxiliary: false,
            maybe: None,
            owner: None,
            called_from: None,
        });
    }

    /// Changes the stage, or what holds before the first one, as an instruction says.
    fn apply(&mut self, effect: Effect, whole: &Value, line: &Line) {
        let count = match &effect {
            Effect::Env(pairs) | Effect::Labels(pairs) | Effect::Arguments(pairs) => pairs.len(),
            Effect::Ports(items) | Effect::Volumes(items) => items.len(),
            _ => 0,
        };
        if let Some(left) = self.settings_left.checked_sub(count) {
            self.settings_left = left;
        } else {
            if self.settings_left > 0 {
                self.settings_left = 0;
                let message = format!("the file sets more than {SETTING_LIMIT} variables, labels, ports and volumes");
                self.problem(ProblemKind::Limit, line.header.clone(), message, "set fewer");
            }
            return;
        }
        match (&mut self.current, effect) {
            (Some(open), effect) => open.stage.apply(effect, whole),
            (None, Effect::Arguments(pairs)) => {
                pairs.into_iter().for_each(|(key, value)| self.globals.declare(&key.text, value));
            }
            (None, _) => {}
        }
    }

    /// Closes the current stage: now it is known what it has become.
    fn end_stage(&mut self) {
        let Some(Open { mut stage, resource, .. }) = self.current.take() else { return };
        let attributes = stage.attributes(stage.index + 1 == self.stages, self.names);
        if let Some(resource) = self.found.resources.get_mut(resource) {
            resource.span = stage.span;
            resource.attributes = attributes;
        }
        stage.instructions = Vec::new();
        self.ended.push(stage);
    }
}

/// Instructions that a later one of the same stage makes void.
fn overridden(keywords: &[Option<Keyword>]) -> HashSet<usize> {
    let mut later = HashSet::new();
    let mut overridden = HashSet::new();
    for (index, keyword) in keywords.iter().enumerate().rev() {
        match keyword {
            Some(Keyword::From) => later.clear(),
            Some(Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck) if !later.insert(*keyword) => {
                overridden.insert(index);
            }
            _ => {}
        }
    }
    overridden
}

/// A text as a part of an address: short, without blanks and control characters.
fn told(text: &str) -> String {
    let plain = |c: char| if c.is_whitespace() || c.is_control() { '-' } else { c };
    text.chars().take(TELL_LIMIT).map(plain).collect()
}
