//! The `mounts` of a volume: where the pod's containers mount it.

use std::collections::HashMap;
use std::sync::Arc;

use super::may_be;
use crate::resource::{Data, Key, ListKind, Map, MapKind, Reason, ReasonKind, Value};

/// Most mounts of one unit that volumes show.
const MOUNT_LIMIT: usize = 50_000;

/// Tells volumes where they are mounted, in the pods of one unit.
#[derive(Debug)]
pub(super) struct Mounts {
    left: usize,
}

impl Default for Mounts {
    fn default() -> Self {
        Self { left: MOUNT_LIMIT }
    }
}

/// The mounts of a pod's containers.
#[derive(Default)]
struct Mounted {
    by_volume: HashMap<Arc<str>, Vec<Value>>,
    /// Nobody knows of which volume: each may be of any.
    of_any: Vec<Value>,
}

impl Mounts {
    /// The volumes, each with `mounts`: what the containers say of it, and the name of the `container`.
    pub(super) fn of_volumes(&mut self, volumes: &Value, containers: &Value) -> Value {
        let Data::List(list) = volumes.data() else { return volumes.clone() };
        let mounted = Mounted::by(containers);
        let items = list.items.iter().map(|volume| self.of_volume(volume, &mounted)).collect();
        Value::list(ListKind::List, items, volumes.span())
    }

    fn of_volume(&mut self, volume: &Value, mounted: &Mounted) -> Value {
        let Some(map) = volume.as_map() else { return volume.clone() };
        let name = map.get("name").and_then(Value::scalar_text);
        let own = name.as_ref().and_then(|name| mounted.by_volume.get(name)).map(Vec::as_slice).unwrap_or_default();
        let count = own.len() + mounted.of_any.len();
        if count == 0 && name.is_some() {
            return volume.clone();
        }
        let span = volume.span();
        let mounts = match (self.left.checked_sub(count), map.get("name").and_then(Value::as_unknown)) {
            (_, Some(unknown)) => Value::unknown(unknown.reason.clone(), span),
            (None, _) => {
                let why = format!("more than {MOUNT_LIMIT} mounts");
                Value::unknown(Reason::new(ReasonKind::Limit, why, Some(span)), span)
            }
            (Some(left), _) => {
                self.left = left;
                Value::list(ListKind::List, own.iter().chain(&mounted.of_any).cloned().collect(), span)
            }
        };
        let mut entries = map.entries().to_vec();
        entries.push((Key::new("mounts", span), mounts));
        volume.clone().with(Data::Map(Arc::new(Map::new(map.kind, entries))))
    }
}

impl Mounted {
    fn by(containers: &Value) -> Self {
        let mut mounted = Self::default();
        for container in containers.as_list().map(|list| list.items.as_slice()).unwrap_or_default() {
            let Some(map) = container.as_map() else {
                mounted.of_any.push(may_be(container.clone()));
                continue;
            };
            match map.get("volumeMounts").map(|mounts| (mounts, mounts.data())) {
                None | Some((_, Data::Null)) => {}
                Some((_, Data::List(list))) => list.items.iter().for_each(|mount| mounted.add(mount, container)),
                Some((mounts, _)) => mounted.of_any.push(may_be(mounts.clone())),
            }
        }
        mounted
    }

    fn add(&mut self, mount: &Value, container: &Value) {
        let Some(map) = mount.as_map() else { return self.of_any.push(may_be(mount.clone())) };
        let mut entries = map.entries().to_vec();
        entries.extend(container.get("name").map(|name| (Key::new("container", name.span()), name.clone())));
        let shown = Value::map(MapKind::Map, entries, mount.span());
        let shown = match mount.maybe().or_else(|| container.maybe()) {
            Some(reason) => shown.noted(|notes| notes.maybe = Some(reason.clone())),
            None => shown,
        };
        match map.get("name").map(|name| (name.scalar_text(), name)) {
            Some((Some(name), _)) => self.by_volume.entry(name).or_default().push(shown),
            Some((None, name)) => self.of_any.push(may_be(name.clone())),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::view;
    use crate::resource::Value;

    fn mounts(pod: &Value, volume: usize) -> Vec<String> {
        let volume = &pod.get("volumes").unwrap().as_list().unwrap().items[volume];
        let Some(mounts) = volume.get("mounts") else { return Vec::new() };
        let text = |mount: &Value, name: &str| mount.get(name).and_then(Value::scalar_text).unwrap_or_default();
        let one = |mount: &Value| format!("{}:{}", text(mount, "container"), text(mount, "mountPath"));
        mounts.as_list().unwrap().items.iter().map(one).collect()
    }

    #[test]
    fn a_volume_knows_which_containers_mount_it() {
        let pod = view(
            "Pod",
            "spec:
  volumes: [{name: data}, {name: keys}, {name: idle}]
  initContainers: [{name: i, volumeMounts: [{name: data, mountPath: /i}]}]
  containers:
  - {name: a, volumeMounts: [{name: data, mountPath: /a}, {name: keys, mountPath: /k, readOnly: true}]}
  - {name: b}
",
        );
        assert_eq!(mounts(&pod, 0), ["a:/a", "i:/i"]);
        assert_eq!(mounts(&pod, 1), ["a:/k"]);
        assert!(mounts(&pod, 2).is_empty());
    }

    #[test]
    fn mounts_nobody_knows_may_be_of_any_volume() {
        let pod = view("Pod", "spec: {volumes: [{name: data}, x], containers: [{name: a, volumeMounts: x}, y]}");
        let volumes = &pod.get("volumes").unwrap().as_list().unwrap().items;
        let items = &volumes[0].get("mounts").unwrap().as_list().unwrap().items;
        assert_eq!(items.len(), 2);
        assert!(items.iter().all(|mount| mount.maybe().is_some()));
        assert!(volumes[1].as_text().is_some(), "what is no volume stays as it is");
    }
}
