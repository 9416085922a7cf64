//! Reading columns back into checked values.

use sqlx::any::AnyRow;
use sqlx::{ColumnIndex, Row};

use super::{Moment, StoreError};

/// Columns as checked values.
pub(super) trait Columns {
    /// A text that must be what its type says.
    fn parsed<T: TryFrom<String>>(&self, column: &'static str) -> Result<T, StoreError>;
    /// As [`Columns::parsed`], where there may be none.
    fn parsed_if_any<T: TryFrom<String>>(&self, column: &'static str) -> Result<Option<T>, StoreError>;
    /// A point in time.
    fn moment(&self, column: &'static str) -> Result<Moment, StoreError>;
    /// A count or number that is never negative.
    fn whole<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, StoreError>;
}

impl Columns for AnyRow
where
    &'static str: ColumnIndex<AnyRow>,
{
    fn parsed<T: TryFrom<String>>(&self, column: &'static str) -> Result<T, StoreError> {
        T::try_from(self.try_get(column)?).map_err(|_| StoreError::Corrupt(column))
    }

    fn parsed_if_any<T: TryFrom<String>>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.try_get(column)?;
        text.map(T::try_from).transpose().map_err(|_| StoreError::Corrupt(column))
    }

    fn moment(&self, column: &'static str) -> Result<Moment, StoreError> {
        Ok(Moment(self.try_get(column)?))
    }

    fn whole<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, StoreError> {
        T::try_from(self.try_get(column)?).map_err(|_| StoreError::Corrupt(column))
    }
}
