//! Digests, and names derived from them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use super::{Context, Function, Outcome, Shape, Stop, TEXT, function, text_at};
use crate::resource::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    function("base64sha256", &[TEXT], Shape::Text, |c, a| c.text(digest("sha256", true, text_at(a, 0).as_bytes()))),
    function("base64sha512", &[TEXT], Shape::Text, |c, a| c.text(digest("sha512", true, text_at(a, 0).as_bytes()))),
    function("md5", &[TEXT], Shape::Text, |c, a| c.text(digest("md5", false, text_at(a, 0).as_bytes()))),
    function("sha1", &[TEXT], Shape::Text, |c, a| c.text(digest("sha1", false, text_at(a, 0).as_bytes()))),
    function("sha256", &[TEXT], Shape::Text, |c, a| c.text(digest("sha256", false, text_at(a, 0).as_bytes()))),
    function("sha512", &[TEXT], Shape::Text, |c, a| c.text(digest("sha512", false, text_at(a, 0).as_bytes()))),
    function("uuidv5", &[TEXT, TEXT], Shape::Text, uuidv5),
];

/// A digest of bytes, in hexadecimal or base 64.
pub(super) fn digest(algorithm: &str, base64: bool, bytes: &[u8]) -> String {
    let digest = match algorithm {
        "md5" => Md5::digest(bytes).to_vec(),
        "sha1" => Sha1::digest(bytes).to_vec(),
        "sha256" => Sha256::digest(bytes).to_vec(),
        _ => Sha512::digest(bytes).to_vec(),
    };
    if base64 { STANDARD.encode(digest) } else { hex::encode(digest) }
}

/// A name-based UUID (RFC 9562, version 5).
fn uuidv5(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let namespace = match text_at(arguments, 0) {
        "dns" => "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "url" => "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
        "oid" => "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
        "x500" => "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
        other => other,
    };
    let mut bytes = hex::decode(namespace.replace('-', "")).ok().filter(|bytes| bytes.len() == 16);
    let bytes = bytes.as_mut().ok_or_else(|| Stop::from("the namespace is no UUID"))?;
    bytes.extend_from_slice(text_at(arguments, 1).as_bytes());
    let mut id: Vec<u8> = Sha1::digest(&bytes).iter().copied().take(16).collect();
    for (at, byte) in id.iter_mut().enumerate() {
        match at {
            6 => *byte = (*byte & 0x0f) | 0x50,
            8 => *byte = (*byte & 0x3f) | 0x80,
            _ => {}
        }
    }
    let text = hex::encode(id);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    context.text([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"))
}
