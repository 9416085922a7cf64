//! Binary floats of any precision.

use std::cmp::Ordering;

use num_bigint::{BigInt, BigUint, Sign};

use crate::resource::Number;

/// The precision of numbers that are written, in bits.
pub(super) const BITS: u16 = 512;

/// Largest power of ten a number may be written with.
const EXPONENT_LIMIT: i64 = 4_000;

/// `mantissa · 2^exponent`, computed with `bits` bits.
#[derive(Clone, Debug)]
pub(super) struct Big {
    pub(super) negative: bool,
    pub(super) mantissa: BigUint,
    pub(super) exponent: i64,
    pub(super) bits: u16,
}

impl Big {
    pub(super) fn of(number: &Number) -> Option<Self> {
        Self::parse(&number.to_string(), number.bits().unwrap_or(BITS))
    }

    pub(super) fn parse(text: &str, bits: u16) -> Option<Self> {
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let (digits, exponent) = match digits.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent_of(exponent)?),
            None => (digits, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let length = whole.len() + fraction.len();
        if length == 0 || length > EXPONENT_LIMIT as usize || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let mantissa = BigUint::parse_bytes(format!("{whole}{fraction}").as_bytes(), 10)?;
        let scale = exponent - i64::try_from(fraction.len()).ok()?;
        let big = Self { negative, mantissa, exponent: 0, bits };
        let power = BigUint::from(10_u8).pow(u32::try_from(scale.unsigned_abs()).ok()?);
        if scale >= 0 {
            Some(Self { mantissa: &big.mantissa * power, ..big }.rounded(false))
        } else {
            big.divide(&Self { negative: false, mantissa: power, exponent: 0, bits })
        }
    }

    /// Rounded half to even; `sticky` says that something non-zero was cut off below the mantissa.
    pub(super) fn rounded(mut self, sticky: bool) -> Self {
        let surplus = self.mantissa.bits().saturating_sub(u64::from(self.bits));
        if surplus == 0 {
            return self;
        }
        let half = BigUint::from(1_u8) << (surplus - 1);
        let quotient = &self.mantissa >> surplus;
        let rest = &self.mantissa - (&quotient << surplus);
        let up = match rest.cmp(&half) {
            Ordering::Greater => true,
            Ordering::Equal => sticky || quotient.bit(0),
            Ordering::Less => false,
        };
        self.mantissa = if up { quotient + 1_u8 } else { quotient };
        self.exponent = self.exponent.saturating_add(surplus as i64);
        self
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        let aligned = |big: &Self| {
            let sign = if big.negative { Sign::Minus } else { Sign::Plus };
            BigInt::from_biguint(sign, &big.mantissa << (big.exponent - exponent) as u64)
        };
        let sum = aligned(self) + aligned(other);
        let bits = self.bits.max(other.bits);
        Self { negative: sum.sign() == Sign::Minus, mantissa: sum.magnitude().clone(), exponent, bits }.rounded(false)
    }

    pub(super) fn multiply(&self, other: &Self) -> Self {
        let product = Self {
            negative: self.negative != other.negative,
            mantissa: &self.mantissa * &other.mantissa,
            exponent: self.exponent.saturating_add(other.exponent),
            bits: BITS,
        }
        .rounded(false);
        let needed = product.mantissa.bits() - product.mantissa.trailing_zeros().unwrap_or_default();
        let bits = self.bits.max(other.bits).max(u16::try_from(needed).unwrap_or(BITS));
        Self { bits, ..product }.rounded(false)
    }

    pub(super) fn divide(&self, other: &Self) -> Option<Self> {
        if other.mantissa.bits() == 0 {
            return None;
        }
        let bits = self.bits.max(other.bits);
        let wanted = u64::from(bits) + 2 + other.mantissa.bits();
        let shift = wanted.saturating_sub(self.mantissa.bits());
        let dividend = &self.mantissa << shift;
        let mantissa = &dividend / &other.mantissa;
        let sticky = &mantissa * &other.mantissa != dividend;
        let exponent = self.exponent.saturating_sub(other.exponent).saturating_sub(shift as i64);
        let quotient = Self { negative: self.negative != other.negative, mantissa, exponent, bits };
        Some(quotient.rounded(sticky))
    }

    pub(super) fn negated(mut self) -> Self {
        self.negative = !self.negative;
        self
    }

    pub(super) fn truncated(&self) -> Self {
        if self.exponent >= 0 {
            return self.clone();
        }
        Self { mantissa: &self.mantissa >> self.exponent.unsigned_abs(), exponent: 0, ..self.clone() }
    }

    pub(super) fn into_number(self) -> Option<Number> {
        let text = self.shortest();
        if text == "-0" {
            return Number::exact(&text, BITS);
        }
        if let Ok(whole) = text.parse::<i64>() {
            return Some(whole.into());
        }
        let plain = Number::parse(&text).filter(|plain| self.bits == BITS && plain.to_string() == text);
        plain.or_else(|| Number::exact(&text, self.bits))
    }
}

fn exponent_of(text: &str) -> Option<i64> {
    let exponent: i64 = text.parse().ok()?;
    (exponent.abs() <= EXPONENT_LIMIT).then_some(exponent)
}
