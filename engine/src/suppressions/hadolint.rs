//! hadolint: `hadolint ignore=DL3006,SC2086` before an instruction, `hadolint global ignore=DL3003` for the file.

use crate::resource::Tool;

use super::{Mistake, Notation, Scope, Written};

pub(super) struct Hadolint;

impl Notation for Hadolint {
    fn tool(&self) -> Tool {
        Tool::Hadolint
    }

    fn markers(&self) -> &'static [&'static str] {
        &[" ignore=", " ignore =", "\tignore="]
    }

    fn in_comment(&self, line: &str) -> Vec<Result<Written, Mistake>> {
        let Some(rest) = line.strip_prefix("hadolint").filter(|rest| rest.starts_with(char::is_whitespace)) else {
            return Vec::new();
        };
        let rest = rest.trim_start();
        let (rest, scope) = match rest.strip_prefix("global") {
            Some(rest) if rest.starts_with(char::is_whitespace) => (rest.trim_start(), Scope::File),
            _ => (rest, Scope::Instruction),
        };
        let Some(rest) = rest.strip_prefix("ignore").and_then(|rest| rest.trim_start().strip_prefix('=')) else {
            return Vec::new();
        };
        let (ids, reason) = list(rest);
        if ids.is_empty() {
            let message = "the suppression for hadolint names no rule, so it silences nothing";
            return vec![Err(Mistake::new(message, "name the rule: hadolint ignore=DL3006"))];
        }
        vec![Ok(Written { names: ids, until: None, reason: reason.to_owned(), scope })]
    }
}

/// The ids of a list with or without blanks behind its commas, and what follows it.
fn list(text: &str) -> (Vec<String>, &str) {
    let mut ids = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (id, behind) = rest.split_at(end);
        if id.is_empty() {
            return (ids, rest);
        }
        ids.push(id.to_owned());
        match behind.trim_start().strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None => return (ids, behind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pragmas_of_an_instruction_and_of_the_file_are_read() {
        let read =
            |line: &str| Hadolint.in_comment(line).pop().map(|one| one.map(|w| (w.names.join("+"), w.reason, w.scope)));
        let ok = |names: &str, reason: &str, scope| Some(Ok((names.to_owned(), reason.to_owned(), scope)));
        assert_eq!(read("hadolint ignore=DL3006,DL3008"), ok("DL3006+DL3008", "", Scope::Instruction));
        assert_eq!(
            read("hadolint ignore = DL3006, SC2086 # pinned below"),
            ok("DL3006+SC2086", " # pinned below", Scope::Instruction)
        );
        assert_eq!(read("hadolint global ignore=DL3003"), ok("DL3003", "", Scope::File));
        assert!(read("hadolint ignore=").unwrap().is_err());
        assert_eq!(read("hadolint shell=bash"), None);
        assert_eq!(read("hadolints ignore=x"), None);
    }
}
