//! An App's key: the private half for the App, the public half for GitHub.

use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, LineEnding};
use rsa::rand_core::OsRng;
use rsa::{RsaPrivateKey, RsaPublicKey};

use super::actions::ActionError;

/// As many bits as GitHub gives.
const KEY_BITS: usize = 2048;

/// An App's key.
#[derive(Clone)]
pub struct AppKey {
    /// PKCS#1 PEM, as GitHub hands it out.
    pub private_pem: String,
    /// The half that GitHub keeps.
    pub public: RsaPublicKey,
}

impl AppKey {
    /// A new key.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn generate() -> Result<Self, ActionError> {
        let private = RsaPrivateKey::new(&mut OsRng, KEY_BITS).map_err(|error| ActionError::Key(error.to_string()))?;
        let pem = private.to_pkcs1_pem(LineEnding::LF).map_err(|error| ActionError::Key(error.to_string()))?;
        Ok(Self { private_pem: pem.to_string(), public: private.to_public_key() })
    }

    /// A key from its PEM text.
    ///
    /// # Errors
    /// It is not PKCS#1 PEM.
    pub fn from_pem(text: &str) -> Result<Self, ActionError> {
        let private = RsaPrivateKey::from_pkcs1_pem(text).map_err(|error| ActionError::Key(error.to_string()))?;
        Ok(Self { private_pem: text.to_owned(), public: private.to_public_key() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_as_text_and_anything_else_is_refused() {
        let key = AppKey::generate().unwrap();
        assert!(key.private_pem.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
        assert_eq!(AppKey::from_pem(&key.private_pem).unwrap().public, key.public);
        assert!(AppKey::from_pem("no key").is_err());
    }
}
