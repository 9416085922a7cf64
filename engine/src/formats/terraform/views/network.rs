//! `network_rule`: one way through, whatever the provider calls it.
//!
//! Fields: `direction` (`ingress`, `egress`), `action` (`allow`, `deny`), `protocol` (`tcp`, `udp`, `icmp`, `all`, …),
//! `ports` (a list of `{ from, to }`, `0` to `65535` when all are meant, empty when the protocol has none), `cidrs` (IPv4 and
//! IPv6 together), `owner`.

use super::derived;
use crate::formats::terraform::eval::{one_of, reason};
use crate::formats::terraform::values::convert::convert;
use crate::resource::{Data, Key, ListKind, MapKind, Resource, Span, Type, Value};

/// The last port there is.
const LAST_PORT: i64 = 65_535;

/// The name of the virtual resource.
const TYPE: &str = "network_rule";

/// What is said of one way through.
pub(super) struct Rule {
    pub direction: Value,
    pub action: Value,
    pub protocol: Value,
    pub ports: Value,
    pub cidrs: Value,
}

impl Rule {
    /// The rule as a virtual resource. `node` is where it is written, `part` what it is called within its owner.
    pub(super) fn into_resource(self, owner: &Resource, node: &Value, part: &str) -> Resource {
        let fields = [
            ("direction", self.direction),
            ("action", self.action),
            ("protocol", self.protocol),
            ("ports", self.ports),
            ("cidrs", self.cidrs),
        ];
        derived(owner, TYPE, node, part, fields)
    }
}

/// Each node of a list, with what it is called (`ingress[0]`). A list nobody knows is one node that may not be there.
pub(super) fn nodes(list: &Value, name: &str) -> Vec<(Value, String)> {
    match list.data() {
        Data::List(list) => {
            let called = |(index, node): (usize, &Value)| (node.clone(), format!("{name}[{index}]"));
            list.items.iter().enumerate().map(called).collect()
        }
        Data::OneOf(alternatives) => {
            let choice = reason(list);
            let perhaps = |(node, called): (Value, String)| {
                (node.noted(|notes| notes.maybe = notes.maybe.take().or(choice.clone())), called)
            };
            alternatives.iter().flat_map(|one| nodes(one, name)).map(perhaps).collect()
        }
        Data::Unknown(_) if list.known_part().is_some() => {
            let known = list.known_part().unwrap_or_default().into_iter().enumerate();
            known.map(|(index, node)| (node, format!("{name}[{index}]"))).collect()
        }
        Data::Unknown(unknown) => {
            let perhaps = list.clone().noted(|notes| notes.maybe = Some(unknown.reason.clone()));
            vec![(perhaps, format!("{name}[0]"))]
        }
        Data::Map(_) => vec![(list.clone(), format!("{name}[0]"))],
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) => Vec::new(),
    }
}

/// A field of a node; of a node nobody knows every field is unknown.
pub(super) fn part(node: &Value, name: &str) -> Option<Value> {
    match node.data() {
        Data::Map(map) => map.get(name).filter(|value| !value.is_null()).cloned(),
        Data::Unknown(_) => Some(node.clone()),
        Data::OneOf(alternatives) => {
            let parts: Vec<Value> = alternatives.iter().filter_map(|one| part(one, name)).collect();
            let choice = reason(node)?;
            (parts.len() == alternatives.len()).then(|| one_of(parts, choice, node.span()))
        }
        _ => None,
    }
}

/// A value by what its text is; what is unknown stays so.
pub(super) fn by_text(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value.data() {
        Data::OneOf(alternatives) => {
            value.clone().with(Data::OneOf(alternatives.iter().map(|one| by_text(one, change)).collect()))
        }
        _ => match value.scalar_text() {
            Some(text) => value.clone().with(Data::Text(change(&text).into())),
            None => value.clone(),
        },
    }
}

/// A protocol by its name: numbers are named, and whatever means all is `all`.
pub(super) fn protocol(value: &Value) -> Value {
    by_text(value, &|text| match text.to_ascii_lowercase().as_str() {
        "-1" | "*" | "any" | "all" => "all".into(),
        "6" => "tcp".into(),
        "17" => "udp".into(),
        "1" => "icmp".into(),
        "58" | "icmpv6" | "ipv6-icmp" => "icmpv6".into(),
        other => other.into(),
    })
}

/// The ports of a rule that says them as a first and a last one.
pub(super) fn bounded_ports(protocol: &Value, from: Option<&Value>, to: Option<&Value>, place: Span) -> Value {
    let first = from.map_or_else(|| Value::number(0, place), number);
    let last = to.map_or_else(|| Value::number(LAST_PORT, place), number);
    ports_for(protocol, list(vec![range(first, last, place)], place), place)
}

/// The ports of a rule, given what its protocol makes of them.
pub(super) fn ports_for(protocol: &Value, given: Value, place: Span) -> Value {
    let of_protocol = |text: &str| match text {
        "all" => all_ports(place),
        "icmp" | "icmpv6" => list(Vec::new(), place),
        _ => given.clone(),
    };
    match protocol.data() {
        Data::OneOf(alternatives) => {
            let each = alternatives.iter().map(|one| ports_for(one, given.clone(), place)).collect();
            reason(protocol).map_or_else(|| given.clone(), |choice| one_of(each, choice, place))
        }
        // It may be one that has all ports.
        Data::Unknown(unknown) => one_of(vec![given, all_ports(place)], unknown.reason.clone(), place),
        _ => protocol.as_text().map_or_else(|| given.clone(), |text| of_protocol(text)),
    }
}

/// Ports written as text: `22`, `8000-8100`, `*`.
fn written_ports(texts: &[Value], place: Span) -> Value {
    list(texts.iter().map(|text| written_range(text, place)).collect(), place)
}

/// A list of ports written as text, or each of several such lists.
pub(super) fn ranges(ports: &Value) -> Value {
    match ports.data() {
        Data::List(list) => written_ports(&list.items, ports.span()),
        Data::OneOf(alternatives) => ports.clone().with(Data::OneOf(alternatives.iter().map(ranges).collect())),
        _ => ports.clone(),
    }
}

fn written_range(value: &Value, place: Span) -> Value {
    let span = if value.span().is_somewhere() { value.span() } else { place };
    if let Data::OneOf(alternatives) = value.data() {
        let each = alternatives.iter().map(|one| written_range(one, place)).collect();
        return reason(value).map_or_else(|| value.clone(), |choice| one_of(each, choice, span));
    }
    let Some(text) = value.scalar_text() else { return range(number(value), number(value), span) };
    let bounds = match text.trim().split_once('-') {
        _ if matches!(text.trim(), "*" | "any" | "Any") => Some((0, LAST_PORT)),
        Some((from, to)) => from.trim().parse().ok().zip(to.trim().parse().ok()),
        None => text.trim().parse().ok().map(|port| (port, port)),
    };
    match bounds {
        Some((from, to)) => range(
            value.clone().with(Data::Number(i64::into(from))),
            value.clone().with(Data::Number(i64::into(to))),
            span,
        ),
        None => value.clone(),
    }
}

pub(super) fn all_ports(place: Span) -> Value {
    list(vec![range(Value::number(0, place), Value::number(LAST_PORT, place), place)], place)
}

fn range(from: Value, to: Value, place: Span) -> Value {
    let entries = vec![(Key::new("from", place), from), (Key::new("to", place), to)];
    Value::map(MapKind::Object, entries, place)
}

fn number(value: &Value) -> Value {
    convert(value.clone(), &Type::Number).unwrap_or_else(|_| value.clone())
}

fn list(items: Vec<Value>, place: Span) -> Value {
    Value::list(ListKind::List, items, place)
}

/// Several lists and single values as one list. A part nobody knows is an unknown element of it; where a part is one of
/// several lists, so is the whole.
pub(super) fn joined(parts: &[Option<Value>], place: Span) -> Value {
    let mut items = Vec::new();
    for (index, given) in parts.iter().enumerate() {
        let Some(value) = given else { continue };
        match value.data() {
            Data::Null => {}
            Data::List(list) => {
                items.extend(list.items.iter().filter(|item| !item.is_null()).map(|item| item.clone().part_of(value)));
            }
            Data::OneOf(alternatives) if alternatives.iter().any(|one| one.as_list().is_some()) => {
                let with = |one: &Value| {
                    let mut parts = parts.to_vec();
                    if let Some(part) = parts.get_mut(index) {
                        *part = Some(one.clone());
                    }
                    joined(&parts, place)
                };
                let each = alternatives.iter().map(with).collect();
                return reason(value).map_or_else(|| list(Vec::new(), place), |choice| one_of(each, choice, place));
            }
            _ => match value.known_part() {
                Some(known) => items.extend(known),
                None => items.push(value.clone()),
            },
        }
    }
    list(items, place)
}

/// A word of our own at the place of a value, or of the node it belongs to.
pub(super) fn word(text: &str, place: Span) -> Value {
    Value::text(text, place)
}
