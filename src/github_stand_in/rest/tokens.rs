//! Credentials: the App's JWT is checked as GitHub checks it, installation tokens are made and looked up.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, StatusCode, header};
use jsonwebtoken::{Algorithm, Validation};
use rand::RngCore;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal, Reply};
use super::call::{Call, Principal};
use crate::github_stand_in::bodies::{self, timestamp};
use crate::github_stand_in::state::{
    Access, App, AppId, GitHub, Installation, InstallationId, Permissions, RepositoryId, Token, now,
};

/// How far ahead a JWT may end.
const JWT_LIFETIME_SECS: i64 = 600;
/// How many repositories a token can be narrowed to.
const REPOSITORY_LIMIT: usize = 500;

/// Who sends these headers.
///
/// # Errors
/// 401, as GitHub words it.
pub(crate) fn principal(github: &GitHub, headers: &HeaderMap) -> Result<Principal, Refusal> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(Principal::Anonymous) };
    let (scheme, credential) =
        value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(Refusal::bad_credentials)?;
    if !scheme.eq_ignore_ascii_case("bearer") && !scheme.eq_ignore_ascii_case("token") {
        return Err(Refusal::bad_credentials());
    }
    if credential.starts_with("ghs_") {
        let token = github.tokens.get(credential).filter(|token| token.expires_at > now());
        let token = token.ok_or_else(Refusal::bad_credentials)?;
        return Ok(Principal::Installation(Box::new(token.clone())));
    }
    if credential.split('.').count() == 3 && scheme.eq_ignore_ascii_case("bearer") {
        return verify_jwt(github, credential).map(Principal::App);
    }
    Err(Refusal::bad_credentials())
}

fn verify_jwt(github: &GitHub, jwt: &str) -> Result<AppId, Refusal> {
    let undecodable = || Refusal::new(StatusCode::UNAUTHORIZED, "A JSON web token could not be decoded");
    let claims = unverified_claims(jwt).ok_or_else(undecodable)?;
    let app = issuer(github, &claims).ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "Integration not found"))?;
    let mut validation = Validation::new(Algorithm::RS256);
    // Times are checked below, with GitHub's bounds and without leeway.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    jsonwebtoken::decode::<Value>(jwt, &app.public_key, &validation).map_err(|_| undecodable())?;
    check_times(&claims)?;
    Ok(app.id)
}

fn unverified_claims(jwt: &str) -> Option<Value> {
    let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// `iss` is the App's client id, or its number as number or text.
fn issuer<'a>(github: &'a GitHub, claims: &Value) -> Option<&'a App> {
    let issuer = claims.get("iss")?;
    let text = issuer.as_str().map_or_else(|| issuer.to_string(), str::to_owned);
    github.apps.values().find(|app| app.client_id == text || app.id.to_string() == text)
}

fn check_times(claims: &Value) -> Result<(), Refusal> {
    let refuse = |text: &str| Err(Refusal::new(StatusCode::UNAUTHORIZED, text));
    let present = now().unix_timestamp();
    let time = |name: &str| claims.get(name).and_then(Value::as_i64);
    match time("iat") {
        Some(issued) if issued <= present => {}
        _ => {
            return refuse(
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
            );
        }
    }
    match time("exp") {
        Some(end) if end > present + JWT_LIFETIME_SECS => {
            refuse("'Expiration time' claim ('exp') is too far in the future")
        }
        Some(end) if end > present => Ok(()),
        _ => refuse(
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        ),
    }
}

/// `POST /app/installations/{installation_id}/access_tokens`
pub(crate) fn mint(call: &Call, github: &mut GitHub) -> Answer {
    let app = call.app()?;
    let id = InstallationId(call.number("installation_id")?);
    let installation = github.installation(id).filter(|found| found.app == app).ok_or_else(Refusal::not_found)?;
    if installation.suspended.is_some() {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "This installation has been suspended"));
    }
    let body = call.body()?;
    let repositories = wanted_repositories(github, installation, &body)?;
    let permissions = wanted_permissions(installation, &body)?;
    let expires_at = now() + github.limits.token_lifetime;
    let text = token_text(app, id);
    let answer = call.view(github, |view| {
        let mut answer = json!({
            "token": text,
            "expires_at": timestamp(expires_at),
            "permissions": bodies::permissions(&permissions),
            "repository_selection": if repositories.is_some() { "selected" } else { "all" },
        });
        let chosen = repositories.iter().flatten().filter_map(|id| github.repository(*id));
        if let (Some(fields), Some(_)) = (answer.as_object_mut(), &repositories) {
            fields.insert("repositories".to_owned(), chosen.map(|found| bodies::repository(view, found)).collect());
        }
        answer
    });
    github.tokens.insert(text.clone(), Token { text, installation: id, repositories, permissions, expires_at });
    Ok(Reply::created(&answer))
}

/// The repositories a token is narrowed to; `None`: all of the installation's.
fn wanted_repositories(
    github: &GitHub,
    installation: &Installation,
    body: &Map<String, Value>,
) -> Result<Option<BTreeSet<RepositoryId>>, Refusal> {
    let list = |name: &str| body.get(name).and_then(Value::as_array).cloned();
    let (names, ids) = (list("repositories"), list("repository_ids"));
    if names.is_none() && ids.is_none() {
        return Ok(None);
    }
    let (names, ids) = (names.unwrap_or_default(), ids.unwrap_or_default());
    if names.len() + ids.len() > REPOSITORY_LIMIT {
        return Err(Refusal::invalid(format!(
            "No more than {REPOSITORY_LIMIT} items are allowed; {} were supplied.",
            names.len() + ids.len()
        )));
    }
    let owner = github.login(installation.account);
    let by_name =
        names.iter().map(|name| github.repository_named(&format!("{owner}/{}", name.as_str().unwrap_or_default())));
    let by_id = ids.iter().map(|id| github.repository(RepositoryId(id.as_u64().unwrap_or_default())));
    let mut chosen = BTreeSet::new();
    for repository in by_name.chain(by_id) {
        let covered = repository.filter(|repository| github.covers(installation, repository.id));
        let text =
            "There is at least one repository that does not exist or is not accessible to the parent installation.";
        chosen.insert(covered.ok_or_else(|| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, text))?.id);
    }
    Ok(Some(chosen))
}

fn wanted_permissions(installation: &Installation, body: &Map<String, Value>) -> Result<Permissions, Refusal> {
    let Some(wanted) = body.get("permissions").and_then(Value::as_object).filter(|wanted| !wanted.is_empty()) else {
        return Ok(installation.permissions.clone());
    };
    let mut permissions = Permissions::of(&[]);
    for (name, access) in wanted {
        let access = access.as_str().and_then(Access::parse);
        let access = access.ok_or_else(|| {
            Refusal::invalid(format!("For 'permissions/{name}', the value is not a member of [\"read\", \"write\"]."))
        })?;
        if !installation.permissions.allow(name, access) {
            let text = "The permissions requested are not granted to this installation.";
            return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, text));
        }
        permissions.0.insert(name.clone(), access);
    }
    Ok(permissions)
}

/// As GitHub makes them since 2026: `ghs_`, the App's number, and some 500 characters with `.`, `-` and `_`.
fn token_text(app: AppId, installation: InstallationId) -> String {
    let random = |count: usize| {
        let mut bytes = vec![0; count];
        rand::rng().fill_bytes(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    };
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({ "typ": "JWT", "alg": "RS256" }));
    let claims = part(json!({ "iss": app.0, "sub": installation.0, "jti": random(24) }));
    format!("ghs_{app}_{header}.{claims}.{}", random(256))
}

/// `DELETE /installation/token`
pub(crate) fn revoke(call: &Call, github: &mut GitHub) -> Answer {
    github.tokens.remove(&call.token()?.text);
    Ok(Reply::no_content())
}
