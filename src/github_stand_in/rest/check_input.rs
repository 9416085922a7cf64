//! What a request may say about a check run, and what GitHub answers when it says something else.

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::answer::Refusal;
use crate::github_stand_in::actions::RunUpdate;
use crate::github_stand_in::state::{Annotation, AnnotationLevel, CheckStatus, Conclusion};

const ANNOTATION_LIMIT: usize = 50;
const ACTION_LIMIT: usize = 3;
const TEXT_LIMIT: usize = 65_535;
const ANNOTATION_TEXT_LIMIT: usize = 64 * 1024;
const ANNOTATION_TITLE_LIMIT: usize = 255;

type Fields = Map<String, Value>;

/// Name, commit and the rest of a check run to be made.
pub(super) fn create(body: &Fields) -> Result<(String, String, RunUpdate), Refusal> {
    let name = required_text(body, "name")?;
    let sha = required_text(body, "head_sha")?;
    Ok((name, sha, run(body, true)?))
}

/// What is to be changed of a check run.
pub(super) fn update(body: &Fields) -> Result<RunUpdate, Refusal> {
    run(body, false)
}

fn run(body: &Fields, is_new: bool) -> Result<RunUpdate, Refusal> {
    let status = word(body, "status", CheckStatus::WORDS)?;
    let conclusion = word(body, "conclusion", Conclusion::WORDS)?;
    let completed_at = moment(body, "completed_at")?;
    if conclusion == Some(Conclusion::Stale) {
        return Err(Refusal::invalid("For 'properties/conclusion', \"stale\" can only be set by GitHub."));
    }
    if conclusion.is_none() && (status == Some(CheckStatus::Completed) || completed_at.is_some()) {
        return Err(Refusal::invalid("No subschema in \"anyOf\" matched.\n\"conclusion\" wasn't supplied."));
    }
    let update = RunUpdate {
        name: text(body, "name")?,
        external_id: text(body, "external_id")?,
        details_url: details_url(body)?,
        status,
        conclusion,
        started_at: moment(body, "started_at")?,
        completed_at,
        ..RunUpdate::default()
    };
    actions(body)?;
    match body.get("output") {
        None | Some(Value::Null) => Ok(update),
        Some(Value::Object(output)) => with_output(update, output, is_new),
        Some(other) => Err(wrong_kind("output", other, "an object")),
    }
}

fn with_output(update: RunUpdate, output: &Fields, is_new: bool) -> Result<RunUpdate, Refusal> {
    let title = text(output, "title")?;
    if is_new && title.is_none() {
        return Err(missing("title"));
    }
    required_text(output, "summary")?;
    let annotations = match output.get("annotations") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) if items.len() > ANNOTATION_LIMIT => {
            let text = format!("No more than {ANNOTATION_LIMIT} items are allowed; {} were supplied.", items.len());
            return Err(Refusal::invalid(text));
        }
        Some(Value::Array(items)) => items.iter().map(annotation).collect::<Result<_, _>>()?,
        Some(other) => return Err(wrong_kind("annotations", other, "an array")),
    };
    let (summary, details) = (long_text(output, "summary")?, long_text(output, "text")?);
    Ok(RunUpdate { title, summary, text: details, annotations, ..update })
}

/// The description counts characters, the database behind it bytes: both are refused, each in its own words.
fn long_text(output: &Fields, name: &str) -> Result<Option<String>, Refusal> {
    let Some(found) = text(output, name)? else { return Ok(None) };
    let characters = found.chars().count();
    if characters > TEXT_LIMIT {
        let text = format!("Only {TEXT_LIMIT} characters are allowed; {characters} were supplied.");
        return Err(Refusal::invalid(text));
    }
    if found.len() > TEXT_LIMIT {
        let text = format!("{name} exceeds a maximum bytesize of {TEXT_LIMIT}");
        return Err(Refusal::validation("CheckRun", name, &text));
    }
    Ok(Some(found))
}

fn annotation(item: &Value) -> Result<Annotation, Refusal> {
    let Value::Object(fields) = item else { return Err(wrong_kind("annotations", item, "an object")) };
    let annotation = Annotation {
        path: required_text(fields, "path")?,
        start_line: number(fields, "start_line")?.ok_or_else(|| missing("start_line"))?,
        end_line: number(fields, "end_line")?.ok_or_else(|| missing("end_line"))?,
        start_column: number(fields, "start_column")?,
        end_column: number(fields, "end_column")?,
        level: word(fields, "annotation_level", AnnotationLevel::WORDS)?.ok_or_else(|| missing("annotation_level"))?,
        message: required_text(fields, "message")?,
        title: text(fields, "title")?,
        raw_details: text(fields, "raw_details")?,
    };
    check_annotation(&annotation)?;
    Ok(annotation)
}

fn check_annotation(annotation: &Annotation) -> Result<(), Refusal> {
    let refuse = |field: &str, text: &str| Err(Refusal::validation("CheckAnnotation", field, text));
    let path = annotation.path.as_str();
    let too_long = |text: Option<&str>| text.is_some_and(|text| text.len() > ANNOTATION_TEXT_LIMIT);
    let has_columns = annotation.start_column.is_some() || annotation.end_column.is_some();
    if path.is_empty() || path.starts_with('/') || path.split('/').any(|part| matches!(part, "." | ".." | "")) {
        return refuse("path", "path must be relative to the root of the repository");
    }
    if annotation.start_line == 0 || annotation.end_line < annotation.start_line {
        return refuse("end_line", "end_line must not lie before start_line, and lines start at 1");
    }
    if has_columns && annotation.start_line != annotation.end_line {
        return refuse("start_column", "start_column and end_column cannot be set when start_line and end_line differ");
    }
    if annotation.start_column == Some(0) || annotation.end_column < annotation.start_column {
        return refuse("end_column", "end_column must not lie before start_column, and columns start at 1");
    }
    if annotation.message.trim().is_empty() {
        return refuse("message", "message can't be blank");
    }
    if too_long(Some(&annotation.message)) || too_long(annotation.raw_details.as_deref()) {
        return refuse("message", "message and raw_details exceed a maximum bytesize of 65536");
    }
    if annotation.title.as_ref().is_some_and(|title| title.chars().count() > ANNOTATION_TITLE_LIMIT) {
        return refuse("title", "title is too long (maximum is 255 characters)");
    }
    Ok(())
}

fn actions(body: &Fields) -> Result<(), Refusal> {
    let Some(Value::Array(actions)) = body.get("actions") else { return Ok(()) };
    if actions.len() > ACTION_LIMIT {
        let text = format!("No more than {ACTION_LIMIT} items are allowed; {} were supplied.", actions.len());
        return Err(Refusal::invalid(text));
    }
    for action in actions.iter().filter_map(Value::as_object) {
        for (name, limit) in [("label", 20), ("description", 40), ("identifier", 20)] {
            let characters = required_text(action, name)?.chars().count();
            if characters > limit {
                let text = format!("Only {limit} characters are allowed; {characters} were supplied.");
                return Err(Refusal::invalid(text));
            }
        }
    }
    Ok(())
}

fn details_url(body: &Fields) -> Result<Option<String>, Refusal> {
    let url = text(body, "details_url")?;
    if url.as_ref().is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
        return Err(Refusal::validation("CheckRun", "details_url", "details_url must use http or https scheme"));
    }
    Ok(url)
}

fn missing(name: &str) -> Refusal {
    Refusal::invalid(format!("\"{name}\" wasn't supplied."))
}

fn wrong_kind(name: &str, found: &Value, wanted: &str) -> Refusal {
    let found = if found.is_null() { "nil".to_owned() } else { found.to_string() };
    Refusal::invalid(format!("For 'properties/{name}', {found} is not {wanted}."))
}

fn required_text(fields: &Fields, name: &str) -> Result<String, Refusal> {
    match fields.get(name) {
        None => Err(missing(name)),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Err(wrong_kind(name, other, "a string")),
    }
}

fn text(fields: &Fields, name: &str) -> Result<Option<String>, Refusal> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(wrong_kind(name, other, "a string")),
    }
}

fn number(fields: &Fields, name: &str) -> Result<Option<u32>, Refusal> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
            number.map(Some).ok_or_else(|| wrong_kind(name, value, "an integer"))
        }
    }
}

fn word<T: Copy>(fields: &Fields, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Refusal> {
    let Some(found) = text(fields, name)? else { return Ok(None) };
    let known = words.iter().find(|(word, _)| *word == found).map(|(_, value)| *value);
    let list = || words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let refuse = || Refusal::invalid(format!("For 'properties/{name}', \"{found}\" is not a member of [{}].", list()));
    known.map(Some).ok_or_else(refuse)
}

fn moment(fields: &Fields, name: &str) -> Result<Option<OffsetDateTime>, Refusal> {
    let Some(found) = text(fields, name)? else { return Ok(None) };
    let parsed = OffsetDateTime::parse(&found, &Rfc3339);
    parsed.map(Some).map_err(|_| Refusal::invalid(format!("For 'properties/{name}', \"{found}\" is not a date-time.")))
}
