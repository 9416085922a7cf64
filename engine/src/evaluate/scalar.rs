//! Scalars of a file against literals of a policy.

use crate::policy::Literal;
use crate::resource::{Data, Number, Value};

use super::truth::Truth;

/// How text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextCase {
    /// Letter by letter.
    Exact,
    /// The same; and where a boolean is asked for, text is converted to one as Terraform does it.
    Converted,
    /// Upper and lower case are the same.
    Ignored,
}

/// Whether a scalar equals a literal. Booleans and numbers also match their text, either way round.
/// A list or map never equals a scalar; what cannot be compared at all is unknown.
pub(super) fn equals(value: &Value, literal: &Literal, case: TextCase) -> Truth {
    match (value.data(), literal) {
        (Data::Bool(a), Literal::Bool(b)) => (a == b).into(),
        (Data::Number(a), Literal::Number(b)) => (a == b).into(),
        (Data::Text(a), Literal::Text(b)) => same_text(a, b, case).into(),
        (Data::Text(a), Literal::Bool(b)) if case == TextCase::Converted => match &**a {
            "true" | "1" => (*b).into(),
            "false" | "0" => (!b).into(),
            _ => Truth::False,
        },
        (Data::Text(a), Literal::Number(b)) => (Number::parse(a).as_ref() == Some(b)).into(),
        (Data::Bool(_) | Data::Number(_) | Data::Text(_), Literal::Bool(_) | Literal::Text(_) | Literal::Number(_)) => {
            let text = value.scalar_text().unwrap_or_default();
            same_text(&text, &literal.to_text(), case).into()
        }
        (Data::List(list), Literal::List(literals)) => {
            if list.items.len() != literals.len() {
                return Truth::False;
            }
            let pairs = list.items.iter().zip(literals);
            pairs.map(|(item, literal)| equals(item, literal, case)).fold(Truth::True, Truth::and)
        }
        (Data::Unknown(unknown), Literal::Text(text)) => match &unknown.prefix {
            Some(prefix) if !starts_with(text, prefix, case) => Truth::False,
            _ => Truth::Unknown,
        },
        (Data::Unknown(_), _) => Truth::Unknown,
        (Data::OneOf(alternatives), _) => one_of(alternatives, |value| equals(value, literal, case)),
        (Data::Null, _) => Truth::False,
        (Data::List(_), _) => Truth::Unknown,
        (Data::Map(_), _) | (_, Literal::List(_)) => Truth::False,
    }
}

/// What all alternatives agree on.
pub(super) fn one_of(alternatives: &[Value], test: impl FnMut(&Value) -> Truth) -> Truth {
    alternatives.iter().map(test).reduce(Truth::agree).unwrap_or(Truth::Unknown)
}

pub(super) fn same_text(a: &str, b: &str, case: TextCase) -> bool {
    match case {
        TextCase::Exact | TextCase::Converted => a == b,
        TextCase::Ignored => a.eq_ignore_ascii_case(b),
    }
}

pub(super) fn starts_with(text: &str, prefix: &str, case: TextCase) -> bool {
    text.get(..prefix.len()).is_some_and(|head| same_text(head, prefix, case))
}

/// The number a scalar is, also when it is written as text.
pub(super) fn number(value: &Value) -> Option<Number> {
    match value.data() {
        Data::Number(number) => Some(number.clone()),
        Data::Text(text) => Number::parse(text.trim()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{ListKind, Span};

    fn text(text: &str) -> Value {
        Value::text(text, Span::NOWHERE)
    }

    #[test]
    fn booleans_and_numbers_match_their_text() {
        let same = |value: &Value, literal: Literal| equals(value, &literal, TextCase::Exact) == Truth::True;
        assert!(same(&text("true"), Literal::Bool(true)));
        assert!(same(&Value::bool(true, Span::NOWHERE), Literal::Text("true".into())));
        assert!(same(&text("22.0"), Literal::Number(22.into())));
        assert!(same(&Value::number(22, Span::NOWHERE), Literal::Text("22".into())));
        assert!(!same(&text("True"), Literal::Bool(true)));
        assert_eq!(equals(&text("TLS"), &Literal::Text("tls".into()), TextCase::Ignored), Truth::True);
    }

    #[test]
    fn terraform_takes_one_and_zero_for_booleans() {
        let is = |value: &str, wanted: bool, case| equals(&text(value), &Literal::Bool(wanted), case);
        for (value, wanted) in [("1", true), ("true", true), ("0", false), ("false", false)] {
            assert_eq!(is(value, wanted, TextCase::Converted), Truth::True);
            assert_eq!(is(value, !wanted, TextCase::Converted), Truth::False);
        }
        assert_eq!(
            (is("yes", true, TextCase::Converted), is("1", true, TextCase::Exact)),
            (Truth::False, Truth::False)
        );
    }

    #[test]
    fn a_list_is_not_comparable_with_a_scalar() {
        let list = Value::list(ListKind::List, vec![text("a")], Span::NOWHERE);
        assert_eq!(equals(&list, &Literal::Text("a".into()), TextCase::Exact), Truth::Unknown);
        assert_eq!(equals(&list, &Literal::List(vec![Literal::Text("a".into())]), TextCase::Exact), Truth::True);
    }
}
