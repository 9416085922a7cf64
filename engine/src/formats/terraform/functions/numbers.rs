//! Functions over numbers.

use num_bigint::{BigInt, Sign};

use super::{ANY, Context, Function, NUMBER, Outcome, Shape, Stop, at, function, number_at, text_at, whole_at};
use crate::formats::terraform::values::decimal;
use crate::resource::{Number, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    function("abs", &[NUMBER], Shape::Number, |c, a| {
        let number = number_at(a, 0);
        let negated = if number <= Number::from(0) { decimal::negate(&number) } else { Some(number) };
        c.number(negated.map(|number| if number.as_i64() == Some(0) { 0.into() } else { number }))
    }),
    function("ceil", &[NUMBER], Shape::Number, |c, a| c.number(decimal::whole(&number_at(a, 0), true))),
    function("floor", &[NUMBER], Shape::Number, |c, a| c.number(decimal::whole(&number_at(a, 0), false))),
    function("log", &[NUMBER, NUMBER], Shape::Number, |c, a| {
        let logarithm = number_at(a, 0).as_f64().ln() / number_at(a, 1).as_f64().ln();
        if logarithm.is_nan() {
            return Err("there is no such logarithm".into());
        }
        c.number(decimal::from_double(logarithm))
    }),
    function("max", &[], Shape::Number, |c, a| extreme(c, a, true)).further(NUMBER),
    function("min", &[], Shape::Number, |c, a| extreme(c, a, false)).further(NUMBER),
    function("parseint", &[ANY, NUMBER], Shape::Number, parseint),
    function("pow", &[NUMBER, NUMBER], Shape::Number, |c, a| {
        c.number(decimal::from_double(number_at(a, 0).as_f64().powf(number_at(a, 1).as_f64())))
    }),
    function("signum", &[NUMBER], Shape::Number, |c, a| {
        let whole = whole_at(a, 0)?;
        c.number(Some(Number::from(whole.signum())))
    }),
];

fn extreme(context: &Context<'_, '_>, arguments: &[Value], greatest: bool) -> Outcome {
    let numbers = arguments.iter().filter_map(Value::as_number);
    // Of equal ones the first.
    let found =
        numbers.reduce(|best, next| if (greatest && next > best) || (!greatest && next < best) { next } else { best });
    match found {
        Some(number) => context.number(Some(number)),
        None => Err("at least one number is required".into()),
    }
}

fn parseint(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let base = whole_at(arguments, 1)?;
    let base = u32::try_from(base).ok().filter(|base| (2..=62).contains(base));
    let base = base.ok_or_else(|| Stop::from("the base must be between 2 and 62"))?;
    at(arguments, 0).as_text().ok_or_else(|| Stop::from("the first argument must be text"))?;
    let text = text_at(arguments, 0);
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut value = BigInt::from(0);
    if digits.is_empty() || digits.len() > 1_000 {
        return Err("this is no whole number".into());
    }
    for digit in digits.chars() {
        let digit = digit_value(digit, base).ok_or_else(|| Stop::from("this is no whole number in that base"))?;
        value = value * base + digit;
    }
    let value =
        if text.starts_with('-') { BigInt::from_biguint(Sign::Minus, value.magnitude().clone()) } else { value };
    context.number(decimal::from_integer(&value))
}

fn digit_value(digit: char, base: u32) -> Option<u32> {
    let value = match digit {
        '0'..='9' => u32::from(digit) - u32::from('0'),
        'a'..='z' => u32::from(digit) - u32::from('a') + 10,
        'A'..='Z' if base <= 36 => u32::from(digit) - u32::from('A') + 10,
        'A'..='Z' => u32::from(digit) - u32::from('A') + 36,
        _ => return None,
    };
    (value < base).then_some(value)
}
