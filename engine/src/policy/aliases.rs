//! What other tools call the policies, as one index: built when a file first speaks another tool's language.

use std::collections::HashMap;

use super::Metadata;
use super::find::plain;

/// The names of Trivy's checks, each with the numbers it may stand for.
const TRIVY_NAMES: &str = include_str!("trivy_names.txt");

/// Policies by the ids other tools have for them.
#[derive(Debug)]
pub(super) struct Aliases {
    /// The tool an alias is bound to, and the position of its policy.
    by_id: HashMap<String, Vec<(Option<String>, u32)>>,
}

impl Aliases {
    /// The index of policies in their order.
    pub(super) fn of(policies: &[&Metadata]) -> Self {
        let mut by_id: HashMap<String, Vec<(Option<String>, u32)>> = HashMap::new();
        for (metadata, position) in policies.iter().zip(0..) {
            for alias in &metadata.aliases {
                let tool = alias.rsplit_once(':').map(|(tool, _)| tool.to_ascii_lowercase());
                by_id.entry(plain(alias)).or_default().push((tool, position));
            }
        }
        Self { by_id }
    }

    /// The policies that a tool means by an id.
    pub(super) fn of_tool(&self, tool: &str, id: &str) -> Vec<u32> {
        let id = plain(id);
        let mut ids = vec![id.clone()];
        if tool == "trivy" {
            ids.extend(numbered(&id));
            let lines = TRIVY_NAMES.lines().filter_map(|line| line.split_once(' '));
            ids.extend(lines.filter(|(name, _)| *name == id).flat_map(|(_, ids)| ids.split(' ')).map(str::to_owned));
        }
        let found = ids.iter().filter_map(|id| self.by_id.get(id)).flatten();
        let meant = found.filter(|(of, _)| of.as_deref().is_none_or(|of| of == tool));
        let mut positions: Vec<u32> = meant.map(|(_, position)| *position).collect();
        positions.sort_unstable();
        positions.dedup();
        positions
    }
}

/// `ds-0002` of `ds002`, as Trivy wrote its numbers before.
fn numbered(id: &str) -> Option<String> {
    let digits = id.find(|c: char| c.is_ascii_digit())?;
    let (letters, digits) = id.split_at_checked(digits)?;
    let is_old = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()) && !letters.ends_with('-');
    is_old.then(|| format!("{letters}-0{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{PolicyId, Severity};

    fn metadata(aliases: &[&str], covers: &[&str]) -> Metadata {
        Metadata {
            id: PolicyId::new("a").unwrap(),
            title: String::new(),
            severity: Severity::Low,
            description: String::new(),
            remediation: String::new(),
            frameworks: Vec::new(),
            aliases: aliases.iter().map(ToString::to_string).collect(),
            covers: covers.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn a_tool_means_what_is_aliased_and_not_what_is_covered() {
        let (one, two) =
            (metadata(&["CKV_AWS_16", "AWS-0088"], &["CKV_AWS_17"]), metadata(&["trivy:DS-0002", "CKV_AWS_16"], &[]));
        let aliases = Aliases::of(&[&one, &two]);
        assert_eq!(aliases.of_tool("checkov", "ckv-aws-16"), [0, 1]);
        assert_eq!(aliases.of_tool("checkov", "CKV_AWS_17"), [] as [u32; 0]);
        assert_eq!(aliases.of_tool("trivy", "AVD-AWS-0088"), [0]);
        assert_eq!(aliases.of_tool("trivy", "aws-s3-enable-bucket-encryption"), [0]);
        assert_eq!(aliases.of_tool("trivy", "DS002"), [1]);
        assert_eq!(aliases.of_tool("checkov", "DS-0002"), [] as [u32; 0]);
    }
}
