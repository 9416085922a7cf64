//! Conversions and marks.

use super::{Context, Function, Outcome, Shape, Stop, anything, at, function};
use crate::formats::terraform::eval::{is_known, reason};
use crate::formats::terraform::values::convert::convert;
use crate::resource::{Data, Type, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    function("tobool", &[anything(Shape::Any)], Shape::Bool, |c, a| to(c, a, &Type::Bool)).hands_on(),
    function("tonumber", &[anything(Shape::Any)], Shape::Number, |c, a| to(c, a, &Type::Number)).hands_on(),
    function("tostring", &[anything(Shape::Any)], Shape::Text, |c, a| to(c, a, &Type::Text)).hands_on(),
    function("tolist", &[anything(Shape::Any)], Shape::List, |c, a| to(c, a, &Shape::List.of())).hands_on(),
    function("toset", &[anything(Shape::Any)], Shape::Set, |c, a| to(c, a, &Shape::Set.of())).hands_on(),
    function("tomap", &[anything(Shape::Any)], Shape::Any, |c, a| to(c, a, &Type::Map(Type::Any.into()))).hands_on(),
    function("sensitive", &[anything(Shape::Any)], Shape::Any, |c, a| Ok(c.evaluator.marked(at(a, 0).clone(), true))),
    function("nonsensitive", &[anything(Shape::Any)], Shape::Any, |_, a| Ok(unmarked(at(a, 0)))),
    function("issensitive", &[anything(Shape::Any)], Shape::Bool, issensitive),
    function("ephemeralasnull", &[anything(Shape::Any)], Shape::Any, |_, a| Ok(at(a, 0).clone())).hands_on(),
];

fn to(context: &Context<'_, '_>, arguments: &[Value], shape: &Type) -> Outcome {
    let value = convert(at(arguments, 0).clone(), shape).map_err(Stop::from)?;
    Ok(value.at(context.span))
}

fn unmarked(value: &Value) -> Value {
    if let Data::OneOf(alternatives) = value.data() {
        let alternatives = alternatives.iter().map(unmarked).collect();
        return value.clone().with(Data::OneOf(alternatives)).noted(|notes| notes.sensitive = false);
    }
    if value.is_sensitive() { value.clone().noted(|notes| notes.sensitive = false) } else { value.clone() }
}

fn issensitive(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let value = at(arguments, 0);
    if value.is_sensitive() {
        return context.bool(true);
    }
    match reason(value) {
        Some(_) if !is_known(value) => Err(Stop::Unknown(value.clone())),
        _ => context.bool(false),
    }
}
