//! The long-lived things a job needs, built once at start.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;

use crate::evaluator::{Evaluator, Limits};
use crate::forges::github::{
    AppIdentity, AppKey, BadSetting, Endpoints, GitHub, GitHubSettings, WebhookSecret, WebhookSecrets,
};
use crate::forges::{Forge, Pace};
use crate::review::{BlobCache, Room};
use crate::settings::{GitHubAppSettings, PolicySettings, Settings, SettingsError, SettingsErrors, Source};
use crate::store::{Clock, EndpointName, Store};

/// Most bytes of blobs held in memory.
const BLOB_CACHE_BYTES: usize = 64 * 1024 * 1024;

/// What a job needs from the world.
pub struct App {
    /// Everything the server knows.
    pub store: Store,
    /// The code host behind each endpoint.
    pub forges: BTreeMap<EndpointName, Arc<dyn Forge>>,
    /// Which policies are asked.
    pub policies: PolicySettings,
    /// What is under watch.
    pub sources: Vec<Source>,
    /// Evaluates in a child process.
    pub evaluator: Evaluator,
    /// Blobs that were fetched lately.
    pub blobs: BlobCache,
    /// The memory that reviews share.
    pub room: Room,
    /// The time.
    pub clock: Clock,
}

impl App {
    /// Builds everything from the settings. `program` is this program's own file: the evaluation's child is started from it.
    ///
    /// # Errors
    /// What cannot be built, and why.
    pub async fn build(settings: &Settings, program: PathBuf, pace: Pace, clock: Clock) -> anyhow::Result<Self> {
        let forges = forges(settings, pace)?;
        let store = Store::open(&settings.database).await.context("the database cannot be opened")?;
        Ok(Self {
            store,
            forges,
            policies: settings.policies.clone(),
            sources: settings.sources.clone(),
            evaluator: Evaluator::new(program, Limits::default()),
            blobs: BlobCache::new(BLOB_CACHE_BYTES),
            room: Room::default(),
            clock,
        })
    }

    /// The sources whose concern a pull request into this branch is.
    #[must_use]
    pub fn matching_sources(&self, repository: &str, base_branch: &str) -> Vec<&Source> {
        self.sources.iter().filter(|source| source.matches(repository, base_branch)).collect()
    }
}

/// The code hosts of the settings, by endpoint. Speaks to none of them yet.
///
/// # Errors
/// What cannot be set up; [`SettingsErrors`] when the settings are wrong.
pub fn forges(settings: &Settings, pace: Pace) -> anyhow::Result<BTreeMap<EndpointName, Arc<dyn Forge>>> {
    let github: Arc<dyn Forge> = Arc::new(GitHub::new(github(&settings.github)?, pace)?);
    Ok(BTreeMap::from([(github.kind().parse()?, github)]))
}

/// What a GitHub is built from.
///
/// # Errors
/// Every setting that cannot be used.
pub fn github(settings: &GitHubAppSettings) -> Result<GitHubSettings, SettingsErrors> {
    let mut wrong = Vec::new();
    let endpoints = match &settings.api_url {
        Some(url) => noted("github.api_url", Endpoints::of_api_url(url), &mut wrong),
        None => noted("github.host", Endpoints::of_host(&settings.host), &mut wrong),
    };
    let (id, id_key) = &settings.app;
    let app = noted(id_key, id.parse::<AppIdentity>(), &mut wrong);
    let key = noted("github.private_key", AppKey::from_pem(&settings.private_key), &mut wrong);
    let secret = WebhookSecret::new(settings.webhook_secret.clone());
    let current = noted("github.webhook_secret", secret, &mut wrong);
    let previous = settings.webhook_secret_previous.clone().map(WebhookSecret::new).transpose();
    let previous = noted("github.webhook_secret_previous", previous, &mut wrong);
    match (endpoints, app, key, current, previous) {
        (Some(endpoints), Some(app), Some(key), Some(current), Some(previous)) => {
            Ok(GitHubSettings { endpoints, app, key, webhook_secrets: WebhookSecrets { current, previous } })
        }
        _ => Err(SettingsErrors(wrong)),
    }
}

fn noted<T>(key: &str, built: Result<T, BadSetting>, wrong: &mut Vec<SettingsError>) -> Option<T> {
    built
        .map_err(|error| {
            let (key, problem) = (key.to_owned(), error.to_string());
            wrong.push(SettingsError { key, origin: None, problem, remedy: String::new() });
        })
        .ok()
}
