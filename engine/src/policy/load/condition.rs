//! Conditions and matchers: `path: matcher`, `all`, `any`, `not`, operator maps and patterns.

use crate::policy::matcher::Comparison;
use crate::policy::{Condition, Library, Literal, Matcher, Operand, Operator, Path, Selector, Step, Text};
use crate::resource::{Data, Key, Span, Value};

use super::fields::Reading;

/// An operator of an operator map.
pub struct OperatorName {
    /// Its key.
    pub name: &'static str,
    /// What stands behind it.
    pub takes: Takes,
    /// When it holds.
    pub about: &'static str,
}

/// What stands behind an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A matcher.
    Matcher,
    /// A matcher, or `{ path: other.attribute }`.
    MatcherOrPath,
    /// A value, `$name` or `{ path: other.attribute }`.
    Operand,
    /// The lowest and the highest operand.
    Pair,
    /// A text.
    Text,
    /// A text or a list of texts.
    Texts,
    /// A map of `lt`, `lte`, `gt` and `gte`.
    Comparisons,
    /// A value or a list of values.
    Literal,
}

const fn operator(name: &'static str, takes: Takes, about: &'static str) -> OperatorName {
    OperatorName { name, takes, about }
}

/// The operators of an operator map. `default` is no test by itself.
#[rustfmt::skip]
pub const OPERATORS: [OperatorName; 24] = [
    operator("is", Takes::MatcherOrPath, "Equal, or one of a list; `{ path: other.attribute }` compares with another attribute."),
    operator("not", Takes::Matcher, "None of these. On a missing attribute it is false all the same."),
    operator("in", Takes::MatcherOrPath, "One of these; `{ path: … }`: of what another attribute lists."),
    operator("not_in", Takes::MatcherOrPath, "None of these. On a missing attribute it is false all the same."),
    operator("lt", Takes::Operand, "Less than a number."),
    operator("lte", Takes::Operand, "At most a number."),
    operator("gt", Takes::Operand, "More than a number."),
    operator("gte", Takes::Operand, "At least a number."),
    operator("between", Takes::Pair, "From the lowest to the highest number, both included."),
    operator("matches", Takes::Text, "A regular expression found anywhere in the text."),
    operator("glob", Takes::Text, "A glob of the whole text: `*` any characters, `?` one."),
    operator("starts_with", Takes::Texts, "Text that begins with one of these."),
    operator("ends_with", Takes::Texts, "Text that ends with one of these."),
    operator("contains", Takes::Matcher, "A list with such an element, or text with such a part."),
    operator("contains_any", Takes::Matcher, "A list with one of these elements, or text with one of these parts."),
    operator("contains_all", Takes::Matcher, "A list with all of these elements, or text with all of these parts."),
    operator("subset_of", Takes::Matcher, "A list whose every element is one of these."),
    operator("within_cidr", Takes::Texts, "An address range inside one of these."),
    operator("overlaps", Takes::Operand, "Ports or port ranges (`22`, `\"3000-4000\"`) that share a port with these."),
    operator("version", Takes::Text, "A version that meets a requirement: `>= 1.27, < 2`."),
    operator("quantity", Takes::Comparisons, "A Kubernetes quantity compared with another: `{ gte: 64Mi }`."),
    operator("within_days", Takes::Operand, "A date at most so many days ahead."),
    operator("length", Takes::Matcher, "How many elements, or characters, there are."),
    operator("default", Takes::Literal, "Beside the others: what a missing attribute counts as, for this rule only."),
];
/// The comparisons of quantities.
pub const COMPARISONS: [&str; 4] = ["lt", "lte", "gt", "gte"];

/// Deepest nesting of conditions.
const DEPTH_LIMIT: usize = 24;

/// What reading a condition needs to know.
#[derive(Clone, Copy)]
pub(super) struct Conditions<'r, 'f> {
    pub(super) reading: &'r Reading<'f>,
    pub(super) library: &'r Library,
    pub(super) params: &'r [(String, Literal)],
    pub(super) depth: usize,
}

impl Conditions<'_, '_> {
    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }

    /// The entries of a map, each a condition.
    pub(super) fn entries(self, value: &Value) -> Option<Vec<Condition>> {
        if self.depth > DEPTH_LIMIT {
            self.reading.mistake(value.span(), &format!("conditions nest at most {DEPTH_LIMIT} deep"));
            return None;
        }
        let entries = self.reading.entries(value, "conditions")?;
        if entries.is_empty() {
            self.reading.mistake(value.span(), "an empty condition always holds: remove it or say what is wanted");
            return None;
        }
        let conditions: Vec<Option<Condition>> = entries.iter().map(|(key, value)| self.entry(key, value)).collect();
        conditions.into_iter().collect()
    }

    fn entry(self, key: &Key, value: &Value) -> Option<Condition> {
        match &*key.text {
            "all" => Some(Condition::All(self.members(value)?)),
            "any" => Some(Condition::Any(self.members(value)?)),
            "not" => Some(Condition::Not(Box::new(self.one(value)?))),
            text => {
                let path = self.path(text, key.span)?;
                let matcher = self.deeper().matcher(value)?;
                let place = self.reading.place(key.span, value.span());
                Some(Condition::Entry { path, matcher, place })
            }
        }
    }

    /// The members of `all` and `any`: a list of maps, each joined by and.
    fn members(self, value: &Value) -> Option<Vec<Condition>> {
        let members: Vec<Option<Condition>> =
            self.reading.one_or_many(value).iter().map(|member| self.deeper().one(member)).collect();
        members.into_iter().collect()
    }

    /// A map as one condition.
    fn one(self, value: &Value) -> Option<Condition> {
        let mut conditions = self.deeper().entries(value)?;
        if conditions.len() == 1 { conditions.pop() } else { Some(Condition::All(conditions)) }
    }

    pub(super) fn path(self, text: &str, span: Span) -> Option<Path> {
        let place = |(_, message): (usize, String)| self.reading.mistake(span, &format!("path `{text}`: {message}"));
        Path::parse(text).map_err(place).ok()
    }

    pub(super) fn matcher(self, value: &Value) -> Option<Matcher> {
        if self.depth > DEPTH_LIMIT {
            self.reading.mistake(value.span(), &format!("matchers nest at most {DEPTH_LIMIT} deep"));
            return None;
        }
        match value.data() {
            Data::Text(text) => self.word(text, value),
            Data::Bool(_) | Data::Number(_) => self.reading.literal(value).map(Matcher::Is),
            Data::List(list) => {
                if list.items.is_empty() {
                    self.reading.mistake(value.span(), "an empty list matches nothing; say `absent` or list values");
                    return None;
                }
                let choices: Vec<Option<Matcher>> = list.items.iter().map(|item| self.deeper().matcher(item)).collect();
                choices.into_iter().collect::<Option<Vec<_>>>().map(Matcher::Choice)
            }
            Data::Map(_) => self.map(value),
            Data::Null | Data::Unknown(_) | Data::OneOf(_) => {
                self.reading.mistake(value.span(), "a matcher is expected; for a missing attribute say `absent`");
                None
            }
        }
    }

    fn word(self, text: &str, value: &Value) -> Option<Matcher> {
        match text {
            "present" => Some(Matcher::Present),
            "absent" => Some(Matcher::Absent),
            _ => match text.strip_prefix('$') {
                Some(name) => self.named(name, value.span()),
                None => Some(Matcher::Is(Literal::Text(text.to_owned()))),
            },
        }
    }

    fn named(self, name: &str, span: Span) -> Option<Matcher> {
        if self.params.iter().any(|(param, _)| param == name) {
            return Some(Matcher::Param(name.to_owned()));
        }
        let matcher = self.library.matcher(name);
        if matcher.is_none() {
            let known = self.params.iter().map(|(param, _)| param.as_str()).chain(self.library.names());
            self.reading.unknown(span, "parameter, value set or predicate", &format!("${name}"), known);
        }
        matcher
    }

    /// A map of operators, or a pattern of paths.
    fn map(self, value: &Value) -> Option<Matcher> {
        let entries = self.reading.entries(value, "a matcher")?;
        let is_operator = |key: &Key| OPERATORS.iter().any(|operator| operator.name == &*key.text);
        let operators = entries.iter().filter(|(key, _)| is_operator(key)).count();
        // `not` is an operator inside a value, and a condition beside paths: `{ not: {…}, path: … }` is a pattern.
        let joined = entries.iter().filter(|(key, _)| &*key.text == "not").count();
        if operators == 0 || (operators == joined && entries.len() > operators) {
            return self.deeper().entries(value).map(Matcher::Pattern);
        }
        if operators < entries.len() {
            let mixed = entries.iter().find(|(key, _)| !is_operator(key)).map_or(value.span(), |(key, _)| key.span);
            let hint =
                "operators and paths do not mix in one map; an attribute named like an operator is written `.name`";
            self.reading.mistake(mixed, hint);
            return None;
        }
        let mut tests = Vec::new();
        let mut default = None;
        for (key, value) in &entries {
            if &*key.text == "default" {
                default = self.reading.literal(value);
            } else {
                tests.extend(self.operator(key, value)?);
            }
        }
        if tests.is_empty() {
            self.reading.mistake(value.span(), "`default` stands beside an operator: `{ is: …, default: … }`");
            return None;
        }
        Some(Matcher::Operators { tests, default })
    }

    fn operator(self, key: &Key, value: &Value) -> Option<Vec<Operator>> {
        let matcher = || self.deeper().matcher(value).map(Box::new);
        let operand = || self.operand(value);
        let one = |operator: Option<Operator>| operator.map(|operator| vec![operator]);
        match &*key.text {
            "is" if value.as_map().is_some() => one(operand().map(Operator::Equal)),
            "in" if value.as_map().is_some() => one(operand().map(Operator::Among)),
            "not_in" if value.as_map().is_some() => {
                let among = operand().map(|operand| vec![Operator::Among(operand)]);
                one(among.map(|tests| Operator::Not(Box::new(Matcher::Operators { tests, default: None }))))
            }
            "is" | "in" => one(matcher().map(Operator::Match)),
            "not" | "not_in" => one(matcher().map(Operator::Not)),
            "lt" => one(operand().map(Operator::Less)),
            "lte" => one(operand().map(Operator::LessOrEqual)),
            "gt" => one(operand().map(Operator::Greater)),
            "gte" => one(operand().map(Operator::GreaterOrEqual)),
            "between" => self.between(value),
            "matches" => one(self.pattern(value, Text::regex).map(Operator::Matches)),
            "glob" => one(self.pattern(value, Text::glob).map(Operator::Matches)),
            "starts_with" => one(Some(Operator::StartsWith(self.reading.texts(value)))),
            "ends_with" => one(Some(Operator::EndsWith(self.reading.texts(value)))),
            "contains" => one(matcher().map(Operator::Contains)),
            "contains_any" => one(self.matchers(value).map(Operator::ContainsAny)),
            "contains_all" => one(self.matchers(value).map(Operator::ContainsAll)),
            "subset_of" => one(matcher().map(Operator::SubsetOf)),
            "within_cidr" => one(Some(Operator::WithinCidr(self.reading.texts(value)))),
            "overlaps" => one(operand().map(Operator::Overlaps)),
            "version" => one(self.reading.text(value).map(Operator::Version)),
            "quantity" => self.quantity(value),
            "within_days" => one(operand().map(Operator::WithinDays)),
            "length" => one(matcher().map(Operator::Length)),
            other => {
                self.reading.unknown(key.span, "operator", other, OPERATORS.iter().map(|operator| operator.name));
                None
            }
        }
    }

    /// The members of a list operand, or what a `$name` stands for.
    fn matchers(self, value: &Value) -> Option<Vec<Matcher>> {
        match self.deeper().matcher(value)? {
            Matcher::Choice(matchers) => Some(matchers),
            matcher => Some(vec![matcher]),
        }
    }

    fn between(self, value: &Value) -> Option<Vec<Operator>> {
        match self.reading.one_or_many(value).as_slice() {
            [low, high] => {
                let low = self.operand(low).map(Operator::GreaterOrEqual);
                Some(vec![low?, self.operand(high).map(Operator::LessOrEqual)?])
            }
            _ => {
                self.reading.mistake(value.span(), "`between` takes the lowest and the highest value: [1, 5]");
                None
            }
        }
    }

    fn pattern(self, value: &Value, read: fn(&str) -> Result<Text, String>) -> Option<Text> {
        let text = self.reading.text(value)?;
        // The parser draws the place under the pattern; a mistake is one line.
        let why = |message: String| message.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let say = |message| self.reading.mistake(value.span(), &format!("`{text}` cannot be read: {}", why(message)));
        read(&text).map_err(say).ok()
    }

    /// `quantity: { gte: 64Mi }`.
    fn quantity(self, value: &Value) -> Option<Vec<Operator>> {
        let mut operators = Vec::new();
        for (key, value) in self.reading.entries(value, "`quantity`")? {
            let comparison = match &*key.text {
                "lt" => Comparison::Less,
                "lte" => Comparison::LessOrEqual,
                "gt" => Comparison::Greater,
                "gte" => Comparison::GreaterOrEqual,
                other => {
                    self.reading.unknown(key.span, "comparison of quantities", other, COMPARISONS.into_iter());
                    return None;
                }
            };
            operators.push(Operator::Quantity(comparison, self.operand(&value)?));
        }
        Some(operators)
    }

    /// A value, `{ path: x.y }` or `$name`.
    fn operand(self, value: &Value) -> Option<Operand> {
        if let Some(map) = value.as_map() {
            let Some(path) = map.get("path").filter(|_| map.entries().len() == 1) else {
                self.reading.mistake(value.span(), "an operand is a value, a `$name` or `{ path: other.attribute }`");
                return None;
            };
            let text = self.reading.text(path)?;
            let parsed = self.path(&text, path.span())?;
            let is_plain = |step: &Step| {
                step.decoders.is_empty() && step.selectors.iter().all(|selector| *selector == Selector::Each)
            };
            if !parsed.steps.iter().all(is_plain) {
                self.reading.mistake(path.span(), "the path of an operand has names and `[]` alone");
            }
            return Some(Operand::Path(parsed));
        }
        let literal = self.reading.literal(value)?;
        let Literal::Text(text) = &literal else { return Some(Operand::Value(literal)) };
        let Some(name) = text.strip_prefix('$') else { return Some(Operand::Value(literal)) };
        if self.params.iter().any(|(param, _)| param == name) {
            return Some(Operand::Param(name.to_owned()));
        }
        match self.library.sets.get(name) {
            Some(set) => Some(Operand::Value(Literal::List(set.values.clone()))),
            None => {
                let known = self.params.iter().map(|(name, _)| name.as_str());
                let known = known.chain(self.library.sets.keys().map(String::as_str));
                self.reading.unknown(value.span(), "parameter or value set", &format!("${name}"), known);
                None
            }
        }
    }
}
