//! What is scanned: folders and files of the disk, or one file from standard input.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use portcullis_engine::evaluate::ReportedProblem;
use portcullis_engine::formats::ReadOptions;
use portcullis_engine::resource::ProblemKind;
use portcullis_engine::source_tree::{FILE_LIMIT_BYTES, Files, SourceTree, TreePath};

use super::super::terminal::folder_url;
use super::ScanArguments;
use crate::working_tree::{Base, Unlisted, WorkingTree};

/// The trees to scan.
pub(super) struct Roots {
    /// What to write before a path so that it can be opened.
    pub(super) prefix: &'static str,
    /// What a path begins with as a URL, when it is one of a file that can be opened.
    pub(super) links: Option<String>,
    /// Each root's files.
    pub(super) trees: Vec<Box<dyn Files + Send>>,
    /// Files whose names no report can carry.
    pub(super) unlisted: Vec<ReportedProblem>,
    /// How they are read.
    pub(super) options: ReadOptions,
}

impl Roots {
    pub(super) fn open(arguments: &ScanArguments) -> anyhow::Result<Self> {
        if arguments.paths.iter().any(|path| path == Path::new("-")) {
            return Self::standard_input(arguments);
        }
        let all: Vec<PathBuf> = arguments.paths.iter().chain(&arguments.variable_files).cloned().collect();
        let (base, resolved) = Base::of(&all)?;
        let (roots, variable_files) = resolved.split_at(arguments.paths.len());
        let mut opened = Self {
            prefix: base.prefix,
            links: folder_url(base.folder()),
            trees: Vec::new(),
            unlisted: Vec::new(),
            options: ReadOptions::default(),
        };
        for root in roots {
            let mut tree = WorkingTree::open(&base, root)?;
            let added: Vec<TreePath> =
                variable_files.iter().map(|file| tree.add_file(file)).collect::<Result<_, _>>()?;
            opened.options.variable_files = added;
            opened.unlisted.extend(tree.unlisted.iter().map(problem_of));
            opened.trees.push(Box::new(tree));
        }
        Ok(opened)
    }

    fn standard_input(arguments: &ScanArguments) -> anyhow::Result<Self> {
        if arguments.paths.len() > 1 || !arguments.variable_files.is_empty() {
            bail!("`-` is scanned by itself, without other paths and without --var-file");
        }
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(FILE_LIMIT_BYTES + 1).read_to_end(&mut bytes);
        read.context("standard input cannot be read")?;
        if bytes.len() as u64 > FILE_LIMIT_BYTES {
            bail!("standard input has more than the limit of {FILE_LIMIT_BYTES} bytes");
        }
        let name = TreePath::new(&arguments.stdin_name).map_err(|error| anyhow!("--stdin-name: {error}"))?;
        let tree = SourceTree::from_files([(name, bytes)]);
        let trees: Vec<Box<dyn Files + Send>> = vec![Box::new(tree)];
        Ok(Self { prefix: "", links: None, trees, unlisted: Vec::new(), options: ReadOptions::default() })
    }
}

fn problem_of(unlisted: &Unlisted) -> ReportedProblem {
    let shown: String = unlisted.path.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    ReportedProblem {
        kind: ProblemKind::Unreadable,
        unit: String::new(),
        path: TreePath::new(shown.trim_matches('/')).unwrap_or_else(|_| TreePath::unnamed()),
        location: None,
        message: format!("it was not looked at: {}", unlisted.why),
        remedy: unlisted.remedy.to_owned(),
        touched: true,
        blocking: false,
    }
}
