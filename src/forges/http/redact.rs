//! Takes credentials out of text that somebody may read: error messages of hosts, proxies and libraries.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

const HIDDEN: &str = "[redacted]";

/// Tokens of code hosts, signed tokens (JWT), credentials behind their scheme or in a URL, and PEM blocks.
///
/// No length is assumed beyond the shortest that cannot be an ordinary word: hosts change the form of their tokens.
const SECRETS: &str = concat!(
    r"gh[a-z]_[A-Za-z0-9._-]{36,}",
    r"|github_pat_[A-Za-z0-9_]{22,}",
    r"|glpat-[A-Za-z0-9._-]{20,}",
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",
    r"|(?i:bearer|basic|token)[ :=]+[A-Za-z0-9._~+/-]{20,}=*",
    r"|://[^/\s:@]+:[^/\s@]+@",
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
);

#[expect(clippy::expect_used, reason = "a constant pattern, compiled by the tests below")]
static PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new(SECRETS).expect("the pattern is well-formed"));

/// The text without anything that looks like a credential.
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    PATTERN.replace_all(text, HIDDEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_credential_survives() {
        let jwt = format!("eyJ{}.eyJ{}.{}", "hbGciOiJSUzI1NiJ9", "pc3MiOiIxIn0", "c2lnbmF0dXJl");
        let secrets = [
            format!("ghs_{}", "a1B2".repeat(9)),
            format!("ghs_12345_{jwt}"),
            format!("gho_{}", "x".repeat(36)),
            format!("github_pat_{}", "11AAAA_bbbb".repeat(4)),
            jwt.clone(),
            format!("Bearer {}", "k".repeat(24)),
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----".to_owned(),
            "-----BEGIN PRIVATE KEY-----\nMIIE cut short".to_owned(),
        ];
        for secret in secrets {
            let text = redact(&format!("refused: {secret} (401)")).into_owned();
            assert!(!text.contains(&secret), "{text}");
            assert!(text.starts_with("refused: ") && text.contains(HIDDEN), "{text}");
        }
        let url = redact("http://user:hunter2@proxy.example:3128/x");
        assert_eq!(url, format!("http{HIDDEN}proxy.example:3128/x"));
    }

    #[test]
    fn the_whole_of_a_long_token_goes() {
        let token = format!("ghs_1234567_{}", "aB3._-".repeat(80));
        assert_eq!(redact(&format!("<{token}>")), format!("<{HIDDEN}>"));
    }

    #[test]
    fn ordinary_words_stay() {
        let text = "ghs_ is the prefix; bearer of bad news; token expired; eyJ; see https://docs.github.com/rest";
        assert_eq!(redact(text), text);
    }
}
