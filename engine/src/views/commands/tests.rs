//! What scripts are said to run.

use std::sync::Arc;

use super::*;
use crate::resource::{FileTable, Reason};
use crate::source_tree::{SourceFile, TreePath};

/// The view of a script, where `KNOWN` holds `a -b` and `BUILD` is a build argument without default.
fn view(script: &str) -> (String, Value) {
    let file = SourceFile::from_bytes(TreePath::new("a.sh").unwrap(), script.into()).unwrap();
    let id = FileTable::default().add(&Arc::new(file));
    let lookup = |name: &str| match name {
        "KNOWN" => Some(Value::text("a -b", Span::NOWHERE)),
        "BUILD" => Some(Value::unknown(Reason::new(ReasonKind::NoDefault, "ARG BUILD", None), Span::NOWHERE)),
        _ => None,
    };
    let mut budget = CommandBudget::default();
    let mut reader = CommandReader::new(id, &lookup, &mut budget);
    reader.script(MappedText::verbatim(script, 0).whole());
    (script.to_owned(), reader.finish(Span::NOWHERE))
}

fn show(value: &Value) -> String {
    let shown = match (value.as_text(), value.as_unknown(), value.as_list()) {
        (Some(text), _, _) => text.to_string(),
        (_, Some(unknown), _) => format!("<{}{}>", unknown.prefix.as_deref().unwrap_or_default(), unknown.reason),
        (_, _, Some(list)) => list.items.iter().map(show).collect::<Vec<_>>().join(" "),
        _ => "?".to_owned(),
    };
    if value.maybe().is_some() { format!("{shown}?") } else { shown }
}

/// One field of every command.
fn field(script: &str, name: &str) -> Vec<String> {
    let (_, view) = view(script);
    let items = &view.as_list().unwrap().items;
    let of = |item: &Value| match item.get(name) {
        Some(value) => show(value),
        None if item.as_map().is_some() => String::new(),
        None => show(item),
    };
    items.iter().map(of).collect()
}

fn names(script: &str) -> Vec<String> {
    field(script, "name")
}

#[test]
fn options_are_told_from_operands() {
    let script = "/usr/bin/apt-get -o A::b=c -qqy --no-install-recommends install --x=y curl -- -z";
    assert_eq!(names(script), ["apt-get"]);
    assert_eq!(field(script, "subcommand"), ["install"]);
    assert_eq!(field(script, "args"), ["install curl -z"]);
    assert_eq!(field(script, "operands"), ["curl -z"]);
    assert_eq!(field(script, "flags"), ["-o -qqy -q -q -y --no-install-recommends --x=y --x"]);
    assert_eq!(field("find . -name x", "flags"), ["-name"]);
    assert_eq!(field("git -C /x clone -q u", "subcommand"), ["clone"]);
}

#[test]
fn the_program_behind_a_program_is_listed_too() {
    assert_eq!(names("sudo -u x A=1 apt-get update"), ["sudo", "apt-get"]);
    assert_eq!(names("A=1 env -i B=2 nice -n 5 timeout -k 1 9 make all"), ["env", "nice", "timeout", "make"]);
    assert_eq!(names("exec gosu app sh -c 'a && b'"), ["exec", "gosu", "sh", "a", "b"]);
    assert_eq!(names("find . -type f -exec chmod +x {} \\; -print"), ["find", "chmod"]);
    assert_eq!(names("python3 -m pip install x"), ["python3", "pip"]);
    assert_eq!(names("command -v curl; xargs -n 1 rm -f"), ["command", "xargs", "rm"]);
    assert_eq!(field("sudo apt-get install x", "text"), ["sudo apt-get install x", "apt-get install x"]);
}

#[test]
fn scripts_in_words_are_read() {
    assert_eq!(names("bash -euxo pipefail -c \"a; b 'c d' | sudo e\""), ["bash", "a", "b", "sudo", "e"]);
    assert_eq!(names("sh -c 'sh -c \"sh -c a\"'"), ["sh", "sh", "sh", "a"]);
    assert_eq!(names("su - user -c 'a b'"), ["su", "a"]);
    assert_eq!(names("eval a 'b c' \"$x\""), ["eval", "a"]);
    assert_eq!(names("bash <<E\na $(b)\nE\nc"), ["bash", "a", "b", "c"]);
    assert_eq!(names("sh script.sh -c x; cat <<E\na\nE\n"), ["sh", "cat"]);
    assert_eq!(field("sh -c \"a $BUILD\"", "args").last().unwrap(), "<ARG BUILD has no default>?");
}

#[test]
fn pipes_name_every_program_that_reads() {
    assert_eq!(field("curl x | sudo -E bash -s", "pipes_to")[0], "sudo bash");
}

#[test]
fn variables_are_put_in_where_they_are_known() {
    assert_eq!(field("x $KNOWN \"$KNOWN\" y${KNOWN}z", "args"), ["a a -b ya"]);
    assert_eq!(field("x $KNOWN", "flags"), ["-b"]);
    assert_eq!(field("x https://h/$OTHER.tgz", "args"), ["<https://h/$OTHER is not in these files>"]);
    assert_eq!(field("x \"$OTHER\"", "flags"), [""]);
    assert_eq!(field("x $BUILD", "flags"), ["<ARG BUILD has no default>?"]);
    assert_eq!(field("x --to=$BUILD", "flags"), ["<--to=ARG BUILD has no default> --to"]);
    assert_eq!(field("KNOWN=1; x \"$KNOWN\"", "args")[1], "<$KNOWN is not evaluated>");
    assert_eq!(field("x \"$(y)\"", "args")[0], "<$(y) is not evaluated>");
    assert_eq!(names("$OTHER x"), ["<$OTHER is not in these files>"]);
}

#[test]
fn settings_are_seen_wherever_they_are_made() {
    let env = |script: &str| {
        let (_, view) = view(script);
        let items = &view.as_list().unwrap().items;
        let entries = |item: &Value| match item.get("env").and_then(Value::as_map) {
            Some(map) => map.entries().iter().map(|(key, value)| format!("{}={}", key.text, show(value))).collect(),
            None => vec![],
        };
        items.iter().map(entries).collect::<Vec<_>>()
    };
    assert_eq!(env("A='x y' B=$BUILD c"), [["A=x y", "B=<ARG BUILD has no default>"]]);
    assert_eq!(env("export A=1 B"), [["A=1"]]);
    assert_eq!(env("env A=1 b"), [["A=1"], ["A=1"]]);
    assert_eq!(env("A=1; b"), [vec!["A=1".to_owned()], vec![]]);
}

#[test]
fn what_was_not_understood_may_be_more_commands() {
    let found = names("a && b 'c");
    assert_eq!(found[..2], ["a", "b"]);
    assert_eq!(found[2], "<a quoted string has no end>?");
    let nested = (0..9).fold("a".to_owned(), |inner, _| format!("sh -c {}", quoted(&inner)));
    assert!(names(&nested).last().unwrap().contains("more than 8 deep"));
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[test]
fn places_lead_into_words_of_words() {
    let (text, view) = view("x && sh -c \"a \\\"\\$(b c)\\\" d\"");
    let place = |value: &Value| text[value.span().start as usize..value.span().end as usize].to_owned();
    let items = &view.as_list().unwrap().items;
    let b = items.iter().find(|item| show(item.get("name").unwrap()) == "b").unwrap();
    assert_eq!(
        (place(b), place(b.get("args").unwrap().as_list().unwrap().items.first().unwrap())),
        ("b c".into(), "c".into())
    );
    assert_eq!(place(items[0].get("name").unwrap()), "x");
}
