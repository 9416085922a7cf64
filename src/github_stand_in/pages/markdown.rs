//! Markdown as GitHub shows it: tables, folds and a few other tags; every other tag is text.
//!
//! What is rendered comes from pull requests and checks, so nothing in it may become a script, a form or a broken page.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// Tags that stay tags. None keeps an attribute, save `open` of `details`.
const ALLOWED: &[&str] = &[
    "b",
    "blockquote",
    "br",
    "code",
    "del",
    "details",
    "em",
    "hr",
    "i",
    "ins",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "strong",
    "sub",
    "summary",
    "sup",
    "ul",
];

/// Tags without an end.
const EMPTY: &[&str] = &["br", "hr"];

/// Renders Markdown.
pub(super) fn render(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut raw = RawHtml::default();
    let events: Vec<Event<'_>> = Parser::new_ext(markdown, options).map(|event| safe(event, &mut raw)).collect();
    let mut rendered = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut rendered, events.into_iter());
    raw.close_all(&mut rendered);
    rendered
}

fn safe<'a>(event: Event<'a>, raw: &mut RawHtml) -> Event<'a> {
    match event {
        Event::Html(text) => Event::Html(raw.clean(&text).into()),
        Event::InlineHtml(text) => Event::InlineHtml(raw.clean(&text).into()),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: safe_address(dest_url), title, id })
        }
        // Pictures would be fetched from elsewhere: their description stands in for them.
        Event::Start(Tag::Image { .. }) => Event::Start(Tag::Emphasis),
        Event::End(TagEnd::Image) => Event::End(TagEnd::Emphasis),
        other => other,
    }
}

fn safe_address(address: CowStr<'_>) -> CowStr<'_> {
    let scheme = address.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    let is_relative = address.starts_with('#') || address.starts_with('/') && !address.starts_with("//");
    let is_known = matches!(scheme.as_deref(), Some("http" | "https" | "mailto"));
    if is_relative || is_known { address } else { CowStr::Borrowed("#") }
}

/// Raw HTML, made safe piece by piece.
#[derive(Default)]
struct RawHtml {
    open: Vec<&'static str>,
    in_comment: bool,
}

impl RawHtml {
    fn clean(&mut self, text: &str) -> String {
        let mut cleaned = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            rest = if self.in_comment { self.skip_comment(rest) } else { self.step(rest, &mut cleaned) };
        }
        cleaned
    }

    fn skip_comment<'a>(&mut self, text: &'a str) -> &'a str {
        match text.find("-->") {
            Some(end) => {
                self.in_comment = false;
                text.get(end + 3..).unwrap_or_default()
            }
            None => "",
        }
    }

    /// Takes the text up to the next tag, or one tag.
    fn step<'a>(&mut self, text: &'a str, cleaned: &mut String) -> &'a str {
        if let Some(rest) = text.strip_prefix("<!--") {
            self.in_comment = true;
            return rest;
        }
        if let Some((tag, rest)) = tag(text) {
            self.put(&tag, cleaned);
            return rest;
        }
        let end = text.char_indices().skip(1).find(|(_, c)| *c == '<').map_or(text.len(), |(at, _)| at);
        let (plain, rest) = text.split_at(end);
        escape_text(plain, cleaned);
        rest
    }

    fn put(&mut self, tag: &HtmlTag, cleaned: &mut String) {
        if EMPTY.contains(&tag.name) {
            cleaned.push_str(&format!("<{}>", tag.name));
        } else if !tag.closes {
            self.open.push(tag.name);
            cleaned.push_str(&format!("<{}{}>", tag.name, if tag.is_open { " open" } else { "" }));
        } else if self.open.contains(&tag.name) {
            // What was opened inside and forgotten ends here too.
            while let Some(name) = self.open.pop() {
                cleaned.push_str(&format!("</{name}>"));
                if name == tag.name {
                    break;
                }
            }
        }
    }

    fn close_all(&mut self, rendered: &mut String) {
        while let Some(name) = self.open.pop() {
            rendered.push_str(&format!("</{name}>"));
        }
    }
}

struct HtmlTag {
    name: &'static str,
    closes: bool,
    is_open: bool,
}

/// An allowed tag at the beginning of a text, and what follows it.
fn tag(text: &str) -> Option<(HtmlTag, &str)> {
    let inside = text.strip_prefix('<')?;
    let end = inside.find('>')?;
    let (inside, rest) = (inside.get(..end)?, inside.get(end + 1..)?);
    let (closes, inside) = inside.strip_prefix('/').map_or((false, inside), |inside| (true, inside));
    let inside = inside.strip_suffix('/').unwrap_or(inside);
    let mut words = inside.split_ascii_whitespace();
    let found = words.next()?.to_ascii_lowercase();
    let name = ALLOWED.iter().find(|name| **name == found)?;
    let is_open = match (words.next(), words.next()) {
        (None, _) => false,
        (Some("open"), None) if *name == "details" && !closes => true,
        _ => return None,
    };
    Some((HtmlTag { name, closes, is_open }, rest))
}

fn escape_text(text: &str, escaped: &mut String) {
    for (at, symbol) in text.char_indices() {
        match symbol {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' if !is_entity(text.get(at + 1..).unwrap_or_default()) => escaped.push_str("&amp;"),
            other => escaped.push(other),
        }
    }
}

fn is_entity(after: &str) -> bool {
    let Some((name, _)) = after.split_once(';') else { return false };
    let name = name.strip_prefix('#').unwrap_or(name);
    (1..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_folds_are_shown() {
        let shown = render(
            "| a | b |\n|---|---|\n| 1 | 2 |\n\n<details open>\n<summary>More &amp; <b>more</b></summary>\n\n- x\n\n</details>\n",
        );
        assert!(shown.contains("<table>") && shown.contains("<td>2</td>"), "{shown}");
        assert!(shown.contains("<details open>\n<summary>More &amp; <b>more</b></summary>"), "{shown}");
        assert!(shown.contains("<li>x</li>") && shown.trim_end().ends_with("</details>"), "{shown}");
    }

    #[test]
    fn everything_else_is_text() {
        for hostile in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<details ontoggle=alert(1)>",
            "<b onclick=alert(1)>x</b>",
            "a <iframe src=//evil> b",
            "<svg/onload=alert(1)>",
            "<form action=/x><button>",
            "<DETAILS OPEN onclick=x>",
        ] {
            let shown = render(hostile);
            let tags = shown.replace("<p>", "").replace("</p>", "").replace("</b>", "");
            assert!(!tags.contains('<'), "{hostile} became {shown}");
        }
    }

    #[test]
    fn addresses_lead_to_pages_and_nowhere_else() {
        assert!(render("[a](https://example.com)").contains("href=\"https://example.com\""));
        assert!(render("[a](/acme/platform)").contains("href=\"/acme/platform\""));
        for hostile in ["[a](javascript:alert(1))", "[a](JaVaScRiPt:alert(1))", "[a](data:text/html,x)", "[a](//evil)"]
        {
            assert!(render(hostile).contains("href=\"#\""), "{hostile} became {}", render(hostile));
        }
        assert_eq!(render("![a](https://evil/x.png)").trim(), "<p><em>a</em></p>");
    }

    #[test]
    fn what_was_opened_is_closed_and_comments_are_hidden() {
        assert_eq!(render("<details><summary>x").trim(), "<details><summary>x</summary></details>");
        assert_eq!(render("</details></div>").trim(), "&lt;/div&gt;");
        assert_eq!(render("<!-- a\nb <b>\n--> c").trim(), "c");
    }
}
