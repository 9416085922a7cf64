//! Installations: the accounts of a code host we may act for.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::change::Change;
use super::row::Columns;
use super::{EndpointName, Moment, Store, StoreError};
use crate::forges::Access;

/// An account we may act for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// The endpoint its deliveries arrive at.
    pub endpoint: EndpointName,
    /// How to reach it.
    pub access: Access,
    /// The account's name.
    pub account: String,
    /// Whether we may act.
    pub state: InstallationState,
}

/// Whether we may act for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstallationState {
    /// We may.
    Active,
    /// Not for now.
    Suspended,
    /// Not any more.
    Removed,
}

impl InstallationState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Removed => "removed",
        }
    }
}

impl TryFrom<String> for InstallationState {
    type Error = ();

    fn try_from(text: String) -> Result<Self, ()> {
        [Self::Active, Self::Suspended, Self::Removed].into_iter().find(|state| state.as_str() == text).ok_or(())
    }
}

impl Store {
    /// Notes what was heard of an installation at a time; what was heard before is not believed over what was heard later.
    ///
    /// # Errors
    /// Nothing was noted.
    pub async fn save_installation(&self, seen: Installation, at: Moment) -> Result<(), StoreError> {
        self.write(SaveInstallation { seen, at }).await
    }

    /// An installation.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn installation(
        &self,
        endpoint: &EndpointName,
        access: &Access,
    ) -> Result<Option<Installation>, StoreError> {
        let found = sqlx::query(
            "SELECT endpoint, access, account, state FROM installations WHERE endpoint = $1 AND access = $2",
        )
        .bind(endpoint.as_str())
        .bind(access.0.as_str())
        .fetch_optional(self.readers())
        .await?;
        found.as_ref().map(record).transpose()
    }

    /// All installations, by account; the first 10,000.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn installations(&self) -> Result<Vec<Installation>, StoreError> {
        let rows = sqlx::query(
            "SELECT endpoint, access, account, state FROM installations ORDER BY account, endpoint, access LIMIT 10000",
        )
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(record).collect()
    }
}

fn record(row: &AnyRow) -> Result<Installation, StoreError> {
    let access: String = row.try_get("access")?;
    Ok(Installation {
        endpoint: row.parsed("endpoint")?,
        access: Access(access),
        account: row.try_get("account")?,
        state: row.parsed("state")?,
    })
}

struct SaveInstallation {
    seen: Installation,
    at: Moment,
}

impl Change for SaveInstallation {
    type Answer = ();

    async fn apply(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO installations (endpoint, access, account, state, updated_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (endpoint, access) DO UPDATE SET account = excluded.account, state = excluded.state, \
             updated_at = excluded.updated_at WHERE excluded.updated_at >= installations.updated_at",
        )
        .bind(self.seen.endpoint.as_str())
        .bind(self.seen.access.0.as_str())
        .bind(self.seen.account.as_str())
        .bind(self.seen.state.as_str())
        .bind(self.at.0)
        .execute(connection)
        .await?;
        Ok(())
    }
}
