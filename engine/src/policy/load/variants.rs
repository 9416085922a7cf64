//! A policy with one of its parts left out: what its examples are tested with.
//!
//! Parts are left out of the file as it is written, not of what it compiles to, so that each has the name and the line its
//! author knows, and whatever the loader reads is covered without a word of it being repeated here.

use crate::policy::{Library, Policy};
use crate::resource::{Data, FormatId, Key, Span, Value};
use crate::source_tree::LineColumn;

use super::{document_policy, with_document};

/// Longest list of values or types whose members are left out one by one: a longer one is a table, and nobody writes an
/// example for each row of it.
const LIST_LIMIT: usize = 3;
/// Most variants of a policy file.
const VARIANT_LIMIT: usize = 500;

/// A policy without one of its parts.
#[derive(Clone, Debug)]
pub struct Variant {
    /// What is left out: `require.versioning.enabled`, `"TLS1_0" of forbid.minimum_tls`.
    pub part: String,
    /// Where it stands in the policy file.
    pub place: LineColumn,
    /// What an example that needs the part looks like.
    pub needed: Needed,
    /// The policies of the file without it.
    pub policies: Vec<Policy>,
}

/// What an example that needs a part of a policy looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// It fails, and would pass without the part.
    Fail,
    /// It passes, and would fail without the part.
    Pass,
    /// Either.
    Any,
}

/// A policy file without each of its parts in turn; those without which it is no policy are not left out.
#[must_use]
pub fn variants(path: &str, text: &str, library: &Library) -> Vec<Variant> {
    let made = with_document(path, text, |reading, document| {
        let mut parts = Parts { parts: Vec::new(), route: Vec::new() };
        parts.of_policy(document);
        let variant = |part: Part| {
            let remaining = without(document, &part.route)?;
            let loaded = document_policy(reading, &remaining, path, library)?;
            let place = reading.position(part.span);
            Some(Variant { part: part.name, place, needed: part.needed, policies: loaded.policies })
        };
        Some(parts.parts.into_iter().filter_map(variant).collect())
    });
    // What a variant lacks may be a mistake (a link nobody uses any more); it answers nonetheless.
    made.0.unwrap_or_default()
}

struct Part {
    route: Vec<usize>,
    name: String,
    span: Span,
    needed: Needed,
}

/// Whether something makes more violations or fewer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum More {
    Violations,
    Passes,
}

impl More {
    fn flipped(self) -> Self {
        match self {
            Self::Violations => Self::Passes,
            Self::Passes => Self::Violations,
        }
    }

    /// What an example looks like that notices when there is less of something that made `self`.
    fn needed(self) -> Needed {
        match self {
            Self::Violations => Needed::Fail,
            Self::Passes => Needed::Pass,
        }
    }
}

struct Parts {
    parts: Vec<Part>,
    route: Vec<usize>,
}

impl Parts {
    fn within(&mut self, index: usize, visit: impl FnOnce(&mut Self)) {
        self.route.push(index);
        visit(self);
        self.route.pop();
    }

    fn add(&mut self, name: String, span: Span, needed: Needed) {
        if self.parts.len() < VARIANT_LIMIT {
            self.parts.push(Part { route: self.route.clone(), name, span, needed });
        }
    }

    fn of_policy(&mut self, document: &Value) {
        let is_section =
            |key: &Key| &*key.text == "everywhere" || FormatId::ALL.iter().any(|format| format.name() == &*key.text);
        for (index, (_, section)) in entries(document).filter(|(_, (key, _))| is_section(key)) {
            self.within(index, |parts| match section.as_list() {
                Some(checks) => {
                    for (index, check) in checks.items.iter().enumerate() {
                        parts.within(index, |parts| parts.of_check(check));
                    }
                }
                None => parts.of_check(section),
            });
        }
    }

    fn of_check(&mut self, check: &Value) {
        for (index, (key, value)) in entries(check) {
            self.within(index, |parts| match &*key.text {
                "resource" => parts.each_member("resource", value, Needed::Fail),
                "related" => parts.of_links(value),
                "when" | "unless" => {
                    let holds = if &*key.text == "when" { More::Violations } else { More::Passes };
                    if count(value) < 2 {
                        parts.add(key.text.to_string(), key.span, Needed::Pass);
                    }
                    parts.conditions(&key.text, value, holds);
                }
                "require" => parts.conditions("require", value, More::Passes),
                "forbid" => {
                    // Each of them is forbidden by itself: they are joined by *or*.
                    for (index, (key, value)) in entries(value) {
                        let name = format!("forbid.{}", key.text);
                        let is_alone = count_of(entries(check), "forbid") < 2;
                        parts.within(index, |parts| {
                            if !is_alone {
                                parts.add(name.clone(), key.span, Needed::Fail);
                            }
                            parts.entry(&name, key, value, More::Violations);
                        });
                    }
                }
                _ => {}
            });
        }
    }

    fn of_links(&mut self, links: &Value) {
        for (index, (link, value)) in entries(links) {
            self.within(index, |parts| {
                for (index, (key, value)) in entries(value).filter(|(_, (key, _))| &*key.text == "except") {
                    let name = format!("related.{}.{}", link.text, key.text);
                    parts.within(index, |parts| parts.each_member(&name, value, Needed::Any));
                }
            });
        }
    }

    /// A map whose entries are joined by *and*: conditions, a pattern or operators.
    fn conditions(&mut self, name: &str, value: &Value, holds: More) {
        let is_alone = count(value) < 2;
        for (index, (key, value)) in entries(value) {
            let name = format!("{name}.{}", key.text);
            self.within(index, |parts| {
                // Without a condition the whole holds more often; what a missing attribute counts as does either.
                let needed = if &*key.text == "default" { Needed::Any } else { holds.flipped().needed() };
                if !is_alone {
                    parts.add(name.clone(), key.span, needed);
                }
                parts.entry(&name, key, value, holds);
            });
        }
    }

    /// What stands behind a key: a path, an operator, `all`, `any` or `not`. `holds` is what there is more of when it holds.
    fn entry(&mut self, name: &str, key: &Key, value: &Value, holds: More) {
        match &*key.text {
            "all" | "contains_all" => self.joined(name, value, holds, holds.flipped()),
            "not" | "not_in" => self.matcher(name, value, holds.flipped()),
            // Their lists are one value.
            "between" | "version" | "default" => {}
            _ => self.matcher(name, value, holds),
        }
    }

    /// A matcher: members of a list are joined by *or*.
    fn matcher(&mut self, name: &str, value: &Value, holds: More) {
        match value.data() {
            Data::List(_) => self.joined(name, value, holds, holds),
            Data::Map(_) => self.conditions(name, value, holds),
            _ => {}
        }
    }

    /// The members of a list, each of which may be left out and have parts of its own.
    fn joined(&mut self, name: &str, value: &Value, holds: More, member: More) {
        self.each_member(name, value, member.needed());
        let items = value.as_list().map(|list| list.items.as_slice()).unwrap_or_default();
        for (index, item) in items.iter().enumerate() {
            let name = format!("{name}[{index}]");
            self.within(index, |parts| parts.matcher(&name, item, holds));
        }
    }

    fn each_member(&mut self, name: &str, value: &Value, needed: Needed) {
        let items = value.as_list().map(|list| list.items.as_slice()).unwrap_or_default();
        let is_table = items.len() > LIST_LIMIT && items.iter().all(|item| item.as_map().is_none());
        if items.len() < 2 || is_table {
            return;
        }
        for (index, item) in items.iter().enumerate() {
            let part = match item.scalar_text() {
                Some(text) => format!("{text}` of `{name}"),
                None => format!("{name}[{index}]"),
            };
            self.within(index, |parts| parts.add(part, item.span(), needed));
        }
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (usize, &(Key, Value))> {
    value.as_map().into_iter().flat_map(|map| map.entries()).enumerate()
}

fn count(value: &Value) -> usize {
    entries(value).count()
}

/// How many entries a key of a map has.
fn count_of<'v>(mut entries: impl Iterator<Item = (usize, &'v (Key, Value))>, name: &str) -> usize {
    entries.find(|(_, (key, _))| &*key.text == name).map_or(0, |(_, (_, value))| count(value))
}

/// A tree without the node that a route of positions leads to.
fn without(value: &Value, route: &[usize]) -> Option<Value> {
    let (at, rest) = route.split_first()?;
    match value.data() {
        Data::Map(map) => {
            let mut entries = map.entries().to_vec();
            if rest.is_empty() {
                entries.remove(*at);
            } else {
                let inner = without(&entries.get(*at)?.1, rest)?;
                entries.get_mut(*at)?.1 = inner;
            }
            Some(Value::map(map.kind, entries, value.span()))
        }
        Data::List(list) => {
            let mut items = list.items.clone();
            if rest.is_empty() {
                items.remove(*at);
            } else {
                let inner = without(items.get(*at)?, rest)?;
                *items.get_mut(*at)? = inner;
            }
            Some(Value::list(list.kind, items, value.span()))
        }
        _ => None,
    }
}
