//! Files and folders by path.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal, Reply};
use super::call::{CONTENTS, Call, resolve};
use super::git_data::base64_lines;
use crate::github_stand_in::bodies::{View, escape_path};
use crate::github_stand_in::git::{Mode, ObjectStore, Oid, TreeEntry};
use crate::github_stand_in::state::GitHub;

/// How often a link is followed.
const LINK_LIMIT: usize = 8;

/// Where an entry lies, for its addresses.
struct Place<'a> {
    repository: &'a str,
    reference: &'a str,
}

/// `GET /repos/{owner}/{repo}/contents/{path}`
pub(crate) fn get(call: &Call, github: &mut GitHub) -> Answer {
    let id = call.repository(github, CONTENTS)?;
    let repository = github.repository(id).ok_or_else(Refusal::not_found)?;
    let path = call.param("path").unwrap_or_default();
    let reference = call.query("ref").unwrap_or(&repository.default_branch);
    let missing = || Refusal::new(StatusCode::NOT_FOUND, format!("No commit found for the ref {reference}"));
    let commit = resolve(github, repository, reference).ok_or_else(missing)?;
    let objects = github.objects(id).ok_or_else(Refusal::not_found)?;
    let root = objects.root(commit).ok_or_else(Refusal::not_found)?;
    let (path, entry) = follow(objects, root, path).ok_or_else(Refusal::not_found)?;
    let place = Place { repository: &github.full_name(id), reference };
    match entry.mode {
        Mode::Folder => folder(call, github, objects, &place, &path, &entry),
        Mode::File | Mode::Executable => file(call, github, objects, &place, &path, &entry),
        Mode::Link => call.ok(github, |view| {
            let target = objects.blob(entry.oid).map(|content| String::from_utf8_lossy(content).into_owned());
            with(item(view, objects, &place, &path, &entry), [("target", json!(target.unwrap_or_default()))])
        }),
        Mode::Submodule => call.ok(github, |view| {
            let at = format!("https://stand-in.invalid/{path}.git");
            with(item(view, objects, &place, &path, &entry), [("submodule_git_url", json!(at))])
        }),
    }
}

/// A link to a file of the repository is that file, as GitHub answers it.
fn follow(objects: &ObjectStore, root: Oid, path: &str) -> Option<(String, TreeEntry)> {
    let mut path = path.trim_matches('/').to_owned();
    for _ in 0..LINK_LIMIT {
        let entry = objects.entry_at(root, &path)?;
        if entry.mode != Mode::Link {
            return Some((path, entry));
        }
        let target = objects.blob(entry.oid).map(|content| String::from_utf8_lossy(content).into_owned())?;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        match join(folder, &target).filter(|joined| objects.entry_at(root, joined).is_some()) {
            Some(joined) => path = joined,
            None => return Some((path, entry)),
        }
    }
    None
}

/// The path a link's target names; `None` when it leaves the repository.
fn join(folder: &str, target: &str) -> Option<String> {
    let mut segments: Vec<&str> = folder.split('/').filter(|segment| !segment.is_empty()).collect();
    for segment in target.split('/') {
        match segment {
            "." => {}
            "" if segments.is_empty() => return None,
            "" => {}
            ".." => {
                segments.pop()?;
            }
            name => segments.push(name),
        }
    }
    Some(segments.join("/"))
}

fn folder(
    call: &Call,
    github: &GitHub,
    objects: &ObjectStore,
    place: &Place<'_>,
    path: &str,
    entry: &TreeEntry,
) -> Answer {
    let entries = objects.tree(entry.oid).map(|tree| tree.entries()).unwrap_or_default();
    let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
    let shown = entries.iter().take(github.limits.contents_entries);
    call.view(github, |view| {
        let items: Vec<Value> =
            shown.map(|entry| item(view, objects, place, &format!("{prefix}{}", entry.name), entry)).collect();
        if call.accepts("object") {
            return Ok(Reply::ok(&with(item(view, objects, place, path, entry), [("entries", json!(items))])));
        }
        Ok(Reply::ok(&json!(items)))
    })
}

fn file(
    call: &Call,
    github: &GitHub,
    objects: &ObjectStore,
    place: &Place<'_>,
    path: &str,
    entry: &TreeEntry,
) -> Answer {
    let content = objects.blob(entry.oid).cloned().unwrap_or_default();
    if content.len() > github.limits.contents_raw_bytes {
        let text = "This API returns blobs up to 100 MB in size. The requested blob is too large to fetch via the API.";
        return Err(Refusal::new(StatusCode::FORBIDDEN, text));
    }
    if call.accepts("raw") {
        return Ok(Reply::raw(content));
    }
    call.ok(github, |view| {
        let body = item(view, objects, place, path, entry);
        let (text, encoding) = encoded(&content, github.limits.contents_bytes);
        with(body, [("content", json!(text)), ("encoding", json!(encoding))])
    })
}

fn encoded(content: &Bytes, limit: usize) -> (String, &'static str) {
    if content.len() > limit { (String::new(), "none") } else { (base64_lines(content), "base64") }
}

fn item(view: View<'_>, objects: &ObjectStore, place: &Place<'_>, path: &str, entry: &TreeEntry) -> Value {
    let Place { repository, reference } = place;
    let escaped = escape_path(path);
    let url = view.urls.api(&format!("repos/{repository}/contents/{escaped}?ref={}", escape_path(reference)));
    let (kind, part, page) = match entry.mode {
        Mode::Folder => ("dir", "trees", "tree"),
        Mode::File | Mode::Executable => ("file", "blobs", "blob"),
        Mode::Link => ("symlink", "blobs", "blob"),
        Mode::Submodule => ("submodule", "trees", "tree"),
    };
    let git = view.urls.api(&format!("repos/{repository}/git/{part}/{}", entry.oid));
    let html = view.urls.html(&format!("{repository}/{page}/{reference}/{escaped}"));
    let raw = view.urls.html(&format!("{repository}/raw/{reference}/{escaped}"));
    json!({
        "type": kind,
        "size": objects.blob(entry.oid).map_or(0, |content| content.len()),
        "name": path.rsplit('/').next().unwrap_or_default(),
        "path": path,
        "sha": entry.oid.to_string(),
        "url": url,
        "git_url": git,
        "html_url": html,
        "download_url": (part == "blobs").then_some(raw),
        "_links": { "self": url, "git": git, "html": html },
    })
}

fn with<const N: usize>(mut body: Value, fields: [(&str, Value); N]) -> Value {
    if let Some(object) = body.as_object_mut() {
        object.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    }
    body
}
