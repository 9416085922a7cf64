//! `count` and `for_each`: which instances a block has.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::instance::ExpansionKind;
use super::{Evaluator, Expansion, Instance, InstanceKey, One, Repetition, Scope, reason, unknown};
use crate::formats::terraform::syntax::ir::{Attribute, Block};
use crate::formats::terraform::values::compare;
use crate::formats::terraform::values::convert::convert;
use crate::resource::{Data, ListKind, MapKind, ProblemKind, Reason, ReasonKind, Span, Type, Value};

/// Most instances of one block.
const INSTANCE_LIMIT: usize = 1_024;

/// The instances one value of `for_each` gives: by key, what `each.value` is.
type Keyed = BTreeMap<Arc<str>, Value>;

impl<'a> Evaluator<'a> {
    /// The instances of a block as its `count` or `for_each` says.
    pub(super) fn expand(&self, block: &Block, instance: &Rc<Instance<'a>>) -> Expansion {
        let value = |attribute: &Attribute| {
            let scope = Scope::top(instance, instance.file(attribute.file));
            self.apart(|| self.eval(&attribute.value, &scope))
        };
        if let Some(count) = block.body.attribute("count") {
            return self.by_count(value(count));
        }
        if let Some(each) = block.body.attribute("for_each") {
            return self.by_each(value(each));
        }
        Expansion::single()
    }

    fn by_count(&self, value: Value) -> Expansion {
        let span = value.span();
        let count = match convert(value, &Type::Number) {
            Ok(count) => count,
            Err(why) => return Expansion::perhaps_count(invalid(format!("count: {why}"), span), span),
        };
        let number = |value: &Value| value.as_number().and_then(|n| n.as_i64()).and_then(|n| usize::try_from(n).ok());
        match count.data() {
            Data::OneOf(alternatives) if alternatives.iter().all(|one| number(one).is_some()) => {
                let counts: Vec<usize> = alternatives.iter().filter_map(number).collect();
                let least = counts.iter().copied().min().unwrap_or_default();
                let most = counts.iter().copied().max().unwrap_or_default();
                let maybe = reason(&count);
                let expansion = self.counted(most, span, &|at| if at < least { None } else { maybe.clone() });
                let possible = counts.iter().map(|count| (0..(*count).min(INSTANCE_LIMIT)).collect()).collect();
                Expansion { choice: maybe.clone().map(|reason| (reason, possible)), ..expansion }
            }
            Data::Unknown(_) | Data::OneOf(_) => match reason(&count) {
                Some(reason) => Expansion::perhaps_count(reason, span),
                None => Expansion::single(),
            },
            _ => match number(&count) {
                Some(number) => self.counted(number, span, &|_| None),
                None => Expansion::perhaps_count(invalid("count is no number of instances".into(), span), span),
            },
        }
    }

    fn counted(&self, count: usize, span: Span, maybe: &dyn Fn(usize) -> Option<Reason>) -> Expansion {
        self.check_instances(count, span);
        let one = |at: usize| One {
            key: InstanceKey::Index(at as i64),
            repetition: Some(Repetition::Count { index: Value::number(at as i64, span) }),
            maybe: maybe(at),
        };
        let instances = (0..count.min(INSTANCE_LIMIT)).map(one).collect();
        Expansion { kind: ExpansionKind::Count, instances, choice: None }
    }

    fn check_instances(&self, count: usize, span: Span) {
        if count > INSTANCE_LIMIT {
            let message = format!("{count} instances; only the first {INSTANCE_LIMIT} were evaluated");
            self.problem(ProblemKind::Limit, "instances", span, message, "split the block");
        }
    }

    fn by_each(&self, value: Value) -> Expansion {
        let span = value.span();
        if let Data::OneOf(alternatives) = value.data() {
            let all: Option<Vec<Keyed>> = alternatives.iter().map(|one| self.keyed(one).ok()).collect();
            if let (Some(all), Some(choice)) = (all, reason(&value)) {
                return self.keyed_by_choice(all, &choice, span);
            }
        }
        match self.keyed(&value) {
            Ok(keyed) => self.each_of(keyed.into_iter().map(|(key, value)| (key, value, None)).collect(), span),
            Err(reason) => Expansion::perhaps_each(reason, span),
        }
    }

    /// Keys that only some alternatives have are there only perhaps.
    fn keyed_by_choice(&self, all: Vec<Keyed>, choice: &Reason, span: Span) -> Expansion {
        let mut keys: Vec<Arc<str>> = all.iter().flat_map(|keyed| keyed.keys().cloned()).collect();
        keys.sort();
        keys.dedup();
        let one = |key: Arc<str>| {
            let values: Vec<Value> = all.iter().filter_map(|keyed| keyed.get(&key).cloned()).collect();
            let maybe = (values.len() < all.len()).then(|| choice.clone());
            (key, super::choice::one_of(values, choice.clone(), span), maybe)
        };
        let places = |keyed: &Keyed| {
            let held = keys.iter().enumerate().filter(|(_, key)| keyed.contains_key(*key));
            held.map(|(at, _)| at).take_while(|at| *at < INSTANCE_LIMIT).collect()
        };
        let possible = all.iter().map(places).collect();
        let expansion = self.each_of(keys.iter().cloned().map(one).collect(), span);
        Expansion { choice: Some((choice.clone(), possible)), ..expansion }
    }

    fn each_of(&self, keyed: Vec<(Arc<str>, Value, Option<Reason>)>, span: Span) -> Expansion {
        self.check_instances(keyed.len(), span);
        let one = |(key, value, maybe): (Arc<str>, Value, Option<Reason>)| One {
            repetition: Some(Repetition::Each { key: Value::text(Arc::clone(&key), span), value }),
            key: InstanceKey::Key(key),
            maybe,
        };
        let instances = keyed.into_iter().take(INSTANCE_LIMIT).map(one).collect();
        Expansion { kind: ExpansionKind::Each, instances, choice: None }
    }

    /// The keys and values of one `for_each`, or why nobody knows them.
    fn keyed(&self, value: &Value) -> Result<Keyed, Reason> {
        let span = value.span();
        if let Some(reason) = reason(value) {
            return Err(reason);
        }
        match value.data() {
            Data::Map(map) if map.kind != MapKind::Block => {
                let entries = compare::sorted(map).into_iter();
                Ok(entries.map(|(key, item)| (Arc::clone(key), item.clone())).collect())
            }
            Data::List(list) if list.kind == ListKind::Set => {
                let key = |item: &Value| match (reason(item), item.as_text()) {
                    (Some(reason), _) => Err(reason),
                    (None, Some(text)) => Ok((Arc::clone(text), item.clone())),
                    (None, None) => Err(invalid("for_each takes a set of text".into(), span)),
                };
                list.items.iter().map(key).collect()
            }
            _ => Err(invalid("for_each takes a map or a set of text".into(), span)),
        }
    }
}

fn invalid(message: String, span: Span) -> Reason {
    Reason::new(ReasonKind::Invalid, message, Some(span))
}

impl Expansion {
    pub(super) fn single() -> Self {
        let only = One { key: InstanceKey::Only, repetition: None, maybe: None };
        Self { kind: ExpansionKind::Single, instances: vec![only], choice: None }
    }

    fn perhaps_count(reason: Reason, span: Span) -> Self {
        let index = unknown(reason.clone(), Type::Number, true, span);
        Self::perhaps(reason, Repetition::Count { index })
    }

    fn perhaps_each(reason: Reason, span: Span) -> Self {
        let key = unknown(reason.clone(), Type::Text, true, span);
        let value = unknown(reason.clone(), Type::Any, false, span);
        Self::perhaps(reason, Repetition::Each { key, value })
    }

    fn perhaps(reason: Reason, repetition: Repetition) -> Self {
        let one = One { key: InstanceKey::Only, repetition: Some(repetition), maybe: Some(reason.clone()) };
        Self { kind: ExpansionKind::Unknown(reason), instances: vec![one], choice: None }
    }
}
