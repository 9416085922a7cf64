//! Encodings of text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Context, Function, Outcome, Shape, Stop, TEXT, function, text_at};
use crate::resource::{Key, ListKind, MapKind, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    function("base64decode", &[TEXT], Shape::Text, base64decode),
    function("base64encode", &[TEXT], Shape::Text, |c, a| c.text(STANDARD.encode(text_at(a, 0)))),
    // The bytes depend on the compressor; only that it is text is known.
    function("base64gzip", &[TEXT], Shape::Text, |_, _| Err(Stop::Unsupported("base64gzip()".into()))),
    function("csvdecode", &[TEXT], Shape::List, csvdecode),
    function("textdecodebase64", &[TEXT, TEXT], Shape::Text, textdecodebase64),
    function("textencodebase64", &[TEXT, TEXT], Shape::Text, textencodebase64),
    function("urlencode", &[TEXT], Shape::Text, |c, a| c.text(urlencode(text_at(a, 0)))),
];

fn bytes(text: &str) -> Result<Vec<u8>, Stop> {
    // Terraform's decoder passes over line breaks.
    let text: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    STANDARD.decode(text).map_err(|_| Stop::from("this is no base 64"))
}

fn base64decode(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let text = String::from_utf8(bytes(text_at(arguments, 0))?);
    context.text(text.map_err(|_| Stop::from("the decoded bytes are no UTF-8 text"))?)
}

fn urlencode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            b' ' => encoded.push('+'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// The encodings of names registered for the web that need no table.
enum Encoding {
    Utf8,
    Utf16 { big: bool },
}

fn encoding(name: &str) -> Result<Encoding, Stop> {
    match name.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" => Ok(Encoding::Utf8),
        "utf-16le" => Ok(Encoding::Utf16 { big: false }),
        "utf-16be" => Ok(Encoding::Utf16 { big: true }),
        _ => Err(Stop::Unsupported(format!("the encoding {name}"))),
    }
}

fn textencodebase64(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let text = text_at(arguments, 0);
    let bytes: Vec<u8> = match encoding(text_at(arguments, 1))? {
        Encoding::Utf8 => text.bytes().collect(),
        Encoding::Utf16 { big } => {
            text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        }
    };
    context.text(STANDARD.encode(bytes))
}

fn textdecodebase64(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let bytes = bytes(text_at(arguments, 0))?;
    let text = match encoding(text_at(arguments, 1))? {
        Encoding::Utf8 => String::from_utf8(bytes).ok(),
        Encoding::Utf16 { big } => {
            let unit = |pair: &[u8]| match pair {
                [a, b] if big => Some(u16::from_be_bytes([*a, *b])),
                [a, b] => Some(u16::from_le_bytes([*a, *b])),
                _ => None,
            };
            let units: Option<Vec<u16>> = bytes.chunks(2).map(unit).collect();
            units.and_then(|units| String::from_utf16(&units).ok())
        }
    };
    context.text(text.ok_or_else(|| Stop::from("the bytes are no text in this encoding"))?)
}

fn csvdecode(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let mut records = records(text_at(arguments, 0))?.into_iter();
    let names = records.next().ok_or_else(|| Stop::from("there is no header line"))?;
    let repeated = names.iter().enumerate().any(|(at, name)| names.iter().take(at).any(|other| other == name));
    if repeated {
        return Err("two columns have one name".into());
    }
    let row = |record: Vec<String>| {
        if record.len() != names.len() {
            return Err(Stop::from("a line has another number of columns"));
        }
        let cells = names.iter().zip(record);
        let entries =
            cells.map(|(name, cell)| (Key::new(name.as_str(), context.span), Value::text(cell, context.span)));
        Ok(Value::map(MapKind::Object, entries.collect(), context.span))
    };
    let rows = records.map(row).collect::<Result<_, _>>()?;
    context.list(ListKind::List, rows)
}

/// The records of a comma-separated text (RFC 4180); empty lines are none.
fn records(text: &str) -> Result<Vec<Vec<String>>, Stop> {
    let mut records = Vec::new();
    let mut record: Vec<String> = Vec::new();
    let mut field = String::new();
    let mut letters = text.chars().peekable();
    let (mut begun, mut quoted) = (false, false);
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' if quoted => {
                quoted = false;
                if !matches!(letters.peek(), None | Some(',' | '\n' | '\r')) {
                    return Err("a quote stands inside a field".into());
                }
            }
            _ if quoted => field.push(letter),
            '"' if field.is_empty() => (quoted, begun) = (true, true),
            '"' => return Err("a quote stands inside a field".into()),
            ',' => {
                record.push(std::mem::take(&mut field));
                begun = true;
            }
            '\r' if letters.peek() == Some(&'\n') => {}
            '\n' => {
                if begun || !field.is_empty() {
                    record.push(std::mem::take(&mut field));
                    records.push(std::mem::take(&mut record));
                }
                begun = false;
            }
            _ => field.push(letter),
        }
    }
    if quoted {
        return Err("a quote is not closed".into());
    }
    if begun || !field.is_empty() {
        record.push(field);
        records.push(record);
    }
    Ok(records)
}
