//! `image`: a reference to a container image, wherever one is written.
//!
//! Fields: `text` (as it is written), `registry` (absent for Docker Hub), `repository`, `tag`, `digest`, `kind` (`app`, `init`,
//! `ephemeral` for containers of pods, `base` for FROM, `copy` for COPY --from, `task` for containers of ECS tasks), `container`
//! (its name, where it has one), `owner`. Each lies where the reference is written, and is reported under the resource that
//! names it.

use std::sync::Arc;

use crate::resource::{Data, FormatId, Key, MapKind, Resource, Value};
use crate::syntax::parse_json;

/// The name of the virtual resource.
pub const IMAGE: &str = "image";

/// The parts of a reference, by the grammar of the distribution project: `[registry/]repository[:tag][@digest]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference<'t> {
    /// Absent for Docker Hub.
    pub registry: Option<&'t str>,
    /// With the folders before it.
    pub repository: &'t str,
    /// Absent for `latest`.
    pub tag: Option<&'t str>,
    /// `sha256:…`
    pub digest: Option<&'t str>,
}

impl<'t> Reference<'t> {
    /// Takes a reference apart.
    #[must_use]
    pub fn of(text: &'t str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        let is_registry = |head: &str| head.contains(['.', ':']) || head == "localhost";
        let (registry, repository) = match name.split_once('/') {
            Some((head, tail)) if is_registry(head) => (Some(head), tail),
            _ => (None, name),
        };
        Self { registry, repository, tag, digest }
    }

    /// The parts that are there, by their names.
    pub fn parts(self) -> impl Iterator<Item = (&'static str, &'t str)> {
        let parts = [
            ("registry", self.registry),
            ("repository", Some(self.repository)),
            ("tag", self.tag),
            ("digest", self.digest),
        ];
        parts.into_iter().filter_map(|(name, part)| Some((name, part?)))
    }
}

/// The images that resources of one unit name.
#[must_use]
pub fn images(resources: &[Resource]) -> Vec<Resource> {
    let is_stage = |resource: &&Resource| &*resource.type_name == "stage" && resource.format == FormatId::Dockerfile;
    let stages: Vec<&Arc<str>> = resources.iter().filter(is_stage).map(|stage| &stage.name).collect();
    let mut images = Vec::new();
    for resource in resources {
        match (resource.format, &*resource.type_name) {
            (FormatId::Kubernetes, _) => of_pod(resource, &mut images),
            (FormatId::Dockerfile, "stage") => of_stage(resource, &mut images),
            (FormatId::Dockerfile, "COPY") => of_copy(resource, &stages, &mut images),
            (FormatId::Terraform, "aws_ecs_task_definition") => of_task(resource, &mut images),
            _ => {}
        }
    }
    images
}

fn of_pod(owner: &Resource, images: &mut Vec<Resource>) {
    let Some(pod) = owner.attributes.get("pod") else { return };
    let Some(containers) = pod.get("containers").and_then(Value::as_list) else { return };
    for container in &containers.items {
        let kind = container.get("kind").and_then(Value::as_text).map_or("app", |kind| kind);
        match container.data() {
            Data::Map(map) => images.extend(map.get("image").map(|image| made(owner, image, kind, Some(container)))),
            _ => images.push(made(owner, container, kind, Some(container))),
        }
    }
}

fn of_stage(owner: &Resource, images: &mut Vec<Resource>) {
    let base = owner.attributes.get("base").filter(|base| base.as_text().is_none_or(|text| &**text != "scratch"));
    images.extend(base.map(|base| made(owner, base, "base", None)));
}

/// What an earlier stage hands on is no image.
fn of_copy(owner: &Resource, stages: &[&Arc<str>], images: &mut Vec<Resource>) {
    let Some(from) = owner.attributes.dig(&["flags", "from"]) else { return };
    let is_stage = from.as_text().is_some_and(|text| {
        text.bytes().all(|byte| byte.is_ascii_digit()) || stages.iter().any(|stage| stage.eq_ignore_ascii_case(text))
    });
    if !is_stage {
        images.push(made(owner, from, "copy", None));
    }
}

fn of_task(owner: &Resource, images: &mut Vec<Resource>) {
    let Some(written) = owner.attributes.get("container_definitions").filter(|written| !written.is_null()) else {
        return;
    };
    let Some(text) = written.as_text() else {
        return images.push(made(owner, written, "task", None));
    };
    let Ok(read) = parse_json(text, written.span().file, 0) else { return };
    for container in read.as_list().map(|list| list.items.as_slice()).unwrap_or_default() {
        let Some(image) = container.get("image") else { continue };
        // Places inside the text are not places of the file.
        let image = Value::new(image.data().clone(), written.span()).part_of(written);
        images.push(made(owner, &image, "task", Some(container)));
    }
}

fn made(owner: &Resource, image: &Value, kind: &str, container: Option<&Value>) -> Resource {
    let span = if image.span().is_somewhere() { image.span() } else { owner.span };
    let known = Arc::clone(owner.reported_address());
    let key = |name: &str| Key::new(name, span);
    let mut attributes = vec![(key("text"), image.clone())];
    for name in ["registry", "repository", "tag", "digest"] {
        attributes.extend(part(image, name).map(|part| (key(name), part)));
    }
    attributes.push((key("kind"), Value::text(kind, span)));
    let name = container.and_then(|container| container.get("name"));
    attributes.extend(name.map(|name| (key("container"), Value::new(name.data().clone(), span))));
    attributes.push((key("owner"), Value::text(Arc::clone(&known), owner.header)));
    let unsure = container.unwrap_or(image).maybe().cloned().or_else(|| image.maybe().cloned());
    Resource {
        address: Arc::clone(&known),
        type_name: IMAGE.into(),
        name: Arc::clone(&owner.name),
        format: owner.format,
        span,
        header: span,
        attributes: Value::map(MapKind::Map, attributes, span),
        auxiliary: true,
        maybe: unsure.or_else(|| owner.maybe.clone()),
        owner: Some(known),
        called_from: owner.called_from.clone(),
    }
}

/// A part of a reference; of one that nobody knows, the part is unknown too.
fn part(image: &Value, name: &str) -> Option<Value> {
    match image.data() {
        Data::Text(text) => {
            let (_, part) = Reference::of(text).parts().find(|(part, _)| *part == name)?;
            Some(image.clone().with(Data::Text(part.into())))
        }
        Data::Unknown(unknown) => Some(Value::unknown(unknown.reason.clone(), image.span())),
        Data::OneOf(alternatives) => {
            let each = alternatives.iter().map(|one| part(one, name).unwrap_or_else(|| Value::null(one.span())));
            Some(image.clone().with(Data::OneOf(each.collect())))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_come_apart() {
        let reference = |registry, repository, tag, digest| Reference { registry, repository, tag, digest };
        for (text, parts) in [
            ("r:5000/a/b:1.2", reference(Some("r:5000"), "a/b", Some("1.2"), None)),
            ("r:5000/a/b", reference(Some("r:5000"), "a/b", None, None)),
            ("library/nginx", reference(None, "library/nginx", None, None)),
            ("localhost/a", reference(Some("localhost"), "a", None, None)),
            ("a@sha256:00", reference(None, "a", None, Some("sha256:00"))),
            ("ghcr.io/a:1@sha256:00", reference(Some("ghcr.io"), "a", Some("1"), Some("sha256:00"))),
            ("", reference(None, "", None, None)),
        ] {
            assert_eq!(Reference::of(text), parts, "{text}");
        }
    }
}
