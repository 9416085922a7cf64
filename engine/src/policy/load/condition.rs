//! Conditions and matchers: `path: matcher`, `all`, `any`, `not`, operator maps and patterns.

use crate::policy::matcher::Comparison;
use crate::policy::{Condition, Library, Literal, Matcher, Operand, Operator, Path, Text};
use crate::resource::{Data, Key, Span, Value};

use super::fields::Reading;

/// The operators of an operator map.
pub const OPERATOR_NAMES: [&str; 24] = [
    "is",
    "not",
    "in",
    "not_in",
    "lt",
    "lte",
    "gt",
    "gte",
    "between",
    "matches",
    "glob",
    "starts_with",
    "ends_with",
    "contains",
    "contains_any",
    "contains_all",
    "subset_of",
    "within_cidr",
    "overlaps",
    "version",
    "quantity",
    "within_days",
    "length",
    // No test by itself: it stands beside one.
    "default",
];

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
        let is_operator = |key: &Key| OPERATOR_NAMES.contains(&&*key.text);
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
                self.reading.unknown(key.span, "operator", other, OPERATOR_NAMES.into_iter());
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
                    let known = ["lt", "lte", "gt", "gte"].into_iter();
                    self.reading.unknown(key.span, "comparison of quantities", other, known);
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
            return self.path(&self.reading.text(path)?, path.span()).map(Operand::Path);
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
