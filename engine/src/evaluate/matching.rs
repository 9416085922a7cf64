//! Matchers on the node a path leads to.

use std::borrow::Cow;

use crate::policy::{Comparison, Literal, Matcher, Operand, Operator};
use crate::resource::{Data, ListKind, Reason, ReasonKind, Span, Value, days_of_date};

use super::cursor::Cursor;
use super::leaf::{Leaf, Nobody, Watch};
use super::ports;
use super::predicates;
use super::quantity::Mode;
use super::scalar::{TextCase, equals, number, one_of, same_text, starts_with};
use super::trace::Opened;
use super::truth::Truth;
use super::units::{compare_quantities, version_meets};
use super::walk::{Walk, undecided_reason};

impl Walk<'_> {
    /// Whether the node under a cursor is what a matcher wants.
    pub(super) fn matches<W: Watch>(&self, at: &Cursor<'_>, matcher: &Matcher, mode: Mode, watch: &mut W) -> Truth {
        if let Matcher::Pattern(conditions) = matcher {
            return self.pattern(at, conditions, matcher, mode, watch);
        }
        let truth = self.test(at, at.node, matcher, mode);
        watch.leaf(|| leaf(at, matcher, truth));
        truth
    }

    /// A pattern holds on a map, and on each (or any) element of a list.
    fn pattern<W: Watch>(
        &self,
        at: &Cursor<'_>,
        conditions: &[crate::policy::Condition],
        matcher: &Matcher,
        mode: Mode,
        watch: &mut W,
    ) -> Truth {
        match at.node.map(Value::data) {
            None => {
                watch.leaf(|| leaf(at, matcher, Truth::False));
                Truth::False
            }
            Some(Data::List(list)) => self
                .over_list(at, list, mode, watch, |walk, at, watch| walk.pattern(at, conditions, matcher, mode, watch)),
            Some(Data::OneOf(alternatives)) => self.over_alternatives(at, alternatives, watch, |walk, at, watch| {
                walk.pattern(at, conditions, matcher, mode, watch)
            }),
            Some(_) => {
                watch.enter(|| Opened::Node(at.path()));
                let answer = self.all(at, conditions, mode, watch);
                watch.leave(answer);
                answer
            }
        }
    }

    /// Whether a value is what a matcher wants; `None` is a missing attribute.
    fn test(&self, at: &Cursor<'_>, value: Option<&Value>, matcher: &Matcher, mode: Mode) -> Truth {
        match matcher {
            Matcher::Present => presence(value),
            Matcher::Absent => !presence(value),
            Matcher::Operators { tests, default } => self.operators(at, value, tests, default.as_ref(), mode),
            Matcher::Pattern(_) => {
                let Some(value) = value else { return Truth::False };
                self.matches(&at.instead(value), matcher, mode, &mut Nobody)
            }
            Matcher::Is(literal) => value.map_or(Truth::False, |value| equals(value, literal, self.case)),
            Matcher::Choice(choices) => {
                let tests = choices.iter().map(|choice| self.test(at, value, choice, mode));
                tests.fold(Truth::False, Truth::or)
            }
            Matcher::Param(name) => match (value, self.param(name)) {
                (Some(value), Some(Literal::List(items))) => {
                    items.iter().map(|item| equals(value, item, self.case)).fold(Truth::False, Truth::or)
                }
                (Some(value), Some(literal)) => equals(value, literal, self.case),
                (None, _) | (_, None) => Truth::False,
            },
            Matcher::Predicate(predicate) => {
                value.map_or(Truth::False, |value| predicates::test(predicate.name, value))
            }
        }
    }

    fn operators(
        &self,
        at: &Cursor<'_>,
        value: Option<&Value>,
        tests: &[Operator],
        default: Option<&Literal>,
        mode: Mode,
    ) -> Truth {
        let supplied = match (value, default) {
            (None, Some(default)) => Some(literal_value(default)),
            _ => None,
        };
        let Some(value) = value.or(supplied.as_ref()) else { return Truth::False };
        tests.iter().map(|test| self.operator(at, value, test, mode)).fold(Truth::True, Truth::and)
    }

    fn operator(&self, at: &Cursor<'_>, value: &Value, operator: &Operator, mode: Mode) -> Truth {
        if let (Data::OneOf(alternatives), false) =
            (value.data(), matches!(operator, Operator::Match(_) | Operator::Not(_)))
        {
            return one_of(alternatives, |value| self.operator(at, value, operator, mode));
        }
        let compare =
            |operand: &Operand, holds: fn(std::cmp::Ordering) -> bool| self.compare(at, value, operand, holds);
        match operator {
            Operator::Match(matcher) => self.test(at, Some(value), matcher, mode),
            Operator::Not(matcher) => !self.test(at, Some(value), matcher, mode),
            Operator::Equal(operand) => self.equal(at, value, operand),
            Operator::Among(operand) => self.among(at, value, operand),
            Operator::Less(operand) => compare(operand, std::cmp::Ordering::is_lt),
            Operator::LessOrEqual(operand) => compare(operand, std::cmp::Ordering::is_le),
            Operator::Greater(operand) => compare(operand, std::cmp::Ordering::is_gt),
            Operator::GreaterOrEqual(operand) => compare(operand, std::cmp::Ordering::is_ge),
            Operator::Matches(pattern) => text_test(value, |text| pattern.is_match(text)),
            Operator::StartsWith(prefixes) => self.prefixed(value, prefixes),
            Operator::EndsWith(suffixes) => text_test(value, |text| {
                suffixes.iter().any(|suffix| {
                    let start = text.len().checked_sub(suffix.len());
                    start.and_then(|start| text.get(start..)).is_some_and(|tail| same_text(tail, suffix, self.case))
                })
            }),
            Operator::Contains(matcher) => {
                self.contains(at, value, std::slice::from_ref(matcher.as_ref()), mode, Truth::or)
            }
            Operator::ContainsAny(matchers) => self.contains(at, value, matchers, mode, Truth::or),
            Operator::ContainsAll(matchers) => self.contains(at, value, matchers, mode, Truth::and),
            Operator::SubsetOf(matcher) => match elements(value) {
                Ok(items) => {
                    items.iter().map(|item| self.test(at, Some(item), matcher, mode)).fold(Truth::True, Truth::and)
                }
                Err(truth) => truth,
            },
            Operator::WithinCidr(ranges) => text_test(value, |text| predicates::is_within(text, ranges)),
            Operator::Overlaps(operand) => match self.operand(at, operand) {
                Some(operand) => ports::overlap(value, &operand),
                None => Truth::Unknown,
            },
            Operator::Version(requirement) => match value.scalar_text() {
                Some(text) => version_meets(&text, requirement).map_or(Truth::Unknown, Truth::from),
                None => Truth::Unknown,
            },
            Operator::Quantity(comparison, operand) => self.quantity(at, value, *comparison, operand),
            Operator::WithinDays(operand) => self.within_days(at, value, operand),
            Operator::Length(matcher) => match length(value) {
                Some(length) => self.test(at, Some(&Value::number(length, value.span())), matcher, mode),
                None => Truth::Unknown,
            },
        }
    }

    fn compare(
        &self,
        at: &Cursor<'_>,
        value: &Value,
        operand: &Operand,
        holds: fn(std::cmp::Ordering) -> bool,
    ) -> Truth {
        let Some(operand) = self.operand(at, operand) else { return Truth::Unknown };
        match (number(value), number(&operand)) {
            (Some(a), Some(b)) => holds(a.cmp(&b)).into(),
            _ => Truth::Unknown,
        }
    }

    fn equal(&self, at: &Cursor<'_>, value: &Value, operand: &Operand) -> Truth {
        self.operand(at, operand).map_or(Truth::Unknown, |operand| self.same(value, &operand))
    }

    fn quantity(&self, at: &Cursor<'_>, value: &Value, comparison: Comparison, operand: &Operand) -> Truth {
        let operand = self.operand(at, operand).and_then(|operand| operand.scalar_text());
        let (Some(text), Some(operand)) = (value.scalar_text(), operand) else { return Truth::Unknown };
        let Some(ordering) = compare_quantities(&text, &operand) else { return Truth::Unknown };
        let holds = match comparison {
            Comparison::Less => ordering.is_lt(),
            Comparison::LessOrEqual => ordering.is_le(),
            Comparison::Greater => ordering.is_gt(),
            Comparison::GreaterOrEqual => ordering.is_ge(),
        };
        holds.into()
    }

    fn within_days(&self, at: &Cursor<'_>, value: &Value, operand: &Operand) -> Truth {
        let limit = self.operand(at, operand).as_ref().and_then(number).and_then(|number| number.as_i64());
        let date = value.as_text().and_then(|text| days_of_date(text));
        match (date, limit) {
            (Some(date), Some(limit)) => (date - self.today <= limit).into(),
            _ => Truth::Unknown,
        }
    }

    fn prefixed(&self, value: &Value, prefixes: &[String]) -> Truth {
        if let Some(prefix) = value.as_unknown().and_then(|unknown| unknown.prefix.as_ref()) {
            let sure = prefixes.iter().any(|wanted| starts_with(prefix, wanted, self.case));
            let possible = prefixes.iter().any(|wanted| starts_with(wanted, prefix, self.case));
            return if sure { Truth::True } else { Truth::from(possible).agree(Truth::from(sure)) };
        }
        text_test(value, |text| prefixes.iter().any(|prefix| starts_with(text, prefix, self.case)))
    }

    /// A list with elements that match, or text with parts that are these.
    fn contains(
        &self,
        at: &Cursor<'_>,
        value: &Value,
        matchers: &[Matcher],
        mode: Mode,
        join: fn(Truth, Truth) -> Truth,
    ) -> Truth {
        let one = |matcher: &Matcher| match value.data() {
            Data::Text(text) => match matcher {
                Matcher::Is(literal) => self.text_contains(text, &literal.to_text()).into(),
                Matcher::Choice(choices) => {
                    let mut parts =
                        choices.iter().filter_map(|choice| if let Matcher::Is(l) = choice { Some(l) } else { None });
                    parts.any(|literal| self.text_contains(text, &literal.to_text())).into()
                }
                _ => self.test(at, Some(value), matcher, mode),
            },
            _ => match elements(value) {
                Ok(items) => {
                    items.iter().map(|item| self.test(at, Some(item), matcher, mode)).fold(Truth::False, Truth::or)
                }
                Err(truth) => truth,
            },
        };
        matchers.iter().map(one).reduce(join).unwrap_or(Truth::False)
    }

    fn text_contains(&self, text: &str, part: &str) -> bool {
        match self.case {
            TextCase::Exact | TextCase::Converted => text.contains(part),
            TextCase::Ignored => text.to_ascii_lowercase().contains(&part.to_ascii_lowercase()),
        }
    }
}

/// Written, and not null, `""`, `[]` or `{}`; an empty block is present.
fn presence(value: Option<&Value>) -> Truth {
    let Some(value) = value.filter(|value| !value.is_assumed()) else { return Truth::False };
    match value.data() {
        Data::Null => Truth::False,
        Data::Bool(_) | Data::Number(_) => Truth::True,
        Data::Text(text) => (!text.is_empty()).into(),
        Data::List(list) if list.items.is_empty() => Truth::False,
        Data::List(list) if list.items.iter().all(|item| item.maybe().is_some()) => Truth::Unknown,
        Data::List(_) => Truth::True,
        Data::Map(map) => (map.kind == crate::resource::MapKind::Block || !map.entries().is_empty()).into(),
        Data::Unknown(unknown) if unknown.not_null || unknown.prefix.as_ref().is_some_and(|p| !p.is_empty()) => {
            Truth::True
        }
        Data::Unknown(_) if value.known_part().is_some() => Truth::True,
        Data::Unknown(_) => Truth::Unknown,
        Data::OneOf(alternatives) => one_of(alternatives, |value| presence(Some(value))),
    }
}

/// A test of text; numbers and booleans are tested as they are written.
fn text_test(value: &Value, test: impl Fn(&str) -> bool) -> Truth {
    match value.scalar_text() {
        Some(text) => test(&text).into(),
        None if value.as_map().is_some() => Truth::False,
        None => Truth::Unknown,
    }
}

/// The elements of a list; of anything else, what can be said at once.
fn elements(value: &Value) -> Result<Cow<'_, [Value]>, Truth> {
    match value.data() {
        Data::List(list) => Ok(Cow::Borrowed(&list.items)),
        Data::Unknown(_) => value.known_part().map(Cow::Owned).ok_or(Truth::Unknown),
        Data::OneOf(_) => Err(Truth::Unknown),
        _ => Err(Truth::False),
    }
}

fn length(value: &Value) -> Option<i64> {
    let length = match value.data() {
        Data::List(list) if list.items.iter().all(|item| item.maybe().is_none()) => list.items.len(),
        Data::Map(map) => map.entries().len(),
        Data::Text(text) => text.chars().count(),
        _ => return None,
    };
    i64::try_from(length).ok()
}

/// A literal as a value that no file says.
pub(super) fn literal_value(literal: &Literal) -> Value {
    match literal {
        Literal::Bool(value) => Value::bool(*value, Span::NOWHERE),
        Literal::Number(number) => Value::number(number.clone(), Span::NOWHERE),
        Literal::Text(text) => Value::text(text.as_str(), Span::NOWHERE),
        Literal::List(items) => Value::list(ListKind::List, items.iter().map(literal_value).collect(), Span::NOWHERE),
    }
}

fn leaf(at: &Cursor<'_>, matcher: &Matcher, truth: Truth) -> Leaf {
    let reason = (truth == Truth::Unknown).then(|| reason_of(at)).flatten();
    Leaf {
        path: at.path(),
        value: at.value(),
        span: at.span,
        wanted: matcher.to_string(),
        truth,
        element: at.outermost_element(),
        reason,
        missing_link: None,
    }
}

fn reason_of(at: &Cursor<'_>) -> Option<Reason> {
    let node = at.node?;
    undecided_reason(node).or_else(|| {
        let subject = format!("`{}` is not of the kind the policy compares with", at.path());
        Some(Reason::new(ReasonKind::Invalid, subject, Some(node.span())))
    })
}
