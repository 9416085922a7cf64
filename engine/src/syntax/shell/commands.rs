//! Simple commands, and the words of control flow before them.

use super::parser::{Found, Heredoc, Parser};
use super::{Assignment, Command, Part, Word};

/// Words that begin or end control flow where a command may begin, and are followed by a command.
const CONTROL: &[&str] =
    &["if", "then", "elif", "else", "fi", "do", "done", "while", "until", "{", "}", "!", "time", "coproc"];

/// Programs whose arguments name variables that they set.
const SETTERS: &[&str] = &["declare", "export", "getopts", "local", "mapfile", "read", "readonly", "typeset", "unset"];

/// Redirections, the longer ones first.
const REDIRECTIONS: &[&str] = &["<<<", "&>>", "<<-", "<<", ">>", ">&", "<&", ">|", "<>", "&>", "<", ">"];

/// What the first word of a command is.
enum First {
    Program,
    /// Control flow or an assignment: the first word is still to come.
    NotYet,
    /// Control flow that ends the command.
    Ends(Found),
}

impl Parser<'_> {
    /// Reads one simple command, or the words of control flow before the next.
    pub(super) fn command(&mut self) -> Found {
        let mut command = Command { span: self.at..self.at, ..Command::default() };
        let found = self.simple(&mut command);
        if !command.words.is_empty() || !command.assignments.is_empty() {
            self.note_setter(&command);
            self.keep(command);
        }
        found
    }

    fn simple(&mut self, command: &mut Command) -> Found {
        loop {
            self.blanks();
            match self.peek() {
                None | Some(b'\n' | b';' | b'|' | b')' | b'#') => return Found::Command,
                Some(b'&') if self.peek_at(1) != Some(b'>') => return Found::Command,
                Some(b'(') => {
                    // `name()` declares a function; its body is read like any command.
                    if command.words.len() == 1 && self.peek_at(1) == Some(b')') {
                        self.skip(2);
                        command.words.clear();
                    }
                    return Found::Command;
                }
                Some(_) => {}
            }
            if self.redirection(command) {
                command.span.end = self.at;
                continue;
            }
            let start = self.at;
            let word = self.word();
            if self.at == start {
                self.skip(1);
                continue;
            }
            if command.words.is_empty() {
                match self.first_word(&word, command) {
                    First::Program => {}
                    First::NotYet => continue,
                    First::Ends(found) => return found,
                }
            }
            let tests = command.words.is_empty() && word.bare(self.text) == Some("[[");
            command.words.push(word);
            command.span.end = self.at;
            if tests {
                self.test(command);
            }
        }
    }

    fn first_word(&mut self, word: &Word, command: &mut Command) -> First {
        if self.assignment(word, command) {
            command.span.end = self.at;
            return First::NotYet;
        }
        let Some(bare) = word.bare(self.text).filter(|_| command.assignments.is_empty()) else { return First::Program };
        match bare {
            "esac" => First::Ends(Found::Esac),
            "case" => {
                self.next_word();
                self.next_word();
                First::Ends(Found::Case)
            }
            "for" | "select" => {
                self.loop_words();
                First::Ends(Found::Command)
            }
            "function" => {
                self.next_word();
                self.blanks();
                if self.peek() == Some(b'(') && self.peek_at(1) == Some(b')') {
                    self.skip(2);
                }
                First::Ends(Found::Command)
            }
            _ if CONTROL.contains(&bare) => {
                self.blanks();
                command.span = self.at..self.at;
                First::NotYet
            }
            _ => First::Program,
        }
    }

    fn next_word(&mut self) -> Word {
        self.blanks();
        self.word()
    }

    /// The variable and the words of a loop; of the words only the commands in their substitutions matter.
    fn loop_words(&mut self) {
        self.blanks();
        if let Some(end) = self.arithmetic_end(self.at) {
            self.at = end;
        }
        let name = self.next_word();
        if let Some(name) = name.bare(self.text) {
            self.script.assigned.insert(name.to_owned());
        }
        loop {
            self.blanks();
            let start = self.at;
            match self.peek() {
                None | Some(b'\n' | b';') => return,
                Some(_) => drop(self.word()),
            }
            self.skip(usize::from(self.at == start));
        }
    }

    /// `[[ … ]]`, in which operators are words.
    fn test(&mut self, command: &mut Command) {
        loop {
            self.blanks();
            let start = self.at;
            match self.peek() {
                None | Some(b'\n') => return,
                Some(_) => {
                    let word = self.word();
                    if self.at == start {
                        self.skip(1);
                        continue;
                    }
                    let closes = word.bare(self.text) == Some("]]");
                    command.words.push(word);
                    command.span.end = self.at;
                    if closes {
                        return;
                    }
                }
            }
        }
    }

    /// Takes `NAME=value`, if it is that.
    fn assignment(&mut self, word: &Word, command: &mut Command) -> bool {
        let Some(Part::Text { span, quoted: false }) = word.parts().next() else { return false };
        let text = self.text.get(span.clone()).unwrap_or_default();
        let Some((name, _)) = text.split_once('=') else { return false };
        let from = span.start + name.len() + 1;
        let name = name.strip_suffix('+').unwrap_or(name);
        if !is_variable_name(name) {
            return false;
        }
        let value = Word {
            span: from..word.span.end,
            is_bare: word.is_bare && from < word.span.end,
            parts: word.parts.iter().filter_map(|part| behind(part, from)).collect(),
        };
        self.script.assigned.insert(name.to_owned());
        let name = span.start..span.start + name.len();
        command.assignments.push(Assignment { name, value });
        true
    }

    /// Remembers the variables that a command such as `read` or `export` sets.
    fn note_setter(&mut self, command: &Command) {
        let mut words = command.words.iter();
        let sets = words.next().and_then(|word| word.bare(self.text)).is_some_and(|name| SETTERS.contains(&name));
        if !sets {
            return;
        }
        for word in words {
            let Some(Part::Text { span, .. }) = word.parts().next() else { continue };
            let text = self.text.get(span).unwrap_or_default();
            let name = text.split('=').next().unwrap_or(text);
            if is_variable_name(name) {
                self.script.assigned.insert(name.to_owned());
            }
        }
    }

    /// Reads a redirection with its target, if one begins here.
    fn redirection(&mut self, command: &Command) -> bool {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let operator = rest.get(digits..).unwrap_or_default();
        if digits == 0 && matches!(operator, [b'<' | b'>', b'(', ..]) {
            return false;
        }
        let Some(symbol) = REDIRECTIONS.iter().find(|symbol| operator.starts_with(symbol.as_bytes())) else {
            return false;
        };
        self.skip(digits + symbol.len());
        let target = self.next_word();
        if matches!(*symbol, "<<" | "<<-") {
            let delimiter = self.unquoted(&target);
            self.awaited.push(Heredoc { delimiter, strip_tabs: *symbol == "<<-", command: command.span.start });
        }
        true
    }

    /// A here-document's delimiter: its quotes are taken off, nothing in it is expanded.
    fn unquoted(&self, word: &Word) -> String {
        let written = |part: Part| match part {
            Part::Text { span, .. } | Part::Variable { span, .. } | Part::Expansion { span, .. } => {
                self.text.get(span).unwrap_or_default().to_owned()
            }
            Part::Character { character, .. } => character.to_string(),
        };
        word.parts().map(written).collect()
    }
}

/// What of a part lies behind a byte; nothing when it is text that ends there.
fn behind(part: &Part, from: usize) -> Option<Part> {
    match part {
        Part::Text { span, quoted } => {
            let span = span.start.max(from)..span.end;
            (span.start < span.end).then_some(Part::Text { span, quoted: *quoted })
        }
        other => Some(other.clone()),
    }
}

/// Whether a text can be the name of a shell variable.
fn is_variable_name(text: &str) -> bool {
    text.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use crate::syntax::shell::parse_shell;

    /// The commands of a script, each as its words joined by `|`, with `->` and the program it pipes to.
    fn commands(text: &str) -> Vec<String> {
        let script = parse_shell(text);
        assert_eq!(script.stopped, None, "{text}");
        let show = |command: &super::Command| {
            let words: Vec<&str> = command.words.iter().map(|word| &text[word.span.clone()]).collect();
            let env: Vec<&str> = command.assignments.iter().map(|a| &text[a.name.start..a.value.span.end]).collect();
            let pipe = command.pipes_to.map(|to| format!(" -> {}", &text[to..to + 1])).unwrap_or_default();
            let prefix = if env.is_empty() { String::new() } else { format!("{{{}}} ", env.join(" ")) };
            format!("{prefix}{}{pipe}", words.join("|"))
        };
        script.commands.iter().map(show).collect()
    }

    #[test]
    fn lists_and_pipelines_are_cut_into_their_commands() {
        assert_eq!(commands("a 1&&b 2;c||d & e"), ["a|1", "b|2", "c", "d", "e"]);
        assert_eq!(commands("a x | b y |& c"), ["a|x -> b", "b|y -> c", "c"]);
        assert_eq!(commands("a |\n  b # not | c\nd"), ["a -> b", "b", "d"]);
        assert_eq!(commands("(cd x && a) | b; { c; }"), ["cd|x", "a -> b", "b", "c"]);
        assert_eq!(commands("a \\\n  -y \\\n  b"), ["a|-y|b"]);
        assert_eq!(commands("((echo a); (echo b))"), ["echo|a", "echo|b"]);
    }

    #[test]
    fn control_flow_is_no_command_and_its_commands_are() {
        assert_eq!(commands("if [ -n x ]; then a; elif b; then c; else d; fi"), ["[|-n|x|]", "a", "b", "c", "d"]);
        assert_eq!(commands("for i in x $(ls y); do a $i; done | b"), ["ls|y", "a|$i -> b", "b"]);
        assert_eq!(commands("for ((i=0; i<3; i++)); do a; done"), ["a"]);
        assert_eq!(commands("while read l; do a; done < f"), ["read|l", "a"]);
        assert_eq!(commands("case $x in a|b) c;; (d) e ;; *) f\n esac; g"), ["c", "e", "f", "g"]);
        assert_eq!(commands("x=$(case y in a) b;; esac); c"), ["{x=$(case y in a) b;; esac)} ", "b", "c"]);
        assert_eq!(commands("f() { a; }; function g { b; }; ! c"), ["a", "b", "c"]);
        assert_eq!(commands("[[ a < b && (c || d) ]] && e; ((i++)); h"), ["[[|a|b|c|d|]]", "e", "h"]);
    }

    #[test]
    fn substitutions_are_commands_too() {
        assert_eq!(
            commands("a $(b | c) `d e` \"$(f \"g\")\" ${x:-$(h)}"),
            ["a|$(b | c)|`d e`|\"$(f \"g\")\"|${x:-$(h)}", "b -> c", "c", "d|e", "f|\"g\"", "h"]
        );
        assert_eq!(
            commands("diff <(a) >(b) 'c $(d)' $((1 + 2)) x=(e f)"),
            ["diff|<(a)|>(b)|'c $(d)'|$((1 + 2))|x=(e f)", "a", "b"]
        );
    }

    #[test]
    fn assignments_and_redirections_are_no_words() {
        assert_eq!(commands("A=1 B+='x y' c d"), ["{A=1 B+='x y'} c|d"]);
        assert_eq!(commands("A=1; B="), ["{A=1} ", "{B=} "]);
        assert_eq!(commands("a >b 2>&1 <c &>d e <<<f"), ["a|e"]);
        assert_eq!(commands("export A=1 B && echo x=y"), ["export|A=1|B", "echo|x=y"]);
        let script = parse_shell("export A=1; read b; for c in d; do e=f; done");
        assert_eq!(script.assigned.into_iter().collect::<Vec<_>>(), ["A", "b", "c", "e"]);
    }

    #[test]
    fn here_documents_belong_to_their_command() {
        let text = "cat <<A | b <<-'B'\n1 $(x)\nA\n\t2\n\tB\nc";
        let script = parse_shell(text);
        let bodies: Vec<&str> = script.commands.iter().flat_map(|c| &c.heredocs).map(|r| &text[r.clone()]).collect();
        assert_eq!(bodies, ["1 $(x)\n", "\t2\n"]);
        assert_eq!(commands(text), ["cat -> b", "b", "c"]);
    }

    #[test]
    fn what_has_no_end_is_said() {
        for text in ["a 'b", "a \"b", "a $(b", "a `b", "a ${b:-", "a $'b", "a \"$(b\""] {
            let script = parse_shell(text);
            assert!(script.stopped.is_some(), "{text}");
            assert_eq!(script.commands.len().min(1), 1, "{text}");
        }
    }

    #[test]
    fn hostile_scripts_cost_linear_time_and_no_stack() {
        for unit in
            ["$(", "(", "((", "$((", "`", "\"$(", "${a:-", "a|", "<<A ", "case x in ", "a=(", ")", ";;", "&", "\\"]
        {
            let script = parse_shell(&unit.repeat(300_000 / unit.len()));
            assert!(script.commands.len() <= super::super::COMMAND_LIMIT, "{unit}");
        }
    }

    #[test]
    fn every_cut_of_a_script_is_read() {
        let text =
            "RUN=1 a \"é $(b 'c')\" `d` ${x:-\"y\"} && case $z in (w) v;; esac <<'E' | [[ u ]]\nt\nE\n(s) r=(q) $'\\n'";
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            for command in parse_shell(&text[..end]).commands {
                assert!(command.span.end <= end && text.get(command.span.clone()).is_some());
            }
        }
    }
}
