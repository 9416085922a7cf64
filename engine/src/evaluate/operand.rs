//! What a matcher compares with: a value the policy names, or what lies at another path of the resource, of the element
//! looped over, or of a linked resource.

use crate::policy::{Name, Operand, Path, Step};
use crate::resource::{Data, Value};

use super::cursor::Cursor;
use super::matching::literal_value;
use super::scalar::same_text;
use super::truth::Truth;
use super::walk::Walk;

impl<'u> Walk<'u> {
    /// The one value of an operand; `None` when it is missing, unknown or one of several.
    pub(super) fn operand(&self, at: &Cursor<'_>, operand: &Operand) -> Option<Value> {
        match operand {
            Operand::Value(literal) => Some(literal_value(literal)),
            Operand::Param(name) => self.param(name).map(literal_value),
            Operand::Path(path) => {
                let mut found = self.at_path(at, path, Found { keeps_lists: true, ..Found::default() });
                found.values.pop().filter(|_| found.values.is_empty() && !found.is_open)
            }
        }
    }

    /// Whether a value is one of those at another path.
    pub(super) fn among(&self, at: &Cursor<'_>, value: &Value, operand: &Operand) -> Truth {
        let Operand::Path(path) = operand else {
            return self.operand(at, operand).map_or(Truth::Unknown, |other| self.same(value, &other));
        };
        let found = self.at_path(at, path, Found::default());
        let open = if found.is_open { Truth::Unknown } else { Truth::False };
        found.values.iter().map(|other| self.same(value, other)).fold(open, Truth::or)
    }

    pub(super) fn same(&self, value: &Value, other: &Value) -> Truth {
        match (value.scalar_text(), other.scalar_text()) {
            (Some(a), Some(b)) => same_text(&a, &b, self.case).into(),
            _ => Truth::Unknown,
        }
    }

    /// The values at a path: `this.` from the checked resource, as a path without a head that means something else,
    /// `element.` from the element looped over, or from a resource it is certainly linked to.
    fn at_path(&self, at: &Cursor<'_>, path: &Path, mut found: Found) -> Found {
        let (head, rest) = (path.head().unwrap_or_default(), path.steps.get(1..).unwrap_or_default());
        match head {
            "element" => match at.looped() {
                Some(element) => found.add(element, rest),
                None => found.is_open = true,
            },
            "this" => self.add_own(&mut found, rest),
            name if self.related.iter().any(|link| link.name == name) => {
                let targets = self.linked.follow(self.resource, name, self.related).unwrap_or_default();
                found.is_open |= targets.unseen.is_some();
                for (target, doubt) in &targets.found {
                    found.is_open |= doubt.is_some() || self.may_be_absent(target).is_some();
                    found.add(&target.attributes, rest);
                }
            }
            _ => self.add_own(&mut found, &path.steps),
        }
        found
    }

    /// What the checked resource says at a path, or what its provider assumes there.
    fn add_own(&self, found: &mut Found, steps: &[Step]) {
        let before = found.values.len();
        found.add(&self.resource.attributes, steps);
        if found.values.len() == before && !found.is_open {
            let keys: Vec<String> = steps.iter().flat_map(|step| &step.names).map(ToString::to_string).collect();
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let assumed = self.linked.assumptions().of(self.resource).and_then(|assumed| assumed.at(&keys));
            found.values.extend(assumed);
        }
    }
}

/// What lies at a path.
#[derive(Default)]
struct Found {
    values: Vec<Value>,
    /// There may be more, or other ones.
    is_open: bool,
    /// A list at the end of the path is a value, not several.
    keeps_lists: bool,
}

impl Found {
    fn add(&mut self, from: &Value, steps: &[Step]) {
        match (from.data(), steps.split_first()) {
            (Data::Null, _) => {}
            (Data::Unknown(_) | Data::OneOf(_), _) => self.is_open = true,
            (Data::List(_), None) if self.keeps_lists => self.values.push(from.clone()),
            (Data::List(list), _) => list.items.iter().for_each(|item| {
                self.is_open |= item.maybe().is_some();
                self.add(item, steps);
            }),
            (_, None) => self.values.push(from.clone()),
            (Data::Map(map), Some((step, rest))) => {
                let is_named = |key: &str| {
                    step.names.iter().any(|name| matches!(name, Name::Every) || *name == Name::Key(key.into()))
                };
                for (_, value) in map.entries().iter().filter(|(key, _)| is_named(&key.text)) {
                    self.add(value, rest);
                }
            }
            _ => {}
        }
    }
}
