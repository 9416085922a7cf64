//! Letting go of what is old, a few rows at a time, so that nobody waits for it.

use sqlx::AnyConnection;

use super::change::Change;
use super::{Moment, Store, StoreError};

/// Most rows touched in one transaction.
const STEP_ROWS: i64 = 500;

/// Bodies of deliveries none of whose jobs is live or dead: a dead one may be revived and wants its body.
const BODIES: &str = "UPDATE deliveries SET body = NULL WHERE (endpoint, id) IN (\
     SELECT endpoint, id FROM deliveries AS old WHERE old.received_at < $1 AND old.body IS NOT NULL AND NOT EXISTS (\
     SELECT 1 FROM jobs WHERE jobs.endpoint = old.endpoint AND jobs.delivery = old.id \
     AND jobs.state IN ('ready', 'running', 'dead')) LIMIT $2)";
const JOBS: &str = "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finished_at < $1 LIMIT $2)";
const DELIVERIES: &str = "DELETE FROM deliveries WHERE (endpoint, id) IN (\
     SELECT endpoint, id FROM deliveries AS old WHERE old.received_at < $1 AND NOT EXISTS (\
     SELECT 1 FROM jobs WHERE jobs.endpoint = old.endpoint AND jobs.delivery = old.id) LIMIT $2)";
const REVIEWS: &str = "DELETE FROM reviews WHERE (endpoint, repository, key) IN (\
     SELECT endpoint, repository, key FROM reviews WHERE finished_at < $1 LIMIT $2)";
const CHECKS: &str = "DELETE FROM checks WHERE (endpoint, repository, key) IN (\
     SELECT endpoint, repository, key FROM checks WHERE updated_at < $1 LIMIT $2)";

impl Store {
    /// Lets go of bodies received before `bodies_before` and of everything that ended before `history_before`. Jobs that are
    /// live, and the deliveries they need, stay whatever their age. Says how many rows it touched.
    ///
    /// # Errors
    /// The database did not answer; what was let go until then stays gone.
    pub async fn purge(&self, bodies_before: Moment, history_before: Moment) -> Result<u64, StoreError> {
        let steps = [
            (BODIES, bodies_before),
            (JOBS, history_before),
            (DELIVERIES, history_before),
            (REVIEWS, history_before),
            (CHECKS, history_before),
        ];
        let mut touched = 0;
        for (statement, before) in steps {
            loop {
                let rows = self.write(Purge { statement, before }).await?;
                touched += rows;
                if rows < STEP_ROWS.unsigned_abs() {
                    break;
                }
            }
        }
        Ok(touched)
    }
}

struct Purge {
    statement: &'static str,
    before: Moment,
}

impl Change for Purge {
    type Answer = u64;

    async fn apply(&self, connection: &mut AnyConnection) -> Result<u64, StoreError> {
        let done = sqlx::query(self.statement).bind(self.before.0).bind(STEP_ROWS).execute(connection).await?;
        Ok(done.rows_affected())
    }
}
