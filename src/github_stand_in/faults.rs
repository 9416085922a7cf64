//! Faults on purpose: what the network and an overloaded GitHub do to a request, once or several times.

use std::time::Duration;

use http::Method;

/// What is to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done, the answer is 502.
    BadGateway,
    /// Nothing is done, the answer is 503.
    Unavailable,
    /// It is done, and the connection breaks before the answer.
    LostAnswer,
    /// Nothing is done, and the connection breaks.
    Dropped,
    /// It is done, and the answer breaks off in the middle.
    Truncated,
    /// It is done later.
    Slow(Duration),
    /// It is done, and answered later.
    LateAnswer(Duration),
    /// Nothing is done: a secondary rate limit, 403, with `Retry-After` in seconds if given.
    Forbidden {
        /// In seconds.
        retry_after: Option<u64>,
    },
    /// Nothing is done: a secondary rate limit, 429, with `Retry-After` in seconds if given.
    TooManyRequests {
        /// In seconds.
        retry_after: Option<u64>,
    },
    /// Nothing is done: the hour's requests are used up until so many seconds from now.
    RateLimited {
        /// In seconds.
        resets_in: u64,
    },
    /// Nothing is done: the credential is refused although it is good.
    Unauthorized,
    /// GraphQL's way to say that a limit is reached: 200, with `errors`.
    GraphqlRateLimited,
}

/// Which requests.
#[derive(Clone, Debug)]
pub struct Matching {
    method: Option<Method>,
    path: Vec<String>,
}

impl Matching {
    /// Requests of a method (`*`: any) to a path, in which `*` stands for one segment and a final `**` for the rest. The
    /// path is written without `/api/v3`.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        let method = method.parse().ok().filter(|method: &Method| method.as_str() != "*");
        Self { method, path: segments(path) }
    }

    pub(crate) fn matches(&self, method: &Method, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method) && path_matches(&self.path, &segments(path))
    }
}

fn segments(path: &str) -> Vec<String> {
    path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}

fn path_matches(pattern: &[String], path: &[String]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (Some((wanted, [])), _) if wanted == "**" => true,
        (Some((wanted, pattern)), Some((segment, path))) => {
            (wanted == "*" || wanted == segment) && path_matches(pattern, path)
        }
        (None, None) => true,
        _ => false,
    }
}

/// The faults that wait for their requests.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Waiting>);

#[derive(Debug)]
struct Waiting {
    matching: Matching,
    fault: Fault,
    times: u32,
}

impl Faults {
    pub(crate) fn add(&mut self, matching: Matching, fault: Fault, times: u32) {
        self.0.push(Waiting { matching, fault, times });
    }

    /// The fault of a request; it counts as having happened.
    pub(crate) fn take(&mut self, method: &Method, path: &str) -> Option<Fault> {
        let waiting = self.0.iter_mut().find(|waiting| waiting.times > 0 && waiting.matching.matches(method, path))?;
        waiting.times -= 1;
        Some(waiting.fault)
    }

    /// None happens any more.
    pub(crate) fn end(&mut self) {
        self.0.clear();
    }

    /// How many have not happened yet.
    pub(crate) fn left(&self) -> u32 {
        self.0.iter().map(|waiting| waiting.times).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_segment_and_two_are_the_rest() {
        let matching = Matching::new("POST", "/repos/*/*/check-runs");
        assert!(matching.matches(&Method::POST, "/repos/a/b/check-runs"));
        assert!(!matching.matches(&Method::POST, "/repos/a/b/check-runs/1"));
        assert!(!matching.matches(&Method::GET, "/repos/a/b/check-runs"));
        assert!(Matching::new("*", "/**").matches(&Method::GET, "/repos/a/b"));
        assert!(Matching::new("GET", "/repos/**").matches(&Method::GET, "/repos/a/b/pulls/1"));
    }

    #[test]
    fn a_fault_happens_as_often_as_it_was_asked_for() {
        let mut faults = Faults::default();
        faults.add(Matching::new("GET", "/a"), Fault::BadGateway, 2);
        let mut take = || faults.take(&Method::GET, "/a");
        assert_eq!([take(), take(), take()], [Some(Fault::BadGateway), Some(Fault::BadGateway), None]);
    }
}
