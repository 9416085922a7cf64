//! The arguments of a call as a function wants them.

use std::sync::{Arc, OnceLock};

use super::signature::Stop;
use crate::formats::terraform::eval::{is_known, wholly_known};
use crate::resource::{Number, Span, Value};

/// An argument by its position; the table has checked that it is there.
pub(super) fn at(arguments: &[Value], index: usize) -> &Value {
    static MISSING: OnceLock<Value> = OnceLock::new();
    arguments.get(index).unwrap_or_else(|| MISSING.get_or_init(|| Value::null(Span::NOWHERE)))
}

/// The text of an argument that was converted to text.
pub(super) fn text_at(arguments: &[Value], index: usize) -> &str {
    at(arguments, index).as_text().map_or("", |text| text)
}

pub(super) fn shared_at(arguments: &[Value], index: usize) -> Arc<str> {
    at(arguments, index).as_text().cloned().unwrap_or_else(|| "".into())
}

pub(super) fn number_at(arguments: &[Value], index: usize) -> Number {
    at(arguments, index).as_number().unwrap_or_else(|| Number::from(0))
}

/// A whole number, or a fault.
pub(super) fn whole_at(arguments: &[Value], index: usize) -> Result<i64, Stop> {
    let number = number_at(arguments, index);
    number.as_i64().ok_or_else(|| Stop::Fault(format!("argument {} must be a whole number", index + 1)))
}

/// The elements of an argument that is a list.
pub(super) fn items_at(arguments: &[Value], index: usize) -> &[Value] {
    at(arguments, index).as_list().map_or(&[], |list| &list.items)
}

/// The texts of a list, as far as all of them are known and not null.
pub(super) fn texts(items: &[Value]) -> Result<Vec<&Arc<str>>, Stop> {
    let text = |item: &'_ Value| -> Result<(), Stop> {
        if !is_known(item) {
            return Err(Stop::Unknown(item.clone()));
        }
        if item.is_null() { Err("a list must not hold null".into()) } else { Ok(()) }
    };
    items.iter().try_for_each(text)?;
    Ok(items.iter().filter_map(Value::as_text).collect())
}

/// Whether all of a value is known; what of it is not.
pub(super) fn settled(value: &Value) -> Result<(), Stop> {
    if wholly_known(value, &mut 1_000_000) { Ok(()) } else { Err(Stop::Unknown(value.clone())) }
}
