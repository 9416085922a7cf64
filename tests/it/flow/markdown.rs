//! Reads what a check shows as GitHub would, and says what a stranger's text has become in it.

use std::sync::LazyLock;

use portcullis::github_stand_in::state::CheckRun;
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag};
use regex::RegexSet;

/// The only HTML a check writes.
const OWN_HTML: [&str; 4] = ["<details>", "</details>", "<summary>", "</summary>"];

/// Nothing in the check is anything but text, code, headings, lists, tables and folds of our own.
#[track_caller]
pub(super) fn assert_harmless(run: &CheckRun) {
    for page in [&run.output.summary, &run.output.text].into_iter().flatten() {
        let problems = problems(page);
        assert!(problems.is_empty(), "{problems:#?} in\n{page}");
    }
    let title = run.output.title.as_deref().unwrap_or_default();
    assert!(!title.contains(['\n', '\r', '\u{202e}']), "{title:?}");
    for annotation in &run.annotations {
        assert!(!annotation.path.starts_with('/') && !annotation.path.split('/').any(|part| part == ".."));
        assert!(annotation.start_line >= 1 && annotation.end_line >= annotation.start_line);
    }
}

fn problems(page: &str) -> Vec<String> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_MATH;
    let mut found = Vec::new();
    let mut is_code_block = false;
    for (event, place) in Parser::new_ext(page, options).into_offset_iter() {
        match event {
            Event::Html(html) | Event::InlineHtml(html) if !is_own(&html) => found.push(format!("HTML {html}")),
            Event::Start(Tag::CodeBlock(_)) => is_code_block = true,
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => is_code_block = false,
            Event::Start(
                tag @ (Tag::Link { .. } | Tag::Image { .. } | Tag::Strikethrough | Tag::FootnoteDefinition(_)),
            ) => {
                found.push(format!("{tag:?}"));
            }
            Event::InlineMath(_) | Event::DisplayMath(_) | Event::TaskListMarker(_) | Event::FootnoteReference(_) => {
                found.push(format!("{event:?}"));
            }
            Event::Text(_) if !is_code_block => found.extend(references(page.get(place).unwrap_or_default())),
            _ => {}
        }
    }
    found
}

/// What GitHub turns into links and mentions without any markup, as it stands in the source.
fn references(text: &str) -> Option<String> {
    static PATTERNS: LazyLock<RegexSet> = LazyLock::new(|| {
        let patterns =
            [r"(^|\W)@\w", r"(^|[^&])#\d", r"(?i)https?://", r"(?i)www\.", r"(^|\W)GH-\d", r"\b[0-9a-f]{40}\b"];
        RegexSet::new(patterns).unwrap()
    });
    PATTERNS.is_match(text).then(|| format!("a reference: `{text}`"))
}

fn is_own(html: &CowStr<'_>) -> bool {
    let mut rest = html.to_string();
    for own in OWN_HTML {
        rest = rest.replace(own, "");
    }
    !rest.contains('<')
}

#[test]
fn the_judge_finds_what_it_looks_for() {
    for bad in [
        "<img src=x>",
        "[a](b)",
        "![a](b)",
        "@team hello",
        "see #12",
        "http://a.example",
        "~~x~~",
        "www.a.example",
        "$x$",
    ] {
        assert!(!problems(bad).is_empty(), "{bad}");
    }
    for good in ["`<img src=x> @team #12`", "&#64;team", "\\<b>", "<details><summary>x</summary>\n\n- a\n\n</details>"]
    {
        assert_eq!(problems(good), [""; 0], "{good}");
    }
}
