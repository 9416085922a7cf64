//! Answers and refusals, in GitHub's shapes.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

/// What a handler gives back.
pub(crate) type Answer = Result<Reply, Refusal>;

/// An answer.
pub(crate) struct Reply {
    status: StatusCode,
    body: Bytes,
    content_type: &'static str,
    link: Option<String>,
}

const JSON: &str = "application/json; charset=utf-8";

impl Reply {
    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_default().into();
        Self { status, body, content_type: JSON, link: None }
    }

    pub(crate) fn ok(body: &Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    pub(crate) fn created(body: &Value) -> Self {
        Self::json(StatusCode::CREATED, body)
    }

    pub(crate) fn raw(body: Bytes) -> Self {
        let content_type = "application/vnd.github.raw+json; charset=utf-8";
        Self { status: StatusCode::OK, body, content_type, link: None }
    }

    pub(crate) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: Bytes::new(), content_type: JSON, link: None }
    }

    pub(crate) fn linked(mut self, link: Option<String>) -> Self {
        self.link = link;
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if let Some(link) = self.link.and_then(|link| HeaderValue::from_str(&link).ok()) {
            headers.insert(header::LINK, link);
        }
        response
    }
}

/// A refusal; boxed, because most answers are none.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Reason>);

#[derive(Debug)]
struct Reason {
    status: StatusCode,
    message: String,
    errors: Option<Value>,
    headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self(Box::new(Reason { status, message: message.into(), errors: None, headers: Vec::new() }))
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found")
    }

    pub(crate) fn bad_credentials() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Bad credentials")
    }

    /// The App lacks a permission; the answer names it.
    pub(crate) fn not_accessible(needed: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Resource not accessible by integration")
            .with_header("x-accepted-github-permissions", needed.to_owned())
    }

    /// The request is not as the interface describes it.
    pub(crate) fn invalid(detail: impl AsRef<str>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, format!("Invalid request.\n\n{}", detail.as_ref()))
    }

    /// The request is well formed, but what it says cannot be.
    pub(crate) fn validation(resource: &str, field: &str, message: &str) -> Self {
        let errors = json!([{ "resource": resource, "code": "custom", "field": field, "message": message }]);
        let mut refusal = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed");
        refusal.0.errors = Some(errors);
        refusal
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.0.headers.push((name, value));
        self
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Reason { status, message, errors, headers } = *self.0;
        let mut body = json!({
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
            "status": status.as_str(),
        });
        if let (Some(fields), Some(errors)) = (body.as_object_mut(), errors) {
            fields.insert("errors".to_owned(), errors);
        }
        let mut response = Reply::json(status, &body).into_response();
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}
