//! What names refer to: variables, locals, modules, resources, and what Terraform itself provides.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use super::{Evaluator, Instance, Repetition, Scope, Slot, instance, unknown};
use crate::formats::terraform::config::module::{Mode, Module, Variable};
use crate::formats::terraform::syntax::ir::{Expr, Kind, Step, StepKind};
use crate::formats::terraform::values::convert::convert;
use crate::resource::{ProblemKind, Reason, ReasonKind, Span, Type, Value};

/// A reference as it is looked up: its first name, what follows, and where it stands.
struct Reference<'e> {
    root: &'e Arc<str>,
    steps: &'e [Step],
    span: Span,
}

impl Reference<'_> {
    /// The name of the attribute step at an index.
    fn name(&self, index: usize) -> Option<&Arc<str>> {
        match self.steps.get(index).map(|step| &step.kind) {
            Some(StepKind::Attribute(name)) => Some(name),
            _ => None,
        }
    }

    fn after(&self, count: usize) -> &[Step] {
        self.steps.get(count..).unwrap_or_default()
    }

    /// As its author wrote it, as far as it is names.
    fn text(&self) -> String {
        let mut text = self.root.to_string();
        for step in self.steps {
            match &step.kind {
                StepKind::Attribute(name) => {
                    text.push('.');
                    text.push_str(name);
                }
                _ => break,
            }
        }
        text
    }
}

impl<'a> Evaluator<'a> {
    pub(super) fn reference(&self, expr: &Expr, scope: &Scope<'a, '_>) -> Value {
        let span = scope.span(expr.place);
        let reference = match &expr.kind {
            Kind::Name(root) => Reference { root, steps: &[], span },
            Kind::Traversal(traversal) => match &traversal.base.kind {
                Kind::Name(root) => Reference { root, steps: &traversal.steps, span },
                _ => {
                    let base = self.eval(&traversal.base, scope);
                    let what = match &traversal.base.kind {
                        Kind::Call(call) => Arc::clone(&call.name.text),
                        _ => "value".into(),
                    };
                    return passed_on(self.steps(base, &traversal.steps, scope), what, span);
                }
            },
            _ => return Value::null(span),
        };
        if let Some(bound) = scope.bound(reference.root) {
            let value = self.steps(bound.clone(), reference.steps, scope);
            return passed_on(value, Arc::clone(reference.root), span);
        }
        let Some(instance) = scope.instance else {
            return self.fault(format!("{} is no variable of this template", reference.root), span);
        };
        match &**reference.root {
            "var" | "local" | "module" | "terraform" if reference.name(0).is_none() => {
                self.fault(format!("{} is no value", reference.root), span)
            }
            "var" => self.variable_reference(&reference, instance, scope),
            "local" => self.local_reference(&reference, instance, scope),
            "module" => self.module_reference(&reference, instance, scope),
            "path" => self.path_reference(&reference, instance),
            "terraform" if matches!(reference.name(0).map(|name| &**name), Some("workspace" | "env" | "applying")) => {
                self.outside(reference.text(), Type::Text, span)
            }
            "terraform" => self.fault(format!("{} is no value", reference.text()), span),
            "each" | "count" => self.repetition(&reference, scope),
            "self" => {
                let reason = Reason::new(ReasonKind::Computed, reference.text(), Some(span));
                unknown(reason, Type::Any, false, span)
            }
            "data" => self.resource_reference(Mode::Data, &reference, 0, instance, scope),
            "ephemeral" => self.resource_reference(Mode::Ephemeral, &reference, 0, instance, scope),
            "resource" => self.resource_reference(Mode::Managed, &reference, 0, instance, scope),
            _ => self.managed_reference(&reference, instance, scope),
        }
    }

    fn outside(&self, subject: String, shape: Type, span: Span) -> Value {
        unknown(Reason::new(ReasonKind::Outside, subject, Some(span)), shape, false, span)
    }

    fn variable_reference(
        &self,
        reference: &Reference<'_>,
        instance: &Rc<Instance<'a>>,
        scope: &Scope<'a, '_>,
    ) -> Value {
        let variables = &instance.module.variables;
        let found = reference.name(0).and_then(|name| variables.find(name));
        let Some((index, variable)) = found.and_then(|index| Some((index, variables.get(index)?))) else {
            return self.outside(reference.text(), Type::Any, reference.span);
        };
        let value = self.variable(instance, index);
        let value = self.steps(value, reference.after(1), scope);
        passed_on(value, Arc::clone(&variable.what), reference.span)
    }

    /// The value of a variable: what the caller gives, else the default, of the type that is asked for.
    pub(crate) fn variable(&self, instance: &Rc<Instance<'a>>, index: usize) -> Value {
        let module: &'a Module = instance.module;
        let Some(variable) = module.variables.get(index) else { return Value::null(Span::NOWHERE) };
        let file = instance.file(variable.block.file);
        let scope = Scope::top(instance, file);
        let declared = scope.span(variable.block.header);
        let label = || format!("var.{}", variable.name);
        self.lazily(&instance.variables, index, &label, declared, || {
            let given = self.argument(instance, variable);
            let default = || {
                variable
                    .default
                    .as_ref()
                    .map(|default| self.eval(&default.value, &Scope::top(instance, instance.file(default.file))))
            };
            let value = match given {
                Some(given) if given.is_null() && !variable.nullable => default().or(Some(given)),
                Some(given) => Some(given),
                None => default(),
            };
            let Some(value) = value else {
                let reason = Reason::new(ReasonKind::NoDefault, label(), Some(declared));
                let value = unknown(reason, variable.constraint.shape(), !variable.nullable, declared);
                return self.marked(value, variable.sensitive);
            };
            let value = variable.constraint.filled(value, &|expr| self.eval(expr, &Scope::closed(file)));
            let span = value.span();
            let value = convert(value, &variable.constraint.shape())
                .unwrap_or_else(|why| self.fault(format!("{}: {why}", label()), span));
            self.marked(value, variable.sensitive)
        })
    }

    /// What the caller gives for a variable.
    fn argument(&self, instance: &Rc<Instance<'a>>, variable: &Variable) -> Option<Value> {
        match &instance.caller {
            None => {
                let (attribute, file) = instance.given.get(&variable.name)?;
                Some(self.eval(&attribute.value, &Scope::closed(*file)))
            }
            Some(caller) => {
                let attribute = caller.call.block.body.attribute(&variable.name)?;
                let file = caller.instance.file(attribute.file);
                let scope = Scope { repetition: caller.repetition.as_ref(), ..Scope::top(&caller.instance, file) };
                Some(self.eval_whole(&attribute.value, &scope))
            }
        }
    }

    fn local_reference(&self, reference: &Reference<'_>, instance: &Rc<Instance<'a>>, scope: &Scope<'a, '_>) -> Value {
        let locals = &instance.module.locals;
        let found = reference.name(0).and_then(|name| locals.find(name));
        let Some((index, local)) = found.and_then(|index| Some((index, locals.get(index)?))) else {
            return self.outside(reference.text(), Type::Any, reference.span);
        };
        let value = self.local(instance, index);
        let value = self.steps(value, reference.after(1), scope);
        passed_on(value, Arc::clone(&local.what), reference.span)
    }

    /// The value of a local. Those it refers to come first, so that a long chain of them is no deep recursion.
    fn local(&self, instance: &Rc<Instance<'a>>, index: usize) -> Value {
        let done = |index: usize| matches!(instance.locals.borrow().get(index), Some(Slot::Done(_) | Slot::Busy));
        if !done(index) {
            let dependencies = instance.module.local_dependencies();
            let mut seen = HashSet::new();
            let mut open = vec![(index, false)];
            while let Some((at, ready)) = open.pop() {
                if ready {
                    self.one_local(instance, at);
                } else if seen.insert(at) && !done(at) {
                    open.push((at, true));
                    open.extend(dependencies.get(at).into_iter().flatten().map(|next| (*next, false)));
                }
            }
        }
        self.one_local(instance, index)
    }

    fn one_local(&self, instance: &Rc<Instance<'a>>, index: usize) -> Value {
        let module: &'a Module = instance.module;
        let Some(local) = module.locals.get(index) else { return Value::null(Span::NOWHERE) };
        let scope = Scope::top(instance, instance.file(local.attribute.file));
        let declared = scope.span(local.attribute.name.place);
        self.lazily(&instance.locals, index, &|| local.what.to_string(), declared, || {
            self.eval_whole(&local.attribute.value, &scope)
        })
    }

    /// The value of an output of a called module.
    pub(super) fn output(&self, instance: &Rc<Instance<'a>>, index: usize) -> Value {
        let module: &'a Module = instance.module;
        let Some(output) = module.outputs.get(index) else { return Value::null(Span::NOWHERE) };
        let Some(attribute) = &output.value else { return Value::null(Span::NOWHERE) };
        let scope = Scope::top(instance, instance.file(attribute.file));
        let declared = scope.span(output.block.header);
        let label = || format!("{}output.{}", instance.prefix, output.name);
        self.lazily(&instance.outputs, index, &label, declared, || {
            let value = self.eval_whole(&attribute.value, &scope);
            self.marked(value, output.sensitive)
        })
    }

    /// Computes once; being asked while computing is a cycle.
    pub(super) fn lazily(
        &self,
        slots: &instance::Slots,
        index: usize,
        label: &dyn Fn() -> String,
        declared: Span,
        compute: impl FnOnce() -> Value,
    ) -> Value {
        let slot = slots.borrow().get(index).cloned().unwrap_or_default();
        match slot {
            Slot::Done(value) => value,
            Slot::Busy => self.cycle(&label(), declared),
            Slot::Empty => {
                let set = |slot: Slot| {
                    if let Some(place) = slots.borrow_mut().get_mut(index) {
                        *place = slot;
                    }
                };
                set(Slot::Busy);
                let value = self.apart(compute);
                set(Slot::Done(value.clone()));
                value
            }
        }
    }

    pub(super) fn cycle(&self, label: &str, declared: Span) -> Value {
        let message = format!("{label} depends on itself");
        self.problem(ProblemKind::Partial, "cycle", declared, message.clone(), "break the cycle");
        unknown(Reason::new(ReasonKind::Invalid, message, Some(declared)), Type::Any, false, declared)
    }

    fn path_reference(&self, reference: &Reference<'_>, instance: &Rc<Instance<'a>>) -> Value {
        match reference.name(0).map(|name| &**name) {
            Some("module") => Value::text(self.module_path(instance), reference.span),
            Some("root") => Value::text(".", reference.span),
            Some("cwd") => self.outside(reference.text(), Type::Text, reference.span),
            _ => self.fault(format!("{} is no value", reference.text()), reference.span),
        }
    }

    /// The folder of a module as Terraform prints it: from the root's folder.
    fn module_path(&self, instance: &Rc<Instance<'a>>) -> String {
        let mut root = instance;
        while let Some(caller) = &root.caller {
            root = &caller.instance;
        }
        relative(root.module.folder.prefix(), instance.module.folder.prefix())
    }

    fn repetition(&self, reference: &Reference<'_>, scope: &Scope<'a, '_>) -> Value {
        let name = reference.name(0).map(|name| &**name);
        let value = match (scope.repetition, &**reference.root, name) {
            (Some(Repetition::Count { index }), "count", Some("index")) => index,
            (Some(Repetition::Each { key, .. }), "each", Some("key")) => key,
            (Some(Repetition::Each { value, .. }), "each", Some("value")) => value,
            _ => return self.fault(format!("{} has no meaning here", reference.text()), reference.span),
        };
        let value = self.steps(value.clone(), reference.after(1), scope);
        passed_on(value, reference.text(), reference.span)
    }

    fn managed_reference(
        &self,
        reference: &Reference<'_>,
        instance: &Rc<Instance<'a>>,
        scope: &Scope<'a, '_>,
    ) -> Value {
        let Some(name) = reference.name(0) else {
            return self.fault(format!("{} is no value", reference.root), reference.span);
        };
        let value = self.resource(Mode::Managed, (reference.root, name), instance);
        self.resource_steps(value, reference, 1, scope)
    }

    fn resource_reference(
        &self,
        mode: Mode,
        reference: &Reference<'_>,
        at: usize,
        instance: &Rc<Instance<'a>>,
        scope: &Scope<'a, '_>,
    ) -> Value {
        let (Some(kind), Some(name)) = (reference.name(at), reference.name(at + 1)) else {
            return self.fault(format!("{} is no value", reference.text()), reference.span);
        };
        let value = self.resource(mode, (kind, name), instance);
        self.resource_steps(value, reference, at + 2, scope)
    }

    fn resource_steps(
        &self,
        value: Option<Value>,
        reference: &Reference<'_>,
        from: usize,
        scope: &Scope<'a, '_>,
    ) -> Value {
        match value {
            Some(value) => {
                let value = self.steps(value, reference.after(from), scope);
                passed_on(value, reference.text(), reference.span)
            }
            // It is declared nowhere in these files, but it is written: whatever it is, it is not null.
            None => {
                let reason = Reason::new(ReasonKind::Outside, reference.text(), Some(reference.span));
                unknown(reason, Type::Any, true, reference.span)
            }
        }
    }

    fn module_reference(&self, reference: &Reference<'_>, instance: &Rc<Instance<'a>>, scope: &Scope<'a, '_>) -> Value {
        let calls = &instance.module.calls;
        let Some(index) = reference.name(0).and_then(|name| calls.find(name)) else {
            return self.outside(reference.text(), Type::Any, reference.span);
        };
        // The usual form names one output: the others need not be computed for it.
        let value = match reference.name(1) {
            Some(output) => match self.module_output(instance, index, output, reference.span) {
                Some(value) => self.steps(value, reference.after(2), scope),
                None => self.steps(self.module_value(instance, index, reference.span), reference.after(1), scope),
            },
            None => self.steps(self.module_value(instance, index, reference.span), reference.after(1), scope),
        };
        passed_on(value, reference.text(), reference.span)
    }
}

/// A value read through a reference; one that begins there only takes its place.
fn passed_on(value: Value, what: impl Into<Arc<str>>, span: Span) -> Value {
    if span.contains(value.span()) { value.at(span) } else { value.through(what, span) }
}

/// The way from one folder to another, both as prefixes (`a/b/`).
fn relative(from: &str, to: &str) -> String {
    let segments = |prefix: &str| prefix.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (from, to) = (segments(from), segments(to));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - shared);
    let down = to.iter().skip(shared).map(String::as_str);
    let path = up.chain(down).collect::<Vec<_>>().join("/");
    if path.is_empty() { ".".into() } else { path }
}

#[cfg(test)]
mod tests {
    use super::relative;

    #[test]
    fn paths_are_written_from_the_root() {
        assert_eq!(relative("live/prod/", "live/prod/"), ".");
        assert_eq!(relative("live/prod/", "modules/vpc/"), "../../modules/vpc");
        assert_eq!(relative("", "modules/vpc/"), "modules/vpc");
        assert_eq!(relative("a/", ""), "..");
    }
}
