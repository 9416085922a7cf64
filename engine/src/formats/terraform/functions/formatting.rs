//! `format` and `formatlist`: text made by verbs, as Go's `fmt` has them.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;
use std::sync::Arc;

use num_bigint::{BigInt, Sign};
use unicode_segmentation::UnicodeSegmentation as _;

use super::json::quote;
use super::{Context, Function, Outcome, Shape, Stop, TEXT, anything, at, function, text_at};
use crate::formats::terraform::eval::{TEXT_LIMIT, reason_within, wholly_known};
use crate::formats::terraform::values::convert::convert;
use crate::formats::terraform::values::decimal::Scientific;
use crate::formats::terraform::values::{decimal, shape};
use crate::resource::{Data, ListKind, Number, Type, Unknown, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    function("format", &[TEXT], Shape::Text, format).further(anything(Shape::Any)),
    function("formatlist", &[TEXT], Shape::Texts, formatlist).further(anything(Shape::Any)),
];

/// Widest field, and most digits after a point.
const WIDTH_LIMIT: usize = 1_000;

fn format(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let (_, given) = arguments.split_first().ok_or_else(|| Stop::from("a format is required"))?;
    no_bare_null(given)?;
    one(context, text_at(arguments, 0), given)
}

/// Terraform gives an unknown text, for ever, when an argument is null of no type.
fn no_bare_null(given: &[Value]) -> Result<(), Stop> {
    match given.iter().any(|value| value.is_null() && shape::type_of(value) == Type::Any) {
        true => Err(Stop::Unsupported("format() of null".into())),
        false => Ok(()),
    }
}

/// A formatted text; with an unknown argument, what stands before the first verb is known of it still.
fn one(context: &Context<'_, '_>, format: &str, given: &[Value]) -> Outcome {
    let open = given.iter().find(|value| !wholly_known(value, &mut 100_000));
    if let Some(reason) = open.and_then(|open| reason_within(open, &mut 100_000)) {
        let before = leading(format, given);
        let prefix = (!before.is_empty()).then(|| before.into());
        let unknown = Unknown { reason, not_null: true, prefix, shape: Type::Text };
        return Ok(Value::new(Data::Unknown(Arc::new(unknown)), context.span));
    }
    let mut writer = Writer { given, next: 0, used: 0, text: String::new(), until_unknown: false };
    writer.write(format)?;
    if writer.used < given.len() {
        return Err(Stop::Fault(format!("the format uses {} of {} arguments", writer.used, given.len())));
    }
    context.text(writer.text)
}

/// What a format gives before its first unknown argument.
fn leading(format: &str, given: &[Value]) -> String {
    let mut writer = Writer { given, next: 0, used: 0, text: String::new(), until_unknown: true };
    match writer.write(format) {
        Ok(()) | Err(Stop::Unknown(_)) => writer.text,
        Err(_) => String::new(),
    }
}

fn formatlist(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let (_, given) = arguments.split_first().ok_or_else(|| Stop::from("a format is required"))?;
    no_bare_null(given)?;
    let mut length = None;
    for argument in given {
        if let Some(list) = argument.as_list() {
            if length.is_some_and(|length| length != list.items.len()) {
                return Err("the lists differ in length".into());
            }
            length = Some(list.items.len());
        } else if let Data::Unknown(unknown) = argument.data()
            && !unknown.shape.is_scalar()
        {
            return Err(Stop::Unknown(argument.clone()));
        }
    }
    let row = |index: usize| {
        let of = |argument: &Value| match argument.as_list() {
            Some(list) => at(&list.items, index).clone(),
            None => argument.clone(),
        };
        one(context, text_at(arguments, 0), &given.iter().map(of).collect::<Vec<_>>())
    };
    let rows = (0..length.unwrap_or(1)).map(row).collect::<Result<Vec<_>, _>>()?;
    context.list(ListKind::List, rows)
}

struct Writer<'v> {
    given: &'v [Value],
    /// The argument the next verb takes.
    next: usize,
    /// How many arguments were taken, at most.
    used: usize,
    text: String,
    /// Whether to stop at an unknown argument, instead of trusting that there is none.
    until_unknown: bool,
}

#[derive(Default)]
struct Verb {
    zero: bool,
    sharp: bool,
    minus: bool,
    plus: bool,
    space: bool,
    width: Option<usize>,
    precision: Option<usize>,
    mode: char,
}

impl Writer<'_> {
    fn write(&mut self, format: &str) -> Result<(), Stop> {
        let mut letters = format.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '%' if letters.next_if_eq(&'%').is_some() => self.text.push('%'),
                '%' => {
                    let verb = self.verb(&mut letters)?;
                    self.argument(&verb)?;
                }
                _ => self.text.push(letter),
            }
            if self.text.len() > TEXT_LIMIT {
                break;
            }
        }
        Ok(())
    }

    fn verb(&mut self, letters: &mut Peekable<Chars<'_>>) -> Result<Verb, Stop> {
        let mut verb = Verb::default();
        while let Some(flag) = letters.next_if(|letter| "0#-+ ".contains(*letter)) {
            match flag {
                '0' => verb.zero = true,
                '#' => verb.sharp = true,
                '-' => verb.minus = true,
                '+' => verb.plus = true,
                _ => verb.space = true,
            }
        }
        verb.width = digits(letters)?;
        if letters.next_if_eq(&'.').is_some() {
            verb.precision = Some(digits(letters)?.unwrap_or(0));
        }
        if letters.next_if_eq(&'[').is_some() {
            let index = digits(letters)?.filter(|index| *index > 0);
            let index = index.filter(|_| letters.next_if_eq(&']').is_some());
            self.next = index.ok_or_else(|| Stop::from("the format names no argument in brackets"))? - 1;
        }
        verb.mode = letters.next().ok_or_else(|| Stop::from("the format ends within a verb"))?;
        Ok(verb)
    }

    fn argument(&mut self, verb: &Verb) -> Result<(), Stop> {
        let argument =
            self.given.get(self.next).ok_or_else(|| Stop::from("the format has more verbs than arguments"))?;
        self.next += 1;
        self.used = self.used.max(self.next);
        if self.until_unknown && !wholly_known(argument, &mut 100_000) {
            return Err(Stop::Unknown(argument.clone()));
        }
        if argument.is_null() && verb.mode != 'v' {
            return Err("null has no such form".into());
        }
        let wrong = |why: &str| Stop::Fault(format!("%{}: {why}", verb.mode));
        match verb.mode {
            'v' => self.as_is(argument, verb),
            't' => {
                let value = convert(argument.clone(), &Type::Bool).map_err(wrong)?;
                self.text.push_str(if value.as_bool() == Some(true) { "true" } else { "false" });
                Ok(())
            }
            's' | 'q' => {
                let value = convert(argument.clone(), &Type::Text).map_err(wrong)?;
                let text = value.as_text().cloned().unwrap_or_else(|| "".into());
                self.string(&text, verb);
                Ok(())
            }
            'b' | 'd' | 'o' | 'x' | 'X' | 'e' | 'E' | 'f' | 'g' | 'G' => {
                let value = convert(argument.clone(), &Type::Number).map_err(wrong)?;
                self.number(&value.as_number().unwrap_or_else(|| Number::from(0)), verb)
            }
            _ => Err(wrong("there is no such verb")),
        }
    }

    fn as_is(&mut self, argument: &Value, verb: &Verb) -> Result<(), Stop> {
        let text = match argument.data() {
            Data::Text(text) if !verb.sharp => text.to_string(),
            Data::Number(number) if !verb.sharp => {
                general(number, None, false).ok_or_else(|| Stop::from("this number is beyond what is computed"))?
            }
            _ => {
                let mut text = String::new();
                super::json::write(argument, &mut text)?;
                text
            }
        };
        self.padded(&text, verb);
        Ok(())
    }

    fn string(&mut self, text: &str, verb: &Verb) {
        let cut = verb.precision.filter(|precision| *precision > 0);
        let text = cut.map_or_else(|| text.to_owned(), |length| text.graphemes(true).take(length).collect());
        if verb.mode == 'q' {
            let mut quoted = String::new();
            quote(&text, &mut quoted);
            self.padded(&quoted, verb);
        } else {
            self.padded(&text, verb);
        }
    }

    fn padded(&mut self, text: &str, verb: &Verb) {
        let missing = verb.width.unwrap_or(0).saturating_sub(text.graphemes(true).count());
        let padding = if verb.zero { "0" } else { " " }.repeat(missing);
        if verb.minus {
            self.text.push_str(text);
            self.text.push_str(&padding);
        } else {
            self.text.push_str(&padding);
            self.text.push_str(text);
        }
    }

    fn number(&mut self, number: &Number, verb: &Verb) -> Result<(), Stop> {
        let beyond = || Stop::from("this number is beyond what is computed");
        let text = match verb.mode {
            'b' | 'd' | 'o' | 'x' | 'X' => integer(number, verb)?,
            'e' | 'E' => {
                let written =
                    exponential(&decimal::scientific(number, Some(verb.precision.unwrap_or(6))).ok_or_else(beyond)?);
                if verb.mode == 'E' { written.to_uppercase() } else { written }
            }
            'f' => decimal::fixed(number, verb.precision.unwrap_or(6)).ok_or_else(beyond)?,
            _ => general(number, verb.precision, verb.mode == 'G').ok_or_else(beyond)?,
        };
        self.signed(&text, verb);
        Ok(())
    }

    /// A number with its sign where the flags want it; zeros go between sign and digits.
    fn signed(&mut self, text: &str, verb: &Verb) {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None if verb.plus => ("+", text),
            None if verb.space => (" ", text),
            None => ("", text),
        };
        let missing = verb.width.unwrap_or(0).saturating_sub(sign.len() + digits.chars().count());
        let _ = match (verb.minus, verb.zero) {
            (true, _) => write!(self.text, "{sign}{digits}{}", " ".repeat(missing)),
            (false, true) => write!(self.text, "{sign}{}{digits}", "0".repeat(missing)),
            (false, false) => write!(self.text, "{}{sign}{digits}", " ".repeat(missing)),
        };
    }
}

fn digits(letters: &mut Peekable<Chars<'_>>) -> Result<Option<usize>, Stop> {
    let mut number = None;
    while let Some(digit) = letters.next_if(char::is_ascii_digit) {
        let value = number.unwrap_or(0) * 10 + digit.to_digit(10).unwrap_or(0) as usize;
        if value > WIDTH_LIMIT {
            return Err(Stop::Unsupported(format!("a format wider than {WIDTH_LIMIT}")));
        }
        number = Some(value);
    }
    Ok(number)
}

fn integer(number: &Number, verb: &Verb) -> Result<String, Stop> {
    let value: BigInt = decimal::to_integer(number).ok_or_else(|| Stop::from("a whole number is required"))?;
    let (radix, prefix) = match verb.mode {
        'b' => (2, "0b"),
        'o' => (8, "0"),
        'x' => (16, "0x"),
        'X' => (16, "0X"),
        _ => (10, ""),
    };
    let digits = value.magnitude().to_str_radix(radix);
    let digits = if verb.mode == 'X' { digits.to_uppercase() } else { digits };
    let zeros = verb.precision.unwrap_or(0).saturating_sub(digits.len());
    let sign = if value.sign() == Sign::Minus { "-" } else { "" };
    Ok(format!("{sign}{}{}{digits}", if verb.sharp { prefix } else { "" }, "0".repeat(zeros)))
}

/// `1.5e+01`
fn exponential(number: &Scientific) -> String {
    let mut text = String::new();
    if number.negative {
        text.push('-');
    }
    for (index, digit) in number.digits.iter().enumerate() {
        if index == 1 {
            text.push('.');
        }
        text.push(char::from(b'0' + digit));
    }
    let sign = if number.exponent < 0 { '-' } else { '+' };
    let _ = write!(text, "e{sign}{:02}", number.exponent.abs());
    text
}

/// With an exponent where that is shorter, as `%g` has it.
fn general(number: &Number, precision: Option<usize>, upper: bool) -> Option<String> {
    let precision = precision.map(|precision| precision.max(1));
    let mut digits = decimal::scientific(number, precision.map(|precision| precision - 1))?;
    while digits.digits.len() > 1 && digits.digits.last() == Some(&0) {
        digits.digits.pop();
    }
    let significant = digits.digits.len() as i64;
    let threshold = match precision.map(|precision| precision as i64) {
        None => 6,
        Some(precision) if precision > significant && significant > digits.exponent => significant,
        Some(precision) => precision,
    };
    let text = if digits.exponent < -4 || digits.exponent >= threshold {
        exponential(&digits)
    } else {
        let places = (significant - 1 - digits.exponent).max(0);
        decimal::fixed(number, usize::try_from(places).ok()?)?
    };
    Some(if upper { text.to_uppercase() } else { text })
}
