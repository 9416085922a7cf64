//! Words of a script as the arguments they become: quotes taken off, variables put in, values cut into words.

use std::collections::BTreeSet;

use crate::resource::{Data, Reason, ReasonKind, Span, Type, Unknown, Value};
use crate::syntax::shell::{Part, Word};
use crate::syntax::{MappedPart, MappedText};

use super::CommandReader;

/// Longest text of an expansion that a reason repeats, in characters.
const SUBJECT_LIMIT: usize = 40;

/// One argument of a command.
pub(super) struct Argument<'s> {
    /// Text, or unknown.
    pub(super) value: Value,
    /// It may be no word or several: an unquoted expansion of something unknown.
    pub(super) spreads: bool,
    pub(super) source: Source<'s>,
}

/// Where an argument comes from.
#[derive(Clone, Copy)]
pub(super) enum Source<'s> {
    /// A word of a script.
    Word(MappedPart<'s>, &'s Word),
    /// A text that is the argument.
    Whole(MappedPart<'s>),
}

impl Argument<'_> {
    pub(super) fn text(&self) -> Option<&str> {
        self.value.as_text().map(AsRef::as_ref)
    }

    pub(super) fn span(&self) -> Span {
        self.value.span()
    }

    /// What is known of it from its first byte on.
    pub(super) fn known_prefix(&self) -> &str {
        let prefix = self.value.as_unknown().and_then(|unknown| unknown.prefix.as_deref());
        self.text().or(prefix).unwrap_or_default()
    }
}

/// A word that is being put together.
#[derive(Default)]
struct Field {
    text: String,
    unknown: Option<Reason>,
    /// There is a word, even if it is empty.
    is_one: bool,
}

impl CommandReader<'_> {
    /// An argument that is written whole.
    pub(super) fn whole<'s>(&self, text: MappedPart<'s>, list: Span) -> Argument<'s> {
        let span = self.span(text).unwrap_or(list);
        Argument { value: Value::text(text.text(), span), spreads: false, source: Source::Whole(text) }
    }

    /// The arguments a word becomes.
    pub(super) fn expand<'s>(
        &self,
        text: MappedPart<'s>,
        word: &'s Word,
        assigned: &BTreeSet<String>,
        arguments: &mut Vec<Argument<'s>>,
    ) {
        let span = self.span(text.part(word.span.clone())).unwrap_or(Span::NOWHERE);
        let source = Source::Word(text, word);
        if let Some(bare) = word.bare(text.text()) {
            arguments.push(Argument { value: Value::text(bare, span), spreads: false, source });
            return;
        }
        let spreads = word.is_one_expansion();
        for field in self.fields(text, word, assigned, true) {
            let spreads = spreads && field.unknown.is_some();
            arguments.push(Argument { value: field.into_value(span), spreads, source });
        }
    }

    /// The one value a word has where it is not cut into several.
    pub(super) fn value_of(&self, text: MappedPart<'_>, word: &Word, assigned: &BTreeSet<String>) -> Value {
        let span = self.span(text.part(word.span.clone())).unwrap_or(Span::NOWHERE);
        let field = self.fields(text, word, assigned, false).pop().unwrap_or_default();
        field.into_value(span)
    }

    fn fields(&self, text: MappedPart<'_>, word: &Word, assigned: &BTreeSet<String>, splits: bool) -> Vec<Field> {
        let mut done = Vec::new();
        let mut field = Field { is_one: word.parts().next().is_none(), ..Field::default() };
        for part in word.parts() {
            match part {
                Part::Text { span, .. } => field.add(text.slice(span)),
                Part::Character { character, .. } => field.add(character.encode_utf8(&mut [0; 4])),
                Part::Variable { name, quoted, .. } => match self.variable(text.slice(name), assigned) {
                    Err(reason) => field.lose(reason),
                    Ok(value) => {
                        let value = value.scalar_text().unwrap_or_default();
                        if splits && !quoted {
                            field.split(&value, &mut done);
                        } else {
                            field.add(&value);
                        }
                    }
                },
                Part::Expansion { span, .. } => {
                    let subject: String = text.slice(span.clone()).chars().take(SUBJECT_LIMIT).collect();
                    field.lose(Reason::new(ReasonKind::Unsupported, subject, self.span(text.part(span))));
                }
            }
        }
        if field.is_one {
            done.push(field);
        }
        done
    }

    /// The script an argument holds (of `sh -c`): its text, each byte of which knows where it was written.
    pub(super) fn script_in(&self, argument: &Argument<'_>) -> MappedText {
        let mut script = MappedText::default();
        let (text, word) = match argument.source {
            Source::Whole(text) => {
                script.push_part(text);
                return script;
            }
            Source::Word(text, word) => (text, word),
        };
        let written = |span| text.origin(span).unwrap_or_default();
        for part in word.parts() {
            match part {
                Part::Text { span, .. } => script.push_part(text.part(span)),
                Part::Character { character, span } => {
                    script.push_replaced(character.encode_utf8(&mut [0; 4]), written(span));
                }
                Part::Variable { name, span, .. } => {
                    let value = self.variable(text.slice(name), &BTreeSet::new()).ok();
                    match value.and_then(|value| value.scalar_text()) {
                        Some(value) => script.push_replaced(&value, written(span)),
                        None => script.push_part(text.part(span)),
                    }
                }
                // What it yields is not known; its own commands have been found already.
                Part::Expansion { span, .. } => script.push_replaced("$*", written(span)),
            }
        }
        script
    }
}

impl Field {
    fn add(&mut self, text: &str) {
        self.is_one = true;
        if self.unknown.is_none() {
            self.text.push_str(text);
        }
    }

    fn lose(&mut self, reason: Reason) {
        self.is_one = true;
        self.unknown.get_or_insert(reason);
    }

    /// Adds a value that blanks cut into words.
    fn split(&mut self, value: &str, done: &mut Vec<Self>) {
        for (index, piece) in value.split([' ', '\t', '\n']).enumerate() {
            if index > 0 && self.is_one {
                done.push(std::mem::take(self));
            }
            if !piece.is_empty() {
                self.add(piece);
            }
        }
    }

    fn into_value(self, span: Span) -> Value {
        match self.unknown {
            None => Value::text(self.text, span),
            Some(reason) => {
                let prefix = (!self.text.is_empty()).then(|| self.text.into());
                Value::new(Data::Unknown(Unknown { reason, not_null: true, prefix, shape: Type::Text }.into()), span)
            }
        }
    }
}
