//! Pages: `per_page` and `page`, and the Link header with absolute addresses.

use serde_json::Value;

use super::answer::{Answer, Reply};
use super::call::Call;
use crate::github_stand_in::state::GitHub;

const DEFAULT_SIZE: usize = 30;
const LARGEST: usize = 100;

/// Which page is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Page {
    number: usize,
    size: usize,
}

impl Page {
    pub(crate) fn of(call: &Call) -> Self {
        let number = |name: &str| call.query(name).and_then(|text| text.parse::<usize>().ok()).filter(|n| *n > 0);
        let size = number("per_page").unwrap_or(DEFAULT_SIZE).min(LARGEST);
        Self { number: number("page").unwrap_or(1), size }
    }

    pub(crate) fn is_first(self) -> bool {
        self.number == 1
    }

    pub(crate) fn size(self) -> usize {
        self.size
    }

    /// The items of this page.
    pub(crate) fn cut<T>(self, items: Vec<T>) -> Vec<T> {
        items.into_iter().skip((self.number - 1).saturating_mul(self.size)).take(self.size).collect()
    }

    /// The Link header; `None` when everything is on one page.
    pub(crate) fn link(self, call: &Call, github: &GitHub, total: usize) -> Option<String> {
        let last = total.div_ceil(self.size).max(1);
        let to =
            |page: usize, rel: &str| format!("<{}>; rel=\"{rel}\"", address(call, github, "page", &page.to_string()));
        let mut links = Vec::new();
        if self.number > 1 {
            links.push(to((self.number - 1).min(last), "prev"));
        }
        if self.number < last {
            links.push(to(self.number + 1, "next"));
            links.push(to(last, "last"));
        }
        if self.number > 1 {
            links.push(to(1, "first"));
        }
        (!links.is_empty()).then(|| links.join(", "))
    }
}

/// The absolute address of the request with one parameter changed.
pub(crate) fn address(call: &Call, github: &GitHub, name: &str, value: &str) -> String {
    let kept =
        call.queries().iter().filter(|(known, _)| known != name).map(|(name, value)| (name.as_str(), value.as_str()));
    let pairs: Vec<String> = kept.chain([(name, value)]).map(|(n, v)| format!("{}={}", escape(n), escape(v))).collect();
    let base = github.base_url.trim_end_matches('/');
    format!("{base}{}?{}", call.uri().path(), pairs.join("&"))
}

fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// One page of a list.
pub(crate) fn list<T>(call: &Call, github: &GitHub, items: Vec<T>, body: impl Fn(T) -> Value) -> Answer {
    let page = Page::of(call);
    let link = page.link(call, github, items.len());
    let shown: Value = page.cut(items).into_iter().map(body).collect();
    Ok(Reply::ok(&shown).linked(link))
}

/// One page of a list under a name, with the number of all.
pub(crate) fn counted<T>(call: &Call, github: &GitHub, name: &str, items: Vec<T>, body: impl Fn(T) -> Value) -> Answer {
    let page = Page::of(call);
    let total = items.len();
    let link = page.link(call, github, total);
    let shown: Value = page.cut(items).into_iter().map(body).collect();
    let fields = [("total_count".to_owned(), Value::from(total)), (name.to_owned(), shown)];
    Ok(Reply::ok(&Value::Object(fields.into_iter().collect())).linked(link))
}
