//! What lies at a path, by the schema.

use std::borrow::Cow;

use super::text::{Container, Field, Kind};
use super::{Schemas, Shape};
use crate::policy::{Decoder, Name, Selector, Step, nearest};

/// What a path leads to.
#[derive(Clone, Debug)]
pub(super) struct Node<'s> {
    pub(super) container: Container,
    pub(super) leaf: Leaf,
    /// The attributes of a block or object.
    pub(super) shape: Option<Shape<'s>>,
    pub(super) values: Vec<Cow<'s, str>>,
    pub(super) computed: bool,
}

/// What a node is, leaving aside how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    Text,
    Number,
    Bool,
    Block,
    Any,
}

/// Why a path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// No attribute of this name; perhaps one of that name was meant.
    Unknown { name: String, meant: Option<String> },
    /// A step into what has no attributes.
    Below { name: String, what: &'static str },
}

impl<'s> Node<'s> {
    pub(super) fn of(owner: &Shape<'s>, field: Field<'s>) -> Self {
        let (leaf, shape) = match field.kind {
            Kind::Text => (Leaf::Text, None),
            Kind::Number => (Leaf::Number, None),
            Kind::Bool => (Leaf::Bool, None),
            Kind::Any => (Leaf::Any, None),
            Kind::Fields(fields) => (Leaf::Block, Some(Shape { fields, ..*owner })),
        };
        Self { container: field.container, leaf, shape, values: field.values, computed: field.computed }
    }

    pub(super) fn root(shape: Shape<'s>) -> Self {
        Self { shape: Some(shape), ..Self::plain(Leaf::Block) }
    }

    pub(super) fn plain(leaf: Leaf) -> Self {
        Self { container: Container::One, leaf, shape: None, values: Vec::new(), computed: false }
    }

    pub(super) fn is_any(&self) -> bool {
        self.leaf == Leaf::Any && self.container == Container::One
    }

    /// Each element of a list or map; of anything else, itself.
    pub(super) fn element(&self) -> Self {
        Self { container: Container::One, ..self.clone() }
    }

    /// What it is, in words.
    pub(super) fn what(&self) -> &'static str {
        match (self.container, self.leaf) {
            (Container::List, _) => "a list",
            (Container::Map, _) => "a map",
            (Container::One, Leaf::Text) => "text",
            (Container::One, Leaf::Number) => "a number",
            (Container::One, Leaf::Bool) => "true or false",
            (Container::One, Leaf::Block) => "a block",
            (Container::One, Leaf::Any) => "anything",
        }
    }

    /// Where steps lead from here.
    pub(super) fn follow(&self, schemas: &'s Schemas, steps: &[Step]) -> Result<Self, Lost> {
        steps.iter().try_fold(self.clone(), |node, step| node.step(schemas, step))
    }

    fn step(&self, schemas: &'s Schemas, step: &Step) -> Result<Self, Lost> {
        let mut node = self.children(&step.names)?;
        for selector in &step.selectors {
            node = node.selected(selector)?;
        }
        for decoder in &step.decoders {
            node = node.decoded(schemas, *decoder);
        }
        Ok(node)
    }

    #[cfg(test)]
    pub(super) fn takes(&self, literal: &crate::policy::Literal) -> bool {
        use crate::policy::Literal;
        match (self.container, self.leaf, literal) {
            (Container::List, _, Literal::List(items)) => items.iter().all(|item| self.element().takes(item)),
            (Container::One, Leaf::Bool, Literal::Bool(_)) | (Container::One, Leaf::Number, Literal::Number(_)) => true,
            (Container::One, Leaf::Text, Literal::Text(_)) | (Container::One, Leaf::Any, _) => true,
            _ => false,
        }
    }

    #[cfg(test)]
    pub(super) fn steps_into(&self, step: &Step) -> Result<Self, Lost> {
        self.children(&step.names)
    }

    fn children(&self, names: &[Name]) -> Result<Self, Lost> {
        let mut found = Vec::new();
        let mut lost = None;
        for name in names {
            match self.child(name) {
                Ok(node) => found.push(node),
                Err(why) => lost = lost.or(Some(why)),
            }
        }
        // Of several names some belong to other versions of the provider, or to other types.
        match (found.len(), lost) {
            (0, Some(why)) => Err(why),
            (1, _) => found.pop().ok_or(Lost::Below { name: String::new(), what: "nothing" }),
            _ => Ok(common(found)),
        }
    }

    fn child(&self, name: &Name) -> Result<Self, Lost> {
        // The blocks and objects of a list are gone through one by one.
        let shape = match (self.container, self.leaf) {
            (Container::Map, _) => return Ok(self.element()),
            (_, Leaf::Any) => return Ok(Self::plain(Leaf::Any)),
            _ => self.shape,
        };
        let (Some(shape), Name::Key(key)) = (shape, name) else {
            let name = name.to_string();
            return match shape {
                Some(_) => Ok(Self::plain(Leaf::Any)),
                None => Err(Lost::Below { name, what: self.what() }),
            };
        };
        if let Some(field) = shape.field(key) {
            return Ok(Self::of(&shape, field));
        }
        if shape.is_open() {
            return Ok(Self::plain(Leaf::Any));
        }
        let known = shape.names();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Err(Lost::Unknown { name: key.clone(), meant: nearest(key, &known).map(str::to_owned) })
    }

    fn selected(&self, selector: &Selector) -> Result<Self, Lost> {
        if let (Selector::Where(pairs), Some(shape)) = (selector, self.shape) {
            for (name, _) in pairs {
                Self::root(shape).child(&Name::Key(name.clone()))?;
            }
        }
        Ok(self.element())
    }

    fn decoded(&self, schemas: &'s Schemas, decoder: Decoder) -> Self {
        match decoder {
            Decoder::Json | Decoder::Yaml | Decoder::Iam => Self::plain(Leaf::Any),
            Decoder::Base64 | Decoder::Lower => Self::plain(Leaf::Text),
            Decoder::Image => schemas.shape(None, "@image").map_or_else(|| Self::plain(Leaf::Any), Self::root),
            Decoder::Keys => Self { container: Container::List, ..Self::plain(Leaf::Text) },
            Decoder::Count => Self::plain(Leaf::Number),
            Decoder::Distinct => Self::plain(Leaf::Bool),
        }
    }
}

/// What can be said of several nodes at once.
fn common(nodes: Vec<Node<'_>>) -> Node<'_> {
    let mut nodes = nodes.into_iter();
    let Some(first) = nodes.next() else { return Node::plain(Leaf::Any) };
    let same =
        |other: &Node<'_>| other.container == first.container && other.leaf == first.leaf && first.leaf != Leaf::Block;
    if nodes.all(|other| same(&other)) {
        return Node { values: Vec::new(), computed: false, ..first };
    }
    Node::plain(Leaf::Any)
}
