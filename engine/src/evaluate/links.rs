//! Links between the resources of a unit: who refers to whom, who picks whose labels.
//!
//! Wanted: a link is found by one look-up however large the unit is. So the resources of a type are indexed once for each
//! attribute that a link asks about: by what they refer to, by the text they name, and those whose target nobody can know.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::policy::{Library, Link, Path, Related, glob_matches};
use crate::resource::{Data, Reason, ReasonKind, Resource, Unit, Value};

use super::labels::{may_name, picks};
use super::truth::Truth;

/// The resources of a unit and the links between them, found on demand.
pub(super) struct Linked<'u> {
    unit: &'u Unit,
    library: &'u Library,
    by_address: HashMap<&'u str, Vec<usize>>,
    by_type: HashMap<&'u str, Vec<usize>>,
    tables: RefCell<HashMap<(String, String), Rc<Table>>>,
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

/// The resources of one type by what one of their attributes points to.
#[derive(Default)]
struct Table {
    by_reference: HashMap<Arc<str>, Vec<usize>>,
    by_text: HashMap<Arc<str>, Vec<usize>>,
    open: Vec<(usize, Reason)>,
}

/// What a value points to.
#[derive(Default)]
struct Pointers {
    references: Vec<Arc<str>>,
    texts: Vec<Arc<str>>,
    open: Option<Reason>,
}

impl<'u> Linked<'u> {
    pub(super) fn new(unit: &'u Unit, library: &'u Library) -> Self {
        let mut by_address: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut by_type: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, resource) in unit.resources.iter().enumerate() {
            by_type.entry(&resource.type_name).or_default().push(index);
            by_address.entry(&resource.address).or_default().push(index);
            if let Some(whole) = without_instance(&resource.address) {
                by_address.entry(whole).or_default().push(index);
            }
        }
        Self { unit, library, by_address, by_type, tables: RefCell::default(), reached: RefCell::default() }
    }

    pub(super) fn unit(&self) -> &'u Unit {
        self.unit
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
        let identities = self.identities(me);
        let mut targets = Targets::default();
        for type_name in self.types(link) {
            let table = self.table(type_name, path);
            let mut certain: Vec<usize> = table.by_reference.get(&me.address).cloned().unwrap_or_default();
            let whole = without_instance(&me.address).and_then(|whole| table.by_reference.get(whole));
            certain.extend(whole.into_iter().flatten());
            let mut possible = table.open.clone();
            for identity in &identities {
                match identity {
                    Ok(text) => certain.extend(table.by_text.get(text).into_iter().flatten()),
                    Err(why) => possible.extend(table.by_text.values().flatten().map(|index| (*index, why.clone()))),
                }
            }
            certain.sort_unstable();
            certain.dedup();
            possible.retain(|(index, _)| certain.binary_search(index).is_err());
            possible.sort_by_key(|(index, _)| *index);
            possible.dedup_by_key(|(index, _)| *index);
            let certain = certain.into_iter().map(|index| (index, None));
            let all = certain.chain(possible.into_iter().map(|(index, why)| (index, Some(why))));
            targets.found.extend(all.filter_map(|(index, doubt)| Some((self.unit.resources.get(index)?, doubt))));
        }
        targets.found.retain(|(resource, _)| !std::ptr::eq(*resource, me));
        targets
    }

    /// The resources that an attribute of `me` refers to.
    fn referred_by(&self, me: &'u Resource, link: &Related, path: &Path) -> Targets<'u> {
        let pointers = pointers_at(&me.attributes, path);
        let wanted = |resource: &Resource| is_wanted(link, &resource.type_name);
        let mut targets = Targets { found: Vec::new(), unseen: pointers.open };
        for address in &pointers.references {
            let found = self.by_address.get(&**address).map(Vec::as_slice).unwrap_or_default();
            let found = found.iter().filter_map(|index| self.unit.resources.get(*index));
            let found: Vec<&Resource> = found.filter(|resource| wanted(resource)).collect();
            let subject = || format!("which instance of {address} is meant");
            let doubt = (found.len() > 1).then(|| Reason::new(ReasonKind::Computed, subject(), None));
            targets.found.extend(found.into_iter().map(|resource| (resource, doubt.clone())));
        }
        for text in &pointers.texts {
            let before = targets.found.len();
            for type_name in self.types(link) {
                for index in self.by_type.get(type_name).into_iter().flatten() {
                    let Some(resource) = self.unit.resources.get(*index) else { continue };
                    let doubt = match may_name(me, resource) {
                        Truth::False => continue,
                        Truth::True => None,
                        Truth::Unknown => Some(Reason::new(ReasonKind::Unsupported, "the namespace", Some(me.header))),
                    };
                    for identity in self.identities(resource) {
                        match identity {
                            Ok(identity) if identity == *text => targets.found.push((resource, doubt.clone())),
                            Ok(_) => {}
                            Err(why) => targets.found.push((resource, Some(why))),
                        }
                    }
                }
            }
            if !targets.found.iter().skip(before).any(|(_, doubt)| doubt.is_none()) {
                let subject = format!("\"{text}\"");
                targets.unseen.get_or_insert_with(|| Reason::new(ReasonKind::Outside, subject, None));
            }
        }
        targets
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
            let pointers = pointers_at(&resource.attributes, path);
            for address in pointers.references {
                table.by_reference.entry(address).or_default().push(*index);
            }
            for text in pointers.texts {
                table.by_text.entry(text).or_default().push(*index);
            }
            if let Some(reason) = pointers.open {
                table.open.push((*index, reason));
            }
        }
        let table = Rc::new(table);
        self.tables.borrow_mut().insert(key, Rc::clone(&table));
        table
    }

    /// What identifies a resource: the texts of its naming attributes, or why one is unknown.
    fn identities(&self, resource: &Resource) -> Vec<Result<Arc<str>, Reason>> {
        let attributes = self.library.identity.get(&*resource.type_name).map(Vec::as_slice).unwrap_or_default();
        let at = |attribute: &str| attribute.split('.').try_fold(&resource.attributes, |value, key| value.get(key));
        let identity = |attribute: &String| match at(attribute)?.data() {
            Data::Text(text) => Some(Ok(Arc::clone(text))),
            Data::Unknown(unknown) => Some(Err(unknown.reason.clone())),
            _ => None,
        };
        attributes.iter().filter_map(identity).collect()
    }
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
        collect_references(attributes, &mut pointers);
        return pointers;
    }
    let mut nodes = vec![attributes];
    for step in &path.steps {
        let names: Vec<String> = step.names.iter().map(ToString::to_string).collect();
        nodes = nodes.into_iter().flat_map(|node| children(node, &names)).collect();
    }
    for node in nodes {
        collect(node, &mut pointers);
    }
    pointers
}

fn children<'v>(node: &'v Value, names: &[String]) -> Vec<&'v Value> {
    match node.data() {
        Data::List(list) => list.items.iter().flat_map(|item| children(item, names)).collect(),
        _ => names.iter().filter_map(|name| node.get(name)).collect(),
    }
}

/// What a value at the end of a link's path points to.
fn collect(value: &Value, pointers: &mut Pointers) {
    let references = value.references();
    pointers.references.extend(references.iter().map(|reference| Arc::clone(&reference.address)));
    let outside = references.iter().any(|reference| reference.address.split('.').any(|part| part == "data"));
    match value.data() {
        Data::Text(text) if references.is_empty() => pointers.texts.push(Arc::clone(text)),
        Data::List(list) => list.items.iter().for_each(|item| collect(item, pointers)),
        Data::OneOf(alternatives) => {
            let subject = "a choice that depends on an unknown value";
            pointers.open.get_or_insert_with(|| Reason::new(ReasonKind::NoDefault, subject, Some(value.span())));
            alternatives.iter().for_each(|item| collect(item, pointers));
        }
        Data::Unknown(unknown) if references.is_empty() || outside => {
            pointers.open.get_or_insert_with(|| unknown.reason.clone());
        }
        Data::Map(map) => map.entries().iter().for_each(|(_, value)| collect(value, pointers)),
        _ => {}
    }
}

/// The references anywhere below a value.
fn collect_references(value: &Value, pointers: &mut Pointers) {
    pointers.references.extend(value.references().iter().map(|reference| Arc::clone(&reference.address)));
    match value.data() {
        Data::List(list) => list.items.iter().for_each(|item| collect_references(item, pointers)),
        Data::OneOf(alternatives) => alternatives.iter().for_each(|item| collect_references(item, pointers)),
        Data::Map(map) => map.entries().iter().for_each(|(_, value)| collect_references(value, pointers)),
        _ => {}
    }
}
