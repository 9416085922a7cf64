//! Firewall rules of Google Cloud: one rule for each `allow` and `deny` block.

use super::network::{Rule, all_ports, by_text, joined, nodes, part, ports_for, protocol, ranges, word};
use super::{change_blocks, field, with_entry};
use crate::formats::terraform::eval::{one_of, reason};
use crate::formats::terraform::values::convert::convert;
use crate::resource::{Data, Resource, Span, Type, Value};

/// Adds views and rules of the types this file knows.
pub(super) fn add(resource: &mut Resource, made: &mut Vec<Resource>) {
    if &*resource.type_name != "google_compute_firewall" {
        return;
    }
    let direction = part(&resource.attributes, "direction").unwrap_or_else(|| word("ingress", resource.header));
    let direction = by_text(&direction, &str::to_ascii_lowercase);
    let cidrs = cidrs(resource, &direction);
    let disabled = field(&resource.attributes, "disabled").and_then(|value| convert(value.clone(), &Type::Bool).ok());
    let is_disabled = disabled.as_ref().and_then(Value::as_bool) == Some(true);
    // A rule that is switched off does nothing.
    let perhaps = disabled.as_ref().and_then(reason);
    let effect = |action: &str, place| match &perhaps {
        Some(why) => one_of(vec![word(action, place), word("none", place)], why.clone(), place),
        None => word(action, place),
    };
    for action in ["allow", "deny"] {
        let list = field(&resource.attributes, action).cloned();
        for (node, called) in list.iter().flat_map(|list| nodes(list, action)).filter(|_| !is_disabled) {
            let (protocol, ports) = protocol_and_ports(&node);
            let rule = Rule {
                direction: direction.clone(),
                action: effect(action, node.span()),
                protocol,
                ports,
                cidrs: cidrs.clone(),
            };
            made.push(rule.into_resource(resource, &node, &called));
        }
        // The provider's `ports` stays as it is written; only where it is left out the view says what that means.
        change_blocks(resource, action, &mut |node| match field(node, "ports") {
            None if node.as_map().is_some() => with_entry(node, "ports", protocol_and_ports(node).1),
            _ => node.clone(),
        });
    }
    resource.attributes = with_entry(&resource.attributes, "cidrs", cidrs);
}

fn protocol_and_ports(node: &Value) -> (Value, Value) {
    let place = node.span();
    let protocol = part(node, "protocol").map_or_else(|| word("all", place), |value| protocol(&value));
    let given = match part(node, "ports") {
        Some(ports) => or_all(&joined(&[Some(ports)], place), place),
        None => all_ports(place),
    };
    let ports = ports_for(&protocol, given, place);
    (protocol, ports)
}

/// The ports of a list; of one without any all are meant.
fn or_all(ports: &Value, place: Span) -> Value {
    match ports.data() {
        Data::List(list) if list.items.is_empty() => all_ports(place),
        Data::OneOf(alternatives) => {
            ports.clone().with(Data::OneOf(alternatives.iter().map(|one| or_all(one, place)).collect()))
        }
        _ => ranges(ports),
    }
}

/// The other side's addresses. What comes in from anywhere is said by naming no source at all.
fn cidrs(resource: &Resource, direction: &Value) -> Value {
    let attributes = &resource.attributes;
    let egress = direction.as_text().is_some_and(|text| &**text == "egress");
    let ranges = part(attributes, if egress { "destination_ranges" } else { "source_ranges" });
    let other = ["source_tags", "source_service_accounts"].iter().any(|name| part(attributes, name).is_some());
    match ranges {
        Some(ranges) => joined(&[Some(ranges)], resource.span),
        None if other && !egress => joined(&[], resource.span),
        None => joined(&[Some(word("0.0.0.0/0", resource.header))], resource.span),
    }
}
