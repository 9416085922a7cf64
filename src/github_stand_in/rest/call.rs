//! A request as handlers see it: who asks, for what, and whether they may.

use axum::extract::{FromRequestParts, RawPathParams};
use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode, Uri};
use serde_json::Value;

use super::answer::{Refusal, Reply};
use crate::github_stand_in::bodies::View;
use crate::github_stand_in::git::{ObjectKind, Oid};
use crate::github_stand_in::recording::query;
use crate::github_stand_in::state::{
    Access, AppId, GitHub, InstallationId, Layout, Repository, RepositoryId, Token, Urls,
};

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) enum Principal {
    /// Nobody in particular: sees what is public.
    Anonymous,
    /// An App as itself, by JWT.
    App(AppId),
    /// An App through one of its installations.
    Installation(Box<Token>),
}

/// What middleware has found out about a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) layout: Layout,
    pub(crate) uri: Uri,
    pub(crate) accept: String,
    pub(crate) body: Bytes,
}

/// A request as handlers see it.
pub(crate) struct Call {
    caller: Caller,
    method: Method,
    params: Vec<(String, String)>,
    query: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequestParts<S> for Call {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| Refusal::not_found())?;
        let params = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let caller = parts.extensions.get::<Caller>().cloned().ok_or_else(Refusal::not_found)?;
        let query = query(&caller.uri).collect();
        Ok(Self { caller, method: parts.method.clone(), params, query })
    }
}

/// What a handler asks of the token: the permission's name and how much of it.
pub(crate) type Need = (&'static str, Access);

/// Metadata belongs to every installation.
pub(crate) const METADATA: Need = ("metadata", Access::Read);
/// Files and commits.
pub(crate) const CONTENTS: Need = ("contents", Access::Read);
/// Pull requests.
pub(crate) const PULLS: Need = ("pull_requests", Access::Read);
/// Checks, to look at.
pub(crate) const CHECKS: Need = ("checks", Access::Read);
/// Checks, to make.
pub(crate) const CHECKS_WRITE: Need = ("checks", Access::Write);

impl Call {
    pub(crate) fn uri(&self) -> &Uri {
        &self.caller.uri
    }

    /// A part of the path.
    ///
    /// # Errors
    /// 404: a part that is no text names nothing.
    pub(crate) fn param(&self, name: &str) -> Result<&str, Refusal> {
        let found = self.params.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).ok_or_else(Refusal::not_found)
    }

    /// A part of the path that is a number.
    pub(crate) fn number(&self, name: &str) -> Result<u64, Refusal> {
        self.param(name)?.parse().map_err(|_| Refusal::not_found())
    }

    /// A parameter of the query, if it is there and not empty.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// All parameters of the query.
    pub(crate) fn queries(&self) -> &[(String, String)] {
        &self.query
    }

    /// Whether a media type is asked for: `raw`, `object`.
    pub(crate) fn accepts(&self, media: &str) -> bool {
        let types = self.caller.accept.split(',').map(|one| one.split(';').next().unwrap_or_default().trim());
        types.into_iter().any(|one| {
            let name = one.strip_prefix("application/vnd.github.").unwrap_or_default();
            let name = name.strip_prefix("v3.").unwrap_or(name);
            name.strip_suffix("+json").unwrap_or(name) == media
        })
    }

    /// The body as JSON; nothing at all is an empty object.
    ///
    /// # Errors
    /// 400 when it is no JSON, 422 when it is no object.
    pub(crate) fn body(&self) -> Result<serde_json::Map<String, Value>, Refusal> {
        if self.caller.body.is_empty() {
            return Ok(serde_json::Map::new());
        }
        match serde_json::from_slice(&self.caller.body) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err(Refusal::invalid("For 'links/0/schema', the body is not an object.")),
            Err(_) => Err(Refusal::new(StatusCode::BAD_REQUEST, "Problems parsing JSON")),
        }
    }

    /// The repository of the path, if the caller sees it and may do what is needed.
    ///
    /// # Errors
    /// 404 when there is none or it is not for the caller, 403 when a permission is missing.
    pub(crate) fn repository(&self, github: &mut GitHub, need: Need) -> Result<RepositoryId, Refusal> {
        let full_name = format!("{}/{}", self.param("owner")?, self.param("repo")?);
        let id = github.repository_named(&full_name).map(|found| found.id).ok_or_else(Refusal::not_found)?;
        self.may(github, id, need)?;
        if self.method == Method::GET
            && let Some(repository) = github.repositories.get_mut(&id)
        {
            repository.count_read();
        }
        Ok(id)
    }

    /// Whether the caller may do what is needed in a repository.
    ///
    /// # Errors
    /// 404 when the repository is not for the caller, 403 when a permission is missing.
    pub(crate) fn may(&self, github: &GitHub, id: RepositoryId, need: Need) -> Result<(), Refusal> {
        let repository = github.repository(id).ok_or_else(Refusal::not_found)?;
        let (name, access) = need;
        let readable = !repository.private && access == Access::Read;
        let Principal::Installation(token) = &self.caller.principal else {
            return if readable { Ok(()) } else { Err(Refusal::not_found()) };
        };
        let installation = github.installation(token.installation).ok_or_else(Refusal::bad_credentials)?;
        let chosen = token.repositories.as_ref().is_none_or(|chosen| chosen.contains(&id));
        let needed = format!("{name}={}", access.as_str());
        match (chosen && github.covers(installation, id), repository.private) {
            (true, _) if token.permissions.allow(name, access) => Ok(()),
            (false, true) => Err(Refusal::not_found()),
            (false, false) if readable => Ok(()),
            (true | false, _) => Err(Refusal::not_accessible(&needed)),
        }
    }

    /// The App that asks as itself.
    ///
    /// # Errors
    /// 401 for everyone else.
    pub(crate) fn app(&self) -> Result<AppId, Refusal> {
        match self.caller.principal {
            Principal::App(app) => Ok(app),
            Principal::Anonymous | Principal::Installation(_) => {
                Err(Refusal::new(StatusCode::UNAUTHORIZED, "A JSON web token could not be decoded"))
            }
        }
    }

    /// The installation that asks.
    ///
    /// # Errors
    /// 401 or 403 for everyone else.
    pub(crate) fn token(&self) -> Result<&Token, Refusal> {
        match &self.caller.principal {
            Principal::Installation(token) => Ok(token),
            Principal::Anonymous => Err(Refusal::new(StatusCode::UNAUTHORIZED, "Requires authentication")),
            Principal::App(_) => {
                let text = "This endpoint requires you to be authenticated with an installation access token.";
                Err(Refusal::new(StatusCode::FORBIDDEN, text))
            }
        }
    }

    /// The App behind the installation that asks.
    pub(crate) fn app_of_token(&self, github: &GitHub) -> Result<AppId, Refusal> {
        let installation: InstallationId = self.token()?.installation;
        github.installation(installation).map(|found| found.app).ok_or_else(Refusal::bad_credentials)
    }

    /// Answers with a body that needs addresses.
    pub(crate) fn view<T>(&self, github: &GitHub, body: impl FnOnce(View<'_>) -> T) -> T {
        let urls = self.urls(github);
        body(View { github, urls: &urls })
    }

    /// The addresses of the layout that was asked.
    pub(crate) fn urls(&self, github: &GitHub) -> Urls {
        github.urls(self.caller.layout)
    }

    /// 200 with a body.
    pub(crate) fn ok(&self, github: &GitHub, body: impl FnOnce(View<'_>) -> Value) -> Result<Reply, Refusal> {
        Ok(Reply::ok(&self.view(github, body)))
    }
}

/// The commit a text names in a repository: a full id, or a branch with or without `heads/` and `refs/heads/`.
pub(crate) fn resolve(github: &GitHub, repository: &Repository, text: &str) -> Option<Oid> {
    let objects = github.objects(repository.id)?;
    if let Ok(oid) = text.parse::<Oid>() {
        return (objects.kind(oid) == Some(ObjectKind::Commit) && repository.shows(oid)).then_some(oid);
    }
    let branches = repository.seen_branches();
    let names = [Some(text), text.strip_prefix("refs/heads/"), text.strip_prefix("heads/")];
    names.into_iter().flatten().find_map(|name| branches.get(name).copied())
}
