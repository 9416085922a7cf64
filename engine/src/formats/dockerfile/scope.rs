//! The variables that hold at a place of a Dockerfile: build arguments and the environment.

use std::collections::HashMap;
use std::sync::Arc;

use crate::resource::{Reason, ReasonKind, Span, Value};

/// Build arguments the builder sets by itself; a stage sees them once it declares them.
const SET_BY_THE_BUILDER: &[&str] = &[
    "BUILDARCH",
    "BUILDOS",
    "BUILDPLATFORM",
    "BUILDVARIANT",
    "TARGETARCH",
    "TARGETOS",
    "TARGETPLATFORM",
    "TARGETSTAGE",
    "TARGETVARIANT",
];

/// The path of an image that is built from nothing.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What is known of a variable.
pub(super) enum Lookup {
    /// Its text, what set it, and where.
    Known { text: Arc<str>, what: Arc<str>, place: Span },
    /// It is not set.
    Unset,
    /// Nobody can know.
    Unknown(Reason),
}

/// What a variable that nothing here sets is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outside {
    /// Before the first stage there are only build arguments: it is not set.
    Nothing,
    /// An image that nobody has looked into may set it.
    Image,
}

/// The variables that hold at a place.
#[derive(Clone, Debug)]
pub(super) struct Variables {
    set: HashMap<Arc<str>, Variable>,
    outside: Outside,
}

#[derive(Clone, Debug)]
struct Variable {
    value: Value,
    is_env: bool,
}

impl Variables {
    /// Those of the place before the first stage.
    pub(super) fn global() -> Self {
        Self { set: HashMap::new(), outside: Outside::Nothing }
    }

    /// Those a stage begins with; one on `scratch` begins with a path and nothing else.
    pub(super) fn of_stage(begins_empty: bool) -> Self {
        let mut variables =
            Self { set: HashMap::new(), outside: if begins_empty { Outside::Nothing } else { Outside::Image } };
        if begins_empty {
            variables.set(&"PATH".into(), Value::text(DEFAULT_PATH, Span::NOWHERE));
        }
        variables
    }

    /// What a build argument holds that is declared here: its default, or that of a global one of the same name.
    pub(super) fn argument(name: &str, default: Option<Value>, globals: Option<&Self>, place: Span) -> Value {
        let inherited = || globals.and_then(|globals| globals.set.get(name)).map(|variable| variable.value.clone());
        default.or_else(inherited).unwrap_or_else(|| {
            let by_builder = SET_BY_THE_BUILDER.contains(&name);
            let kind = if by_builder { ReasonKind::Outside } else { ReasonKind::NoDefault };
            Value::unknown(Reason::new(kind, format!("ARG {name}"), Some(place)), place)
        })
    }

    /// Declares a build argument.
    pub(super) fn declare(&mut self, name: &Arc<str>, value: Value) {
        // The environment wins over a build argument of the same name.
        if self.set.get(&**name).is_none_or(|variable| !variable.is_env) {
            self.set.insert(Arc::clone(name), Variable { value, is_env: false });
        }
    }

    /// Sets a variable of the environment.
    pub(super) fn set(&mut self, name: &Arc<str>, value: Value) {
        self.set.insert(Arc::clone(name), Variable { value, is_env: true });
    }

    /// Whether nothing but the file sets variables.
    pub(super) fn begins_empty(&self) -> bool {
        self.outside == Outside::Nothing
    }

    /// What is known of a variable.
    pub(super) fn look_up(&self, name: &str) -> Lookup {
        if let Some(variable) = self.set.get(name) {
            return match (variable.value.as_unknown(), variable.value.scalar_text()) {
                (None, Some(text)) => {
                    let what = format!("{} {name}", if variable.is_env { "ENV" } else { "ARG" });
                    Lookup::Known { text, what: what.into(), place: variable.value.span() }
                }
                (Some(unknown), _) => Lookup::Unknown(unknown.reason.clone()),
                (None, None) => Lookup::Unset,
            };
        }
        let is_global = self.outside == Outside::Nothing;
        if is_global && !SET_BY_THE_BUILDER.contains(&name) {
            return Lookup::Unset;
        }
        Lookup::Unknown(Reason::new(ReasonKind::Outside, format!("${name}"), None))
    }

    /// What a script sees of a variable.
    pub(super) fn value(&self, name: &str) -> Option<Value> {
        self.set.get(name).map(|variable| variable.value.clone())
    }
}
