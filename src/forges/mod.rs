//! Code hosts behind one trait: verify a delivery, decode it, read trees and blobs, publish a check.
//!
//! Nothing above this module knows a host's field names, limits or URLs.

mod event;
mod forge;
mod http;
mod identity;

/// GitHub: github.com, Enterprise Server, ghe.com.
pub mod github;

pub use event::{Event, InstallationChange, MergeGroup, PullRequestAction, PullRequestEvent};
pub use forge::{
    Annotation, AnnotationLevel, BlobRequest, Capabilities, Check, CheckId, CheckKey, CheckOutput, CheckState,
    Conclusion, Forge, ForgeError, KnownCheck, PullRequest, PullRequestFilter, PullRequestState, Rejection,
    VerifiedDelivery,
};
pub use http::{Pace, TransportError};
pub use identity::{Access, BranchName, CommitSha, DeliveryId, IdentityError, Repository, RepositoryName};
