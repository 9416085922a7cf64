//! What a resource looks like, in a few numbers: so that one whose name is another is recognised, and one that only took the
//! place of another is not.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::resource::{Data, Value};

/// Most numbers kept: the smallest hashes of all, so that two sketches are samples of the same kind.
const SIZE: usize = 64;
/// Most scalars looked at.
const SCALAR_LIMIT: usize = 5_000;

/// The sketch of a resource's attributes: hashes of its scalars and where they stand.
pub(super) fn sketch(attributes: &Value) -> Arc<[u64]> {
    let mut hashes = BTreeSet::new();
    let mut left = SCALAR_LIMIT;
    gather(attributes, &mut DefaultHasher::new(), &mut hashes, &mut left);
    hashes.into_iter().take(SIZE).collect()
}

fn gather(value: &Value, above: &mut DefaultHasher, hashes: &mut BTreeSet<u64>, left: &mut usize) {
    if *left == 0 {
        return;
    }
    let mut add = |text: &str| {
        *left -= 1;
        let mut hasher = above.clone();
        text.hash(&mut hasher);
        hashes.insert(hasher.finish());
    };
    match value.data() {
        Data::Null => {}
        Data::Bool(_) | Data::Number(_) | Data::Text(_) => add(&value.scalar_text().unwrap_or_default()),
        Data::Unknown(unknown) => add(&unknown.reason.subject),
        Data::List(list) => list.items.iter().for_each(|item| gather(item, above, hashes, left)),
        Data::OneOf(alternatives) => alternatives.iter().for_each(|item| gather(item, above, hashes, left)),
        Data::Map(map) => map.entries().iter().for_each(|(key, item)| {
            let mut below = above.clone();
            key.text.hash(&mut below);
            gather(item, &mut below, hashes, left);
        }),
    }
}

/// How much of two resources is the same, in thousandths.
pub(super) fn resemblance(a: &[u64], b: &[u64]) -> usize {
    let all: BTreeSet<u64> = a.iter().chain(b).copied().collect();
    let sample: Vec<u64> = all.into_iter().take(SIZE).collect();
    if sample.is_empty() {
        return 1_000;
    }
    let shared = sample.iter().filter(|hash| a.binary_search(hash).is_ok() && b.binary_search(hash).is_ok()).count();
    shared * 1_000 / sample.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{Key, MapKind, Span};

    fn resource(attributes: &[(&str, &str)]) -> Arc<[u64]> {
        let nowhere = Span::NOWHERE;
        let entry = |(key, text): &(&str, &str)| (Key::new(*key, nowhere), Value::text(*text, nowhere));
        sketch(&Value::map(MapKind::Block, attributes.iter().map(entry).collect(), nowhere))
    }

    #[test]
    fn resources_resemble_each_other_by_what_they_set() {
        let a = resource(&[("engine", "postgres"), ("class", "large"), ("name", "orders")]);
        assert_eq!(resemblance(&a, &a), 1_000);
        assert_eq!(resemblance(&a, &resource(&[("engine", "postgres"), ("class", "large"), ("name", "x")])), 500);
        assert_eq!(resemblance(&a, &resource(&[("class", "postgres"), ("engine", "large")])), 0);
        assert_eq!(resemblance(&resource(&[]), &resource(&[])), 1_000);
    }
}
