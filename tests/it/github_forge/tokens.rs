//! Tokens: least rights, kept, renewed, never shown.

use std::time::Duration;

use base64::Engine;
use portcullis::forges::{Forge, ForgeError, PullRequestFilter};
use serde_json::{Value, json};

use super::scripted::{Host, Reply, Seen, token_text, token_until};
use super::{forge, repository, repository_of, sha};

/// A host where every repository has a pull request 7 into `main`.
fn pull_request_7(seen: &Seen) -> Option<Reply> {
    if seen.path.ends_with("/pulls/7") {
        let pull_request = json!({"number": 7, "title": "t", "state": "open", "draft": false,
            "head": {"sha": sha('a').as_str()}, "base": {"ref": "main", "sha": sha('0').as_str()}});
        return Some(Reply::ok(pull_request));
    }
    seen.path.ends_with("/git/ref/heads/main").then(|| Reply::ok(json!({"object": {"sha": sha('b').as_str()}})))
}

fn authorizations(host: &Host) -> Vec<String> {
    host.seen().iter().filter(|seen| !seen.is_mint()).map(|seen| seen.header("authorization").to_owned()).collect()
}

#[tokio::test]
async fn a_token_is_for_one_repository_with_the_least_rights_and_is_kept() {
    let host = Host::start("", pull_request_7).await;
    let forge = forge(&host);
    for name in ["octo/infra", "octo/infra", "octo/apps"] {
        forge.pull_request(&repository(name), 7).await.unwrap();
    }
    let mints = host.mints();
    assert_eq!(mints.len(), 2);
    for (mint, name) in mints.iter().zip(["infra", "apps"]) {
        assert_eq!(mint.what(), "POST /app/installations/1001/access_tokens");
        let rights = json!({"checks": "write", "contents": "read", "metadata": "read", "pull_requests": "read"});
        assert_eq!(mint.body, json!({"repositories": [name], "permissions": rights}));
    }
    let bearer = |number| format!("Bearer {}", token_text(number));
    assert_eq!(authorizations(&host), [bearer(1), bearer(1), bearer(2)]);
}

#[tokio::test]
async fn the_app_states_who_it_is_for_a_few_minutes() {
    let host = Host::start("", pull_request_7).await;
    forge(&host).pull_request(&repository("octo/infra"), 7).await.unwrap();
    let mints = host.mints();
    let statement = mints[0].header("authorization").strip_prefix("Bearer ").unwrap();
    let part = |at: usize| -> Value {
        let text = statement.split('.').nth(at).unwrap();
        serde_json::from_slice(&base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    assert_eq!(part(0)["alg"], "RS256");
    assert_eq!(part(1)["iss"], "4242");
    assert_eq!(part(1)["exp"].as_u64().unwrap() - part(1)["iat"].as_u64().unwrap(), 600);
}

#[tokio::test]
async fn every_request_says_who_asks_and_which_version_of_the_interface_it_means() {
    let host = Host::start("", pull_request_7).await;
    forge(&host).pull_request(&repository("octo/infra"), 7).await.unwrap();
    for seen in host.seen() {
        let all =
            |name: &str| seen.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>();
        assert_eq!(all("user-agent"), [concat!("portcullis/", env!("CARGO_PKG_VERSION"))]);
        assert_eq!(all("x-github-api-version"), ["2022-11-28"]);
        assert_eq!(all("accept"), ["application/vnd.github+json"]);
        assert_eq!(all("authorization").len(), 1);
    }
}

#[tokio::test]
async fn many_requests_at_once_share_one_token() {
    let host = Host::start("", pull_request_7).await;
    let (forge, infra) = (forge(&host), repository("octo/infra"));
    let ask = || forge.pull_request(&infra, 7);
    let (a, b, c, d) = tokio::join!(ask(), ask(), ask(), ask());
    assert!(a.is_ok() && b.is_ok() && c.is_ok() && d.is_ok());
    assert_eq!(host.mints().len(), 1);
}

#[tokio::test]
async fn a_token_about_to_end_is_not_used_again() {
    let host = Host::start("", |seen| {
        if seen.is_mint() { Some(token_until(1, Duration::from_secs(299))) } else { pull_request_7(seen) }
    })
    .await;
    let forge = forge(&host);
    for _ in 0..2 {
        forge.pull_request(&repository("octo/infra"), 7).await.unwrap();
    }
    assert_eq!(host.mints().len(), 2, "one for each of the two requests");
}

#[tokio::test]
async fn a_token_not_accepted_any_more_is_renewed_once() {
    let host = Host::start("", |seen| {
        let is_old = seen.header("authorization") == format!("Bearer {}", token_text(1));
        if is_old { Some(Reply::json(401, json!({"message": "Bad credentials"}))) } else { pull_request_7(seen) }
    })
    .await;
    let forge = forge(&host);
    assert!(forge.pull_request(&repository("octo/infra"), 7).await.is_ok());
    assert!(forge.tip(&repository("octo/infra"), &"main".parse().unwrap()).await.is_ok());
    let pull_request = "GET /repos/octo/infra/pulls/7";
    assert_eq!(host.asked(), [pull_request, pull_request, "GET /repos/octo/infra/git/ref/heads/main"]);
    assert_eq!(host.mints().len(), 2);
}

#[tokio::test]
async fn a_second_refusal_is_final() {
    let host =
        Host::start("", |seen| (!seen.is_mint()).then(|| Reply::json(401, json!({"message": "Bad credentials"}))))
            .await;
    let error = forge(&host).pull_request(&repository("octo/infra"), 7).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Refused(text) if text.contains("Bad credentials")), "{error}");
    assert_eq!((host.asked().len(), host.mints().len()), (2, 2));
}

#[tokio::test]
async fn no_token_says_why() {
    let host = Host::start("", |seen| {
        let (status, message) = match seen.path.as_str() {
            "/app/installations/1/access_tokens" => (404, "Not Found"),
            "/app/installations/2/access_tokens" => {
                (422, "The permissions requested are not granted to this installation.")
            }
            "/app/installations/3/access_tokens" => (
                422,
                "There is at least one repository that does not exist or is not accessible to the parent installation.",
            ),
            _ => (401, "'Expiration time' claim ('exp') is too far in the future"),
        };
        Some(Reply::json(status, json!({"message": message})).with("date", "Sun, 06 Nov 1994 08:49:37 GMT"))
    })
    .await;
    let forge = forge(&host);
    let fails =
        async |installation: &str| forge.pull_request(&repository_of(installation, "octo/infra"), 7).await.unwrap_err();
    assert!(matches!(fails("1").await, ForgeError::NotFound(_)));
    assert!(matches!(fails("2").await, ForgeError::Refused(text) if text.contains("not granted")));
    assert!(matches!(fails("3").await, ForgeError::NotFound(_)));
    assert!(matches!(fails("4").await, ForgeError::Refused(text) if text.contains("ahead of GitHub's, set it right")));
    assert_eq!(host.asked(), [""; 0]);
}

#[tokio::test]
async fn what_cannot_be_an_installation_or_a_repository_of_github_is_never_asked_for() {
    let host = Host::start("", pull_request_7).await;
    let forge = forge(&host);
    for repository in [repository_of("../1", "octo/infra"), repository_of("", "octo/infra"), repository("a/b/c")] {
        assert!(forge.pull_request(&repository, 7).await.is_err());
    }
    assert!(host.seen().is_empty());
}

#[tokio::test]
async fn a_token_in_an_error_of_the_host_is_not_passed_on() {
    let statement = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiI0MjQyIn0.c2lnbmF0dXJl";
    let host = Host::start("", move |seen| {
        (!seen.is_mint()).then(|| {
            let message = format!("your {} and {statement} are no good", seen.header("authorization"));
            Reply::json(400, json!({"message": message, "errors": [token_text(1)]}))
        })
    })
    .await;
    let filter = PullRequestFilter::IntoBranch("main".parse().unwrap());
    let error = forge(&host).open_pull_requests(&repository("octo/infra"), &filter).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("[redacted]") && !shown.contains("ghs_") && !shown.contains("eyJ"), "{shown}");
}
