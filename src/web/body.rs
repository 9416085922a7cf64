//! Bodies, read with a limit on the size of each, the memory of all and the time of each.
//!
//! Memory is counted as it arrives, not as it is announced: who announces much and sends little holds little. When there is no
//! more, the request is turned away at once rather than kept waiting with what it already holds.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// One permit stands for so many bytes of memory.
const PERMIT_BYTES: usize = 1024;
/// Room for a body at first; most fit.
const FIRST_ROOM_BYTES: usize = 32 << 10;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is larger than the limit.
    TooLarge,
    /// It did not arrive in time.
    TooSlow,
    /// There is no memory left for it.
    NoRoom,
    /// The sender stopped sending.
    Broken,
}

/// A body and the memory it counts for, until it is dropped.
pub(super) struct HeldBody {
    pub(super) bytes: Bytes,
    _memory: Option<OwnedSemaphorePermit>,
}

/// The memory for the bodies of all requests.
pub(super) struct BodyMemory(Arc<Semaphore>);

impl BodyMemory {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / PERMIT_BYTES).min(Semaphore::MAX_PERMITS))))
    }

    /// Reads a body of at most `limit` bytes within `time`.
    pub(super) async fn read(&self, body: Body, limit: usize, time: Duration) -> Result<HeldBody, BodyError> {
        timeout(time, self.read_in_any_time(body, limit)).await.unwrap_or(Err(BodyError::TooSlow))
    }

    async fn read_in_any_time(&self, mut body: Body, limit: usize) -> Result<HeldBody, BodyError> {
        use axum::body::HttpBody;
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > limit {
            return Err(BodyError::TooLarge);
        }
        let mut bytes = BytesMut::with_capacity(announced.min(FIRST_ROOM_BYTES));
        let mut memory = None;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
            if data.len() > limit - bytes.len() {
                return Err(BodyError::TooLarge);
            }
            self.take(&mut memory, bytes.len() + data.len())?;
            bytes.extend_from_slice(&data);
        }
        Ok(HeldBody { bytes: bytes.freeze(), _memory: memory })
    }

    /// Makes what is held enough for a body of `bytes`.
    fn take(&self, held: &mut Option<OwnedSemaphorePermit>, bytes: usize) -> Result<(), BodyError> {
        let wanted = (2 * bytes).div_ceil(PERMIT_BYTES);
        let missing = wanted.saturating_sub(held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        let missing = u32::try_from(missing).map_err(|_| BodyError::NoRoom)?;
        let more = self.0.clone().try_acquire_many_owned(missing).map_err(|_| BodyError::NoRoom)?;
        match held {
            Some(held) => held.merge(more),
            None => *held = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    async fn read(memory: &BodyMemory, bytes: usize, limit: usize) -> Result<HeldBody, BodyError> {
        memory.read(Body::from(vec![b'x'; bytes]), limit, LONG).await
    }

    #[tokio::test]
    async fn memory_is_held_as_long_as_the_body() {
        let memory = BodyMemory::new(100 * PERMIT_BYTES);
        let first = read(&memory, 40 * PERMIT_BYTES, usize::MAX).await.unwrap();
        assert_eq!(first.bytes.len(), 40 * PERMIT_BYTES);
        assert_eq!(memory.0.available_permits(), 20);
        assert_eq!(read(&memory, 11 * PERMIT_BYTES, usize::MAX).await.err(), Some(BodyError::NoRoom));
        let second = read(&memory, 10 * PERMIT_BYTES, usize::MAX).await.unwrap();
        assert_eq!(memory.0.available_permits(), 0);
        drop((first, second));
        assert_eq!(memory.0.available_permits(), 100);
    }

    #[tokio::test]
    async fn the_limit_itself_is_not_too_large() {
        let memory = BodyMemory::new(1 << 20);
        assert_eq!(read(&memory, 1000, 1000).await.unwrap().bytes.len(), 1000);
        assert_eq!(read(&memory, 1001, 1000).await.err(), Some(BodyError::TooLarge));
        assert_eq!(read(&memory, 0, 1000).await.unwrap().bytes.len(), 0);
    }
}
