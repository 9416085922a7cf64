//! The parts of SARIF 2.1.0 that a report needs, written straight from what it borrows.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Document<'r> {
    #[serde(rename = "$schema")]
    pub(super) schema: &'static str,
    pub(super) version: &'static str,
    pub(super) runs: [Run<'r>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run<'r> {
    pub(super) tool: Tool<'r>,
    pub(super) column_kind: &'static str,
    pub(super) invocations: [Invocation<'r>; 1],
    pub(super) results: Vec<Result<'r>>,
}

#[derive(Serialize)]
pub(super) struct Tool<'r> {
    pub(super) driver: Driver<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Driver<'r> {
    pub(super) name: &'static str,
    pub(super) information_uri: &'static str,
    pub(super) semantic_version: &'r str,
    pub(super) rules: Vec<Rule<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule<'r> {
    pub(super) id: &'r str,
    pub(super) short_description: Message<'r>,
    pub(super) full_description: Message<'r>,
    pub(super) help: Message<'r>,
    pub(super) default_configuration: Configuration,
    pub(super) properties: RuleProperties<'r>,
}

#[derive(Serialize)]
pub(super) struct Configuration {
    pub(super) level: &'static str,
}

#[derive(Serialize)]
pub(super) struct RuleProperties<'r> {
    pub(super) severity: &'static str,
    #[serde(rename = "security-severity")]
    pub(super) security_severity: &'static str,
    pub(super) tags: [&'static str; 1],
    pub(super) aliases: &'r [String],
    pub(super) covers: &'r [String],
    pub(super) frameworks: BTreeMap<&'r str, &'r [String]>,
}

#[derive(Serialize)]
pub(super) struct Message<'r> {
    pub(super) text: Cow<'r, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invocation<'r> {
    pub(super) execution_successful: bool,
    pub(super) tool_execution_notifications: Vec<Notification<'r>>,
}

#[derive(Serialize)]
pub(super) struct Notification<'r> {
    pub(super) level: &'static str,
    pub(super) message: Message<'r>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) locations: Vec<Place<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Result<'r> {
    pub(super) rule_id: &'r str,
    pub(super) kind: &'static str,
    pub(super) level: &'static str,
    pub(super) message: Message<'r>,
    pub(super) locations: [Place<'r>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) partial_fingerprints: Option<Fingerprints<'r>>,
    pub(super) properties: ResultProperties<'r>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) related_locations: Vec<Place<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) baseline_state: Option<&'static str>,
    /// Empty where nothing suppresses it; SARIF wants the property on all results of a run or on none.
    pub(super) suppressions: Vec<Suppression<'r>>,
}

#[derive(Serialize)]
pub(super) struct Suppression<'r> {
    pub(super) kind: &'static str,
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) justification: Option<Cow<'r, str>>,
    pub(super) location: Place<'r>,
}

#[derive(Serialize)]
pub(super) struct Fingerprints<'r> {
    #[serde(rename = "portcullis/v1")]
    pub(super) own: &'r str,
}

#[derive(Serialize)]
pub(super) struct ResultProperties<'r> {
    pub(super) severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attribute: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<&'r str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place<'r> {
    pub(super) physical_location: Physical<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logical_locations: Option<[Logical<'r>; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Physical<'r> {
    pub(super) artifact_location: Artifact,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<Region<'r>>,
}

#[derive(Serialize)]
pub(super) struct Artifact {
    pub(super) uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Region<'r> {
    pub(super) start_line: u32,
    pub(super) start_column: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) snippet: Option<Message<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Logical<'r> {
    pub(super) fully_qualified_name: &'r str,
    pub(super) kind: &'static str,
}
