//! Pages for people: the repositories, a pull request, its checks, as an author would see them on GitHub.
//!
//! They need no script. What they show comes from strangers, so a policy forbids everything but our own style sheet.

mod checks;
mod diff;
mod frame;
mod index;
mod markdown;
mod pull;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;

use self::checks::ChecksPage;
use self::frame::Shell;
use self::index::{IndexPage, MessagePage};
use self::pull::PullPage;
use super::actions::ActionError;
use super::shared::Stand;
use super::state::{CheckRunId, GitHub, Pull, PullId};

const STYLE: &str = include_str!("../templates/style.css");

/// Style attributes are let through: Markdown tables align their columns with them, and no other can get in.
const SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src data:; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Who presses a button on these pages.
const VISITOR: &str = "octocat";

pub(crate) fn routes() -> Router<Stand> {
    Router::new()
        .route("/", get(first_page))
        .route("/-/style.css", get(style))
        .route("/{owner}/{repo}/pull/{number}", get(pull_request))
        .route("/{owner}/{repo}/pull/{number}/files", get(files))
        .route("/{owner}/{repo}/runs/{run}", get(check_run))
        .route("/{owner}/{repo}/pull/{number}/merge", post(merge))
        .route("/{owner}/{repo}/pull/{number}/checks", get(check_runs))
        .route("/{owner}/{repo}/pull/{number}/checks/{run}/rerequest", post(rerequest))
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

async fn first_page(State(stand): State<Stand>) -> Response {
    let page = stand.with(|github| IndexPage::new(github));
    show(StatusCode::OK, &page)
}

type PullPath = Path<(String, String, u64)>;

async fn pull_request(State(stand): State<Stand>, path: PullPath) -> Response {
    let page = stand.with(|github| PullPage::new(github, find(github, &path)?));
    page.map_or_else(missing, |page| show(StatusCode::OK, &page))
}

async fn files(Path((owner, repo, number)): PullPath) -> Redirect {
    Redirect::to(&format!("/{owner}/{repo}/pull/{number}#files"))
}

/// The address a check run has in the programming interface leads to its pull request's checks.
async fn check_run(State(stand): State<Stand>, Path((owner, repo, run)): PullPath) -> Response {
    let number = stand.with(|github| {
        let repository = github.repository_named(&format!("{owner}/{repo}"))?;
        let run = github.check_run(CheckRunId(run)).filter(|run| run.repository == repository.id)?;
        repository.pulls.values().find(|pull| pull.head == run.head).map(|pull| pull.id.number)
    });
    match number {
        Some(number) => {
            Redirect::to(&format!("/{owner}/{repo}/pull/{number}/checks?check_run_id={run}")).into_response()
        }
        None => missing(),
    }
}

#[derive(Deserialize)]
struct Wanted {
    check_run_id: Option<u64>,
}

async fn check_runs(State(stand): State<Stand>, path: PullPath, Query(wanted): Query<Wanted>) -> Response {
    let page = stand.with(|github| ChecksPage::new(github, find(github, &path)?, wanted.check_run_id));
    page.map_or_else(missing, |page| show(StatusCode::OK, &page))
}

async fn merge(State(stand): State<Stand>, path: PullPath, headers: HeaderMap) -> Response {
    if is_foreign(&headers) {
        return foreign();
    }
    let done = stand.with(|github| {
        let id = find(github, &path)?.id;
        Some(merge_or_enqueue(github, id))
    });
    let back = format!("/{}/{}/pull/{}", path.0.0, path.0.1, path.0.2);
    match done {
        None => missing(),
        Some(Ok(())) => Redirect::to(&back).into_response(),
        Some(Err(error)) => message(StatusCode::CONFLICT, "Not merged", &error.to_string()),
    }
}

fn merge_or_enqueue(github: &mut GitHub, id: PullId) -> Result<(), ActionError> {
    let base = github.pull(id).map(|pull| pull.base_branch.clone()).unwrap_or_default();
    let home = github.repository(id.repository);
    let has_queue = home.and_then(|home| home.protection(&base)).is_some_and(|protection| protection.merge_queue);
    if has_queue { github.enqueue(id).map(drop) } else { github.merge(id).map(drop) }
}

async fn rerequest(
    State(stand): State<Stand>,
    Path((owner, repo, number, run)): Path<(String, String, u64, u64)>,
    headers: HeaderMap,
) -> Response {
    if is_foreign(&headers) {
        return foreign();
    }
    let done = stand.with(|github| {
        let pull = find(github, &Path((owner.clone(), repo.clone(), number)))?.id;
        let run = github.check_run(CheckRunId(run)).filter(|run| run.repository == pull.repository)?.id;
        github.rerequest(run, VISITOR).ok()
    });
    match done {
        Some(()) => Redirect::to(&format!("/{owner}/{repo}/pull/{number}/checks")).into_response(),
        None => missing(),
    }
}

fn find<'a>(github: &'a GitHub, Path((owner, repo, number)): &PullPath) -> Option<&'a Pull> {
    github.repository_named(&format!("{owner}/{repo}"))?.pulls.get(number)
}

/// A button pressed by a page of another site.
fn is_foreign(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

fn foreign() -> Response {
    message(StatusCode::FORBIDDEN, "Not from here", "Buttons work from the stand-in's own pages alone.")
}

fn missing() -> Response {
    message(StatusCode::NOT_FOUND, "Nothing here", "There is no such pull request.")
}

fn message(status: StatusCode, heading: &str, text: &str) -> Response {
    show(status, &MessagePage { shell: Shell::new(heading), heading, text: text.to_owned() })
}

fn show(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => {
            let mut response = (status, html).into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SECURITY_POLICY));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(error) => {
            tracing::error!(%error, "a page of the stand-in could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
