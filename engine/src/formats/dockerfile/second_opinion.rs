//! Held against another parser of Dockerfiles: where it reads a file, it finds the instructions that we find.
//!
//! Files with here-documents are left out: it sees them only at the head of RUN, and takes the lines of others for instructions.
//! So are lines that end in two escape characters, which the builder takes for text and it for a continuation.

use parse_dockerfile::{Command, Instruction as Theirs, parse_iter};
use proptest::prelude::*;

use super::instruction::{Arguments, Instruction, Keyword};
use super::lines::cut;
use crate::formats::dump::fixtures;
use crate::source_tree::Files;

/// An instruction as both can tell it: keyword, its place, names of options, and the arguments of the exec form.
type Told = (&'static str, usize, Vec<String>, Option<Vec<String>>);

fn theirs(text: &str) -> Option<Vec<Told>> {
    let exec = |command: &Command<'_>| match command {
        Command::Exec(items) => Some(items.value.iter().map(|item| item.value.to_string()).collect()),
        _ => None,
    };
    let names = |flags: &[parse_dockerfile::Flag<'_>]| flags.iter().map(|flag| flag.name.value.to_string()).collect();
    let tell = |instruction: Theirs<'_>| -> Told {
        match instruction {
            Theirs::Add(i) => ("ADD", i.add.span.start, names(&i.options), None),
            Theirs::Arg(i) => ("ARG", i.arg.span.start, vec![], None),
            Theirs::Cmd(i) => ("CMD", i.cmd.span.start, vec![], exec(&i.arguments)),
            Theirs::Copy(i) => ("COPY", i.copy.span.start, names(&i.options), None),
            Theirs::Entrypoint(i) => ("ENTRYPOINT", i.entrypoint.span.start, vec![], exec(&i.arguments)),
            Theirs::Env(i) => ("ENV", i.env.span.start, vec![], None),
            Theirs::Expose(i) => ("EXPOSE", i.expose.span.start, vec![], None),
            Theirs::From(i) => ("FROM", i.from.span.start, names(&i.options), None),
            Theirs::Healthcheck(i) => ("HEALTHCHECK", i.healthcheck.span.start, names(&i.options), None),
            Theirs::Label(i) => ("LABEL", i.label.span.start, vec![], None),
            Theirs::Maintainer(i) => ("MAINTAINER", i.maintainer.span.start, vec![], None),
            Theirs::Onbuild(i) => ("ONBUILD", i.onbuild.span.start, vec![], None),
            Theirs::Run(i) => ("RUN", i.run.span.start, names(&i.options), exec(&i.arguments)),
            Theirs::Stopsignal(i) => ("STOPSIGNAL", i.stopsignal.span.start, vec![], None),
            Theirs::User(i) => ("USER", i.user.span.start, vec![], None),
            Theirs::Volume(i) => ("VOLUME", i.volume.span.start, vec![], None),
            Theirs::Workdir(i) => ("WORKDIR", i.workdir.span.start, vec![], None),
            Theirs::Shell(i) => {
                let items = i.arguments.iter().map(|item| item.value.to_string()).collect();
                ("SHELL", i.shell.span.start, vec![], Some(items))
            }
            other => panic!("an instruction nobody knows: {other:?}"),
        }
    };
    parse_iter(text).ok()?.map(|instruction| instruction.ok().map(tell)).collect()
}

fn ours(text: &str) -> Vec<Told> {
    let tell = |line: &super::lines::Line| -> Option<Told> {
        let keyword = Keyword::of(line.keyword().text())?;
        let instruction = Instruction::parse(keyword, line.rest());
        let options = instruction.options.iter().map(|option| option.name.text().to_owned()).collect();
        let told = matches!(keyword, Keyword::Cmd | Keyword::Entrypoint | Keyword::Run | Keyword::Shell);
        let exec = match instruction.arguments {
            Arguments::List(items, _) if told => Some(items.iter().map(|item| item.text().to_owned()).collect()),
            _ => None,
        };
        Some((keyword.name(), line.span.start, options, exec))
    };
    cut(text).instructions.iter().filter_map(tell).collect()
}

/// Texts of which both should think the same.
fn check(text: &str) -> bool {
    if text.contains("<<") {
        return false;
    }
    let Some(theirs) = theirs(text) else { return false };
    assert_eq!(ours(text), theirs, "{text}");
    true
}

#[test]
fn fixtures_are_cut_as_another_parser_cuts_them() {
    let trees = fixtures("dockerfile");
    let files =
        trees.iter().flat_map(|(_, tree)| tree.entries().iter().filter_map(|entry| tree.read(&entry.path).ok()));
    let checked = files.filter(|file| check(file.text())).count();
    assert!(checked >= 5, "only {checked} fixtures could be compared");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_files_are_cut_as_another_parser_cuts_them(
        lines in prop::collection::vec(
            (prop::sample::select(HEADS), prop::collection::vec(prop::sample::select(PARTS), 0..8), prop::sample::select(ENDS)),
            1..8,
        ),
    ) {
        let lines: String = lines.into_iter().map(|(head, parts, end)| format!("{head}{}{end}", parts.concat())).collect();
        check(&format!("FROM a\n{lines}"));
    }
}

/// Beginnings of lines, most of them of instructions.
const HEADS: &[&str] = &[
    "RUN ",
    "run --mount=type=cache ",
    "CMD ",
    "  ENTRYPOINT ",
    "COPY --from=a a b ",
    "ADD x y ",
    "ENV a=b ",
    "LABEL a=",
    "USER u",
    "FROM b",
    "FROM b AS c\n",
    "EXPOSE 80",
    "WORKDIR /w",
    "ARG x",
    "SHELL [\"a\"]\n",
    "HEALTHCHECK NONE\n",
    "HEALTHCHECK --interval=1s CMD ",
    "VOLUME v",
    "ONBUILD RUN ",
    "RUN [\"a\", \"b c\"]",
    "CMD [\"\\u00e9\\n\"]",
    "ENTRYPOINT [\"a\", ",
    "\\\nRUN ",
    "# escape=`\n",
    "R\\\nUN x",
];

/// What may stand in a line, and what goes on to the next one.
const PARTS: &[&str] = &[
    "[\"a\"]",
    "[ ]",
    "x y",
    "'q",
    "\"q\"",
    "#",
    "\\\n# c\n",
    " ",
    "\t",
    "\\\n",
    " \\  \n",
    " \\\r\n",
    "\\\n\n",
    "é",
    "=",
    " --z ",
    "&& ",
    "a\\b",
];

/// Ends of lines.
const ENDS: &[&str] = &["\n", "\n", "\n\n# c\n", "\r\n", " \n"];
