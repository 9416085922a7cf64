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
use crate::resource::{Reason, ReasonKind, Resource, Unit, Value};

use super::assumed::Assumptions;
use super::labels::{may_name, picks};
use super::pointers::{Named, Pointers};
use super::truth::Truth;

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
    /// Of a closed link: the names, as they are written, of resources that there are not.
    pub(super) dangling: Vec<Value>,
}

/// A resource by its index, and why it is only perhaps the one that is meant.
type Candidate = (usize, Option<Reason>);

/// The resources of one type by what one of their attributes points to, or by what identifies them.
#[derive(Default)]
struct Table {
    by_reference: HashMap<Arc<str>, Vec<Candidate>>,
    by_name: HashMap<Arc<str>, Vec<(usize, Named)>>,
    open: Vec<(usize, Reason)>,
}

impl Table {
    fn add(&mut self, index: usize, pointers: Pointers) {
        for (address, doubt) in pointers.references {
            self.by_reference.entry(address).or_default().push((index, doubt));
        }
        for named in pointers.names {
            self.by_name.entry(Arc::clone(&named.name)).or_default().push((index, named));
        }
        self.open.extend(pointers.open.map(|reason| (index, reason)));
    }
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
        let mut targets = Targets { unseen: before.unseen, ..Targets::default() };
        for (resource, doubt) in before.found {
            let next = self.hop(resource, link);
            targets.unseen = targets.unseen.or(next.unseen);
            targets.dangling.extend(next.dangling);
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
            for own in &identity.names {
                let naming = table.by_name.get(&own.name).into_iter().flatten();
                let candidates = naming.filter_map(|(index, named)| {
                    let doubt = means(self.unit.resources.get(*index)?, named, me)?;
                    Some((*index, doubt.or_else(|| own.doubt.clone())))
                });
                found.candidates.extend(candidates);
            }
            found.perhaps(table.open.iter().map(|(index, why)| (*index, why)));
            if let Some(why) = &identity.open {
                let names = table.by_name.values().flatten().take(POSSIBLE_LIMIT + 1);
                let possible: Vec<(usize, &Reason)> = names.map(|(index, _)| (*index, why)).collect();
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
        let pointers = Pointers::at(me, path);
        let wanted = |resource: &Resource| is_wanted(link, &resource.type_name);
        let mut targets = Targets { unseen: pointers.open, ..Targets::default() };
        for (address, doubt) in &pointers.references {
            let found = self.by_address.get(&**address).map(Vec::as_slice).unwrap_or_default();
            let found = found.iter().filter_map(|index| self.unit.resources.get(*index));
            let found: Vec<&Resource> = found.filter(|resource| wanted(resource)).collect();
            let subject = || format!("which instance of {address} is meant");
            let which = (found.len() > 1).then(|| Reason::new(ReasonKind::Computed, subject(), None));
            let doubt = doubt.clone().or(which);
            targets.found.extend(found.into_iter().map(|resource| (resource, doubt.clone())));
        }
        for named in &pointers.names {
            if named.kind.as_ref().is_none_or(|kind| is_wanted(link, kind)) {
                self.add_named(&mut targets, me, named, link);
            }
        }
        targets
    }

    /// Adds what a name in `me` means. A name nothing here has may be that of something elsewhere, unless the link is closed.
    fn add_named(&self, targets: &mut Targets<'u>, me: &'u Resource, named: &Named, link: &Related) {
        let mut found = Found::default();
        let mut has_namesake = false;
        for type_name in self.types(link) {
            let table = self.named(type_name);
            let same = table.by_name.get(&named.name).into_iter().flatten();
            found.candidates.extend(same.map(|(index, own)| (*index, own.doubt.clone())));
            has_namesake |= table.by_name.contains_key(&named.name);
            found.perhaps(table.open.iter().map(|(index, why)| (*index, why)));
        }
        found.candidates.retain_mut(|(index, doubt)| {
            let meant = self.unit.resources.get(*index).and_then(|target| means(me, named, target));
            *doubt = doubt.take().or_else(|| meant.clone().flatten());
            meant.is_some()
        });
        let found = found.sorted();
        let is_certain = found.candidates.iter().any(|(_, doubt)| doubt.is_none());
        let perhaps = found.unseen.clone().or_else(|| found.candidates.iter().find_map(|(_, doubt)| doubt.clone()));
        self.add(targets, found);
        if is_certain {
            return;
        }
        let hidden = match link.closed && (has_namesake || self.has_neighbour(me, named, link)) {
            true => perhaps.or_else(|| named.doubt.clone()).or_else(|| self.hidden()),
            false => Some(Reason::new(ReasonKind::Outside, format!("\"{}\"", named.name), None)),
        };
        match hidden {
            Some(reason) => targets.unseen = targets.unseen.take().or(Some(reason)),
            None => targets.dangling.push(named.value.clone()),
        }
    }

    /// Whether the unit has a resource of a link's types where a name looks for one.
    fn has_neighbour(&self, me: &Resource, named: &Named, link: &Related) -> bool {
        let types = self.types(link);
        let mut resources = types.iter().filter_map(|name| self.by_type.get(name)).flatten();
        resources.any(|index| {
            let resource = self.unit.resources.get(*index);
            resource.is_some_and(|resource| may_name(me, named.namespace.as_deref(), resource) == Truth::True)
        })
    }

    /// Why the unit may have resources that nobody sees: files that could not be read, or are not evaluated.
    fn hidden(&self) -> Option<Reason> {
        let outside = |subject: String| Reason::new(ReasonKind::Outside, subject, None);
        let unread = self.unit.problems.first().map(|problem| outside(problem.path.to_string()));
        let unevaluated = self.unit.unevaluated.first().map(|file| outside(file.path.to_string()));
        unread.or(unevaluated)
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
            table.add(*index, Pointers::at(resource, path));
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
        let mut identity = Pointers::default();
        attributes.iter().for_each(|attribute| identity.identify_at(&resource.attributes, attribute));
        identity
    }
}

fn is_wanted(link: &Related, type_name: &str) -> bool {
    link.resource.iter().any(|glob| glob_matches(glob, type_name))
        && !link.except.iter().any(|glob| glob_matches(glob, type_name))
}

/// Whether a name in one resource means another; with the reason when only perhaps.
fn means(from: &Resource, named: &Named, target: &Resource) -> Option<Option<Reason>> {
    if named.kind.as_ref().is_some_and(|kind| *kind != target.type_name) {
        return None;
    }
    match may_name(from, named.namespace.as_deref(), target) {
        Truth::False => None,
        Truth::True => Some(named.doubt.clone()),
        Truth::Unknown => {
            let unclear = || Reason::new(ReasonKind::Unsupported, "the namespace", Some(from.header));
            Some(named.doubt.clone().or_else(|| Some(unclear())))
        }
    }
}

/// `aws_s3_bucket.a` of `aws_s3_bucket.a["k"]`.
fn without_instance(address: &str) -> Option<&str> {
    let open = address.strip_suffix(']')?.rfind('[')?;
    address.get(..open)
}
