//! Headers that mean the same at every host: how long to wait, what time it is there, where the next page lies.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, Uri};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// What `Retry-After` says: seconds, or a date, measured by the host's own clock.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(secs) = text.parse::<u64>() {
        return Some(Duration::from_secs(secs));
    }
    let until = http_date(text)?;
    Some(until.duration_since(host_clock(headers).unwrap_or(now)).unwrap_or_default())
}

/// The host's time when it answered.
pub(crate) fn host_clock(headers: &HeaderMap) -> Option<SystemTime> {
    http_date(headers.get(http::header::DATE)?.to_str().ok()?)
}

/// By how many seconds this machine's clock is ahead of the host's; negative when behind.
pub(crate) fn clock_skew_secs(headers: &HeaderMap, now: SystemTime) -> Option<i64> {
    let host = OffsetDateTime::from(host_clock(headers)?);
    Some((OffsetDateTime::from(now) - host).whole_seconds())
}

fn http_date(text: &str) -> Option<SystemTime> {
    OffsetDateTime::parse(text, &Rfc2822).ok().map(SystemTime::from)
}

/// Path and query of the next page, as `Link` says. The host it names is left out on purpose: a page is asked for where the
/// first one was, whatever a proxy or a mock believes its own name to be, so no credential goes elsewhere.
pub(crate) fn next_page(headers: &HeaderMap) -> Option<String> {
    headers.get_all(http::header::LINK).iter().filter_map(|value| value.to_str().ok()).find_map(next_of)
}

fn next_of(mut links: &str) -> Option<String> {
    while let Some((_, rest)) = links.split_once('<') {
        let (target, rest) = rest.split_once('>')?;
        let (parameters, _) = rest.split_once('<').unwrap_or((rest, ""));
        if parameters.split([';', ',']).any(is_next) {
            let uri: Uri = target.parse().ok()?;
            return uri.path_and_query().map(ToString::to_string);
        }
        links = rest;
    }
    None
}

fn is_next(parameter: &str) -> bool {
    parameter.trim().split_once('=').is_some_and(|(name, value)| {
        name.trim().eq_ignore_ascii_case("rel")
            && value.trim().trim_matches('"').split(' ').any(|relation| relation.eq_ignore_ascii_case("next"))
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn waits_are_seconds_or_dates_by_the_hosts_clock() {
        let now = SystemTime::UNIX_EPOCH;
        assert_eq!(retry_after(&headers(&[("retry-after", " 30 ")]), now), Some(Duration::from_secs(30)));
        let dated =
            headers(&[("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")]);
        assert_eq!(retry_after(&dated, now), Some(Duration::from_secs(60)));
        assert_eq!(clock_skew_secs(&dated, now), Some(-784_111_777));
        for none in ["", "soon", "-1"] {
            assert_eq!(retry_after(&headers(&[("retry-after", none)]), now), None, "{none}");
        }
    }

    #[test]
    fn the_next_page_is_found_among_all_links_and_its_host_is_forgotten() {
        let link = r#"<https://api.github.com/r?page=1>; rel="prev", <https://evil.example/api/v3/r?page=3&x=a,b>; rel="next", <https://api.github.com/r?page=9>; rel="last""#;
        assert_eq!(next_page(&headers(&[("link", link)])).as_deref(), Some("/api/v3/r?page=3&x=a,b"));
        for none in [
            "",
            "<",
            "<x",
            r#"<https://h/x>; rel="last""#,
            r#"<not a url>; rel="next""#,
            r#"<https://h/x>; rel="nextish""#,
        ] {
            assert_eq!(next_page(&headers(&[("link", none)])), None, "{none}");
        }
    }
}
