//! What requests, pages, deliveries and tests share: the state behind one lock, and the means to wake whoever waits for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::faults::Faults;
use super::recording::Recorder;
use super::state::GitHub;

/// Shared by everything that runs in one stand-in.
pub(crate) struct Shared {
    github: Mutex<GitHub>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) recorder: Recorder,
    /// The state may have something to deliver.
    pub(crate) changed: Notify,
    /// A delivery has come to its end.
    pub(crate) delivered: Notify,
}

/// What every task holds.
pub(crate) type Stand = Arc<Shared>;

impl Shared {
    pub(crate) fn new(github: GitHub, recorder: Recorder) -> Stand {
        Arc::new(Self {
            github: Mutex::new(github),
            faults: Mutex::default(),
            recorder,
            changed: Notify::new(),
            delivered: Notify::new(),
        })
    }

    /// Looks at the state or changes it; what that queues is delivered in the background.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut GitHub) -> T) -> T {
        let result = act(&mut self.lock());
        self.changed.notify_one();
        result
    }

    /// The same without waking the deliveries: for those themselves.
    pub(crate) fn lock(&self) -> MutexGuard<'_, GitHub> {
        self.github.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
