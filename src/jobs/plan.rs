//! What follows from an event: pure, so that every row can be tested without a host.

use serde::{Deserialize, Serialize};

use crate::forges::{
    BranchName, CommitSha, Event, InstallationChange, MergeGroup, PullRequestAction, PullRequestEvent, Repository,
};
use crate::settings::Source;
use crate::store::{EndpointName, NewJob};

/// Reviews of a pull request somebody waits for come before what only keeps things fresh.
const WAITED_FOR: i32 = 10;
const FRESHNESS: i32 = -10;

/// Why a pull request is reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Reason {
    /// It changed: what was answered already for the same commits still stands.
    Changed,
    /// Somebody asked again, with this delivery: a new answer is wanted.
    Again(String),
}

impl Reason {
    /// What tells this answer apart from those before.
    pub(super) fn again(&self) -> Option<&str> {
        match self {
            Self::Changed => None,
            Self::Again(delivery) => Some(delivery),
        }
    }
}

/// The payload of a review of a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReviewPullRequest {
    /// How its host is reached.
    pub(super) endpoint: EndpointName,
    /// Where.
    pub(super) repository: Repository,
    /// Its number.
    pub(super) number: u64,
    /// Why.
    pub(super) reason: Reason,
    /// The head the delivery announced, and the one before: the host's own answers may lag behind.
    pub(super) announced: Option<Announced>,
}

/// The head a delivery announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Announced {
    /// Now.
    pub(super) head: CommitSha,
    /// Before.
    pub(super) before: Option<CommitSha>,
}

/// The payload of a review of a merge queue's group, and of its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReviewMergeGroup {
    /// How its host is reached.
    pub(super) endpoint: EndpointName,
    /// The group.
    pub(super) group: MergeGroup,
    /// Whether it is gone.
    pub(super) is_gone: bool,
    /// Asked for again with this delivery.
    pub(super) again: Option<String>,
}

/// The payload of a search for what a commit belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReviewHeadAgain {
    /// How its host is reached.
    pub(super) endpoint: EndpointName,
    /// Where.
    pub(super) repository: Repository,
    /// The commit.
    pub(super) head: CommitSha,
    /// The pull requests the delivery names.
    pub(super) pull_requests: Vec<u64>,
    /// The delivery.
    pub(super) delivery: String,
}

/// The payload of a look at the pull requests into a branch that moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecheckBranch {
    /// How its host is reached.
    pub(super) endpoint: EndpointName,
    /// Where.
    pub(super) repository: Repository,
    /// The branch.
    pub(super) branch: BranchName,
    /// Pull requests up to this number have been looked at.
    #[serde(default)]
    pub(super) after: u64,
}

/// The payload of a note about an installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NoteInstallation {
    /// The endpoint its deliveries arrive at.
    pub(super) endpoint: EndpointName,
    /// Which connection.
    pub(super) access: crate::forges::Access,
    /// The account.
    pub(super) account: String,
    /// What happened.
    pub(super) change: InstallationChange,
}

/// The kinds of jobs, for ever.
pub(super) mod kind {
    /// See `ReviewPullRequest`.
    pub(in crate::jobs) const REVIEW_PULL_REQUEST: &str = "review_pull_request";
    /// The same, asked for again.
    pub(in crate::jobs) const REVIEW_PULL_REQUEST_AGAIN: &str = "review_pull_request_again";
    /// See `ReviewMergeGroup`.
    pub(in crate::jobs) const REVIEW_MERGE_GROUP: &str = "review_merge_group";
    /// See `ReviewHeadAgain`.
    pub(in crate::jobs) const REVIEW_HEAD_AGAIN: &str = "review_head_again";
    /// See `RecheckBranch`.
    pub(in crate::jobs) const RECHECK_BRANCH: &str = "recheck_branch";
    /// The same, for those it left over.
    pub(in crate::jobs) const RECHECK_BRANCH_REST: &str = "recheck_branch_rest";
    /// See `NoteInstallation`.
    pub(in crate::jobs) const NOTE_INSTALLATION: &str = "note_installation";
}

/// The jobs that follow from an event.
#[must_use]
pub(super) fn plan(event: Event, endpoint: &EndpointName, delivery: &str, sources: &[Source]) -> Vec<NewJob> {
    let endpoint = endpoint.clone();
    match event {
        Event::PullRequest(event) => of_pull_request(event, endpoint, sources).into_iter().collect(),
        Event::Push { repository, branch, after: Some(_), .. } if is_watched(sources, &repository, &branch) => {
            vec![recheck(kind::RECHECK_BRANCH, &RecheckBranch { endpoint, repository, branch, after: 0 })]
        }
        Event::Push { .. } | Event::Ping | Event::Ignored { .. } => Vec::new(),
        Event::CheckRerequested { repository, head, pull_requests } => {
            let delivery = delivery.to_owned();
            vec![head_again(&ReviewHeadAgain { endpoint, repository, head, pull_requests, delivery })]
        }
        Event::MergeGroupRequested(group) if is_watched(sources, &group.repository, &group.base_branch) => {
            vec![review_group(&ReviewMergeGroup { endpoint, group, is_gone: false, again: None })]
        }
        Event::MergeGroupRequested(_) => Vec::new(),
        Event::MergeGroupDestroyed(group) => {
            vec![review_group(&ReviewMergeGroup { endpoint, group, is_gone: true, again: None })]
        }
        Event::Installation { access, account, change } => {
            let note = NoteInstallation { endpoint, access, account, change };
            vec![NewJob::new(kind::NOTE_INSTALLATION, payload(&note))]
        }
    }
}

/// A closed pull request is looked at too: what is in progress for it has to end. So is one whose base branch changed to one
/// nobody watches.
fn of_pull_request(event: PullRequestEvent, endpoint: EndpointName, sources: &[Source]) -> Option<NewJob> {
    let ends = matches!(event.action, PullRequestAction::Closed | PullRequestAction::BaseChanged);
    if !ends && !is_watched(sources, &event.repository, &event.base_branch) {
        return None;
    }
    let announced = Some(Announced { head: event.head, before: event.head_before });
    let PullRequestEvent { repository, number, .. } = event;
    Some(review(&ReviewPullRequest { endpoint, repository, number, reason: Reason::Changed, announced }))
}

fn is_watched(sources: &[Source], repository: &Repository, base_branch: &BranchName) -> bool {
    sources.iter().any(|source| source.matches(repository.name.as_str(), base_branch.as_str()))
}

/// A review of a pull request takes the place of those before it; one that looks whether anything changed takes that of none that
/// was asked for again.
#[must_use]
pub(super) fn review(review: &ReviewPullRequest) -> NewJob {
    let lane = format!("pr:{}:{}#{}", review.endpoint, review.repository.name, review.number);
    let kind = match review.reason {
        Reason::Changed => kind::REVIEW_PULL_REQUEST,
        Reason::Again(_) => kind::REVIEW_PULL_REQUEST_AGAIN,
    };
    NewJob::new(kind, payload(review)).in_lane(lane).superseding_lane().with_priority(WAITED_FOR)
}

/// A review of a merge group, or its end, takes the place of those before it.
#[must_use]
pub(super) fn review_group(review: &ReviewMergeGroup) -> NewJob {
    let lane = group_lane(&review.endpoint, &review.group.repository, &review.group.head);
    NewJob::new(kind::REVIEW_MERGE_GROUP, payload(review)).in_lane(lane).superseding_lane().with_priority(WAITED_FOR)
}

/// The lane of a merge group's reviews.
#[must_use]
pub(super) fn group_lane(endpoint: &EndpointName, repository: &Repository, head: &CommitSha) -> String {
    format!("group:{endpoint}:{}@{head}", repository.name)
}

fn head_again(again: &ReviewHeadAgain) -> NewJob {
    NewJob::new(kind::REVIEW_HEAD_AGAIN, payload(again)).with_priority(WAITED_FOR)
}

/// A look at those that another look left over.
#[must_use]
pub(super) fn recheck_rest(rest: &RecheckBranch) -> NewJob {
    recheck(kind::RECHECK_BRANCH_REST, rest)
}

fn recheck(kind: &str, recheck: &RecheckBranch) -> NewJob {
    let lane = format!("branch:{}:{}:{}", recheck.endpoint, recheck.repository.name, recheck.branch);
    NewJob::new(kind, payload(recheck)).in_lane(lane).superseding_lane().with_priority(FRESHNESS)
}

/// Our own structs always have a JSON form.
fn payload<T: Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}
