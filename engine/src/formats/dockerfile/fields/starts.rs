//! The instructions that start programs, and those that say how: RUN, CMD, ENTRYPOINT, HEALTHCHECK, SHELL, ONBUILD.

use crate::resource::{Span, Value};
use crate::syntax::MappedPart;

use super::{Effect, FieldReader, Fields};
use crate::formats::dockerfile::instruction::{Arguments, Instruction, Keyword};
use crate::formats::dockerfile::lines::{Heredoc, Line, shortened};
use crate::formats::dockerfile::words::plain_words;

impl FieldReader<'_, '_> {
    pub(super) fn run(&mut self, instruction: &Instruction<'_>, line: &Line, fields: &mut Fields) {
        let heredocs = if instruction.keyword == Keyword::Run { line.heredocs.as_slice() } else { &[] };
        self.command(&instruction.arguments, heredocs, fields);
        match instruction.keyword {
            Keyword::Cmd => (fields.effect, fields.tells) = (Effect::Whole("cmd"), None),
            Keyword::Entrypoint => (fields.effect, fields.tells) = (Effect::Whole("entrypoint"), None),
            _ => self.heredocs(line, fields),
        }
    }

    /// The fields of a command in either form, with the programs it runs.
    fn command(&mut self, arguments: &Arguments<'_>, heredocs: &[Heredoc], fields: &mut Fields) {
        let text = arguments.written().trimmed();
        let span = self.expander.span(text);
        match arguments {
            Arguments::List(items, _) => {
                fields.entries.push(self.names.entry("form", self.names.word("exec", span)));
                let shown = items.iter().map(|item| {
                    let written = self.expander.span(item.whole());
                    Value::text(item.text(), if written.is_somewhere() { written } else { span })
                });
                fields.entries.push(self.names.entry("exec", self.list(text, shown.collect())));
            }
            Arguments::Text(_) => fields.entries.push(self.names.entry("form", self.names.word("shell", span))),
        }
        let commands = self.scripts.commands(arguments, heredocs, self.file, span, &self.expander);
        fields.tells = self.scripts.tells(&commands);
        fields.entries.push(self.names.entry("commands", commands));
        fields.entries.extend(self.scripts.shell().map(|shell| self.names.entry("shell", shell)));
    }

    pub(super) fn healthcheck(&mut self, text: MappedPart<'_>, fields: &mut Fields) {
        let words = plain_words(text.text());
        let Some(kind) = words.first().map(|word| text.part(word.clone())) else { return };
        let span: Span = self.expander.span(kind);
        let is = |word: &str| kind.text().eq_ignore_ascii_case(word);
        if !is("NONE") && !is("CMD") {
            fields.mistake =
                Some(("HEALTHCHECK takes CMD or NONE".to_owned(), "write HEALTHCHECK CMD and the command"));
            return;
        }
        fields.effect = Effect::Whole("healthcheck");
        fields.entries.push(self.names.entry("disabled", Value::bool(is("NONE"), span)));
        if is("CMD") {
            let rest = text.part(kind.text().len()..text.text().len());
            self.command(&Instruction::parse(Keyword::Cmd, rest).arguments, &[], fields);
            fields.tells = None;
        }
    }

    pub(super) fn onbuild(&mut self, text: MappedPart<'_>, line: &Line, fields: &mut Fields) {
        let words = plain_words(text.text());
        let Some(word) = words.first().map(|word| text.part(word.clone())) else { return };
        let Some(keyword) = Keyword::of(word.text()).filter(|keyword| *keyword != Keyword::Onbuild) else {
            let message = format!("ONBUILD takes an instruction, not `{}`", shortened(word.text()));
            fields.mistake = Some((message, "write the instruction behind ONBUILD"));
            return;
        };
        let from = words.get(1).map_or(text.text().len(), |next| next.start);
        let inner = Instruction::parse(keyword, text.part(from..text.text().len()));
        let inner = self.read(&inner, line);
        fields.tells = Some(keyword.name().to_owned());
        fields.mistake = inner.mistake;
        let mut entries = inner.entries;
        // The line says ONBUILD.
        if let Some((_, value)) = entries.first_mut() {
            *value = self.names.word(keyword.name(), self.expander.span(word));
        }
        fields.entries.push(self.names.entry("instruction", self.map(text, entries)));
    }

    pub(super) fn shell(&self, arguments: &Arguments<'_>, fields: &mut Fields) {
        match arguments {
            Arguments::List(..) => {
                let items = self.items(arguments);
                let shown = self.list(arguments.written().trimmed(), items.clone());
                fields.entries.push(self.names.entry("shell", shown));
                fields.effect = Effect::Shell(items);
            }
            Arguments::Text(_) => {
                fields.mistake = Some(("SHELL takes a JSON list".to_owned(), "write SHELL [\"/bin/sh\", \"-c\"]"));
            }
        }
    }
}
