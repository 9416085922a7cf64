//! A resource of the provider in the shape of its manifest: names in camel case, repeated blocks as lists under the manifest's
//! name for them, single blocks as maps, and what the provider sends though nobody wrote it.

use std::sync::Arc;

use crate::formats::terraform::eval::{one_of, reason};
use crate::resource::{Data, Key, ListKind, Map, Reason, ReasonKind, Span, Value};

/// Blocks that may be repeated, and the lists they make.
const LISTS: &[(&str, &str)] = &[
    ("address", "addresses"),
    ("allowed_flex_volumes", "allowedFlexVolumes"),
    ("allowed_host_paths", "allowedHostPaths"),
    ("allowed_topologies", "allowedTopologies"),
    ("cluster_role_selectors", "clusterRoleSelectors"),
    ("container", "containers"),
    ("egress", "egress"),
    ("endpoint", "endpoints"),
    ("env", "env"),
    ("env_from", "envFrom"),
    ("from", "from"),
    ("host_aliases", "hostAliases"),
    ("host_ports", "hostPorts"),
    ("http_header", "httpHeaders"),
    ("image_pull_secret", "imagePullSecrets"),
    ("image_pull_secrets", "imagePullSecrets"),
    ("ingress", "ingress"),
    ("init_container", "initContainers"),
    ("items", "items"),
    ("limit", "limits"),
    ("match_expressions", "matchExpressions"),
    ("match_fields", "matchFields"),
    ("match_label_expressions", "matchLabelExpressions"),
    ("metric", "metrics"),
    ("node_selector_term", "nodeSelectorTerms"),
    ("not_ready_address", "notReadyAddresses"),
    ("option", "options"),
    ("path", "paths"),
    ("policy", "policies"),
    ("port", "ports"),
    ("ports", "ports"),
    ("preferred_during_scheduling_ignored_during_execution", "preferredDuringSchedulingIgnoredDuringExecution"),
    ("range", "ranges"),
    ("readiness_gate", "readinessGates"),
    ("required_during_scheduling_ignored_during_execution", "requiredDuringSchedulingIgnoredDuringExecution"),
    ("rule", "rules"),
    ("sources", "sources"),
    ("subject", "subjects"),
    ("subset", "subsets"),
    ("sysctl", "sysctls"),
    ("tls", "tls"),
    ("to", "to"),
    ("toleration", "tolerations"),
    ("topology_spread_constraint", "topologySpreadConstraints"),
    ("volume", "volumes"),
    ("volume_claim_template", "volumeClaimTemplates"),
    ("volume_device", "volumeDevices"),
    ("volume_mount", "volumeMounts"),
    ("webhook", "webhooks"),
];

/// Blocks of such names that are single within some parents.
const SINGLE_WITHIN: &[(&str, &str)] =
    &[("node_affinity", "required_during_scheduling_ignored_during_execution"), ("service", "port")];

/// Attributes whose keys are their author's own.
const FREE_KEYS: &[&str] = &[
    "annotations",
    "binary_data",
    "data",
    "hard",
    "labels",
    "limits",
    "match_labels",
    "node_selector",
    "options",
    "parameters",
    "requests",
    "string_data",
    "volume_attributes",
];

/// Words that the API writes in capitals at the end of a name.
const CAPITALS: &[(&str, &str)] = &[
    ("cidr", "CIDR"),
    ("id", "ID"),
    ("ip", "IP"),
    ("ipc", "IPC"),
    ("ips", "IPs"),
    ("pid", "PID"),
    ("uri", "URI"),
    ("urls", "URLs"),
];

/// What the block of a container's security context is called here, to tell it from the pod's.
const CONTAINER_SECURITY: &str = "container security_context";

/// Most values that the resources of one unit may have in this shape: shared ones count each time.
const VALUE_LIMIT: u32 = 2_000_000;

/// Reshapes the resources of one unit.
pub(super) struct Reshaping {
    values_left: u32,
}

impl Default for Reshaping {
    fn default() -> Self {
        Self { values_left: VALUE_LIMIT }
    }
}

impl Reshaping {
    /// The fields of a block, as the manifest has them. `within` is what the provider calls the block.
    pub(super) fn fields(&mut self, value: &Value, within: &str) -> Value {
        let Some(map) = value.as_map() else {
            return match value.data() {
                Data::OneOf(alternatives) => {
                    let each = alternatives.iter().map(|one| self.fields(one, within)).collect();
                    value.clone().with(Data::OneOf(each))
                }
                _ => value.clone(),
            };
        };
        let mut entries = Vec::with_capacity(map.entries().len() + 1);
        for (key, item) in map.entries() {
            let Some(left) = self.values_left.checked_sub(1) else { return too_many(value.span()) };
            self.values_left = left;
            if within == "spec" && &*key.text == "persistent_volume_source" {
                // The provider's own wrapping of what a manifest says in place.
                let source = self.single(item, &key.text);
                entries.extend(source.as_map().map(|map| map.entries().to_vec()).unwrap_or_default());
                continue;
            }
            entries.push(self.field(key, item, within));
        }
        if within == CONTAINER_SECURITY {
            let is_set = entries.iter().any(|(key, value)| &*key.text == "runAsNonRoot" && !value.is_null());
            if !is_set {
                // The provider sends false, which hides what the pod's security context says.
                let place = value.span();
                entries.push((Key::new("runAsNonRoot", place), Value::bool(false, Span::NOWHERE)));
            }
        }
        value.clone().with(Data::Map(Arc::new(Map::new(map.kind, entries))))
    }

    fn field(&mut self, key: &Key, value: &Value, within: &str) -> (Key, Value) {
        let name = &*key.text;
        if !is_block(name, value) {
            return (Key::new(camel_case(name), key.span), value.clone());
        }
        let secrets_of_account = name == "secret" && within.is_empty();
        if secrets_of_account || (list_name(name).is_some() && !SINGLE_WITHIN.contains(&(within, name))) {
            let list = list_name(name).unwrap_or("secrets");
            return (Key::new(list, key.span), self.many(value, name));
        }
        let of_container = name == "security_context" && matches!(within, "container" | "init_container");
        let inner = if of_container { CONTAINER_SECURITY } else { name };
        (Key::new(camel_case(name), key.span), self.single(value, inner))
    }

    /// A block that may be repeated. Of several possible lists, each element is perhaps there.
    fn many(&mut self, value: &Value, name: &str) -> Value {
        let mut items = Vec::new();
        match value.data() {
            Data::List(list) => items.extend(list.items.iter().map(|item| self.fields(item, name))),
            Data::OneOf(alternatives) => {
                let choice = reason(value);
                for one in alternatives.iter() {
                    let list = self.many(one, name);
                    let elements = list.as_list().map(|list| list.items.clone()).unwrap_or_default();
                    let perhaps = |item: Value| item.noted(|notes| notes.maybe = notes.maybe.take().or(choice.clone()));
                    items.extend(elements.into_iter().map(perhaps));
                }
            }
            Data::Map(_) => items.push(self.fields(value, name)),
            _ => return value.clone(),
        }
        Value::list(ListKind::List, items, value.span())
    }

    /// A block of which there is at most one. One that is perhaps there is one of two values: itself, and none.
    fn single(&mut self, value: &Value, name: &str) -> Value {
        let list = match value.data() {
            Data::List(list) => list,
            Data::OneOf(alternatives) => {
                let each = alternatives.iter().map(|one| self.single(one, name)).collect();
                return value.clone().with(Data::OneOf(each));
            }
            _ => return self.fields(value, name),
        };
        let items: Vec<Value> = list.items.iter().map(|item| self.fields(item, name)).collect();
        let doubt = items.iter().find_map(Value::maybe).cloned();
        match (doubt, items.as_slice()) {
            (_, []) => Value::null(value.span()),
            (None, [item]) => item.clone(),
            (Some(doubt), possible) if possible.iter().all(|item| item.maybe().is_some()) => {
                let sure = |item: &Value| item.clone().noted(|notes| notes.maybe = None);
                let each = possible.iter().map(sure).chain([Value::null(value.span())]).collect();
                one_of(each, doubt, value.span())
            }
            // The provider refuses a second one.
            _ => {
                let subject = format!("`{name}` is written more than once");
                Value::unknown(Reason::new(ReasonKind::Invalid, subject, Some(value.span())), value.span())
            }
        }
    }
}

fn list_name(name: &str) -> Option<&'static str> {
    LISTS.iter().find(|(known, _)| *known == name).map(|(_, list)| *list)
}

/// Whether a value is what stands in braces, or in JSON in the place of it.
fn is_block(name: &str, value: &Value) -> bool {
    match value.data() {
        Data::List(list) if list.kind == ListKind::Blocks => true,
        Data::List(list) => !list.items.is_empty() && list.items.iter().all(|item| item.as_map().is_some()),
        Data::OneOf(alternatives) => alternatives.iter().any(|one| is_block(name, one)),
        Data::Map(map) => match name {
            "selector" => map.get("match_labels").or_else(|| map.get("match_expressions")).is_some(),
            _ => !FREE_KEYS.contains(&name),
        },
        _ => false,
    }
}

/// `host_pid` as the API writes it: `hostPID`.
fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    for (index, word) in name.split('_').enumerate() {
        let capitals = CAPITALS.iter().find(|(known, _)| *known == word).filter(|_| index > 0);
        let mut letters = word.chars();
        match (capitals, letters.next()) {
            (Some((_, capitals)), _) => camel.push_str(capitals),
            (None, Some(first)) if index > 0 => {
                camel.push(first.to_ascii_uppercase());
                camel.push_str(letters.as_str());
            }
            _ => camel.push_str(word),
        }
    }
    camel
}

fn too_many(span: Span) -> Value {
    let subject = format!("the Kubernetes resources here have more than {VALUE_LIMIT} values");
    Value::unknown(Reason::new(ReasonKind::Limit, subject, Some(span)), span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::MapKind;

    #[test]
    fn names_are_written_as_the_api_writes_them() {
        for (name, wanted) in [
            ("image", "image"),
            ("host_pid", "hostPID"),
            ("host_ip", "hostIP"),
            ("external_ips", "externalIPs"),
            ("non_resource_urls", "nonResourceURLs"),
            ("ip_block", "ipBlock"),
            ("se_linux_options", "seLinuxOptions"),
            ("automount_service_account_token", "automountServiceAccountToken"),
            ("", ""),
            ("_", ""),
        ] {
            assert_eq!(camel_case(name), wanted);
        }
    }

    #[test]
    fn beyond_the_limit_values_are_unknown() {
        let entry = |name: &str| (Key::new(name, Span::NOWHERE), Value::bool(true, Span::NOWHERE));
        let map = Value::map(MapKind::Block, vec![entry("a"), entry("b")], Span::NOWHERE);
        let mut reshaping = Reshaping { values_left: 3 };
        assert!(reshaping.fields(&map, "").as_map().is_some());
        let unknown = reshaping.fields(&map, "");
        assert!(unknown.as_unknown().unwrap().reason.to_string().contains("2000000"));
    }
}
