//! The policies that come with the program, compiled from `policies/` by the build.

#[cfg(test)]
mod properties;

use crate::policy::{Catalogue, CatalogueError};
#[cfg(test)]
use crate::policy::{Library, Loaded, is_library, load_library, load_policy};

static CATALOGUE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/catalogue.bin"));

/// The catalogue that comes with the program; a policy in it is unpacked when it is first asked for.
///
/// # Errors
/// [`CatalogueError::Damaged`] when the program's file was damaged.
pub fn catalogue() -> Result<Catalogue, CatalogueError> {
    Catalogue::unpack(CATALOGUE)
}

static TEXTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/policies.bin"));

/// The files of `policies/`, the named sets first: path and text.
///
/// # Errors
/// [`CatalogueError::Damaged`] when the program's file was damaged.
pub fn files() -> Result<Vec<(&'static str, &'static str)>, CatalogueError> {
    postcard::from_bytes(TEXTS).map_err(|error| CatalogueError::Damaged(error.to_string()))
}

/// Every policy file with its path, its text and what it holds, over the sets and defaults they may name.
#[cfg(test)]
pub(crate) fn policies() -> (Library, Vec<(&'static str, &'static str, Loaded)>) {
    let mut library = Library::default();
    let mut policies = Vec::new();
    for (path, text) in files().unwrap() {
        if is_library(path.trim_start_matches("policies/")) {
            load_library(path, text, &mut library).unwrap();
        } else {
            policies.push((path, text, load_policy(path, text, &library).unwrap()));
        }
    }
    (library, policies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_unpacks() {
        let catalogue = catalogue().unwrap();
        assert!(catalogue.len() >= 25);
        for policy in 0..catalogue.len() as u32 {
            assert!(!catalogue.metadata(policy).unwrap().title.is_empty());
            assert!(!catalogue.body(policy).unwrap().checks.is_empty());
        }
        assert!(!catalogue.library().sets.is_empty());
    }
}
