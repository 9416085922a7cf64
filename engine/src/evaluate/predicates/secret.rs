//! Credentials in plain text.

use std::sync::OnceLock;

use regex::RegexSet;

/// Formats of well-known credentials, each with a fixed head and length: no guessing.
const FORMATS: [&str; 12] = [
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    r"\bgh[pousr]_[A-Za-z0-9]{36}\b",
    r"\bgithub_pat_[A-Za-z0-9_]{82}\b",
    r"\bglpat-[A-Za-z0-9_-]{20}\b",
    r"\bxox[abprs]-[A-Za-z0-9-]{10,}\b",
    r"\bsk_live_[A-Za-z0-9]{24,}\b",
    r"\bAIza[0-9A-Za-z_-]{35}\b",
    r"-----BEGIN (?:RSA |EC |OPENSSH |DSA |PGP )?PRIVATE KEY",
    r"\bnpm_[A-Za-z0-9]{36}\b",
    r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b",
    r"\bdckr_pat_[A-Za-z0-9_-]{27}\b",
    r"\bhvs\.[A-Za-z0-9_-]{24,}",
];

/// Longest text looked at, in bytes.
const TEXT_LIMIT_BYTES: usize = 64 * 1024;

/// Whether a text holds a credential of a known format.
pub(in crate::evaluate) fn is_secret(text: &str) -> bool {
    static SET: OnceLock<Option<RegexSet>> = OnceLock::new();
    let set = SET.get_or_init(|| RegexSet::new(FORMATS).ok());
    let head = text.get(..TEXT_LIMIT_BYTES).unwrap_or(text);
    set.as_ref().is_some_and(|set| set.is_match(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_formats_are_secrets_and_prose_is_not() {
        assert!(RegexSet::new(FORMATS).is_ok());
        assert!(is_secret(&format!("export KEY={}{}", "AKIA", "IOSFODNN7EXAMPLE")));
        assert!(is_secret("-----BEGIN PRIVATE KEY-----\nabc"));
        assert!(!is_secret("arn:aws:secretsmanager:eu-west-1:123456789012:secret:db"));
        assert!(!is_secret("AKIA is how access keys begin"));
    }
}
