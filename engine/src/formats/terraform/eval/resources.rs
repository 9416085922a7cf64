//! Resources and modules as values: what the configuration sets is known, the rest is decided when they are created.
//!
//! A whole resource is an unknown value that refers to its address. Whatever is done with it gives something unknown, as it
//! must; only a step to an attribute looks the address up and finds what the configuration says.

use std::rc::Rc;
use std::sync::Arc;

use super::choice::one_of;
use super::instance::{Caller, ExpansionKind};
use super::{Evaluator, Expansion, Instance, InstanceKey, Located, One, Scope, Slot, unknown};
use crate::formats::terraform::config::module::{Call, Mode, Module, ResourceBlock, Source};
use crate::formats::terraform::syntax::ir::Step;
use crate::formats::terraform::values::convert::convert;
use crate::resource::{
    Data, Key, List, ListKind, MapKind, Origin, ProblemKind, Reason, ReasonKind, Reference, Span, Type, Unknown, Value,
};

/// Most resources one value is said to identify: it is an attribute of one that is an attribute of another.
const REFERENCE_LIMIT: usize = 8;

/// Deepest nesting of module calls.
const MODULE_DEPTH_LIMIT: usize = 32;

/// An attribute nobody can know yet. Of those that AWS calls an ARN it is known how they begin.
fn unknown_attribute(reason: Reason, resource: &ResourceBlock, name: &str, span: Span) -> Value {
    let is_arn = resource.kind.starts_with("aws_") && (name == "arn" || name.ends_with("_arn"));
    if !is_arn {
        return unknown(reason, Type::Any, true, span);
    }
    let unknown = Unknown { reason, not_null: true, prefix: Some("arn:".into()), shape: Type::Text };
    Value::new(Data::Unknown(Arc::new(unknown)), span)
}

impl<'a> Evaluator<'a> {
    /// A resource, or all of its instances, as a value.
    pub(super) fn resource(
        &self,
        mode: Mode,
        name: (&Arc<str>, &Arc<str>),
        instance: &Rc<Instance<'a>>,
    ) -> Option<Value> {
        let index = instance.module.find_resource(mode, name.0, name.1)?;
        let slot = (index, InstanceKey::Only, Arc::from(""));
        if let Some(Slot::Done(value)) = instance.attributes.borrow().get(&slot) {
            return Some(value.clone());
        }
        let expansion = self.expansion(instance, index);
        let block = instance.module.resources.get(index)?;
        let span = Span::new(instance.file(block.block.file), range(block));
        let whole = |one: &One| self.whole(instance, index, block, &one.key);
        let value = match &expansion.kind {
            ExpansionKind::Single | ExpansionKind::Unknown(_) => expansion.instances.first().map(whole)?,
            ExpansionKind::Count | ExpansionKind::Each => collected(&expansion, span, &whole),
        };
        instance.attributes.borrow_mut().insert(slot, Slot::Done(value.clone()));
        Some(value)
    }

    /// The instances of a resource block.
    pub(crate) fn expansion(&self, instance: &Rc<Instance<'a>>, index: usize) -> Rc<Expansion> {
        let known = instance.expansions.borrow().get(&index).cloned();
        match known {
            Some(Some(expansion)) => expansion,
            Some(None) => self.expansion_cycle(instance, index),
            None => {
                instance.expansions.borrow_mut().insert(index, None);
                let block = instance.module.resources.get(index).map(|resource| &resource.block);
                let expansion = Rc::new(block.map_or_else(Expansion::single, |block| self.expand(block, instance)));
                instance.expansions.borrow_mut().insert(index, Some(Rc::clone(&expansion)));
                expansion
            }
        }
    }

    fn expansion_cycle(&self, instance: &Rc<Instance<'a>>, index: usize) -> Rc<Expansion> {
        if let Some(resource) = instance.module.resources.get(index) {
            let span = Span::new(instance.file(resource.block.file), range(resource));
            self.cycle(&format!("the number of instances of {}", resource.address), span);
        }
        Rc::new(Expansion::single())
    }

    /// A value that stands for a whole resource.
    fn whole(&self, instance: &Rc<Instance<'a>>, index: usize, resource: &ResourceBlock, key: &InstanceKey) -> Value {
        let address: Arc<str> = format!("{}{}{}", instance.prefix, resource.address, key.suffix()).into();
        let span = Span::new(instance.file(resource.block.file), range(resource));
        let reason = Reason::new(kind(resource.mode), Arc::clone(&address), Some(span));
        self.addresses.borrow_mut().insert(Arc::clone(&address), (Rc::clone(instance), index, key.clone()));
        let reference = Reference { address, attribute: "".into() };
        unknown(reason, Type::Any, true, span).noted(|notes| notes.references.push(reference))
    }

    /// Whether a value stands for a whole resource.
    pub(super) fn stands_for_resource(&self, value: &Value) -> bool {
        let whole = value.references().iter().find(|reference| reference.attribute.is_empty());
        whole.is_some_and(|reference| self.addresses.borrow().contains_key(&reference.address))
    }

    fn resource_behind(&self, value: &Value) -> Option<Located<'a>> {
        let whole = value.references().iter().find(|reference| reference.attribute.is_empty())?;
        self.addresses.borrow().get(&whole.address).cloned()
    }

    pub(super) fn attribute_of_resource(&self, value: &Value, name: &Arc<str>, span: Span) -> Value {
        match self.resource_behind(value) {
            Some((instance, index, key)) => self.resource_attribute(&instance, index, &key, name),
            None => self.fault("this resource is not here", span),
        }
    }

    /// A whole resource indexed: by an attribute's name, or by a key when nobody knows how many there are.
    pub(super) fn index_of_resource(&self, value: &Value, key: Value, span: Span) -> Value {
        let Some((instance, index, _)) = self.resource_behind(value) else {
            return self.fault("this resource is not here", span);
        };
        if let ExpansionKind::Unknown(reason) = &self.expansion(&instance, index).kind {
            self.doubt(Some(reason.clone()));
            return value.clone();
        }
        match convert(key, &Type::Text).ok().and_then(|key| key.as_text().cloned()) {
            Some(name) if name.parse::<u64>().is_err() => self.attribute_of_resource(value, &name, span),
            _ => self.fault("this resource has neither count nor for_each, so it has no elements", span),
        }
    }

    /// A splat over one resource is a list of it; over as many as nobody knows it is unknown, and refers to them.
    pub(super) fn splat_of_resource(&self, value: Value, steps: &[Step], scope: &Scope<'a, '_>, span: Span) -> Value {
        let open =
            self.resource_behind(&value).map(|(instance, index, _)| self.expansion(&instance, index).kind.clone());
        let inner = self.steps(value, steps, scope);
        match open {
            Some(ExpansionKind::Unknown(reason)) => {
                let references = inner.references().to_vec();
                let list = unknown(reason, Type::List(Arc::new(Type::Any)), true, span);
                list.noted(|notes| notes.references = references)
            }
            _ => Value::list(ListKind::Tuple, vec![inner], span),
        }
    }

    /// An attribute of one resource: what the configuration sets, else unknown; either way it refers to the resource.
    pub(crate) fn resource_attribute(
        &self,
        instance: &Rc<Instance<'a>>,
        index: usize,
        key: &InstanceKey,
        name: &Arc<str>,
    ) -> Value {
        let module: &'a Module = instance.module;
        let Some(resource) = module.resources.get(index) else { return Value::null(Span::NOWHERE) };
        let slot = (index, key.clone(), Arc::clone(name));
        let known = instance.attributes.borrow().get(&slot).cloned().unwrap_or_default();
        let header = Span::new(instance.file(resource.block.file), range(resource));
        match known {
            Slot::Done(value) => value,
            Slot::Busy => self.cycle(&format!("{}.{name}", resource.address), header),
            Slot::Empty => {
                instance.attributes.borrow_mut().insert(slot.clone(), Slot::Busy);
                let set = self.apart(|| self.configured(instance, index, resource, key, name));
                let address: Arc<str> = format!("{}{}{}", instance.prefix, resource.address, key.suffix()).into();
                let value = match set {
                    Some(value) if !value.is_null() => value,
                    _ => {
                        let reason = Reason::new(kind(resource.mode), format!("{address}.{name}"), Some(header));
                        unknown_attribute(reason, resource, name, header)
                    }
                };
                let reference = Reference { address, attribute: Arc::clone(name) };
                let value = referring(value, &reference).noted(|notes| {
                    notes.references.truncate(REFERENCE_LIMIT - 1);
                    notes.references.push(reference);
                });
                instance.attributes.borrow_mut().insert(slot, Slot::Done(value.clone()));
                value
            }
        }
    }

    /// What the configuration sets an attribute to.
    fn configured(
        &self,
        instance: &Rc<Instance<'a>>,
        index: usize,
        resource: &ResourceBlock,
        key: &InstanceKey,
        name: &Arc<str>,
    ) -> Option<Value> {
        let expansion = self.expansion(instance, index);
        let one = expansion.find(key)?;
        let scope = |file| Scope { repetition: one.repetition.as_ref(), ..Scope::top(instance, instance.file(file)) };
        let body = &resource.block.body;
        if matches!(
            &**name,
            "count" | "for_each" | "depends_on" | "lifecycle" | "provider" | "provisioner" | "connection"
        ) {
            return None;
        }
        match body.attribute(name) {
            Some(attribute) => Some(self.eval_whole(&attribute.value, &scope(attribute.file))),
            None => self.blocks_of_kind(body, name, &scope(resource.block.file)),
        }
    }

    /// The instances of a module call.
    pub(crate) fn call_expansion(&self, instance: &Rc<Instance<'a>>, index: usize) -> Rc<Expansion> {
        let known = instance.call_expansions.borrow().get(&index).cloned();
        match known {
            Some(Some(expansion)) => expansion,
            Some(None) => {
                if let Some(call) = instance.module.calls.get(index) {
                    let span = Scope::top(instance, instance.file(call.block.file)).span(call.block.header);
                    self.cycle(&format!("the number of instances of module.{}", call.name), span);
                }
                Rc::new(Expansion::single())
            }
            None => {
                instance.call_expansions.borrow_mut().insert(index, None);
                let call = instance.module.calls.get(index);
                let expansion = Rc::new(call.map_or_else(Expansion::single, |call| self.expand(&call.block, instance)));
                instance.call_expansions.borrow_mut().insert(index, Some(Rc::clone(&expansion)));
                expansion
            }
        }
    }

    /// One output of a module that is called once; `None` when it is called more often.
    pub(super) fn module_output(
        &self,
        instance: &Rc<Instance<'a>>,
        index: usize,
        name: &Arc<str>,
        span: Span,
    ) -> Option<Value> {
        let expansion = self.call_expansion(instance, index);
        if expansion.kind != ExpansionKind::Single {
            return None;
        }
        let one = expansion.instances.first()?;
        let call = instance.module.calls.get(index)?;
        Some(match self.child(instance, index, one) {
            Some(child) => match child.module.outputs.find(name) {
                Some(output) => self.output(&child, output),
                None => self.fault(format!("module {} has no output \"{name}\"", call.name), span),
            },
            None => outside_module(instance, call, &one.key, Some(name)),
        })
    }

    /// A called module, or all instances of it, as a value.
    pub(super) fn module_value(&self, instance: &Rc<Instance<'a>>, index: usize, span: Span) -> Value {
        let expansion = self.call_expansion(instance, index);
        let module: &'a Module = instance.module;
        let Some(call) = module.calls.get(index) else { return Value::null(span) };
        let outputs = |one: &One| match self.child(instance, index, one) {
            None => outside_module(instance, call, &one.key, None),
            Some(child) => {
                let names = child.module.outputs.iter().enumerate();
                let entry = |(at, output): (usize, &crate::formats::terraform::config::module::Output)| {
                    (Key::new(Arc::clone(&output.name), span), self.output(&child, at))
                };
                Value::map(MapKind::Object, names.map(entry).collect(), span)
            }
        };
        match &expansion.kind {
            ExpansionKind::Single => expansion.instances.first().map_or_else(|| Value::null(span), outputs),
            ExpansionKind::Count | ExpansionKind::Each => collected(&expansion, span, &outputs),
            ExpansionKind::Unknown(reason) => unknown(reason.clone(), Type::Any, true, span),
        }
    }

    /// One instance of a called module; `None` when its content is not here, or cannot be evaluated.
    pub(crate) fn child(&self, instance: &Rc<Instance<'a>>, index: usize, one: &One) -> Option<Rc<Instance<'a>>> {
        let slot = (index, one.key.clone());
        if let Some(child) = instance.children.borrow().get(&slot) {
            return child.clone();
        }
        let module: &'a Module = instance.module;
        let child = module.calls.get(index).and_then(|call| self.new_child(instance, call, one));
        instance.children.borrow_mut().insert(slot, child.clone());
        child
    }

    fn new_child(&self, instance: &Rc<Instance<'a>>, call: &'a Call, one: &One) -> Option<Rc<Instance<'a>>> {
        let Source::Local(folder) = &call.source else { return None };
        let span = Scope::top(instance, instance.file(call.block.file)).span(call.block.header);
        let Some(module) = self.loaded.get(folder) else {
            let message = format!("module {} is called from {folder}, where there is no configuration", call.name);
            self.problem(ProblemKind::Partial, "missing module", span, message, "correct the source");
            return None;
        };
        let mut above = Some(instance);
        while let Some(at) = above {
            if at.module.folder == *folder {
                let message = format!("module {} calls itself: {folder} is above it", call.name);
                self.problem(ProblemKind::Partial, "module cycle", span, message, "remove the call");
                return None;
            }
            above = at.caller.as_ref().map(|caller| &caller.instance);
        }
        if instance.depth() >= MODULE_DEPTH_LIMIT {
            let message = format!("module calls nest deeper than {MODULE_DEPTH_LIMIT}");
            self.problem(ProblemKind::Limit, "module depth", span, message, "flatten the modules");
            return None;
        }
        if !self.charge(100) {
            self.exhausted(span);
            return None;
        }
        let name = format!("module.{}{}", call.name, one.key.suffix());
        let next = instance.caller.as_ref().map(|caller| Arc::clone(&caller.origin));
        let caller = Caller {
            instance: Rc::clone(instance),
            call,
            repetition: one.repetition.clone(),
            depth: instance.depth() + 1,
            maybe: one.maybe.clone().or_else(|| instance.caller.as_ref().and_then(|caller| caller.maybe.clone())),
            origin: Arc::new(Origin { what: name.clone().into(), span, next }),
        };
        let prefix = format!("{}{name}.", instance.prefix).into();
        Some(Rc::new(Instance::new(module, prefix, Some(caller))))
    }
}

/// All instances as a list or by their keys; one of the possible collections, when nobody knows which are there.
fn collected(expansion: &Expansion, span: Span, value: &dyn Fn(&One) -> Value) -> Value {
    let collection = |instances: Vec<&One>| match expansion.kind {
        ExpansionKind::Each => {
            let entry = |one: &One| match &one.key {
                InstanceKey::Key(key) => Some((Key::new(Arc::clone(key), span), value(one))),
                InstanceKey::Only | InstanceKey::Index(_) => None,
            };
            Value::map(MapKind::Object, instances.into_iter().filter_map(entry).collect(), span)
        }
        _ => Value::list(ListKind::Tuple, instances.into_iter().map(value).collect(), span),
    };
    let possible: Vec<Value> = expansion.possibilities().into_iter().map(collection).collect();
    match &expansion.choice {
        Some((reason, _)) => one_of(possible, reason.clone(), span),
        None => possible.into_iter().next().unwrap_or_else(|| Value::null(span)),
    }
}

fn kind(mode: Mode) -> ReasonKind {
    match mode {
        Mode::Managed => ReasonKind::Computed,
        Mode::Data | Mode::Ephemeral => ReasonKind::Outside,
    }
}

fn range(resource: &ResourceBlock) -> std::ops::Range<usize> {
    resource.block.header.start as usize..resource.block.header.end as usize
}

/// An output of a module that is not in these files.
fn outside_module(instance: &Instance<'_>, call: &Call, key: &InstanceKey, output: Option<&Arc<str>>) -> Value {
    let header = call.block.header;
    let span = Span::new(instance.file(call.block.file), header.start as usize..header.end as usize);
    let output = output.map(|name| format!(".{name}")).unwrap_or_default();
    let subject = format!("{}module.{}{}{output}", instance.prefix, call.name, key.suffix());
    unknown(Reason::new(ReasonKind::Outside, subject, Some(span)), Type::Any, false, span)
}

/// The blocks of a list, each knowing whose it is.
fn referring(value: Value, reference: &Reference) -> Value {
    match value.data() {
        Data::List(list) if list.kind == ListKind::Blocks => {
            let block = |item: &Value| item.clone().noted(|notes| notes.references.push(reference.clone()));
            let items = list.items.iter().map(block).collect();
            value.with(Data::List(Arc::new(List { kind: ListKind::Blocks, items })))
        }
        _ => value,
    }
}
