//! A POSIX shell script as the simple commands it may run: `a && b | c`, those in subshells, branches, loops, functions and
//! command substitutions too, in the order of the text. Control flow is not evaluated: a command is one the script may run.
//!
//! Wanted: linear time, no recursion without a limit, and never a failure: shell text in a pull request is whatever its author
//! typed. What was not understood is said in [`Script::stopped`].

mod commands;
mod parser;
mod words;

use std::collections::BTreeSet;
use std::ops::Range;

pub use parser::parse_shell;

/// Longest script that is read, in bytes.
pub const SCRIPT_LIMIT_BYTES: usize = 256 * 1024;

/// Most commands that are read of one script.
pub const COMMAND_LIMIT: usize = 20_000;

/// How deep substitutions may be nested.
pub const NESTING_LIMIT: usize = 40;

/// What a script may run.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// In the order of the text.
    pub commands: Vec<Command>,
    /// The variables it sets itself: what they hold is not known before it runs.
    pub assigned: BTreeSet<String>,
    /// Where and why reading ended early.
    pub stopped: Option<Stop>,
}

/// A place in a script that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The byte offset.
    pub at: usize,
    /// Why, in plain words, without a final stop.
    pub why: String,
    /// Whether it is a limit of this program, and no mistake in the script.
    pub is_limit: bool,
}

/// One simple command; all ranges are byte offsets in the script.
#[derive(Clone, Debug, Default)]
pub struct Command {
    /// From its first word to its last, redirections included.
    pub span: Range<usize>,
    /// `NAME=value` before the first word.
    pub assignments: Vec<Assignment>,
    /// The program and its arguments, without redirections.
    pub words: Vec<Word>,
    /// The first byte of the command that reads its output.
    pub pipes_to: Option<usize>,
    /// The bodies of its here-documents.
    pub heredocs: Vec<Range<usize>>,
}

/// A variable set for one command, or by one that has no words.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The variable.
    pub name: Range<usize>,
    /// What it is set to; its span is empty when nothing follows the `=`.
    pub value: Word,
}

/// One word as it is written, cut at its quotes and expansions.
#[derive(Clone, Debug, Default)]
pub struct Word {
    /// The whole word, quotes included.
    pub span: Range<usize>,
    /// It is text without quotes, escapes and expansions, and has no other parts.
    pub is_bare: bool,
    /// None for an empty word (`''`), and for a bare one.
    parts: Vec<Part>,
}

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text that means itself.
    Text {
        /// Where.
        span: Range<usize>,
        /// Inside quotes.
        quoted: bool,
    },
    /// A character written as an escape (`\n` in `$'…'`).
    Character {
        /// The character.
        character: char,
        /// Where.
        span: Range<usize>,
    },
    /// `$name` or `${name}`.
    Variable {
        /// Its name.
        name: Range<usize>,
        /// Where, `$` included.
        span: Range<usize>,
        /// Inside quotes: its value is not cut into words.
        quoted: bool,
    },
    /// Any other expansion: `$(…)`, `${x:-y}`, `$((1 + 1))`.
    Expansion {
        /// Where.
        span: Range<usize>,
        /// Inside quotes.
        quoted: bool,
    },
}

impl Word {
    /// What it is put together from.
    pub fn parts(&self) -> impl Iterator<Item = Part> + '_ {
        let bare = self.is_bare.then(|| Part::Text { span: self.span.clone(), quoted: false });
        bare.into_iter().chain(self.parts.iter().cloned())
    }

    /// The text of a bare word.
    #[must_use]
    pub fn bare<'t>(&self, script: &'t str) -> Option<&'t str> {
        if self.is_bare { script.get(self.span.clone()) } else { None }
    }

    /// Whether it is nothing but one expansion outside quotes, which may become any number of words.
    #[must_use]
    pub fn is_one_expansion(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Variable { quoted: false, .. } | Part::Expansion { quoted: false, .. }])
    }
}
