//! The GitHub forge over real HTTP, against a scripted host on loopback.

mod checks;
mod limits;
mod reading;
mod scripted;
mod tokens;

use std::time::Duration;

use portcullis::forges::github::{AppKey, Endpoints, GitHub, GitHubSettings, WebhookSecret, WebhookSecrets};
use portcullis::forges::{Access, CommitSha, Pace, Repository};
use secrecy::SecretString;

use scripted::Host;

/// Fast enough for tests, with the same rules.
fn pace() -> Pace {
    Pace {
        write_gap: Duration::ZERO,
        points_per_minute: 1_000_000,
        backoff: Duration::from_millis(1),
        patience: Duration::from_millis(200),
        ..Pace::default()
    }
}

fn settings(host: &Host) -> GitHubSettings {
    let pem = SecretString::from(include_str!("../../../fixtures/keys/test-app.pem"));
    GitHubSettings {
        endpoints: Endpoints::of_api_url(&host.api_url()).unwrap(),
        app: "4242".parse().unwrap(),
        key: AppKey::from_pem(&pem).unwrap(),
        webhook_secrets: WebhookSecrets {
            current: WebhookSecret::new(SecretString::from("It's a Secret to Everybody")).unwrap(),
            previous: None,
        },
    }
}

fn forge(host: &Host) -> GitHub {
    GitHub::new(settings(host), pace()).unwrap()
}

fn repository(name: &str) -> Repository {
    repository_of("1001", name)
}

fn repository_of(installation: &str, name: &str) -> Repository {
    Repository { name: name.parse().unwrap(), access: Access(installation.to_owned()) }
}

fn sha(digit: char) -> CommitSha {
    digit.to_string().repeat(40).parse().unwrap()
}
