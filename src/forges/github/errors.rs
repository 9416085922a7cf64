//! What GitHub's refusals mean: its wish to be left alone, and everything else in the words of [`ForgeError`].

use std::time::{Duration, SystemTime};

use http::StatusCode;
use serde::Deserialize;

use crate::forges::ForgeError;
use crate::forges::http::{Answer, Hold, Request, clock_skew_secs, host_clock, redact, retry_after};

/// Longest text of GitHub's that is passed on.
const MESSAGE_LIMIT_CHARS: usize = 400;

/// A clock that differs by more than this makes the App's statements invalid, or soon will.
const SKEW_LIMIT_SECS: u64 = 30;

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    message: String,
    errors: Vec<serde_json::Value>,
}

/// GitHub's wish to be left alone, in whichever of its forms: `Retry-After`, a budget used up, a secondary limit that names
/// no time, or a GraphQL error inside an answer that says 200.
pub(super) fn wish(request: &Request, answer: &Answer) -> Option<Hold> {
    wish_at(SystemTime::now(), request.path.ends_with("/graphql"), answer)
}

fn wish_at(now: SystemTime, is_graphql: bool, answer: &Answer) -> Option<Hold> {
    let refused = match answer.status {
        StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::FORBIDDEN => {
            says_limit(&message(answer)) || is_used_up(answer) || named_wait(now, answer).is_some()
        }
        StatusCode::OK => is_graphql && graphql_says_limit(&answer.body),
        _ => false,
    };
    let reset = || is_used_up(answer).then(|| until_reset(now, answer)).flatten();
    if refused {
        let wait = named_wait(now, answer).or_else(reset);
        let reason = match message(answer) {
            text if text.is_empty() => "rate limit".to_owned(),
            text => text,
        };
        return Some(Hold { wait, reason, refused });
    }
    // Not refused, but GitHub says how long nothing more will be served: at an outage, or with the budget just used up.
    let at_outage = if answer.status.is_server_error() { named_wait(now, answer) } else { None };
    let (wait, reason) = match at_outage {
        Some(wait) => (wait, "GitHub cannot serve for now"),
        None => (reset()?, "the budget of this hour is used up"),
    };
    Some(Hold { wait: Some(wait), reason: reason.to_owned(), refused })
}

fn named_wait(now: SystemTime, answer: &Answer) -> Option<Duration> {
    retry_after(&answer.headers, now)
}

fn is_used_up(answer: &Answer) -> bool {
    answer.header("x-ratelimit-remaining") == Some("0")
}

/// Time until the budget is renewed, by GitHub's own clock, and a second more: its instants are whole seconds.
fn until_reset(now: SystemTime, answer: &Answer) -> Option<Duration> {
    let reset = answer.header("x-ratelimit-reset")?.parse().ok()?;
    let reset = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(reset))?;
    let now = host_clock(&answer.headers).unwrap_or(now);
    Some(reset.duration_since(now).unwrap_or_default() + Duration::from_secs(1))
}

fn says_limit(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("rate limit") || text.contains("abuse detection")
}

fn graphql_says_limit(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        errors: Vec<GraphQlError>,
    }
    #[derive(Deserialize)]
    struct GraphQlError {
        #[serde(rename = "type")]
        kind: Option<String>,
        message: Option<String>,
    }
    serde_json::from_slice::<Body>(body).is_ok_and(|body| {
        body.errors.iter().any(|error| {
            error.kind.as_deref() == Some("RATE_LIMITED") || error.message.as_deref().is_some_and(says_limit)
        })
    })
}

/// What an answer that is no success means. `what` was asked for: method and path.
pub(super) fn failure(what: &str, answer: &Answer) -> ForgeError {
    let message = message(answer);
    let status = answer.status;
    let text = if message.is_empty() { format!("{what}: {status}") } else { format!("{what}: {message} ({status})") };
    match status {
        StatusCode::UNAUTHORIZED => ForgeError::Refused(format!("{text}{}", skew_hint(answer))),
        StatusCode::FORBIDDEN => ForgeError::Refused(format!("{text}{}", permission_hint(answer, &message))),
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::CONFLICT => ForgeError::NotFound(text),
        StatusCode::NOT_ACCEPTABLE | StatusCode::PAYLOAD_TOO_LARGE => ForgeError::TooLarge(text),
        StatusCode::REQUEST_TIMEOUT => ForgeError::Unreachable(text),
        _ if status.is_server_error() => ForgeError::Unreachable(text),
        _ => ForgeError::Refused(text),
    }
}

/// What GitHub says, short and without secrets; what a proxy says in HTML is left out.
fn message(answer: &Answer) -> String {
    let Ok(body) = serde_json::from_slice::<ErrorBody>(&answer.body) else {
        return String::new();
    };
    let mut text = body.message;
    for error in &body.errors {
        let detail = match error {
            serde_json::Value::String(text) => text.clone(),
            other => other.get("message").and_then(|m| m.as_str()).map_or_else(|| other.to_string(), str::to_owned),
        };
        text.push_str("; ");
        text.push_str(&detail);
    }
    printable(&text)
}

/// A text of the host's as it may be shown: one line, of bounded length, without credentials.
pub(super) fn printable(text: &str) -> String {
    let line: String = redact(text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(MESSAGE_LIMIT_CHARS) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

fn skew_hint(answer: &Answer) -> String {
    match clock_skew_secs(&answer.headers, SystemTime::now()) {
        Some(secs) if secs.unsigned_abs() > SKEW_LIMIT_SECS => {
            let side = if secs > 0 { "ahead of" } else { "behind" };
            format!("; this machine's clock is {} s {side} GitHub's, set it right", secs.unsigned_abs())
        }
        _ => "; are the App id and its private key a pair, and is the App still installed?".to_owned(),
    }
}

fn permission_hint(answer: &Answer, message: &str) -> String {
    match answer.header("x-accepted-github-permissions") {
        Some(needed) if !needed.is_empty() => {
            format!(
                "; the App needs the permission {}: grant it, then accept it where the App is installed",
                printable(needed)
            )
        }
        _ if message.contains("not accessible by integration") => {
            "; the App lacks a permission: compare it with app-manifest.json".to_owned()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        Answer { status: StatusCode::from_u16(status).unwrap(), headers: map, body: body.to_owned().into() }
    }

    fn told(is_graphql: bool, answer: &Answer) -> Option<(Option<u64>, bool)> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        wish_at(now, is_graphql, answer).map(|hold| (hold.wait.map(|wait| wait.as_secs()), hold.refused))
    }

    const SECONDARY: &str = r#"{"message":"You have exceeded a secondary rate limit."}"#;

    #[test]
    fn every_form_of_the_wish_to_be_left_alone_is_heard() {
        let used_up = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1090")];
        for (expected, answer) in [
            (Some((Some(30), true)), answer(403, &[("retry-after", "30")], "{}")),
            (Some((Some(30), true)), answer(429, &[("retry-after", "30"), used_up[0], used_up[1]], "{}")),
            (Some((Some(91), true)), answer(403, &used_up, "{}")),
            (Some((Some(91), true)), answer(429, &used_up, "{}")),
            (Some((None, true)), answer(429, &[], "")),
            (Some((None, true)), answer(403, &[], SECONDARY)),
            (Some((None, true)), answer(403, &[], r#"{"message":"You have triggered an abuse detection mechanism"}"#)),
            (Some((Some(91), false)), answer(200, &used_up, "[]")),
            (Some((Some(7), false)), answer(503, &[("retry-after", "7")], "")),
            (None, answer(403, &[("x-ratelimit-remaining", "4999")], r#"{"message":"Resource not accessible"}"#)),
            (None, answer(200, &[("x-ratelimit-remaining", "4999"), ("x-ratelimit-reset", "1090")], "[]")),
            (None, answer(502, &[], "")),
            (None, answer(200, &[("x-ratelimit-remaining", "0")], "[]")),
            (None, answer(200, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "18446744073709551615")], "[]")),
        ] {
            assert_eq!(told(false, &answer), expected, "{answer:?}");
        }
        let by_its_clock = answer(
            403,
            &[("date", "Thu, 01 Jan 1970 00:18:00 GMT"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1090")],
            "{}",
        );
        assert_eq!(told(false, &by_its_clock), Some((Some(11), true)));
    }

    #[test]
    fn a_limit_of_graphql_hides_in_a_success() {
        let limited = answer(200, &[], r#"{"data":null,"errors":[{"type":"RATE_LIMITED","message":"no"}]}"#);
        assert_eq!(told(true, &limited), Some((None, true)));
        let secondary =
            answer(200, &[("retry-after", "9")], r#"{"errors":[{"message":"exceeded a secondary rate limit"}]}"#);
        assert_eq!(told(true, &secondary), Some((Some(9), true)));
        assert_eq!(told(false, &limited), None);
        let file = answer(200, &[], r#"{"data":{"text":"\"errors\":[{\"type\":\"RATE_LIMITED\"}] rate limit"}}"#);
        assert_eq!(told(true, &file), None);
    }

    #[test]
    fn failures_are_sorted_by_what_can_be_done_about_them() {
        let said = |status, headers: &[(&str, &str)], body: &str| failure("GET /x", &answer(status, headers, body));
        let missing = said(
            403,
            &[("x-accepted-github-permissions", "checks=write")],
            r#"{"message":"Resource not accessible by integration"}"#,
        );
        assert_eq!(
            missing.to_string(),
            "the host refused: GET /x: Resource not accessible by integration (403 Forbidden); the App needs the \
             permission checks=write: grant it, then accept it where the App is installed"
        );
        assert!(matches!(said(404, &[], r#"{"message":"Not Found"}"#), ForgeError::NotFound(_)));
        assert!(matches!(said(409, &[], r#"{"message":"Git Repository is empty."}"#), ForgeError::NotFound(_)));
        assert!(matches!(said(406, &[], "{}"), ForgeError::TooLarge(_)));
        assert!(matches!(said(502, &[], "<html>"), ForgeError::Unreachable(text) if text == "GET /x: 502 Bad Gateway"));
        let invalid =
            said(422, &[], r#"{"message":"Invalid","errors":["a",{"message":"b"},{"code":"c"}]}"#).to_string();
        assert!(invalid.ends_with(r#"Invalid; a; b; {"code":"c"} (422 Unprocessable Entity)"#), "{invalid}");
    }

    #[test]
    fn a_wrong_clock_is_named() {
        let skewed =
            answer(401, &[("date", "Sun, 06 Nov 1994 08:49:37 GMT")], r#"{"message":"'Expiration time' claim"}"#);
        assert!(failure("POST /t", &skewed).to_string().contains("s ahead of GitHub's, set it right"));
        assert!(failure("POST /t", &answer(401, &[], "{}")).to_string().contains("App id and its private key"));
    }

    #[test]
    fn what_is_passed_on_is_short_one_line_and_without_secrets() {
        let token = format!("ghs_{}", "x".repeat(40));
        let body = serde_json::json!({"message": format!("bad\n{token}\u{1b}[31m{}", "é".repeat(1_000))}).to_string();
        let text = failure("GET /x", &answer(400, &[], &body)).to_string();
        assert!(
            !text.contains(&token) && !text.contains('\n') && !text.contains('\u{1b}') && text.len() < 1_000,
            "{text}"
        );
    }
}
