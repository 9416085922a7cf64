//! The examples of a policy: its tests, and its documentation.

use crate::policy::PolicyId;
use crate::resource::{FormatId, Value};
use crate::source_tree::LineColumn;

use super::fields::Reading;

/// What an example shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExampleKind {
    /// No violation, nothing undecided.
    Pass,
    /// At least one violation.
    Fail,
    /// An undecided answer, and no violation.
    Undecided,
}

/// A configuration and what the check says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The policy.
    pub policy: PolicyId,
    /// Which of its checks, from 0.
    pub check: usize,
    /// What it shows.
    pub kind: ExampleKind,
    /// The format it is written in.
    pub format: FormatId,
    /// Its files: path and text.
    pub files: Vec<(String, String)>,
    /// Where it stands in the policy file.
    pub place: LineColumn,
}

/// What marks the line of a violation in a failing example: at its end, or alone on the line before.
const EXPECT: &str = "# expect";

impl Example {
    /// The lines marked `# expect`: path and line from 1.
    #[must_use]
    pub fn expected_lines(&self) -> Vec<(&str, u32)> {
        let marked = |text: &str| -> Vec<u32> {
            let lines = text.lines().zip(1..).filter(|(line, _)| line.trim_end().ends_with(EXPECT));
            lines.map(|(line, number)| if line.trim() == EXPECT { number + 1 } else { number }).collect()
        };
        self.files.iter().flat_map(|(path, text)| marked(text).into_iter().map(|line| (path.as_str(), line))).collect()
    }
}

/// The file name an example of a single text is given.
fn default_file(format: FormatId) -> &'static str {
    match format {
        FormatId::Terraform => "main.tf",
        FormatId::Cloudformation => "template.yaml",
        FormatId::Azure => "main.bicep",
        FormatId::Kubernetes => "manifest.yaml",
        FormatId::Dockerfile => "Dockerfile",
        FormatId::Compose => "compose.yaml",
        FormatId::GithubActions => ".github/workflows/workflow.yml",
    }
}

/// Reads `examples`: `pass`, `fail` and `undecided`; under `everywhere` one such map for each format.
pub(super) fn examples(
    reading: &Reading<'_>,
    policy: &PolicyId,
    format: Option<FormatId>,
    check: usize,
    value: Option<Value>,
) -> Vec<Example> {
    let Some(value) = value else { return Vec::new() };
    let collect = |value: &Value, format: FormatId| -> Vec<Example> {
        Collector { reading, policy, format, check }.examples(value)
    };
    if let Some(format) = format {
        return collect(&value, format);
    }
    let mut examples = Vec::new();
    for (key, value) in reading.entries(&value, "examples by format").unwrap_or_default() {
        match FormatId::ALL.into_iter().find(|format| format.name() == &*key.text) {
            Some(format) => examples.extend(collect(&value, format)),
            None => reading.unknown(key.span, "format", &key.text, FormatId::ALL.into_iter().map(FormatId::name)),
        }
    }
    examples
}

struct Collector<'r, 'f> {
    reading: &'r Reading<'f>,
    policy: &'r PolicyId,
    format: FormatId,
    check: usize,
}

impl Collector<'_, '_> {
    fn examples(&self, value: &Value) -> Vec<Example> {
        let Some(mut fields) = self.reading.map(value, "examples") else { return Vec::new() };
        let mut examples = Vec::new();
        for (name, kind) in
            [("pass", ExampleKind::Pass), ("fail", ExampleKind::Fail), ("undecided", ExampleKind::Undecided)]
        {
            let Some(value) = fields.take(name) else { continue };
            for item in self.reading.one_or_many(&value) {
                examples.extend(self.example(kind, &item));
            }
        }
        fields.finish(self.reading);
        for (kind, name) in [(ExampleKind::Pass, "pass"), (ExampleKind::Fail, "fail")] {
            if !examples.iter().any(|example| example.kind == kind) {
                self.reading.mistake(value.span(), &format!("a check has at least one example that must {name}"));
            }
        }
        for example in examples.iter().filter(|example| example.kind == ExampleKind::Fail) {
            if example.expected_lines().is_empty() {
                let hint = "mark the line of the violation in a failing example with a comment: `# expect`";
                self.reading.mistake_at(example.place, hint);
            }
        }
        examples
    }

    fn example(&self, kind: ExampleKind, value: &Value) -> Option<Example> {
        let files = if value.as_map().is_some() {
            let entries = self.reading.entries(value, "files")?;
            entries.iter().filter_map(|(key, text)| Some((key.text.to_string(), self.reading.text(text)?))).collect()
        } else {
            vec![(default_file(self.format).to_owned(), self.reading.text(value)?)]
        };
        let place = self.reading.position(value.span());
        Some(Example { policy: self.policy.clone(), check: self.check, kind, format: self.format, files, place })
    }
}
