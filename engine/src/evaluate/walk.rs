//! From a node along a path: which nodes an entry speaks of, and what their answers make together.

use crate::policy::{Condition, Literal, Matcher, Name, Path, Related, Selector, Step};
use crate::resource::{Data, Key, Reason, Resource, Value};

use super::cursor::Cursor;
use super::decode::decode;
use super::leaf::{Combined, Element, Leaf, Watch};
use super::links::{Linked, Targets};
use super::quantity::{Joined, Mode, Quantity};
use super::scalar::TextCase;
use super::trace::Opened;
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
        let root = Cursor::root(&self.resource.attributes, self.resource.header);
        root.with_defaults(self.linked.assumptions().of(self.resource))
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
        watch.enter(|| Opened::condition(condition));
        let answer = match condition {
            Condition::Entry { path, matcher, .. } => self.entry(at, path, matcher, mode, watch),
            Condition::All(conditions) => self.all(at, conditions, mode, watch),
            Condition::Any(conditions) => self.any(at, conditions, mode, watch),
            Condition::Not(condition) => !self.condition(at, condition, mode.swapped(), watch),
        };
        watch.leave(answer);
        answer
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
            let cursor = cursor.with_defaults(self.linked.assumptions().of(resource));
            let mark = watch.mark();
            let answer = self.steps(&cursor, rest, matcher, mode, watch);
            let absence = self.may_be_absent(resource);
            let exists = match (doubt, absence) {
                (Some(_), _) => Truth::Unknown,
                (None, Some(_)) => existence_in_doubt(answer, mode),
                (None, None) => Truth::True,
            };
            if let Some(reason) = doubt.as_ref().or(absence) {
                joined.doubt(|| self.link_leaf(name, matcher, Some(reason)), watch);
            }
            if joined.take(answer, exists, mark, watch) {
                break;
            }
        }
        for dangling in &targets.dangling {
            let mark = watch.mark();
            let answer = Truth::from(rest.is_empty() && *matcher == Matcher::Absent);
            watch.leaf(|| self.dangling_leaf(name, matcher, dangling, answer));
            joined.take(answer, Truth::True, mark, watch);
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

    /// Why a linked resource may not be there though the checked one is.
    pub(super) fn may_be_absent(&self, resource: &'u Resource) -> Option<&'u Reason> {
        resource.maybe.as_ref().filter(|why| self.resource.maybe.as_ref() != Some(why))
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

    /// A name that no resource of the unit has.
    fn dangling_leaf(&self, name: &str, matcher: &Matcher, dangling: &Value, truth: Truth) -> Leaf {
        let text = dangling.scalar_text().unwrap_or_default();
        let element = Element { path: format!("{name}[{text}]"), value: dangling.clone(), list: None };
        let span = if dangling.span().is_somewhere() { dangling.span() } else { self.resource.header };
        let value = Some(dangling.clone());
        Leaf { value, span, truth, element: Some(element), ..self.link_leaf(name, matcher, None) }
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
                    let entry = map.entry(name);
                    let is_missing = entry.is_none_or(|(_, value)| value.is_null());
                    let assumed = is_missing.then(|| at.assumed(name)).flatten();
                    let child = at.child(name, entry);
                    let child = assumed.as_ref().map_or(child, |value| child.assuming(value));
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
        let name = match step.names.first() {
            Some(Name::Key(name)) => name.as_str(),
            Some(Name::Every) => "*",
            None => "",
        };
        let child = at.child(name, None);
        // Of several names for one thing the provider has a default of the one its version knows.
        let assumed = step.names.iter().find_map(|name| match name {
            Name::Key(name) => at.assumed(name),
            Name::Every => None,
        });
        let child = assumed.as_ref().filter(|_| rest.is_empty()).map_or(child, |value| child.assuming(value));
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

    pub(super) fn decoded<W: Watch>(
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

/// What perhaps exists can trip `forbid` and fail `require`; it cannot satisfy `require`.
pub(super) fn existence_in_doubt(answer: Truth, mode: Mode) -> Truth {
    match (mode, answer) {
        (Mode::Require, Truth::False) | (Mode::Forbid, Truth::True) => Truth::True,
        _ => Truth::Unknown,
    }
}

/// A node of which nobody knows whether or what it is.
pub(super) fn doubtful(at: &Cursor<'_>) -> Leaf {
    Leaf {
        path: at.path(),
        value: at.value(),
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
        Data::OneOf(alternatives) => {
            let choice = value.notes().and_then(|notes| notes.choice.clone());
            choice.or_else(|| alternatives.iter().find_map(undecided_reason))
        }
        Data::List(list) => list.items.iter().find_map(undecided_reason).or_else(|| value.maybe().cloned()),
        Data::Map(map) => {
            value.maybe().cloned().or_else(|| map.entries().iter().find_map(|(_, v)| undecided_reason(v)))
        }
        _ => value.maybe().cloned(),
    }
}
