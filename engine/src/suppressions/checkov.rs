//! Checkov: `checkov:skip=CKV_AWS_1,CKV_AWS_2:reason` in a comment inside the resource, `checkov.io/skip1: CKV_K8S_1=reason` as
//! an annotation.

use crate::resource::Tool;

use super::{Mistake, Notation, Scope, Written};

pub(super) struct Checkov;

/// The products under whose names it is written.
const PREFIXES: [&str; 3] = ["checkov:skip=", "bridgecrew:skip=", "cortex:skip="];

impl Notation for Checkov {
    fn tool(&self) -> Tool {
        Tool::Checkov
    }

    fn markers(&self) -> &'static [&'static str] {
        &["checkov:skip=", "bridgecrew:skip=", "cortex:skip=", "checkov.io/skip"]
    }

    fn in_comment(&self, line: &str) -> Vec<Result<Written, Mistake>> {
        let found = PREFIXES.iter().filter_map(|prefix| Some((line.find(prefix)?, prefix.len()))).min();
        let Some((at, length)) = found else { return Vec::new() };
        let rest = line.get(at + length..).unwrap_or_default().trim_start();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | ','))).unwrap_or(rest.len());
        let (ids, reason) = rest.split_at(end);
        vec![written(ids, reason.strip_prefix(':').unwrap_or_default())]
    }

    fn in_annotation(&self, key: &str, value: &str) -> Option<Result<Written, Mistake>> {
        let number = key.strip_prefix("checkov.io/skip")?;
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (id, reason) = value.split_once('=').unwrap_or((value, ""));
        Some(written(id.trim(), reason))
    }
}

fn written(ids: &str, reason: &str) -> Result<Written, Mistake> {
    let names: Vec<String> = ids.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect();
    if names.is_empty() {
        let message = "the suppression for Checkov names no check, so it silences nothing";
        return Err(Mistake::new(message, "name the check: checkov:skip=CKV_AWS_1:reason"));
    }
    Ok(Written { names, until: None, reason: reason.to_owned(), scope: Scope::Declaration })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_annotations_are_read() {
        let read = |line: &str| match Checkov.in_comment(line).pop() {
            Some(Ok(written)) => format!("{}: {}", written.names.join("+"), written.reason),
            Some(Err(mistake)) => mistake.message,
            None => String::new(),
        };
        assert_eq!(
            read("checkov:skip=CKV_AWS_20:The bucket is public: a site"),
            "CKV_AWS_20: The bucket is public: a site"
        );
        assert_eq!(read("x bridgecrew:skip= CKV_AWS_1,CKV2_AWS_2"), "CKV_AWS_1+CKV2_AWS_2: ");
        assert!(read("checkov:skip=:all of it").contains("names no check"));
        assert_eq!(read("checkov: skip it"), "");
        let annotated = Checkov.in_annotation("checkov.io/skip1", "CKV_K8S_20=No need = none").unwrap().unwrap();
        assert_eq!((annotated.names, annotated.reason.as_str()), (vec!["CKV_K8S_20".to_owned()], "No need = none"));
        assert_eq!(Checkov.in_annotation("checkov.io/skipper", "x"), None);
    }
}
