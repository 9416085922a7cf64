//! Links between the resources of a unit: who refers to whom, who picks whose labels.
//!
//! Wanted: a link is found by one look-up however large the unit is. So the resources of a type are indexed once for each
//! attribute that a link asks about: by what they refer to, by the text they name, and those whose target nobody can know; of
//! the last a few are looked at, and many are one doubt.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::policy::{Library, Link, Path, Related, glob_matches};
use crate::resource::{Data, Reason, ReasonKind, Resource, Unit, Value};

use super::assumed::Assumptions;
use super::labels::{may_name, picks};
use super::truth::Truth;
use super::walk::undecided_reason;

/// Most resources of a type that are looked at because they may be linked; more are one link that nobody can see.
const POSSIBLE_LIMIT: usize = 16;

/// The resources of a unit and the links between them, found on demand.
pub(super) struct Linked<'u> {
    unit: &'u Unit,
    library: &'u Library,
    assumptions: &'u Assumptions<'u>,
    by_address: HashMap<&'u str, Vec<usize>>,
    by_type: HashMap<&'u str, Vec<usize>>,
    tables: RefCell<HashMap<(String, String), Rc<Table>>>,
    named: RefCell<HashMap<&'u str, Rc<Table>>>,
    reached: RefCell<HashSet<&'u str>>,
}

/// What a link leads to.
#[derive(Clone, Debug, Default)]
pub(super) struct Targets<'u> {
    /// The resources, and why a link is not certain.
    pub(super) found: Vec<(&'u Resource, Option<Reason>)>,
    /// Why there may be another one that these files do not show.
    pub(super) unseen: Option<Reason>,
}

/// A resource by its index, and why it is only perhaps the one that is meant.
type Candidate = (usize, Option<Reason>);

/// The resources of one type by what one of their attributes points to, or by what identifies them.
#[derive(Default)]
struct Table {
    by_reference: HashMap<Arc<str>, Vec<Candidate>>,
    by_text: HashMap<Arc<str>, Vec<Candidate>>,
    open: Vec<(usize, Reason)>,
}

impl Table {
    fn add(&mut self, index: usize, pointers: Pointers) {
        for (address, doubt) in pointers.references {
            self.by_reference.entry(address).or_default().push((index, doubt));
        }
        for (text, doubt) in pointers.texts {
            self.by_text.entry(text).or_default().push((index, doubt));
        }
        self.open.extend(pointers.open.map(|reason| (index, reason)));
    }
}

/// What a value points to, and why it is only perhaps that.
#[derive(Default)]
struct Pointers {
    references: Vec<(Arc<str>, Option<Reason>)>,
    texts: Vec<(Arc<str>, Option<Reason>)>,
    open: Option<Reason>,
}

/// Resources that are, or may be, what is looked for.
#[derive(Default)]
struct Found {
    candidates: Vec<Candidate>,
    unseen: Option<Reason>,
}

impl Found {
    /// Adds what is found under a key; with a reason when the key itself is only a possibility.
    fn take(&mut self, found: Option<&Vec<Candidate>>, doubt: Option<&Reason>) {
        let found = found.into_iter().flatten();
        self.candidates.extend(found.map(|(index, own)| (*index, own.clone().or_else(|| doubt.cloned()))));
    }

    /// Adds what may be meant because nobody can know.
    fn perhaps<'r>(&mut self, possible: impl ExactSizeIterator<Item = (usize, &'r Reason)> + Clone) {
        if possible.len() > POSSIBLE_LIMIT {
            self.unseen = self.unseen.take().or_else(|| possible.clone().next().map(|(_, why)| why.clone()));
        } else {
            self.candidates.extend(possible.map(|(index, why)| (index, Some(why.clone()))));
        }
    }

    /// Each resource once, in order; certain when it was found for certain.
    fn sorted(mut self) -> Self {
        self.candidates.sort_by_key(|(index, doubt)| (*index, doubt.is_some()));
        self.candidates.dedup_by_key(|(index, _)| *index);
        self
    }
}

impl<'u> Linked<'u> {
    pub(super) fn new(unit: &'u Unit, library: &'u Library, assumptions: &'u Assumptions<'u>) -> Self {
        let mut by_address: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut by_type: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, resource) in unit.resources.iter().enumerate() {
            by_type.entry(&resource.type_name).or_default().push(index);
            by_address.entry(&resource.address).or_default().push(index);
            if let Some(whole) = without_instance(&resource.address) {
                by_address.entry(whole).or_default().push(index);
            }
        }
        Self {
            unit,
            library,
            assumptions,
            by_address,
            by_type,
            tables: RefCell::default(),
            named: RefCell::default(),
            reached: RefCell::default(),
        }
    }

    pub(super) fn unit(&self) -> &'u Unit {
        self.unit
    }

    /// What providers assume in this unit.
    pub(super) fn assumptions(&self) -> &'u Assumptions<'u> {
        self.assumptions
    }

    /// The resource as its author declared it: the one a virtual resource is made of, or itself.
    pub(super) fn declared(&self, resource: &'u Resource) -> &'u Resource {
        let named = resource.owner.as_ref().and_then(|owner| self.by_address.get(&**owner));
        let mut candidates = named.into_iter().flatten().filter_map(|index| self.unit.resources.get(*index));
        candidates.find(|candidate| candidate.owner.is_none()).unwrap_or(resource)
    }

    /// What a named link of a check leads to from a resource.
    pub(super) fn follow(&self, from: &'u Resource, name: &str, related: &[Related]) -> Option<Targets<'u>> {
        let link = related.iter().find(|link| link.name == name)?;
        let Some(of) = &link.of else { return Some(self.hop(from, link)) };
        let before = self.follow(from, of, related)?;
        let mut targets = Targets { found: Vec::new(), unseen: before.unseen };
        for (resource, doubt) in before.found {
            let next = self.hop(resource, link);
            targets.unseen = targets.unseen.or(next.unseen);
            targets.found.extend(next.found.into_iter().map(|(target, own)| (target, own.or_else(|| doubt.clone()))));
        }
        Some(targets)
    }

    /// Whether a policy looked at the resource by a link so far.
    pub(super) fn reached(&self, address: &str) -> bool {
        self.reached.borrow().contains(address)
    }

    fn hop(&self, from: &'u Resource, link: &Related) -> Targets<'u> {
        let targets = match &link.link {
            Link::Theirs(path) => self.referring_to(from, link, path),
            Link::Mine(path) => self.referred_by(from, link, path),
            Link::MySelector(path) => self.selected(link, |candidate| picks(from, path, candidate)),
            Link::TheirSelector(path) => self.selected(link, |candidate| picks(candidate, path, from)),
        };
        self.reached.borrow_mut().extend(targets.found.iter().map(|(target, _)| &*target.address));
        targets
    }

    /// The resources whose attribute refers to `me`.
    fn referring_to(&self, me: &'u Resource, link: &Related, path: &Path) -> Targets<'u> {
        let identity = self.identity(me);
        let mut targets = Targets::default();
        for type_name in self.types(link) {
            let table = self.table(type_name, path);
            let mut found = Found::default();
            found.take(table.by_reference.get(&me.address), None);
            found.take(without_instance(&me.address).and_then(|whole| table.by_reference.get(whole)), None);
            for (text, doubt) in &identity.texts {
                found.take(table.by_text.get(text), doubt.as_ref());
            }
            found.perhaps(table.open.iter().map(|(index, why)| (*index, why)));
            if let Some(why) = &identity.open {
                let texts = table.by_text.values().flatten().take(POSSIBLE_LIMIT + 1);
                let possible: Vec<(usize, &Reason)> = texts.map(|(index, _)| (*index, why)).collect();
                found.perhaps(possible.into_iter());
            }
            self.add(&mut targets, found.sorted());
        }
        targets.found.retain(|(resource, _)| !std::ptr::eq(*resource, me));
        targets
    }

    fn add(&self, targets: &mut Targets<'u>, found: Found) {
        let resources = found.candidates.into_iter();
        targets.found.extend(resources.filter_map(|(index, doubt)| Some((self.unit.resources.get(index)?, doubt))));
        targets.unseen = targets.unseen.take().or(found.unseen);
    }

    /// The resources that an attribute of `me` refers to.
    fn referred_by(&self, me: &'u Resource, link: &Related, path: &Path) -> Targets<'u> {
        let pointers = pointers_at(&me.attributes, path);
        let wanted = |resource: &Resource| is_wanted(link, &resource.type_name);
        let mut targets = Targets { found: Vec::new(), unseen: pointers.open };
        for (address, doubt) in &pointers.references {
            let found = self.by_address.get(&**address).map(Vec::as_slice).unwrap_or_default();
            let found = found.iter().filter_map(|index| self.unit.resources.get(*index));
            let found: Vec<&Resource> = found.filter(|resource| wanted(resource)).collect();
            let subject = || format!("which instance of {address} is meant");
            let which = (found.len() > 1).then(|| Reason::new(ReasonKind::Computed, subject(), None));
            let doubt = doubt.clone().or(which);
            targets.found.extend(found.into_iter().map(|resource| (resource, doubt.clone())));
        }
        for (text, doubt) in &pointers.texts {
            let mut found = Found::default();
            for type_name in self.types(link) {
                let named = self.named(type_name);
                found.take(named.by_text.get(text), doubt.as_ref());
                found.perhaps(named.open.iter().map(|(index, why)| (*index, why)));
            }
            let before = targets.found.len();
            self.add(&mut targets, self.in_reach(me, found.sorted()));
            if !targets.found.iter().skip(before).any(|(_, doubt)| doubt.is_none()) {
                let subject = format!("\"{text}\"");
                targets.unseen.get_or_insert_with(|| Reason::new(ReasonKind::Outside, subject, None));
            }
        }
        targets
    }

    /// Those that a name in `me` can speak of, which lies in their namespace.
    fn in_reach(&self, me: &Resource, mut found: Found) -> Found {
        found.candidates.retain_mut(|(index, doubt)| {
            let Some(resource) = self.unit.resources.get(*index) else { return false };
            let reach = may_name(me, resource);
            if reach == Truth::Unknown {
                doubt.get_or_insert_with(|| Reason::new(ReasonKind::Unsupported, "the namespace", Some(me.header)));
            }
            reach != Truth::False
        });
        found
    }

    fn selected(&self, link: &Related, picks: impl Fn(&Resource) -> Truth) -> Targets<'u> {
        let mut targets = Targets::default();
        for type_name in self.types(link) {
            for index in self.by_type.get(type_name).into_iter().flatten() {
                let Some(resource) = self.unit.resources.get(*index) else { continue };
                let doubt = || Reason::new(ReasonKind::Unsupported, "the selector", Some(resource.header));
                match picks(resource) {
                    Truth::True => targets.found.push((resource, None)),
                    Truth::Unknown => targets.found.push((resource, Some(doubt()))),
                    Truth::False => {}
                }
            }
        }
        targets
    }

    /// The types of this unit that a link asks for, in a stable order.
    fn types(&self, link: &Related) -> Vec<&'u str> {
        let mut types: Vec<&str> = self.by_type.keys().copied().filter(|name| is_wanted(link, name)).collect();
        types.sort_unstable();
        types
    }

    fn table(&self, type_name: &str, path: &Path) -> Rc<Table> {
        let key = (type_name.to_owned(), path.to_string());
        if let Some(table) = self.tables.borrow().get(&key) {
            return Rc::clone(table);
        }
        let mut table = Table::default();
        for index in self.by_type.get(type_name).into_iter().flatten() {
            let Some(resource) = self.unit.resources.get(*index) else { continue };
            table.add(*index, pointers_at(&resource.attributes, path));
        }
        let table = Rc::new(table);
        self.tables.borrow_mut().insert(key, Rc::clone(&table));
        table
    }

    /// The resources of a type by what identifies them.
    fn named(&self, type_name: &'u str) -> Rc<Table> {
        if let Some(table) = self.named.borrow().get(type_name) {
            return Rc::clone(table);
        }
        let mut table = Table::default();
        for index in self.by_type.get(type_name).into_iter().flatten() {
            if let Some(resource) = self.unit.resources.get(*index) {
                table.add(*index, self.identity(resource));
            }
        }
        let table = Rc::new(table);
        self.named.borrow_mut().insert(type_name, Rc::clone(&table));
        table
    }

    /// What identifies a resource: the texts of its naming attributes, and why there may be another one.
    fn identity(&self, resource: &Resource) -> Pointers {
        let attributes = self.library.identity.get(&*resource.type_name).map(Vec::as_slice).unwrap_or_default();
        let at = |attribute: &str| attribute.split('.').try_fold(&resource.attributes, |value, key| value.get(key));
        let mut identity = Pointers::default();
        for value in attributes.iter().filter_map(|attribute| at(attribute)) {
            named_by(value, None, &mut identity);
        }
        identity
    }
}

fn named_by(value: &Value, choice: Option<&Reason>, identity: &mut Pointers) {
    match value.data() {
        Data::Text(text) => identity.texts.push((Arc::clone(text), choice.cloned())),
        Data::Unknown(unknown) => {
            identity.open.get_or_insert_with(|| unknown.reason.clone());
        }
        Data::OneOf(alternatives) => {
            let choice = choice_of(value);
            alternatives.iter().for_each(|one| named_by(one, Some(&choice), identity));
        }
        _ => {}
    }
}

/// Why nobody can know which of its alternatives a value is.
fn choice_of(value: &Value) -> Reason {
    let subject = "a choice that depends on an unknown value";
    undecided_reason(value).unwrap_or_else(|| Reason::new(ReasonKind::Unsupported, subject, Some(value.span())))
}

fn is_wanted(link: &Related, type_name: &str) -> bool {
    link.resource.iter().any(|glob| glob_matches(glob, type_name))
        && !link.except.iter().any(|glob| glob_matches(glob, type_name))
}

/// `aws_s3_bucket.a` of `aws_s3_bucket.a["k"]`.
fn without_instance(address: &str) -> Option<&str> {
    let open = address.strip_suffix(']')?.rfind('[')?;
    address.get(..open)
}

/// What the values at a path point to; the path `*` means anywhere in the resource.
fn pointers_at(attributes: &Value, path: &Path) -> Pointers {
    let mut pointers = Pointers::default();
    if path.to_string() == "*" {
        collect_references(attributes, None, &mut pointers);
        return pointers;
    }
    let mut nodes = vec![attributes];
    for step in &path.steps {
        let names: Vec<String> = step.names.iter().map(ToString::to_string).collect();
        let hidden = nodes.iter().filter_map(|node| node.as_unknown()).map(|unknown| unknown.reason.clone());
        pointers.open = pointers.open.take().or_else(|| hidden.last());
        nodes = nodes.into_iter().flat_map(|node| children(node, &names)).collect();
    }
    for node in nodes {
        collect(node, None, &mut pointers);
    }
    pointers
}

fn children<'v>(node: &'v Value, names: &[String]) -> Vec<&'v Value> {
    match node.data() {
        Data::List(list) => list.items.iter().flat_map(|item| children(item, names)).collect(),
        _ => names.iter().filter_map(|name| node.get(name)).collect(),
    }
}

/// What a value at the end of a link's path points to; below a choice only perhaps.
fn collect(value: &Value, choice: Option<&Reason>, pointers: &mut Pointers) {
    let references = value.references();
    pointers.references.extend(references.iter().map(|reference| (Arc::clone(&reference.address), choice.cloned())));
    let outside = references.iter().any(|reference| reference.address.split('.').any(|part| part == "data"));
    match value.data() {
        Data::Text(text) if references.is_empty() => pointers.texts.push((Arc::clone(text), choice.cloned())),
        Data::List(list) => list.items.iter().for_each(|item| collect(item, choice, pointers)),
        Data::OneOf(alternatives) => {
            let choice = choice_of(value);
            alternatives.iter().for_each(|item| collect(item, Some(&choice), pointers));
        }
        Data::Unknown(unknown) if references.is_empty() || outside => {
            pointers.open.get_or_insert_with(|| unknown.reason.clone());
        }
        Data::Map(map) => map.entries().iter().for_each(|(_, value)| collect(value, choice, pointers)),
        _ => {}
    }
}

/// The references anywhere below a value.
fn collect_references(value: &Value, choice: Option<&Reason>, pointers: &mut Pointers) {
    let references = value.references().iter();
    pointers.references.extend(references.map(|reference| (Arc::clone(&reference.address), choice.cloned())));
    match value.data() {
        Data::List(list) => list.items.iter().for_each(|item| collect_references(item, choice, pointers)),
        Data::OneOf(alternatives) => {
            let choice = choice_of(value);
            alternatives.iter().for_each(|item| collect_references(item, Some(&choice), pointers));
        }
        Data::Map(map) => map.entries().iter().for_each(|(_, value)| collect_references(value, choice, pointers)),
        _ => {}
    }
}
