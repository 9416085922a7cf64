//! `portcullis policy explain`: why policies answer as they do for the resources at a place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use portcullis_engine::evaluate::{Explanation, Selection, explain_at};
use portcullis_engine::formats::{self, ReadOptions, Scope};
use portcullis_engine::policy::Catalogue;
use portcullis_engine::reports::{Context, explanation};
use portcullis_engine::source_tree::TreePath;

use super::super::scan::{choice, today};
use super::super::terminal::{Color, folder_url};
use super::super::{Ending, write_out};
use crate::working_tree::{Base, WorkingTree};

/// Most resources explained.
const RESOURCE_LIMIT: usize = 1_000;

/// Explain why policies pass, fail or stay undecided at a place in a file.
///
/// Every check that speaks of a resource is shown as the tree of its conditions: whether each holds, the value that was
/// found, where it was written, what it came through, and which condition decided. For a file without a line, every
/// resource that it declares is explained.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portcullis policy explain main.tf:12
  portcullis policy explain deploy/web.yaml --policy k8s-run-as-non-root
  portcullis policy explain modules/db/main.tf:3 --root . --format json

Exit codes:
  0  explained, whatever the answers are
  2  no resource is declared there, or bad usage")]
pub(super) struct ExplainArguments {
    /// A file, and a line of it.
    #[arg(value_name = "FILE[:LINE]")]
    place: String,

    /// Only these policies: ids, globs of ids, or ids of another tool (CKV_AWS_16).
    #[arg(long = "policy", value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,

    /// How the explanation is written.
    #[arg(short, long, value_enum, default_value_t = Form::Text)]
    format: Form,

    /// The folder to look at, which decides what calls the file's module [default: the current folder; of a file outside
    /// of it, the file's repository].
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,

    /// A file of Terraform variables, as for terraform plan; the last one wins.
    #[arg(long = "var-file", value_name = "FILE")]
    variable_files: Vec<PathBuf>,

    /// A folder of your own policies, beside those that come with the program.
    #[arg(long = "policies", value_name = "FOLDER")]
    folders: Vec<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    Text,
    Json,
}

/// Prints the explanation.
pub(super) fn explain(arguments: &ExplainArguments, color: Color) -> anyhow::Result<Ending> {
    let (file, line) = place(&arguments.place)?;
    let root = match &arguments.root {
        Some(root) => root.clone(),
        None => root_of(&file)?,
    };
    let paths: Vec<PathBuf> = [root, file].into_iter().chain(arguments.variable_files.iter().cloned()).collect();
    let (base, resolved) = Base::of(&paths)?;
    let [root, file, variable_files @ ..] = resolved.as_slice() else { bail!("no file") };
    let mut tree = WorkingTree::open(&base, root)?;
    let path = tree.add_file(file)?;
    let variable_files = variable_files.iter().map(|file| tree.add_file(file)).collect::<Result<_, _>>()?;
    let catalogue = choice::catalogue(&arguments.folders, false)?;
    let only = choice::named(&catalogue, &arguments.only)?;
    let asked = Asked {
        tree: &tree,
        path: &path,
        line,
        catalogue: &catalogue,
        selection: Selection { only, skip: Vec::new(), today: today() },
        options: ReadOptions { variable_files },
    };
    let explanations = asked.explanations(&arguments.place)?;
    let text = match arguments.format {
        Form::Json => format!("{}\n", serde_json::to_string_pretty(&explanations)?),
        Form::Text => {
            let links = folder_url(base.folder());
            let version = env!("CARGO_PKG_VERSION");
            let terminal = color.terminal(links.as_deref());
            explanation(
                &explanations,
                &Context {
                    catalogue: &catalogue,
                    version,
                    prefix: base.prefix,
                    terminal,
                    in_full: true,
                    shows_suppressed: true,
                },
            )
        }
    };
    write_out(&text)?;
    Ok(Ending::Clean)
}

struct Asked<'a> {
    tree: &'a WorkingTree,
    path: &'a TreePath,
    line: Option<u32>,
    catalogue: &'a Catalogue,
    selection: Selection,
    options: ReadOptions,
}

impl Asked<'_> {
    fn explanations(&self, place: &str) -> anyhow::Result<Vec<Explanation>> {
        let plans = formats::units(self.tree, &Scope::Touching(BTreeSet::from([self.path.clone()])));
        let mut explanations: Vec<Explanation> = Vec::new();
        let mut problem = None;
        for plan in &plans {
            let unit = formats::read(plan, self.tree, &self.options);
            let mut problems = unit.problems.iter().filter(|problem| problem.path == *self.path);
            problem = problem.or_else(|| problems.next().map(|problem| problem.message.clone()));
            explanations.extend(explain_at(&unit, self.catalogue, &self.selection, self.path, self.line));
        }
        if explanations.is_empty() {
            let why = problem.map(|problem| format!(": {problem}")).unwrap_or_default();
            match self.line {
                Some(_) => bail!("no resource is declared at {place}{why}"),
                None => bail!("{place} declares no resource{why}"),
            }
        }
        if explanations.len() > RESOURCE_LIMIT {
            let count = explanations.len();
            bail!("{place} declares {count} resources, more than the limit of {RESOURCE_LIMIT}: add a line");
        }
        Ok(explanations)
    }
}

/// `FILE`, or `FILE:LINE`, or `FILE:LINE:COLUMN` as reports write places.
fn place(text: &str) -> anyhow::Result<(PathBuf, Option<u32>)> {
    if Path::new(text).is_file() {
        return Ok((text.into(), None));
    }
    let mut file = text;
    let mut line = None;
    while let Some((before, number)) = file.rsplit_once(':')
        && let Ok(number) = number.parse::<u32>()
    {
        (file, line) = (before, Some(number));
    }
    if !Path::new(file).is_file() {
        bail!("there is no file {file}");
    }
    if line == Some(0) {
        bail!("lines are counted from 1");
    }
    Ok((file.into(), line))
}

/// The current folder if the file lies in it, else the repository the file lies in, else its folder.
fn root_of(file: &Path) -> anyhow::Result<PathBuf> {
    let file = file.canonicalize().with_context(|| format!("{} cannot be opened", file.display()))?;
    let here =
        std::env::current_dir().and_then(|here| here.canonicalize()).context("the current folder has no name")?;
    if file.starts_with(&here) {
        return Ok(here);
    }
    let repository = file.ancestors().find(|folder| folder.join(".git").exists());
    Ok(repository.or(file.parent()).unwrap_or(&file).to_path_buf())
}
