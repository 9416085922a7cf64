//! Proves that a delivery comes from GitHub: an HMAC over the raw bytes, compared in constant time, before anything is parsed.
//!
//! Only `X-Hub-Signature-256` counts. The SHA-1 header beside it is not looked at, whatever it says.

use hmac::{Hmac, Mac};
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::settings::WebhookSecrets;
use crate::forges::{DeliveryId, Rejection, VerifiedDelivery};

const SIGNATURE: &str = "x-hub-signature-256";

/// Longest name of an event that is believed.
const EVENT_LIMIT_BYTES: usize = 64;

/// Checks the signature, then the headers that say what a delivery is.
pub(super) fn verify(
    secrets: &WebhookSecrets,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<VerifiedDelivery, Rejection> {
    let signature = only(headers, SIGNATURE).and_then(parse_signature).ok_or(Rejection::NoSignature)?;
    let candidates = std::iter::once(&secrets.current).chain(&secrets.previous);
    if !candidates.into_iter().any(|secret| is_signed_with(&secret.0, body, &signature)) {
        return Err(Rejection::WrongSignature);
    }
    let kind = only(headers, "x-github-event").filter(|kind| is_event_name(kind));
    let id = only(headers, "x-github-delivery").and_then(|id| id.parse::<DeliveryId>().ok());
    Ok(VerifiedDelivery {
        id: id.ok_or(Rejection::Header("X-GitHub-Delivery"))?,
        kind: kind.ok_or(Rejection::Header("X-GitHub-Event"))?.to_owned(),
    })
}

/// The value of a header that is there exactly once: which of two would be meant is anybody's guess.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() {
        return None;
    }
    first.to_str().ok()
}

/// `sha256=` and 64 lower-case hexadecimal digits, as GitHub writes it: one digest has one spelling.
fn parse_signature(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_prefix("sha256=")?;
    if digits.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut signature = [0; 32];
    hex::decode_to_slice(digits, &mut signature).ok()?;
    Some(signature)
}

fn is_signed_with(secret: &SecretString, body: &[u8], signature: &[u8; 32]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
        return false;
    };
    mac.update(body);
    mac.verify_slice(signature).is_ok()
}

fn is_event_name(name: &str) -> bool {
    (1..=EVENT_LIMIT_BYTES).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;
    use crate::forges::github::WebhookSecret;

    // The example of GitHub's documentation on validating deliveries.
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const DIGEST: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    const ID: &str = "72d3162e-cc78-11e3-81ab-4c9367dc0958";

    fn secrets(current: &str, previous: Option<&str>) -> WebhookSecrets {
        {
            let secret = |text: &str| WebhookSecret::new(SecretString::from(text)).unwrap();
            WebhookSecrets { current: secret(current), previous: previous.map(secret) }
        }
    }

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        map
    }

    fn signed(signature: &str) -> HeaderMap {
        headers(&[(SIGNATURE, signature), ("x-github-event", "push"), ("x-github-delivery", ID)])
    }

    fn sign(secret: &str, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body);
        format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
    }

    #[test]
    fn the_published_example_is_accepted() {
        let delivery = verify(&secrets(SECRET, None), &signed(&format!("sha256={DIGEST}")), BODY).unwrap();
        assert_eq!((delivery.id.as_str(), delivery.kind.as_str()), (ID, "push"));
    }

    #[test]
    fn anything_but_one_well_formed_signature_is_none() {
        let secrets = secrets(SECRET, None);
        let sha1 = "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59";
        for bad in [
            "",
            "sha256=",
            "sha256",
            DIGEST,
            sha1,
            &format!("sha256={}", &DIGEST[..62]),
            &format!("sha256={}", &DIGEST[..63]),
            &format!("sha256={DIGEST}00"),
            &format!("sha256={}", DIGEST.to_uppercase()),
            &format!("SHA256={DIGEST}"),
            &format!("sha1={DIGEST}"),
            &format!("sha512={DIGEST}"),
            &format!("sha256={}", "zz".repeat(32)),
            &format!(" sha256={DIGEST}"),
            &format!("sha256={DIGEST} "),
            &format!("sha256={DIGEST}, sha256={DIGEST}"),
            &format!("sha256=é{}", &DIGEST[2..]),
        ] {
            assert_eq!(verify(&secrets, &signed(bad), BODY).unwrap_err(), Rejection::NoSignature, "{bad}");
        }
        let right = format!("sha256={DIGEST}");
        for broken in [
            vec![("x-github-event", "push"), ("x-github-delivery", ID)],
            vec![("x-hub-signature", sha1), ("x-github-event", "push"), ("x-github-delivery", ID)],
            vec![(SIGNATURE, &*right), (SIGNATURE, &*right), ("x-github-event", "push"), ("x-github-delivery", ID)],
        ] {
            assert_eq!(verify(&secrets, &headers(&broken), BODY).unwrap_err(), Rejection::NoSignature);
        }
    }

    #[test]
    fn every_changed_bit_of_body_and_signature_is_noticed() {
        let secrets = secrets(SECRET, None);
        let right = sign(SECRET, BODY);
        for at in 0..BODY.len() * 8 {
            let mut body = BODY.to_vec();
            body[at / 8] ^= 1 << (at % 8);
            assert_eq!(verify(&secrets, &signed(&right), &body).unwrap_err(), Rejection::WrongSignature);
        }
        let digest = hex::decode(DIGEST).unwrap();
        for at in 0..256 {
            let mut changed = digest.clone();
            changed[at / 8] ^= 1 << (at % 8);
            let signature = format!("sha256={}", hex::encode(changed));
            assert_eq!(verify(&secrets, &signed(&signature), BODY).unwrap_err(), Rejection::WrongSignature);
        }
        for body in [&b""[..], b"Hello, World", b"Hello, World! ", b"Hello, World!\n", b"\xef\xbb\xbfHello, World!"] {
            assert_eq!(verify(&secrets, &signed(&right), body).unwrap_err(), Rejection::WrongSignature);
        }
        assert_eq!(verify(&secrets, &signed(&sign("", BODY)), BODY).unwrap_err(), Rejection::WrongSignature);
    }

    #[test]
    fn both_secrets_count_during_a_rotation_and_no_third() {
        let old = "the secret that was before";
        let rotating = secrets(SECRET, Some(old));
        assert!(verify(&rotating, &signed(&sign(SECRET, BODY)), BODY).is_ok());
        assert!(verify(&rotating, &signed(&sign(old, BODY)), BODY).is_ok());
        let third = sign("another secret altogether", BODY);
        assert_eq!(verify(&rotating, &signed(&third), BODY).unwrap_err(), Rejection::WrongSignature);
        let rotated = secrets(SECRET, None);
        assert_eq!(verify(&rotated, &signed(&sign(old, BODY)), BODY).unwrap_err(), Rejection::WrongSignature);
    }

    #[test]
    fn a_signed_delivery_must_say_what_it_is() {
        let secrets = secrets(SECRET, None);
        let right = format!("sha256={DIGEST}");
        let long = "a".repeat(65);
        for (event, id, header) in [
            ("push", "", "X-GitHub-Delivery"),
            ("push", "../../etc", "X-GitHub-Delivery"),
            ("push", "a b", "X-GitHub-Delivery"),
            ("", ID, "X-GitHub-Event"),
            ("Push", ID, "X-GitHub-Event"),
            ("push;rm", ID, "X-GitHub-Event"),
            (&long, ID, "X-GitHub-Event"),
        ] {
            let headers = headers(&[(SIGNATURE, &right), ("x-github-event", event), ("x-github-delivery", id)]);
            assert_eq!(verify(&secrets, &headers, BODY).unwrap_err(), Rejection::Header(header), "{event} {id}");
        }
        let twice = headers(&[
            (SIGNATURE, &right),
            ("x-github-event", "push"),
            ("x-github-event", "ping"),
            ("x-github-delivery", ID),
        ]);
        assert_eq!(verify(&secrets, &twice, BODY).unwrap_err(), Rejection::Header("X-GitHub-Event"));
    }
}
