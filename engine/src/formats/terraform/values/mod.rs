//! Terraform's values: their types, conversions, order and arithmetic.

mod big;
pub(crate) mod compare;
pub(crate) mod convert;
pub(crate) mod decimal;
mod digits;
pub(crate) mod document;
pub(crate) mod shape;

/// Text as Terraform holds it: in composed form, so that equal characters are equal bytes.
pub(crate) fn composed(text: &str) -> std::borrow::Cow<'_, str> {
    use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return text.into();
    }
    text.nfc().collect::<String>().into()
}
