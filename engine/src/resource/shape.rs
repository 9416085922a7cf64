//! The types values have, as far as they are known without the value.

use std::sync::Arc;

/// A type. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Type {
    /// Nobody can know it yet.
    #[default]
    Any,
    /// True or false.
    Bool,
    /// A number.
    Number,
    /// Text.
    Text,
    /// A list of one type.
    List(Arc<Type>),
    /// A set of one type.
    Set(Arc<Type>),
    /// Keys and values of one type.
    Map(Arc<Type>),
    /// A list of fixed length, each element of its own type.
    Tuple(Arc<[Type]>),
    /// Named attributes, sorted by name, each of its own type.
    Object(Arc<[Field]>),
}

/// One attribute of an object type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub shape: Type,
    /// Whether it may be left out (null then).
    pub optional: bool,
}

impl Type {
    /// An object type of fields in any order.
    #[must_use]
    pub fn object(mut fields: Vec<Field>) -> Self {
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        Self::Object(fields.into())
    }

    /// Whether it is a boolean, a number or text.
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::Text)
    }
}
