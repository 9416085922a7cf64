//! Keeps note of the accounts we may act for.

use async_trait::async_trait;

use super::plan::{NoteInstallation, kind};
use super::{Job, JobError, Outcome, Run};
use crate::app::App;
use crate::forges::InstallationChange;
use crate::store::{Installation, InstallationState};

pub(super) struct NoteInstallationJob;

#[async_trait]
impl Job<App> for NoteInstallationJob {
    fn kind(&self) -> &'static str {
        kind::NOTE_INSTALLATION
    }

    async fn run(&self, app: &App, run: &Run) -> Result<Outcome, JobError> {
        let NoteInstallation { endpoint, access, account, change } = run.payload()?;
        let state = match change {
            InstallationChange::Created
            | InstallationChange::Resumed
            | InstallationChange::PermissionsAccepted
            | InstallationChange::Repositories { .. } => InstallationState::Active,
            InstallationChange::Suspended => InstallationState::Suspended,
            InstallationChange::Deleted => InstallationState::Removed,
        };
        let seen = Installation { endpoint, access, account, state };
        app.store.save_installation(seen, run.created_at).await?;
        Ok(Outcome::done())
    }
}
