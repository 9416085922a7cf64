//! Policies by what people call them: an id, a glob of ids, or what another tool calls the same.

use super::load::nearest;
use super::{Catalogue, CatalogueError, Metadata, PolicyId, glob_matches};

impl Catalogue {
    /// The positions of the policies that a name means: an id, a glob of ids (`aws-s3-*`), or an id of another tool
    /// (`CKV_AWS_16`, `trivy:AVD-AWS-0107`), whose case and dashes do not matter.
    ///
    /// # Errors
    /// [`CatalogueError::Damaged`].
    pub fn named(&self, name: &str) -> Result<Vec<u32>, CatalogueError> {
        let is_named = |id: &str| id == name || (name.contains('*') && glob_matches(name, id));
        let own: Vec<u32> = self.ids().zip(0..).filter(|(id, _)| is_named(id.as_str())).map(|(_, at)| at).collect();
        if !own.is_empty() {
            return Ok(own);
        }
        let mut found = Vec::new();
        for position in 0..self.len() as u32 {
            if self.metadata(position)?.answers_to(name) {
                found.push(position);
            }
        }
        Ok(found)
    }

    /// The positions of a policy, or of all its instances when the name is what stands before their `/`.
    #[must_use]
    pub fn with_instances(&self, name: &str) -> Vec<u32> {
        let is_meant =
            |id: &PolicyId| id.as_str().strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.ids().zip(0..).filter(|(id, _)| is_meant(id)).map(|(_, at)| at).collect()
    }

    /// The id that is closest to a misspelt one, if it is close enough to be meant.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&str> {
        let whole = self.ids().map(PolicyId::as_str);
        let bases = self.ids().filter_map(|id| id.as_str().split_once('/')).map(|(base, _)| base);
        let known: Vec<&str> = whole.chain(bases).collect();
        nearest(name, &known)
    }
}

impl Metadata {
    /// Whether another tool's id is among those it has an answer for.
    #[must_use]
    pub fn answers_to(&self, name: &str) -> bool {
        let wanted = plain(name);
        self.aliases.iter().chain(&self.covers).any(|id| plain(id) == wanted)
    }
}

/// An id without what people write differently: the tool's name before it, case, underscores, the prefix `AVD-`.
pub(super) fn plain(id: &str) -> String {
    let id = id.rsplit_once(':').map_or(id, |(_, id)| id).to_ascii_lowercase().replace('_', "-");
    id.strip_prefix("avd-").map(str::to_owned).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_other_tools_are_compared_as_people_write_them() {
        assert_eq!(plain("trivy:AVD-AWS-0107"), plain("aws-0107"));
        assert_eq!(plain("CKV_AWS_16"), plain("checkov:ckv-aws-16"));
        assert_ne!(plain("CKV_AWS_16"), plain("CKV_AWS_17"));
    }
}
