//! What an expression can see: the module instance it stands in, the file, and the names bound around it.

use std::rc::Rc;
use std::sync::Arc;

use super::instance::Instance;
use crate::formats::terraform::syntax::ir::Place;
use crate::resource::{FileId, Span, Value};

/// Where an expression stands.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a, 's> {
    /// `None` inside a template file, which sees nothing but the variables it is given.
    pub instance: Option<&'s Rc<Instance<'a>>>,
    /// The file it is written in.
    pub file: FileId,
    /// Names bound by `for`, by `dynamic` and by template variables.
    pub frame: Option<&'s Frame<'s>>,
    /// What `count` and `each` are.
    pub repetition: Option<&'s Repetition>,
}

/// Names bound around an expression, innermost first.
pub(crate) struct Frame<'s> {
    pub bindings: &'s [(Arc<str>, Value)],
    pub outer: Option<&'s Frame<'s>>,
}

/// What `count.index`, `each.key` and `each.value` are.
#[derive(Clone, Debug)]
pub(crate) enum Repetition {
    Count { index: Value },
    Each { key: Value, value: Value },
}

impl<'a, 's> Scope<'a, 's> {
    /// The scope of what stands at the top of a module's file.
    pub(crate) fn top(instance: &'s Rc<Instance<'a>>, file: FileId) -> Self {
        Self { instance: Some(instance), file, frame: None, repetition: None }
    }

    /// A scope that sees nothing: constants, and template files.
    pub(crate) fn closed(file: FileId) -> Self {
        Self { instance: None, file, frame: None, repetition: None }
    }

    pub(crate) fn span(&self, place: Place) -> Span {
        Span::new(self.file, place.start as usize..place.end as usize)
    }

    /// The value a name is bound to.
    pub(crate) fn bound(&self, name: &str) -> Option<&'s Value> {
        let mut frame = self.frame;
        while let Some(Frame { bindings, outer }) = frame {
            if let Some((_, value)) = bindings.iter().find(|(bound, _)| &**bound == name) {
                return Some(value);
            }
            frame = *outer;
        }
        None
    }
}
