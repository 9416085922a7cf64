//! Firewall rules of Google Cloud: one rule for each `allow` and `deny` block.

use super::network::{Rule, all_ports, by_text, joined, nodes, part, ports_for, protocol, word, written_ports};
use super::{change_blocks, field, with_entry};
use crate::resource::{Data, Resource, Value};

/// Adds views and rules of the types this file knows.
pub(super) fn add(resource: &mut Resource, made: &mut Vec<Resource>) {
    if &*resource.type_name != "google_compute_firewall" {
        return;
    }
    let direction = part(&resource.attributes, "direction").unwrap_or_else(|| word("ingress", resource.header));
    let direction = by_text(&direction, &str::to_ascii_lowercase);
    let cidrs = cidrs(resource, &direction);
    let disabled = field(&resource.attributes, "disabled").and_then(Value::as_bool) == Some(true);
    for action in ["allow", "deny"] {
        let list = field(&resource.attributes, action).cloned();
        for (node, called) in list.iter().flat_map(|list| nodes(list, action)).filter(|_| !disabled) {
            let (protocol, ports) = protocol_and_ports(&node);
            let rule = Rule {
                direction: direction.clone(),
                action: word(action, node.span()),
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
        Some(ports) => match joined(&[Some(ports)], place).data() {
            Data::List(list) if list.items.is_empty() => all_ports(place),
            Data::List(list) => written_ports(&list.items, place),
            _ => all_ports(place),
        },
        None => all_ports(place),
    };
    let ports = ports_for(&protocol, given, place);
    (protocol, ports)
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
