//! GitHub's REST interface: each handler is a plain function from a request and the state to an answer.

mod answer;
mod apps;
mod call;
mod check_input;
mod check_runs;
mod check_suites;
mod commits;
mod contents;
mod git_data;
mod paging;
mod pulls;
mod repositories;
mod tokens;

use axum::Router;
use axum::extract::State;
use axum::routing::{MethodFilter, MethodRouter, on};

pub(crate) use answer::{Answer, Refusal, Reply};
pub(crate) use call::{CONTENTS, Call, Caller, Principal, resolve};
pub(crate) use tokens::principal;

use super::shared::Stand;
use super::state::GitHub;

/// Every path, without the prefix of Enterprise Server.
pub(crate) fn routes() -> Router<Stand> {
    Router::new()
        .route("/app", get(apps::get))
        .route("/app/installations", get(apps::installations))
        .route("/app/installations/{installation_id}", get(apps::installation))
        .route("/app/installations/{installation_id}/access_tokens", post(tokens::mint))
        .route("/app/hook/deliveries", get(apps::deliveries))
        .route("/app/hook/deliveries/{delivery_id}", get(apps::delivery))
        .route("/app/hook/deliveries/{delivery_id}/attempts", post(apps::redeliver))
        .route("/installation/repositories", get(apps::repositories))
        .route("/installation/token", delete(tokens::revoke))
        .route("/rate_limit", get(apps::rate_limit))
        .nest("/repos/{owner}/{repo}", of_repository())
}

fn of_repository() -> Router<Stand> {
    Router::new()
        .route("/", get(repositories::get))
        .route("/installation", get(apps::of_repository))
        .route("/branches/{*branch}", get(repositories::branch))
        .route("/rules/branches/{*branch}", get(repositories::rules))
        .route("/pulls", get(pulls::list))
        .route("/pulls/{pull_number}", get(pulls::get))
        .route("/pulls/{pull_number}/files", get(pulls::files))
        .route("/compare/{*basehead}", get(commits::compare))
        .route("/commits/{ref}", get(commits::get))
        .route("/commits/{ref}/pulls", get(pulls::of_commit))
        .route("/commits/{ref}/check-runs", get(check_runs::of_commit))
        .route("/commits/{ref}/check-suites", get(check_suites::of_commit))
        .route("/git/commits/{commit_sha}", get(commits::git_commit))
        .route("/git/ref/{*ref}", get(git_data::reference))
        .route("/git/trees/{tree_sha}", get(git_data::tree))
        .route("/git/blobs/{file_sha}", get(git_data::blob))
        .route("/contents", get(contents::get))
        .route("/contents/{*path}", get(contents::get))
        .route("/check-runs", post(check_runs::create))
        .route("/check-runs/{check_run_id}", get(check_runs::get).merge(patch(check_runs::update)))
        .route("/check-runs/{check_run_id}/annotations", get(check_runs::annotations))
        .route("/check-runs/{check_run_id}/rerequest", post(check_runs::rerequest))
        .route("/check-suites/{check_suite_id}", get(check_suites::get))
        .route("/check-suites/{check_suite_id}/check-runs", get(check_runs::of_suite))
        .route("/check-suites/{check_suite_id}/rerequest", post(check_suites::rerequest))
}

/// A handler: it runs with the state locked, and never waits.
type Act = fn(&Call, &mut GitHub) -> Answer;

fn answering(method: MethodFilter, act: Act) -> MethodRouter<Stand> {
    on(method, move |State(stand): State<Stand>, call: Call| async move { stand.with(|github| act(&call, github)) })
}

fn get(act: Act) -> MethodRouter<Stand> {
    answering(MethodFilter::GET, act)
}

fn post(act: Act) -> MethodRouter<Stand> {
    answering(MethodFilter::POST, act)
}

fn patch(act: Act) -> MethodRouter<Stand> {
    answering(MethodFilter::PATCH, act)
}

fn delete(act: Act) -> MethodRouter<Stand> {
    answering(MethodFilter::DELETE, act)
}
