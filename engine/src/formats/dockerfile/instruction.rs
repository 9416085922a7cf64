//! One instruction: its keyword, its options, and its arguments as a list or as text.

use std::ops::Range;

use crate::syntax::{MappedPart, MappedText};

/// The instructions there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
}

const NAMES: &[(&str, Keyword)] = &[
    ("ADD", Keyword::Add),
    ("ARG", Keyword::Arg),
    ("CMD", Keyword::Cmd),
    ("COPY", Keyword::Copy),
    ("ENTRYPOINT", Keyword::Entrypoint),
    ("ENV", Keyword::Env),
    ("EXPOSE", Keyword::Expose),
    ("FROM", Keyword::From),
    ("HEALTHCHECK", Keyword::Healthcheck),
    ("LABEL", Keyword::Label),
    ("MAINTAINER", Keyword::Maintainer),
    ("ONBUILD", Keyword::Onbuild),
    ("RUN", Keyword::Run),
    ("SHELL", Keyword::Shell),
    ("STOPSIGNAL", Keyword::Stopsignal),
    ("USER", Keyword::User),
    ("VOLUME", Keyword::Volume),
    ("WORKDIR", Keyword::Workdir),
];

impl Keyword {
    /// The keyword a word is, in any case.
    pub(super) fn of(word: &str) -> Option<Self> {
        NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, keyword)| *keyword)
    }

    /// As it is written in capitals.
    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(_, keyword)| *keyword == self).map_or("", |(name, _)| name)
    }

    /// Whether words that begin with `--` before its arguments are options of the instruction.
    fn takes_options(self) -> bool {
        matches!(self, Self::Add | Self::Copy | Self::From | Self::Healthcheck | Self::Run)
    }

    /// Whether its arguments may be written as a JSON list.
    fn takes_list(self) -> bool {
        matches!(self, Self::Add | Self::Cmd | Self::Copy | Self::Entrypoint | Self::Run | Self::Shell | Self::Volume)
    }
}

/// One instruction.
#[derive(Debug)]
pub(super) struct Instruction<'l> {
    pub(super) keyword: Keyword,
    pub(super) options: Vec<BuildOption<'l>>,
    pub(super) arguments: Arguments<'l>,
}

/// `--name` or `--name=value`.
#[derive(Debug)]
pub(super) struct BuildOption<'l> {
    pub(super) name: MappedPart<'l>,
    pub(super) value: Option<MappedPart<'l>>,
}

/// What an instruction is given.
#[derive(Debug)]
pub(super) enum Arguments<'l> {
    /// `["a", "b"]`, the exec form; and where the list stands.
    List(Vec<MappedText>, MappedPart<'l>),
    /// Text, the shell form.
    Text(MappedPart<'l>),
}

impl<'l> Arguments<'l> {
    /// As they are written.
    pub(super) fn written(&self) -> MappedPart<'l> {
        match self {
            Self::List(_, text) | Self::Text(text) => *text,
        }
    }
}

impl<'l> Instruction<'l> {
    /// Reads what stands behind a keyword.
    pub(super) fn parse(keyword: Keyword, rest: MappedPart<'l>) -> Self {
        let mut options = Vec::new();
        let from = if keyword.takes_options() { take_options(rest, &mut options) } else { 0 };
        let text = rest.part(from..rest.text().len());
        let arguments = match list(text).filter(|_| keyword.takes_list()) {
            Some(items) => Arguments::List(items, text),
            None => Arguments::Text(text),
        };
        Self { keyword, options, arguments }
    }
}

/// Takes the options at the head of a text; gives the byte behind them.
fn take_options<'l>(text: MappedPart<'l>, options: &mut Vec<BuildOption<'l>>) -> usize {
    let mut at = 0;
    loop {
        let rest = text.slice(at..text.text().len());
        let start = at + rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        let Some(body) =
            rest.strip_prefix("--").filter(|body| !body.is_empty() && !body.starts_with(char::is_whitespace))
        else {
            let is_end_mark =
                rest == "--" || rest.strip_prefix("--").is_some_and(|rest| rest.starts_with(char::is_whitespace));
            return start + if is_end_mark { 2 } else { 0 };
        };
        let end = start + 2 + option_length(body);
        let name_end = body.find('=').map_or(end, |equals| start + 2 + equals).min(end);
        options.push(BuildOption {
            name: text.part(start + 2..name_end),
            value: (name_end < end).then(|| text.part(name_end + 1..end)),
        });
        at = end;
    }
}

/// An option ends at a blank outside quotes.
fn option_length(text: &str) -> usize {
    let mut quote = None;
    for (at, character) in text.char_indices() {
        match (character, quote) {
            ('\'' | '"', None) => quote = Some(character),
            (c, Some(open)) if c == open => quote = None,
            (c, None) if c.is_whitespace() => return at,
            _ => {}
        }
    }
    text.len()
}

/// A JSON list of strings, if a text is one.
fn list(text: MappedPart<'_>) -> Option<Vec<MappedText>> {
    let mut json = Json { text, at: 0 };
    json.blanks();
    json.take('[')?;
    let mut items = Vec::new();
    json.blanks();
    if json.peek() == Some(']') {
        json.take(']')?;
    } else {
        loop {
            json.blanks();
            items.push(json.string()?);
            json.blanks();
            match json.next()? {
                ',' => {}
                ']' => break,
                _ => return None,
            }
        }
    }
    json.blanks();
    json.peek().is_none().then_some(items)
}

/// Reads JSON and keeps where each character was written.
struct Json<'t> {
    text: MappedPart<'t>,
    at: usize,
}

impl Json<'_> {
    fn peek(&self) -> Option<char> {
        self.text.text().get(self.at..)?.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn take(&mut self, wanted: char) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\r' | '\n')) {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Option<MappedText> {
        self.take('"')?;
        let mut string = MappedText::default();
        loop {
            let start = self.at;
            while self.peek().is_some_and(|c| !matches!(c, '"' | '\\') && c >= ' ') {
                self.next();
            }
            string.push_part(self.text.part(start..self.at));
            let start = self.at;
            match self.next()? {
                '"' => return Some(string),
                '\\' => {
                    let character = self.escape()?;
                    let written = self.written(start..self.at);
                    string.push_replaced(character.encode_utf8(&mut [0; 4]), written);
                }
                _ => return None,
            }
        }
    }

    fn written(&self, range: Range<usize>) -> Range<usize> {
        self.text.origin(range).unwrap_or_default()
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.hex()?;
                if (0xd800..0xdc00).contains(&first) && self.text.text().get(self.at..)?.starts_with("\\u") {
                    self.at += 2;
                    let second = self.hex()?;
                    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + low)?
                } else {
                    char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER)
                }
            }
            c @ ('"' | '\\' | '/') => c,
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.text().get(self.at..self.at + 4)?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Options as `name=value`, and the arguments.
    fn read(keyword: Keyword, text: &str) -> (Vec<String>, String, Option<Vec<String>>) {
        let mapped = MappedText::verbatim(text, 0);
        let read = Instruction::parse(keyword, mapped.whole());
        let shown = |o: &BuildOption<'_>| format!("{}={}", o.name.text(), o.value.map_or("?", MappedPart::text));
        let items = match &read.arguments {
            Arguments::List(items, _) => Some(items.iter().map(|item| item.text().to_owned()).collect()),
            Arguments::Text(_) => None,
        };
        (read.options.iter().map(shown).collect(), read.arguments.written().text().to_owned(), items)
    }

    #[test]
    fn options_stand_before_arguments() {
        let (options, arguments, _) = read(Keyword::Run, "--mount=type=cache,target=/x  --network='a b' --y echo --no");
        assert_eq!(options, ["mount=type=cache,target=/x", "network='a b'", "y=?"]);
        assert_eq!(arguments, "echo --no");
        assert_eq!(read(Keyword::Copy, "-- --a b").1.trim(), "--a b");
        assert_eq!(read(Keyword::Cmd, "--a b").1, "--a b");
    }

    #[test]
    fn lists_are_json_and_anything_else_is_text() {
        let items = |text: &str| read(Keyword::Run, text).2;
        assert_eq!(items("[\"a\", \"b \\\"c\\u00e9\\ud83c\\udf95\\n\"]").unwrap(), ["a", "b \"cé🎕\n"]);
        assert_eq!(items(" [ ] ").unwrap(), Vec::<String>::new());
        for text in
            ["['a']", "[\"a\",]", "[\"a\"] b", "[a]", "[ -e x ]", "[\"a", "[\"\\x\"]", "[1]", "[\"\\ud800\\u0041\"]"]
        {
            assert_eq!(items(text), None, "{text}");
        }
    }

    #[test]
    fn keywords_are_read_in_any_case() {
        assert_eq!(Keyword::of("from"), Some(Keyword::From));
        assert_eq!(Keyword::of("FROMM"), None);
        assert!(NAMES.iter().all(|(name, keyword)| keyword.name() == *name));
    }
}
