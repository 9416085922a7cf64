//! What a policy document of AWS lets its bearer do with every resource: grants joined, denials taken off, wildcards understood.
//!
//! Wanted: powers that only several statements give together are found, and a statement tied to resources or conditions, or
//! taken back by a denial, is none. So a method is looked for in what all statements grant on all resources unconditionally.

use crate::resource::{Data, Value};

use super::iam_actions::Method;
use crate::evaluate::truth::Truth;

/// Whether any of the methods is wholly granted. The value is a list of statements, or of the actions of one.
pub(super) fn grants(value: &Value, methods: &[Method]) -> Truth {
    let mut document = Document { is_of_statements: has_statements(value), ..Document::default() };
    match value.data() {
        Data::List(list) => list.items.iter().for_each(|item| document.take(item)),
        _ => document.take(value),
    }
    let answers =
        methods.iter().map(|method| method.iter().map(|action| document.allows(action)).fold(Truth::True, Truth::and));
    answers.fold(Truth::False, Truth::or)
}

fn has_statements(value: &Value) -> bool {
    value.as_list().is_some_and(|list| list.items.iter().any(|item| item.as_map().is_some()))
}

/// What is granted and denied on all resources, each for certain or perhaps.
#[derive(Default)]
struct Document {
    /// Its elements are statements, not actions.
    is_of_statements: bool,
    allowed: Vec<(Actions, Truth)>,
    denied: Vec<(Actions, Truth)>,
}

/// Which actions a statement speaks of.
enum Actions {
    /// Those that match one of these.
    Matching(Vec<Pattern>),
    /// All but those that match one of these.
    Except(Vec<Pattern>),
}

/// A pattern of actions, or what is known of one.
enum Pattern {
    Known(String),
    /// It begins so.
    Open(String),
}

impl Document {
    fn take(&mut self, item: &Value) {
        let certain = if item.maybe().is_some() { Truth::Unknown } else { Truth::True };
        match item.data() {
            Data::Map(_) => self.statement(item, certain),
            Data::Text(_) => self.allowed.push((Actions::Matching(patterns(item)), certain)),
            // An action that may be granted, or a statement that may grant or deny.
            Data::Unknown(_) => {
                self.allowed.push((Actions::Matching(patterns(item)), Truth::Unknown));
                if self.is_of_statements {
                    self.denied.push((Actions::Matching(patterns(item)), Truth::Unknown));
                }
            }
            // Whether one of the alternatives is the one that grants is what nobody knows.
            Data::OneOf(alternatives) => {
                for one in alternatives.iter() {
                    self.take(&one.clone().noted(|notes| notes.maybe = super::super::walk::undecided_reason(item)));
                }
            }
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::List(_) => {}
        }
    }

    fn statement(&mut self, statement: &Value, certain: Truth) {
        let effect = |wanted: &str| statement.get("effect").map_or(Truth::False, |effect| is_text(effect, wanted));
        let actions = || match (statement.get("actions"), statement.get("not_actions")) {
            (Some(actions), _) => Some(Actions::Matching(patterns(actions))),
            (None, Some(excepted)) => Some(Actions::Except(patterns(excepted))),
            (None, None) => None,
        };
        let reach = everywhere(statement).and(unconditional(statement)).and(certain);
        let (allow, deny) = (effect("Allow").and(reach), effect("Deny").and(reach));
        if allow != Truth::False {
            self.allowed.extend(actions().map(|actions| (actions, allow)));
        }
        if deny != Truth::False {
            self.denied.extend(actions().map(|actions| (actions, deny)));
        }
    }

    fn allows(&self, action: &str) -> Truth {
        let any = |grants: &[(Actions, Truth)]| {
            let speaks = |(actions, certain): &(Actions, Truth)| actions.include(action).and(*certain);
            grants.iter().map(speaks).fold(Truth::False, Truth::or)
        };
        any(&self.allowed).and(!any(&self.denied))
    }
}

impl Actions {
    fn include(&self, action: &str) -> Truth {
        let any =
            |patterns: &[Pattern]| patterns.iter().map(|pattern| pattern.matches(action)).fold(Truth::False, Truth::or);
        match self {
            Self::Matching(patterns) => any(patterns),
            Self::Except(patterns) => !any(patterns),
        }
    }
}

impl Pattern {
    fn matches(&self, action: &str) -> Truth {
        match self {
            Self::Known(pattern) => is_like(pattern.as_bytes(), action.to_ascii_lowercase().as_bytes()).into(),
            Self::Open(beginning) => {
                let known = beginning.split(['*', '?']).next().unwrap_or_default();
                let shorter = known.len().min(action.len());
                let (known, action) = (known.get(..shorter), action.get(..shorter));
                let fits = known.zip(action).is_some_and(|(known, action)| known.eq_ignore_ascii_case(action));
                if fits { Truth::Unknown } else { Truth::False }
            }
        }
    }
}

/// The patterns of a list of actions.
fn patterns(actions: &Value) -> Vec<Pattern> {
    match actions.data() {
        Data::Text(text) => vec![Pattern::Known(text.to_ascii_lowercase())],
        Data::List(list) => list.items.iter().flat_map(patterns).collect(),
        Data::Unknown(unknown) => {
            let known = actions.known_part().unwrap_or_default();
            let known = known.iter().filter_map(Value::as_text).map(|text| Pattern::Known(text.to_ascii_lowercase()));
            let open = Pattern::Open(unknown.prefix.as_deref().unwrap_or_default().to_ascii_lowercase());
            known.chain([open]).collect()
        }
        Data::OneOf(_) => vec![Pattern::Open(String::new())],
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::Map(_) => Vec::new(),
    }
}

/// Whether a statement is about all resources, or all but some.
fn everywhere(statement: &Value) -> Truth {
    let Some(resources) = statement.get("resources") else {
        return statement.get("not_resources").is_some().into();
    };
    match resources.data() {
        Data::List(list) => list.items.iter().map(|item| is_text(item, "*")).fold(Truth::False, Truth::or),
        _ => is_text(resources, "*"),
    }
}

fn unconditional(statement: &Value) -> Truth {
    match statement.get("conditions").map(Value::data) {
        None | Some(Data::Null) => Truth::True,
        Some(Data::List(list)) if list.items.is_empty() => Truth::True,
        Some(Data::List(list)) if list.items.iter().all(|item| item.maybe().is_some()) => Truth::Unknown,
        Some(Data::Unknown(_) | Data::OneOf(_)) => Truth::Unknown,
        Some(_) => Truth::False,
    }
}

fn is_text(value: &Value, wanted: &str) -> Truth {
    match value.data() {
        Data::Text(text) => (&**text == wanted).into(),
        Data::Unknown(unknown) => match &unknown.prefix {
            Some(prefix) if !wanted.starts_with(&**prefix) => Truth::False,
            _ => Truth::Unknown,
        },
        Data::OneOf(alternatives) => super::super::scalar::one_of(alternatives, |one| is_text(one, wanted)),
        _ => Truth::False,
    }
}

/// Whether a text is what a pattern with `*` and `?` describes. Linear but for the last star, however many there are.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(letter) = text.get(read) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(b'?') => (at, read) = (at + 1, read + 1),
            Some(wanted) if wanted == letter => (at, read) = (at + 1, read + 1),
            _ => match star {
                Some((place, from)) => {
                    (at, read) = (place + 1, from + 1);
                    star = Some((place, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{Reason, ReasonKind, Span};
    use crate::syntax::{Scalars, parse_yaml};

    const METHODS: &[Method] = &[&["iam:PassRole", "lambda:CreateFunction"], &["iam:CreateAccessKey"]];

    fn answer(yaml: &str) -> Truth {
        let read = parse_yaml(yaml, Span::NOWHERE.file, Scalars::Yaml11);
        grants(&read.documents[0].value, METHODS)
    }

    #[test]
    fn statements_grant_together_what_none_grants_alone() {
        let pass = "[{effect: Allow, actions: ['iam:Pass*'], resources: ['*']}]";
        let both = "[{effect: Allow, actions: ['iam:Pass*'], resources: ['*']}, {effect: Allow, actions: ['LAMBDA:create?unction'], resources: ['*']}]";
        assert_eq!([answer(pass), answer(both)], [Truth::False, Truth::True]);
        assert_eq!(answer("['iam:CreateAccessKey']"), Truth::True);
    }

    #[test]
    fn what_is_tied_or_taken_back_is_no_grant() {
        let tied = "[{effect: Allow, actions: ['*'], resources: ['arn:aws:iam::1:user/a']}]";
        let conditional = "[{effect: Allow, actions: ['*'], resources: ['*'], conditions: [{key: a}]}]";
        let denied =
            "[{effect: Allow, actions: ['*'], resources: ['*']}, {effect: Deny, actions: ['iam:*'], resources: ['*']}]";
        let excepted = "[{effect: Allow, not_actions: ['iam:*'], resources: ['*']}]";
        assert_eq!([tied, conditional, denied, excepted].map(answer), [Truth::False; 4]);
    }

    #[test]
    fn what_nobody_knows_decides_only_where_it_could() {
        let with = |prefix: Option<&str>| {
            let value = Value::unknown(Reason::new(ReasonKind::NoDefault, "var.x", None), Span::NOWHERE);
            let Data::Unknown(unknown) = value.data() else { return Truth::False };
            let mut unknown = (**unknown).clone();
            unknown.prefix = prefix.map(Into::into);
            grants(&value.clone().with(Data::Unknown(unknown.into())), METHODS)
        };
        assert_eq!([with(None), with(Some("iam:")), with(Some("s3:"))], [Truth::Unknown, Truth::Unknown, Truth::False]);
    }

    #[test]
    fn stars_match_any_length() {
        assert!(is_like(b"a*c*e", b"abcde") && is_like(b"*", b"") && is_like(b"a**", b"a"));
        assert!(!is_like(b"a*c", b"ab") && !is_like(b"a?", b"a") && !is_like(b"", b"a"));
    }
}
