//! Arithmetic as Terraform does it: binary floats of 512 bits, printed as the shortest decimal that reads back the same.
//!
//! Whole numbers that fit 64 bits are computed as such; everything else goes through [`Big`], which is slow and rare.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};

use super::big::{BITS, Big};
use crate::resource::Number;

/// A number from text as Terraform converts it (`5`, `.5`, `1e3`), or `None` when it is none.
pub(crate) fn parse(text: &str) -> Option<Number> {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !body.is_empty() && body.len() < 19 && body.bytes().all(|byte| byte.is_ascii_digit()) {
        let whole = text.parse::<i64>().ok()?;
        return if whole == 0 && text.starts_with('-') { negative_zero() } else { Some(whole.into()) };
    }
    Big::parse(text, BITS)?.into_number()
}

/// A whole number that Terraform computes with 64 bits, because a function counted it.
pub(crate) fn counted(count: usize) -> Number {
    i64::try_from(count).ok().and_then(|count| Number::exact(&count.to_string(), 64)).unwrap_or_else(|| Number::from(0))
}

/// A number Terraform computed as a double; `None` for infinities and not-a-number.
pub(crate) fn from_double(value: f64) -> Option<Number> {
    let plain = Number::from_f64(value)?;
    if plain.as_i64().is_some() { Some(plain) } else { Number::exact(&plain.to_string(), 53) }
}

/// The sum; like all of these, `None` when no finite number of ours holds it.
pub(crate) fn add(a: &Number, b: &Number) -> Option<Number> {
    if let (Some(a), Some(b)) = (small(a), small(b))
        && let Some(sum) = a.checked_add(b)
        && (a, b) != (0, 0)
    {
        return Some(sum.into());
    }
    if small(a) == Some(0) && small(b) == Some(0) {
        return if is_negative(a) && is_negative(b) { negative_zero() } else { Some(0.into()) };
    }
    Big::of(a)?.add(&Big::of(b)?).into_number()
}

/// The difference.
pub(crate) fn subtract(a: &Number, b: &Number) -> Option<Number> {
    add(a, &negate(b)?)
}

/// The product.
pub(crate) fn multiply(a: &Number, b: &Number) -> Option<Number> {
    if let (Some(a), Some(b)) = (small(a), small(b))
        && let Some(product) = a.checked_mul(b)
        && product != 0
    {
        return Some(product.into());
    }
    Big::of(a)?.multiply(&Big::of(b)?).into_number()
}

/// The quotient; `None` when dividing by zero.
pub(crate) fn divide(a: &Number, b: &Number) -> Option<Number> {
    if let (Some(a), Some(b)) = (small(a), small(b))
        && a.checked_rem(b) == Some(0)
        && a != 0
    {
        return a.checked_div(b).map(Number::from);
    }
    Big::of(a)?.divide(&Big::of(b)?)?.into_number()
}

/// What remains of a division towards zero; dividing by zero leaves the number itself.
pub(crate) fn remainder(a: &Number, b: &Number) -> Option<Number> {
    if let (Some(small_a), Some(small_b)) = (small(a), small(b)) {
        return if small_b == 0 { Some(a.clone()) } else { small_a.checked_rem(small_b).map(Number::from) };
    }
    let (big_a, big_b) = (Big::of(a)?, Big::of(b)?);
    let Some(quotient) = big_a.divide(&big_b) else { return Some(a.clone()) };
    let whole = Big { bits: big_a.bits, ..quotient.truncated() }.rounded(false);
    let product = Big { bits: big_a.bits, ..whole.multiply(&big_b) }.rounded(false);
    big_a.add(&product.negated()).into_number()
}

/// The number with its sign turned.
pub(crate) fn negate(a: &Number) -> Option<Number> {
    match small(a).and_then(i64::checked_neg) {
        Some(0) if !is_negative(a) => negative_zero(),
        Some(negated) => Some(negated.into()),
        None => Big::of(a)?.negated().into_number(),
    }
}

/// The largest whole number not above, or the smallest not below.
pub(crate) fn whole(a: &Number, up: bool) -> Option<Number> {
    if let Some(whole) = a.as_i64() {
        return Some(whole.into());
    }
    let big = Big::of(a)?;
    let truncated = big.truncated().into_number()?;
    let truncated = if truncated.as_i64() == Some(0) { 0.into() } else { truncated };
    let step = match truncated.cmp(a) {
        Ordering::Less if up => 1,
        Ordering::Greater if !up => -1,
        _ => return Some(truncated),
    };
    add(&truncated, &Number::from(step))
}

/// A whole number of any size, in decimal.
pub(crate) fn from_integer(value: &BigInt) -> Option<Number> {
    let bits = u16::try_from(value.bits().max(64)).ok()?;
    Big { negative: value.sign() == Sign::Minus, mantissa: value.magnitude().clone(), exponent: 0, bits }.into_number()
}

/// The whole number, when it is one.
pub(crate) fn to_integer(a: &Number) -> Option<BigInt> {
    let text = a.to_string();
    text.parse().ok()
}

fn small(number: &Number) -> Option<i64> {
    number.as_i64()
}

/// Zero below zero: equal to zero, and printed with its sign.
fn negative_zero() -> Option<Number> {
    Number::exact("-0", BITS)
}

fn is_negative(number: &Number) -> bool {
    match number.as_i64() {
        Some(0) | None => number.to_string().starts_with('-'),
        Some(whole) => whole < 0,
    }
}

/// The number rounded to so many places after the point.
pub(crate) fn fixed(a: &Number, places: usize) -> Option<String> {
    Big::of(a).map(|big| big.fixed(places))
}

/// The number as digits and exponent (`1.5e+01`): so many places after the point, or as few as it needs.
pub(crate) fn scientific(a: &Number, places: Option<usize>) -> Option<Scientific> {
    Big::of(a).map(|big| big.scientific(places))
}

/// Significant digits and the power of ten of the first of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scientific {
    pub negative: bool,
    pub digits: Vec<u8>,
    pub exponent: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(text: &str) -> Number {
        parse(text).unwrap()
    }

    #[test]
    fn numbers_are_read_as_terraform_reads_them() {
        for (text, printed) in [
            ("5", "5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1.50", "1.5"),
            ("1e5", "100000"),
            ("1E-7", "0.0000001"),
            ("+3", "3"),
            ("12345678901234567890123", "12345678901234567890123"),
            ("123456789.123456789123456789", "123456789.123456789123456789"),
            ("0.1", "0.1"),
            ("9.99e2", "999"),
            ("-0.05", "-0.05"),
        ] {
            assert_eq!(n(text).to_string(), printed, "{text}");
        }
        for none in ["", "-", ".", "1_000", " 5", "0x10", "1e", "1e9999", "five", "1.2.3"] {
            assert_eq!(parse(none), None, "{none}");
        }
    }

    #[test]
    fn arithmetic_has_512_bits() {
        assert_eq!(add(&n("0.1"), &n("0.2")).unwrap().to_string(), "0.3");
        let third = divide(&n("1"), &n("3")).unwrap();
        assert_eq!(third.to_string(), format!("0.{}5", "3".repeat(154)));
        assert_eq!(multiply(&n("3"), &third), Some(n("1")));
        assert_eq!(divide(&counted(1), &counted(3)).unwrap().to_string(), "0.33333333333333333334");
        assert_eq!(divide(&n("1"), &n("0")), None);
        assert_eq!(remainder(&n("-5"), &n("3")), Some(n("-2")));
        assert_eq!(remainder(&n("5.5"), &n("2")), Some(n("1.5")));
        assert_eq!(add(&n("9223372036854775807"), &n("1")).unwrap().to_string(), "9223372036854775808");
        assert_eq!(
            add(&from_double(1.584_962_500_721_156).unwrap(), &n("0.1")).unwrap().to_string(),
            "1.6849625007211560756559265428222715854644775390625"
        );
    }

    #[test]
    fn rounding_to_whole_numbers_goes_the_right_way() {
        assert_eq!([whole(&n("1.5"), true), whole(&n("1.5"), false)], [Some(n("2")), Some(n("1"))]);
        assert_eq!([whole(&n("-1.5"), true), whole(&n("-1.5"), false)], [Some(n("-1")), Some(n("-2"))]);
        assert_eq!(whole(&n("7"), true), Some(n("7")));
    }
}
