//! The GitHub App this server acts as, and the host it is registered on.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::error::Problems;
use super::server::web_url;
use super::value::{optional_number, read_secret, secret};

/// As typed.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TypedGitHub {
    host: String,
    api_url: Option<String>,
    #[serde(deserialize_with = "optional_number")]
    app_id: Option<u64>,
    client_id: Option<String>,
    #[serde(deserialize_with = "secret")]
    private_key: Option<SecretString>,
    private_key_path: Option<PathBuf>,
    #[serde(deserialize_with = "secret")]
    webhook_secret: Option<SecretString>,
    webhook_secret_path: Option<PathBuf>,
    #[serde(deserialize_with = "secret")]
    webhook_secret_previous: Option<SecretString>,
    webhook_secret_previous_path: Option<PathBuf>,
}

impl Default for TypedGitHub {
    fn default() -> Self {
        Self {
            host: "github.com".into(),
            api_url: None,
            app_id: None,
            client_id: None,
            private_key: None,
            private_key_path: None,
            webhook_secret: None,
            webhook_secret_path: None,
            webhook_secret_previous: None,
            webhook_secret_previous_path: None,
        }
    }
}

/// The GitHub App this server acts as.
#[derive(Clone, Debug)]
pub struct GitHubAppSettings {
    /// Where its interfaces are.
    pub host: GitHubHost,
    /// Who it is.
    pub app: GitHubAppId,
    /// Its private key, as PEM text.
    pub private_key: SecretString,
    /// What deliveries are signed with.
    pub webhook_secret: SecretString,
    /// What they were signed with before, while a new secret takes over.
    pub webhook_secret_previous: Option<SecretString>,
}

/// Where a GitHub's interfaces are; none of the addresses ends in `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitHubHost {
    /// Its name: `github.com`, an Enterprise Server's, `TENANT.ghe.com`.
    pub name: String,
    /// What people open.
    pub web_url: String,
    /// REST.
    pub api_url: String,
    /// GraphQL.
    pub graphql_url: String,
}

/// How an App names itself to GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GitHubAppId {
    /// By its number.
    AppId(u64),
    /// By its client id: `Iv23li…`.
    ClientId(String),
}

impl fmt::Display for GitHubAppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AppId(id) => id.fmt(f),
            Self::ClientId(id) => id.fmt(f),
        }
    }
}

impl TypedGitHub {
    pub(super) fn validate(self, problems: &mut Problems<'_>) -> Option<GitHubAppSettings> {
        let host = host(&self.host, self.api_url.as_deref(), problems);
        let app = app_id(self.app_id, self.client_id, problems);
        let private_key = private_key(self.private_key, self.private_key_path, problems);
        let secret = webhook_secret("github.webhook_secret", self.webhook_secret, self.webhook_secret_path, problems);
        let previous_key = "github.webhook_secret_previous";
        let previous =
            webhook_secret(previous_key, self.webhook_secret_previous, self.webhook_secret_previous_path, problems);
        let secret = match secret.ok()? {
            Some(secret) => Some(secret),
            None => {
                let remedy = "Set it (or github.webhook_secret_path, or PORTCULLIS_GITHUB__WEBHOOK_SECRET) to the secret of the App's webhook.";
                problems.add("github.webhook_secret", "it is not given", remedy)
            }
        };
        Some(GitHubAppSettings {
            host: host?,
            app: app?,
            private_key: private_key?,
            webhook_secret: secret?,
            webhook_secret_previous: previous.ok()?,
        })
    }
}

fn host(name: &str, api_url: Option<&str>, problems: &mut Problems<'_>) -> Option<GitHubHost> {
    let name = name.to_ascii_lowercase();
    let label = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let bare = name.split_once(':').map_or(name.as_str(), |(bare, _)| bare);
    let port_is_well = name.split_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_ok());
    if !port_is_well || name.len() > 255 || !bare.split('.').all(label) {
        let remedy = "Give the name alone: github.com, github.example.com (Enterprise Server) or TENANT.ghe.com.";
        return problems.add("github.host", format!("`{name}` is no host name"), remedy);
    }
    let mut host = addresses(name);
    if let Some(api_url) = api_url {
        let Some(url) = web_url(api_url).filter(|url| is_private_enough(url)) else {
            let remedy =
                "Leave it out to use github.host, or give an https address (http only on this machine itself).";
            return problems.add("github.api_url", "it is no address to send credentials to", remedy);
        };
        host.graphql_url = match url.strip_suffix("/api/v3") {
            Some(root) => format!("{root}/api/graphql"),
            None => format!("{url}/graphql"),
        };
        host.api_url = url;
    }
    Some(host)
}

/// The addresses that follow from a host's name.
fn addresses(name: String) -> GitHubHost {
    let (api_url, graphql_url) = if name == "github.com" || name.ends_with(".ghe.com") {
        (format!("https://api.{name}"), format!("https://api.{name}/graphql"))
    } else {
        (format!("https://{name}/api/v3"), format!("https://{name}/api/graphql"))
    };
    GitHubHost { web_url: format!("https://{name}"), name, api_url, graphql_url }
}

/// Encrypted, or never leaving this machine.
fn is_private_enough(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    if uri.scheme_str() == Some("https") {
        return true;
    }
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn app_id(id: Option<u64>, client_id: Option<String>, problems: &mut Problems<'_>) -> Option<GitHubAppId> {
    let is_client_id = |text: &str| (1..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    match (id, client_id) {
        (Some(0), _) => problems.add("github.app_id", "0 is no App id", "Copy it from the App's page."),
        (Some(id), None) => Some(GitHubAppId::AppId(id)),
        (None, Some(text)) if is_client_id(&text) => Some(GitHubAppId::ClientId(text)),
        (None, Some(_)) => {
            problems.add("github.client_id", "it is no client id", "Copy it from the App's page; it begins with Iv.")
        }
        (Some(_), Some(_)) => problems.add("github.client_id", "github.app_id is given too", "Give one of the two."),
        (None, None) => problems.add(
            "github.app_id",
            "it is not given",
            "Set it (or github.client_id, or PORTCULLIS_GITHUB__APP_ID) to the id on the App's page.",
        ),
    }
}

fn private_key(text: Option<SecretString>, path: Option<PathBuf>, problems: &mut Problems<'_>) -> Option<SecretString> {
    let key = "github.private_key";
    let Some(pem) = read_secret(key, text, path.as_deref(), problems).ok()? else {
        let remedy =
            "Set github.private_key_path to the .pem file of the App, or PORTCULLIS_GITHUB__PRIVATE_KEY to its text.";
        return problems.add(key, "it is not given", remedy);
    };
    // In one-line variables the line ends are often written as backslash and n.
    let pem = match pem.expose_secret() {
        text if !text.contains('\n') && text.contains("\\n") => SecretString::from(text.replace("\\n", "\n")),
        _ => pem,
    };
    if jsonwebtoken::EncodingKey::from_rsa_pem(pem.expose_secret().as_bytes()).is_err() {
        let remedy = "Give the whole text of the .pem file GitHub made, from -----BEGIN to -----END.";
        return problems.add(key, "it is no RSA private key in PEM", remedy);
    }
    Some(pem)
}

fn webhook_secret(
    key: &str,
    text: Option<SecretString>,
    path: Option<PathBuf>,
    problems: &mut Problems<'_>,
) -> Result<Option<SecretString>, ()> {
    let secret = read_secret(key, text, path.as_deref(), problems)?;
    if secret.as_ref().is_some_and(|secret| secret.expose_secret().trim().is_empty()) {
        problems.add::<()>(key, "it is empty: anybody could sign with it", "Give the secret of the App's webhook.");
        return Err(());
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::{addresses, is_private_enough};

    #[test]
    fn each_kind_of_host_has_its_addresses() {
        let of = |name: &str| {
            let host = addresses(name.to_owned());
            (host.api_url, host.graphql_url)
        };
        assert_eq!(of("github.com"), ("https://api.github.com".into(), "https://api.github.com/graphql".into()));
        assert_eq!(of("git.acme.io"), ("https://git.acme.io/api/v3".into(), "https://git.acme.io/api/graphql".into()));
        assert_eq!(of("acme.ghe.com"), ("https://api.acme.ghe.com".into(), "https://api.acme.ghe.com/graphql".into()));
    }

    #[test]
    fn credentials_go_unencrypted_to_this_machine_only() {
        for good in ["https://api.example.com", "http://127.0.0.1:9", "http://[::1]:9", "http://localhost:9/api/v3"] {
            assert!(is_private_enough(good), "{good}");
        }
        for bad in ["http://api.example.com", "http://127.0.0.1.example.com", "http://10.0.0.1"] {
            assert!(!is_private_enough(bad), "{bad}");
        }
    }
}
