//! What Terraform's Kubernetes provider sends to the cluster, as manifests: policies for Kubernetes read them like any other.
//!
//! Beside each resource stands a virtual one of its kind, with the raw paths of a manifest and the `pod` view, reported under
//! the resource that is written. `kubernetes_manifest` holds its manifest as it is.

mod kinds;
mod shape;

use std::sync::Arc;

use crate::resource::{Data, FormatId, Key, Map, MapKind, Resource, Span, Value};
use crate::views::PodViews;
use kinds::{Reach, kind_of};
use shape::Reshaping;

/// Attributes that are Terraform's, not the manifest's.
const NOT_SENT: &[&str] =
    &["depends_on", "lifecycle", "provider", "timeouts", "wait_for_completion", "wait_for_rollout"];

/// Makes manifests of the resources of one unit.
#[derive(Default)]
pub(super) struct Manifests {
    pods: PodViews,
    reshaping: Reshaping,
}

impl Manifests {
    /// The manifest a resource makes; `None` when it makes none, or nobody knows of which kind.
    pub(super) fn of(&mut self, resource: &Resource) -> Option<Resource> {
        if &*resource.type_name == "kubernetes_manifest" {
            let manifest = resource.attributes.get("manifest")?;
            let kind = manifest.get("kind")?.as_text()?;
            return Some(self.virtual_resource(resource, Arc::clone(kind), manifest.clone()));
        }
        let (kind, reach) = kind_of(&resource.type_name)?;
        let manifest = self.reshaped(resource, reach);
        Some(self.virtual_resource(resource, kind.into(), manifest))
    }

    fn reshaped(&mut self, resource: &Resource, reach: Reach) -> Value {
        let map = resource.attributes.as_map();
        let sent = map.into_iter().flat_map(Map::entries).filter(|(key, _)| !NOT_SENT.contains(&&*key.text));
        let sent = Value::map(MapKind::Block, sent.cloned().collect(), resource.attributes.span());
        let manifest = self.reshaping.fields(&sent, "");
        if reach == Reach::Namespace { in_namespace(&manifest) } else { manifest }
    }

    fn virtual_resource(&mut self, owner: &Resource, kind: Arc<str>, manifest: Value) -> Resource {
        let span = manifest.span();
        let attributes = match manifest.data() {
            Data::Map(map) => {
                let mut entries = map.entries().to_vec();
                if map.get("kind").is_none() {
                    entries.push((Key::new("kind", owner.header), Value::text(Arc::clone(&kind), owner.header)));
                }
                if let Some(pod) = self.pods.view(&kind, &manifest) {
                    entries.push((Key::new("pod", pod.span()), pod));
                }
                Value::map(MapKind::Map, entries, span)
            }
            _ => manifest,
        };
        Resource {
            type_name: kind,
            format: FormatId::Kubernetes,
            attributes,
            owner: Some(Arc::clone(&owner.address)),
            ..owner.clone()
        }
    }
}

/// The manifest with the namespace the provider puts it in when nobody says any.
fn in_namespace(manifest: &Value) -> Value {
    let Some(metadata) = manifest.get("metadata") else { return manifest.clone() };
    super::with_replaced(manifest, "metadata", with_namespace(metadata))
}

fn with_namespace(metadata: &Value) -> Value {
    match metadata.data() {
        Data::Map(map) if map.get("namespace").is_none_or(Value::is_null) => {
            let mut entries = map.entries().to_vec();
            entries.retain(|(key, _)| &*key.text != "namespace");
            entries.push((Key::new("namespace", metadata.span()), Value::text("default", Span::NOWHERE)));
            metadata.clone().with(Data::Map(Arc::new(Map::new(map.kind, entries))))
        }
        Data::OneOf(alternatives) => {
            metadata.clone().with(Data::OneOf(alternatives.iter().map(with_namespace).collect()))
        }
        _ => metadata.clone(),
    }
}
