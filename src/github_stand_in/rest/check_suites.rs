//! Check suites: looked at, asked for again.

use http::StatusCode;
use serde_json::Value;

use super::answer::{Answer, Refusal, Reply};
use super::call::{CHECKS, CHECKS_WRITE, Call, Need, resolve};
use super::paging;
use crate::github_stand_in::bodies;
use crate::github_stand_in::state::{CheckSuite, CheckSuiteId, GitHub};

fn find(call: &Call, github: &mut GitHub, need: Need) -> Result<CheckSuiteId, Refusal> {
    let repository = call.repository(github, need)?;
    let found = github.suites.get(&CheckSuiteId(call.number("check_suite_id")?));
    Ok(found.filter(|suite| suite.repository == repository).ok_or_else(Refusal::not_found)?.id)
}

/// `GET /repos/{owner}/{repo}/check-suites/{check_suite_id}`
pub(crate) fn get(call: &Call, github: &mut GitHub) -> Answer {
    let id = find(call, github, CHECKS)?;
    let suite = github.suites.get(&id).ok_or_else(Refusal::not_found)?;
    call.ok(github, |view| bodies::check_suite(view, suite))
}

/// `GET /repos/{owner}/{repo}/commits/{ref}/check-suites`
pub(crate) fn of_commit(call: &Call, github: &mut GitHub) -> Answer {
    let id = call.repository(github, CHECKS)?;
    let repository = github.repository(id).ok_or_else(Refusal::not_found)?;
    let text = call.param("ref")?;
    let missing = || Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, format!("No commit found for SHA: {text}"));
    let head = resolve(github, repository, text).ok_or_else(missing)?;
    let named = |suite: &CheckSuite, name: &str| github.runs_of(suite.id).iter().any(|run| run.name == name);
    let mut suites = github.check_suites(id, head);
    suites.retain(|suite| call.query("app_id").is_none_or(|app| suite.app.to_string() == app));
    suites.retain(|suite| call.query("check_name").is_none_or(|name| named(suite, name)));
    call.view(github, |view| {
        paging::counted(call, github, "check_suites", suites, |suite| bodies::check_suite(view, suite))
    })
}

/// `POST /repos/{owner}/{repo}/check-suites/{check_suite_id}/rerequest`
pub(crate) fn rerequest(call: &Call, github: &mut GitHub) -> Answer {
    let id = find(call, github, CHECKS_WRITE)?;
    let app = call.app_of_token(github)?;
    let bot = github.app(app).map(|app| github.login(app.bot).to_owned()).unwrap_or_default();
    github.rerequest_suite(id, &bot).map_err(|_| Refusal::not_found())?;
    Ok(Reply::created(&Value::Object(serde_json::Map::new())))
}
