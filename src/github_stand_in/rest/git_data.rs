//! References, trees and blobs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal, Reply};
use super::call::{CONTENTS, Call, resolve};
use crate::github_stand_in::bodies::{View, node_id};
use crate::github_stand_in::git::{Mode, ObjectStore, Oid, TreeEntry};
use crate::github_stand_in::state::{GitHub, Repository};

/// `GET /repos/{owner}/{repo}/git/ref/{ref}`
pub(crate) fn reference(call: &Call, github: &mut GitHub) -> Answer {
    let id = call.repository(github, CONTENTS)?;
    let repository = github.repository(id).ok_or_else(Refusal::not_found)?;
    let name = call.param("ref")?;
    let branch = name.strip_prefix("heads/").ok_or_else(Refusal::not_found)?;
    let oid = repository.seen_branches().get(branch).copied().ok_or_else(Refusal::not_found)?;
    let full_name = github.full_name(id);
    call.ok(github, |view| {
        json!({
            "ref": format!("refs/heads/{branch}"),
            "node_id": node_id("Ref", format!("{id}:refs/heads/{branch}")),
            "url": view.urls.api(&format!("repos/{full_name}/git/refs/heads/{branch}")),
            "object": {
                "type": "commit",
                "sha": oid.to_string(),
                "url": view.urls.api(&format!("repos/{full_name}/git/commits/{oid}")),
            },
        })
    })
}

/// The object a text names: a tree, or a commit or branch whose root folder is meant.
fn tree_named(github: &GitHub, repository: &Repository, text: &str) -> Option<(Oid, Oid)> {
    let objects = github.objects(repository.id)?;
    let named = match text.parse::<Oid>() {
        Ok(oid) if objects.tree(oid).is_some() => oid,
        _ => resolve(github, repository, text)?,
    };
    Some((named, objects.root(named)?))
}

/// `GET /repos/{owner}/{repo}/git/trees/{tree_sha}`
pub(crate) fn tree(call: &Call, github: &mut GitHub) -> Answer {
    let id = call.repository(github, CONTENTS)?;
    let repository = github.repository(id).ok_or_else(Refusal::not_found)?;
    let (named, root) = tree_named(github, repository, call.param("tree_sha")?).ok_or_else(Refusal::not_found)?;
    let objects = github.objects(id).ok_or_else(Refusal::not_found)?;
    // The mere presence of the parameter counts, whatever its value.
    let recursive = call.queries().iter().any(|(name, _)| name == "recursive");
    let entries: Vec<(String, &TreeEntry)> = if recursive {
        objects.walk(root)
    } else {
        let folder = objects.tree(root).ok_or_else(Refusal::not_found)?;
        folder.entries().iter().map(|entry| (entry.name.clone(), entry)).collect()
    };
    let truncated = entries.len() > github.limits.tree_entries;
    let name = github.full_name(id);
    call.ok(github, |view| {
        let shown = entries.iter().take(github.limits.tree_entries);
        let shown: Value = shown.map(|(path, entry)| tree_entry(view, objects, &name, path, entry)).collect();
        let url = view.urls.api(&format!("repos/{name}/git/trees/{named}"));
        json!({ "sha": named.to_string(), "url": url, "tree": shown, "truncated": truncated })
    })
}

fn tree_entry(view: View<'_>, objects: &ObjectStore, name: &str, path: &str, entry: &TreeEntry) -> Value {
    let mut body = json!({
        "path": path,
        "mode": entry.mode.six_digits(),
        "type": entry.mode.object_kind(),
        "sha": entry.oid.to_string(),
    });
    let Some(fields) = body.as_object_mut() else { return body };
    if let Some(content) = objects.blob(entry.oid) {
        fields.insert("size".to_owned(), content.len().into());
    }
    let part = match entry.mode {
        Mode::Submodule => return body,
        Mode::Folder => "trees",
        Mode::File | Mode::Executable | Mode::Link => "blobs",
    };
    fields.insert("url".to_owned(), view.urls.api(&format!("repos/{name}/git/{part}/{}", entry.oid)).into());
    body
}

/// `GET /repos/{owner}/{repo}/git/blobs/{file_sha}`
pub(crate) fn blob(call: &Call, github: &mut GitHub) -> Answer {
    let id = call.repository(github, CONTENTS)?;
    let text = call.param("file_sha")?;
    let malformed = || {
        Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The sha parameter must be exactly 40 characters and contain only [0-9a-f].",
        )
    };
    let oid: Oid = text.parse().map_err(|_| malformed())?;
    let content = github.objects(id).and_then(|objects| objects.blob(oid)).cloned().ok_or_else(Refusal::not_found)?;
    if call.accepts("raw") {
        return Ok(Reply::raw(content));
    }
    let name = github.full_name(id);
    call.ok(github, |view| {
        json!({
            "sha": oid.to_string(),
            "node_id": node_id("Blob", format!("{id}:{oid}")),
            "size": content.len(),
            "url": view.urls.api(&format!("repos/{name}/git/blobs/{oid}")),
            "content": base64_lines(&content),
            "encoding": "base64",
        })
    })
}

/// Base64 with a break after each 60 characters, as GitHub writes it.
pub(super) fn base64_lines(content: &[u8]) -> String {
    let encoded = STANDARD.encode(content);
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / 60 + 1);
    for (at, symbol) in encoded.chars().enumerate() {
        if at > 0 && at % 60 == 0 {
            lines.push('\n');
        }
        lines.push(symbol);
    }
    lines.push('\n');
    lines
}
