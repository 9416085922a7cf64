//! Terraform's language as this format works with it: small, without whitespace and comments, every node with its place.
//!
//! Both spellings of the language (native and JSON) are lowered to it. Places are byte offsets in the file the text is from;
//! which file that is, blocks and attributes know by its index.

use std::sync::Arc;

use crate::resource::Number;

/// A file of a folder, by its index there.
pub(crate) type FileIndex = u32;

/// A range of bytes in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Place {
    /// The shortest place over both.
    pub(crate) fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A name and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub text: Arc<str>,
    pub place: Place,
}

/// What stands in a file or between the braces of a block, in the order it was written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    pub items: Vec<Item>,
    pub place: Place,
}

/// One of them, shared with whoever lists declarations.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Attribute(Arc<Attribute>),
    Block(Arc<Block>),
}

/// `name = value`.
#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    /// Which file of its folder it stands in.
    pub file: FileIndex,
    pub name: Name,
    pub value: Expr,
}

/// `kind "label" { … }`.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// Which file of its folder it stands in.
    pub file: FileIndex,
    pub kind: Name,
    pub labels: Vec<Name>,
    pub body: Body,
    /// All of it.
    pub place: Place,
    /// From the kind to the last label.
    pub header: Place,
}

impl Body {
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &Arc<Attribute>> {
        self.items.iter().filter_map(|item| if let Item::Attribute(attribute) = item { Some(attribute) } else { None })
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&Arc<Attribute>> {
        self.attributes().find(|attribute| &*attribute.name.text == name)
    }

    pub(crate) fn blocks(&self) -> impl Iterator<Item = &Arc<Block>> {
        self.items.iter().filter_map(|item| if let Item::Block(block) = item { Some(block) } else { None })
    }

    pub(crate) fn block(&self, kind: &str) -> Option<&Arc<Block>> {
        self.blocks().find(|block| &*block.kind.text == kind)
    }
}

impl Block {
    /// The text of a label, empty when there is none.
    pub(crate) fn label(&self, index: usize) -> &str {
        self.labels.get(index).map_or("", |label| &label.text)
    }
}

/// An expression and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub kind: Kind,
    pub place: Place,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(Arc<str>),
    Tuple(Box<[Expr]>),
    Object(Box<[(ObjectKey, Expr)]>),
    /// Text with interpolations and directives.
    Template(Box<[Part]>),
    /// A name by itself: a variable of a `for`, or the root of a reference.
    Name(Arc<str>),
    Traversal(Box<Traversal>),
    Call(Box<Call>),
    Conditional(Box<Conditional>),
    Unary(UnaryOperator, Box<Expr>),
    Binary(BinaryOperator, Box<(Expr, Expr)>),
    For(Box<For>),
    /// What the parser gave and this format cannot read.
    Bad(Arc<str>),
}

/// The key of an object item: a bare name stands for itself.
#[derive(Clone, Debug)]
pub(crate) enum ObjectKey {
    Name(Name),
    Expr(Expr),
}

/// A value and the steps into it.
#[derive(Clone, Debug)]
pub(crate) struct Traversal {
    pub base: Expr,
    pub steps: Box<[Step]>,
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub kind: StepKind,
    pub place: Place,
}

#[derive(Clone, Debug)]
pub(crate) enum StepKind {
    /// `.name`
    Attribute(Arc<str>),
    /// `[key]`
    Index(Expr),
    /// `.0`
    DottedIndex(Number),
    /// `.*`: reaches over what follows it with a dot.
    AttributeSplat,
    /// `[*]`: reaches over everything that follows it.
    FullSplat,
}

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub name: Name,
    pub arguments: Box<[Expr]>,
    /// The last argument is followed by `...`.
    pub expands: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Conditional {
    pub condition: Expr,
    pub then: Expr,
    pub otherwise: Expr,
}

#[derive(Clone, Debug)]
pub(crate) struct For {
    pub key: Option<Arc<str>>,
    pub value: Arc<str>,
    pub collection: Expr,
    /// Of an object.
    pub result_key: Option<Expr>,
    pub result: Expr,
    /// The result is followed by `...`: values of one key are collected.
    pub groups: bool,
    pub condition: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnaryOperator {
    Negate,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOperator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    And,
    Or,
}

/// A piece of a template.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Text(Arc<str>, Place),
    Interpolation(Expr),
    If(Box<IfPart>),
    For(Box<ForPart>),
}

#[derive(Clone, Debug)]
pub(crate) struct IfPart {
    pub condition: Expr,
    pub then: Box<[Part]>,
    pub otherwise: Box<[Part]>,
    pub place: Place,
}

#[derive(Clone, Debug)]
pub(crate) struct ForPart {
    pub key: Option<Arc<str>>,
    pub value: Arc<str>,
    pub collection: Expr,
    pub body: Box<[Part]>,
    pub place: Place,
}

impl Expr {
    /// The text of a string without interpolations.
    pub(crate) fn as_text(&self) -> Option<&Arc<str>> {
        if let Kind::Text(text) = &self.kind { Some(text) } else { None }
    }

    /// The name of a bare identifier.
    pub(crate) fn as_name(&self) -> Option<&Arc<str>> {
        if let Kind::Name(name) = &self.kind { Some(name) } else { None }
    }

    /// Whether it names something by its path.
    pub(crate) fn is_reference(&self) -> bool {
        matches!(&self.kind, Kind::Traversal(traversal) if matches!(traversal.base.kind, Kind::Name(_)))
    }

    /// Calls `visit` with this expression and everything in it, outermost first.
    pub(crate) fn walk<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        visit(self);
        match &self.kind {
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Name(_) | Kind::Bad(_) => {}
            Kind::Tuple(items) => items.iter().for_each(|item| item.walk(visit)),
            Kind::Object(items) => items.iter().for_each(|(key, value)| {
                if let ObjectKey::Expr(key) = key {
                    key.walk(visit);
                }
                value.walk(visit);
            }),
            Kind::Template(parts) => walk_parts(parts, visit),
            Kind::Traversal(traversal) => {
                traversal.base.walk(visit);
                for step in &traversal.steps {
                    if let StepKind::Index(key) = &step.kind {
                        key.walk(visit);
                    }
                }
            }
            Kind::Call(call) => call.arguments.iter().for_each(|argument| argument.walk(visit)),
            Kind::Conditional(conditional) => {
                conditional.condition.walk(visit);
                conditional.then.walk(visit);
                conditional.otherwise.walk(visit);
            }
            Kind::Unary(_, operand) => operand.walk(visit),
            Kind::Binary(_, operands) => {
                operands.0.walk(visit);
                operands.1.walk(visit);
            }
            Kind::For(each) => {
                each.collection.walk(visit);
                each.result_key.iter().for_each(|key| key.walk(visit));
                each.result.walk(visit);
                each.condition.iter().for_each(|condition| condition.walk(visit));
            }
        }
    }
}

fn walk_parts<'e>(parts: &'e [Part], visit: &mut dyn FnMut(&'e Expr)) {
    for part in parts {
        match part {
            Part::Text(..) => {}
            Part::Interpolation(expr) => expr.walk(visit),
            Part::If(branch) => {
                branch.condition.walk(visit);
                walk_parts(&branch.then, visit);
                walk_parts(&branch.otherwise, visit);
            }
            Part::For(each) => {
                each.collection.walk(visit);
                walk_parts(&each.body, visit);
            }
        }
    }
}
