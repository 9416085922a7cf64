//! The App's JWT, installation tokens, and what they may.

use std::collections::BTreeSet;

use http::StatusCode;
use portcullis::github_stand_in::actions::NewRepository;
use serde_json::{Value, json};

use super::world::{World, base, unix_now, world};

const APP: &str = "/app";

async fn status_of(world: &World, claims: Value) -> (u16, String) {
    let answer = world.ask(&world.jwt_with(&claims), "GET", APP, None).await;
    (answer.status.as_u16(), answer.json()["message"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_jwt_is_checked_as_github_checks_it() {
    world("jwt", async |world| {
        let now = unix_now();
        let (id, app) = (world.stand_in.client_id.clone(), world.stand_in.app.0);
        for iss in [json!(id), json!(app), json!(app.to_string())] {
            let (status, message) = status_of(&world, json!({ "iss": iss, "iat": now - 60, "exp": now + 540 })).await;
            assert_eq!(status, 200, "iss {iss}: {message}");
        }
        for (claims, status, words) in [
            (json!({ "iss": id, "iat": now - 60, "exp": now + 700 }), 401, "too far in the future"),
            (
                json!({ "iss": id, "iat": now - 900, "exp": now - 300 }),
                401,
                "numeric value representing the future time",
            ),
            (json!({ "iss": id, "iat": now + 120, "exp": now + 300 }), 401, "'Issued at' claim"),
            (json!({ "iss": id, "exp": now + 300 }), 401, "'Issued at' claim"),
            (json!({ "iss": id, "iat": now - 60 }), 401, "'Expiration time' claim"),
            (json!({ "iss": "Iv23someoneelse", "iat": now - 60, "exp": now + 300 }), 404, "Integration not found"),
        ] {
            let (found, message) = status_of(&world, claims.clone()).await;
            assert_eq!(found, status, "{claims}");
            assert!(message.contains(words), "{claims}: {message}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_jwt_with_another_signature_is_refused() {
    world("jwt-forged", async |world| {
        let genuine = world.jwt();
        let (signed, signature) = genuine.rsplit_once('.').unwrap();
        let forged: String = signature.chars().rev().collect();
        for jwt in [format!("{signed}.{forged}"), format!("{signed}."), "a.b.c".to_owned()] {
            let answer = world.ask(&jwt, "GET", APP, None).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{jwt}");
        }
        let unsigned = jsonwebtoken::encode(
            &jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256),
            &json!({ "iss": world.stand_in.client_id, "iat": unix_now() - 60, "exp": unix_now() + 300 }),
            &jsonwebtoken::EncodingKey::from_secret(b"secret"),
        );
        let answer = world.ask(&unsigned.unwrap(), "GET", APP, None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "HS256");
    })
    .await;
}

#[tokio::test]
async fn a_token_looks_as_github_makes_them() {
    world("token-format", async |world| {
        let token = world.token().await;
        let (prefix, rest) = token.split_once('_').unwrap();
        let (app, rest) = rest.split_once('_').unwrap();
        assert_eq!((prefix, app), ("ghs", world.stand_in.app.to_string().as_str()));
        assert!((480..=600).contains(&token.len()), "{} characters", token.len());
        assert_eq!(rest.split('.').count(), 3);
        let path = format!("/app/installations/{}/access_tokens", world.installation);
        let answer = world.as_app("POST", &path, None).await.json();
        assert_eq!(answer["repository_selection"], "all");
        assert_eq!(answer["permissions"]["checks"], "write");
        let expires = time::OffsetDateTime::parse(
            answer["expires_at"].as_str().unwrap(),
            &time::format_description::well_known::Rfc3339,
        );
        assert!((3590..=3600).contains(&(expires.unwrap().unix_timestamp() - unix_now())));
    })
    .await;
}

#[tokio::test]
async fn a_token_is_narrowed_to_repositories() {
    world("token-repositories", async |world| {
        let other = world.stand_in.github(|github| {
            let other = github.create_repository(&NewRepository::new("acme/secrets", base())).unwrap();
            github.create_repository(&NewRepository::new("globex/website", base())).unwrap();
            other
        });
        let narrowed = world.mint(json!({ "repositories": ["platform"] })).await;
        let by_id = world.mint(json!({ "repository_ids": [other.0] })).await;
        let all = world.mint(json!({})).await;
        for (token, path, status) in [
            (&narrowed, "/repos/acme/platform", 200),
            (&narrowed, "/repos/acme/secrets", 404),
            (&by_id, "/repos/acme/secrets", 200),
            (&by_id, "/repos/ACME/Platform", 404),
            (&all, "/repos/acme/secrets", 200),
            (&all, "/repos/globex/website", 404),
        ] {
            assert_eq!(world.ask(token, "GET", path, None).await.status, status, "{path}");
        }
        let listed = world.ask(&by_id, "GET", "/installation/repositories", None).await.json();
        assert_eq!(listed["repositories"][0]["name"], "secrets");
        let path = format!("/app/installations/{}/access_tokens", world.installation);
        for body in [json!({ "repositories": ["nothing"] }), json!({ "repositories": vec!["platform"; 501] })] {
            assert_eq!(world.as_app("POST", &path, Some(body)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_is_narrowed_to_permissions() {
    world("token-permissions", async |world| {
        let reader = world.mint(json!({ "permissions": { "contents": "read" } })).await;
        assert_eq!(world.ask(&reader, "GET", "/repos/acme/platform/branches/main", None).await.status, 200);
        for (method, path, needed) in [
            ("GET", "/repos/acme/platform/pulls", "pull_requests=read"),
            ("GET", "/repos/acme/platform/commits/main/check-runs", "checks=read"),
            ("POST", "/repos/acme/platform/check-runs", "checks=write"),
        ] {
            let body = (method == "POST").then(|| json!({ "name": "x", "head_sha": "0" }));
            let answer = world.ask(&reader, method, path, body).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
            assert_eq!(answer.json()["message"], "Resource not accessible by integration");
            assert_eq!(answer.header("x-accepted-github-permissions"), needed);
        }
        let path = format!("/app/installations/{}/access_tokens", world.installation);
        for permissions in
            [json!({ "contents": "write" }), json!({ "administration": "read" }), json!({ "checks": "admin" })]
        {
            let answer = world.as_app("POST", &path, Some(json!({ "permissions": permissions }))).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_ends_when_it_should() {
    world("token-end", async |world| {
        let path = "/repos/acme/platform";
        let status = async |token: &str| world.ask(token, "GET", path, None).await.status.as_u16();
        let (expired, revoked) = (world.mint(json!({})).await, world.mint(json!({})).await);
        assert_eq!(world.ask(&revoked, "DELETE", "/installation/token", None).await.status, StatusCode::NO_CONTENT);
        assert_eq!((status(&expired).await, status(&revoked).await), (200, 401));
        world.stand_in.github(|github| github.expire_tokens(world.installation));
        assert_eq!(status(&expired).await, 401);
        let suspended = world.mint(json!({})).await;
        world.stand_in.github(|github| github.set_suspended(world.installation, true).unwrap());
        assert_eq!(status(&suspended).await, 403);
        let minting = format!("/app/installations/{}/access_tokens", world.installation);
        assert_eq!(world.as_app("POST", &minting, None).await.status, StatusCode::FORBIDDEN);
        world.stand_in.github(|github| github.set_suspended(world.installation, false).unwrap());
        assert_eq!(status(&suspended).await, 200);
        world.stand_in.github(|github| github.uninstall(world.installation).unwrap());
        assert_eq!(status(&suspended).await, 401);
        assert_eq!(world.as_app("POST", &minting, None).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn the_account_decides_what_the_app_sees() {
    world("selection", async |world| {
        let token = world.mint(json!({})).await;
        world.stand_in.github(|github| github.select_repositories(world.installation, BTreeSet::new()).unwrap());
        assert_eq!(world.ask(&token, "GET", "/repos/acme/platform", None).await.status, StatusCode::NOT_FOUND);
        let removed = world.arrived("installation_repositories", "removed").await;
        assert_eq!(removed[0]["repositories_removed"][0]["full_name"], "acme/platform");
        let chosen = BTreeSet::from([world.repository]);
        world.stand_in.github(|github| github.select_repositories(world.installation, chosen).unwrap());
        assert_eq!(world.ask(&token, "GET", "/repos/acme/platform", None).await.status, StatusCode::OK);
        assert_eq!(world.arrived("installation_repositories", "added").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_wrong_kind_of_credential_is_refused() {
    world("wrong-kind", async |world| {
        let token = world.token().await;
        assert_eq!(world.ask(&token, "GET", APP, None).await.status, StatusCode::UNAUTHORIZED);
        let jwt = world.jwt();
        assert_eq!(world.ask(&jwt, "GET", "/repos/acme/platform", None).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.ask(&jwt, "GET", "/installation/repositories", None).await.status, StatusCode::FORBIDDEN);
        for wrong in ["ghs_123_unknown", "nonsense", "ghp_0123456789"] {
            assert_eq!(world.ask(wrong, "GET", APP, None).await.status, StatusCode::UNAUTHORIZED, "{wrong}");
        }
    })
    .await;
}
