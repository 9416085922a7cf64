//! Functions over sets.

use super::{Context, Function, Outcome, Shape, Stop, at, function, items_at, known, open, settled};
use crate::formats::terraform::eval::{ELEMENT_LIMIT, is_known};
use crate::formats::terraform::values::convert::convert;
use crate::formats::terraform::values::{compare, shape};
use crate::resource::{ListKind, Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    function("setintersection", &[known(Shape::Set)], Shape::Set, |c, a| combine(c, a, Kept::OfAll))
        .further(known(Shape::Set))
        .hands_on(),
    function("setproduct", &[], Shape::List, setproduct).further(open(Shape::Any)).hands_on(),
    function("setsubtract", &[known(Shape::Set), known(Shape::Set)], Shape::Set, |c, a| combine(c, a, Kept::OnlyFirst))
        .hands_on(),
    function("setunion", &[known(Shape::Set)], Shape::Set, |c, a| combine(c, a, Kept::OfAny))
        .further(known(Shape::Set))
        .hands_on(),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    OfAny,
    OfAll,
    OnlyFirst,
}

fn combine(context: &Context<'_, '_>, arguments: &[Value], kept: Kept) -> Outcome {
    let types: Vec<Type> = arguments.iter().map(shape::type_of).collect();
    let shared = shape::unify(&types).ok_or_else(|| Stop::from("all sets must be of one type"))?;
    if kept != Kept::OfAny {
        arguments.iter().try_for_each(settled)?;
    }
    let sets = arguments.iter().map(|set| convert(set.clone(), &shared)).collect::<Result<Vec<_>, _>>()?;
    let items = |index: usize| items_at(&sets, index);
    let total: usize = (0..sets.len()).map(|index| items(index).len()).sum();
    let work = if kept == Kept::OfAny { total } else { total.saturating_mul(items(0).len()) };
    if !context.evaluator.charge(work) {
        return Ok(context.evaluator.exhausted(context.span));
    }
    let holds = |index: usize, item: &Value| items(index).iter().any(|other| compare::equal(item, other) == Some(true));
    let first = items(0).iter();
    let chosen: Vec<Value> = match kept {
        Kept::OfAny => (0..sets.len()).flat_map(items).cloned().collect(),
        Kept::OfAll => first.filter(|item| (1..sets.len()).all(|index| holds(index, item))).cloned().collect(),
        Kept::OnlyFirst => first.filter(|item| !holds(1, item)).cloned().collect(),
    };
    // The type is that of all of them, whatever is left.
    Ok(convert(context.list(ListKind::Set, compare::distinct_sorted(chosen))?, &shared)?)
}

/// Every combination of one element of each.
fn setproduct(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    if arguments.len() < 2 {
        return Err("at least two collections are required".into());
    }
    if let Some(open) = arguments.iter().find(|argument| !is_known(argument)) {
        return Err(Stop::Unknown(open.clone()));
    }
    let mut ordered = true;
    let mut sides = Vec::with_capacity(arguments.len());
    for index in 0..arguments.len() {
        let list = at(arguments, index).as_list().ok_or_else(|| Stop::from("all arguments must be sets or lists"))?;
        ordered &= list.kind != ListKind::Set;
        let alike = convert(at(arguments, index).clone(), &Shape::List.of())?;
        sides.push(alike.as_list().map(|list| list.items.clone()).unwrap_or_default());
    }
    let total = sides.iter().try_fold(1_usize, |total, side| total.checked_mul(side.len()));
    if total.is_none_or(|total| total > ELEMENT_LIMIT) {
        return Ok(context
            .evaluator
            .limit(format!("a product of more than {ELEMENT_LIMIT} combinations"), context.span));
    }
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for side in &sides {
        let longer = |row: &Vec<Value>| {
            let row = row.clone();
            side.iter()
                .map(move |item| row.iter().cloned().chain([item.clone()]).collect())
                .collect::<Vec<Vec<Value>>>()
        };
        rows = rows.iter().flat_map(longer).collect();
    }
    let tuples: Vec<Value> = rows.into_iter().map(|row| Value::list(ListKind::Tuple, row, context.span)).collect();
    if ordered {
        context.list(ListKind::List, tuples)
    } else {
        context.list(ListKind::Set, compare::distinct_sorted(tuples))
    }
}
