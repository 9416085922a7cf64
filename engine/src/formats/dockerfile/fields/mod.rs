//! What an instruction says, as the attributes of its resource, and what it changes for the stage it stands in.

mod files;
mod settings;
mod starts;

use crate::resource::{Data, Key, ListKind, MapKind, Names, Reason, ReasonKind, Span, Value};
use crate::syntax::{MappedPart, MappedText};

use super::instruction::{Arguments, Instruction, Keyword};
use super::lines::{Line, shortened};
use super::scope::Variables;
use super::scripts::Scripts;
use super::words::{Expander, plain_words};

/// An instruction read with the variables of its place.
pub(super) struct Fields {
    pub(super) entries: Vec<(Key, Value)>,
    pub(super) effect: Effect,
    /// What tells it from others of its keyword: a path, a name, a program.
    pub(super) tells: Option<String>,
    /// What is wrong with it, and what to do.
    pub(super) mistake: Option<(String, &'static str)>,
}

/// What an instruction changes for the stage it stands in.
pub(super) enum Effect {
    Nothing,
    /// A stage begins: the image, and its name.
    Stage(Value, Option<Value>),
    Env(Vec<(Key, Value)>),
    /// Build arguments, with what they hold when nobody gives another value.
    Arguments(Vec<(Key, Value)>),
    Labels(Vec<(Key, Value)>),
    User(Value),
    Workdir(Value),
    Ports(Vec<Value>),
    Volumes(Vec<Value>),
    /// The last instruction of its keyword counts, as a whole.
    Whole(&'static str),
    /// The program that reads scripts from here on.
    Shell(Vec<Value>),
}

/// Reads instructions with the variables of their place.
pub(super) struct FieldReader<'r, 'v> {
    pub(super) expander: Expander<'v>,
    /// The build arguments declared before the first stage, where they are not in sight by themselves.
    pub(super) globals: Option<&'v Variables>,
    pub(super) names: &'v Names,
    pub(super) scripts: &'r mut Scripts,
    /// The text of the file, where the here-documents are.
    pub(super) file: &'v str,
}

impl FieldReader<'_, '_> {
    /// Reads an instruction, which stands on a line.
    pub(super) fn read(&mut self, instruction: &Instruction<'_>, line: &Line) -> Fields {
        let keyword = self.names.word(instruction.keyword.name(), self.expander.span(line.keyword()));
        let mut fields = Fields { entries: Vec::with_capacity(8), effect: Effect::Nothing, tells: None, mistake: None };
        fields.entries.push(self.names.entry("keyword", keyword));
        let text = instruction.arguments.written().trimmed();
        if text.text().is_empty() {
            let needs_none = matches!(instruction.keyword, Keyword::Run | Keyword::Cmd);
            if !needs_none {
                let message = format!("{} has no arguments", instruction.keyword.name());
                fields.mistake = Some((message, "give it what it needs, or leave it out"));
            }
            return fields;
        }
        fields.entries.push(self.names.entry("text", self.text(text)));
        if !instruction.options.is_empty() {
            fields.entries.push(self.names.entry("flags", self.options(&instruction.options)));
        }
        self.arguments(instruction, text, line, &mut fields);
        fields
    }

    fn arguments(&mut self, instruction: &Instruction<'_>, text: MappedPart<'_>, line: &Line, fields: &mut Fields) {
        match instruction.keyword {
            Keyword::Add | Keyword::Copy => self.copy(instruction, line, fields),
            Keyword::Arg => self.build_arguments(text, fields),
            Keyword::Cmd | Keyword::Entrypoint | Keyword::Run => self.run(instruction, line, fields),
            Keyword::Env => {
                let pairs = self.pairs("ENV", text, fields);
                fields.entries.push(self.names.entry("variables", self.map(text, pairs.clone())));
                fields.effect = Effect::Env(pairs);
            }
            Keyword::Label => {
                let pairs = self.pairs("LABEL", text, fields);
                fields.entries.push(self.names.entry("labels", self.map(text, pairs.clone())));
                fields.effect = Effect::Labels(pairs);
            }
            Keyword::Expose => self.expose(text, fields),
            Keyword::From => self.from(text, fields),
            Keyword::Healthcheck => self.healthcheck(text, fields),
            Keyword::Maintainer => fields.entries.push(self.names.entry("name", self.text(text))),
            Keyword::Onbuild => self.onbuild(text, line, fields),
            Keyword::Shell => self.shell(&instruction.arguments, fields),
            Keyword::Stopsignal => {
                fields.entries.push(self.names.entry("signal", self.expander.value(text)));
                fields.effect = Effect::Whole("stopsignal");
            }
            Keyword::User => self.user(text, fields),
            Keyword::Volume => {
                let paths = self.items(&instruction.arguments);
                fields.tells = paths.first().and_then(told);
                fields.entries.push(self.names.entry("paths", self.list(text, paths.clone())));
                fields.effect = Effect::Volumes(paths);
            }
            Keyword::Workdir => {
                let path = self.expander.value(text);
                fields.tells = told(&path);
                fields.entries.push(self.names.entry("path", path.clone()));
                fields.effect = Effect::Workdir(path);
            }
        }
    }

    /// Text as it is written, nothing put in.
    fn text(&self, text: MappedPart<'_>) -> Value {
        Value::text(text.text(), self.expander.span(text))
    }

    fn list(&self, at: MappedPart<'_>, items: Vec<Value>) -> Value {
        Value::list(ListKind::List, items, self.expander.span(at))
    }

    fn map(&self, at: MappedPart<'_>, entries: Vec<(Key, Value)>) -> Value {
        Value::map(MapKind::Map, entries, self.expander.span(at))
    }

    /// The elements of a list, or the words of a text, with variables put in.
    fn items(&self, arguments: &Arguments<'_>) -> Vec<Value> {
        match arguments {
            Arguments::List(items, list) => {
                let item = |item: &MappedText| match item.text().is_empty() {
                    true => Value::text("", self.expander.span(*list)),
                    false => self.expander.value(item.whole()),
                };
                items.iter().map(item).collect()
            }
            Arguments::Text(text) => {
                plain_words(text.text()).into_iter().map(|range| self.expander.value(text.part(range))).collect()
            }
        }
    }

    fn from(&self, text: MappedPart<'_>, fields: &mut Fields) {
        let words: Vec<MappedPart<'_>> = plain_words(text.text()).into_iter().map(|word| text.part(word)).collect();
        let Some(first) = words.first() else { return };
        let image = self.expander.value(*first);
        let image = match image.as_text() {
            Some(name) if name.is_empty() => self.invalid(format!("{} names no image", first.text()), image.span()),
            _ => image,
        };
        let is_as = words.get(1).is_some_and(|word| word.text().eq_ignore_ascii_case("as"));
        let name = words.get(2).filter(|_| is_as).map(|word| self.text(*word));
        if words.len() > 1 && !(words.len() == 3 && is_as) {
            fields.mistake = Some(("FROM takes an image, and a name behind AS".to_owned(), "write FROM image AS name"));
        }
        fields.entries.push(self.names.entry("image", image.clone()));
        fields.entries.extend(name.clone().map(|name| self.names.entry("name", name)));
        fields.effect = Effect::Stage(image, name);
    }

    fn invalid(&self, why: String, span: Span) -> Value {
        Value::unknown(Reason::new(ReasonKind::Invalid, shortened(&why), Some(span)), span)
    }
}

/// What is known of a value, for an address.
fn told(value: &Value) -> Option<String> {
    match value.data() {
        Data::Unknown(unknown) => unknown.prefix.as_ref().map(ToString::to_string),
        _ => value.scalar_text().map(|text| text.to_string()),
    }
}
