//! Changed files.

use serde_json::{Value, json};

use super::View;
use crate::github_stand_in::git::{Change, Oid, Patch};
use crate::github_stand_in::state::RepositoryId;

/// GitHub's `diff-entry`. The patch is left out when it is binary or too large, as GitHub does.
pub(crate) fn change(
    view: View<'_>,
    repository: RepositoryId,
    at: Oid,
    change: &Change,
    patch: Option<&Patch>,
) -> Value {
    let name = view.github.full_name(repository);
    let path = escape_path(change.path.as_str());
    let (additions, deletions) = patch.map_or((0, 0), |patch| (patch.additions, patch.deletions));
    let sha = change.after.or(change.before).map(|file| file.oid.to_string());
    let mut body = json!({
        "sha": sha,
        "filename": change.path.as_str(),
        "status": change.kind.as_str(),
        "additions": additions,
        "deletions": deletions,
        "changes": additions + deletions,
        "blob_url": view.urls.html(&format!("{name}/blob/{at}/{path}")),
        "raw_url": view.urls.html(&format!("{name}/raw/{at}/{path}")),
        "contents_url": view.urls.api(&format!("repos/{name}/contents/{path}?ref={at}")),
    });
    let Some(fields) = body.as_object_mut() else { return body };
    if let Some(previous) = &change.previous_path {
        fields.insert("previous_filename".to_owned(), previous.as_str().into());
    }
    let limits = &view.github.limits;
    let small = |text: &String| text.len() <= limits.patch_bytes && additions + deletions <= limits.patch_lines;
    if let Some(text) = patch.map(Patch::text).filter(|text| !text.is_empty()).filter(small) {
        fields.insert("patch".to_owned(), text.into());
    }
    body
}

/// A path as it stands in an address.
pub(crate) fn escape_path(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
