//! The selectors of a step: which elements of a list it goes on with, and how many of them must match.

use crate::policy::{Literal, Matcher, Selector, Step};
use crate::resource::{Data, List, Reason, ReasonKind, Value};

use super::cursor::Cursor;
use super::leaf::Watch;
use super::quantity::{Joined, Mode, Quantity};
use super::scalar::equals;
use super::truth::Truth;
use super::walk::{Walk, doubtful, existence_in_doubt, undecided_reason};

impl Walk<'_> {
    /// The selectors of a step, one after the other, then its decoders, then the rest of the path.
    #[expect(clippy::too_many_arguments, reason = "the state of a walk, and where it goes on")]
    pub(super) fn select<W: Watch>(
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
}

/// Whether an element counts as being there.
fn existence(element: &Value, answer: Truth, mode: Mode) -> Truth {
    if element.maybe().is_none() { Truth::True } else { existence_in_doubt(answer, mode) }
}

/// An element of which nobody knows whether it is the one that is meant.
fn as_unknown(element: &Value) -> Value {
    let unclear = || Reason::new(ReasonKind::Unsupported, "which element is meant", Some(element.span()));
    Value::unknown(undecided_reason(element).unwrap_or_else(unclear), element.span())
}
