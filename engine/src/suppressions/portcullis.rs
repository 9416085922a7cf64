//! Our own notation: `portcullis:ignore policy-id[,policy-id] [until=2027-01-31] [reason…]`.

use crate::resource::{Date, Tool};

use super::words::{NAMES_LIMIT, is_name, shown};
use super::{Mistake, Notation, Scope, Written};

pub(super) struct Portcullis;

const FORM: &str = "write `portcullis:ignore policy-id until=2027-01-31 reason`, the date only if it is to end";
/// What people write for `ignore`, in other tools and by mistake.
const NEARLY: [&str; 10] =
    ["ignore", "ignores", "ingore", "ignroe", "igonre", "ignor", "skip", "disable", "suppress", "allow"];

impl Notation for Portcullis {
    fn tool(&self) -> Tool {
        Tool::Portcullis
    }

    fn markers(&self) -> &'static [&'static str] {
        &["portcullis:", "portcullis-", "portcullis "]
    }

    fn in_comment(&self, line: &str) -> Vec<Result<Written, Mistake>> {
        match line.strip_prefix("portcullis:ignore") {
            Some(rest) if rest.is_empty() || rest.starts_with(char::is_whitespace) => vec![written(rest)],
            _ => misspelt(line).into_iter().map(Err).collect(),
        }
    }
}

/// What was meant as a suppression and is none.
fn misspelt(line: &str) -> Option<Mistake> {
    if line.contains("portcullis:ignore ") && !line.starts_with("portcullis:ignore") {
        return Some(Mistake::new("`portcullis:ignore` does not begin its comment, so it silences nothing", FORM));
    }
    let rest = line.strip_prefix("portcullis")?;
    let mut words = rest.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    let word = words.next()?;
    let is_joined = rest.starts_with([':', '-', ' ', '=', '/']);
    (is_joined && NEARLY.iter().any(|nearly| nearly.eq_ignore_ascii_case(word))).then(|| {
        let (first, _) = rest.split_once(word).unwrap_or_default();
        Mistake::new(
            format!("`portcullis{first}{word}` is not how a suppression is written, so it silences nothing"),
            FORM,
        )
    })
}

fn written(rest: &str) -> Result<Written, Mistake> {
    let mut words = rest.split_whitespace().peekable();
    let mut names: Vec<String> = Vec::new();
    // `a,b`, and as people write lists: `a, b`.
    let mut is_list_open = true;
    while is_list_open && let Some(word) = words.next_if(|word| !word.starts_with("until=")) {
        is_list_open = word.ends_with(',') || words.peek().is_some_and(|next| next.starts_with(','));
        names.extend(word.split(',').filter(|name| !name.is_empty()).map(str::to_owned));
    }
    check(&names)?;
    let mut until = None;
    let mut reason = Vec::new();
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        let Some(date) = word.strip_prefix("until=") else {
            is_date_apart(word, words.peek().copied())?;
            reason.push(word);
            continue;
        };
        let Some(date) = Date::parse(date) else {
            let message = format!("`until={}` is no date, so the suppression does not hold", shown(date));
            return Err(Mistake::new(message, "write the last day it holds as until=2027-01-31"));
        };
        if until.replace(date).is_some() {
            let message = "the suppression has two dates, so it does not hold";
            return Err(Mistake::new(message, "write one until=2027-01-31"));
        }
    }
    Ok(Written { names, until, reason: reason.join(" "), scope: Scope::BesideOrAround })
}

/// A date that was meant as the end must not make a suppression that has none.
fn is_date_apart(word: &str, next: Option<&str>) -> Result<(), Mistake> {
    let plain = word.to_ascii_lowercase();
    let name = plain.split([':', '=']).next().unwrap_or_default();
    let is_end = matches!(name, "until" | "expires" | "expiry" | "exp" | "expire");
    let value = plain.get(name.len() + 1..).filter(|value| !value.is_empty());
    let has_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let begins_date = value.or(next.map(|next| next.trim_start_matches([':', '='])));
    if is_end && begins_date.is_some_and(|date| has_digit(date) || date.is_empty()) {
        let message = format!("`{}` is not how the end of a suppression is written, so it does not hold", shown(word));
        return Err(Mistake::new(message, "write until=2027-01-31, without blanks"));
    }
    Ok(())
}

fn check(names: &[String]) -> Result<(), Mistake> {
    if names.is_empty() {
        let message = "the suppression names no policy, so it silences nothing";
        return Err(Mistake::new(message, FORM));
    }
    if names.len() > NAMES_LIMIT {
        let message = format!("the suppression names {} policies, more than the limit of {NAMES_LIMIT}", names.len());
        return Err(Mistake::new(message, "write several"));
    }
    match names.iter().find(|name| !is_name(name)) {
        Some(name) if name.contains('*') => {
            let message = format!("`{}` is a pattern, so it silences nothing", shown(name));
            Err(Mistake::new(message, "name each policy: a pattern would silence some that nobody has thought of"))
        }
        Some(name) => {
            let message = format!("`{}` is no policy id, so the suppression does not hold", shown(name));
            Err(Mistake::new(message, FORM))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> String {
        let found = Portcullis.in_comment(line);
        let say = |one: &Result<Written, Mistake>| match one {
            Ok(written) => {
                let until = written.until.map(|until| format!(" until {until}")).unwrap_or_default();
                format!("{}{until}: {}", written.names.join("+"), written.reason)
            }
            Err(mistake) => format!("!{}", mistake.message),
        };
        found.iter().map(say).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn ids_dates_and_reasons_are_read() {
        for (line, said) in [
            ("portcullis:ignore a-b", "a-b: "),
            ("portcullis:ignore a-b/ssh,c until=2027-01-31 the old host", "a-b/ssh+c until 2027-01-31: the old host"),
            ("portcullis:ignore a, b ,c why not", "a+b+c: why not"),
            ("portcullis:ignore a because until=2027-01-31", "a until 2027-01-31: because"),
            ("portcullis:ignore a kept until the move is done", "a: kept until the move is done"),
            ("portcullis:ignore CKV_AWS_1", "CKV_AWS_1: "),
        ] {
            assert_eq!(read(line), said, "{line}");
        }
    }

    #[test]
    fn what_is_written_wrongly_is_said_and_silences_nothing() {
        for line in [
            "portcullis:ignore",
            "portcullis:ignore until=2027-01-31",
            "portcullis:ignore *",
            "portcullis:ignore aws-* x",
            "portcullis:ignore a until=soon",
            "portcullis:ignore a until=2027-02-30",
            "portcullis:ignore a until=2027-01-01 until=2028-01-01",
            "portcullis:ignore a until 2027-01-31",
            "portcullis:ignore a until = 2027-01-31",
            "portcullis:ignore a expires=2027-01-31",
            "portcullis:ignore a\u{202e}b",
            "portcullis: ignore a",
            "portcullis:ingore a",
            "portcullis-ignore: a",
            "portcullis:skip=a",
            "see there portcullis:ignore a",
            &format!("portcullis:ignore {}", "a,".repeat(51)),
            &format!("portcullis:ignore {}", "a".repeat(151)),
        ] {
            assert!(read(line).starts_with('!'), "{line}: {}", read(line));
        }
    }

    #[test]
    fn talk_about_the_gate_is_no_suppression() {
        for line in ["portcullis: see the docs", "portcullis checks this", "the portcullis ignores it", "portcullis"] {
            assert_eq!(read(line), "", "{line}");
        }
    }
}
