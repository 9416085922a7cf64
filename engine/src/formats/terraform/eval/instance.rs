//! One module as one caller calls it, and what has been computed of it so far.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::scope::Repetition;
use crate::formats::terraform::config::module::{Call, Module};
use crate::formats::terraform::syntax::ir::Attribute;
use crate::resource::{FileId, Origin, Reason, Span, Value};

/// A value that is computed when it is first asked for.
#[derive(Clone, Debug, Default)]
pub(crate) enum Slot {
    #[default]
    Empty,
    /// Being computed: whoever asks now has found a cycle.
    Busy,
    Done(Value),
}

pub(crate) type Slots = RefCell<Vec<Slot>>;

/// A module, called.
pub(crate) struct Instance<'a> {
    pub module: &'a Module,
    /// What addresses in it begin with: empty, or `module.m["k"].`.
    pub prefix: Arc<str>,
    pub caller: Option<Caller<'a>>,
    /// The values of the root's variables, from variable files.
    pub given: HashMap<Arc<str>, (Arc<Attribute>, FileId)>,
    pub variables: Slots,
    pub locals: Slots,
    pub outputs: Slots,
    /// Instances of resources, by the index of their block.
    pub expansions: RefCell<HashMap<usize, Option<Rc<Expansion>>>>,
    /// Instances of called modules, by the index of the call.
    pub call_expansions: RefCell<HashMap<usize, Option<Rc<Expansion>>>>,
    pub children: RefCell<HashMap<ChildKey, Option<Rc<Instance<'a>>>>>,
    /// Attributes of resources that something refers to.
    pub attributes: RefCell<HashMap<AttributeKey, Slot>>,
}

/// A called module by the index of the call, and which instance of it.
pub(crate) type ChildKey = (usize, InstanceKey);

/// An attribute of a resource by the index of its block, which instance of it, and its name.
pub(crate) type AttributeKey = (usize, InstanceKey, Arc<str>);

/// Who calls a module.
pub(crate) struct Caller<'a> {
    pub instance: Rc<Instance<'a>>,
    pub call: &'a Call,
    pub repetition: Option<Repetition>,
    /// How many calls lead here from the root.
    pub depth: usize,
    pub maybe: Option<Reason>,
    pub origin: Arc<Origin>,
}

/// Which of its instances a block is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum InstanceKey {
    /// It has neither `count` nor `for_each`, or nobody can know what they are.
    Only,
    Index(i64),
    Key(Arc<str>),
}

impl InstanceKey {
    /// What an address of such an instance ends with.
    pub(crate) fn suffix(&self) -> String {
        match self {
            Self::Only => String::new(),
            Self::Index(index) => format!("[{index}]"),
            Self::Key(key) => {
                let quoted = hcl::format::to_string(&hcl::Expression::from(&**key));
                format!("[{}]", quoted.unwrap_or_else(|_| format!("{key:?}")))
            }
        }
    }
}

/// The instances of one block.
#[derive(Debug)]
pub(crate) struct Expansion {
    pub kind: ExpansionKind,
    pub instances: Vec<One>,
    /// Of instances that are there only perhaps: which are there together, by their places, and why nobody knows.
    pub choice: Option<(Reason, Vec<Vec<usize>>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ExpansionKind {
    /// Neither `count` nor `for_each`.
    Single,
    Count,
    Each,
    /// One of them, and nobody can know what it is.
    Unknown(Reason),
}

/// One instance of a block.
#[derive(Clone, Debug)]
pub(crate) struct One {
    pub key: InstanceKey,
    pub repetition: Option<Repetition>,
    pub maybe: Option<Reason>,
}

impl Expansion {
    /// The instances that are there together: all of them, or one list for each possibility.
    pub(crate) fn possibilities(&self) -> Vec<Vec<&One>> {
        match &self.choice {
            None => vec![self.instances.iter().collect()],
            Some((_, possible)) => {
                let chosen = |places: &Vec<usize>| places.iter().filter_map(|at| self.instances.get(*at)).collect();
                possible.iter().map(chosen).collect()
            }
        }
    }

    pub(crate) fn find(&self, key: &InstanceKey) -> Option<&One> {
        self.instances.iter().find(|one| one.key == *key)
    }
}

impl<'a> Instance<'a> {
    pub(crate) fn new(module: &'a Module, prefix: Arc<str>, caller: Option<Caller<'a>>) -> Self {
        let slots = |length| RefCell::new(vec![Slot::Empty; length]);
        Self {
            module,
            prefix,
            caller,
            given: HashMap::new(),
            variables: slots(module.variables.len()),
            locals: slots(module.locals.len()),
            outputs: slots(module.outputs.len()),
            expansions: RefCell::default(),
            call_expansions: RefCell::default(),
            children: RefCell::default(),
            attributes: RefCell::default(),
        }
    }

    /// The file of a block or attribute of this module.
    pub(crate) fn file(&self, index: u32) -> FileId {
        self.module.files.get(index as usize).copied().unwrap_or(Span::NOWHERE.file)
    }

    /// How many calls lead here from the root.
    pub(crate) fn depth(&self) -> usize {
        self.caller.as_ref().map_or(0, |caller| caller.depth)
    }
}
