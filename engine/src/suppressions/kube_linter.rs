//! kube-linter: annotations of an object, `ignore-check.kube-linter.io/privileged-container: reason`.

use crate::resource::Tool;

use super::words::{is_name, shown};
use super::{Mistake, Notation, Scope, Written};

pub(super) struct KubeLinter;

impl Notation for KubeLinter {
    fn tool(&self) -> Tool {
        Tool::KubeLinter
    }

    fn markers(&self) -> &'static [&'static str] {
        &["ignore-check.kube-linter.io/", "kube-linter.io/ignore-all"]
    }

    fn in_annotation(&self, key: &str, value: &str) -> Option<Result<Written, Mistake>> {
        if key == "kube-linter.io/ignore-all" {
            let message = "`kube-linter.io/ignore-all` names no check, so it silences nothing";
            return Some(Err(Mistake::new(
                message,
                "name each check: ignore-check.kube-linter.io/privileged-container",
            )));
        }
        let name = key.strip_prefix("ignore-check.kube-linter.io/")?;
        if !is_name(name) {
            let message = format!("`{}` is no check of kube-linter, so it silences nothing", shown(name));
            return Some(Err(Mistake::new(
                message,
                "name the check: ignore-check.kube-linter.io/privileged-container",
            )));
        }
        Some(Ok(Written {
            names: vec![name.to_owned()],
            until: None,
            reason: value.to_owned(),
            scope: Scope::Declaration,
        }))
    }
}
