//! A check as GitHub wants it written, inside its limits. Whoever renders a check keeps them; here they are enforced, because
//! GitHub would refuse the whole of a check that breaks one.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

use crate::forges::{Annotation, AnnotationLevel, Check, CheckOutput, CheckState, Conclusion};

/// Longest summary and longest text, in bytes whatever the documentation says.
pub(in crate::forges::github) const TEXT_LIMIT_BYTES: usize = 65_535;

/// Most annotations of a check: ten requests, at one a second.
pub(in crate::forges::github) const ANNOTATION_LIMIT: usize = 500;

/// Longest title of a check and of an annotation.
const TITLE_LIMIT_CHARS: usize = 255;

/// Longest message of an annotation.
const MESSAGE_LIMIT_BYTES: usize = 64 * 1024;

/// Longest id of ours that GitHub is sure to keep.
const KEY_LIMIT_BYTES: usize = 255;

const CUT: &str = "\n\n… (cut)";

/// How far a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct State<'a> {
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) conclusion: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) completed_at: Option<&'a str>,
}

impl<'a> State<'a> {
    pub(super) const IN_PROGRESS: State<'static> =
        State { status: "in_progress", conclusion: None, completed_at: None };

    pub(super) fn of(state: &'a CheckState) -> Self {
        let CheckState::Completed { conclusion, completed_at } = state else {
            return Self::IN_PROGRESS;
        };
        let conclusion = match conclusion {
            Conclusion::Success => "success",
            Conclusion::Failure => "failure",
            Conclusion::Cancelled => "cancelled",
        };
        Self { status: "completed", conclusion: Some(conclusion), completed_at: Some(completed_at) }
    }
}

/// What a check shows.
#[derive(Debug, Serialize)]
pub(super) struct Output<'a> {
    pub(super) title: Cow<'a, str>,
    pub(super) summary: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "<[Remark]>::is_empty")]
    pub(super) annotations: &'a [Remark],
}

impl<'a> Output<'a> {
    pub(super) fn of(output: &'a CheckOutput, annotations: &'a [Remark]) -> Self {
        Self {
            title: cut_chars(or_dash(&output.title), TITLE_LIMIT_CHARS),
            summary: cut_lines(or_dash(&output.summary), TEXT_LIMIT_BYTES),
            text: output.text.as_deref().filter(|text| !text.is_empty()).map(|text| cut_lines(text, TEXT_LIMIT_BYTES)),
            annotations,
        }
    }
}

/// An annotation as GitHub takes it and gives it back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Remark {
    path: String,
    start_line: u32,
    end_line: u32,
    annotation_level: String,
    #[serde(default, deserialize_with = "not_empty")]
    title: Option<String>,
    #[serde(default)]
    message: String,
}

fn not_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(deserializer).map(|text: Option<String>| text.filter(|text| !text.is_empty()))
}

impl Remark {
    /// Those of a check, up to the limit; worst come first, so the mildest are left out.
    pub(super) fn all_of(check: &Check) -> Vec<Self> {
        let annotations = &check.output.annotations;
        if annotations.len() > ANNOTATION_LIMIT {
            tracing::warn!(
                check.key = check.key.0,
                given = annotations.len(),
                "a check shows {ANNOTATION_LIMIT} annotations"
            );
        }
        annotations.iter().take(ANNOTATION_LIMIT).map(Self::of).collect()
    }

    fn of(annotation: &Annotation) -> Self {
        let level = match annotation.level {
            AnnotationLevel::Notice => "notice",
            AnnotationLevel::Warning => "warning",
            AnnotationLevel::Failure => "failure",
        };
        let start_line = annotation.start_line.max(1);
        let title = cut_chars(annotation.title.trim(), TITLE_LIMIT_CHARS);
        Self {
            path: annotation.path.to_string(),
            start_line,
            end_line: annotation.end_line.max(start_line),
            annotation_level: level.to_owned(),
            title: (!title.is_empty()).then(|| title.into_owned()),
            message: cut_lines(or_dash(annotation.message.trim()), MESSAGE_LIMIT_BYTES).into_owned(),
        }
    }
}

/// Our id of a check as GitHub keeps it.
pub(super) fn external_id(key: &str) -> Cow<'_, str> {
    use sha2::{Digest, Sha256};
    if key.len() <= KEY_LIMIT_BYTES {
        return Cow::Borrowed(key);
    }
    Cow::Owned(hex::encode(Sha256::digest(key)))
}

/// GitHub refuses an empty text.
fn or_dash(text: &str) -> &str {
    if text.trim().is_empty() { "–" } else { text }
}

fn cut_chars(text: &str, limit: usize) -> Cow<'_, str> {
    if text.chars().nth(limit).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().take(limit - 1).chain(['…']).collect())
}

/// The text within a limit of bytes, cut at the end of a line if there is one in the second half.
fn cut_lines(text: &str, limit_bytes: usize) -> Cow<'_, str> {
    if text.len() <= limit_bytes {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(limit_bytes - CUT.len());
    let kept = text.get(..end).unwrap_or_default();
    let line_end = kept.rfind('\n').filter(|line_end| *line_end > end / 2).unwrap_or(end);
    Cow::Owned(format!("{}{CUT}", kept.get(..line_end).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use portcullis_engine::source_tree::TreePath;

    use super::*;

    #[test]
    fn texts_are_cut_by_bytes_at_the_end_of_a_line() {
        let lines = "größer 🦀 than it looks\n".repeat(5_000);
        let cut = cut_lines(&lines, TEXT_LIMIT_BYTES);
        assert!(cut.len() <= TEXT_LIMIT_BYTES && cut.len() > TEXT_LIMIT_BYTES - 60);
        assert!(cut.ends_with(&format!("looks{CUT}")));
        let one_line = "🦀".repeat(30_000);
        let cut = cut_lines(&one_line, TEXT_LIMIT_BYTES);
        assert!(cut.len() <= TEXT_LIMIT_BYTES && cut.starts_with("🦀"));
        for text in ["", "a", &"x".repeat(TEXT_LIMIT_BYTES)] {
            assert_eq!(cut_lines(text, TEXT_LIMIT_BYTES), text);
        }
    }

    #[test]
    fn titles_are_cut_by_characters() {
        assert_eq!(cut_chars(&"ü".repeat(255), TITLE_LIMIT_CHARS).chars().count(), 255);
        let cut = cut_chars(&"ü".repeat(256), TITLE_LIMIT_CHARS).into_owned();
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (255, true));
    }

    #[test]
    fn nothing_github_would_refuse_is_written() {
        let annotation = Annotation {
            path: TreePath::new("a.tf").unwrap(),
            start_line: 0,
            end_line: 0,
            level: AnnotationLevel::Failure,
            title: " ".to_owned(),
            message: "\n".to_owned(),
        };
        let remark = Remark::of(&annotation);
        assert_eq!((remark.start_line, remark.end_line, remark.message.as_str(), remark.title), (1, 1, "–", None));
        let backwards = Remark::of(&Annotation { start_line: 9, end_line: 3, ..annotation.clone() });
        assert_eq!((backwards.start_line, backwards.end_line), (9, 9));
        let long = Remark::of(&Annotation { message: "é".repeat(70_000), title: "t".repeat(900), ..annotation });
        assert!(long.message.len() <= MESSAGE_LIMIT_BYTES && long.title.unwrap().chars().count() == 255);
        let output = CheckOutput::default();
        let empty = Output::of(&output, &[]);
        assert_eq!((&*empty.title, &*empty.summary, empty.text), ("–", "–", None));
    }

    #[test]
    fn a_long_key_stays_one_key() {
        assert_eq!(external_id("a1:0"), "a1:0");
        let long = external_id(&"k".repeat(256)).into_owned();
        assert_eq!(long.len(), 64);
        assert_ne!(long, external_id(&"k".repeat(257)));
    }
}
