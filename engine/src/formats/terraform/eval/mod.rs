//! Evaluation of expressions as Terraform does it, over values of which parts are unknown.
//!
//! Wanted: what Terraform would compute from the files is computed; what it cannot know is unknown, with the reason and
//! the place; an error in one expression spoils that expression and nothing else; no input takes more than a stated amount
//! of work. So everything is computed on demand and once, an error is an unknown value and a count ([`Evaluator::fault`],
//! which is how `try` notices), and work is counted in steps and in depth.

mod access;
mod blocks;
mod choice;
mod conditional;
mod expr;
mod for_expr;
mod instance;
mod limits;
mod operators;
mod references;
mod repeat;
mod resources;
mod scope;
mod template;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::formats::terraform::config::load::Loaded;
use crate::formats::terraform::functions::PatternFlaw;
use crate::formats::terraform::values::convert::is_secret;
use crate::resource::{Data, FileId};
use crate::resource::{FileTable, Problem, ProblemKind, Reason, ReasonKind, Span, Type, Unknown, Value};
use crate::source_tree::{Files, Folder, TreePath};

pub(crate) use choice::one_of;
pub(crate) use expr::{unique, wholly_known};
pub(crate) use instance::{Instance, One};
pub(crate) use limits::{ELEMENT_LIMIT, TEXT_LIMIT};
pub(crate) use operators::{may_be_null, reason_within};
pub(crate) use scope::{Frame, Repetition, Scope};

use instance::{Expansion, InstanceKey, Slot};

/// Evaluates the expressions of one unit.
pub(crate) struct Evaluator<'a> {
    pub loaded: &'a Loaded,
    pub files: &'a dyn Files,
    /// The folder of the unit.
    pub root: Folder,
    pub table: RefCell<FileTable>,
    problems: RefCell<Vec<Problem>>,
    said: RefCell<HashSet<(Option<Span>, &'static str)>>,
    limits: limits::Limits,
    /// How many errors evaluation has met: `try` and `can` compare before and after.
    faults: Cell<u32>,
    /// How many values were met that exist only perhaps.
    doubts: Cell<u32>,
    /// Why the last of them exists only perhaps.
    doubted: RefCell<Option<Reason>>,
    /// Whether any value was sensitive: before, nobody looks for marks.
    pub sensitive_seen: Cell<bool>,
    /// Resources by address, for values that stand for a whole resource.
    addresses: RefCell<HashMap<Arc<str>, Located<'a>>>,
    /// Patterns by text, compiled once.
    pub patterns: RefCell<HashMap<Arc<str>, Result<regex::Regex, PatternFlaw>>>,
}

/// One instance of a resource block, and the module instance it belongs to.
type Located<'a> = (Rc<Instance<'a>>, usize, InstanceKey);

impl<'a> Evaluator<'a> {
    pub(crate) fn new(root: &Folder, loaded: &'a Loaded, files: &'a dyn Files, table: FileTable) -> Self {
        Self {
            loaded,
            files,
            root: root.clone(),
            table: RefCell::new(table),
            problems: RefCell::default(),
            said: RefCell::default(),
            limits: limits::Limits::default(),
            faults: Cell::new(0),
            doubts: Cell::new(0),
            doubted: RefCell::default(),
            sensitive_seen: Cell::new(false),
            addresses: RefCell::default(),
            patterns: RefCell::default(),
        }
    }

    /// The files and problems when all is done.
    pub(crate) fn into_parts(self) -> (FileTable, Vec<Problem>) {
        (self.table.into_inner(), self.problems.into_inner())
    }

    /// An error in an expression: the value is unknown because of it.
    pub(crate) fn fault(&self, message: impl Into<Arc<str>>, span: Span) -> Value {
        self.faults.set(self.faults.get().saturating_add(1));
        Value::unknown(Reason::new(ReasonKind::Invalid, message, Some(span)), span)
    }

    /// What this program does not evaluate.
    pub(crate) fn unsupported(&self, subject: impl Into<Arc<str>>, shape: Type, span: Span) -> Value {
        let reason = Reason::new(ReasonKind::Unsupported, subject, Some(span));
        unknown(reason, shape, false, span)
    }

    /// Computes with errors kept apart: what the inner value has wrong is no error of what refers to it.
    pub(crate) fn apart<T>(&self, compute: impl FnOnce() -> T) -> T {
        let faults = self.faults.get();
        let value = compute();
        self.faults.set(faults);
        value
    }

    /// Whether there was an error in what is computed.
    pub(crate) fn failing<T>(&self, compute: impl FnOnce() -> T) -> (T, bool) {
        let faults = self.faults.get();
        let value = compute();
        (value, self.faults.get() != faults)
    }

    /// Computes, and says whether there was an error in it, and whether a value in it exists only perhaps. Neither counts on.
    pub(crate) fn attempt<T>(&self, compute: impl FnOnce() -> T) -> (T, Attempt) {
        let (faults, doubts) = (self.faults.get(), self.doubts.get());
        let value = compute();
        let attempt = Attempt { failed: self.faults.get() != faults, doubtful: self.doubts.get() != doubts };
        self.faults.set(faults);
        self.doubts.set(doubts);
        (value, attempt)
    }

    /// A value that exists only perhaps was met.
    pub(crate) fn doubt(&self, why: Option<Reason>) {
        self.doubts.set(self.doubts.get().saturating_add(1));
        *self.doubted.borrow_mut() = why;
    }

    /// Why the value met last that exists only perhaps does so.
    pub(crate) fn last_doubt(&self) -> Option<Reason> {
        self.doubted.borrow().clone()
    }

    /// Says a problem, once for each place and kind.
    pub(crate) fn problem(&self, kind: ProblemKind, what: &'static str, span: Span, message: String, remedy: &str) {
        if !self.said.borrow_mut().insert((Some(span), what)) {
            return;
        }
        let Some(path) = self.path(span.file) else { return };
        let problem = Problem { kind, path, span: Some(span), message, remedy: remedy.to_owned() };
        self.problems.borrow_mut().push(problem);
    }

    pub(crate) fn path(&self, file: FileId) -> Option<TreePath> {
        self.table.borrow().get(file).map(|file| file.path().clone())
    }

    /// What is written at a place.
    pub(crate) fn text_at(&self, span: Span) -> Option<String> {
        self.table.borrow().get(span.file).map(|file| file.slice(span.range()).to_owned())
    }

    /// Whether a value or a part of it is sensitive.
    pub(crate) fn is_sensitive_within(&self, value: &Value) -> bool {
        self.sensitive_seen.get() && is_secret(value, &mut 10_000)
    }

    /// Marks a value that comes from a sensitive one.
    pub(crate) fn marked(&self, value: Value, sensitive: bool) -> Value {
        if !sensitive || value.is_sensitive() {
            return value;
        }
        self.sensitive_seen.set(true);
        value.noted(|notes| notes.sensitive = true)
    }
}

/// How a computation went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    pub failed: bool,
    pub doubtful: bool,
}

/// An unknown value.
pub(crate) fn unknown(reason: Reason, shape: Type, not_null: bool, span: Span) -> Value {
    Value::new(Data::Unknown(Arc::new(Unknown { reason, not_null, prefix: None, shape })), span)
}

/// Whether a value is known itself, whatever its parts are.
pub(crate) fn is_known(value: &Value) -> bool {
    !matches!(value.data(), Data::Unknown(_) | Data::OneOf(_))
}

/// Why a value is unknown, or one of several.
pub(crate) fn reason(value: &Value) -> Option<Reason> {
    match value.data() {
        Data::Unknown(unknown) => Some(unknown.reason.clone()),
        Data::OneOf(alternatives) => {
            value.notes().and_then(|notes| notes.choice.clone()).or_else(|| alternatives.iter().find_map(reason))
        }
        _ => None,
    }
}
