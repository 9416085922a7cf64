//! What we prove ourselves to GitHub with: a signed statement of the App (JWT), and tokens it is exchanged for.
//!
//! A token reaches one repository with the least permissions the gate needs. It is kept until shortly before it ends, asked
//! for once however many want it, and forgotten when GitHub does not accept it any more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use http::HeaderValue;
use jsonwebtoken::{Algorithm, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::settings::{AppIdentity, AppKey};
use crate::forges::ForgeError;

/// How far a statement is dated back, against clocks that differ.
const BACKDATED: Duration = Duration::from_secs(60);

/// How long a statement is valid; GitHub takes ten minutes at most, by its own clock.
const VALID: Duration = Duration::from_secs(9 * 60);

/// How long a statement is used: signing costs milliseconds.
const REUSED: Duration = Duration::from_secs(4 * 60);

/// How long before its end a token is not used any more.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// Above this many repositories, tokens that have ended are dropped.
const SWEEP_ABOVE: usize = 1024;

/// The permissions of every token; deliveries need one more (merge queues), which the App itself has.
#[derive(Serialize)]
struct Permissions {
    checks: &'static str,
    contents: &'static str,
    metadata: &'static str,
    pull_requests: &'static str,
}

const PERMISSIONS: Permissions =
    Permissions { checks: "write", contents: "read", metadata: "read", pull_requests: "read" };

/// The body that asks for a token.
#[derive(Serialize)]
pub(super) struct TokenRequest<'a> {
    repositories: [&'a str; 1],
    permissions: Permissions,
}

impl<'a> TokenRequest<'a> {
    pub(super) fn for_repository(name: &'a str) -> Self {
        Self { repositories: [name], permissions: PERMISSIONS }
    }
}

/// GitHub's answer to it.
#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    #[serde(deserialize_with = "secret")]
    token: SecretString,
    expires_at: Option<String>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// A token, as it is sent.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// `Bearer …`, marked so that it is never printed.
    pub(super) authorization: HeaderValue,
    usable_until: Instant,
}

impl Token {
    /// A token from GitHub's answer. How long it lives is measured by GitHub's own clock where the answer tells it.
    pub(super) fn from_answer(answer: &TokenAnswer, host_clock: SystemTime) -> Result<Self, ForgeError> {
        let ends = answer.expires_at.as_ref().and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
        let lifetime = ends.map(SystemTime::from).and_then(|ends| ends.duration_since(host_clock).ok());
        let usable = lifetime.unwrap_or_default().saturating_sub(MARGIN).min(Duration::from_secs(24 * 3600));
        Ok(Self { authorization: bearer(&answer.token)?, usable_until: Instant::now() + usable })
    }
}

fn bearer(secret: &SecretString) -> Result<HeaderValue, ForgeError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", secret.expose_secret()))
        .map_err(|_| ForgeError::Unreachable("the host gave a token that no header can hold".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Signs as the App.
pub(super) struct Signer {
    issuer: String,
    key: AppKey,
    signed: Mutex<Option<(HeaderValue, Instant)>>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Claims {
    iat: u64,
    exp: u64,
    iss: String,
}

impl Claims {
    fn at(now: SystemTime, issuer: &str) -> Self {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let iat = now.saturating_sub(BACKDATED).as_secs();
        Self { iat, exp: (now + VALID).as_secs(), iss: issuer.to_owned() }
    }
}

impl Signer {
    pub(super) fn new(app: &AppIdentity, key: AppKey) -> Self {
        Self { issuer: app.issuer(), key, signed: Mutex::default() }
    }

    /// The App's statement as it is sent.
    pub(super) fn authorization(&self) -> Result<HeaderValue, ForgeError> {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((value, made)) = &*signed
            && made.elapsed() < REUSED
        {
            return Ok(value.clone());
        }
        let claims = Claims::at(SystemTime::now(), &self.issuer);
        let statement = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, self.key.encoding_key())
            .map_err(|_| ForgeError::Refused("the App's private key cannot sign".to_owned()))?;
        let value = bearer(&SecretString::from(statement))?;
        *signed = Some((value.clone(), Instant::now()));
        Ok(value)
    }

    /// Makes the next statement a new one: this one was not accepted.
    pub(super) fn forget(&self) {
        *self.signed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Which token: of an installation, for one of its repositories.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    /// The installation.
    pub(super) installation: u64,
    /// The repository's owner.
    pub(super) owner: String,
    /// The repository's own name.
    pub(super) name: String,
}

/// Held while a token is asked for, so that all who want it wait for the one answer.
type Slot = tokio::sync::Mutex<Option<Token>>;

/// The tokens in use.
#[derive(Default)]
pub(super) struct Tokens {
    slots: Mutex<HashMap<Scope, Arc<Slot>>>,
}

impl Tokens {
    /// The token of a scope, minted when there is none that can still be used.
    pub(super) async fn get<F>(&self, scope: &Scope, mint: impl FnOnce() -> F) -> Result<Token, ForgeError>
    where
        F: Future<Output = Result<Token, ForgeError>>,
    {
        let slot = self.slot(scope);
        let mut kept = slot.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| token.usable_until > Instant::now()) {
            return Ok(token.clone());
        }
        let token = mint().await?;
        *kept = Some(token.clone());
        Ok(token)
    }

    /// Drops a token that was not accepted, unless another has taken its place already.
    pub(super) async fn forget(&self, scope: &Scope, refused: &Token) {
        let slot = self.slot(scope);
        let mut kept = slot.lock().await;
        if kept.as_ref().is_some_and(|token| token.authorization == refused.authorization) {
            *kept = None;
        }
    }

    fn slot(&self, scope: &Scope) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() > SWEEP_ABOVE && !slots.contains_key(scope) {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1 || is_usable(slot));
        }
        Arc::clone(slots.entry(scope.clone()).or_default())
    }
}

fn is_usable(slot: &Slot) -> bool {
    slot.try_lock().map_or(true, |token| token.as_ref().is_some_and(|token| token.usable_until > Instant::now()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn answer(token: &str, expires_at: Option<&str>) -> TokenAnswer {
        TokenAnswer { token: SecretString::from(token), expires_at: expires_at.map(str::to_owned) }
    }

    fn token(text: &str, minutes: u64) -> Token {
        let authorization = bearer(&SecretString::from(text)).unwrap();
        Token { authorization, usable_until: Instant::now() + Duration::from_secs(minutes * 60) }
    }

    fn scope(name: &str) -> Scope {
        Scope { installation: 1, owner: "o".to_owned(), name: name.to_owned() }
    }

    #[test]
    fn a_statement_is_dated_back_a_minute_and_ends_in_nine() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let expected = Claims { iat: 999_940, exp: 1_000_540, iss: "Iv1.x".to_owned() };
        assert_eq!(Claims::at(now, "Iv1.x"), expected);
        assert_eq!(Claims::at(SystemTime::UNIX_EPOCH, "1").iat, 0);
    }

    #[test]
    fn a_statement_is_signed_with_the_key_and_reused_until_forgotten() {
        let pem = SecretString::from(include_str!("../../../fixtures/keys/test-app.pem"));
        let signer = Signer::new(&AppIdentity::Id(42), AppKey::from_pem(&pem).unwrap());
        let value = signer.authorization().unwrap();
        assert!(value.is_sensitive() && !format!("{value:?}").contains("eyJ"));
        let statement = value.to_str().unwrap().strip_prefix("Bearer ").unwrap();
        let public = include_bytes!("../../../fixtures/keys/test-app.pub.pem");
        let key = jsonwebtoken::DecodingKey::from_rsa_pem(public).unwrap();
        let decoded = jsonwebtoken::decode::<Claims>(statement, &key, &jsonwebtoken::Validation::new(Algorithm::RS256));
        let claims = decoded.unwrap().claims;
        assert_eq!((claims.iss.as_str(), claims.exp - claims.iat), ("42", 600));
        assert_eq!(signer.authorization().unwrap(), value);
        *signer.signed.lock().unwrap() = Some((HeaderValue::from_static("old"), Instant::now() - REUSED));
        assert_ne!(signer.authorization().unwrap(), "old");
    }

    #[test]
    fn a_token_is_used_until_five_minutes_before_its_end_by_the_hosts_clock() {
        let host_clock = SystemTime::from(OffsetDateTime::parse("2026-11-20T10:00:00Z", &Rfc3339).unwrap());
        let usable = |ends| {
            let token = Token::from_answer(&answer("ghs_x", ends), host_clock).unwrap();
            token.usable_until.saturating_duration_since(Instant::now()).as_secs().div_ceil(60)
        };
        assert_eq!(usable(Some("2026-11-20T11:00:00Z")), 55);
        assert_eq!(usable(Some("2026-11-20T10:05:00Z")), 0);
        assert_eq!(usable(Some("2026-11-20T09:00:00Z")), 0);
        assert_eq!(usable(Some("2999-01-01T00:00:00Z")), 24 * 60);
        assert_eq!(usable(Some("tomorrow")), 0);
        assert_eq!(usable(None), 0);
    }

    #[test]
    fn a_token_may_have_any_length_and_is_never_printed() {
        let long = format!("ghs_123456_{}", "aB3._-".repeat(100));
        let token = Token::from_answer(&answer(&long, None), SystemTime::now()).unwrap();
        assert_eq!(token.authorization.to_str().unwrap(), format!("Bearer {long}"));
        assert!(!format!("{token:?}").contains("aB3"));
        assert!(Token::from_answer(&answer("a\nb", None), SystemTime::now()).is_err());
    }

    #[tokio::test]
    async fn many_who_want_a_token_cause_one_request() {
        let (tokens, minted) = (Tokens::default(), AtomicUsize::new(0));
        let want = || {
            let (tokens, minted) = (&tokens, &minted);
            async move {
                let mint = || async {
                    minted.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    Ok(token("ghs_one", 55))
                };
                tokens.get(&scope("r"), mint).await.unwrap()
            }
        };
        tokio::join!(want(), want(), want(), want());
        assert_eq!(minted.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_refused_token_is_forgotten_and_its_successor_is_not() {
        let tokens = Tokens::default();
        let scope_r = scope("r");
        let get = |text: &'static str| tokens.get(&scope_r, move || async move { Ok(token(text, 55)) });
        let first = get("ghs_first").await.unwrap();
        tokens.forget(&scope("r"), &first).await;
        let second = get("ghs_second").await.unwrap();
        assert_ne!(first.authorization, second.authorization);
        tokens.forget(&scope("r"), &first).await;
        assert_eq!(get("ghs_third").await.unwrap().authorization, second.authorization);
        let failed = tokens.get(&scope("s"), || async { Err(ForgeError::NotFound("gone".to_owned())) }).await;
        assert!(failed.is_err());
        assert!(tokens.get(&scope("s"), || async { Ok(token("ghs_s", 55)) }).await.is_ok());
    }

    #[tokio::test]
    async fn tokens_that_have_ended_are_dropped_when_there_are_many() {
        let tokens = Tokens::default();
        for n in 0..=SWEEP_ABOVE {
            let minutes = if n % 2 == 0 { 0 } else { 55 };
            tokens.get(&scope(&format!("r{n}")), || async { Ok(token("ghs_x", minutes)) }).await.unwrap();
        }
        tokens.get(&scope("one more"), || async { Ok(token("ghs_x", 55)) }).await.unwrap();
        assert_eq!(tokens.slots.lock().unwrap().len(), SWEEP_ABOVE / 2 + 1);
    }
}
