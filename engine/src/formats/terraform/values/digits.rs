//! The decimal digits of binary floats.

use num_bigint::BigUint;

use super::big::Big;
use super::decimal::Scientific;

impl Big {
    /// The fewest digits that read back as this very number.
    pub(super) fn shortest(&self) -> String {
        if self.mantissa.bits() == 0 {
            return if self.negative { "-0" } else { "0" }.into();
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

    /// Rounded to so many places after the point, half to even.
    pub(super) fn fixed(&self, places: usize) -> String {
        let exact = digits(&self.mantissa, self.exponent);
        let whole = exact.whole + 1;
        let rounded = round(exact.padded(whole), whole + places);
        let mut text = plain(&rounded, whole, self.negative);
        if places > 0 {
            let have = text.rsplit_once('.').map_or(0, |(_, fraction)| fraction.len());
            if have == 0 {
                text.push('.');
            }
            text.push_str(&"0".repeat(places - have));
        }
        text
    }

    /// Its significant digits: one before the point and so many after it, or as few as it needs.
    pub(super) fn scientific(&self, places: Option<usize>) -> Scientific {
        let (all, whole) = match places {
            Some(_) => {
                let exact = digits(&self.mantissa, self.exponent);
                let whole = exact.whole + 1;
                (exact.padded(whole), whole)
            }
            None => {
                let text = self.shortest();
                let whole = text.trim_start_matches('-').find('.').unwrap_or(text.trim_start_matches('-').len());
                (text.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect(), whole)
            }
        };
        let leading = |digits: &[u8]| digits.iter().take_while(|digit| **digit == 0).count();
        let rounded = match places {
            Some(places) => {
                let end = leading(&all) + 1 + places;
                round(all, end)
            }
            None => all,
        };
        let first = leading(&rounded);
        let mut digits: Vec<u8> = rounded.get(first..).unwrap_or_default().to_vec();
        let zero = digits.is_empty();
        match places {
            Some(places) => digits.resize(places + 1, 0),
            None => {
                while digits.len() > 1 && digits.last() == Some(&0) {
                    digits.pop();
                }
                if zero {
                    digits.push(0);
                }
            }
        }
        let exponent = if zero { 0 } else { whole as i64 - first as i64 - 1 };
        Scientific { negative: self.negative && !zero, digits, exponent }
    }
}

/// The first digits, rounded half to even by those after them.
fn round(mut digits: Vec<u8>, at: usize) -> Vec<u8> {
    if digits.len() <= at {
        digits.resize(at, 0);
        return digits;
    }
    let up = rounds_up(&digits, at);
    digits.truncate(at);
    if up { increment(digits) } else { digits }
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
