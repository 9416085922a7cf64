//! What a violation is apart from where it stands: the element it lies in, what decided it, and for a rule of a network the way
//! it opens.
//!
//! Wanted: of two commits, the same hole is recognised though lines moved, elements changed places or a name is another; and a
//! hole that was not there is never taken for one that was.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::resource::{Resource, Value};

use super::fingerprint::{digest, digest_of, element_key, key_in};
use super::leaf::{Element, Leaf};
use super::predicates::is_within;

/// The virtual resource whose attributes have names of our own.
pub(super) const NETWORK_RULE: &str = "network_rule";

/// What blocks and resources that are rules are asked for by these names.
const VIEWS: [&str; 2] = ["ports", "cidrs"];

/// What tells a violation from others of its policy; known only while reports are made and compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The element it lies in, by its name or content; of a rule also the way it opens. Empty when it lies in none.
    pub(super) element: String,
    /// The elements beside it, whether they violate or not.
    pub(super) siblings: Arc<HashSet<String>>,
    /// Where in the element it was decided, whatever the places of elements in their lists.
    pub(super) places: BTreeSet<String>,
    /// What decided: the places and the values found there.
    pub(super) leaf: String,
    /// The way a rule of a network opens.
    pub(super) way: Option<Way>,
}

impl Identity {
    /// The identity of a violation of a resource that these leaves made.
    pub(super) fn of(resource: &Resource, leaves: &[&Leaf], siblings: &mut Siblings) -> Self {
        let rule = opened(resource, leaves);
        let written = |leaf: &Leaf| leaf.value.as_ref().filter(|value| !value.is_assumed()).map(digest_of);
        let said = |leaf: &&Leaf| format!("{}={}", place(leaf), written(leaf).unwrap_or_default());
        let mut decided: Vec<String> = leaves.iter().map(said).collect();
        decided.sort_unstable();
        decided.insert(0, rule.map(passage).unwrap_or_default());
        let parts: Vec<&str> = decided.iter().map(String::as_str).collect();
        let element = leaves.first().and_then(|leaf| leaf.element.as_ref());
        Self {
            siblings: element.map(|element| siblings.of(element)).unwrap_or_default(),
            places: leaves.iter().map(|leaf| place(leaf)).collect(),
            leaf: digest(&parts),
            way: rule.and_then(|rule| Way::of(rule, leaves)),
            ..Self::of_element(resource, leaves)
        }
    }

    /// As much of it as a fingerprint needs.
    pub(super) fn of_element(resource: &Resource, leaves: &[&Leaf]) -> Self {
        let element = leaves.first().and_then(|leaf| leaf.element.as_ref());
        let key = element.map(element_key).unwrap_or_default();
        let element = match opened(resource, leaves) {
            Some(rule) => format!("{} {key}", passage(rule)),
            None => key,
        };
        Self { element, ..Self::default() }
    }

    /// Whether everything that decided it decided the other one too, there or above.
    pub(super) fn is_part_of(&self, other: &Self) -> bool {
        self.places.iter().all(|place| is_at_or_below(place, &other.places))
    }

    /// Whether something that decided one of the two decided the other one too.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let shared = |one: &Self, other: &Self| one.places.iter().any(|place| is_at_or_below(place, &other.places));
        shared(self, other) || shared(other, self) || self.places.is_empty()
    }

    /// Whether each of the two lies in an element that the other's resource does not have.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        !self.siblings.contains(&other.element) && !other.siblings.contains(&self.element)
    }
}

/// Whether a place is one of others, or lies below one.
fn is_at_or_below(place: &str, others: &BTreeSet<String>) -> bool {
    let ends = place.char_indices().filter(|(_, letter)| matches!(letter, '.' | '[' | '@')).map(|(at, _)| at);
    let mut above = ends.filter_map(|end| place.get(..end)).chain([place]);
    above.any(|above| others.contains(above))
}

/// Where a leaf lies in its element, whatever the places of elements in their lists.
pub(super) fn place(leaf: &Leaf) -> String {
    let outer = leaf.element.as_ref().map_or("", |element| element.path.as_str());
    let inner = leaf.path.strip_prefix(outer).unwrap_or(&leaf.path);
    let mut place = String::with_capacity(inner.len());
    let mut in_index = false;
    for letter in inner.chars() {
        in_index = letter == '[' || in_index && letter != ']';
        if !in_index || letter == '[' {
            place.push(letter);
        }
    }
    place
}

/// The elements of the lists of one resource, each list asked once.
#[derive(Default)]
pub(super) struct Siblings(Vec<(String, Arc<HashSet<String>>)>);

impl Siblings {
    fn of(&mut self, element: &Element) -> Arc<HashSet<String>> {
        let name = element.list_name();
        if let Some((_, known)) = self.0.iter().find(|(list, _)| list == name) {
            return Arc::clone(known);
        }
        let items =
            element.list.as_ref().and_then(Value::as_list).map(|list| list.items.as_slice()).unwrap_or_default();
        let keys: Arc<HashSet<String>> = Arc::new(items.iter().map(|item| key_in(name, items.len(), item)).collect());
        self.0.push((name.to_owned(), Arc::clone(&keys)));
        keys
    }
}

/// The rule of a network that a violation is about.
fn opened<'r>(resource: &'r Resource, leaves: &[&'r Leaf]) -> Option<&'r Value> {
    let is_asked = |leaf: &&Leaf| VIEWS.iter().any(|view| leaf.path.contains(view) && has_step(leaf, view));
    if &*resource.type_name != NETWORK_RULE && !leaves.iter().any(is_asked) {
        return None;
    }
    rule(resource, leaves.first().and_then(|leaf| leaf.element.as_ref()))
}

/// Whether a step of the way from a leaf's element to the leaf has this name.
fn has_step(leaf: &Leaf, name: &str) -> bool {
    place(leaf).split(['.', '[']).any(|part| part == name)
}

/// The rule of a network that a violation lies in: a virtual one, or a block or resource that has the views of one.
fn rule<'r>(resource: &'r Resource, element: Option<&'r Element>) -> Option<&'r Value> {
    let is_rule = |node: &&Value| VIEWS.iter().all(|view| node.get(view).is_some());
    element.map(|element| &element.value).filter(is_rule).or(Some(&resource.attributes).filter(is_rule))
}

/// What a rule lets through, as a key: `ingress allow tcp 22-22`.
fn passage(rule: &Value) -> String {
    let word = |name| rule.get(name).map(|value| value.scalar_text().unwrap_or_else(|| digest_of(value).into()));
    let words = ["direction", "action", "protocol"].map(|name| word(name).unwrap_or_default());
    let ports = match ports(rule) {
        Some(ports) => ports.iter().map(|(from, to)| format!("{from}-{to}")).collect::<Vec<_>>().join(","),
        None => rule.get("ports").map(digest_of).unwrap_or_default(),
    };
    format!("{} {ports}", words.join(" "))
}

/// The ports of a rule, in order; `None` when some are not known.
fn ports(rule: &Value) -> Option<Vec<(i64, i64)>> {
    let end = |range: &Value, name| range.get(name)?.as_number()?.as_i64();
    let ranges = rule.get("ports")?.as_list()?.items.iter();
    let mut ports: Vec<(i64, i64)> =
        ranges.map(|range| Some((end(range, "from")?, end(range, "to")?))).collect::<Option<_>>()?;
    ports.sort_unstable();
    Some(ports)
}

/// The way a rule of a network opens for an address range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// Direction and action.
    pub(super) kind: [Arc<str>; 2],
    protocol: Arc<str>,
    ports: Vec<(i64, i64)>,
    cidr: Arc<str>,
}

impl Way {
    fn of(rule: &Value, leaves: &[&Leaf]) -> Option<Self> {
        let word = |name| rule.get(name).map_or(Some("".into()), Value::scalar_text);
        let is_range = |leaf: &&&Leaf| leaf.path.rsplit_once('[').is_some_and(|(list, _)| list.ends_with("cidrs"));
        let cidr = leaves.iter().find(is_range)?.value.as_ref()?.as_text().cloned()?;
        let kind = [word("direction")?, word("action")?];
        Some(Self { kind, protocol: word("protocol")?, ports: ports(rule)?, cidr })
    }

    /// Whether everything that comes through the other way comes through this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let is_inside = |(from, to): &(i64, i64)| self.ports.iter().any(|(first, last)| first <= from && to <= last);
        let is_all = matches!(&*self.protocol, "all" | "-1" | "*");
        self.kind == other.kind
            && (is_all || self.protocol == other.protocol)
            && other.ports.iter().all(is_inside)
            && (self.cidr == other.cidr || is_within(&other.cidr, std::slice::from_ref(&self.cidr.to_string())))
    }
}
