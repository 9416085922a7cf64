//! The policies a program runs with, found by resource type.
//!
//! Wanted: the whole catalogue costs nothing until a resource of a policy's type turns up. So the build compiles every policy
//! into bytes beside an index of types (see `build.rs`), and a policy is only unpacked when it is first asked for.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::aliases::Aliases;
use super::{Check, Library, Literal, Metadata, Policy, PolicyId};
use crate::resource::FormatId;

/// A resource type that stands for all.
pub const CHECK_ALL: &str = "*";

/// Why a catalogue cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogueError {
    /// Two policies of one id.
    Twice(PolicyId),
    /// The stored bytes are not what this program wrote.
    Damaged(String),
}

impl std::fmt::Display for CatalogueError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Twice(id) => write!(f, "there are two policies `{id}`: give one another id"),
            Self::Damaged(what) => write!(f, "the stored policies are damaged ({what}): install the program again"),
        }
    }
}

impl std::error::Error for CatalogueError {}

/// All policies as the build stores them.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stored<'b> {
    #[serde(borrow)]
    library: &'b [u8],
    #[serde(borrow)]
    policies: Vec<StoredPolicy<'b>>,
}

#[derive(Serialize, Deserialize)]
struct StoredPolicy<'b> {
    id: &'b str,
    metadata: &'b [u8],
    body: &'b [u8],
    /// For each check its format and types.
    #[serde(borrow)]
    checks: Vec<(Option<FormatId>, Vec<&'b str>)>,
}

/// Packs policies for [`Catalogue::unpack`].
///
/// # Errors
/// When they cannot be stored.
pub fn pack(policies: &[Policy], library: &Library) -> Result<Vec<u8>, String> {
    fn bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
        postcard::to_allocvec(value).map_err(|error| error.to_string())
    }
    let mut parts = Vec::new();
    for policy in policies {
        parts.push((bytes(&policy.metadata)?, bytes(&CompiledPolicy::of(policy))?));
    }
    let packed_library = bytes(library)?;
    let stored = policies.iter().zip(&parts).map(|(policy, (metadata, body))| StoredPolicy {
        id: policy.metadata.id.as_str(),
        metadata,
        body,
        checks: policy.checks.iter().map(|c| (c.format, c.resource.iter().map(String::as_str).collect())).collect(),
    });
    bytes(&Stored { library: &packed_library, policies: stored.collect() })
}

/// What the evaluator needs of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompiledPolicy {
    /// Named values.
    pub params: Vec<(String, Literal)>,
    /// What is looked at.
    pub checks: Vec<Check>,
}

impl CompiledPolicy {
    fn of(policy: &Policy) -> Self {
        Self { params: policy.params.clone(), checks: policy.checks.clone() }
    }
}

/// A check, by its policy's place in the catalogue and its own place in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckIndex {
    /// Place of the policy.
    pub policy: u32,
    /// Place of the check in it.
    pub check: u32,
}

/// The policies a program runs with.
#[derive(Default)]
pub struct Catalogue {
    entries: Vec<Entry>,
    by_type: HashMap<String, Vec<(Option<FormatId>, CheckIndex)>>,
    by_glob: Vec<(String, Option<FormatId>, CheckIndex)>,
    stored_library: &'static [u8],
    library: OnceLock<Library>,
    /// What other tools call the policies, once somebody asks.
    aliases: OnceLock<Result<Aliases, CatalogueError>>,
}

struct Entry {
    id: PolicyId,
    stored: Option<(&'static [u8], &'static [u8])>,
    metadata: OnceLock<Result<Metadata, CatalogueError>>,
    body: OnceLock<Result<CompiledPolicy, CatalogueError>>,
}

impl Catalogue {
    /// A catalogue of loaded policies.
    ///
    /// # Errors
    /// [`CatalogueError::Twice`].
    pub fn of(policies: Vec<Policy>, library: Library) -> Result<Self, CatalogueError> {
        let catalogue = Self { library: OnceLock::from(library), ..Self::default() };
        catalogue.with(policies)
    }

    /// The catalogue in packed bytes.
    ///
    /// # Errors
    /// [`CatalogueError::Damaged`].
    pub fn unpack(bytes: &'static [u8]) -> Result<Self, CatalogueError> {
        let stored: Stored<'static> = unpacked(bytes)?;
        let mut catalogue = Self { stored_library: stored.library, ..Self::default() };
        for policy in stored.policies {
            let id = PolicyId::new(policy.id).map_err(CatalogueError::Damaged)?;
            let entry = Entry {
                id,
                stored: Some((policy.metadata, policy.body)),
                metadata: OnceLock::new(),
                body: OnceLock::new(),
            };
            let checks = policy.checks.iter().map(|(format, types)| (*format, types.iter().copied()));
            catalogue.add(entry, checks);
        }
        Ok(catalogue)
    }

    /// The same catalogue with more policies.
    ///
    /// # Errors
    /// [`CatalogueError::Twice`].
    pub fn with(mut self, policies: Vec<Policy>) -> Result<Self, CatalogueError> {
        for policy in policies {
            if self.position(&policy.metadata.id).is_some() {
                return Err(CatalogueError::Twice(policy.metadata.id));
            }
            let compiled = CompiledPolicy::of(&policy);
            let types: Vec<_> = compiled.checks.iter().map(|check| (check.format, check.resource.clone())).collect();
            let entry = Entry {
                id: policy.metadata.id.clone(),
                stored: None,
                metadata: OnceLock::from(Ok(policy.metadata)),
                body: OnceLock::from(Ok(compiled)),
            };
            self.add(entry, types.iter().map(|(format, types)| (*format, types.iter().map(String::as_str))));
        }
        Ok(self)
    }

    /// The same catalogue with other named sets for the policies that are added to it.
    #[must_use]
    pub fn with_library(mut self, library: Library) -> Self {
        self.library = OnceLock::from(library);
        self
    }

    fn add<'t, T: Iterator<Item = &'t str>>(
        &mut self,
        entry: Entry,
        checks: impl Iterator<Item = (Option<FormatId>, T)>,
    ) {
        let policy = self.entries.len() as u32;
        self.entries.push(entry);
        self.aliases = OnceLock::new();
        for ((format, types), check) in checks.zip(0..) {
            let index = CheckIndex { policy, check };
            for name in types {
                if name.contains('*') {
                    self.by_glob.push((name.to_owned(), format, index));
                } else {
                    self.by_type.entry(name.to_owned()).or_default().push((format, index));
                }
            }
        }
    }

    /// Number of policies.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where a policy stands.
    #[must_use]
    pub fn position(&self, id: &PolicyId) -> Option<u32> {
        self.entries.iter().zip(0..).find(|(entry, _)| entry.id == *id).map(|(_, position)| position)
    }

    /// The ids in the order of the catalogue.
    pub fn ids(&self) -> impl Iterator<Item = &PolicyId> {
        self.entries.iter().map(|entry| &entry.id)
    }

    /// The id of a policy.
    #[must_use]
    pub fn id(&self, policy: u32) -> Option<&PolicyId> {
        self.entries.get(policy as usize).map(|entry| &entry.id)
    }

    /// What a person needs to know of a policy.
    ///
    /// # Errors
    /// [`CatalogueError::Damaged`].
    pub fn metadata(&self, policy: u32) -> Result<&Metadata, CatalogueError> {
        let Some(entry) = self.entries.get(policy as usize) else { return Err(out_of_range(policy)) };
        let stored = entry.stored.map(|(metadata, _)| metadata).unwrap_or_default();
        entry.metadata.get_or_init(|| unpacked(stored)).as_ref().map_err(Clone::clone)
    }

    /// What the evaluator needs of a policy.
    ///
    /// # Errors
    /// [`CatalogueError::Damaged`].
    pub fn body(&self, policy: u32) -> Result<&CompiledPolicy, CatalogueError> {
        let Some(entry) = self.entries.get(policy as usize) else { return Err(out_of_range(policy)) };
        let stored = entry.stored.map(|(_, body)| body).unwrap_or_default();
        entry.body.get_or_init(|| unpacked(stored)).as_ref().map_err(Clone::clone)
    }

    /// The checks that speak of a type in a format, in the order of the catalogue.
    #[must_use]
    pub fn checks(&self, format: FormatId, type_name: &str) -> Vec<CheckIndex> {
        let applies = |of: Option<FormatId>| of.is_none_or(|of| of == format);
        let exact = self.by_type.get(type_name).into_iter().flatten();
        let mut found: Vec<CheckIndex> = exact.filter(|(of, _)| applies(*of)).map(|(_, index)| *index).collect();
        let globs = self.by_glob.iter().filter(|(glob, of, _)| applies(*of) && glob_matches(glob, type_name));
        found.extend(globs.map(|(_, _, index)| *index));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The positions of the policies whose aliases have this id of another tool (`checkov`, `CKV_AWS_16`): they give its
    /// verdict on the resource it looks at. Case and dashes do not matter, and of Trivy its names do as well as its numbers.
    ///
    /// # Errors
    /// [`CatalogueError::Damaged`].
    pub fn aliased(&self, tool: &str, id: &str) -> Result<Vec<u32>, CatalogueError> {
        let all = || (0..self.len() as u32).map(|position| self.metadata(position));
        let aliases = self.aliases.get_or_init(|| all().collect::<Result<Vec<_>, _>>().map(|all| Aliases::of(&all)));
        aliases.as_ref().map(|aliases| aliases.of_tool(tool, id)).map_err(Clone::clone)
    }

    /// The named sets, and what identifies resources.
    #[must_use]
    pub fn library(&self) -> &Library {
        self.library.get_or_init(|| unpacked(self.stored_library).unwrap_or_default())
    }
}

fn unpacked<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Result<T, CatalogueError> {
    postcard::from_bytes(bytes).map_err(|error| CatalogueError::Damaged(error.to_string()))
}

fn out_of_range(policy: u32) -> CatalogueError {
    CatalogueError::Damaged(format!("no policy {policy}"))
}

/// Whether a type matches a glob: `*` is any text.
#[must_use]
pub fn glob_matches(glob: &str, text: &str) -> bool {
    let mut parts = glob.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_types() {
        for (glob, text, matches) in [
            ("*", "x", true),
            ("aws_*", "aws_x", true),
            ("aws_*_rule", "aws_a_rule", true),
            ("aws_*_rule", "aws_rule", false),
            ("azurerm_*_firewall_*", "azurerm_sql_firewall_rule", true),
            ("aws_*", "azure", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(glob_matches(glob, text), matches, "{glob} {text}");
        }
    }
}
