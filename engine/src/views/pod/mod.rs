//! The `pod` view: the pods a workload makes, in one shape for every kind of workload.
//!
//! `pod` has the fields of the pod's spec, the `labels` and `annotations` of its metadata, and as `containers` all of them: each
//! with its `kind` (app, init, ephemeral) and as `effective` the security context it runs with. `volumes` say in `mounts`
//! where they are mounted.

mod mounts;

use std::sync::Arc;

use crate::resource::{Data, Key, List, ListKind, Map, MapKind, Names, Reason, ReasonKind, Span, Value};

/// The kinds that make pods, and where their pod template lies.
pub const WORKLOADS: &[(&str, &[&str])] = &[
    ("Pod", &[]),
    ("PodTemplate", &["template"]),
    ("CronJob", &["spec", "jobTemplate", "spec", "template"]),
    ("DaemonSet", &["spec", "template"]),
    ("Deployment", &["spec", "template"]),
    ("DeploymentConfig", &["spec", "template"]),
    ("Job", &["spec", "template"]),
    ("ReplicaSet", &["spec", "template"]),
    ("ReplicationController", &["spec", "template"]),
    ("StatefulSet", &["spec", "template"]),
];

/// Where other kinds keep a pod template, if they have one: rollouts, Knative services, sandboxes, operators' own workloads.
const LIKELY_PLACES: &[&[&str]] =
    &[&["spec", "template"], &["spec", "podTemplate"], &["spec", "jobTemplate", "spec", "template"]];

/// The lists of containers in a pod's spec, and what the view calls theirs.
const CONTAINERS: &[(&str, &str)] =
    &[("containers", "app"), ("initContainers", "init"), ("ephemeralContainers", "ephemeral")];

/// The fields of a pod's security context that its containers inherit.
const INHERITED: &[&str] = &[
    "runAsUser",
    "runAsGroup",
    "runAsNonRoot",
    "seLinuxOptions",
    "seccompProfile",
    "appArmorProfile",
    "windowsOptions",
];

/// Most containers of one unit that views are made of: an alias costs its author three bytes.
const CONTAINER_LIMIT: usize = 50_000;

/// Makes the pod views of one unit.
#[derive(Debug)]
pub struct PodViews {
    containers_left: usize,
    mounts: mounts::Mounts,
    names: Names,
}

impl Default for PodViews {
    fn default() -> Self {
        Self { containers_left: CONTAINER_LIMIT, mounts: mounts::Mounts::default(), names: Names::default() }
    }
}

impl PodViews {
    /// The view of a manifest; `None` for a kind that makes no pods.
    pub fn view(&mut self, kind: &str, manifest: &Value) -> Option<Value> {
        if let Some((_, place)) = WORKLOADS.iter().find(|(name, _)| *name == kind) {
            return Some(self.at(manifest, place));
        }
        let has_containers =
            |template: &&Value| template.dig(&["spec", "containers"]).is_some_and(|c| c.as_list().is_some());
        let template = LIKELY_PLACES.iter().find_map(|place| manifest.dig(place).filter(has_containers))?;
        Some(self.of_template(template))
    }

    /// The view of the template that lies along a path; where one of several values stands on the way, one of several views.
    fn at(&mut self, manifest: &Value, place: &[&str]) -> Value {
        match reach(manifest, place) {
            Ok(template) => self.of_template(template.unwrap_or(&Value::null(manifest.span()))),
            Err(Obstacle::Choice(choice, alternatives, rest)) => {
                choice.clone().with(Data::OneOf(alternatives.iter().map(|one| self.at(one, rest)).collect()))
            }
            Err(Obstacle::NoMap(unreadable)) => unreadable,
        }
    }

    fn of_template(&mut self, template: &Value) -> Value {
        match reach(template, &["spec"]) {
            Ok(spec) => self.of_spec(template, spec.filter(|spec| !spec.is_null())),
            Err(Obstacle::Choice(choice, alternatives, _)) => {
                let each = alternatives.iter().map(|spec| match spec.data() {
                    Data::Map(_) => self.of_spec(template, Some(spec)),
                    Data::Null => self.of_spec(template, None),
                    data => no_map("spec", data, spec.span()),
                });
                choice.clone().with(Data::OneOf(each.collect()))
            }
            Err(Obstacle::NoMap(unreadable)) => unreadable,
        }
    }

    fn of_spec(&mut self, template: &Value, spec: Option<&Value>) -> Value {
        let span = spec.map_or(template.span(), Value::span);
        let written = spec.and_then(Value::as_map).map(Map::entries).unwrap_or_default();
        let mut entries: Vec<(Key, Value)> =
            written.iter().filter(|(key, _)| &*key.text != "containers").cloned().collect();
        let metadata = template.get("metadata");
        for name in ["labels", "annotations"] {
            entries.extend(metadata.and_then(|metadata| part_of(metadata, name)));
        }
        let containers = self.containers(spec, span);
        if let Some((_, volumes)) = entries.iter_mut().find(|(key, _)| &*key.text == "volumes") {
            *volumes = self.mounts.of_volumes(volumes, &containers.1);
        }
        entries.push(containers);
        Value::map(MapKind::Map, entries, span)
    }

    fn containers(&mut self, spec: Option<&Value>, pod: Span) -> (Key, Value) {
        let pod_context = spec.and_then(|spec| spec.get("securityContext"));
        let mut items = Vec::new();
        for (name, kind) in CONTAINERS {
            match spec.and_then(|spec| spec.get(name)) {
                None => {}
                Some(value) => match value.data() {
                    Data::Null => {}
                    Data::List(list) => self.add(list, kind, pod_context, &mut items),
                    Data::OneOf(alternatives) => {
                        let before = items.len();
                        for list in alternatives.iter().filter_map(Value::as_list) {
                            self.add(list, kind, pod_context, &mut items);
                        }
                        items.iter_mut().skip(before).for_each(|item| *item = may_be(item.clone()));
                        if !alternatives.iter().all(|one| one.is_null() || one.as_list().is_some()) {
                            items.push(may_be(no_map(name, value.data(), value.span())));
                        }
                    }
                    data => items.push(may_be(no_map(name, data, value.span()))),
                },
            }
        }
        let written = spec.and_then(|spec| spec.as_map()?.entry("containers"));
        let key = written.map_or_else(|| Key::new("containers", pod), |(key, _)| key.clone());
        let span = written.map_or(pod, |(_, value)| value.span());
        (key, Value::list(ListKind::List, items, span))
    }

    fn add(&mut self, list: &List, kind: &'static str, pod_context: Option<&Value>, items: &mut Vec<Value>) {
        for container in &list.items {
            let Some(left) = self.containers_left.checked_sub(1) else {
                let why = format!("more than {CONTAINER_LIMIT} containers");
                items.push(may_be(Value::unknown(Reason::new(ReasonKind::Limit, why, None), container.span())));
                return;
            };
            self.containers_left = left;
            items.push(match container.data() {
                Data::Map(map) => {
                    let mut entries = map.entries().to_vec();
                    let own = map.entry("securityContext");
                    let effective = effective(own.map(|(_, value)| value), pod_context, container.span());
                    entries.push(self.names.entry("kind", self.names.word(kind, container.span())));
                    let span = own.map_or(container.span(), |(key, _)| key.span);
                    entries.push((Key { text: self.names.name("effective"), span }, effective));
                    container.clone().with(Data::Map(Arc::new(Map::new(MapKind::Map, entries))))
                }
                Data::Unknown(_) | Data::OneOf(_) => container.clone(),
                data => no_map("a container", data, container.span()),
            });
        }
    }
}

/// What stands in the way to a map.
enum Obstacle<'v, 'p> {
    /// One of several values, of which nobody knows which, and the path that is left.
    Choice(&'v Value, &'v [Value], &'p [&'p str]),
    /// No map; the unknown value that stands in for it.
    NoMap(Value),
}

/// The map, if there is one, along a path.
fn reach<'v, 'p>(from: &'v Value, path: &'p [&'p str]) -> Result<Option<&'v Value>, Obstacle<'v, 'p>> {
    let mut value = from;
    let mut rest = path;
    let mut name = "the manifest";
    loop {
        match (value.data(), rest.split_first()) {
            (Data::Null, Some(_)) => return Ok(None),
            (Data::Map(_) | Data::Null, None) => return Ok(Some(value)),
            (Data::Map(map), Some((step, others))) => match map.get(step) {
                Some(child) => (value, rest, name) = (child, others, *step),
                None => return Ok(None),
            },
            (Data::OneOf(alternatives), _) => return Err(Obstacle::Choice(value, alternatives, rest)),
            (data, _) => return Err(Obstacle::NoMap(no_map(name, data, value.span()))),
        }
    }
}

/// What stands in for something that should be a map or a list and is neither: unknown for the same reason, or an error.
fn no_map(name: &str, data: &Data, span: Span) -> Value {
    match data {
        Data::Unknown(_) | Data::OneOf(_) => Value::new(data.clone(), span),
        _ => Value::unknown(
            Reason::new(ReasonKind::Invalid, format!("`{name}` is not of the type it should be"), None),
            span,
        ),
    }
}

/// An entry of the metadata; of metadata nobody knows, every entry is unknown too.
fn part_of(metadata: &Value, name: &str) -> Option<(Key, Value)> {
    match metadata.data() {
        Data::Map(map) => map.entry(name).cloned(),
        Data::Unknown(_) => Some((Key::new(name, metadata.span()), metadata.clone())),
        Data::OneOf(alternatives) => {
            let part = |one: &Value| match part_of(one, name) {
                Some((_, part)) => part,
                None => Value::null(one.span()),
            };
            let each = alternatives.iter().map(part).collect();
            Some((Key::new(name, metadata.span()), metadata.clone().with(Data::OneOf(each))))
        }
        _ => None,
    }
}

/// An element that may be any number of elements.
fn may_be(value: Value) -> Value {
    let reason = match value.data() {
        Data::Unknown(unknown) => unknown.reason.clone(),
        _ => Reason::new(ReasonKind::Unsupported, "which of several lists is meant", Some(value.span())),
    };
    value.noted(|notes| notes.maybe = notes.maybe.take().or(Some(reason)))
}

/// The security context a container runs with: its own, and from the pod's what it inherits.
fn effective(own: Option<&Value>, pod: Option<&Value>, container: Span) -> Value {
    for (given, is_own) in [(own, true), (pod, false)] {
        let Some((value, Data::OneOf(alternatives))) = given.map(|value| (value, value.data())) else { continue };
        let each = |one: &Value| match is_own {
            true => effective(Some(one), pod, container),
            false => effective(own, Some(one), container),
        };
        return value.clone().with(Data::OneOf(alternatives.iter().map(each).collect()));
    }
    let own = own.filter(|own| !own.is_null());
    let span = own.map_or(container, Value::span);
    let own_map = match own.map(Value::data) {
        None => None,
        Some(Data::Map(map)) => Some(map),
        Some(data) => return no_map("securityContext", data, span),
    };
    let mut entries: Vec<(Key, Value)> = own_map.map(|map| map.entries().to_vec()).unwrap_or_default();
    for field in INHERITED {
        let inherited = match pod.map(Value::data) {
            None | Some(Data::Null) => continue,
            Some(Data::Map(map)) => map.entry(field).cloned(),
            Some(data) => {
                let place = pod.map_or(span, Value::span);
                Some((Key::new(*field, place), no_map("securityContext", data, place)))
            }
        };
        let Some(inherited) = inherited.filter(|(_, value)| !value.is_null()) else { continue };
        let result = match own_map.and_then(|map| map.get(field)).filter(|value| !value.is_null()) {
            None => inherited,
            // Of Windows options each is inherited by itself, as the kubelet does it.
            Some(value) if *field == "windowsOptions" => (inherited.0, overlaid(&inherited.1, value)),
            Some(_) => continue,
        };
        entries.retain(|(key, _)| &*key.text != *field);
        entries.push(result);
    }
    Value::map(MapKind::Map, entries, span)
}

/// Two maps as one, the entries of the upper one winning.
fn overlaid(lower: &Value, upper: &Value) -> Value {
    let (Some(below), Some(above)) = (lower.as_map(), upper.as_map()) else { return upper.clone() };
    let mut entries = below.entries().to_vec();
    entries.extend(above.entries().iter().filter(|(_, value)| !value.is_null()).cloned());
    Value::map(MapKind::Map, entries, upper.span())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{FileTable, Number};
    use crate::source_tree::{SourceFile, TreePath};
    use crate::syntax::{Scalars, parse_yaml};

    fn manifest(text: &str) -> Value {
        let file = SourceFile::from_bytes(TreePath::new("a.yaml").unwrap(), text.into()).unwrap();
        let read = parse_yaml(text, FileTable::default().add(&Arc::new(file)), Scalars::Yaml11);
        read.documents[0].value.clone()
    }

    pub(super) fn view(kind: &str, text: &str) -> Value {
        PodViews::default().view(kind, &manifest(text)).unwrap()
    }

    fn containers(pod: &Value) -> Vec<String> {
        let of = |c: &Value| {
            format!("{}:{}", c.get("kind").unwrap().as_text().unwrap(), c.get("name").unwrap().as_text().unwrap())
        };
        pod.get("containers").unwrap().as_list().unwrap().items.iter().map(of).collect()
    }

    #[test]
    fn every_workload_shows_its_pod_in_the_same_shape() {
        let spec = "{hostNetwork: true, containers: [{name: a}], initContainers: [{name: i}], ephemeralContainers: [{name: e}]}";
        let template = format!("{{metadata: {{labels: {{app: x}}}}, spec: {spec}}}");
        for (kind, place) in WORKLOADS {
            let nested = place.iter().rev().fold(template.clone(), |inner, key| format!("{{{key}: {inner}}}"));
            let pod = view(kind, &nested);
            assert_eq!(containers(&pod), ["app:a", "init:i", "ephemeral:e"], "{kind}");
            assert_eq!(pod.dig(&["labels", "app"]).unwrap().as_text().unwrap().as_ref(), "x");
            assert_eq!(pod.get("hostNetwork").unwrap().as_bool(), Some(true));
        }
    }

    #[test]
    fn other_kinds_have_a_pod_when_they_have_a_template_with_containers() {
        let knative = "spec: {template: {spec: {containers: [{name: a}]}}}";
        assert_eq!(containers(&view("Service", knative)), ["app:a"]);
        assert_eq!(
            containers(&view("SandboxTemplate", "spec: {podTemplate: {spec: {containers: [{name: a}]}}}")),
            ["app:a"]
        );
        for none in ["spec: {selector: {a: b}}", "spec: {template: {spec: {x: 1}}}", "data: {}"] {
            assert!(PodViews::default().view("Service", &manifest(none)).is_none(), "{none}");
        }
    }

    #[test]
    fn containers_run_with_the_pods_security_context_where_they_have_none_of_their_own() {
        let pod = view(
            "Pod",
            "spec:
  securityContext: {runAsUser: 1, runAsNonRoot: true, fsGroup: 3, windowsOptions: {hostProcess: true, runAsUserName: p}}
  containers:
  - {name: a, securityContext: {runAsUser: 0, runAsNonRoot: null, privileged: true, windowsOptions: {runAsUserName: c}}}
  - {name: b}
",
        );
        let effective = |index: usize| {
            pod.get("containers").unwrap().as_list().unwrap().items[index].get("effective").unwrap().clone()
        };
        assert_eq!(effective(0).get("runAsUser").unwrap().as_number(), Some(Number::from(0)));
        assert_eq!(effective(0).get("runAsNonRoot").unwrap().as_bool(), Some(true));
        assert_eq!(effective(0).get("privileged").unwrap().as_bool(), Some(true));
        assert_eq!(effective(0).dig(&["windowsOptions", "hostProcess"]).unwrap().as_bool(), Some(true));
        assert_eq!(effective(0).dig(&["windowsOptions", "runAsUserName"]).unwrap().as_text().unwrap().as_ref(), "c");
        assert_eq!(effective(1).get("runAsUser").unwrap().as_number(), Some(Number::from(1)));
        assert!(effective(1).get("fsGroup").is_none(), "only the pod has a group for its volumes");
    }

    #[test]
    fn a_workload_without_a_spec_has_a_pod_without_containers() {
        for text in ["metadata: {name: a}", "spec:", "spec: {template: }", "spec: {template: {spec: }}"] {
            assert!(containers(&view("Deployment", text)).is_empty(), "{text}");
        }
    }

    #[test]
    fn what_has_the_wrong_type_is_unknown_and_nothing_is_guessed() {
        for text in ["spec: [1]", "spec: {template: x}", "spec: {template: {spec: [a]}}"] {
            assert!(view("Deployment", text).as_unknown().is_some(), "{text}");
        }
        let pod = view("Pod", "spec: {containers: {name: a}, initContainers: [{name: i}, x]}");
        let items = &pod.get("containers").unwrap().as_list().unwrap().items;
        assert!(items[0].as_unknown().is_some() && items[0].maybe().is_some());
        assert!(items[1].get("name").is_some() && items[2].as_unknown().is_some());
        let pod = view("Deployment", "spec: {template: {metadata: {labels: x}, spec: {}}}");
        assert!(pod.get("labels").unwrap().as_text().is_some());
        let pod = view("Pod", "spec: {securityContext: x, containers: [{name: a, securityContext: {runAsUser: 1}}]}");
        let effective = pod.get("containers").unwrap().as_list().unwrap().items[0].get("effective").unwrap().clone();
        assert!(effective.get("runAsUser").unwrap().as_number().is_some());
        assert!(effective.get("runAsNonRoot").unwrap().as_unknown().is_some());
    }

    #[test]
    fn containers_beyond_the_limit_are_unknown() {
        let mut views = PodViews { containers_left: 2, ..PodViews::default() };
        let pod =
            views.view("Pod", &manifest("spec: {containers: [{name: a}, {name: b}, {name: c}, {name: d}]}")).unwrap();
        let items = &pod.get("containers").unwrap().as_list().unwrap().items;
        assert_eq!(items.len(), 3);
        assert!(items[2].as_unknown().unwrap().reason.to_string().contains("50000"));
    }
}
