//! How much of memory reviews may take together: small ones go side by side, of large ones there is one at a time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A review that reads no more than this, head and merge base together, is small, in bytes.
const SMALL_BYTES: u64 = 32 * 1024 * 1024;

/// The room for large reviews. Clones are the same room.
#[derive(Clone)]
pub struct Room(Arc<Semaphore>);

/// A review's place; a large one keeps other large ones out until this is dropped.
#[derive(Debug, Default)]
pub struct Place(Option<OwnedSemaphorePermit>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Room {
    /// Waits until a review may hold so many bytes. It asks again before it holds more.
    pub async fn make(&self, bytes: u64, place: &mut Place) {
        if bytes > SMALL_BYTES && place.0.is_none() {
            // The room is never closed.
            place.0 = self.0.clone().acquire_owned().await.ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn large_reviews_wait_for_each_other_and_small_ones_for_nobody() {
        let room = Room::default();
        let (mut first, mut second, mut small) = (Place::default(), Place::default(), Place::default());
        assert!(room.make(SMALL_BYTES + 1, &mut first).now_or_never().is_some());
        assert!(room.make(2 * SMALL_BYTES, &mut first).now_or_never().is_some(), "it has its place");
        assert!(room.make(SMALL_BYTES, &mut small).now_or_never().is_some());
        assert!(room.make(SMALL_BYTES + 1, &mut second).now_or_never().is_none());
        drop(first);
        assert!(room.make(SMALL_BYTES + 1, &mut second).now_or_never().is_some());
    }
}
