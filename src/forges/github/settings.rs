//! What is needed to act as a GitHub App, validated: where its GitHub is, who the App is, its key and webhook secrets.
//!
//! Where the texts come from (file, environment, flags) is not known here; the error says what is wrong and how to mend it,
//! its caller adds the name of the key.

use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use jsonwebtoken::EncodingKey;
use secrecy::{ExposeSecret, SecretString};

/// Shortest webhook secret: one that is shorter can be guessed from a single delivery.
const SECRET_LEAST_BYTES: usize = 16;

/// A GitHub App at its GitHub.
#[derive(Clone, Debug)]
pub struct GitHubSettings {
    /// Where its GitHub is.
    pub endpoints: Endpoints,
    /// Who it is.
    pub app: AppIdentity,
    /// What it proves that with.
    pub key: AppKey,
    /// What GitHub proves its deliveries with.
    pub webhook_secrets: WebhookSecrets,
}

/// A setting that cannot be used; the text says how to mend it and holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadSetting(String);

/// Where a GitHub listens: github.com, an Enterprise Server, or a tenant of ghe.com.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Scheme and authority, no path.
    origin: String,
    /// What every REST path begins with: empty or `/api/v3`.
    rest_prefix: String,
    /// The path of GraphQL.
    graphql_path: String,
}

impl Endpoints {
    /// The GitHub whose pages are at a host: `github.com`, `TENANT.ghe.com`, or a GitHub Enterprise Server, with a port if
    /// it has one.
    ///
    /// # Errors
    /// [`BadSetting`] when the text is no host name.
    pub fn of_host(host: &str) -> Result<Self, BadSetting> {
        let host = host.to_ascii_lowercase();
        let bad =
            || BadSetting(format!("`{host}` is no host: write its name alone, as in github.com or ghe.example.com"));
        let uri: Uri = format!("https://{host}/").parse().map_err(|_| bad())?;
        let name = uri.host().unwrap_or_default();
        let is_alone = uri.authority().is_some_and(|authority| authority.as_str() == host) && !host.contains('@');
        if !is_alone || uri.path() != "/" || uri.query().is_some() || !(name.contains('.') || uri.port().is_some()) {
            return Err(bad());
        }
        if name.starts_with("api.") || name == "www.github.com" {
            let pages = name.trim_start_matches("api.").trim_start_matches("www.");
            return Err(BadSetting(format!("`{host}`: write the host whose pages people visit, `{pages}`")));
        }
        Ok(match name {
            "github.com" => Self::at_root("https://api.github.com"),
            _ if name.ends_with(".ghe.com") => Self::at_root(&format!("https://api.{host}")),
            _ => Self::of_enterprise_server(&format!("https://{host}")),
        })
    }

    /// The GitHub whose REST interface is at a URL, for hosts that are reached another way. Plain HTTP is for loopback only.
    ///
    /// # Errors
    /// [`BadSetting`] when the text is no such URL.
    pub fn of_api_url(url: &str) -> Result<Self, BadSetting> {
        let bad = |why: &str| BadSetting(format!("`{url}` is no API URL: {why}"));
        let uri: Uri = url.parse().map_err(|_| bad("write it as in https://ghe.example.com/api/v3"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(bad("write it in full, as in https://ghe.example.com/api/v3"));
        };
        if authority.as_str().contains('@') || uri.query().is_some() || url.contains('#') {
            return Err(bad("it holds no user, query or fragment"));
        }
        match scheme {
            "https" => {}
            "http" if is_loopback(authority.host()) => {}
            _ => return Err(bad("use https; http is for loopback addresses only, the App's tokens travel on it")),
        }
        let origin = format!("{scheme}://{authority}");
        match uri.path().trim_end_matches('/') {
            "" => Ok(Self::at_root(&origin)),
            "/api/v3" => Ok(Self::of_enterprise_server(&origin)),
            _ => Err(bad("its path is empty or /api/v3")),
        }
    }

    fn at_root(origin: &str) -> Self {
        Self { origin: origin.to_owned(), rest_prefix: String::new(), graphql_path: "/graphql".to_owned() }
    }

    fn of_enterprise_server(origin: &str) -> Self {
        let graphql_path = "/api/graphql".to_owned();
        Self { origin: origin.to_owned(), rest_prefix: "/api/v3".to_owned(), graphql_path }
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    pub(super) fn rest_prefix(&self) -> &str {
        &self.rest_prefix
    }

    pub(super) fn graphql_path(&self) -> &str {
        &self.graphql_path
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Who the App is, by either of the names GitHub knows it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppIdentity {
    /// The App id, a number.
    Id(u64),
    /// The client id: `Iv23li…`.
    ClientId(String),
}

impl AppIdentity {
    /// The issuer of the App's tokens.
    pub(super) fn issuer(&self) -> String {
        match self {
            Self::Id(id) => id.to_string(),
            Self::ClientId(id) => id.clone(),
        }
    }
}

impl FromStr for AppIdentity {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        if let Ok(id) = text.parse::<u64>() {
            return if id > 0 { Ok(Self::Id(id)) } else { Err(BadSetting("no App has the id 0".to_owned())) };
        }
        let is_client_id = (8..=64).contains(&text.len())
            && text.starts_with("Iv")
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
        if is_client_id {
            return Ok(Self::ClientId(text.to_owned()));
        }
        Err(BadSetting(
            "write the App id (a number) or the client id (it begins with Iv) of the App's settings page".into(),
        ))
    }
}

/// The App's private key.
#[derive(Clone)]
pub struct AppKey(EncodingKey);

impl AppKey {
    /// A key in PEM, as GitHub gives it out (PKCS#1), or as PKCS#8.
    ///
    /// # Errors
    /// [`BadSetting`] when it is none, without a word of the text.
    pub fn from_pem(pem: &SecretString) -> Result<Self, BadSetting> {
        // Tools write remarks before the key.
        let pem = pem.expose_secret();
        let Some(pem) = pem.find("-----BEGIN").and_then(|start| pem.get(start..)).map(str::trim) else {
            return Err(BadSetting(
                "no private key: the text of the .pem file GitHub gave out begins with `-----BEGIN RSA PRIVATE KEY-----`"
                    .to_owned(),
            ));
        };
        if !pem.contains(" PRIVATE KEY-----") {
            return Err(BadSetting("a PEM file, but of something else than a private key".to_owned()));
        }
        let key = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| {
            BadSetting("a PEM file, but no RSA private key: download a new one from the App's page".into())
        })?;
        // A key that parses may still not sign: better said now than at the first delivery.
        jsonwebtoken::encode(&jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256), &(), &key).map_err(|_| {
            BadSetting("an RSA private key that cannot sign: download a new one from the App's page".into())
        })?;
        Ok(Self(key))
    }

    pub(super) fn encoding_key(&self) -> &EncodingKey {
        &self.0
    }
}

impl std::fmt::Debug for AppKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppKey([redacted])")
    }
}

/// The secrets deliveries are signed with: the one in use, and during a rotation the one before it.
#[derive(Clone, Debug)]
pub struct WebhookSecrets {
    /// The one in use.
    pub current: WebhookSecret,
    /// The one before it.
    pub previous: Option<WebhookSecret>,
}

/// A secret deliveries are signed with.
#[derive(Clone, Debug)]
pub struct WebhookSecret(pub(super) SecretString);

impl WebhookSecret {
    /// Checks that a text can be a secret.
    ///
    /// # Errors
    /// [`BadSetting`] when it is too short or holds white space at an end.
    pub fn new(secret: SecretString) -> Result<Self, BadSetting> {
        let text = secret.expose_secret();
        if text.trim() != text {
            return Err(BadSetting(
                "the secret begins or ends with white space: is it the newline of a file?".to_owned(),
            ));
        }
        if text.len() < SECRET_LEAST_BYTES {
            let bytes = text.len();
            return Err(BadSetting(format!(
                "a secret of {bytes} bytes is too short, it needs {SECRET_LEAST_BYTES}: make one with `openssl rand -hex 32`"
            )));
        }
        Ok(Self(secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(endpoints: &Endpoints) -> (String, String) {
        let rest = format!("{}{}", endpoints.origin(), endpoints.rest_prefix());
        (rest, format!("{}{}", endpoints.origin(), endpoints.graphql_path()))
    }

    #[test]
    fn the_three_kinds_of_host_have_their_own_urls() {
        for (host, rest, graphql) in [
            ("github.com", "https://api.github.com", "https://api.github.com/graphql"),
            ("GitHub.com", "https://api.github.com", "https://api.github.com/graphql"),
            ("octo.ghe.com", "https://api.octo.ghe.com", "https://api.octo.ghe.com/graphql"),
            ("ghe.example.com", "https://ghe.example.com/api/v3", "https://ghe.example.com/api/graphql"),
            ("git.corp:8443", "https://git.corp:8443/api/v3", "https://git.corp:8443/api/graphql"),
        ] {
            assert_eq!(places(&Endpoints::of_host(host).unwrap()), (rest.to_owned(), graphql.to_owned()));
        }
        for bad in
            ["", "github", "https://github.com", "github.com/", "a b.com", "u@github.com", "github.com?x", "a.b#c"]
        {
            let error = Endpoints::of_host(bad).unwrap_err().to_string();
            assert!(error.contains("write its name alone"), "{bad}: {error}");
        }
        assert!(Endpoints::of_host("api.github.com").unwrap_err().to_string().contains("`github.com`"));
    }

    #[test]
    fn an_explicit_url_is_https_or_loopback() {
        for (url, rest, graphql) in [
            ("http://127.0.0.1:4010", "http://127.0.0.1:4010", "http://127.0.0.1:4010/graphql"),
            ("http://[::1]:9/api/v3/", "http://[::1]:9/api/v3", "http://[::1]:9/api/graphql"),
            ("http://localhost:1/", "http://localhost:1", "http://localhost:1/graphql"),
            ("https://proxy.example/api/v3", "https://proxy.example/api/v3", "https://proxy.example/api/graphql"),
        ] {
            assert_eq!(places(&Endpoints::of_api_url(url).unwrap()), (rest.to_owned(), graphql.to_owned()));
        }
        for bad in [
            "http://ghe.example.com/api/v3",
            "http://127.0.0.1.evil.example",
            "http://10.0.0.1",
            "ftp://127.0.0.1",
            "https://u:p@host/api/v3",
            "https://host/api/v4",
            "https://host/?x=1",
            "https://host/#x",
            "/api/v3",
            "host",
        ] {
            assert!(Endpoints::of_api_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_app_is_known_by_either_id() {
        assert_eq!("42".parse(), Ok(AppIdentity::Id(42)));
        assert_eq!("Iv23liABCDEF0123".parse(), Ok(AppIdentity::ClientId("Iv23liABCDEF0123".to_owned())));
        assert_eq!("Iv1.8a61f9b3a7aba766".parse::<AppIdentity>().unwrap().issuer(), "Iv1.8a61f9b3a7aba766");
        for bad in ["", "0", "-1", "my-app", "Iv", "Iv23li\"ABCDEF"] {
            assert!(bad.parse::<AppIdentity>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bad_key_is_refused_without_showing_it() {
        let public = include_str!("../../../fixtures/keys/test-app.pub.pem");
        for bad in ["", "hunter2", public, "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----"] {
            let error = AppKey::from_pem(&SecretString::from(bad)).unwrap_err().to_string();
            assert!(!error.contains("c2VjcmV0") && !error.contains("hunter2"), "{error}");
        }
        let good = SecretString::from(include_str!("../../../fixtures/keys/test-app.pem"));
        assert_eq!(format!("{:?}", AppKey::from_pem(&good).unwrap()), "AppKey([redacted])");
    }

    #[test]
    fn a_guessable_webhook_secret_is_refused() {
        let check = |text: &str| WebhookSecret::new(SecretString::from(text));
        assert!(check("It's a Secret to Everybody").is_ok());
        assert!(check("").unwrap_err().to_string().contains("openssl rand"));
        assert!(check("short").unwrap_err().to_string().contains("5 bytes"));
        assert!(check("It's a Secret to Everybody\n").unwrap_err().to_string().contains("newline"));
        let secrets = check("It's a Secret to Everybody").unwrap();
        assert!(!format!("{secrets:?}").contains("Everybody"));
    }
}
