//! What every format yields and every policy reads: resources with a tree of values, each with its place in a file.

mod date;
mod names;
mod number;
mod place;
mod problem;
mod reason;
mod shape;
mod suppression;
mod value;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::source_tree::TreePath;

pub use date::{Date, days_of_date};
pub use names::Names;
pub use number::Number;
pub use place::{FileId, FileTable, Span};
pub use problem::{Problem, ProblemKind};
pub use reason::{Reason, ReasonKind, Unknown};
pub use shape::{Field, Type};
pub use suppression::{Notice, Suppression, Tool};
pub use value::{Data, Key, List, ListKind, Map, MapKind, Notes, Origin, Reference, Value};

/// The source formats a policy can have a section for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormatId {
    /// HCL and plan JSON.
    Terraform,
    /// YAML, JSON and SAM templates.
    Cloudformation,
    /// ARM JSON and Bicep.
    Azure,
    /// Manifests, rendered charts and builds.
    Kubernetes,
    /// Dockerfiles and Containerfiles.
    Dockerfile,
    /// Compose files.
    Compose,
    /// Workflows and actions.
    GithubActions,
}

impl FormatId {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 7] = [
        Self::Terraform,
        Self::Cloudformation,
        Self::Azure,
        Self::Kubernetes,
        Self::Dockerfile,
        Self::Compose,
        Self::GithubActions,
    ];

    /// The name of the section in a policy, and of the format in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
            Self::Cloudformation => "cloudformation",
            Self::Azure => "azure",
            Self::Kubernetes => "kubernetes",
            Self::Dockerfile => "dockerfile",
            Self::Compose => "compose",
            Self::GithubActions => "github_actions",
        }
    }
}

impl std::fmt::Display for FormatId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A declared thing in an infrastructure-as-code file.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The name its format gives it: `module.m.aws_s3_bucket.a["k"]`, `Deployment.default.web`, `stage.build`.
    pub address: Arc<str>,
    /// `aws_s3_bucket`, `data.aws_iam_policy_document`, `Deployment`, `stage`, or a virtual type (`network_rule`).
    pub type_name: Arc<str>,
    /// The last part of the address as its author wrote it.
    pub name: Arc<str>,
    /// Which policy sections apply.
    pub format: FormatId,
    /// The whole declaration.
    pub span: Span,
    /// Its first line: what to point at when an attribute is missing.
    pub header: Span,
    /// A map of the attributes as its author wrote them, and of the views of its format.
    pub attributes: Value,
    /// Not created by itself (a provider block, an instruction of a stage): asked like the others, but not counted.
    pub auxiliary: bool,
    /// Why it may not exist at all (an unknown count): a violation then holds "whenever it is created".
    pub maybe: Option<Reason>,
    /// For a virtual resource, the address of the resource it is reported under.
    pub owner: Option<Arc<str>>,
    /// How the author's text leads here from the unit's root (the module calls, innermost first).
    pub called_from: Option<Arc<Origin>>,
}

impl Resource {
    /// The address violations of this resource are reported under.
    #[must_use]
    pub fn reported_address(&self) -> &Arc<str> {
        self.owner.as_ref().unwrap_or(&self.address)
    }
}

/// Resources that are evaluated together: links between resources never leave their unit.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The folder or file that names it.
    pub name: String,
    /// The files it was read from; every [`Span`] in it refers to this table.
    pub files: FileTable,
    /// In the order of their files.
    pub resources: Vec<Resource>,
    /// Places that could not be read.
    pub problems: Vec<Problem>,
    /// Files of a kind that nothing here evaluates yet, so that nobody takes silence for a pass.
    pub unevaluated: Vec<Unevaluated>,
    /// The policies its files silence, as they are written there.
    pub suppressions: Vec<Suppression>,
    /// What in its files does not do what it was meant to.
    pub notices: Vec<Notice>,
    /// Addresses that resources and modules had before, and those they have now.
    pub moved: Vec<(Arc<str>, Arc<str>)>,
    /// The providers whose version a lock file fixes: source address and version.
    pub locked_providers: Vec<(Arc<str>, Arc<str>)>,
}

/// A file of a kind that is recognised but not evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unevaluated {
    /// The file.
    pub path: TreePath,
    /// What it is: `Helm template`.
    pub what: Arc<str>,
}

impl Unit {
    /// A unit with nothing in it.
    #[must_use]
    pub fn empty(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            files: FileTable::default(),
            resources: Vec::new(),
            problems: Vec::new(),
            unevaluated: Vec::new(),
            suppressions: Vec::new(),
            notices: Vec::new(),
            moved: Vec::new(),
            locked_providers: Vec::new(),
        }
    }
}
