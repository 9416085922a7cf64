//! Where an evaluation stands in a resource: the node, and how it was reached.

use std::fmt::Write as _;

use crate::resource::{Key, Span, Value};

use super::assumed::TypeDefaults;
use super::leaf::Element;

/// A node and how it was reached. Lives on the stack; nothing is written down until somebody asks.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'c> {
    /// What is there; absent when nothing is.
    pub(super) node: Option<&'c Value>,
    /// The way here.
    trail: Option<&'c Cursor<'c>>,
    /// The last step of the way.
    part: Part<'c>,
    /// Where `node` was written, or the nearest place above it that was.
    pub(super) span: Span,
    /// What to point at when something below is missing: the key it would stand under, for a map may begin lines later.
    lacking: Span,
    /// The nearest value above that was read through other places.
    carrier: Option<&'c Value>,
    /// It is an element of a list.
    is_element: bool,
    /// It belongs to the checked resource, not to one linked to it.
    is_own: bool,
    /// What the provider assumes where nothing is written.
    defaults: Option<TypeDefaults<'c>>,
}

#[derive(Clone, Copy)]
enum Part<'c> {
    Root,
    Name(&'c str),
    Index(usize),
    Decoded(&'c str),
}

impl<'c> Cursor<'c> {
    /// The resource itself; `span` is what to point at when an attribute is missing.
    pub(super) fn root(node: &'c Value, span: Span) -> Self {
        Self {
            node: Some(node),
            trail: None,
            part: Part::Root,
            span,
            lacking: span,
            carrier: None,
            is_element: false,
            is_own: true,
            defaults: None,
        }
    }

    /// A resource linked under a name; `span` is what to point at when it is none or lacks an attribute.
    pub(super) fn linked(name: &'c str, node: Option<&'c Value>, span: Span) -> Self {
        Self {
            node,
            trail: None,
            part: Part::Name(name),
            span,
            lacking: span,
            carrier: None,
            is_element: false,
            is_own: false,
            defaults: None,
        }
    }

    /// The same place, of a resource whose type has defaults.
    pub(super) fn with_defaults(self, defaults: Option<TypeDefaults<'c>>) -> Self {
        Self { defaults, ..self }
    }

    /// What the provider assumes of a child that is not there.
    pub(super) fn assumed(&self, name: &str) -> Option<Value> {
        self.defaults?.child(self, name)
    }

    /// The same place, where nothing is written and this is assumed.
    pub(super) fn assuming(self, value: &'c Value) -> Self {
        Self { node: Some(value), ..self }
    }

    /// Whether it lies in these blocks of its resource, whichever of several.
    pub(super) fn is_at(&self, blocks: &[String]) -> bool {
        match (self.trail, self.part) {
            (None, _) => blocks.is_empty(),
            (Some(trail), Part::Index(_)) => trail.is_at(blocks),
            (Some(trail), Part::Name(name)) => {
                blocks.split_last().is_some_and(|(last, outer)| last == name && trail.is_at(outer))
            }
            (Some(_), Part::Decoded(_) | Part::Root) => false,
        }
    }

    fn go(&'c self, node: Option<&'c Value>, part: Part<'c>) -> Self {
        let carrier = self.node.filter(|node| node.origin().is_some()).or(self.carrier);
        let span = node.map(Value::span).filter(|span| span.is_somewhere()).unwrap_or(self.lacking);
        // What a reference brings along from elsewhere is used where the reference stands.
        let span = carrier.map(Value::span).filter(|used| !used.contains(span) && used.is_somewhere()).unwrap_or(span);
        let (is_own, defaults) = (self.is_own, self.defaults);
        Self { node, trail: Some(self), part, span, lacking: span, carrier, is_element: false, is_own, defaults }
    }

    /// The child of a name; a null child is missing, but it is the place to point at.
    pub(super) fn child(&'c self, name: &'c str, child: Option<&'c (Key, Value)>) -> Self {
        let value = child.map(|(_, value)| value);
        let mut cursor = self.go(value.filter(|value| !value.is_null()), Part::Name(name));
        if let Some(null) = value.filter(|value| value.is_null() && value.span().is_somewhere()) {
            (cursor.span, cursor.lacking) = (null.span(), null.span());
        }
        if let Some((key, _)) = child.filter(|(key, _)| key.span.is_somewhere()) {
            cursor.lacking = key.span;
        }
        cursor
    }

    /// An element of a list.
    pub(super) fn element(&'c self, index: usize, element: &'c Value) -> Self {
        Self { is_element: true, ..self.go(Some(element), Part::Index(index)) }
    }

    /// What the node reads as.
    pub(super) fn decoded(&'c self, decoder: &'c str, node: Option<&'c Value>) -> Self {
        self.go(node, Part::Decoded(decoder))
    }

    /// The same place with another node: one of several alternatives.
    pub(super) fn instead(&self, node: &'c Value) -> Self {
        let is_near =
            node.span().is_somewhere() && self.carrier.is_none_or(|carrier| carrier.span().contains(node.span()));
        let span = if is_near { node.span() } else { self.span };
        Self { node: Some(node), span, ..*self }
    }

    /// What is there, with the places it came through.
    pub(super) fn value(&self) -> Option<Value> {
        let value = self.node?.clone();
        Some(match self.carrier {
            Some(carrier) => value.part_of(carrier),
            None => value,
        })
    }

    /// The way here in words: `ingress[0].cidr_blocks`.
    pub(super) fn path(&self) -> String {
        let mut path = self.trail.map(Cursor::path).unwrap_or_default();
        match self.part {
            Part::Root => {}
            Part::Name(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                if name.contains(['.', ' ', '[']) {
                    let _ = write!(path, "\"{name}\"");
                } else {
                    path.push_str(name);
                }
            }
            Part::Index(index) => {
                let _ = write!(path, "[{index}]");
            }
            Part::Decoded(decoder) => {
                let _ = write!(path, "@{decoder}");
            }
        }
        path
    }

    /// The outermost element of a list this lies in.
    pub(super) fn outermost_element(&self) -> Option<Element> {
        let outer = self.trail.and_then(Cursor::outermost_element);
        let here = || {
            let value = self.node.filter(|_| self.is_element && self.is_own)?;
            let list = self.trail.and_then(|list| list.node.cloned());
            Some(Element { path: self.path(), value: value.clone(), list })
        };
        outer.or_else(here)
    }
}
