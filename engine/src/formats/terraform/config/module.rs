//! What one folder declares.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::constraint::Constraint;
use crate::formats::terraform::syntax::Flaw;
use crate::formats::terraform::syntax::ir::{Attribute, Block, Body, Expr, FileIndex, Kind, Place, StepKind};
use crate::resource::FileId;
use crate::source_tree::Folder;

/// A folder's declarations, in the order of its files.
#[derive(Debug)]
pub(crate) struct Module {
    pub folder: Folder,
    pub files: Vec<FileId>,
    pub variables: Declared<Variable>,
    pub locals: Declared<Local>,
    local_dependencies: OnceLock<Vec<Vec<usize>>>,
    pub resources: Vec<ResourceBlock>,
    resources_by_name: HashMap<(Mode, Arc<str>, Arc<str>), usize>,
    pub calls: Declared<Call>,
    pub outputs: Declared<Output>,
    pub providers: Vec<Arc<Block>>,
    pub settings: Vec<Arc<Block>>,
    /// `moved { … }`.
    pub moves: Vec<Arc<Block>>,
    pub flaws: Vec<(FileIndex, Flaw)>,
}

/// Declarations of one kind by name; of two with one name the first is referred to.
#[derive(Debug)]
pub(crate) struct Declared<T> {
    all: Vec<T>,
    by_name: HashMap<Arc<str>, usize>,
}

impl<T> Default for Declared<T> {
    fn default() -> Self {
        Self { all: Vec::new(), by_name: HashMap::new() }
    }
}

impl<T> Declared<T> {
    fn add(&mut self, name: &Arc<str>, item: T) {
        self.by_name.entry(Arc::clone(name)).or_insert(self.all.len());
        self.all.push(item);
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        self.all.get(index)
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.all.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}

/// `variable "name" { … }`.
#[derive(Debug)]
pub(crate) struct Variable {
    pub name: Arc<str>,
    /// `variable name`, for origins.
    pub what: Arc<str>,
    pub block: Arc<Block>,
    pub constraint: Constraint,
    pub default: Option<Arc<Attribute>>,
    pub nullable: bool,
    pub sensitive: bool,
}

/// One attribute of a `locals` block.
#[derive(Debug)]
pub(crate) struct Local {
    /// `local.name`, for origins.
    pub what: Arc<str>,
    pub attribute: Arc<Attribute>,
}

/// `output "name" { … }`.
#[derive(Debug)]
pub(crate) struct Output {
    pub name: Arc<str>,
    pub block: Arc<Block>,
    pub value: Option<Arc<Attribute>>,
    pub sensitive: bool,
}

/// Whether a resource is managed or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    Managed,
    Data,
    Ephemeral,
}

impl Mode {
    /// What the addresses of such resources begin with.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Managed => "",
            Self::Data => "data.",
            Self::Ephemeral => "ephemeral.",
        }
    }
}

/// `resource "kind" "name" { … }`, and `data`, `ephemeral`.
#[derive(Debug)]
pub(crate) struct ResourceBlock {
    pub mode: Mode,
    pub kind: Arc<str>,
    pub name: Arc<str>,
    /// `kind.name` with the prefix of its mode: the address without the module and the key.
    pub address: Arc<str>,
    pub block: Arc<Block>,
}

/// `module "name" { … }`.
#[derive(Debug)]
pub(crate) struct Call {
    pub name: Arc<str>,
    pub block: Arc<Block>,
    pub source: Source,
}

/// Where a called module is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A folder of this tree.
    Local(Folder),
    /// A relative path that leaves the tree.
    Outside(Arc<str>),
    /// Somewhere else: a registry, a repository.
    Remote(Arc<str>),
    /// Not written as plain text.
    Unreadable,
}

impl Source {
    /// What a `source` means in a folder.
    pub(crate) fn of(block: &Block, folder: &Folder) -> Self {
        let Some(text) = block.body.attribute("source").and_then(|source| source.value.as_text()) else {
            return Self::Unreadable;
        };
        if !text.starts_with("./") && !text.starts_with("../") && &**text != "." && &**text != ".." {
            return Self::Remote(Arc::clone(text));
        }
        folder.resolve(text).map_or_else(|| Self::Outside(Arc::clone(text)), Self::Local)
    }
}

impl Module {
    /// An empty folder.
    pub(crate) fn new(folder: Folder) -> Self {
        Self {
            folder,
            files: Vec::new(),
            variables: Declared::default(),
            locals: Declared::default(),
            local_dependencies: OnceLock::new(),
            resources: Vec::new(),
            resources_by_name: HashMap::new(),
            calls: Declared::default(),
            outputs: Declared::default(),
            providers: Vec::new(),
            settings: Vec::new(),
            moves: Vec::new(),
            flaws: Vec::new(),
        }
    }

    /// Adds what a file's body declares.
    pub(crate) fn declare(&mut self, body: &Body) {
        for block in body.blocks() {
            match (&*block.kind.text, block.labels.as_slice()) {
                ("resource", [kind, name]) => self.resource(Mode::Managed, &kind.text, &name.text, block),
                ("data", [kind, name]) => self.resource(Mode::Data, &kind.text, &name.text, block),
                ("ephemeral", [kind, name]) => self.resource(Mode::Ephemeral, &kind.text, &name.text, block),
                ("variable", [name]) => self.variables.add(&name.text, variable(&name.text, block)),
                ("output", [name]) => self.outputs.add(&name.text, output(&name.text, block)),
                ("module", [name]) => {
                    let source = Source::of(block, &self.folder);
                    let call = Call { name: Arc::clone(&name.text), block: Arc::clone(block), source };
                    self.calls.add(&name.text, call);
                }
                ("locals", []) => {
                    for attribute in block.body.attributes() {
                        let what = format!("local.{}", attribute.name.text).into();
                        let local = Local { what, attribute: Arc::clone(attribute) };
                        self.locals.add(&attribute.name.text, local);
                    }
                }
                ("provider", [_]) => self.providers.push(Arc::clone(block)),
                ("terraform", []) => self.settings.push(Arc::clone(block)),
                ("moved", []) => self.moves.push(Arc::clone(block)),
                // They change what Terraform does with state, not what is declared.
                ("import" | "removed", []) | ("check", [_]) => {}
                _ => self.flaws.push((block.file, unexpected(block))),
            }
        }
        for attribute in body.attributes() {
            let message =
                format!("{} is set outside of a block, where Terraform knows no attribute", attribute.name.text);
            self.flaws.push((attribute.file, Flaw::misplaced(attribute.name.place, message)));
        }
    }

    fn resource(&mut self, mode: Mode, kind: &Arc<str>, name: &Arc<str>, block: &Arc<Block>) {
        let key = (mode, Arc::clone(kind), Arc::clone(name));
        self.resources_by_name.entry(key).or_insert(self.resources.len());
        self.resources.push(ResourceBlock {
            mode,
            kind: Arc::clone(kind),
            name: Arc::clone(name),
            address: format!("{}{kind}.{name}", mode.prefix()).into(),
            block: Arc::clone(block),
        });
    }

    /// For each local, the locals it names.
    pub(crate) fn local_dependencies(&self) -> &[Vec<usize>] {
        self.local_dependencies.get_or_init(|| {
            let named = |local: &Local| {
                let mut named = Vec::new();
                local
                    .attribute
                    .value
                    .walk(&mut |expr| named.extend(local_name(expr).and_then(|name| self.locals.find(name))));
                named
            };
            self.locals.iter().map(named).collect()
        })
    }

    /// The resource of a type and name.
    pub(crate) fn find_resource(&self, mode: Mode, kind: &Arc<str>, name: &Arc<str>) -> Option<usize> {
        self.resources_by_name.get(&(mode, Arc::clone(kind), Arc::clone(name))).copied()
    }
}

/// The local an expression refers to.
fn local_name(expr: &Expr) -> Option<&str> {
    let Kind::Traversal(traversal) = &expr.kind else { return None };
    let is_local = traversal.base.as_name().is_some_and(|root| &**root == "local");
    match traversal.steps.first().filter(|_| is_local).map(|step| &step.kind) {
        Some(StepKind::Attribute(name)) => Some(name),
        _ => None,
    }
}

fn variable(name: &Arc<str>, block: &Arc<Block>) -> Variable {
    let body = &block.body;
    Variable {
        name: Arc::clone(name),
        what: format!("variable {name}").into(),
        block: Arc::clone(block),
        constraint: body.attribute("type").map_or(Constraint::ANY, |given| Constraint::of(&given.value)),
        default: body.attribute("default").cloned(),
        nullable: flag(body, "nullable").unwrap_or(true),
        sensitive: flag(body, "sensitive").unwrap_or(false),
    }
}

fn output(name: &Arc<str>, block: &Arc<Block>) -> Output {
    Output {
        name: Arc::clone(name),
        block: Arc::clone(block),
        value: block.body.attribute("value").cloned(),
        sensitive: flag(&block.body, "sensitive").unwrap_or(false),
    }
}

fn flag(body: &Body, name: &str) -> Option<bool> {
    match body.attribute(name)?.value.kind {
        Kind::Bool(value) => Some(value),
        _ => None,
    }
}

fn unexpected(block: &Block) -> Flaw {
    let labels = match block.labels.len() {
        0 => "no label".to_owned(),
        1 => "1 label".to_owned(),
        count => format!("{count} labels"),
    };
    let message = format!("Terraform knows no {} block with {labels}; it was not read", block.kind.text);
    Flaw::misplaced(Place { start: block.header.start, end: block.header.end }, message)
}
