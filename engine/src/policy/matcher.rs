//! What a node must be.

use std::fmt;
use std::sync::OnceLock;

use regex_automata::meta::{Config, Regex};
use serde::{Deserialize, Serialize};

use super::{Condition, Path, Predicate};
use crate::resource::Number;

/// A value written in a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Literal {
    /// `true`.
    Bool(bool),
    /// `365`.
    Number(Number),
    /// `TLS1_2`.
    Text(String),
    /// `[22, 3389]`.
    List(Vec<Literal>),
}

/// What a node must be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Matcher {
    /// Equal; booleans and numbers also match their text.
    Is(Literal),
    /// One of them; the first is preferred in fixes.
    Choice(Vec<Matcher>),
    /// Written, and not null, `""`, `[]` or `{}`; an empty block is present.
    Present,
    /// The contrary.
    Absent,
    /// The value of a parameter: equal, or one of a list.
    Param(String),
    /// A named test kept in Rust.
    Predicate(Predicate),
    /// All of them hold.
    Operators {
        /// The tests.
        tests: Vec<Operator>,
        /// What a missing attribute counts as, for this rule only.
        default: Option<Literal>,
    },
    /// All of them hold on this very node.
    Pattern(Vec<Condition>),
}

/// What an operator compares with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operand {
    /// A value written in the policy.
    Value(Literal),
    /// Another attribute of the same resource, or of a related one.
    Path(Path),
    /// A parameter.
    Param(String),
}

/// One test of an operator map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Operator {
    /// `is`, `in`.
    Match(Box<Matcher>),
    /// `not`, `not_in`.
    Not(Box<Matcher>),
    /// `is: {path: …}`.
    Equal(Operand),
    /// `lt`.
    Less(Operand),
    /// `lte`.
    LessOrEqual(Operand),
    /// `gt`.
    Greater(Operand),
    /// `gte`.
    GreaterOrEqual(Operand),
    /// `matches` and `glob`: text that a regular expression finds.
    Matches(Text),
    /// `starts_with`: text that begins with one of them.
    StartsWith(Vec<String>),
    /// `ends_with`: text that ends with one of them.
    EndsWith(Vec<String>),
    /// `contains`: a list with such an element, or text with such a part.
    Contains(Box<Matcher>),
    /// `contains_any`: a list with an element that is one of these, or text with one of these parts.
    ContainsAny(Vec<Matcher>),
    /// `contains_all`.
    ContainsAll(Vec<Matcher>),
    /// `subset_of`: a list whose every element is one of these.
    SubsetOf(Box<Matcher>),
    /// `within_cidr`: an address range inside one of these.
    WithinCidr(Vec<String>),
    /// `overlaps`: port ranges that share a port with these (numbers or `a-b`).
    Overlaps(Operand),
    /// `version`: a version that meets a requirement (`>= 1.2, < 2`).
    Version(String),
    /// `quantity`: a Kubernetes quantity compared with another.
    Quantity(Comparison, Operand),
    /// `within_days`: a date less than so many days ahead.
    WithinDays(Operand),
    /// `length`: how many elements, or characters.
    Length(Box<Matcher>),
}

/// How two quantities compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// Less.
    Less,
    /// Less or equal.
    LessOrEqual,
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterOrEqual,
}

/// A regular expression, compiled on first use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Text {
    /// As written: `matches` a regular expression, `glob` a glob.
    pub written: String,
    /// The regular expression.
    pattern: String,
    #[serde(skip)]
    compiled: OnceLock<Option<Regex>>,
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern
    }
}

/// Largest compiled regular expression, in bytes.
const REGEX_LIMIT_BYTES: usize = 1024 * 1024;

impl Text {
    /// A regular expression that may match anywhere.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn regex(pattern: &str) -> Result<Self, String> {
        Self::of(pattern, pattern.to_owned())
    }

    /// A glob that must match the whole text: `*` any characters, `?` one.
    ///
    /// # Errors
    /// When it is too large.
    pub fn glob(glob: &str) -> Result<Self, String> {
        Self::of(glob, glob_pattern(glob))
    }

    fn of(written: &str, pattern: String) -> Result<Self, String> {
        let compiled = compile(&pattern)?;
        Ok(Self { written: written.to_owned(), pattern, compiled: OnceLock::from(Some(compiled)) })
    }

    /// Whether it matches. A pattern that was checked when it was loaded always compiles again.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| compile(&self.pattern).ok());
        compiled.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

/// Patterns are compiled anew by every process and asked a few times: an automaton built ahead of time costs more than it gains.
fn compile(pattern: &str) -> Result<Regex, String> {
    let config = Config::new().dfa(false).onepass(false).nfa_size_limit(Some(REGEX_LIMIT_BYTES));
    Regex::builder().configure(config).build(pattern).map_err(|error| {
        match (error.syntax_error(), error.size_limit()) {
            (Some(syntax), _) => syntax.to_string(),
            (None, Some(limit)) => format!("compiled it is larger than {limit} bytes"),
            (None, None) => error.to_string(),
        }
    })
}

/// The regular expression of a glob.
fn glob_pattern(glob: &str) -> String {
    let mut pattern = String::from("(?s)^");
    for part in glob.split_inclusive(['*', '?']) {
        let (text, wildcard) = match part.strip_suffix('*') {
            Some(text) => (text, ".*"),
            None => part.strip_suffix('?').map_or((part, ""), |text| (text, ".")),
        };
        pattern.push_str(&regex::escape(text));
        pattern.push_str(wildcard);
    }
    pattern.push('$');
    pattern
}

impl Literal {
    /// Its text, as a scalar of a file would be written.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{text}\""),
            _ => f.write_str(&self.to_text()),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(literal) => literal.fmt(f),
            Self::Path(path) => path.fmt(f),
            Self::Param(name) => write!(f, "${name}"),
        }
    }
}

/// What a matcher wants, to be said behind "must be" or "must not be".
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(literal) => literal.fmt(f),
            Self::Choice(choices) => {
                let limit = 8;
                let mut words: Vec<String> = choices.iter().take(limit).map(ToString::to_string).collect();
                if choices.len() > limit {
                    words.push(format!("{} more", choices.len() - limit));
                }
                if words.len() > 1 {
                    write!(f, "one of ")?
                };
                f.write_str(&words.join(", "))
            }
            Self::Present => f.write_str("set"),
            Self::Absent => f.write_str("absent"),
            Self::Param(name) => write!(f, "${name}"),
            Self::Predicate(predicate) => f.write_str(predicate.phrase()),
            Self::Operators { tests, .. } => {
                let words: Vec<String> = tests.iter().map(ToString::to_string).collect();
                f.write_str(&words.join(" and "))
            }
            Self::Pattern(conditions) => {
                let words: Vec<String> = conditions.iter().map(ToString::to_string).collect();
                f.write_str(&words.join(" and "))
            }
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let any = |texts: &[String]| texts.iter().map(|t| format!("\"{t}\"")).collect::<Vec<_>>().join(" or ");
        let list = |matchers: &[Matcher]| matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Self::Match(matcher) => matcher.fmt(f),
            Self::Not(matcher) => write!(f, "not {matcher}"),
            Self::Equal(operand) => write!(f, "equal to {operand}"),
            Self::Less(operand) => write!(f, "less than {operand}"),
            Self::LessOrEqual(operand) => write!(f, "at most {operand}"),
            Self::Greater(operand) => write!(f, "greater than {operand}"),
            Self::GreaterOrEqual(operand) => write!(f, "at least {operand}"),
            Self::Matches(text) => write!(f, "like `{}`", text.written),
            Self::StartsWith(texts) => write!(f, "beginning with {}", any(texts)),
            Self::EndsWith(texts) => write!(f, "ending with {}", any(texts)),
            Self::Contains(matcher) => write!(f, "containing {matcher}"),
            Self::ContainsAny(matchers) => write!(f, "containing one of {}", list(matchers)),
            Self::ContainsAll(matchers) => write!(f, "containing all of {}", list(matchers)),
            Self::SubsetOf(matcher) => write!(f, "a subset of {matcher}"),
            Self::WithinCidr(ranges) => write!(f, "within {}", ranges.join(" or ")),
            Self::Overlaps(operand) => write!(f, "overlapping {operand}"),
            Self::Version(requirement) => write!(f, "a version {requirement}"),
            Self::Quantity(comparison, operand) => {
                let word = match comparison {
                    Comparison::Less => "less than",
                    Comparison::LessOrEqual => "at most",
                    Comparison::Greater => "more than",
                    Comparison::GreaterOrEqual => "at least",
                };
                write!(f, "{word} {operand}")
            }
            Self::WithinDays(operand) => write!(f, "within {operand} days"),
            Self::Length(matcher) => write!(f, "of length {matcher}"),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |conditions: &[Self], word: &str| {
            let words: Vec<String> = conditions.iter().map(ToString::to_string).collect();
            words.join(word)
        };
        match self {
            Self::Entry { path, matcher, .. } => write!(f, "{path} {matcher}"),
            Self::All(conditions) => f.write_str(&join(conditions, " and ")),
            Self::Any(conditions) => f.write_str(&join(conditions, " or ")),
            Self::Not(condition) => write!(f, "not ({condition})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_texts_and_regexes_any_part() {
        let glob = Text::glob("a*.b?").unwrap();
        assert!(glob.is_match("a/x\n.bc") && !glob.is_match("xa.bc") && !glob.is_match("aabc"));
        assert!(Text::regex("@[0-9a-f]{40}$").unwrap().is_match(&format!("a/b@{}", "0".repeat(40))));
        assert!(Text::regex("(").is_err());
        assert!(Text::regex("(\\w{1000}){1000}").is_err());
    }
}
