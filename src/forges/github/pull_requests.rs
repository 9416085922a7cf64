//! Pull requests as they are now, and the commit their changes are measured from.

use serde::Deserialize;

use super::api::RepositoryApi;
use crate::forges::http::percent_encode;
use crate::forges::{BranchName, CommitSha, ForgeError, PullRequest, PullRequestFilter, PullRequestState};

#[derive(Deserialize)]
struct Listed {
    number: u64,
    title: Option<String>,
    state: Option<String>,
    draft: Option<bool>,
    head: ListedHead,
    base: ListedBase,
}

#[derive(Deserialize)]
struct ListedHead {
    sha: CommitSha,
}

#[derive(Deserialize)]
struct ListedBase {
    #[serde(rename = "ref")]
    branch: BranchName,
}

#[derive(Deserialize)]
struct Reference {
    object: ReferenceTarget,
}

#[derive(Deserialize)]
struct ReferenceTarget {
    sha: CommitSha,
}

#[derive(Deserialize)]
struct Comparison {
    merge_base_commit: Option<ReferenceTarget>,
}

impl Listed {
    fn is_open(&self) -> bool {
        self.state.as_deref() == Some("open")
    }

    fn into_pull_request(self) -> PullRequest {
        PullRequest {
            state: if self.is_open() { PullRequestState::Open } else { PullRequestState::Closed },
            number: self.number,
            title: self.title.unwrap_or_default(),
            draft: self.draft.unwrap_or(false),
            head: self.head.sha,
            base_branch: self.base.branch,
        }
    }
}

/// One pull request.
pub(super) async fn one(api: &RepositoryApi<'_>, number: u64) -> Result<PullRequest, ForgeError> {
    let listed: Listed = api.get(&format!("pulls/{number}")).await?;
    Ok(listed.into_pull_request())
}

/// The open pull requests a filter selects.
pub(super) async fn open(api: &RepositoryApi<'_>, filter: &PullRequestFilter) -> Result<Vec<PullRequest>, ForgeError> {
    let mut listed = match filter {
        PullRequestFilter::IntoBranch(branch) => list(api, Some(branch)).await?,
        PullRequestFilter::OfHead(head) => of_head(api, head).await?,
    };
    // A list that changes while its pages are read can show an entry twice.
    listed.sort_by_key(|pull_request| pull_request.number);
    listed.dedup_by_key(|pull_request| pull_request.number);
    Ok(listed.into_iter().map(Listed::into_pull_request).collect())
}

/// Oldest first, so that one opened meanwhile comes at the end and moves nothing from page to page.
async fn list(api: &RepositoryApi<'_>, into: Option<&BranchName>) -> Result<Vec<Listed>, ForgeError> {
    let mut path = "pulls?state=open&sort=created&direction=asc&per_page=100".to_owned();
    if let Some(branch) = into {
        path.push_str("&base=");
        path.push_str(&percent_encode(branch.as_str()));
    }
    let mut listed: Vec<Listed> = api.pages(&path, |page| page).await?;
    listed
        .retain(|pull_request| pull_request.is_open() && into.is_none_or(|branch| pull_request.base.branch == *branch));
    Ok(listed)
}

/// GitHub knows the pull requests of a commit, but not when the commit lies in a fork: then all open ones are looked through.
async fn of_head(api: &RepositoryApi<'_>, head: &CommitSha) -> Result<Vec<Listed>, ForgeError> {
    let is_its = |pull_request: &Listed| pull_request.is_open() && pull_request.head.sha == *head;
    let known = api.pages(&format!("commits/{head}/pulls?per_page=100"), |page: Vec<Listed>| page).await;
    let known = match known {
        Ok(listed) => listed.into_iter().filter(is_its).collect(),
        // The repository does not have the commit (404 or 422): it is a fork's.
        Err(ForgeError::NotFound(_) | ForgeError::Refused(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    if !known.is_empty() {
        return Ok(known);
    }
    let mut listed = list(api, None).await?;
    listed.retain(is_its);
    Ok(listed)
}

/// The newest commit of a branch. By its full name: a tag of the same name is another thing.
pub(super) async fn tip(api: &RepositoryApi<'_>, branch: &BranchName) -> Result<CommitSha, ForgeError> {
    let segments: Vec<String> = branch.as_str().split('/').map(percent_encode).collect();
    let reference: Reference = api.get(&format!("git/ref/heads/{}", segments.join("/"))).await?;
    Ok(reference.object.sha)
}

/// The newest common commit. Only the first page of a comparison carries up to 300 changed files with their text, none of
/// which is wanted: the second page is asked for, and the whole only where a host does not answer so.
pub(super) async fn merge_base(
    api: &RepositoryApi<'_>,
    base: &CommitSha,
    head: &CommitSha,
) -> Result<CommitSha, ForgeError> {
    let path = format!("compare/{base}...{head}");
    for query in ["?per_page=100&page=2", ""] {
        let comparison = api.get::<Comparison>(&format!("{path}{query}")).await;
        match comparison {
            Ok(Comparison { merge_base_commit: Some(commit) }) => return Ok(commit.sha),
            Ok(Comparison { merge_base_commit: None }) => {}
            Err(ForgeError::NotFound(text)) if text.contains("No common ancestor") => break,
            Err(error) => return Err(error),
        }
    }
    Err(ForgeError::Refused(format!("{base} and {head} have no commit in common: their changes cannot be told apart")))
}
