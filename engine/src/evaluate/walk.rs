//! From a node along a path: which nodes an entry speaks of, and what their answers make together.

use crate::policy::{Condition, Literal, Matcher, Name, Path, Related, Selector, Step};
use crate::resource::{Data, Key, List, Reason, ReasonKind, Resource, Value};

use super::cursor::Cursor;
use super::decode::decode;
use super::leaf::{Combined, Leaf, Watch};
use super::links::{Linked, Targets};
use super::quantity::{Joined, Mode, Quantity};
use super::scalar::{TextCase, equals};
use super::truth::Truth;

/// One resource under evaluation.
#[derive(Clone, Copy)]
pub(super) struct Walk<'u> {
    pub(super) linked: &'u Linked<'u>,
    pub(super) resource: &'u Resource,
    pub(super) related: &'u [Related],
    pub(super) params: &'u [(String, Literal)],
    pub(super) case: TextCase,
    /// Days since 1970-01-01.
    pub(super) today: i64,
}

impl<'u> Walk<'u> {
    pub(super) fn root(&self) -> Cursor<'u> {
        Cursor::root(&self.resource.attributes, self.resource.header)
    }

    pub(super) fn param(&self, name: &str) -> Option<&'u Literal> {
        self.params.iter().find(|(param, _)| param == name).map(|(_, value)| value)
    }

    pub(super) fn all<W: Watch>(&self, at: &Cursor<'_>, conditions: &[Condition], mode: Mode, watch: &mut W) -> Truth {
        let mut combined = Combined::all();
        for condition in conditions {
            let mark = watch.mark();
            let answer = self.condition(at, condition, mode, watch);
            if combined.take(answer, mark, watch) {
                break;
            }
        }
        combined.finish(watch)
    }

    pub(super) fn any<W: Watch>(&self, at: &Cursor<'_>, conditions: &[Condition], mode: Mode, watch: &mut W) -> Truth {
        let mut combined = Combined::any();
        for condition in conditions {
            let mark = watch.mark();
            let answer = self.condition(at, condition, mode, watch);
            if combined.take(answer, mark, watch) {
                break;
            }
        }
        combined.finish(watch)
    }

    pub(super) fn condition<W: Watch>(
        &self,
        at: &Cursor<'_>,
        condition: &Condition,
        mode: Mode,
        watch: &mut W,
    ) -> Truth {
        match condition {
            Condition::Entry { path, matcher } => self.entry(at, path, matcher, mode, watch),
            Condition::All(conditions) => self.all(at, conditions, mode, watch),
            Condition::Any(conditions) => self.any(at, conditions, mode, watch),
            Condition::Not(condition) => !self.condition(at, condition, mode.swapped(), watch),
        }
    }

    fn entry<W: Watch>(&self, at: &Cursor<'_>, path: &Path, matcher: &Matcher, mode: Mode, watch: &mut W) -> Truth {
        let link = path.head().filter(|head| self.related.iter().any(|link| link.name == *head));
        if let (Some(name), Some((step, rest))) = (link, path.steps.split_first())
            && let Some(targets) = self.linked.follow(self.resource, name, self.related)
        {
            return self.over_links(name, &targets, step, rest, matcher, mode, watch);
        }
        self.steps(at, &path.steps, matcher, mode, watch)
    }

    /// What the linked resources answer together.
    #[expect(clippy::too_many_arguments, reason = "the state of a walk, and where it goes on")]
    fn over_links<W: Watch>(
        &self,
        name: &str,
        targets: &Targets<'u>,
        step: &Step,
        rest: &[Step],
        matcher: &Matcher,
        mode: Mode,
        watch: &mut W,
    ) -> Truth {
        let mark = watch.mark();
        let mut joined = Joined::new(quantity_of(step, mode));
        for (resource, doubt) in &targets.found {
            let cursor = Cursor::linked(name, Some(&resource.attributes), resource.header);
            let mark = watch.mark();
            let answer = self.steps(&cursor, rest, matcher, mode, watch);
            let exists = if doubt.is_some() { Truth::Unknown } else { Truth::True };
            if let Some(reason) = doubt {
                joined.doubt(|| self.link_leaf(name, matcher, Some(reason)), watch);
            }
            if joined.take(answer, exists, mark, watch) {
                break;
            }
        }
        if let Some(reason) = &targets.unseen {
            joined.doubt(|| self.link_leaf(name, matcher, Some(reason)), watch);
            let mark = watch.mark();
            watch.leaf(|| self.link_leaf(name, matcher, Some(reason)));
            joined.take(Truth::Unknown, Truth::Unknown, mark, watch);
        }
        let none = |watch: &mut W| {
            let answer = match (rest.is_empty(), matcher) {
                (true, Matcher::Absent) => Truth::True,
                _ => Truth::False,
            };
            watch.leaf(|| Leaf { truth: answer, ..self.link_leaf(name, matcher, None) });
            answer
        };
        joined.finish(mark, none, watch)
    }

    /// A link that leads nowhere, or nobody knows where.
    fn link_leaf(&self, name: &str, matcher: &Matcher, reason: Option<&Reason>) -> Leaf {
        let types = self.related.iter().find(|link| link.name == name).map(|link| link.resource.join(" or "));
        Leaf {
            path: name.to_owned(),
            value: None,
            span: self.resource.header,
            wanted: matcher.to_string(),
            truth: Truth::Unknown,
            element: None,
            reason: reason.cloned(),
            missing_link: types,
        }
    }

    /// What lies behind the steps, from a node.
    pub(super) fn steps<W: Watch>(
        &self,
        at: &Cursor<'_>,
        steps: &[Step],
        matcher: &Matcher,
        mode: Mode,
        watch: &mut W,
    ) -> Truth {
        let Some((step, rest)) = steps.split_first() else { return self.matches(at, matcher, mode, watch) };
        match at.node.map(Value::data) {
            Some(Data::List(list)) => {
                let go = |walk: &Self, at: &Cursor<'_>, watch: &mut W| walk.steps(at, steps, matcher, mode, watch);
                self.over_list(at, list, mode, watch, go)
            }
            Some(Data::OneOf(alternatives)) => self.over_alternatives(at, alternatives, watch, |walk, at, watch| {
                walk.steps(at, steps, matcher, mode, watch)
            }),
            // Nobody knows the node, so nobody knows what is below it: it goes along as it is, maybe null.
            Some(Data::Unknown(unknown)) => {
                let below = Value::unknown(unknown.reason.clone(), at.span);
                self.matches(&at.instead(&below), matcher, mode, watch)
            }
            Some(Data::Map(map)) => match step.names.as_slice() {
                [Name::Key(name)] => {
                    let child = at.child(name, map.entry(name));
                    self.select(&child, &step.selectors, step, rest, matcher, mode, watch)
                }
                names => {
                    let children = map.entries().iter().filter(|(key, value)| {
                        let named =
                            |name: &Name| matches!(name, Name::Every) || *name == Name::Key(key.text.to_string());
                        !value.is_null() && names.iter().any(named)
                    });
                    let children: Vec<&(Key, Value)> = children.collect();
                    self.over_children(at, &children, step, rest, matcher, mode, watch)
                }
            },
            None | Some(_) => self.below_nothing(at, step, rest, matcher, mode, watch),
        }
    }

    /// Steps from where nothing is, or from a scalar: nothing is there either.
    fn below_nothing<W: Watch>(
        &self,
        at: &Cursor<'_>,
        step: &Step,
        rest: &[Step],
        matcher: &Matcher,
        mode: Mode,
        watch: &mut W,
    ) -> Truth {
        let name = step.names.first().map(ToString::to_string).unwrap_or_default();
        let child = at.child(&name, None);
        match rest.split_first() {
            Some((step, rest)) => self.below_nothing(&child, step, rest, matcher, mode, watch),
            None => self.matches(&child, matcher, mode, watch),
        }
    }

    /// Several children at once (`(a|b)`, `*`): all those that are there count as one list.
    #[expect(clippy::too_many_arguments, reason = "the state of a walk, and where it goes on")]
    fn over_children<W: Watch>(
        &self,
        at: &Cursor<'_>,
        children: &[&(Key, Value)],
        step: &Step,
        rest: &[Step],
        matcher: &Matcher,
        mode: Mode,
        watch: &mut W,
    ) -> Truth {
        let mark = watch.mark();
        let mut joined = Joined::new(quantity_of(step, mode));
        for child in children {
            let cursor = at.child(&child.0.text, Some(child));
            let mark = watch.mark();
            let answer = self.select(&cursor, &step.selectors, step, rest, matcher, mode, watch);
            if joined.take(answer, Truth::True, mark, watch) {
                break;
            }
        }
        joined.finish(mark, |watch| self.below_nothing(at, step, rest, matcher, mode, watch), watch)
    }

    /// The selectors of a step, one after the other, then its decoders, then the rest of the path.
    #[expect(clippy::too_many_arguments, reason = "the state of a walk, and where it goes on")]
    fn select<W: Watch>(
        &self,
        at: &Cursor<'_>,
        selectors: &[Selector],
        step: &Step,
        rest: &[Step],
        matcher: &Matcher,
        mode: Mode,
        watch: &mut W,
    ) -> Truth {
        let Some((selector, others)) = selectors.split_first() else {
            return self.decoded(at, step, rest, matcher, mode, watch);
        };
        let go =
            |walk: &Self, at: &Cursor<'_>, watch: &mut W| walk.select(at, others, step, rest, matcher, mode, watch);
        let list = match at.node.map(Value::data) {
            Some(Data::List(list)) => list.clone(),
            Some(Data::OneOf(alternatives)) => {
                return self.over_alternatives(at, alternatives, watch, |walk, at, watch| {
                    walk.select(at, selectors, step, rest, matcher, mode, watch)
                });
            }
            Some(Data::Unknown(_)) => return go(self, at, watch),
            None | Some(_) => match selector {
                Selector::Each => return self.single(at, mode.wants_each(), watch, go),
                Selector::All => return self.single(at, mode.wants_each(), watch, go),
                Selector::Any => return self.single(at, false, watch, go),
                Selector::Where(pairs) if at.node.is_some_and(|node| self.is_selected(node, pairs) == Truth::False) => {
                    let nothing = at.child("", None);
                    return go(self, &nothing, watch);
                }
                _ => return go(self, at, watch),
            },
        };
        match selector {
            Selector::Each => {
                self.over_elements(at, &list, Quantity { each: mode.wants_each(), may_be_none: true }, mode, watch, go)
            }
            Selector::All => {
                let quantity = Quantity { each: true, may_be_none: mode.wants_each() };
                self.over_elements(at, &list, quantity, mode, watch, go)
            }
            Selector::Any => {
                self.over_elements(at, &list, Quantity { each: false, may_be_none: true }, mode, watch, go)
            }
            Selector::First => self.at_index(at, list.items.first(), 0, watch, go),
            Selector::Last => self.at_index(at, list.items.last(), list.items.len().saturating_sub(1), watch, go),
            Selector::Index(index) => self.at_index(at, list.items.get(*index), *index, watch, go),
            Selector::Where(pairs) => match others.split_first() {
                Some((position @ (Selector::First | Selector::Last | Selector::Index(_)), others)) => {
                    let go = |walk: &Self, at: &Cursor<'_>, watch: &mut W| {
                        walk.select(at, others, step, rest, matcher, mode, watch)
                    };
                    self.at_selected(at, &list, pairs, position, watch, go)
                }
                _ => self.over_selected(at, &list, pairs, others, mode, watch, go),
            },
        }
    }

    /// A selector that wants a list, on what is none: one element, or none when nothing is there.
    fn single<W: Watch>(
        &self,
        at: &Cursor<'_>,
        none: bool,
        watch: &mut W,
        go: impl Fn(&Self, &Cursor<'_>, &mut W) -> Truth,
    ) -> Truth {
        if at.node.is_some() { go(self, at, watch) } else { none.into() }
    }

    fn at_index<W: Watch>(
        &self,
        at: &Cursor<'_>,
        element: Option<&Value>,
        index: usize,
        watch: &mut W,
        go: impl Fn(&Self, &Cursor<'_>, &mut W) -> Truth,
    ) -> Truth {
        match element {
            Some(element) => go(self, &at.element(index, element), watch),
            None => go(self, &at.child("", None), watch),
        }
    }

    fn over_elements<W: Watch>(
        &self,
        at: &Cursor<'_>,
        list: &List,
        quantity: Quantity,
        mode: Mode,
        watch: &mut W,
        go: impl Fn(&Self, &Cursor<'_>, &mut W) -> Truth,
    ) -> Truth {
        let mark = watch.mark();
        let mut joined = Joined::new(quantity);
        for (index, element) in list.items.iter().enumerate() {
            let cursor = at.element(index, element);
            let mark = watch.mark();
            let answer = go(self, &cursor, watch);
            if element.maybe().is_some() {
                joined.doubt(|| doubtful(&cursor), watch);
            }
            if joined.take(answer, existence(element, answer, mode), mark, watch) {
                break;
            }
        }
        joined.finish(mark, |watch| go(self, &at.child("", None), watch), watch)
    }

    /// A list where no selector says what is meant: there must be an element, and each (or any) of them counts.
    pub(super) fn over_list<W: Watch>(
        &self,
        at: &Cursor<'_>,
        list: &List,
        mode: Mode,
        watch: &mut W,
        go: impl Fn(&Self, &Cursor<'_>, &mut W) -> Truth,
    ) -> Truth {
        self.over_elements(at, list, Quantity { each: mode.wants_each(), may_be_none: false }, mode, watch, go)
    }

    /// `[name=x]`: the elements that have these texts; none is a missing attribute, unless `[]` follows.
    #[expect(clippy::too_many_arguments, reason = "the state of a walk, and where it goes on")]
    fn over_selected<W: Watch>(
        &self,
        at: &Cursor<'_>,
        list: &List,
        pairs: &[(String, String)],
        others: &[Selector],
        mode: Mode,
        watch: &mut W,
        go: impl Fn(&Self, &Cursor<'_>, &mut W) -> Truth,
    ) -> Truth {
        let may_be_none = others.first() == Some(&Selector::Each);
        let mark = watch.mark();
        let mut joined = Joined::new(Quantity { each: mode.wants_each(), may_be_none });
        for (index, element) in list.items.iter().enumerate() {
            let selected = self.is_selected(element, pairs);
            if selected == Truth::False {
                continue;
            }
            let cursor = at.element(index, element);
            let mark = watch.mark();
            let answer = go(self, &cursor, watch);
            if selected == Truth::Unknown || element.maybe().is_some() {
                joined.doubt(|| doubtful(&cursor), watch);
            }
            if joined.take(answer, selected.and(existence(element, answer, mode)), mark, watch) {
                break;
            }
        }
        joined.finish(mark, |watch| go(self, &at.child("", None), watch), watch)
    }

    /// `[name=x][last]`: one of the elements that have these texts, where nobody doubts which that is.
    fn at_selected<W: Watch>(
        &self,
        at: &Cursor<'_>,
        list: &List,
        pairs: &[(String, String)],
        position: &Selector,
        watch: &mut W,
        go: impl Fn(&Self, &Cursor<'_>, &mut W) -> Truth,
    ) -> Truth {
        let mut selected = Vec::new();
        for (index, element) in list.items.iter().enumerate() {
            match self.is_selected(element, pairs) {
                Truth::False => {}
                Truth::True if element.maybe().is_none() => selected.push((index, element)),
                Truth::True | Truth::Unknown => return go(self, &at.element(index, &as_unknown(element)), watch),
            }
        }
        let found = match position {
            Selector::Last => selected.last(),
            Selector::Index(index) => selected.get(*index),
            _ => selected.first(),
        };
        let (index, element) = found.map_or((0, None), |(index, element)| (*index, Some(*element)));
        self.at_index(at, element, index, watch, go)
    }

    fn is_selected(&self, element: &Value, pairs: &[(String, String)]) -> Truth {
        let one = |(name, wanted): &(String, String)| match element.data() {
            Data::Map(map) => match map.get(name) {
                Some(value) => equals(value, &Literal::Text(wanted.clone()), self.case),
                None => Truth::False,
            },
            Data::Unknown(_) | Data::OneOf(_) => Truth::Unknown,
            _ => Truth::False,
        };
        pairs.iter().map(one).fold(Truth::True, Truth::and)
    }

    /// What all alternatives of a node agree on.
    pub(super) fn over_alternatives<W: Watch>(
        &self,
        at: &Cursor<'_>,
        alternatives: &[Value],
        watch: &mut W,
        go: impl Fn(&Self, &Cursor<'_>, &mut W) -> Truth,
    ) -> Truth {
        let mut agreed: Option<Truth> = None;
        let mut parts = Vec::new();
        for alternative in alternatives {
            let mark = watch.mark();
            let answer = go(self, &at.instead(alternative), watch);
            parts.push((mark, watch.mark(), false));
            agreed = Some(agreed.map_or(answer, |before| before.agree(answer)));
        }
        let agreed = agreed.unwrap_or(Truth::Unknown);
        if agreed == Truth::Unknown && W::THOROUGH {
            // The alternatives' own leaves contradict each other: what is left to say is that nobody knows which.
            watch.keep(&parts);
            watch.leaf(|| doubtful(at));
        }
        agreed
    }

    fn decoded<W: Watch>(
        &self,
        at: &Cursor<'_>,
        step: &Step,
        rest: &[Step],
        matcher: &Matcher,
        mode: Mode,
        watch: &mut W,
    ) -> Truth {
        let Some((decoder, others)) = step.decoders.split_first() else {
            return self.steps(at, rest, matcher, mode, watch);
        };
        let Some(node) = at.node else { return self.below_decoder(at, rest, matcher, mode, watch) };
        if let Data::OneOf(alternatives) = node.data() {
            return self.over_alternatives(at, alternatives, watch, |walk, at, watch| {
                walk.decoded(at, step, rest, matcher, mode, watch)
            });
        }
        let read = decode(node, *decoder);
        let next = Step { decoders: others.to_vec(), ..step.clone() };
        let cursor = at.decoded(decoder.name(), Some(&read));
        self.decoded(&cursor, &next, rest, matcher, mode, watch)
    }

    fn below_decoder<W: Watch>(
        &self,
        at: &Cursor<'_>,
        rest: &[Step],
        matcher: &Matcher,
        mode: Mode,
        watch: &mut W,
    ) -> Truth {
        match rest.split_first() {
            Some((step, rest)) => self.below_nothing(at, step, rest, matcher, mode, watch),
            None => self.matches(at, matcher, mode, watch),
        }
    }
}

/// How many of the nodes that a step leads to must match, and whether there may be none.
fn quantity_of(step: &Step, mode: Mode) -> Quantity {
    match step.selectors.first() {
        Some(Selector::Each) => Quantity { each: mode.wants_each(), may_be_none: true },
        Some(Selector::All) => Quantity { each: true, may_be_none: mode.wants_each() },
        Some(Selector::Any) => Quantity { each: false, may_be_none: true },
        _ => Quantity { each: mode.wants_each(), may_be_none: false },
    }
}

/// Whether an element counts as being there: a maybe-block can trip `forbid` and fail `require`, it cannot satisfy `require`.
fn existence(element: &Value, answer: Truth, mode: Mode) -> Truth {
    if element.maybe().is_none() {
        return Truth::True;
    }
    match (mode, answer) {
        (Mode::Require, Truth::False) | (Mode::Forbid, Truth::True) => Truth::True,
        _ => Truth::Unknown,
    }
}

/// An element of which nobody knows whether it is the one that is meant.
fn as_unknown(element: &Value) -> Value {
    let unclear = || Reason::new(ReasonKind::Unsupported, "which element is meant", Some(element.span()));
    Value::unknown(undecided_reason(element).unwrap_or_else(unclear), element.span())
}

/// A node of which nobody knows whether or what it is.
fn doubtful(at: &Cursor<'_>) -> Leaf {
    Leaf {
        path: at.path(),
        value: at.node.cloned(),
        span: at.span,
        wanted: String::new(),
        truth: Truth::Unknown,
        element: at.outermost_element(),
        reason: at.node.and_then(undecided_reason),
        missing_link: None,
    }
}

/// Why a value that is one of several, or unknown, is so.
pub(super) fn undecided_reason(value: &Value) -> Option<Reason> {
    match value.data() {
        Data::Unknown(unknown) => Some(unknown.reason.clone()),
        Data::OneOf(alternatives) => alternatives.iter().find_map(undecided_reason),
        Data::List(list) => list.items.iter().find_map(undecided_reason),
        _ => value.maybe().cloned(),
    }
}
