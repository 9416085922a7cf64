//! Functions over lists.

use std::sync::Arc;

use super::text::all_texts;
use super::{
    ANY, Context, Function, NUMBER, Outcome, Shape, Stop, anything, at, function, items_at, known, number_at, open,
    settled, whole_at,
};
use crate::formats::terraform::eval::{ELEMENT_LIMIT, is_known, reason, unknown};
use crate::formats::terraform::values::convert::convert;
use crate::formats::terraform::values::{compare, decimal, shape};
use crate::resource::{Data, List, ListKind, Number, Type, Value};

/// Most numbers `range` gives: Terraform's own limit.
const RANGE_LIMIT: usize = 1_024;

pub(super) const FUNCTIONS: &[Function] = &[
    function("alltrue", &[known(Shape::Bools)], Shape::Bool, |c, a| quantified(c, a, false)),
    function("anytrue", &[known(Shape::Bools)], Shape::Bool, |c, a| quantified(c, a, true)),
    function("chunklist", &[known(Shape::List), NUMBER], Shape::List, chunklist).hands_on(),
    function("coalescelist", &[], Shape::Any, coalescelist).further(anything(Shape::Any)),
    function("compact", &[known(Shape::Texts)], Shape::Texts, compact),
    function("concat", &[], Shape::List, concat).further(open(Shape::Ordered)).hands_on(),
    function("contains", &[ANY, open(Shape::Any)], Shape::Bool, contains),
    function("distinct", &[known(Shape::List)], Shape::List, distinct),
    function("element", &[ANY, open(Shape::Number)], Shape::Any, element).hands_on(),
    function("flatten", &[ANY], Shape::List, flatten).hands_on(),
    function("index", &[ANY, ANY], Shape::Number, index),
    function("matchkeys", &[known(Shape::List), known(Shape::List), known(Shape::List)], Shape::List, matchkeys)
        .hands_on(),
    function("one", &[open(Shape::Sequence)], Shape::Any, one),
    function("range", &[], Shape::List, range).further(NUMBER),
    function("reverse", &[open(Shape::Sequence)], Shape::List, reverse).hands_on(),
    function("slice", &[ANY, NUMBER, NUMBER], Shape::List, slice).hands_on(),
    function("sort", &[known(Shape::Texts)], Shape::Texts, sort),
    function("sum", &[ANY], Shape::Number, sum),
];

fn list_at(arguments: &[Value], index: usize) -> Result<&List, Stop> {
    at(arguments, index).as_list().ok_or_else(|| Stop::from("a list is required"))
}

/// Lists stay lists, everything else becomes one.
fn kept(kind: ListKind) -> ListKind {
    if kind == ListKind::Tuple { ListKind::Tuple } else { ListKind::List }
}

/// Whether any is true, or all are: as soon as one decides, the unknown ones do not matter.
fn quantified(context: &Context<'_, '_>, arguments: &[Value], any: bool) -> Outcome {
    let items = items_at(arguments, 0);
    let decides = |item: &&Value| item.as_bool() == Some(any) || (!any && item.is_null());
    if items.iter().any(|item| decides(&item)) {
        return context.bool(any);
    }
    match items.iter().find(|item| !is_known(item)) {
        Some(open) => Err(Stop::Unknown(open.clone())),
        None => context.bool(!any),
    }
}

fn chunklist(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let items = items_at(arguments, 0);
    let size = usize::try_from(whole_at(arguments, 1)?).map_err(|_| Stop::from("the size must not be negative"))?;
    let size = if size == 0 { items.len().max(1) } else { size };
    let chunks = items.chunks(size).map(|chunk| Value::list(ListKind::List, chunk.to_vec(), context.span));
    context.list(ListKind::List, chunks.collect())
}

fn coalescelist(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let no_list = |value: &Value| {
        !value.is_null() && is_known(value) && value.as_list().is_none_or(|list| list.kind == ListKind::Set)
    };
    if arguments.iter().any(no_list) {
        return Err("all arguments must be lists".into());
    }
    for argument in arguments {
        match argument.data() {
            Data::Null if shape::type_of(argument) == Type::Any => return Err("all arguments must be lists".into()),
            Data::Null => {}
            Data::List(list) if list.items.is_empty() => {}
            Data::List(_) => return Ok(argument.clone().at(context.span)),
            _ => return Err(Stop::Unknown(argument.clone())),
        }
    }
    Err("all arguments are null or empty".into())
}

fn compact(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let items = items_at(arguments, 0);
    // An unknown text may turn out to be empty, unless something of it is known.
    let open =
        items.iter().find(|item| !is_known(item) && item.as_unknown().is_none_or(|unknown| unknown.prefix.is_none()));
    if let Some(open) = open {
        return Err(Stop::Unknown(open.clone()));
    }
    let full = |item: &&Value| !item.is_null() && item.as_text().is_none_or(|text| !text.is_empty());
    context.list(ListKind::List, items.iter().filter(full).cloned().collect())
}

/// Lists of one type make a list of it, anything else makes a tuple.
fn concat(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    if arguments.is_empty() {
        return Err("at least one list is required".into());
    }
    let total: usize = (0..arguments.len()).map(|index| items_at(arguments, index).len()).sum();
    if let Some(crowded) = context.evaluator.crowded(total, context.span) {
        return Ok(crowded);
    }
    let mut items = Vec::with_capacity(total);
    for index in 0..arguments.len() {
        let argument = at(arguments, index);
        if !is_known(argument) {
            items.extend_from_slice(members(argument));
            continue;
        }
        let list = list_at(arguments, index)?;
        if list.kind == ListKind::Set {
            return Err("a set must be made a list first".into());
        }
        items.extend_from_slice(&list.items);
    }
    if let Some(open) = arguments.iter().find(|argument| !is_known(argument)) {
        return Ok(at_least(context, items, open));
    }
    let types: Vec<Type> = arguments.iter().map(shape::type_of).collect();
    let lists = types.iter().all(|shape| matches!(shape, Type::List(_)));
    if let (true, Some(Type::List(element))) = (lists, shape::unify(&types)) {
        let items = items.into_iter().map(|item| convert(item, &element)).collect::<Result<_, _>>()?;
        return context.list(ListKind::List, items);
    }
    context.list(ListKind::Tuple, items)
}

/// What a list that nobody knows whole has for certain.
fn members(list: &Value) -> &[Value] {
    list.notes().map_or(&[], |notes| &notes.members)
}

/// A list of these and of what nobody knows.
fn at_least(context: &Context<'_, '_>, items: Vec<Value>, open: &Value) -> Value {
    let is_list = open.as_unknown().is_none_or(|unknown| matches!(unknown.shape, Type::List(_)));
    let shape = if is_list { Shape::List.of() } else { Type::Any };
    let value = context.evaluator.because_of(&[open], shape, context.span);
    let sensitive = open.is_sensitive();
    context.evaluator.marked(value.noted(|notes| notes.members = items), sensitive)
}

fn contains(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let (list, value) = (list_at(arguments, 0)?, at(arguments, 1));
    let mut open = None;
    for item in &list.items {
        match compare::equal(item, value) {
            Some(true) => return context.bool(true),
            Some(false) => {}
            None => open = open.or(Some(item)),
        }
    }
    match open {
        Some(item) if reason(value).is_none() => Err(Stop::Unknown(item.clone())),
        Some(_) => Err(Stop::Unknown(value.clone())),
        None => context.bool(false),
    }
}

fn distinct(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    settled(at(arguments, 0))?;
    let items = items_at(arguments, 0);
    if items.iter().all(|item| item.as_text().is_some()) {
        let mut seen = std::collections::HashSet::new();
        let first = |item: &&Value| item.as_text().is_some_and(|text| seen.insert(Arc::clone(text)));
        return context.list(ListKind::List, items.iter().filter(first).cloned().collect());
    }
    let mut kept: Vec<Value> = Vec::new();
    for item in items {
        if !context.evaluator.charge(kept.len()) {
            return Ok(context.evaluator.exhausted(context.span));
        }
        if !kept.iter().any(|other| compare::equal(other, item) == Some(true)) {
            kept.push(item.clone());
        }
    }
    context.list(ListKind::List, kept)
}

fn element(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let list = list_at(arguments, 0)?;
    if list.kind == ListKind::Set {
        return Err("a set has no positions".into());
    }
    if list.items.is_empty() {
        return Err("the list is empty".into());
    }
    let index = at(arguments, 1);
    if !is_known(index) {
        return Ok(context.evaluator.index(at(arguments, 0).clone(), index.clone(), context.span));
    }
    let index = whole_at(arguments, 1)?;
    let length = list.items.len() as i64;
    if list.kind == ListKind::Tuple && index % length < 0 {
        return Err("a tuple has no negative positions".into());
    }
    let wrapped = index.rem_euclid(length);
    let item = usize::try_from(wrapped).ok().and_then(|at| list.items.get(at));
    item.map(|item| context.handed_on(item)).ok_or_else(|| Stop::from("the index is not within the list"))
}

fn flatten(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let mut flat = Vec::new();
    let mut open = None;
    let mut sensitive = false;
    list_at(arguments, 0)?;
    let mut left: Vec<&Value> = vec![at(arguments, 0)];
    while let Some(item) = left.pop() {
        if flat.len() + left.len() > ELEMENT_LIMIT || !context.evaluator.charge(1) {
            let crowded = context.evaluator.crowded(ELEMENT_LIMIT + 1, context.span);
            return Ok(crowded.unwrap_or_else(|| context.evaluator.exhausted(context.span)));
        }
        match item.data() {
            Data::List(inner) => {
                sensitive |= item.is_sensitive();
                // Nobody knows where in a set its unknown elements come.
                let unsettled = inner.kind == ListKind::Set && inner.items.iter().any(|item| !is_known(item));
                open = open.or(unsettled.then_some(item));
                left.extend(inner.items.iter().rev());
            }
            Data::Unknown(unknown) if may_be_list(&unknown.shape) => {
                open = open.or(Some(item));
                left.extend(members(item).iter().rev());
            }
            Data::OneOf(_) if may_be_list(&shape::type_of(item)) => open = open.or(Some(item)),
            _ => flat.push(item.clone()),
        }
    }
    let value = match open {
        Some(open) => {
            context.evaluator.because_of(&[open], Shape::List.of(), context.span).noted(|notes| notes.members = flat)
        }
        None => context.list(ListKind::Tuple, flat)?,
    };
    Ok(context.evaluator.marked(value, sensitive))
}

fn may_be_list(shape: &Type) -> bool {
    matches!(shape, Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_))
}

fn index(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let list = list_at(arguments, 0)?;
    if list.kind == ListKind::Set {
        return Err("a set has no positions".into());
    }
    for (at_index, item) in list.items.iter().enumerate() {
        match compare::equal(item, at(arguments, 1)) {
            Some(true) => return context.number(Some(Number::from(at_index as i64))),
            Some(false) => {}
            None => return Err(Stop::Unknown(item.clone())),
        }
    }
    Err("the list does not hold this value".into())
}

fn matchkeys(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let (values, keys, wanted) = (items_at(arguments, 0), items_at(arguments, 1), items_at(arguments, 2));
    if values.len() != keys.len() {
        return Err("there must be as many keys as values".into());
    }
    let types = [shape::type_of(at(arguments, 1)), shape::type_of(at(arguments, 2))];
    let shared = shape::unify(&types).ok_or_else(|| Stop::from("keys and wanted keys must be of one type"))?;
    settled(at(arguments, 1))?;
    settled(at(arguments, 2))?;
    if !context.evaluator.charge(keys.len().saturating_mul(wanted.len())) {
        return Ok(context.evaluator.exhausted(context.span));
    }
    let keys = convert(at(arguments, 1).clone(), &shared)?;
    let wanted = convert(at(arguments, 2).clone(), &shared)?;
    let is_wanted = |key: &Value| {
        wanted.as_list().is_some_and(|list| list.items.iter().any(|other| compare::equal(key, other) == Some(true)))
    };
    let keys = keys.as_list().map_or(&[][..], |list| &list.items);
    let chosen = values.iter().zip(keys).filter(|(_, key)| is_wanted(key)).map(|(value, _)| value.clone());
    context.list(ListKind::List, chosen.collect())
}

fn one(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    if let Some(whole) = at(arguments, 0).as_unknown() {
        let shape = match &whole.shape {
            Type::Tuple(elements) if elements.len() > 1 => {
                return Err("a list of at most one element is required".into());
            }
            Type::Tuple(elements) => elements.first().cloned().unwrap_or_default(),
            Type::List(element) | Type::Set(element) => (**element).clone(),
            _ => Type::Any,
        };
        return Ok(unknown(whole.reason.clone(), shape, false, context.span));
    }
    match list_at(arguments, 0)?.items.as_slice() {
        [] => Ok(Value::null(context.span)),
        [only] => Ok(context.handed_on(only)),
        [first, ..] if list_at(arguments, 0)?.kind == ListKind::Set && !is_known(first) => {
            Err(Stop::Unknown(first.clone()))
        }
        _ => Err("a list of at most one element is required".into()),
    }
}

fn range(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let zero = Number::from(0);
    let (start, end, step) = match arguments {
        [_] => (zero.clone(), number_at(arguments, 0), None),
        [_, _] => (number_at(arguments, 0), number_at(arguments, 1), None),
        [_, _, _] => (number_at(arguments, 0), number_at(arguments, 1), Some(number_at(arguments, 2))),
        _ => return Err("takes one, two or three numbers".into()),
    };
    let down = end < start;
    let step = step.unwrap_or_else(|| Number::from(if down { -1 } else { 1 }));
    if start != end && (step == zero || (step < zero) != down) {
        return Err("the step must lead from the start to the end".into());
    }
    let mut numbers = Vec::new();
    let mut at = start;
    while if down { at > end } else { at < end } {
        if numbers.len() >= RANGE_LIMIT {
            return Err(Stop::Fault(format!("more than {RANGE_LIMIT} numbers")));
        }
        numbers.push(Value::number(at.clone(), context.span));
        at = decimal::add(&at, &step).ok_or_else(|| Stop::from("this number is beyond what is computed"))?;
    }
    context.list(ListKind::List, numbers)
}

fn reverse(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    if let Some(whole) = at(arguments, 0).as_unknown() {
        let shape = match &whole.shape {
            Type::Tuple(elements) => Type::Tuple(elements.iter().rev().cloned().collect()),
            Type::List(element) | Type::Set(element) => Type::List(Arc::clone(element)),
            _ => Type::Any,
        };
        return Ok(unknown(whole.reason.clone(), shape, true, context.span));
    }
    let list = list_at(arguments, 0)?;
    context.list(kept(list.kind), list.items.iter().rev().cloned().collect())
}

fn slice(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let list = list_at(arguments, 0)?;
    if list.kind == ListKind::Set {
        return Err("a set has no positions".into());
    }
    let bound = |index| whole_at(arguments, index).map(usize::try_from);
    match (bound(1)?, bound(2)?) {
        (Ok(start), Ok(end)) if start <= end => match list.items.get(start..end) {
            Some(items) => context.list(kept(list.kind), items.to_vec()),
            None => Err("the positions are not within the list".into()),
        },
        _ => Err("the positions are not within the list".into()),
    }
}

fn sort(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let mut items = items_at(arguments, 0).to_vec();
    if let Some(reason) = items.iter().find_map(reason) {
        // How many there are is known, what stands where is not.
        let open = unknown(reason, Type::Text, true, context.span);
        return context.list(ListKind::List, vec![open; items.len()]);
    }
    all_texts(arguments, 0)?;
    items.sort_by(compare::order);
    context.list(ListKind::List, items)
}

fn sum(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let list = list_at(arguments, 0)?;
    if list.items.is_empty() {
        return Err("an empty list has no sum".into());
    }
    settled(at(arguments, 0))?;
    let mut total: Option<Number> = None;
    for item in &list.items {
        let number = convert(item.clone(), &Type::Number).ok().and_then(|item| item.as_number());
        let number = number.ok_or_else(|| Stop::from("a list of numbers is required"))?;
        let sum = match total {
            None => Some(number),
            Some(total) => decimal::add(&total, &number),
        };
        total = Some(sum.ok_or_else(|| Stop::from("this number is beyond what is computed"))?);
    }
    context.number(total)
}
