//! Lists and pipelines, and where here-documents lie.

use std::ops::Range;

use super::{COMMAND_LIMIT, Command, SCRIPT_LIMIT_BYTES, Script, Stop};

/// Reads a script. Never fails: see [`Script::stopped`].
#[must_use]
pub fn parse_shell(text: &str) -> Script {
    let cut = text.len().min(SCRIPT_LIMIT_BYTES);
    let cut = (0..=cut).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let mut parser = Parser::new(text.get(..cut).unwrap_or_default(), 0);
    parser.list(false);
    if cut < text.len() {
        parser.limit(format!("the script has {} bytes, more than the limit of {SCRIPT_LIMIT_BYTES}", text.len()));
    }
    parser.finish()
}

pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) depth: usize,
    pub(super) script: Script,
    /// Here-documents whose bodies begin on the next line.
    pub(super) awaited: Vec<Heredoc>,
    /// Here-documents that were found, by the first byte of their command.
    bodies: Vec<(usize, Range<usize>)>,
    /// From the first byte of a command to that of the one which reads its output.
    pipes: Vec<(usize, usize)>,
    /// The last command of this list.
    last: Option<usize>,
    /// The command whose output the next one reads.
    piping: Option<usize>,
}

/// A here-document whose body has not come yet.
pub(super) struct Heredoc {
    pub(super) delimiter: String,
    pub(super) strip_tabs: bool,
    /// The first byte of its command.
    pub(super) command: usize,
}

/// What was found where a command may begin.
pub(super) enum Found {
    /// A command, a word of control flow, or nothing.
    Command,
    /// `case … in`: patterns follow.
    Case,
    /// `esac`.
    Esac,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, depth: usize) -> Self {
        Self {
            text,
            at: 0,
            depth,
            script: Script::default(),
            awaited: Vec::new(),
            bodies: Vec::new(),
            pipes: Vec::new(),
            last: None,
            piping: None,
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    /// Moves on, but never beyond the end.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.text.len());
    }

    /// Says that something has no end.
    pub(super) fn unterminated(&mut self, what: &str) {
        self.stop(format!("{what} has no end"), false);
    }

    /// Says that a limit was hit.
    pub(super) fn limit(&mut self, why: String) {
        self.stop(why, true);
    }

    fn stop(&mut self, why: String, is_limit: bool) {
        if self.script.stopped.is_none() {
            self.script.stopped = Some(Stop { at: self.at, why, is_limit });
        }
    }

    /// Keeps a command, and says who reads the output of the one before.
    pub(super) fn keep(&mut self, command: Command) {
        if self.script.commands.len() >= COMMAND_LIMIT {
            self.limit(format!("the script has more than {COMMAND_LIMIT} commands"));
            self.at = self.text.len();
            return;
        }
        let start = command.span.start;
        self.pipes.extend(self.piping.take().map(|from| (from, start)));
        self.last = Some(start);
        self.script.commands.push(command);
    }

    /// Puts the commands in the order of the text, and what was found behind them to them.
    fn finish(mut self) -> Script {
        let commands = &mut self.script.commands;
        commands.sort_by_key(|command| command.span.start);
        let find = |commands: &[Command], start: usize| commands.binary_search_by_key(&start, |c| c.span.start).ok();
        for (start, body) in self.bodies {
            if let Some(command) = find(commands, start).and_then(|index| commands.get_mut(index)) {
                command.heredocs.push(body);
            }
        }
        for (from, to) in self.pipes {
            if let Some(command) = find(commands, from).and_then(|index| commands.get_mut(index)) {
                command.pipes_to = Some(to);
            }
        }
        self.script
    }

    /// Reads the commands of a part of this text that nothing outside continues.
    pub(super) fn enclosed(&mut self, part: Range<usize>) {
        let mut inner = Parser::new(self.text.get(..part.end).unwrap_or_default(), self.depth);
        inner.at = part.start;
        inner.list(false);
        for command in inner.script.commands {
            self.keep_nested(command);
        }
        self.script.assigned.append(&mut inner.script.assigned);
        self.bodies.append(&mut inner.bodies);
        self.pipes.append(&mut inner.pipes);
        self.script.stopped = self.script.stopped.take().or(inner.script.stopped);
    }

    fn keep_nested(&mut self, command: Command) {
        let (piping, last) = (self.piping.take(), self.last);
        self.keep(command);
        (self.piping, self.last) = (piping, last);
    }

    /// Reads commands up to the end, or up to and with the `)` that closes this list.
    pub(super) fn list(&mut self, closes: bool) {
        let outside = (self.piping.take(), self.last.take());
        self.list_items(closes);
        (self.piping, self.last) = outside;
    }

    fn list_items(&mut self, closes: bool) {
        let mut open = 0_usize;
        let mut cases = 0_usize;
        loop {
            self.blanks();
            let Some(byte) = self.peek() else { break };
            match byte {
                b'\n' => self.newline(),
                b'#' => self.comment(),
                b'(' => match self.arithmetic_end(self.at) {
                    Some(end) => self.at = end,
                    None => {
                        open += 1;
                        self.skip(1);
                    }
                },
                b')' => {
                    self.skip(1);
                    if open == 0 && closes {
                        return;
                    }
                    open = open.saturating_sub(1);
                }
                b';' if cases > 0 && matches!(self.peek_at(1), Some(b';' | b'&')) => {
                    self.skip(2);
                    cases -= usize::from(self.pattern());
                }
                b';' | b'&' | b'|' => self.operator(byte),
                _ => match self.command() {
                    Found::Command => {}
                    Found::Case => cases += usize::from(!self.pattern()),
                    Found::Esac => cases = cases.saturating_sub(1),
                },
            }
        }
        if closes {
            self.unterminated("a subshell");
        }
    }

    /// Skips blanks and continued lines.
    pub(super) fn blanks(&mut self) {
        loop {
            match (self.peek(), self.peek_at(1)) {
                (Some(b' ' | b'\t' | b'\r'), _) => self.skip(1),
                (Some(b'\\'), Some(b'\n')) => self.skip(2),
                (Some(b'\\'), Some(b'\r')) if self.peek_at(2) == Some(b'\n') => self.skip(3),
                _ => return,
            }
        }
    }

    pub(super) fn comment(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
    }

    fn operator(&mut self, byte: u8) {
        self.skip(1);
        let doubled = self.peek() == Some(byte);
        self.skip(usize::from(doubled));
        let pipes = byte == b'|' && !doubled;
        if pipes && self.peek() == Some(b'&') {
            self.skip(1);
        }
        self.piping = self.last.filter(|_| pipes);
    }

    /// The end of a line, and the here-documents that begin behind it.
    fn newline(&mut self) {
        self.skip(1);
        for awaited in std::mem::take(&mut self.awaited) {
            let start = self.at;
            let mut end = self.text.len();
            while self.at < self.text.len() {
                let from = self.at;
                let rest = self.text.get(from..).unwrap_or_default();
                let line = rest.split('\n').next().unwrap_or_default();
                self.skip(line.len() + 1);
                let line = line.strip_suffix('\r').unwrap_or(line);
                let line = if awaited.strip_tabs { line.trim_start_matches('\t') } else { line };
                if line == awaited.delimiter {
                    end = from;
                    break;
                }
            }
            self.bodies.push((awaited.command, start..end.max(start)));
        }
    }

    /// The pattern of a `case` branch up to its `)`; true when `esac` stands there instead.
    fn pattern(&mut self) -> bool {
        loop {
            self.blanks();
            match self.peek() {
                Some(b'\n') => self.newline(),
                Some(b'#') => self.comment(),
                _ => break,
            }
        }
        let mut is_first = true;
        loop {
            self.blanks();
            match self.peek() {
                None => return false,
                Some(b')') => {
                    self.skip(1);
                    return false;
                }
                Some(b'|' | b'(' | b'<' | b'>' | b'&' | b';' | b'\n') => self.skip(1),
                Some(_) => {
                    let word = self.word();
                    if is_first && word.bare(self.text) == Some("esac") {
                        return true;
                    }
                    is_first = false;
                }
            }
        }
    }
}
