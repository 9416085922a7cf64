//! Network security groups and their rules of Azure.

use super::network::{Rule, by_text, joined, nodes, part, ports_for, protocol, ranges, word};
use super::{change_blocks, field, list_at, with_entry};
use crate::resource::{Data, Resource, Value};

/// Adds views and rules of the types this file knows.
pub(super) fn add(resource: &mut Resource, made: &mut Vec<Resource>) {
    match &*resource.type_name {
        "azurerm_network_security_rule" => {
            let rule = rule(&resource.attributes);
            resource.attributes = viewed(&resource.attributes, &rule);
            let node = resource.attributes.clone();
            made.push(rule.into_resource(resource, &node, ""));
        }
        "azurerm_network_security_group" => {
            let Some(list) = field(&resource.attributes, "security_rule").cloned() else { return };
            for (node, called) in nodes(&list, "security_rule") {
                made.push(rule(&node).into_resource(resource, &node, &called));
            }
            change_blocks(resource, "security_rule", &mut |node| match node.as_map() {
                Some(_) => viewed(node, &rule(node)),
                None => node.clone(),
            });
        }
        _ => {}
    }
}

/// `direction` is the provider's own attribute, so it keeps the provider's words.
fn viewed(node: &Value, rule: &Rule) -> Value {
    let node = with_entry(node, "ports", rule.ports.clone());
    with_entry(&node, "cidrs", rule.cidrs.clone())
}

fn rule(node: &Value) -> Rule {
    let place = node.span();
    let words = |name: &str, default: &str, change: &dyn Fn(&str) -> String| {
        part(node, name).map_or_else(|| word(default, place), |value| by_text(&value, change))
    };
    let direction = words("direction", "ingress", &|text| match text.to_ascii_lowercase().as_str() {
        "inbound" => "ingress".into(),
        "outbound" => "egress".into(),
        other => other.into(),
    });
    let protocol = part(node, "protocol").map_or_else(|| word("all", place), |value| protocol(&value));
    let ports = joined(&[part(node, "destination_port_range"), part(node, "destination_port_ranges")], place);
    // The protocol `*` says nothing of ports here: they are given all the same.
    let of_protocol =
        if protocol.as_text().is_some_and(|text| &**text == "all") { word("any", place) } else { protocol.clone() };
    Rule {
        action: words("access", "allow", &str::to_ascii_lowercase),
        ports: ports_for(&of_protocol, ranges(&ports), place),
        cidrs: cidrs(node, &direction),
        direction,
        protocol,
    }
}

/// The other side's addresses: the source of what comes in, the destination of what goes out.
fn cidrs(node: &Value, direction: &Value) -> Value {
    let side = |side: &str| {
        let prefix = part(node, &format!("{side}_address_prefix"));
        let prefixes = part(node, &format!("{side}_address_prefixes"));
        everyone(&joined(&[prefix, prefixes], node.span()))
    };
    match direction.as_text().map(|text| &**text) {
        Some("egress") => side("destination"),
        _ => side("source"),
    }
}

/// Azure's words for every address, as the range they mean.
fn everyone(cidrs: &Value) -> Value {
    match cidrs.data() {
        Data::List(list) => {
            let meaning = |text: &str| match text.to_ascii_lowercase().as_str() {
                "*" | "internet" | "any" => "0.0.0.0/0".into(),
                _ => text.to_owned(),
            };
            list_at(list.items.iter().map(|item| by_text(item, &meaning)).collect(), cidrs)
        }
        Data::OneOf(alternatives) => cidrs.clone().with(Data::OneOf(alternatives.iter().map(everyone).collect())),
        _ => cidrs.clone(),
    }
}
