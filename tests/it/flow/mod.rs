//! The main road, end to end: a signed webhook over HTTP, the queue, the code host over HTTP, the evaluation in a process of its
//! own, and the check run at the end. `world` holds what these tests share; each file is one promise.
//!
//! With `PORTCULLIS_REQUEST_LOG_DIR` set to a folder each test leaves its requests and their answers there as JSON lines, so that
//! a validator of GitHub's own description can judge them.

mod again;
mod answers;
mod changes;
mod events;
mod faults;
mod hostile;
mod manifests;
mod markdown;
mod merge_groups;
mod monorepo;
mod process;
mod requests;
mod seen;
mod suppressions;
mod survival;
mod world;
