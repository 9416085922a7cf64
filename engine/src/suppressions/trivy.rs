//! Trivy and tfsec before it: `trivy:ignore:AVD-AWS-0086`, `tfsec:ignore:aws-s3-enable-versioning:exp:2027-01-31`, several on a line.

use crate::resource::{Date, Tool};

use super::words::{NAMES_LIMIT, is_name, reason, shown};
use super::{Mistake, Notation, Scope, Written};

pub(super) struct Trivy;

const PREFIXES: [&str; 2] = ["trivy:ignore:", "tfsec:ignore:"];

impl Notation for Trivy {
    fn tool(&self) -> Tool {
        Tool::Trivy
    }

    fn markers(&self) -> &'static [&'static str] {
        &["trivy:ignore:", "tfsec:ignore:"]
    }

    fn in_comment(&self, line: &str) -> Vec<Result<Written, Mistake>> {
        let (ours, others): (Vec<&str>, Vec<&str>) = line.split_whitespace().partition(|word| body(word).is_some());
        if ours.len() > NAMES_LIMIT {
            let message =
                format!("the line names {} checks for Trivy, more than the limit of {NAMES_LIMIT}", ours.len());
            return vec![Err(Mistake::new(message, "split the line"))];
        }
        // Every name gets its own copy.
        let reason = reason(&others.join(" "));
        ours.iter().filter_map(|word| body(word)).map(|body| written(body, &reason)).collect()
    }
}

/// What stands behind the prefix of a word, which the sign of the comment may be glued to.
fn body(word: &str) -> Option<&str> {
    let word = word.trim_start_matches(['#', '/', '*']);
    PREFIXES.iter().find_map(|prefix| word.strip_prefix(prefix))
}

fn written(body: &str, reason: &str) -> Result<Written, Mistake> {
    let mut parts = body.split(':');
    let name = parts.next().unwrap_or_default();
    if name.contains('*') || name.is_empty() {
        let message = format!("the suppression for Trivy names no check but `{}`, so it silences nothing", shown(name));
        return Err(Mistake::new(message, "name each check: trivy:ignore:AVD-AWS-0086"));
    }
    if !is_name(name) {
        let message = format!(
            "the suppression for Trivy depends on more than a check (`{}`), so it silences nothing",
            shown(name)
        );
        return Err(Mistake::new(message, "name the check alone, at the attribute it is about"));
    }
    let mut until = None;
    while let Some(key) = parts.next() {
        let value = parts.next().unwrap_or_default();
        match (key, Date::parse(value)) {
            ("exp", Some(date)) => until = Some(date),
            ("exp", None) => {
                let message = format!("`exp:{}` is no date, so the suppression does not hold", shown(value));
                return Err(Mistake::new(message, "write the last day it holds as exp:2027-01-31"));
            }
            _ => {
                let message = format!(
                    "the suppression for Trivy holds only in some cases (`{}`), which nobody can tell from the files, so it silences nothing",
                    shown(key)
                );
                return Err(Mistake::new(message, "name the check alone"));
            }
        }
    }
    Ok(Written { names: vec![name.to_owned()], until, reason: reason.to_owned(), scope: Scope::Beside })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_on_a_line_dates_and_what_holds_only_sometimes() {
        let read = |line: &str| {
            let say = |one: Result<Written, Mistake>| match one {
                Ok(written) => {
                    format!(
                        "{} {} {}",
                        written.names[0],
                        written.until.map(|u| u.to_string()).unwrap_or_default(),
                        written.reason
                    )
                }
                Err(mistake) => format!("!{}", mistake.message),
            };
            Trivy.in_comment(line).into_iter().map(say).collect::<Vec<_>>()
        };
        assert_eq!(
            read("tfsec:ignore:aws-s3-a #tfsec:ignore:AVD-AWS-0086:exp:2027-01-31 a site"),
            ["aws-s3-a  a site", "AVD-AWS-0086 2027-01-31 a site"]
        );
        for line in [
            "trivy:ignore:*",
            "trivy:ignore:aws-*",
            "trivy:ignore:",
            "tfsec:ignore:a:ws:prod",
            "tfsec:ignore:a:exp:x",
            "trivy:ignore:a[b=c]",
        ] {
            assert!(read(line)[0].starts_with('!'), "{line}");
        }
        assert!(read("trivy ignores it").is_empty());
    }

    #[test]
    fn many_names_on_a_line_do_not_multiply_its_reason() {
        let line = |count: usize| format!("{}{}", "trivy:ignore:a ".repeat(count), "why ".repeat(10_000));
        let found = Trivy.in_comment(&line(50));
        assert_eq!(found.len(), 50);
        assert!(found.into_iter().all(|one| one.unwrap().reason.len() < 400));
        let found = Trivy.in_comment(&line(51));
        assert_eq!(found.len(), 1);
        assert!(found[0].as_ref().unwrap_err().message.contains("51 checks"), "{found:?}");
    }
}
