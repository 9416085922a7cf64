//! Port ranges: whether two sets of them share a port.

use crate::resource::{Data, Value};

use super::scalar::{number, one_of};
use super::truth::Truth;

/// A range of ports; an unknown end is absent.
#[derive(Clone, Copy)]
struct Range {
    from: Option<i64>,
    to: Option<i64>,
}

/// Whether the ports of a value (numbers, `a-b`, or maps of `from` and `to`) share one with the wanted ones.
pub(super) fn overlap(value: &Value, wanted: &Value) -> Truth {
    match value.data() {
        Data::List(list) => list.items.iter().map(|item| overlap(item, wanted)).fold(Truth::False, Truth::or),
        Data::OneOf(alternatives) => one_of(alternatives, |value| overlap(value, wanted)),
        Data::Unknown(_) => Truth::Unknown,
        _ => match range(value) {
            Some(range) => {
                wanted_ranges(wanted).into_iter().map(|other| share(range, other)).fold(Truth::False, Truth::or)
            }
            None => Truth::Unknown,
        },
    }
}

fn wanted_ranges(wanted: &Value) -> Vec<Range> {
    match wanted.data() {
        Data::List(list) => list.items.iter().filter_map(range).collect(),
        _ => range(wanted).into_iter().collect(),
    }
}

fn range(value: &Value) -> Option<Range> {
    match value.data() {
        Data::Map(map) => {
            let end = |name| map.get(name).and_then(number).and_then(|number| number.as_i64());
            let is_readable = |name| map.get(name).is_some_and(|v| number(v).is_some() || v.as_unknown().is_some());
            (is_readable("from") || is_readable("to")).then(|| Range { from: end("from"), to: end("to") })
        }
        Data::Text(text) if matches!(text.trim(), "*" | "all") => Some(Range { from: Some(0), to: Some(65_535) }),
        Data::Text(text) => match text.split_once('-') {
            Some((from, to)) => {
                Some(Range { from: Some(from.trim().parse().ok()?), to: Some(to.trim().parse().ok()?) })
            }
            None => text.trim().parse().ok().map(|port| Range { from: Some(port), to: Some(port) }),
        },
        Data::Number(number) => number.as_i64().map(|port| Range { from: Some(port), to: Some(port) }),
        _ => None,
    }
}

/// Whether two ranges share a port, as far as their known ends tell.
fn share(a: Range, b: Range) -> Truth {
    let apart = |low: Option<i64>, high: Option<i64>| matches!((low, high), (Some(low), Some(high)) if low > high);
    if apart(a.from, b.to) || apart(b.from, a.to) {
        return Truth::False;
    }
    if a.from.is_none() || a.to.is_none() || b.from.is_none() || b.to.is_none() { Truth::Unknown } else { Truth::True }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{Key, ListKind, MapKind, Reason, ReasonKind, Span};

    fn ports(from: Value, to: Value) -> Value {
        let key = |name: &str| Key::new(name, Span::NOWHERE);
        Value::map(MapKind::Map, vec![(key("from"), from), (key("to"), to)], Span::NOWHERE)
    }

    fn number(port: i64) -> Value {
        Value::number(port, Span::NOWHERE)
    }

    #[test]
    fn ranges_share_ports_as_far_as_is_known() {
        let unknown = || Value::unknown(Reason::new(ReasonKind::NoDefault, "var.x", None), Span::NOWHERE);
        let wanted =
            Value::list(ListKind::List, vec![number(22), Value::text("3000-4000", Span::NOWHERE)], Span::NOWHERE);
        assert_eq!(overlap(&ports(number(0), number(1024)), &wanted), Truth::True);
        assert_eq!(overlap(&ports(number(443), number(443)), &wanted), Truth::False);
        assert_eq!(overlap(&ports(number(22), unknown()), &wanted), Truth::Unknown);
        assert_eq!(overlap(&ports(number(5000), unknown()), &wanted), Truth::False);
        assert_eq!(overlap(&Value::text("*", Span::NOWHERE), &wanted), Truth::True);
    }
}
