//! Every file of a commit, or an error: a listing GitHub cuts short is walked folder by folder.

use futures_util::stream::{self, StreamExt, TryStreamExt};
use portcullis_engine::source_tree::{Entry, TreePath};
use serde::Deserialize;

use super::api::RepositoryApi;
use super::errors::printable;
use crate::forges::http::percent_encode;
use crate::forges::{CommitSha, ForgeError};

/// Most listings that are asked for one commit, each of them up to two requests. GitHub lists 100,000 entries at once, so this
/// is reached by size or by malice.
const LISTING_LIMIT: usize = 250;

/// Most files of one commit.
const FILE_LIMIT: usize = 1_000_000;

/// Listings asked for at once.
const AT_ONCE: usize = 4;

#[derive(Deserialize)]
struct Listing {
    tree: Vec<Listed>,
    #[serde(default)]
    truncated: bool,
}

#[derive(Deserialize)]
struct Listed {
    path: String,
    mode: String,
    sha: String,
    size: Option<u64>,
}

/// A folder still to be listed: what its paths begin with, and its tree.
struct Pending {
    prefix: String,
    tree: String,
}

/// The files of a commit, sorted by path, without submodules.
pub(super) async fn files(api: &RepositoryApi<'_>, commit: &CommitSha) -> Result<Vec<Entry>, ForgeError> {
    let mut files = Vec::new();
    let mut listings = 0;
    let mut pending = vec![Pending { prefix: String::new(), tree: commit.to_string() }];
    while !pending.is_empty() {
        listings += pending.len();
        if listings > LISTING_LIMIT {
            return Err(ForgeError::TooLarge(format!("the tree of {commit} takes more than {LISTING_LIMIT} listings")));
        }
        let asked: Vec<_> = pending.iter().map(|folder| whole_or_level(api, folder)).collect();
        let found: Vec<Vec<Listed>> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        let mut deeper = Vec::new();
        for (listed, folder) in found.into_iter().zip(&pending) {
            for entry in listed {
                sort_in(entry, &folder.prefix, &mut files, &mut deeper);
            }
            if files.len() > FILE_LIMIT {
                return Err(ForgeError::TooLarge(format!("the tree of {commit} has more than {FILE_LIMIT} files")));
            }
        }
        pending = deeper;
    }
    named(files)
}

struct Found {
    path: String,
    blob: String,
    size_bytes: u64,
    is_link: bool,
}

fn sort_in(entry: Listed, prefix: &str, files: &mut Vec<Found>, deeper: &mut Vec<Pending>) {
    let path = format!("{prefix}{}", entry.path);
    match entry.mode.as_str() {
        // Git's modes of a file: plain, group-writable (of old), executable, link.
        mode @ ("100644" | "100664" | "100755" | "120000") => {
            let size_bytes = entry.size.unwrap_or_default();
            files.push(Found { path, blob: entry.sha, size_bytes, is_link: mode == "120000" });
        }
        "040000" => deeper.push(Pending { prefix: format!("{path}/"), tree: entry.sha }),
        // Submodules (160000).
        _ => {}
    }
}

/// Everything below a folder without its folders; or where that is cut short, one level of it with them.
async fn whole_or_level(api: &RepositoryApi<'_>, folder: &Pending) -> Result<Vec<Listed>, ForgeError> {
    let path = format!("git/trees/{}", percent_encode(&folder.tree));
    let mut whole: Listing = api.get(&format!("{path}?recursive=1")).await?;
    if !whole.truncated {
        whole.tree.retain(|entry| entry.mode != "040000");
        return Ok(whole.tree);
    }
    let level: Listing = api.get(&path).await?;
    if level.truncated {
        let entries = level.tree.len();
        return Err(ForgeError::TooLarge(format!(
            "GitHub lists only {entries} entries of the folder /{}: the rest cannot be seen",
            printable(&folder.prefix)
        )));
    }
    Ok(level.tree)
}

/// A name that holds control characters is a file all the same, and could hide one from the gate: it is listed with those
/// characters escaped, unless that is the name of another file.
fn named(files: Vec<Found>) -> Result<Vec<Entry>, ForgeError> {
    let mut entries = Vec::with_capacity(files.len());
    for Found { path, blob, size_bytes, is_link } in files {
        let named = TreePath::new(&path).or_else(|_| TreePath::new(&escape_controls(&path)));
        let named =
            named.map_err(|bad| ForgeError::Refused(format!("the tree holds `{}`: {bad}", printable(&path))))?;
        entries.push(Entry { path: named, blob: Some(blob), size_bytes, is_link });
    }
    entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    match entries.array_windows().find(|[a, b]| a.path == b.path) {
        Some([twice, _]) => {
            Err(ForgeError::Refused(format!("the tree holds two files that both read `{}`", twice.path)))
        }
        None => Ok(entries),
    }
}

fn escape_controls(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for c in path.chars() {
        if c.is_control() {
            escaped.push_str(&percent_encode(c.encode_utf8(&mut [0; 4])));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(paths: &[&str]) -> Vec<Found> {
        let found =
            |path: &&str| Found { path: (*path).to_owned(), blob: "b".to_owned(), size_bytes: 1, is_link: false };
        paths.iter().map(found).collect()
    }

    #[test]
    fn control_characters_neither_hide_a_file_nor_block_a_repository() {
        let entries = named(found(&["z/Icon\r", "a/evil\u{1}.tf", "a/b.tf"])).unwrap();
        let paths: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, ["a/b.tf", "a/evil%01.tf", "z/Icon%0D"]);
        let clash = named(found(&["a%01.tf", "a\u{1}.tf"])).unwrap_err().to_string();
        assert!(clash.contains("two files"), "{clash}");
        for bad in ["../a.tf", "a//b.tf", "", &"x".repeat(5_000)] {
            assert!(matches!(named(found(&[bad])), Err(ForgeError::Refused(_))), "{bad}");
        }
    }

    #[test]
    fn links_are_known_as_such_and_submodules_are_no_files() {
        let (mut files, mut deeper) = (Vec::new(), Vec::new());
        for (path, mode) in [
            ("f", "100644"),
            ("x", "100755"),
            ("old", "100664"),
            ("link", "120000"),
            ("sub", "160000"),
            ("d", "040000"),
        ] {
            let entry = Listed { path: path.to_owned(), mode: mode.to_owned(), sha: "s".to_owned(), size: None };
            sort_in(entry, "p/", &mut files, &mut deeper);
        }
        assert_eq!(files.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["p/f", "p/x", "p/old", "p/link"]);
        assert_eq!(files.iter().filter(|f| f.is_link).count(), 1);
        assert_eq!(deeper.iter().map(|d| d.prefix.as_str()).collect::<Vec<_>>(), ["p/d/"]);
    }
}
