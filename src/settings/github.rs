//! The GitHub App this server acts as, and the host it is registered on, as texts: what they have to be its folder in `forges`
//! knows.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::error::Problems;
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
    /// The host whose pages people visit.
    pub host: String,
    /// Where its REST interface is, when that does not follow from the host.
    pub api_url: Option<String>,
    /// The App's number or client id, and the key it was given under.
    pub app: (String, &'static str),
    /// Its private key, as PEM text.
    pub private_key: SecretString,
    /// What deliveries are signed with.
    pub webhook_secret: SecretString,
    /// What they were signed with before, while a new secret takes over.
    pub webhook_secret_previous: Option<SecretString>,
}

impl TypedGitHub {
    pub(super) fn validate(self, problems: &mut Problems<'_>) -> Option<GitHubAppSettings> {
        let app = app_id(self.app_id, self.client_id, problems);
        let private_key = private_key(self.private_key, self.private_key_path, problems);
        let path = self.webhook_secret_path.as_deref();
        let secret = read_secret("github.webhook_secret", self.webhook_secret, path, problems);
        let path = self.webhook_secret_previous_path.as_deref();
        let previous = read_secret("github.webhook_secret_previous", self.webhook_secret_previous, path, problems);
        let secret = match secret.ok()? {
            Some(secret) => Some(secret),
            None => {
                let remedy = "Set it (or github.webhook_secret_path, or PORTCULLIS_GITHUB__WEBHOOK_SECRET) to the secret of the App's webhook.";
                problems.add("github.webhook_secret", "it is not given", remedy)
            }
        };
        Some(GitHubAppSettings {
            host: self.host,
            api_url: self.api_url,
            app: app?,
            private_key: private_key?,
            webhook_secret: secret?,
            webhook_secret_previous: previous.ok()?,
        })
    }
}

fn app_id(id: Option<u64>, client_id: Option<String>, problems: &mut Problems<'_>) -> Option<(String, &'static str)> {
    match (id, client_id) {
        (Some(id), None) => Some((id.to_string(), "github.app_id")),
        (None, Some(text)) => Some((text, "github.client_id")),
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
    Some(pem)
}
