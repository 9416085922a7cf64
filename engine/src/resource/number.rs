//! Numbers as configuration languages write them.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A finite number: whole ones are kept exactly while they fit 64 bits, others as the nearest double.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Number(Repr);

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Repr {
    Whole(i64),
    Real(f64),
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

    /// The nearest double.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self.0 {
            Repr::Whole(whole) => whole as f64,
            Repr::Real(real) => real,
        }
    }

    /// The number when it is whole and fits 64 bits.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        match self.0 {
            Repr::Whole(whole) => Some(whole),
            Repr::Real(_) => None,
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
        match (self.0, other.0) {
            (Repr::Whole(a), Repr::Whole(b)) => a.cmp(&b),
            _ => self.as_f64().total_cmp(&other.as_f64()),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::Whole(whole) => whole.fmt(f),
            Repr::Real(real) => real.fmt(f),
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
}
