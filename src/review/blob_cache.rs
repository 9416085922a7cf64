//! The content of blobs by object id, as much as fits: a blob never changes, so nothing in it is ever stale.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Blobs that were fetched lately. Clones are the same cache.
#[derive(Clone)]
pub struct BlobCache(Arc<Mutex<Held>>);

struct Held {
    limit_bytes: usize,
    bytes: usize,
    blobs: HashMap<String, Arc<[u8]>>,
    by_age: VecDeque<String>,
}

impl BlobCache {
    /// A cache that holds at most so many bytes of content.
    #[must_use]
    pub fn new(limit_bytes: usize) -> Self {
        let held = Held { limit_bytes, bytes: 0, blobs: HashMap::new(), by_age: VecDeque::new() };
        Self(Arc::new(Mutex::new(held)))
    }

    /// The content of a blob, if it is held.
    #[must_use]
    pub fn get(&self, blob: &str) -> Option<Arc<[u8]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).blobs.get(blob).cloned()
    }

    /// Holds the content of a blob; the oldest make room.
    pub fn put(&self, blob: &str, content: &[u8]) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if content.len() > held.limit_bytes / 4 || held.blobs.contains_key(blob) {
            return;
        }
        held.bytes += content.len();
        held.blobs.insert(blob.to_owned(), content.into());
        held.by_age.push_back(blob.to_owned());
        while held.bytes > held.limit_bytes {
            let Some(oldest) = held.by_age.pop_front() else { return };
            let freed = held.blobs.remove(&oldest).map_or(0, |content| content.len());
            held.bytes = held.bytes.saturating_sub(freed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room_and_the_huge_are_not_kept() {
        let cache = BlobCache::new(40);
        for name in ["a", "b", "c", "d", "e"] {
            cache.put(name, &[0; 10]);
        }
        assert!(cache.get("a").is_none() && cache.get("b").is_some() && cache.get("e").is_some());
        cache.put("huge", &[0; 11]);
        assert!(cache.get("huge").is_none());
    }
}
