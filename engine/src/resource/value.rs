//! The tree of values: known, missing, unknown with its reason, sensitive; each with its span.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::{Number, Reason, ReasonKind, Span, Type, Unknown};

/// A value and where it was written. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Value {
    data: Data,
    span: Span,
    /// How deep it nests, so that nothing that walks values ever runs out of stack.
    depth: u16,
    notes: Option<Arc<Notes>>,
}

/// Deepest nesting of a value: a deeper one is unknown. JSON may nest 512 deep.
const DEPTH_LIMIT: u16 = 600;

/// Most places a value is said to have come through.
const ORIGIN_LIMIT: usize = 64;

/// What a value is. A *missing* attribute is one its map does not have; policies treat [`Data::Null`] as missing too.
#[derive(Clone, Debug)]
pub enum Data {
    /// Written as null, or an argument whose value is null.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    Text(Arc<str>),
    /// A list.
    List(Arc<List>),
    /// A map or a block.
    Map(Arc<Map>),
    /// Nobody can know it from the files.
    Unknown(Arc<Unknown>),
    /// One of these; nobody can know which.
    OneOf(Arc<[Value]>),
}

/// What is said beside a value; most values have none of it.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// It must not be shown.
    pub sensitive: bool,
    /// Why this element may not exist (a dynamic block over unknown values): it can trip `forbid`, it cannot satisfy `require`.
    pub maybe: Option<Reason>,
    /// The resources this value identifies: it *is* their attribute, passed on unchanged.
    pub references: Vec<Reference>,
    /// The places it came through before its span, nearest first.
    pub origin: Option<Arc<Origin>>,
    /// The tag its author gave it (`Ref` of `!Ref`).
    pub tag: Option<Arc<str>>,
    /// Of [`Data::OneOf`]: why nobody can know which.
    pub choice: Option<Reason>,
    /// What this text is the encoding of (the argument of `jsonencode`), known even where the text is not.
    pub document: Option<Value>,
    /// Nobody wrote it: it is what the provider assumes, so it is never *present*.
    pub assumed: bool,
    /// Of a list that nobody knows as a whole: elements that it has whatever else is in it.
    pub members: Vec<Value>,
    /// Of null and of an empty collection: the type it was given, which nothing in it tells.
    pub shape: Option<Type>,
}

/// A resource that a value identifies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// Its address.
    pub address: Arc<str>,
    /// The attribute that was read (`id`, `arn`), empty for the whole resource.
    pub attribute: Arc<str>,
}

/// A place a value came through, and the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// What is there: `variable acl`, `local.name`, `module.logs`.
    pub what: Arc<str>,
    /// Where.
    pub span: Span,
    /// The place before.
    pub next: Option<Arc<Origin>>,
}

/// What a list is in its format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// A list.
    List,
    /// A list of fixed length whose elements may differ in type: what `[…]` writes in Terraform.
    Tuple,
    /// A set: no order, no doubles.
    Set,
    /// The blocks of one name: present when there is one, even an empty one.
    Blocks,
}

/// A list of values.
#[derive(Clone, Debug)]
pub struct List {
    /// What it is in its format.
    pub kind: ListKind,
    /// Its elements.
    pub items: Vec<Value>,
}

/// What a map is in its format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKind {
    /// Keys and values.
    Map,
    /// Named attributes that may differ in type: what `{…}` writes in Terraform.
    Object,
    /// A block: present even when empty.
    Block,
}

/// The key of a map entry and where it was written.
#[derive(Clone, Debug)]
pub struct Key {
    /// The key.
    pub text: Arc<str>,
    /// Where it was written.
    pub span: Span,
}

/// Entries in the order they were written; of equal keys the last one counts.
#[derive(Debug)]
pub struct Map {
    /// What it is in its format.
    pub kind: MapKind,
    entries: Vec<(Key, Value)>,
    index: OnceLock<HashMap<Arc<str>, usize>>,
}

/// From this many entries on a map is indexed on first use.
const INDEXED_FROM: usize = 12;

impl Clone for Map {
    fn clone(&self) -> Self {
        Self::new(self.kind, self.entries.clone())
    }
}

impl Map {
    /// A map of entries.
    #[must_use]
    pub fn new(kind: MapKind, entries: Vec<(Key, Value)>) -> Self {
        Self { kind, entries, index: OnceLock::new() }
    }

    /// The entries in the order they were written.
    #[must_use]
    pub fn entries(&self) -> &[(Key, Value)] {
        &self.entries
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entry(key).map(|(_, value)| value)
    }

    /// The entry of a key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&(Key, Value)> {
        if self.entries.len() < INDEXED_FROM {
            return self.entries.iter().rev().find(|(k, _)| &*k.text == key);
        }
        let index = self.index.get_or_init(|| {
            self.entries.iter().enumerate().map(|(at, (key, _))| (Arc::clone(&key.text), at)).collect()
        });
        index.get(key).and_then(|at| self.entries.get(*at))
    }

    /// The entries again, to be changed.
    #[must_use]
    pub fn into_entries(self) -> Vec<(Key, Value)> {
        self.entries
    }
}

impl Value {
    /// A value at a place.
    #[must_use]
    pub fn new(data: Data, span: Span) -> Self {
        Self { data: Data::Null, span, depth: 0, notes: None }.with(data)
    }

    /// Null at a place.
    #[must_use]
    pub fn null(span: Span) -> Self {
        Self::new(Data::Null, span)
    }

    /// Text at a place.
    #[must_use]
    pub fn text(text: impl Into<Arc<str>>, span: Span) -> Self {
        Self::new(Data::Text(text.into()), span)
    }

    /// A boolean at a place.
    #[must_use]
    pub fn bool(value: bool, span: Span) -> Self {
        Self::new(Data::Bool(value), span)
    }

    /// A number at a place.
    #[must_use]
    pub fn number(value: impl Into<Number>, span: Span) -> Self {
        Self::new(Data::Number(value.into()), span)
    }

    /// A list at a place.
    #[must_use]
    pub fn list(kind: ListKind, items: Vec<Self>, span: Span) -> Self {
        Self::new(Data::List(Arc::new(List { kind, items })), span)
    }

    /// A map at a place.
    #[must_use]
    pub fn map(kind: MapKind, entries: Vec<(Key, Self)>, span: Span) -> Self {
        Self::new(Data::Map(Arc::new(Map::new(kind, entries))), span)
    }

    /// An unknown value at a place.
    #[must_use]
    pub fn unknown(reason: Reason, span: Span) -> Self {
        Self::new(Data::Unknown(Arc::new(Unknown { reason, not_null: false, prefix: None, shape: Type::Any })), span)
    }

    /// An unknown value that will not be null.
    #[must_use]
    pub fn unknown_not_null(reason: Reason, span: Span) -> Self {
        Self::new(Data::Unknown(Arc::new(Unknown { reason, not_null: true, prefix: None, shape: Type::Any })), span)
    }

    /// One of several values: nobody can know which. Of one alternative it is that one; of none it is unknown.
    #[must_use]
    pub fn one_of(mut alternatives: Vec<Self>, span: Span) -> Self {
        match alternatives.len() {
            0 => Self::unknown(Reason::new(ReasonKind::Invalid, "no alternative", None), span),
            1 => alternatives.swap_remove(0),
            _ => Self::new(Data::OneOf(alternatives.into()), span),
        }
    }

    /// What it is.
    #[must_use]
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// Where it was written.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// What is said beside it.
    #[must_use]
    pub fn notes(&self) -> Option<&Notes> {
        self.notes.as_deref()
    }

    /// Whether it must not be shown.
    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        self.notes.as_ref().is_some_and(|notes| notes.sensitive)
    }

    /// Whether it is what the provider assumes where nothing is written.
    #[must_use]
    pub fn is_assumed(&self) -> bool {
        self.notes.as_ref().is_some_and(|notes| notes.assumed)
    }

    /// Why this element may not exist.
    #[must_use]
    pub fn maybe(&self) -> Option<&Reason> {
        self.notes.as_ref().and_then(|notes| notes.maybe.as_ref())
    }

    /// The resources it identifies.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        self.notes.as_ref().map_or(&[], |notes| &notes.references)
    }

    /// The places it came through before its span.
    #[must_use]
    pub fn origin(&self) -> Option<&Arc<Origin>> {
        self.notes.as_ref().and_then(|notes| notes.origin.as_ref())
    }

    /// The same value written elsewhere.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    /// Other data at the same place, with the same notes.
    #[must_use]
    pub fn with(mut self, data: Data) -> Self {
        let depth = data.depth();
        (self.depth, self.data) = if depth > DEPTH_LIMIT {
            let subject = format!("a value nested deeper than {DEPTH_LIMIT} levels");
            let reason = Reason::new(ReasonKind::Limit, subject, Some(self.span));
            (0, Data::Unknown(Arc::new(Unknown { reason, not_null: true, prefix: None, shape: Type::Any })))
        } else {
            (depth, data)
        };
        self
    }

    /// The same value with its notes changed.
    #[must_use]
    pub fn noted(mut self, change: impl FnOnce(&mut Notes)) -> Self {
        let mut notes = self.notes.map(Arc::unwrap_or_clone).unwrap_or_default();
        change(&mut notes);
        // The document of a text lies within it, and so do the members of a list.
        let within = notes.document.iter().chain(&notes.members).map(|inner| inner.depth + 1).max().unwrap_or(0);
        if within > DEPTH_LIMIT {
            (notes.document, notes.members) = (None, Vec::new());
        }
        self.depth = self.depth.max(if within > DEPTH_LIMIT { 0 } else { within });
        self.notes = Some(Arc::new(notes));
        self
    }

    /// The same data read through another place: what it was until now becomes its origin.
    #[must_use]
    pub fn through(self, what: impl Into<Arc<str>>, span: Span) -> Self {
        let before = self.span;
        let moved = self.noted(|notes| {
            if Origin::length(notes.origin.as_ref()) < ORIGIN_LIMIT {
                let next = notes.origin.take();
                notes.origin = Some(Arc::new(Origin { what: what.into(), span: before, next }));
            }
        });
        moved.at(span)
    }

    /// A part of a value that was read through other places: so was the part, and it is used where the whole is.
    #[must_use]
    pub fn part_of(self, whole: &Self) -> Self {
        let Some(first) = whole.origin() else { return self };
        if whole.span.contains(self.span) || !self.span.is_somewhere() {
            return self;
        }
        let (what, span) = (Arc::clone(&first.what), self.span);
        let next = first.next.clone();
        let moved = self.noted(|notes| {
            let next = notes.origin.take().or(next);
            notes.origin = Some(Arc::new(Origin { what, span, next }));
        });
        moved.at(whole.span)
    }

    /// The text, if it is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&Arc<str>> {
        if let Data::Text(text) = &self.data { Some(text) } else { None }
    }

    /// The boolean, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Data::Bool(value) = self.data { Some(value) } else { None }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<Number> {
        if let Data::Number(value) = &self.data { Some(value.clone()) } else { None }
    }

    /// The list, if it is one.
    #[must_use]
    pub fn as_list(&self) -> Option<&List> {
        if let Data::List(list) = &self.data { Some(list) } else { None }
    }

    /// The map, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        if let Data::Map(map) = &self.data { Some(map) } else { None }
    }

    /// Why it is unknown, if it is.
    #[must_use]
    pub fn as_unknown(&self) -> Option<&Unknown> {
        if let Data::Unknown(unknown) = &self.data { Some(unknown) } else { None }
    }

    /// The elements of a list that is known in part: those it has for certain, and one that stands for the rest.
    #[must_use]
    pub fn known_part(&self) -> Option<Vec<Self>> {
        let unknown = self.as_unknown()?;
        let members = &self.notes.as_ref().filter(|notes| !notes.members.is_empty())?.members;
        let rest = Self::unknown(unknown.reason.clone(), self.span);
        let rest = rest.noted(|notes| notes.maybe = Some(unknown.reason.clone()));
        Some(members.iter().cloned().map(|member| member.part_of(self)).chain([rest]).collect())
    }

    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    /// The child of a map, if it is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key)
    }

    /// The descendant along a path of keys.
    #[must_use]
    pub fn dig(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The text of a scalar: text as it is, numbers and booleans as they are written.
    #[must_use]
    pub fn scalar_text(&self) -> Option<Arc<str>> {
        match &self.data {
            Data::Text(text) => Some(Arc::clone(text)),
            Data::Bool(value) => Some(if *value { "true" } else { "false" }.into()),
            Data::Number(number) => Some(number.to_string().into()),
            Data::Null | Data::List(_) | Data::Map(_) | Data::Unknown(_) | Data::OneOf(_) => None,
        }
    }
}

impl Data {
    /// How deep it nests: one more than its deepest part.
    fn depth(&self) -> u16 {
        let deepest = match self {
            Self::List(list) => list.items.iter().map(|item| item.depth).max(),
            Self::Map(map) => map.entries.iter().map(|(_, item)| item.depth).max(),
            Self::OneOf(alternatives) => alternatives.iter().map(|item| item.depth).max(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Unknown(_) => return 0,
        };
        deepest.map_or(1, |depth| depth + 1)
    }
}

impl Origin {
    fn length(mut origin: Option<&Arc<Self>>) -> usize {
        let mut length = 0;
        while let Some(at) = origin {
            length += 1;
            origin = at.next.as_ref();
        }
        length
    }
}

impl Key {
    /// A key at a place.
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>, span: Span) -> Self {
        Self { text: text.into(), span }
    }
}
