//! Reads the tables of `policies/defaults`: type, then path, then what the provider assumes.

use crate::policy::{AttributeDefault, Literal, Path, Version, VersionRange, VersionedValue};
use crate::policy::{Library, Name};
use crate::resource::{Key, Value};

use super::fields::Reading;
use super::{Mistake, faultless, with_document};

/// Reads a file of `policies/defaults`: `type: { path: value }`, where a value may be
/// `{ value, since, until, without_block, impact }`, or a list of such.
///
/// # Errors
/// Every mistake that was found.
pub(super) fn load_defaults(path: &str, text: &str, library: &mut Library) -> Result<(), Vec<Mistake>> {
    let read = with_document(path, text, |reading, document| {
        for (type_name, attributes) in reading.entries(document, "defaults by type")? {
            for (key, value) in reading.entries(&attributes, "defaults by path").unwrap_or_default() {
                if let Some(attribute) = attribute(reading, &key, &value) {
                    library.defaults.add(&type_name.text, attribute);
                }
            }
        }
        Some(())
    });
    faultless(path, read)
}

fn attribute(reading: &Reading<'_>, key: &Key, value: &Value) -> Option<AttributeDefault> {
    let path = Path::parse(&key.text).map_err(|(_, message)| reading.mistake(key.span, &message)).ok()?;
    let name = |names: &[Name]| match names {
        [Name::Key(name)] => Some(name.clone()),
        _ => None,
    };
    let plain = |step: &crate::policy::Step| {
        name(&step.names).filter(|_| step.selectors.is_empty() && step.decoders.is_empty())
    };
    let Some(path) = path.steps.iter().map(plain).collect::<Option<Vec<String>>>() else {
        reading.mistake(key.span, "the path of a default is names and dots");
        return None;
    };
    let mut attribute = AttributeDefault { path, values: Vec::new(), without_block: false, replaces: false };
    let is_versioned = value.as_list().is_some_and(|list| list.items.iter().any(|item| item.as_map().is_some()));
    if is_versioned {
        reading.one_or_many(value).iter().for_each(|item| described(reading, item, &mut attribute));
    } else if value.as_map().is_some() {
        described(reading, value, &mut attribute);
    } else {
        let value = reading.literal(value)?;
        attribute.values.push(VersionedValue { value, versions: VersionRange::default() });
    }
    disjoint(reading, key, &attribute);
    Some(attribute)
}

/// `{ value, since, until, without_block, impact }`.
fn described(reading: &Reading<'_>, value: &Value, attribute: &mut AttributeDefault) {
    let Some(mut fields) = reading.map(value, "a default") else { return };
    let literal = fields.take("value").and_then(|value| reading.literal(&value));
    let mut version = |name: &'static str| {
        let value = fields.take(name)?;
        let version = Version::parse(&reading.text(&value)?);
        if version.is_none() {
            reading.mistake(value.span(), "a version is numbers joined by dots: `\"4.2\"`");
        }
        version
    };
    let versions = VersionRange { since: version("since"), until: version("until") };
    if let Some(literal) = literal {
        attribute.values.push(VersionedValue { value: literal, versions });
    }
    let without_block = fields.take("without_block").and_then(|value| reading.literal(&value));
    attribute.without_block |= without_block == Some(Literal::Bool(true));
    match fields.take("impact").map(|value| (value.span(), reading.text(&value))) {
        Some((_, Some(text))) if text == "replace" => attribute.replaces = true,
        Some((span, Some(text))) => reading.unknown(span, "impact", &text, ["replace"].into_iter()),
        Some((_, None)) | None => {}
    }
    fields.finish(reading);
}

/// Two values for one version would be none.
fn disjoint(reading: &Reading<'_>, key: &Key, attribute: &AttributeDefault) {
    let values = &attribute.values;
    let clash = values.iter().enumerate().any(|(at, value)| {
        values.iter().skip(at + 1).any(|other| other.value != value.value && other.versions.overlaps(&value.versions))
    });
    if clash {
        reading.mistake(key.span, "two values are given for the same versions: part them with `since` and `until`");
    }
}
