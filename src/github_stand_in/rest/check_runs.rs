//! Check runs: made, changed, looked at.

use http::StatusCode;
use serde_json::Value;

use super::answer::{Answer, Refusal, Reply};
use super::call::{CHECKS, CHECKS_WRITE, Call, resolve};
use super::{check_input, paging};
use crate::github_stand_in::actions::NewRun;
use crate::github_stand_in::bodies;
use crate::github_stand_in::git::ObjectKind;
use crate::github_stand_in::state::{CheckRun, CheckRunId, CheckSuiteId, GitHub, latest_by_name};

/// `POST /repos/{owner}/{repo}/check-runs`
pub(crate) fn create(call: &Call, github: &mut GitHub) -> Answer {
    let repository = call.repository(github, CHECKS_WRITE)?;
    let app = call.app_of_token(github)?;
    let (name, sha, update) = check_input::create(&call.body()?)?;
    let missing = || Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, format!("No commit found for SHA: {sha}"));
    let head = sha.parse().map_err(|_| missing())?;
    let known = github.objects(repository).and_then(|objects| objects.kind(head)) == Some(ObjectKind::Commit);
    if !known {
        return Err(missing());
    }
    let id = github.create_run(NewRun { repository, app, head, name, update });
    answer(call, github, id, StatusCode::CREATED)
}

/// `PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}`
pub(crate) fn update(call: &Call, github: &mut GitHub) -> Answer {
    let id = find(call, github, CHECKS_WRITE)?.id;
    let app = call.app_of_token(github)?;
    if github.check_run(id).is_some_and(|run| run.app != app) {
        let text =
            format!("Invalid app_id `{app}` - check run can only be modified by the GitHub App that created it.");
        return Err(Refusal::new(StatusCode::FORBIDDEN, text));
    }
    github.update_run(id, check_input::update(&call.body()?)?);
    answer(call, github, id, StatusCode::OK)
}

/// `GET /repos/{owner}/{repo}/check-runs/{check_run_id}`
pub(crate) fn get(call: &Call, github: &mut GitHub) -> Answer {
    let id = find(call, github, CHECKS)?.id;
    answer(call, github, id, StatusCode::OK)
}

fn answer(call: &Call, github: &GitHub, id: CheckRunId, status: StatusCode) -> Answer {
    let run = github.check_run(id).ok_or_else(Refusal::not_found)?;
    Ok(Reply::json(status, &call.view(github, |view| bodies::check_run(view, run))))
}

fn find<'a>(call: &Call, github: &'a mut GitHub, need: super::call::Need) -> Result<&'a CheckRun, Refusal> {
    let repository = call.repository(github, need)?;
    let found = github.check_run(CheckRunId(call.number("check_run_id")?));
    found.filter(|run| run.repository == repository).ok_or_else(Refusal::not_found)
}

/// `GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations`
pub(crate) fn annotations(call: &Call, github: &mut GitHub) -> Answer {
    let id = find(call, github, CHECKS)?.id;
    let run = github.check_run(id).ok_or_else(Refusal::not_found)?;
    let items = run.annotations.iter().collect();
    call.view(github, |view| paging::list(call, github, items, |item| bodies::annotation(view, run, item)))
}

/// `POST /repos/{owner}/{repo}/check-runs/{check_run_id}/rerequest`
pub(crate) fn rerequest(call: &Call, github: &mut GitHub) -> Answer {
    let id = find(call, github, CHECKS_WRITE)?.id;
    let app = call.app_of_token(github)?;
    let bot = github.app(app).map(|app| github.login(app.bot).to_owned()).unwrap_or_default();
    github.rerequest(id, &bot).map_err(|_| Refusal::not_found())?;
    Ok(Reply::created(&Value::Object(serde_json::Map::new())))
}

/// `GET /repos/{owner}/{repo}/commits/{ref}/check-runs`
pub(crate) fn of_commit(call: &Call, github: &mut GitHub) -> Answer {
    let id = call.repository(github, CHECKS)?;
    let repository = github.repository(id).ok_or_else(Refusal::not_found)?;
    let text = call.param("ref")?;
    let missing = || Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, format!("No commit found for SHA: {text}"));
    let head = resolve(github, repository, text).ok_or_else(missing)?;
    list(call, github, github.check_runs(id, head))
}

/// `GET /repos/{owner}/{repo}/check-suites/{check_suite_id}/check-runs`
pub(crate) fn of_suite(call: &Call, github: &mut GitHub) -> Answer {
    let repository = call.repository(github, CHECKS)?;
    let suite = CheckSuiteId(call.number("check_suite_id")?);
    let found = github.suites.get(&suite).filter(|suite| suite.repository == repository);
    let suite = found.ok_or_else(Refusal::not_found)?.id;
    list(call, github, github.runs_of(suite))
}

/// Of runs of one name the newest, unless `filter=all`; newest first.
fn list(call: &Call, github: &GitHub, mut runs: Vec<&CheckRun>) -> Answer {
    runs.retain(|run| call.query("check_name").is_none_or(|name| run.name == name));
    runs.retain(|run| call.query("status").is_none_or(|status| run.status.as_str() == status));
    runs.retain(|run| call.query("app_id").is_none_or(|app| run.app.to_string() == app));
    let mut runs = if call.query("filter") == Some("all") { runs } else { latest_by_name(&runs) };
    runs.sort_by_key(|run| std::cmp::Reverse(run.id));
    call.view(github, |view| paging::counted(call, github, "check_runs", runs, |run| bodies::check_run(view, run)))
}
