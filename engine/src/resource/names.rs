//! Names the engine gives to attributes of its own: thousands of attributes share some dozens of them.

use std::cell::RefCell;
use std::sync::Arc;

use super::{Key, Span, Value};

/// How many names are remembered; a power of two.
const SLOTS: usize = 128;

/// Gives out names, remembering those given last.
#[derive(Debug)]
pub struct Names(RefCell<Box<[Slot]>>);

/// A literal and the shared text of it.
type Slot = Option<(&'static str, Arc<str>)>;

impl Default for Names {
    fn default() -> Self {
        Self(RefCell::new(vec![None; SLOTS].into()))
    }
}

impl Names {
    /// A name, shared with all that bear it as long as it is remembered.
    #[must_use]
    pub fn name(&self, name: &'static str) -> Arc<str> {
        // The same literal nearly always lies at the same address, which takes less time to look up than text.
        let slot = (name.as_ptr().addr() >> 2 ^ name.len()) & (SLOTS - 1);
        let mut known = self.0.borrow_mut();
        let Some(slot) = known.get_mut(slot) else { return name.into() };
        match slot {
            Some((text, shared)) if std::ptr::eq(*text, name) => Arc::clone(shared),
            _ => {
                let shared: Arc<str> = name.into();
                *slot = Some((name, Arc::clone(&shared)));
                shared
            }
        }
    }

    /// An attribute that no author wrote, at the place of what it says.
    #[must_use]
    pub fn entry(&self, name: &'static str, value: Value) -> (Key, Value) {
        let span = value.span();
        (Key { text: self.name(name), span }, value)
    }

    /// A word of the engine's own at a place.
    #[must_use]
    pub fn word(&self, word: &'static str, span: Span) -> Value {
        Value::text(self.name(word), span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shared_and_always_the_right_one() {
        let names = Names::default();
        let literals: Vec<&'static str> =
            (0..1_000).map(|n| &*Box::leak(format!("name{n}").into_boxed_str())).collect();
        for name in literals.iter().chain(&literals) {
            assert_eq!(&*names.name(name), *name);
            assert!(Arc::ptr_eq(&names.name(name), &names.name(name)));
        }
    }
}
