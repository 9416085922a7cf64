//! Patterns over names: repositories by glob, branches by regular expression, each mistake with its column.

use std::fmt;

use globset::{ErrorKind, GlobBuilder, GlobMatcher};
use regex_automata::meta::Regex;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{Hir, Look};

/// Longest pattern, in bytes.
const PATTERN_LIMIT_BYTES: usize = 1000;
/// Largest compiled branch pattern, in bytes.
const COMPILED_LIMIT_BYTES: usize = 1 << 20;
/// Deepest nesting of groups in a branch pattern.
const NESTING_LIMIT: u32 = 50;

/// A regular expression that takes whole branch names only.
#[derive(Clone)]
pub struct BranchPattern {
    text: String,
    regex: Regex,
}

impl BranchPattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is wrong with it, with the column where one place is.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("an empty pattern matches no branch".into());
        }
        check_length(text)?;
        let parsed = regex_syntax::ParserBuilder::new().nest_limit(NESTING_LIMIT).build().parse(text);
        let hir = parsed.map_err(|error| parse_problem(&error))?;
        // Anchored as a tree, not as text around the pattern: `main|dev`, `a)(b` and `(?x)main # old` cannot slip out of it.
        let whole = Hir::concat(vec![Hir::look(Look::Start), hir, Hir::look(Look::End)]);
        let limits = Regex::config().nfa_size_limit(Some(COMPILED_LIMIT_BYTES));
        let regex = Regex::builder().configure(limits).build_from_hir(&whole).map_err(|_| {
            format!("the pattern needs more than {COMPILED_LIMIT_BYTES} bytes when compiled; use smaller repetitions")
        })?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// The pattern as typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole name of a branch matches.
    #[must_use]
    pub fn matches(&self, branch: &str) -> bool {
        self.regex.is_match(Input::new(branch).anchored(Anchored::Yes))
    }
}

impl fmt::Debug for BranchPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

fn parse_problem(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => format!("column {}: {}", error.span().start.column, error.kind()),
        regex_syntax::Error::Translate(error) => format!("column {}: {}", error.span().start.column, error.kind()),
        other => other.to_string(),
    }
}

/// Compiles a pattern over repository names: `acme/infra`, `acme/*`, `group/**`; upper and lower case are the same.
pub(super) fn repository_pattern(text: &str) -> Result<GlobMatcher, String> {
    check_length(text)?;
    if let Some(at) = text.chars().position(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(format!("column {}: a repository name has no such character", at + 1));
    }
    if !text.contains('/') {
        return Err(format!("column {}: `/` and the name of a repository are missing", text.chars().count() + 1));
    }
    let glob = GlobBuilder::new(text).literal_separator(true).case_insensitive(true).build();
    let glob = glob.map_err(|error| format!("column {}: {}", glob_column(text, error.kind()), error.kind()))?;
    Ok(glob.compile_matcher())
}

fn check_length(text: &str) -> Result<(), String> {
    if text.len() > PATTERN_LIMIT_BYTES {
        return Err(format!("{} bytes are more than the limit of {PATTERN_LIMIT_BYTES}", text.len()));
    }
    Ok(())
}

/// Where a glob goes wrong, in characters from 1: globset tells what, not where.
fn glob_column(text: &str, kind: &ErrorKind) -> usize {
    let byte = match kind {
        ErrorKind::UnclosedClass => text.rfind('['),
        ErrorKind::InvalidRange(from, to) => text.find(&format!("{from}-{to}")),
        ErrorKind::UnclosedAlternates => unpaired_brace(text, '{'),
        ErrorKind::UnopenedAlternates => unpaired_brace(text, '}'),
        _ => text.char_indices().last().map(|(at, _)| at),
    };
    byte.and_then(|byte| text.get(..byte)).map_or(1, |before| before.chars().count() + 1)
}

/// The first brace of this kind without its partner.
fn unpaired_brace(text: &str, kind: char) -> Option<usize> {
    let mut open = Vec::new();
    for (at, character) in text.char_indices() {
        match character {
            '{' => open.push(at),
            '}' if open.pop().is_none() && kind == '}' => return Some(at),
            _ => {}
        }
    }
    open.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, branch: &str) -> bool {
        BranchPattern::new(pattern).unwrap().matches(branch)
    }

    #[test]
    fn a_branch_pattern_takes_whole_names_only() {
        assert!(matches(".*", "anything/at-all"));
        assert!(matches("main", "main"));
        assert!(!matches("main", "main2"));
        assert!(!matches("main", "domain"));
        assert!(matches("release/.*", "release/1.2"));
        assert!(!matches("release/.*", "old/release/1.2"));
        assert!(matches("main|main2", "main2"));
        assert!(matches("a|ab|abc", "abc"));
    }

    #[test]
    fn alternatives_are_anchored_as_a_whole() {
        for (branch, wanted) in [("main", true), ("dev", true), ("main-x", false), ("x-dev", false), ("maindev", false)]
        {
            assert_eq!(matches("main|dev", branch), wanted, "{branch}");
        }
    }

    #[test]
    fn flags_cannot_loosen_the_anchors() {
        assert!(!matches("(?m)^main$", "main\nx"));
        assert!(matches("(?x)main # the default", "main"));
        assert!(!matches("(?x)main # the default", "main2"));
        assert!(matches("(?i)MAIN", "main"));
        assert!(!matches("(?U)m.*", "xm"));
    }

    #[test]
    fn a_bad_branch_pattern_shows_the_column() {
        let problem = |pattern: &str| BranchPattern::new(pattern).unwrap_err();
        assert_eq!(problem("release/("), "column 9: unclosed group");
        assert_eq!(problem("a)(b"), "column 2: unopened group");
        assert_eq!(problem("ü[z-a]"), "column 3: invalid character class range, the start must be <= the end");
        assert!(problem("main|*").starts_with("column 6: "));
        assert!(problem(r"\p{Nope}").starts_with("column 1: "));
        assert!(problem("").contains("no branch"));
    }

    #[test]
    fn a_huge_branch_pattern_hits_a_stated_limit() {
        assert!(BranchPattern::new(&"a".repeat(1001)).unwrap_err().contains("limit of 1000"));
        assert!(BranchPattern::new(r"(\w{500}){500}").unwrap_err().contains("1048576 bytes"));
        let nested = format!("{}{}", "(".repeat(100), ")".repeat(100));
        assert!(BranchPattern::new(&nested).unwrap_err().contains("50"));
    }

    #[test]
    fn a_repository_pattern_stays_inside_its_owner() {
        let matches = |pattern: &str, name: &str| repository_pattern(pattern).unwrap().is_match(name);
        assert!(matches("acme/infra", "acme/infra"));
        assert!(matches("Acme/Infra", "acme/infra"));
        assert!(matches("acme/*", "acme/infra"));
        assert!(!matches("acme/*", "acme2/infra"));
        assert!(!matches("acme/*", "acme/group/infra"));
        assert!(matches("acme/**", "acme/group/infra"));
        assert!(matches("acme/{infra,platform}-*", "acme/platform-eu"));
        assert!(!matches("*/infra", "evil/acme/infra"));
    }

    #[test]
    fn a_bad_repository_pattern_shows_the_column() {
        let problem = |pattern: &str| repository_pattern(pattern).unwrap_err();
        assert!(problem("acme/[a").starts_with("column 6: "), "{}", problem("acme/[a"));
        assert!(problem("acme/[z-a]").starts_with("column 7: "));
        assert!(problem("acme/{a,b").starts_with("column 6: "));
        assert!(problem("acme/a}").starts_with("column 7: "));
        assert!(problem("acme").starts_with("column 5: "));
        assert!(problem("acme/a b").starts_with("column 7: "));
    }
}
