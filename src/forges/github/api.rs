//! Requests to GitHub's interface on behalf of one repository: headers, credentials, pages, GraphQL.
//!
//! Credentials are put on each request here, never by the transport; they only ever travel to the one origin it knows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::errors::{failure, printable, wish};
use super::settings::{Endpoints, GitHubSettings};
use super::tokens::{Scope, Signer, Token, TokenAnswer, TokenRequest, Tokens};
use crate::forges::http::{
    self as shared, Answer, Client, Effect, Governor, Pace, Request, TransportError, host_clock,
};
use crate::forges::{ForgeError, Repository};

const API_VERSION: HeaderName = HeaderName::from_static("x-github-api-version");
const JSON: &str = "application/vnd.github+json";
const RAW: &str = "application/vnd.github.raw+json";

/// Largest answer in JSON that is read: a tree of GitHub's limit has 7 MB before its URLs are counted.
const JSON_LIMIT_BYTES: usize = 64 * 1024 * 1024;

/// Most pages of one list; at 100 entries each.
const PAGE_LIMIT: usize = 100;

/// The way to one GitHub, for all installations of the App.
pub(super) struct Api {
    client: Client,
    pace: Pace,
    endpoints: Endpoints,
    signer: Signer,
    tokens: Tokens,
    /// Budgets are GitHub's per installation, and one for the App itself.
    as_app: Governor,
    accounts: Mutex<HashMap<u64, Arc<Governor>>>,
}

impl Api {
    pub(super) fn new(settings: &GitHubSettings, pace: Pace) -> Result<Self, TransportError> {
        Ok(Self {
            client: Client::new(settings.endpoints.origin(), pace, wish)?,
            pace,
            endpoints: settings.endpoints.clone(),
            signer: Signer::new(&settings.app, settings.key.clone()),
            tokens: Tokens::default(),
            as_app: Governor::new(pace),
            accounts: Mutex::default(),
        })
    }

    /// The way to one repository.
    pub(super) fn of(&self, repository: &Repository) -> Result<RepositoryApi<'_>, ForgeError> {
        let access = &repository.access.0;
        let installation = access
            .parse::<u64>()
            .map_err(|_| ForgeError::Refused(format!("`{}` is no installation of the App", printable(access))))?;
        let (owner, name) = (repository.name.owner(), repository.name.name());
        if owner.contains('/') {
            return Err(ForgeError::NotFound(format!("{}: GitHub has no groups of repositories", repository.name)));
        }
        let scope = Scope { installation, owner: owner.to_owned(), name: name.to_owned() };
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let governor = accounts.entry(installation).or_insert_with(|| Arc::new(Governor::new(self.pace)));
        Ok(RepositoryApi { api: self, scope, governor: Arc::clone(governor) })
    }

    pub(super) fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Asking twice for a token does no harm: one that got lost ends by itself. A statement that is not accepted is signed
    /// anew once.
    async fn mint(&self, scope: &Scope) -> Result<Token, ForgeError> {
        let path = format!("{}/app/installations/{}/access_tokens", self.endpoints.rest_prefix(), scope.installation);
        let mut request = request(Method::POST, path, JSON, Effect::None);
        set_json(&mut request, &TokenRequest::for_repository(&scope.name))?;
        request.headers.insert(AUTHORIZATION, self.signer.authorization()?);
        let mut answer = self.client.send(&self.as_app, &request).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            self.signer.forget();
            request.headers.insert(AUTHORIZATION, self.signer.authorization()?);
            answer = self.client.send(&self.as_app, &request).await?;
        }
        let granted: TokenAnswer = match read(&request, &answer) {
            // A repository that is gone, renamed, or taken out of the installation.
            Err(ForgeError::Refused(why)) if why.contains("does not exist or is not accessible") => {
                return Err(ForgeError::NotFound(why));
            }
            granted => granted?,
        };
        Token::from_answer(&granted, host_clock(&answer.headers).unwrap_or_else(SystemTime::now))
    }
}

/// The way to one repository, by the token made for it.
pub(super) struct RepositoryApi<'a> {
    api: &'a Api,
    scope: Scope,
    governor: Arc<Governor>,
}

impl RepositoryApi<'_> {
    pub(super) fn owner(&self) -> &str {
        &self.scope.owner
    }

    pub(super) fn name(&self) -> &str {
        &self.scope.name
    }

    pub(super) fn pace(&self) -> &Pace {
        self.api.pace()
    }

    /// What a path below the repository holds.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ForgeError> {
        let request = request(Method::GET, self.path(path), JSON, Effect::None);
        let answer = self.send(&request).await?;
        read(&request, &answer)
    }

    /// The bytes a path below the repository holds, up to a limit.
    pub(super) async fn get_raw(&self, path: &str, limit_bytes: usize) -> Result<Bytes, ForgeError> {
        let mut request = request(Method::GET, self.path(path), RAW, Effect::None);
        request.answer_limit_bytes = limit_bytes;
        let answer = self.send(&request).await?;
        if !answer.status.is_success() {
            return Err(failure(&what(&request), &answer));
        }
        Ok(answer.body)
    }

    /// Every page of a list below the repository; `page` takes the entries out of one.
    pub(super) async fn pages<P: DeserializeOwned, T>(
        &self,
        path: &str,
        page: impl Fn(P) -> Vec<T>,
    ) -> Result<Vec<T>, ForgeError> {
        let mut all = Vec::new();
        let mut next = self.path(path);
        for _ in 0..PAGE_LIMIT {
            let request = request(Method::GET, next, JSON, Effect::None);
            let answer = self.send(&request).await?;
            all.extend(page(read(&request, &answer)?));
            match shared::next_page(&answer.headers) {
                Some(path) => next = path,
                None => return Ok(all),
            }
        }
        Err(ForgeError::TooLarge(format!("a list of more than {PAGE_LIMIT} pages at {}", self.path(path))))
    }

    /// Changes something below the repository: once. [`ForgeError::Unreachable`] means that the outcome is unknown.
    pub(super) async fn write<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ForgeError> {
        let mut request = request(method, self.path(path), JSON, Effect::Write);
        set_json(&mut request, body)?;
        let answer = self.send(&request).await?;
        read(&request, &answer)
    }

    /// Asks by GraphQL. Errors beside data are left to the caller, who sees what is missing.
    pub(super) async fn graphql<T: DeserializeOwned>(&self, body: &impl Serialize) -> Result<T, ForgeError> {
        let mut request = request(Method::POST, self.api.endpoints.graphql_path().to_owned(), JSON, Effect::None);
        set_json(&mut request, body)?;
        let answer = self.send(&request).await?;
        read(&request, &answer)
    }

    /// Sends with the repository's token, and once more with a new one when GitHub does not accept it: nothing was done then.
    async fn send(&self, request: &Request) -> Result<Answer, ForgeError> {
        let mut request = request.clone();
        let token = self.token().await?;
        request.headers.insert(AUTHORIZATION, token.authorization.clone());
        let answer = self.api.client.send(&self.governor, &request).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        self.api.tokens.forget(&self.scope, &token).await;
        request.headers.insert(AUTHORIZATION, self.token().await?.authorization);
        Ok(self.api.client.send(&self.governor, &request).await?)
    }

    async fn token(&self) -> Result<Token, ForgeError> {
        self.api.tokens.get(&self.scope, || self.api.mint(&self.scope)).await
    }

    fn path(&self, below: &str) -> String {
        format!("{}/repos/{}/{}/{below}", self.api.endpoints.rest_prefix(), self.scope.owner, self.scope.name)
    }
}

fn request(method: Method, path: String, accept: &'static str, effect: Effect) -> Request {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    headers.insert(USER_AGENT, HeaderValue::from_static(shared::USER_AGENT));
    headers.insert(API_VERSION, HeaderValue::from_static("2022-11-28"));
    Request { method, path, headers, body: Bytes::new(), effect, answer_limit_bytes: JSON_LIMIT_BYTES }
}

fn set_json(request: &mut Request, body: &impl Serialize) -> Result<(), ForgeError> {
    let body =
        serde_json::to_vec(body).map_err(|error| ForgeError::Refused(format!("cannot be written as JSON: {error}")))?;
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request.body = body.into();
    Ok(())
}

/// What was asked for, for messages.
fn what(request: &Request) -> String {
    let path = request.path.split('?').next().unwrap_or_default();
    format!("{} {path}", request.method)
}

fn read<T: DeserializeOwned>(request: &Request, answer: &Answer) -> Result<T, ForgeError> {
    if !answer.status.is_success() {
        return Err(failure(&what(request), answer));
    }
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(&answer.body)).map_err(|error| {
        // A proxy's page, or an outage: it may be different the next time.
        let error = printable(&format!("{}: {}", error.path(), error.inner()));
        ForgeError::Unreachable(format!("{}: an answer that is not GitHub's: {error}", what(request)))
    })
}
