//! Arithmetic as Terraform does it: binary floats of 512 bits, printed as the shortest decimal that reads back the same.
//!
//! Whole numbers that fit 64 bits are computed as such; everything else goes through [`Big`], which is slow and rare.

use std::cmp::Ordering;

use num_bigint::{BigInt, BigUint, Sign};

use crate::resource::Number;

/// The precision of numbers that are written, in bits.
pub(crate) const BITS: u16 = 512;

/// Largest power of ten a number may be written with.
const EXPONENT_LIMIT: i64 = 4_000;

/// A number from text as Terraform converts it (`5`, `.5`, `1e3`), or `None` when it is none.
pub(crate) fn parse(text: &str) -> Option<Number> {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !body.is_empty() && body.len() < 19 && body.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<i64>().ok().map(Number::from);
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
    {
        return Some(sum.into());
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
    {
        return Some(product.into());
    }
    Big::of(a)?.multiply(&Big::of(b)?).into_number()
}

/// The quotient; `None` when dividing by zero.
pub(crate) fn divide(a: &Number, b: &Number) -> Option<Number> {
    if let (Some(a), Some(b)) = (small(a), small(b))
        && a.checked_rem(b) == Some(0)
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
        Some(negated) => Some(negated.into()),
        None => Big::of(a)?.negated().into_number(),
    }
}

/// The largest whole number not above, or the smallest not below.
pub(crate) fn whole(a: &Number, up: bool) -> Option<Number> {
    if a.as_i64().is_some() {
        return Some(a.clone());
    }
    let big = Big::of(a)?;
    let truncated = big.truncated().into_number()?;
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

/// `mantissa · 2^exponent`, computed with `bits` bits.
#[derive(Clone, Debug)]
struct Big {
    negative: bool,
    mantissa: BigUint,
    exponent: i64,
    bits: u16,
}

impl Big {
    fn of(number: &Number) -> Option<Self> {
        Self::parse(&number.to_string(), number.bits().unwrap_or(BITS))
    }

    fn parse(text: &str, bits: u16) -> Option<Self> {
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
    fn rounded(mut self, sticky: bool) -> Self {
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

    fn add(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        let aligned = |big: &Self| {
            let sign = if big.negative { Sign::Minus } else { Sign::Plus };
            BigInt::from_biguint(sign, &big.mantissa << (big.exponent - exponent) as u64)
        };
        let sum = aligned(self) + aligned(other);
        let bits = self.bits.max(other.bits);
        Self { negative: sum.sign() == Sign::Minus, mantissa: sum.magnitude().clone(), exponent, bits }.rounded(false)
    }

    fn multiply(&self, other: &Self) -> Self {
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

    fn divide(&self, other: &Self) -> Option<Self> {
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

    fn negated(mut self) -> Self {
        self.negative = !self.negative;
        self
    }

    fn truncated(&self) -> Self {
        if self.exponent >= 0 {
            return self.clone();
        }
        Self { mantissa: &self.mantissa >> self.exponent.unsigned_abs(), exponent: 0, ..self.clone() }
    }

    fn into_number(self) -> Option<Number> {
        let text = self.shortest();
        if let Ok(whole) = text.parse::<i64>() {
            return Some(whole.into());
        }
        let plain = Number::parse(&text).filter(|plain| self.bits == BITS && plain.to_string() == text);
        plain.or_else(|| Number::exact(&text, self.bits))
    }

    /// The fewest digits that read back as this very number.
    fn shortest(&self) -> String {
        if self.mantissa.bits() == 0 {
            return "0".into();
        }
        // One bit more than the precision, so that half a step either way is a whole one.
        let wanted = u64::from(self.bits) + 1;
        let shift = wanted.saturating_sub(self.mantissa.bits());
        let mantissa = &self.mantissa << shift;
        let exponent = self.exponent.saturating_sub(shift as i64);
        let inclusive = !mantissa.bit(1);
        let exact = digits(&mantissa, exponent);
        let lower = digits(&(&mantissa - 1_u8), exponent);
        let upper = digits(&(&mantissa + 1_u8), exponent);
        let width = upper.whole.max(exact.whole);
        let (exact, lower, upper) = (exact.padded(width), lower.padded(width), upper.padded(width));
        let kept = shorten(&exact, &lower, &upper, inclusive);
        plain(&kept, width, self.negative)
    }
}

fn exponent_of(text: &str) -> Option<i64> {
    let exponent: i64 = text.parse().ok()?;
    (exponent.abs() <= EXPONENT_LIMIT).then_some(exponent)
}

/// A decimal expansion: digits (0 to 9) and how many stand before the point.
struct Digits {
    digits: Vec<u8>,
    whole: usize,
}

impl Digits {
    /// With leading zeros so that `width` digits stand before the point, and no zeros at the end.
    fn padded(mut self, width: usize) -> Vec<u8> {
        let zeros = width.saturating_sub(self.whole);
        self.digits.splice(0..0, std::iter::repeat_n(0, zeros));
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        self.digits
    }
}

fn digits(mantissa: &BigUint, exponent: i64) -> Digits {
    let zero = |text: String| text.bytes().map(|byte| byte - b'0').collect::<Vec<_>>();
    if exponent >= 0 {
        let digits = zero((mantissa << exponent.unsigned_abs()).to_string());
        return Digits { whole: digits.len(), digits };
    }
    let places = exponent.unsigned_abs();
    let whole = mantissa >> places;
    let rest = mantissa - (&whole << places);
    let fraction = rest * BigUint::from(5_u8).pow(places as u32);
    let mut all = zero(whole.to_string());
    let length = all.len();
    let fraction = zero(fraction.to_string());
    all.extend(std::iter::repeat_n(0, (places as usize).saturating_sub(fraction.len())));
    all.extend(fraction);
    Digits { digits: all, whole: length }
}

/// Cuts the digits of `exact` where the result still lies between its neighbours' midpoints.
fn shorten(exact: &[u8], lower: &[u8], upper: &[u8], inclusive: bool) -> Vec<u8> {
    let at = |digits: &[u8], index: usize| digits.get(index).copied().unwrap_or_default();
    for (index, &digit) in exact.iter().enumerate() {
        let (low, high) = (at(lower, index), at(upper, index));
        let last = index + 1;
        let down = low != digit || inclusive && last == lower.len();
        let up = digit != high && (inclusive || digit + 1 < high || last < upper.len());
        let head = exact.get(..last).unwrap_or_default().to_vec();
        match (down, up) {
            (true, true) => return if rounds_up(exact, last) { increment(head) } else { head },
            (true, false) => return head,
            (false, true) => return increment(head),
            (false, false) => {}
        }
    }
    exact.to_vec()
}

fn rounds_up(digits: &[u8], at: usize) -> bool {
    match digits.get(at) {
        Some(5) if at + 1 == digits.len() => at.checked_sub(1).and_then(|i| digits.get(i)).is_some_and(|d| d % 2 == 1),
        Some(digit) => *digit >= 5,
        None => false,
    }
}

/// One more in the last place. The first digit stands for a place the number does not reach, so nothing is lost there.
fn increment(mut digits: Vec<u8>) -> Vec<u8> {
    for digit in digits.iter_mut().rev() {
        if *digit < 9 {
            *digit += 1;
            return digits;
        }
        *digit = 0;
    }
    digits
}

fn plain(digits: &[u8], whole: usize, negative: bool) -> String {
    let mut text = String::with_capacity(digits.len() + 2);
    let mut digits = digits.to_vec();
    while digits.len() > whole && digits.last() == Some(&0) {
        digits.pop();
    }
    digits.resize(digits.len().max(whole), 0);
    let leading = digits.iter().take(whole.saturating_sub(1)).take_while(|digit| **digit == 0).count();
    if negative {
        text.push('-');
    }
    for (index, digit) in digits.iter().enumerate().skip(leading) {
        if index == whole {
            text.push('.');
        }
        text.push(char::from(b'0' + digit));
    }
    text
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
