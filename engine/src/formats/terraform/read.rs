//! A unit: a root folder evaluated with the modules it calls, as resources.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use super::config::load::Loaded;
use super::config::lock::locked_providers;
use super::config::module::{Call, Mode, Module, Source};
use super::config::variables;
use super::eval::{Evaluator, Instance, One, Scope};
use super::syntax::ir::{Block, Kind};
use super::views::{self, Views};
use crate::formats::{ReadOptions, UnitPlan};
use crate::resource::{
    Data, FileTable, FormatId, Key, MapKind, ProblemKind, Reason, ReasonKind, Resource, Span, Unevaluated, Unit, Value,
};
use crate::source_tree::{Files, Folder};

/// Most resources one unit may have.
const RESOURCE_LIMIT: usize = 50_000;

/// Most values in one attribute, shared ones counted each time they are reached.
const ATTRIBUTE_LIMIT: u32 = 100_000;

/// Reads a unit.
pub(super) fn read(plan: &UnitPlan, files: &dyn Files, options: &ReadOptions) -> Unit {
    let mut table = FileTable::default();
    let mut loaded = Loaded::read(&plan.folder, files, &mut table);
    let mut problems = std::mem::take(&mut loaded.problems);
    let mut unit = Unit::empty(&plan.name);
    unit.unevaluated = std::mem::take(&mut loaded.unevaluated);
    unit.locked_providers = locked_providers(&plan.folder, files);
    let mut silenced = std::mem::take(&mut loaded.suppressions);
    let given = variables::given(&plan.folder, files, options, &mut table, &mut problems, &mut silenced);
    (unit.suppressions, unit.notices) = (silenced.suppressions, silenced.notices);
    let evaluator = Evaluator::new(&plan.folder, &loaded, files, table);
    if let Some(module) = loaded.get(&plan.folder) {
        let mut root = Instance::new(module, "".into(), None);
        root.given = given;
        let mut reader = Reader {
            evaluator: &evaluator,
            resources: Vec::new(),
            views: Views::default(),
            unevaluated: Vec::new(),
            moved: Vec::new(),
            seen: HashSet::new(),
            full: false,
        };
        reader.instance(&Rc::new(root));
        views::complete(&mut reader.resources, &evaluator.table.borrow());
        unit.resources = reader.resources;
        unit.unevaluated.extend(reader.unevaluated);
        unit.moved = reader.moved;
    }
    let (files, mut evaluated) = evaluator.into_parts();
    problems.append(&mut evaluated);
    unit.files = files;
    unit.problems = problems;
    unit
}

struct Reader<'e, 'a> {
    evaluator: &'e Evaluator<'a>,
    resources: Vec<Resource>,
    views: Views,
    unevaluated: Vec<Unevaluated>,
    moved: Vec<(Arc<str>, Arc<str>)>,
    /// Folders whose variables and settings are listed: they are the same for every caller.
    seen: HashSet<Folder>,
    full: bool,
}

/// What a declaration is called.
struct Named<'n> {
    address: String,
    type_name: &'n str,
    name: &'n Arc<str>,
}

impl<'a> Reader<'_, 'a> {
    fn instance(&mut self, instance: &Rc<Instance<'a>>) {
        let before = self.resources.len();
        let module: &'a Module = instance.module;
        self.calls(instance);
        self.moves(instance);
        if self.seen.insert(module.folder.clone()) {
            self.declarations(instance);
        }
        for output in module.outputs.iter() {
            let address = format!("{}output.{}", instance.prefix, output.name);
            self.block(instance, &output.block, None, Named { address, type_name: "output", name: &output.name });
        }
        self.providers(instance);
        for index in 0..module.resources.len() {
            self.resource(instance, index);
        }
        if let Some(own) = self.resources.get_mut(before..) {
            own.sort_by_key(|resource| (resource.span.file, resource.span.start));
        }
        for (index, call) in module.calls.iter().enumerate() {
            for one in &self.evaluator.call_expansion(instance, index).instances {
                match self.evaluator.child(instance, index, one) {
                    Some(child) => self.instance(&child),
                    None => self.not_here(instance, call),
                }
            }
        }
    }

    /// A module whose content is not in the tree: said once, so that nobody takes silence for a pass.
    fn not_here(&mut self, instance: &Rc<Instance<'a>>, call: &Call) {
        let from = match &call.source {
            Source::Local(_) => return,
            Source::Remote(from) | Source::Outside(from) => format!(" from {from}"),
            Source::Unreadable => String::new(),
        };
        let Some(path) = self.evaluator.path(instance.file(call.block.file)) else { return };
        let what: Arc<str> = format!("module {}{from}", call.name).into();
        let said = Unevaluated { path, what };
        if !self.unevaluated.contains(&said) {
            self.unevaluated.push(said);
        }
    }

    /// Which addresses are those of something that had another one.
    fn moves(&mut self, instance: &Rc<Instance<'a>>) {
        let module: &'a Module = instance.module;
        for block in &module.moves {
            let address = |name| -> Option<Arc<str>> {
                let attribute = block.body.attribute(name)?;
                let span = Scope::top(instance, instance.file(attribute.file)).span(attribute.value.place);
                let text =
                    attribute.value.as_text().map(ToString::to_string).or_else(|| self.evaluator.text_at(span))?;
                Some(format!("{}{}", instance.prefix, text.trim()).into())
            };
            if let (Some(from), Some(to)) = (address("from"), address("to")) {
                self.moved.push((from, to));
            }
        }
    }

    fn declarations(&mut self, instance: &Rc<Instance<'a>>) {
        let module: &'a Module = instance.module;
        for variable in module.variables.iter() {
            let address = format!("{}var.{}", instance.prefix, variable.name);
            self.block(instance, &variable.block, None, Named { address, type_name: "variable", name: &variable.name });
        }
        for block in &module.settings {
            let address = format!("{}terraform", instance.prefix);
            self.block(instance, block, None, Named { address, type_name: "terraform", name: &block.kind.text });
        }
    }

    fn providers(&mut self, instance: &Rc<Instance<'a>>) {
        let module: &'a Module = instance.module;
        for block in &module.providers {
            let Some(label) = block.labels.first() else { continue };
            let alias = block.body.attribute("alias").and_then(|alias| alias.value.as_text());
            let alias = alias.map(|alias| format!(".{alias}")).unwrap_or_default();
            let address = format!("{}provider.{}{alias}", instance.prefix, label.text);
            let type_name = format!("provider.{}", label.text);
            self.block(instance, block, None, Named { address, type_name: &type_name, name: &label.text });
        }
    }

    fn calls(&mut self, instance: &Rc<Instance<'a>>) {
        let module: &'a Module = instance.module;
        for (index, call) in module.calls.iter().enumerate() {
            for one in &self.evaluator.call_expansion(instance, index).instances {
                let address = format!("{}module.{}{}", instance.prefix, call.name, one.key.suffix());
                self.block(instance, &call.block, Some(one), Named { address, type_name: "module", name: &call.name });
            }
        }
    }

    fn resource(&mut self, instance: &Rc<Instance<'a>>, index: usize) {
        let module: &'a Module = instance.module;
        let Some(resource) = module.resources.get(index) else { return };
        let type_name = match resource.mode {
            Mode::Managed => resource.kind.to_string(),
            Mode::Data | Mode::Ephemeral => format!("{}{}", resource.mode.prefix(), resource.kind),
        };
        for one in &self.evaluator.expansion(instance, index).instances {
            let address = format!("{}{}{}", instance.prefix, resource.address, one.key.suffix());
            self.block(
                instance,
                &resource.block,
                Some(one),
                Named { address, type_name: &type_name, name: &resource.name },
            );
        }
    }

    /// One declaration as a resource.
    fn block(&mut self, instance: &Rc<Instance<'a>>, block: &Block, one: Option<&One>, named: Named<'_>) {
        let file = instance.file(block.file);
        let scope = Scope { repetition: one.and_then(|one| one.repetition.as_ref()), ..Scope::top(instance, file) };
        let span = scope.span(block.place);
        let header = scope.span(block.header);
        if self.resources.len() >= RESOURCE_LIMIT {
            return self.too_many(header);
        }
        let entries = self.evaluator.apart(|| match named.type_name {
            "variable" => {
                self.evaluator.written_body(&block.body, &scope, &["default", "description", "nullable", "sensitive"])
            }
            _ => self.evaluator.body(&block.body, &scope),
        });
        let secret = is_secret(block);
        let kept = |(key, value): (Key, Value)| {
            let secret = secret && matches!(&*key.text, "default" | "value");
            let value = self.bounded(value);
            (key, self.evaluator.marked(value, secret))
        };
        let entries: Vec<(Key, Value)> = entries.into_iter().map(kept).collect();
        let outer = instance.caller.as_ref();
        let resource = Resource {
            address: named.address.into(),
            type_name: named.type_name.into(),
            name: Arc::clone(named.name),
            format: FormatId::Terraform,
            span,
            header,
            attributes: Value::map(MapKind::Block, entries, span),
            maybe: one.and_then(|one| one.maybe.clone()).or_else(|| outer.and_then(|caller| caller.maybe.clone())),
            // What only configures Terraform, or is only read, is not created.
            auxiliary: !matches!(&*block.kind.text, "resource"),
            owner: None,
            called_from: outer.map(|caller| Arc::clone(&caller.origin)),
        };
        self.views.add(resource, &mut self.resources);
    }

    /// A value that can be walked in reasonable time: shared parts can unfold to more than the files hold.
    fn bounded(&self, value: Value) -> Value {
        if fits(&value, &mut ATTRIBUTE_LIMIT.clone()) {
            return value;
        }
        let subject = format!("a value of more than {ATTRIBUTE_LIMIT} parts");
        let span = value.span();
        let reason = Reason::new(ReasonKind::Limit, subject.clone(), Some(span));
        self.evaluator.problem(ProblemKind::Limit, "value", span, subject, "make the value smaller");
        Value::unknown(reason, span)
    }

    fn too_many(&mut self, span: Span) {
        if !self.full {
            self.full = true;
            let message = format!("more than {RESOURCE_LIMIT} resources; the rest were not evaluated");
            self.evaluator.problem(ProblemKind::Limit, "resources", span, message, "split the configuration");
        }
    }
}

/// Whether what a variable or output holds must not be shown.
fn is_secret(block: &Block) -> bool {
    let declared = matches!(&*block.kind.text, "variable" | "output");
    declared && block.body.attribute("sensitive").is_some_and(|given| matches!(given.value.kind, Kind::Bool(true)))
}

fn fits(value: &Value, left: &mut u32) -> bool {
    let Some(rest) = left.checked_sub(1) else { return false };
    *left = rest;
    match value.data() {
        Data::List(list) => list.items.iter().all(|item| fits(item, left)),
        Data::Map(map) => map.entries().iter().all(|(_, item)| fits(item, left)),
        Data::OneOf(alternatives) => alternatives.iter().all(|item| fits(item, left)),
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) | Data::Unknown(_) => true,
    }
}
