//! Why a try of a job did not do, and what may help.

use std::time::Duration;

use super::Fault;
use crate::forges::ForgeError;
use crate::store::StoreError;

/// Why a try of a job did not do, and what may help.
#[derive(Debug)]
pub enum JobError {
    /// Somebody asked to wait. Does not count as a try, unless the job is older than a day.
    Retry {
        /// How long.
        after: Duration,
        /// Why.
        reason: String,
    },
    /// The host cannot be reached. Counts as a try, but for a day the last one is not the last: outages end.
    Unreachable(anyhow::Error),
    /// Another try may help, a little later.
    Failed(anyhow::Error),
    /// No other try will help.
    Hopeless(anyhow::Error),
}

impl JobError {
    /// What went wrong, with its causes.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Retry { reason, .. } => reason.clone(),
            Self::Unreachable(error) | Self::Failed(error) | Self::Hopeless(error) => format!("{error:#}"),
        }
    }

    /// Who can do something about it.
    pub(super) fn fault(&self) -> Fault {
        match self {
            Self::Retry { .. } => Fault::Host,
            Self::Unreachable(error) | Self::Failed(error) | Self::Hopeless(error) => {
                if error.downcast_ref::<ForgeError>().is_some() { Fault::Host } else { Fault::Ours }
            }
        }
    }
}

impl From<anyhow::Error> for JobError {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<ForgeError>() {
            Ok(error) => error.into(),
            Err(error) => Self::Failed(error),
        }
    }
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TooLarge(_) => Self::Hopeless(error.into()),
            _ => Self::Failed(error.into()),
        }
    }
}

impl From<ForgeError> for JobError {
    fn from(error: ForgeError) -> Self {
        match error {
            ForgeError::Wait { wait, ref reason } => Self::Retry { after: wait, reason: reason.clone() },
            ForgeError::Unreachable(_) => Self::Unreachable(error.into()),
            // What was just announced may take a moment to be there.
            ForgeError::NotFound(_) => Self::Failed(error.into()),
            ForgeError::Refused(_) | ForgeError::TooLarge(_) => Self::Hopeless(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn a_hosts_wish_to_wait_is_heard_through_any_context() {
        let wait = || ForgeError::Wait { wait: Duration::from_secs(9), reason: "slow down".into() };
        let failed: Result<(), ForgeError> = Err(wait());
        let error = failed.context("reading the tree").unwrap_err();
        assert!(matches!(JobError::from(error), JobError::Retry { after, .. } if after.as_secs() == 9));
        assert!(matches!(JobError::from(wait()), JobError::Retry { .. }));
        assert!(matches!(JobError::from(ForgeError::Refused("no".into())), JobError::Hopeless(_)));
    }
}
