//! Points in time, as text.

use std::fmt::Write as _;

use super::{Context, Function, Outcome, Shape, Stop, TEXT, function, text_at};
use crate::resource::{Number, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    function("formatdate", &[TEXT, TEXT], Shape::Text, formatdate),
    function("timeadd", &[TEXT, TEXT], Shape::Text, timeadd),
    function("timecmp", &[TEXT, TEXT], Shape::Number, |c, a| {
        let (first, second) = (Moment::parse(text_at(a, 0))?, Moment::parse(text_at(a, 1))?);
        c.number(Some(Number::from(first.nanoseconds().cmp(&second.nanoseconds()) as i64)))
    }),
];

const SECOND: i128 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

/// A point in time and the offset it is written with.
#[derive(Clone, Copy)]
struct Moment {
    /// Seconds of local time since 1970.
    local: i64,
    nanos: u32,
    offset_minutes: i64,
    is_utc: bool,
}

impl Moment {
    /// Reads RFC 3339.
    fn parse(text: &str) -> Result<Self, Stop> {
        Self::read(text).ok_or_else(|| Stop::Fault(format!("\"{text}\" is no point in time (RFC 3339)")))
    }

    fn read(text: &str) -> Option<Self> {
        let part = |from: usize, to: usize, end: Option<&str>| -> Option<i64> {
            let digits = text.get(from..to).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
            (end.is_none() || text.get(to..to + 1) == end).then(|| digits.parse().ok()).flatten()
        };
        let (year, month, day) = (part(0, 4, Some("-"))?, part(5, 7, Some("-"))?, part(8, 10, Some("T"))?);
        let (hour, minute, second) = (part(11, 13, Some(":"))?, part(14, 16, Some(":"))?, part(17, 19, None)?);
        let rest = text.get(19..)?;
        let (fraction, zone) = match rest.strip_prefix(['.', ',']) {
            Some(after) => after.split_at(after.find(|c: char| !c.is_ascii_digit())?),
            None => ("", rest),
        };
        if rest.starts_with(['.', ',']) && fraction.is_empty() {
            return None;
        }
        let nanos = format!("{:0<9}", fraction.get(..fraction.len().min(9))?).parse().ok()?;
        let (offset_minutes, is_utc) = match zone.as_bytes() {
            b"Z" => (0, true),
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let digit = |byte: &u8| byte.checked_sub(b'0').filter(|digit| *digit < 10).map(i64::from);
                let hours = digit(h1)? * 10 + digit(h2)?;
                let minutes = hours * 60 + digit(m1)? * 10 + digit(m2)?;
                (if *sign == b'-' { -minutes } else { minutes }, minutes == 0)
            }
            _ => return None,
        };
        let valid = (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        let local = days_before(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second;
        valid.then_some(Self { local, nanos, offset_minutes, is_utc })
    }

    fn nanoseconds(self) -> i128 {
        i128::from(self.local - self.offset_minutes * 60) * SECOND + i128::from(self.nanos)
    }

    fn date(self) -> (i64, i64, i64) {
        civil(self.local.div_euclid(DAY_SECONDS))
    }

    fn zone(self, colon: bool) -> String {
        let (sign, minutes) =
            if self.offset_minutes < 0 { ('-', -self.offset_minutes) } else { ('+', self.offset_minutes) };
        let colon = if colon { ":" } else { "" };
        format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01, counted over years that begin in March.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

fn timeadd(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let moment = Moment::parse(text_at(arguments, 0))?;
    let duration = duration(text_at(arguments, 1)).ok_or_else(|| Stop::from("the second argument is no duration"))?;
    let total = i128::from(moment.local) * SECOND + i128::from(moment.nanos) + duration;
    let local = i64::try_from(total.div_euclid(SECOND)).map_err(|_| Stop::from("the date is out of range"))?;
    let moved = Moment { local, nanos: 0, ..moment };
    let (year, month, day) = moved.date();
    let second = local.rem_euclid(DAY_SECONDS);
    let zone = if moved.is_utc { "Z".into() } else { moved.zone(true) };
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    context.text(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}"))
}

/// A duration (`1h30m`, `-1.5s`) in nanoseconds.
fn duration(text: &str) -> Option<i128> {
    let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total: i128 = 0;
    if rest.is_empty() || rest.len() > 100 {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len()));
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => SECOND,
            "m" => 60 * SECOND,
            "h" => 3_600 * SECOND,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        total = total.checked_add(whole.checked_mul(unit)?)?;
        let fraction = fraction.get(..fraction.len().min(15))?;
        if !fraction.is_empty() {
            total += fraction.parse::<i128>().ok()? * unit / 10_i128.pow(fraction.len() as u32);
        }
        rest = after;
    }
    Some(if negative { -total } else { total })
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

fn formatdate(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let moment = Moment::parse(text_at(arguments, 1))?;
    let mut text = String::new();
    let mut rest = text_at(arguments, 0);
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("''") {
            text.push('\'');
            rest = after;
            continue;
        }
        if first == '\'' {
            rest = quoted(rest, &mut text)?;
            continue;
        }
        let length = rest.find(|c: char| c != first).unwrap_or(rest.len());
        let (sequence, after) = rest.split_at(length);
        if first.is_ascii_alphabetic() {
            mnemonic(sequence, moment, &mut text)?;
        } else {
            text.push_str(sequence);
        }
        rest = after;
    }
    context.text(text)
}

/// Copies what stands in quotes; two quotes there are one.
fn quoted<'t>(rest: &'t str, text: &mut String) -> Result<&'t str, Stop> {
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter != '\'' {
            text.push(letter);
        } else if letters.peek().is_some_and(|(_, next)| *next == '\'') {
            letters.next();
            text.push('\'');
        } else {
            return Ok(rest.get(at + 1..).unwrap_or_default());
        }
    }
    Err("a quote in the format is not closed".into())
}

fn mnemonic(sequence: &str, moment: Moment, text: &mut String) -> Result<(), Stop> {
    let (year, month, day) = moment.date();
    let second = moment.local.rem_euclid(DAY_SECONDS);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let twelve = (hour + 11) % 12 + 1;
    let weekday = DAYS.get(moment.local.div_euclid(DAY_SECONDS).rem_euclid(7) as usize).copied().unwrap_or_default();
    let name = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).copied().unwrap_or_default();
    let short = |name: &'static str| name.get(..3).unwrap_or(name);
    let _ = match sequence {
        "YY" => write!(text, "{:02}", year % 100),
        "YYYY" => write!(text, "{year:04}"),
        "M" => write!(text, "{month}"),
        "MM" => write!(text, "{month:02}"),
        "MMM" => write!(text, "{}", short(name)),
        "MMMM" => write!(text, "{name}"),
        "D" => write!(text, "{day}"),
        "DD" => write!(text, "{day:02}"),
        "EEE" => write!(text, "{}", short(weekday)),
        "EEEE" => write!(text, "{weekday}"),
        "h" => write!(text, "{hour}"),
        "hh" => write!(text, "{hour:02}"),
        "H" => write!(text, "{twelve}"),
        "HH" => write!(text, "{twelve:02}"),
        "AA" => write!(text, "{}", if hour < 12 { "AM" } else { "PM" }),
        "aa" => write!(text, "{}", if hour < 12 { "am" } else { "pm" }),
        "m" => write!(text, "{minute}"),
        "mm" => write!(text, "{minute:02}"),
        "s" => write!(text, "{second}"),
        "ss" => write!(text, "{second:02}"),
        "ZZZZZ" => write!(text, "{}", moment.zone(true)),
        "ZZZZ" => write!(text, "{}", moment.zone(false)),
        "ZZZ" if moment.is_utc => write!(text, "UTC"),
        "ZZZ" => write!(text, "{}", moment.zone(false)),
        "Z" if moment.is_utc => write!(text, "Z"),
        "Z" => write!(text, "{}", moment.zone(true)),
        _ => return Err(Stop::Fault(format!("the format knows no {sequence}"))),
    };
    Ok(())
}
