//! Values as typed: a number may come as text (from the environment), a secret only ever as text, and neither is repeated in an
//! error where it could be secret.

use std::fmt;
use std::path::Path;

use secrecy::SecretString;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use super::error::Problems;

/// Largest file a secret is read from: a private key of 16,384 bits is 13 KB.
const SECRET_FILE_LIMIT_BYTES: u64 = 64 << 10;

/// A whole number, or its decimal digits as text.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(Number)
}

/// As [`number`], for a key that may be left out.
pub(super) fn optional_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    number(deserializer).map(Some)
}

/// `true`, `false`, or either as text.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    deserializer.deserialize_any(Flag)
}

/// A list of texts, or one text alone.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    deserializer.deserialize_any(Texts)
}

/// A text that must not be shown.
pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    deserializer.deserialize_any(Secret).map(Some)
}

/// A secret given as text under `key`, or in the file named under `key` + `_path`; absent when neither is given.
pub(super) fn read_secret(
    key: &str,
    text: Option<SecretString>,
    path: Option<&Path>,
    problems: &mut Problems<'_>,
) -> Result<Option<SecretString>, ()> {
    let path_key = format!("{key}_path");
    match (text, path) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => {
            let problem = format!("{key} is given too");
            problems.add::<()>(&path_key, problem, "Give one of the two.");
            Err(())
        }
        (Some(text), None) => Ok(Some(text)),
        (None, Some(path)) => match read_small_file(path) {
            Ok(text) => Ok(Some(SecretString::from(text.trim_end_matches(['\r', '\n'])))),
            Err(problem) => {
                let problem = format!("{} cannot be read: {problem}", path.display());
                problems.add::<()>(&path_key, problem, "Name a readable file.");
                Err(())
            }
        },
    }
}

fn read_small_file(path: &Path) -> Result<String, String> {
    let size_bytes = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size_bytes > SECRET_FILE_LIMIT_BYTES {
        return Err(format!("{size_bytes} bytes are more than the limit of {SECRET_FILE_LIMIT_BYTES}"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

struct Number;

impl Visitor<'_> for Number {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<u64, E> {
        u64::try_from(number).map_err(|_| E::custom(format!("{number} is not a whole number from 0")))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        text.trim().parse().map_err(|_| E::custom("not a whole number from 0"))
    }
}

struct Flag;

impl Visitor<'_> for Flag {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true or false")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
        Ok(value)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        text.trim().parse().map_err(|_| E::custom("neither true nor false"))
    }
}

struct Texts;

impl<'de> Visitor<'de> for Texts {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<String>, E> {
        Ok(vec![text.to_owned()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element()? {
            texts.push(text);
        }
        Ok(texts)
    }
}

struct Secret;

impl<'de> Visitor<'de> for Secret {
    type Value = SecretString;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in quotes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SecretString, E> {
        Ok(SecretString::from(text))
    }

    // The default answers would show the value.
    fn visit_i64<E: Error>(self, _: i64) -> Result<SecretString, E> {
        Err(E::custom("a number; expected a text in quotes"))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<SecretString, E> {
        Err(E::custom("a number; expected a text in quotes"))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<SecretString, E> {
        Err(E::custom("true or false; expected a text in quotes"))
    }
}
