//! zizmor: `zizmor: ignore[template-injection, artipacked] reason` at the end of a line.

use crate::resource::Tool;

use super::words::{is_name, shown};
use super::{Mistake, Notation, Scope, Written};

pub(super) struct Zizmor;

impl Notation for Zizmor {
    fn tool(&self) -> Tool {
        Tool::Zizmor
    }

    fn markers(&self) -> &'static [&'static str] {
        &["zizmor: ignore"]
    }

    fn in_comment(&self, line: &str) -> Vec<Result<Written, Mistake>> {
        let Some(rest) = line.split_once("zizmor: ignore").map(|(_, rest)| rest) else { return Vec::new() };
        let list = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (ids, reason) = list.unwrap_or(("", rest));
        let names: Vec<String> = ids.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect();
        if names.is_empty() || names.iter().any(|name| !is_name(name)) {
            let message =
                format!("the suppression for zizmor names no rule (`{}`), so it silences nothing", shown(rest));
            return vec![Err(Mistake::new(message, "name the rule: zizmor: ignore[template-injection]"))];
        }
        vec![Ok(Written { names, until: None, reason: reason.to_owned(), scope: Scope::Beside })]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_stand_in_brackets() {
        let read = |line: &str| Zizmor.in_comment(line).pop().map(|one| one.map(|w| (w.names.join("+"), w.reason)));
        let two = Some(Ok(("artipacked+cache-poisoning".to_owned(), " we push".to_owned())));
        assert_eq!(read("zizmor: ignore[artipacked, cache-poisoning] we push"), two);
        assert!(read("zizmor: ignore").unwrap().is_err());
        assert!(read("zizmor: ignore[]").unwrap().is_err());
        assert_eq!(read("zizmor is a tool"), None);
    }
}
