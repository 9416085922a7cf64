//! YAML, both ways, as Terraform reads and writes it.

use std::fmt::Write as _;
use std::sync::Arc;

use super::json::{Decoder, content};
use super::{Context, Function, Outcome, Shape, Stop, TEXT, anything, at, function, settled, shared_at};
use crate::formats::terraform::eval::TEXT_LIMIT;
use crate::formats::terraform::values::compare;
use crate::resource::{Data, Key, Map, Value};
use crate::syntax::{Scalars, parse_yaml};

/// Where a long text in quotes is broken.
const WIDTH: usize = 80;

pub(super) const FUNCTIONS: &[Function] = &[
    function("yamldecode", &[TEXT], Shape::Any, yamldecode),
    function("yamlencode", &[anything(Shape::Any)], Shape::Text, yamlencode),
];

fn yamldecode(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let text = shared_at(arguments, 0);
    let place = content(context, at(arguments, 0));
    let parsed = parse_yaml(&text, place.map_or(context.span.file, |place| place.file), Scalars::Yaml11);
    // Of a key that is written twice the last one counts.
    if let Some(error) = parsed.errors.iter().find(|error| !error.message.contains("is written twice")) {
        return Err(Stop::Fault(format!("this is no YAML: {}", error.message)));
    }
    let document = match parsed.documents.as_slice() {
        [] => return Err("there is no YAML document".into()),
        [document] => &document.value,
        _ => return Err("only one YAML document is taken".into()),
    };
    let resolved = resolved(document, &text)?;
    let decoded = Decoder { text: &text, span: context.span, in_file: place.is_some() }.value(&resolved);
    Ok(if place.is_some() { decoded.through("yamldecode", context.span) } else { decoded })
}

/// Terraform's own readings of plain scalars: dates are text in full, and keys such as `on` are booleans made text.
fn resolved(value: &Value, text: &str) -> Result<Value, Stop> {
    let written = |span: crate::resource::Span| text.get(span.start as usize..span.end as usize).unwrap_or_default();
    if let Some(tag) = value.notes().and_then(|notes| notes.tag.as_deref()) {
        return Err(Stop::Fault(format!("the tag !{tag} has no meaning")));
    }
    Ok(match value.data() {
        Data::Bool(_) | Data::Number(_) | Data::Null if written(value.span()).starts_with(['"', '\'']) => {
            return Err(Stop::Unsupported("yamldecode() of text with a tag".into()));
        }
        Data::Text(plain) if written(value.span()) == &**plain && is_special(plain) => {
            return Err(Stop::Unsupported(format!("yamldecode() of {plain}")));
        }
        Data::Text(date) if is_date(date) && written(value.span()) == &**date => {
            value.clone().with(Data::Text(format!("{date}T00:00:00Z").into()))
        }
        Data::List(list) => {
            let items = list.items.iter().map(|item| resolved(item, text)).collect::<Result<_, _>>()?;
            value.clone().with(Data::List(Arc::new(crate::resource::List { kind: list.kind, items })))
        }
        Data::Map(map) => {
            let key = |key: &Key| match &*key.text {
                "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if written(key.span) == &*key.text => {
                    Key::new("true", key.span)
                }
                "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if written(key.span) == &*key.text => {
                    Key::new("false", key.span)
                }
                _ => key.clone(),
            };
            let entry = |(name, item): &(Key, Value)| {
                if &*name.text == "?" && !matches!(written(name.span), "?" | "'?'" | "\"?\"") {
                    return Err("a key must be text".into());
                }
                Ok((key(name), resolved(item, text)?))
            };
            let entries = map.entries().iter().map(entry).collect::<Result<_, Stop>>()?;
            value.clone().with(Data::Map(Arc::new(Map::new(map.kind, entries))))
        }
        _ => value.clone(),
    })
}

/// Plain scalars that Terraform takes for points in time, or for numbers this program does not compute with.
fn is_special(text: &str) -> bool {
    let bare = text.trim_start_matches(['+', '-']);
    let is_time =
        || text.get(..10).is_some_and(is_date) && text.get(10..).is_some_and(|rest| rest.starts_with(['t', 'T', ' ']));
    let is_large = || {
        bare.split_once(['e', 'E']).is_some_and(|(digits, exponent)| {
            let digits_only = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            !digits.is_empty()
                && digits_only(&digits.replacen('.', "", 1))
                && digits_only(exponent.trim_start_matches(['+', '-']))
        })
    };
    matches!(&*bare.to_ascii_lowercase(), ".inf" | ".nan") || is_large() || (text.len() > 10 && is_time())
}

fn is_date(text: &str) -> bool {
    let digits = |range| text.get(range).is_some_and(|part: &str| part.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() == 10
        && digits(0..4)
        && digits(5..7)
        && digits(8..10)
        && text.get(4..5) == Some("-")
        && text.get(7..8) == Some("-")
}

fn yamlencode(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let value = at(arguments, 0);
    settled(value)?;
    let mut text = String::new();
    match value.data() {
        Data::List(list) if !list.items.is_empty() => block(value, 0, &mut text)?,
        Data::Map(map) if !map.entries().is_empty() => block(value, 0, &mut text)?,
        _ => {
            inline(value, 2, &mut text)?;
            end_line(&mut text);
            // What could go on is ended.
            if matches!(value.data(), Data::Null | Data::Bool(_) | Data::Number(_)) {
                text.push_str("...\n");
            }
        }
    }
    let encoded = context.evaluator.text(text, context.span);
    Ok(encoded.noted(|notes| notes.document = Some(value.clone())))
}

/// The lines of a collection that is not empty, each indented; the first line's indentation is there already when nested.
fn block(value: &Value, indent: usize, text: &mut String) -> Result<(), Stop> {
    if text.len() > TEXT_LIMIT {
        return Ok(());
    }
    let pad = |first: bool, text: &mut String| {
        if !first || text.is_empty() || text.ends_with('\n') {
            text.push_str(&" ".repeat(indent));
        }
    };
    match value.data() {
        Data::List(list) => {
            for (index, item) in list.items.iter().enumerate() {
                pad(index == 0, text);
                text.push_str("- ");
                if is_block(item) {
                    block(item, indent + 2, text)?;
                } else {
                    inline(item, indent + 2, text)?;
                    end_line(text);
                }
            }
        }
        Data::Map(map) => {
            for (index, (key, item)) in compare::sorted(map).into_iter().enumerate() {
                pad(index == 0, text);
                let long = key.contains('\n') || key.len() > 128;
                if long && is_block(item) {
                    return Err(Stop::Unsupported("yamlencode() with a long key".into()));
                }
                if long {
                    text.push_str("? ");
                    inline(&Value::text(Arc::clone(key), item.span()), indent + 2, text)?;
                    end_line(text);
                    text.push_str(&" ".repeat(indent));
                } else {
                    quoted(key, usize::MAX, text);
                }
                text.push(':');
                if is_block(item) {
                    text.push('\n');
                    // Lists in a map are not indented further.
                    block(item, if item.as_list().is_some() { indent } else { indent + 2 }, text)?;
                } else {
                    text.push(' ');
                    inline(item, indent + 2, text)?;
                    end_line(text);
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn end_line(text: &mut String) {
    if !text.ends_with('\n') {
        text.push('\n');
    }
}

fn is_block(value: &Value) -> bool {
    match value.data() {
        Data::List(list) => !list.items.is_empty(),
        Data::Map(map) => !map.entries().is_empty(),
        _ => false,
    }
}

/// A scalar, or an empty collection. `indent` is that of further lines.
fn inline(value: &Value, indent: usize, text: &mut String) -> Result<(), Stop> {
    match value.data() {
        Data::Null => text.push_str("null"),
        Data::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Data::Number(number) => drop(write!(text, "{number}")),
        Data::Text(value) if is_literal(value) => literal(value, indent, text),
        Data::Text(value) => quoted(value, indent, text),
        Data::List(_) => text.push_str("[]"),
        Data::Map(_) => text.push_str("{}"),
        Data::Unknown(_) | Data::OneOf(_) => return Err(Stop::Unknown(value.clone())),
    }
    Ok(())
}

/// Whether a text is written line by line.
fn is_literal(text: &str) -> bool {
    let plain = |letter: char| {
        letter == '\n' || (is_printable(letter) && !matches!(letter, '\u{85}' | '\u{2028}' | '\u{2029}'))
    };
    text.contains('\n') && text.chars().all(plain) && !text.contains(" \n") && !text.ends_with(' ')
}

fn is_printable(letter: char) -> bool {
    matches!(letter, '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

fn literal(value: &str, indent: usize, text: &mut String) {
    text.push('|');
    if value.starts_with([' ', '\n']) {
        text.push('2');
    }
    if !value.ends_with('\n') {
        text.push('-');
    } else if value == "\n" || value.ends_with("\n\n") {
        text.push('+');
    }
    text.push('\n');
    for line in value.strip_suffix('\n').unwrap_or(value).split('\n') {
        if !line.is_empty() {
            text.push_str(&" ".repeat(indent));
        }
        text.push_str(line);
        text.push('\n');
    }
}

/// Text in quotes, broken at spaces when lines grow long.
fn quoted(value: &str, indent: usize, text: &mut String) {
    text.push('"');
    let mut column = text.rsplit('\n').next().unwrap_or_default().chars().count();
    let letters: Vec<char> = value.chars().collect();
    let mut after_space = false;
    for (index, letter) in letters.iter().enumerate() {
        let breaks = *letter == ' ' && !after_space && column > WIDTH && index > 0 && index + 1 < letters.len();
        if breaks && indent != usize::MAX {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            column = indent;
            if letters.get(index + 1) == Some(&' ') {
                text.push('\\');
                column += 1;
            }
        } else {
            let before = text.len();
            escaped(*letter, text);
            column += text.get(before..).map_or(0, |added| added.chars().count());
        }
        after_space = *letter == ' ';
    }
    text.push('"');
}

fn escaped(letter: char, text: &mut String) {
    let short = match letter {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' | '\\' => letter,
        '\u{85}' => 'N',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ if is_printable(letter) => return text.push(letter),
        _ => {
            let code = u32::from(letter);
            let _ = match code {
                0..=0xff => write!(text, "\\x{code:02X}"),
                0x100..=0xffff => write!(text, "\\u{code:04X}"),
                _ => write!(text, "\\U{code:08X}"),
            };
            return;
        }
    };
    text.push('\\');
    text.push(short);
}
