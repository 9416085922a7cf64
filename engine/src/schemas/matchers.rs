//! Whether a matcher can mean what lies at its path.

use super::check::Sink;
use super::node::{Leaf, Node};
use super::text::Container;
use crate::policy::{Condition, Literal, Matcher, OPERATORS, Operand, Operator, Place, nearest};

impl<'s> Sink<'s, '_> {
    /// What is wrong with asking a node this.
    pub(super) fn matcher(&mut self, node: &Node<'s>, matcher: &Matcher, place: Place) {
        match matcher {
            Matcher::Present | Matcher::Absent => {}
            Matcher::Is(literal) => self.literal(node, literal, place),
            Matcher::Choice(choices) => {
                choices.iter().for_each(|choice| self.matcher(node, choice, place));
                self.covers_everything(node, choices, place);
            }
            Matcher::Param(name) => {
                let params = self.params;
                match params.iter().find(|(param, _)| param == name).map(|(_, value)| value) {
                    Some(Literal::List(items)) => items.iter().for_each(|item| self.literal(node, item, place)),
                    Some(literal) => self.literal(node, literal, place),
                    None => {}
                }
            }
            Matcher::Predicate(predicate) if predicate.name.takes_lists() => {}
            Matcher::Predicate(_) => drop(self.scalar(node, place)),
            Matcher::Operators { tests, .. } => tests.iter().for_each(|test| self.operator(node, test, place)),
            Matcher::Pattern(conditions) => self.pattern(node, conditions, place),
        }
    }

    fn pattern(&mut self, node: &Node<'s>, conditions: &[Condition], place: Place) {
        let element = node.element();
        let is_structure = node.container == Container::Map || matches!(element.leaf, Leaf::Block | Leaf::Any);
        if is_structure {
            let inside = if node.container == Container::Map { node } else { &element };
            return conditions.iter().for_each(|condition| self.condition(inside, condition));
        }
        let head = conditions.iter().find_map(|condition| match condition {
            Condition::Entry { path, .. } => path.head(),
            _ => None,
        });
        let what = element.what();
        let operators = OPERATORS.map(|operator| operator.name);
        let meant = head.and_then(|head| nearest(head, &operators));
        let hint = match (head, meant) {
            (Some(head), Some(meant)) => format!("`{head}` is no operator; did you mean `{meant}`?"),
            _ => format!("name what it must be, or an operator: {}", operators.join(", ")),
        };
        self.say("no-attributes", place.value, format!("it is {what} and has no attributes; {hint}"));
    }

    /// A test of one value on what is a list: it is never answered.
    fn scalar(&mut self, node: &Node<'s>, place: Place) -> bool {
        if node.container == Container::List {
            let hint = "write `[]` behind it to ask each element, or use `contains`, `subset_of` or `length`";
            self.say("list-as-one", place.key, format!("it is a list, and this asks one value; {hint}"));
        }
        node.container == Container::One
    }

    fn literal(&mut self, node: &Node<'s>, literal: &Literal, place: Place) {
        if !self.scalar(node, place) {
            return;
        }
        let wrong = match (node.leaf, literal) {
            (Leaf::Bool, Literal::Bool(_)) | (Leaf::Number, Literal::Number(_)) => false,
            (Leaf::Bool, literal) => !matches!(literal.to_text().as_str(), "true" | "false" | "1" | "0"),
            (Leaf::Number, Literal::Text(text)) => text.parse::<f64>().is_err(),
            (Leaf::Number, Literal::Bool(_) | Literal::List(_)) => true,
            (Leaf::Block, _) => {
                let hint = "ask for what is in it, or `present`";
                self.say("block-as-value", place.value, format!("it is a block and never equals {literal}; {hint}"));
                false
            }
            (Leaf::Text | Leaf::Any, _) => false,
        };
        if wrong {
            let what = node.what();
            self.say("wrong-kind", place.value, format!("it is {what} and never equals {literal}"));
        }
        self.is_listed(node, literal, place);
    }

    /// A text that the provider does not accept.
    fn is_listed(&mut self, node: &Node<'s>, literal: &Literal, place: Place) {
        let text = literal.to_text();
        if node.values.is_empty() || node.values.iter().any(|value| **value == text) {
            return;
        }
        let known: Vec<&str> = node.values.iter().map(|value| &**value).collect();
        let same = known.iter().find(|value| value.eq_ignore_ascii_case(&text)).copied();
        let hint = match same.or_else(|| nearest(&text, &known)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("it is one of: {}", known.join(", ")),
        };
        self.say("no-such-value", place.value, format!("it is never `{text}`; {hint}"));
    }

    /// A choice of every value there is: it only asks whether there is one.
    fn covers_everything(&mut self, node: &Node<'s>, choices: &[Matcher], place: Place) {
        let chosen =
            |wanted: &str| choices.iter().any(|choice| matches!(choice, Matcher::Is(l) if l.to_text() == wanted));
        let all_values = !node.values.is_empty() && node.values.iter().all(|value| chosen(value));
        let both = node.leaf == Leaf::Bool && chosen("true") && chosen("false");
        if node.container == Container::One && (all_values || both) {
            let hint = "these are all the values it can have; say `present` if it must be set";
            self.say("every-value", place.value, hint.to_owned());
        }
    }

    fn operator(&mut self, node: &Node<'s>, operator: &Operator, place: Place) {
        match operator {
            Operator::Match(matcher) | Operator::Not(matcher) => self.matcher(node, matcher, place),
            Operator::Contains(matcher) | Operator::SubsetOf(matcher) => self.inside(node, matcher, place),
            Operator::ContainsAny(matchers) | Operator::ContainsAll(matchers) => {
                matchers.iter().for_each(|matcher| self.inside(node, matcher, place));
            }
            Operator::Less(operand)
            | Operator::LessOrEqual(operand)
            | Operator::Greater(operand)
            | Operator::GreaterOrEqual(operand) => {
                if self.scalar(node, place) && matches!(node.leaf, Leaf::Bool | Leaf::Block) {
                    let what = node.what();
                    self.say("wrong-kind", place.value, format!("it is {what}, which has no order"));
                }
                self.operand(operand, place);
            }
            Operator::Equal(operand)
            | Operator::Among(operand)
            | Operator::Quantity(_, operand)
            | Operator::WithinDays(operand) => {
                self.scalar(node, place);
                self.operand(operand, place);
            }
            Operator::Matches(_)
            | Operator::StartsWith(_)
            | Operator::EndsWith(_)
            | Operator::WithinCidr(_)
            | Operator::Version(_) => self.of_text(node, place),
            Operator::Overlaps(operand) => self.operand(operand, place),
            Operator::Length(_) => {
                if node.container == Container::One && matches!(node.leaf, Leaf::Bool | Leaf::Number) {
                    let what = node.what();
                    self.say("wrong-kind", place.value, format!("it is {what}, which has no length"));
                }
            }
        }
    }

    fn of_text(&mut self, node: &Node<'s>, place: Place) {
        if self.scalar(node, place) && matches!(node.leaf, Leaf::Bool | Leaf::Block) {
            let what = node.what();
            self.say("wrong-kind", place.value, format!("it is {what}, and this tests text"));
        }
    }

    /// An element of a list, or a part of a text.
    fn inside(&mut self, node: &Node<'s>, matcher: &Matcher, place: Place) {
        match (node.container, node.leaf) {
            (Container::List, _) => self.matcher(&node.element(), matcher, place),
            (Container::One, Leaf::Number | Leaf::Bool | Leaf::Block) => {
                let what = node.what();
                self.say("wrong-kind", place.value, format!("it is {what}: neither a list nor text"));
            }
            (Container::One, Leaf::Text | Leaf::Any) | (Container::Map, _) => {}
        }
    }

    fn operand(&mut self, operand: &Operand, place: Place) {
        let Operand::Path(path) = operand else { return };
        let link = path.head().and_then(|head| self.check.related.iter().find(|link| link.name == head));
        let (nodes, path) = match (link, path.head()) {
            (Some(link), _) => (self.targets(link), path.tail()),
            // Which element is looped over is known where the conditions are asked.
            (None, Some("element")) => return,
            (None, Some("this")) => (self.root(), path.tail()),
            (None, _) => (self.root(), path.clone()),
        };
        self.path(&nodes, &path, place.value, super::check::Strictness::InSome);
    }
}
