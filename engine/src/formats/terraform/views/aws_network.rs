//! Security groups, their rules, and network ACLs of AWS.

use super::network::{Rule, bounded_ports, by_text, joined, nodes, part, protocol, word};
use super::{change_blocks, field, with_entry};
use crate::resource::{Resource, Value};

/// Adds views and rules of the types this file knows.
pub(super) fn add(resource: &mut Resource, made: &mut Vec<Resource>) {
    match &*resource.type_name {
        "aws_security_group" | "aws_default_security_group" => {
            for direction in ["ingress", "egress"] {
                inline(resource, direction, made, &security_rule);
            }
        }
        "aws_network_acl" | "aws_default_network_acl" => {
            for direction in ["ingress", "egress"] {
                inline(resource, direction, made, &acl_rule);
            }
        }
        "aws_security_group_rule" => {
            let direction = part(&resource.attributes, "type").unwrap_or_else(|| word("ingress", resource.header));
            let rule = security_rule(&resource.attributes, direction);
            whole(resource, rule, made);
        }
        "aws_vpc_security_group_ingress_rule" => {
            let rule = vpc_rule(&resource.attributes, word("ingress", resource.header));
            whole(resource, rule, made);
        }
        "aws_vpc_security_group_egress_rule" => {
            let rule = vpc_rule(&resource.attributes, word("egress", resource.header));
            whole(resource, rule, made);
        }
        "aws_network_acl_rule" => {
            let egress = part(&resource.attributes, "egress").unwrap_or_else(|| Value::bool(false, resource.header));
            let direction = by_text(&egress, &|text| if text == "true" { "egress" } else { "ingress" }.into());
            let rule = acl_rule(&resource.attributes, direction);
            whole(resource, rule, made);
        }
        _ => {}
    }
}

/// Rules that are blocks (or objects of a list) of their owner.
fn inline(resource: &mut Resource, direction: &str, made: &mut Vec<Resource>, rule: &dyn Fn(&Value, Value) -> Rule) {
    let Some(list) = field(&resource.attributes, direction).cloned() else { return };
    for (node, called) in nodes(&list, direction) {
        let rule = rule(&node, word(direction, node.span()));
        made.push(rule.into_resource(resource, &node, &called));
    }
    change_blocks(resource, direction, &mut |node| {
        if node.as_map().is_none() {
            return node.clone();
        }
        viewed(node, &rule(node, word(direction, node.span())))
    });
}

/// A rule that is a resource of its own.
fn whole(resource: &mut Resource, rule: Rule, made: &mut Vec<Resource>) {
    resource.attributes = viewed(&resource.attributes, &rule);
    let node = resource.attributes.clone();
    made.push(rule.into_resource(resource, &node, ""));
}

fn viewed(node: &Value, rule: &Rule) -> Value {
    let node = with_entry(node, "direction", rule.direction.clone());
    let node = with_entry(&node, "ports", rule.ports.clone());
    with_entry(&node, "cidrs", rule.cidrs.clone())
}

fn security_rule(node: &Value, direction: Value) -> Rule {
    let place = node.span();
    let protocol = part(node, "protocol").map_or_else(|| word("all", place), |value| protocol(&value));
    Rule {
        direction,
        action: word("allow", place),
        ports: bounded_ports(&protocol, part(node, "from_port").as_ref(), part(node, "to_port").as_ref(), place),
        cidrs: joined(&[part(node, "cidr_blocks"), part(node, "ipv6_cidr_blocks")], place),
        protocol,
    }
}

fn vpc_rule(node: &Value, direction: Value) -> Rule {
    let place = node.span();
    let protocol = part(node, "ip_protocol").map_or_else(|| word("all", place), |value| protocol(&value));
    Rule {
        direction,
        action: word("allow", place),
        ports: bounded_ports(&protocol, part(node, "from_port").as_ref(), part(node, "to_port").as_ref(), place),
        cidrs: joined(&[part(node, "cidr_ipv4"), part(node, "cidr_ipv6")], place),
        protocol,
    }
}

fn acl_rule(node: &Value, direction: Value) -> Rule {
    let place = node.span();
    let protocol = part(node, "protocol").map_or_else(|| word("all", place), |value| protocol(&value));
    let action = part(node, "action").or_else(|| part(node, "rule_action"));
    let action = action.map_or_else(|| word("allow", place), |value| by_text(&value, &str::to_ascii_lowercase));
    // An ACL's protocol may be a name too; `0` to `0` with all protocols is what the console writes.
    Rule {
        direction,
        action,
        ports: bounded_ports(&protocol, part(node, "from_port").as_ref(), part(node, "to_port").as_ref(), place),
        cidrs: joined(&[part(node, "cidr_block"), part(node, "ipv6_cidr_block")], place),
        protocol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Data;

    #[test]
    fn a_node_that_is_no_map_has_no_view() {
        let text = word("x", crate::resource::Span::NOWHERE);
        assert!(matches!(with_entry(&text, "ports", text.clone()).data(), Data::Text(_)));
    }
}
