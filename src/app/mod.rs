//! The long-lived things a job needs, built once at start.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;

use crate::evaluator::{Evaluator, Limits};
use crate::forges::github::{AppIdentity, AppKey, Endpoints, GitHub, GitHubSettings, WebhookSecrets};
use crate::forges::{Forge, Pace};
use crate::review::BlobCache;
use crate::settings::{GitHubAppId, GitHubAppSettings, PolicySettings, Settings, Source};
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
    /// The time.
    pub clock: Clock,
}

impl App {
    /// Builds everything from the settings. `program` is this program's own file: the evaluation's child is started from it.
    ///
    /// # Errors
    /// What cannot be built, and why.
    pub async fn build(settings: &Settings, program: PathBuf, pace: Pace, clock: Clock) -> anyhow::Result<Self> {
        let store = Store::open(&settings.database).await.context("the database cannot be opened")?;
        Ok(Self {
            store,
            forges: forges(settings, pace)?,
            policies: settings.policies.clone(),
            sources: settings.sources.clone(),
            evaluator: Evaluator::new(program, Limits::default()),
            blobs: BlobCache::new(BLOB_CACHE_BYTES),
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
/// What cannot be set up, with the key of the setting.
pub fn forges(settings: &Settings, pace: Pace) -> anyhow::Result<BTreeMap<EndpointName, Arc<dyn Forge>>> {
    let github = github(&settings.github, pace).context("the GitHub App cannot be set up")?;
    Ok(BTreeMap::from([(github.kind().parse()?, github)]))
}

fn github(settings: &GitHubAppSettings, pace: Pace) -> anyhow::Result<Arc<dyn Forge>> {
    let app = match &settings.app {
        GitHubAppId::AppId(id) => AppIdentity::Id(*id),
        GitHubAppId::ClientId(id) => AppIdentity::ClientId(id.clone()),
    };
    let secrets = WebhookSecrets::new(settings.webhook_secret.clone(), settings.webhook_secret_previous.clone());
    let settings = GitHubSettings {
        endpoints: Endpoints::of_api_url(&settings.host.api_url).context("github.host or github.api_url")?,
        app,
        key: AppKey::from_pem(&settings.private_key).context("github.private_key")?,
        webhook_secrets: secrets.context("github.webhook_secret")?,
    };
    Ok(Arc::new(GitHub::new(settings, pace)?))
}
