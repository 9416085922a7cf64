//! Functions over text. Characters are what a reader takes for one, as Terraform counts them.

use std::sync::Arc;

use unicode_segmentation::UnicodeSegmentation as _;

use super::{
    Context, Function, NUMBER, Outcome, Shape, Stop, TEXT, at, function, items_at, known, open, text_at, texts,
    whole_at,
};
use crate::formats::terraform::eval::{TEXT_LIMIT, is_known, reason};
use crate::resource::{Data, ListKind, Type, Unknown, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    function("chomp", &[TEXT], Shape::Text, |c, a| c.text(text_at(a, 0).trim_end_matches(['\n', '\r']))),
    function("endswith", &[TEXT, TEXT], Shape::Bool, |c, a| c.bool(text_at(a, 0).ends_with(text_at(a, 1)))),
    function("indent", &[NUMBER, TEXT], Shape::Text, indent),
    function("join", &[TEXT], Shape::Text, join).further(known(Shape::Texts)),
    function("lower", &[TEXT], Shape::Text, |c, a| c.text(text_at(a, 0).chars().map(lower).collect::<String>())),
    function("split", &[TEXT, TEXT], Shape::Texts, split),
    function("startswith", &[open(Shape::Text), TEXT], Shape::Bool, startswith),
    function("strcontains", &[TEXT, TEXT], Shape::Bool, |c, a| c.bool(text_at(a, 0).contains(text_at(a, 1)))),
    function("strrev", &[TEXT], Shape::Text, |c, a| c.text(text_at(a, 0).graphemes(true).rev().collect::<String>())),
    function("substr", &[TEXT, NUMBER, NUMBER], Shape::Text, substr),
    function("title", &[TEXT], Shape::Text, title),
    function("trim", &[TEXT, TEXT], Shape::Text, |c, a| {
        let set: Vec<char> = text_at(a, 1).chars().collect();
        c.text(text_at(a, 0).trim_matches(&set[..]))
    }),
    function("trimprefix", &[TEXT, TEXT], Shape::Text, |c, a| {
        c.text(text_at(a, 0).strip_prefix(text_at(a, 1)).unwrap_or(text_at(a, 0)))
    }),
    function("trimspace", &[TEXT], Shape::Text, |c, a| c.text(text_at(a, 0).trim())),
    function("trimsuffix", &[TEXT, TEXT], Shape::Text, |c, a| {
        c.text(text_at(a, 0).strip_suffix(text_at(a, 1)).unwrap_or(text_at(a, 0)))
    }),
    function("upper", &[TEXT], Shape::Text, |c, a| c.text(text_at(a, 0).chars().map(upper).collect::<String>())),
];

/// One character for one: letters whose other case has more stay as they are.
fn upper(letter: char) -> char {
    let mut all = letter.to_uppercase();
    all.next().filter(|_| all.next().is_none()).unwrap_or(letter)
}

fn lower(letter: char) -> char {
    // Terraform takes a dotted capital I for a plain one.
    if letter == '\u{130}' {
        return 'i';
    }
    let mut all = letter.to_lowercase();
    all.next().filter(|_| all.next().is_none()).unwrap_or(letter)
}

fn indent(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let width =
        usize::try_from(whole_at(arguments, 0)?).map_err(|_| Stop::from("the indentation must not be negative"))?;
    let text = text_at(arguments, 1);
    if width.saturating_mul(text.matches('\n').count()) > TEXT_LIMIT {
        return Ok(context.evaluator.limit(format!("a text of more than {TEXT_LIMIT} bytes"), context.span));
    }
    context.text(text.replace('\n', &format!("\n{}", " ".repeat(width))))
}

fn join(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let separator = text_at(arguments, 0);
    if arguments.len() < 2 {
        return Err("at least one list is required".into());
    }
    let mut joined = String::new();
    let items = (1..arguments.len()).flat_map(|index| items_at(arguments, index));
    for (index, item) in items.enumerate() {
        if index > 0 {
            joined.push_str(separator);
        }
        if let Some(reason) = reason(item) {
            let prefix = (!joined.is_empty()).then(|| joined.into());
            let unknown = Unknown { reason, not_null: true, prefix, shape: Type::Text };
            return Ok(Value::new(Data::Unknown(Arc::new(unknown)), context.span));
        }
        joined.push_str(item.as_text().ok_or_else(|| Stop::from("a list must not hold null"))?);
        if joined.len() > TEXT_LIMIT {
            break;
        }
    }
    context.text(joined)
}

fn split(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let (separator, text) = (text_at(arguments, 0), text_at(arguments, 1));
    let part = |part: &str| Value::text(part, context.span);
    let parts = if separator.is_empty() {
        text.chars().map(|c| part(c.encode_utf8(&mut [0; 4]))).collect()
    } else {
        text.split(separator).map(part).collect()
    };
    context.list(ListKind::List, parts)
}

/// What is known of an unknown text may be enough.
fn startswith(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let (text, prefix) = (at(arguments, 0), text_at(arguments, 1));
    if is_known(text) {
        return context.bool(text_at(arguments, 0).starts_with(prefix));
    }
    let known = text.as_unknown().and_then(|unknown| unknown.prefix.as_deref()).unwrap_or_default();
    if known.starts_with(prefix) {
        return context.bool(true);
    }
    if !prefix.starts_with(known) {
        return context.bool(false);
    }
    Err(Stop::Unknown(text.clone()))
}

fn substr(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let letters: Vec<&str> = text_at(arguments, 0).graphemes(true).collect();
    let (offset, length) = (whole_at(arguments, 1)?, whole_at(arguments, 2)?);
    let total = letters.len() as i64;
    if offset > total || (length == 0 && offset >= 0) {
        return context.text("");
    }
    let start = if offset < 0 { (offset + total).max(0) } else { offset };
    // Terraform takes no length to mean all, when counting from the end.
    let end = if length <= 0 { total } else { start.saturating_add(length).min(total) };
    context.text(letters.get(start as usize..end as usize).unwrap_or_default().concat())
}

fn title(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let mut before = ' ';
    let titled = text_at(arguments, 0).chars().map(|letter| {
        let begins = separates(before);
        before = letter;
        if begins { upper(letter) } else { letter }
    });
    context.text(titled.collect::<String>())
}

fn separates(letter: char) -> bool {
    if letter.is_ascii() {
        return !letter.is_ascii_alphanumeric() && letter != '_';
    }
    !letter.is_alphanumeric() && letter.is_whitespace()
}

/// Texts of a list, for other families.
pub(super) fn all_texts(arguments: &[Value], index: usize) -> Result<Vec<&Arc<str>>, Stop> {
    texts(items_at(arguments, index))
}
