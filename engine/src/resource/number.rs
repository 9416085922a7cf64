//! Numbers as configuration languages write them.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A finite number: whole ones are kept exactly while they fit 64 bits, others as the nearest double, and those of more
/// digits than a double holds as their decimal text where the format computes with them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Number(Repr);

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Repr {
    Whole(i64),
    Real(f64),
    Exact(Arc<Exact>),
}

#[derive(Debug, Serialize, Deserialize)]
struct Exact {
    text: Box<str>,
    nearest: f64,
    bits: u16,
}

/// Largest double below which every whole number has an exact double.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Number {
    /// A number from a double; `None` for infinities and not-a-number.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        if value.fract() == 0.0 && value.abs() < EXACT {
            return Some(Self(Repr::Whole(value as i64)));
        }
        Some(Self(Repr::Real(value)))
    }

    /// A number from its decimal text (`12`, `-0.5`, `1e3`), or `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(whole) = text.parse::<i64>() {
            return Some(Self(Repr::Whole(whole)));
        }
        let starts_well = text.trim_start_matches(['-', '+']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
        if !starts_well {
            return None;
        }
        text.parse().ok().and_then(Self::from_f64)
    }

    /// A number that is to be printed and compared as this plain decimal text (`-12.5`, no exponent, no needless zeros), and
    /// computed with at this many bits; `None` when the text is no such number.
    #[must_use]
    pub fn exact(text: &str, bits: u16) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let nearest = text.parse().ok().filter(|_| plain)?;
        Some(Self(Repr::Exact(Arc::new(Exact { text: text.into(), nearest, bits }))))
    }

    /// The precision it is to be computed with, if it was made by [`Number::exact`].
    #[must_use]
    pub fn bits(&self) -> Option<u16> {
        if let Repr::Exact(exact) = &self.0 { Some(exact.bits) } else { None }
    }

    /// The nearest double; infinite beyond a double's range.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            Repr::Whole(whole) => *whole as f64,
            Repr::Real(real) => *real,
            Repr::Exact(exact) => exact.nearest,
        }
    }

    /// The number when it is whole and fits 64 bits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Whole(whole) => Some(*whole),
            Repr::Real(_) => None,
            Repr::Exact(exact) => exact.text.parse().ok(),
        }
    }
}

impl From<i64> for Number {
    fn from(whole: i64) -> Self {
        Self(Repr::Whole(whole))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Whole(a), Repr::Whole(b)) => a.cmp(b),
            (Repr::Exact(_), _) | (_, Repr::Exact(_)) => compare_decimals(&self.to_string(), &other.to_string()),
            _ => self.as_f64().total_cmp(&other.as_f64()),
        }
    }
}

/// Compares plain decimal texts by value.
fn compare_decimals(a: &str, b: &str) -> Ordering {
    // Zero has no sign when it is compared.
    let (a, b) = (if a == "-0" { "0" } else { a }, if b == "-0" { "0" } else { b });
    match (a.strip_prefix('-'), b.strip_prefix('-')) {
        (Some(a), Some(b)) => compare_magnitudes(b, a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => compare_magnitudes(a, b),
    }
}

fn compare_magnitudes(a: &str, b: &str) -> Ordering {
    let (a_whole, a_fraction) = a.split_once('.').unwrap_or((a, ""));
    let (b_whole, b_fraction) = b.split_once('.').unwrap_or((b, ""));
    a_whole.len().cmp(&b_whole.len()).then_with(|| a_whole.cmp(b_whole)).then_with(|| a_fraction.cmp(b_fraction))
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Whole(whole) => whole.fmt(f),
            Repr::Real(real) => real.fmt(f),
            Repr::Exact(exact) => f.write_str(&exact.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value_and_print_without_noise() {
        let n = |text: &str| Number::parse(text).unwrap();
        assert_eq!(n("1.0"), n("1"));
        assert_eq!(n("1e3").to_string(), "1000");
        assert_eq!(n("0.5").to_string(), "0.5");
        assert_eq!(n("9223372036854775807").to_string(), "9223372036854775807");
        assert!(n("-1") < n("0.5") && n("2") > n("1.5"));
        for none in ["", "x", "inf", "NaN", "1x", "-", "1e999"] {
            assert_eq!(Number::parse(none), None, "{none}");
        }
    }

    #[test]
    fn numbers_of_many_digits_keep_them() {
        let n = |text: &str| Number::exact(text, 512).unwrap();
        assert_eq!(n("12345678901234567890123.5").to_string(), "12345678901234567890123.5");
        assert!(n("12345678901234567890123.5") > n("12345678901234567890123.4"));
        assert!(n("-10000000000000000000000") < n("-1") && n("-1") < n("0.25"));
        assert_eq!(n("3"), Number::from(3));
        assert_eq!(n("-0"), Number::from(0));
        assert!(n("-0") > n("-1") && n("-0") < n("0.5"));
        assert_eq!(n("3").as_i64(), Some(3));
        for none in ["", "-", "1e3", "+1", "inf", ".5", "1.2.3"] {
            assert_eq!(Number::exact(none, 512), None, "{none}");
        }
    }
}
