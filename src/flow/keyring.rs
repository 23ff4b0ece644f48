//! The signing keys: one signs, all that are published verify.
//!
//! Keys live in the database, their private halves sealed under the server secret, so that every
//! replica and every restart signs with the same one. A given key (`signing_key`) wins over them.
//!
//! A key that is published before it signs (`flow::key_rotation`) is held ready, and takes over by
//! the clock: nobody has to hear of it in that moment.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use jsonwebtoken::jwk::Jwk;
use tokio::sync::Mutex;

use crate::clock::Timestamp;
use crate::config::Config;
use crate::domain::access_token::{Claims, TYP};
use crate::flow::Fault;
use crate::flow::access_jwt::{self, Unverified};
use crate::keys::{SigningAlgorithm, SigningKey, VerificationKey};
use crate::secret::Entropy;
use crate::server_secret::{Purpose, ServerSecret};
use crate::store::signing_keys::{self, StoredKey};
use crate::store::{Store, StoreError, transact};

/// The least time between two reloads that unknown keys cause.
const RELOAD_EVERY: Duration = Duration::from_secs(5);

struct Keys {
    /// Those that sign from some moment on, the newest first; the last one signs when none may.
    signers: Vec<(Timestamp, Arc<SigningKey>)>,
    published: Vec<Arc<VerificationKey>>,
}

impl Keys {
    fn signing_at(&self, moment: Timestamp) -> &SigningKey {
        let begun = self.signers.iter().find(|(signs_from, _)| *signs_from <= moment);
        let (_, key) = begun.or(self.signers.last()).expect("keys are loaded with one that signs");
        key
    }
}

/// Which keys are in use: another one whenever they were read again.
#[derive(Clone)]
pub struct Edition(Arc<Keys>);

impl PartialEq for Edition {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for Edition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Edition")
    }
}

/// The keys in use.
pub struct Keyring {
    keys: RwLock<Arc<Keys>>,
    given: Option<Arc<SigningKey>>,
    algorithm: SigningAlgorithm,
    reloaded_at: Mutex<Option<Timestamp>>,
}

impl Keyring {
    /// Loads the published keys and makes the first one when there is none to sign with.
    pub async fn open(
        store: &Store,
        config: &Config,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let algorithm = config.signing_alg;
        let given = match &config.signing_key {
            Some(text) => {
                let key = SigningKey::from_text(algorithm, text).map_err(Fault::GivenKey)?;
                Some(Arc::new(key))
            }
            None => None,
        };
        let stored = signing_keys::published(store.read()).await?;
        let can_sign = given.is_some() || signer_among(&stored, algorithm, now).is_some();
        if !can_sign {
            let fresh = SigningKey::generate(algorithm)?;
            let row = stored_key(&fresh, &config.secret, entropy, (now, now))?;
            transact!(store, txn => {
                // Another replica may have been faster; then its key is the one. The lock makes
                // replicas that start at once look one after the other.
                signing_keys::lock_all(txn).await?;
                let present = signing_keys::published(txn).await?;
                if signer_among(&present, algorithm, now).is_none() {
                    signing_keys::insert(txn, row.clone()).await?;
                }
                Ok(())
            })?;
        }
        let keys = load(store, &config.secret, algorithm, given.as_ref(), now).await?;
        Ok(Self {
            keys: RwLock::new(Arc::new(keys)),
            given,
            algorithm,
            reloaded_at: Mutex::new(None),
        })
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().expect("no holder of the keys panics"))
    }

    /// Which keys are in use now.
    pub fn edition(&self) -> Edition {
        Edition(self.keys())
    }

    /// Signs the claims of an access token.
    pub fn sign(&self, claims: &Claims) -> String {
        self.keys().signing_at(Timestamp::from_seconds(claims.iat)).sign_jwt(TYP, claims)
    }

    /// The public halves, the signing key first.
    pub fn public_jwks(&self) -> Vec<Jwk> {
        self.keys().published.iter().map(|key| key.jwk().clone()).collect()
    }

    /// Checks signature, algorithm and type of a presented token and reads its claims, not yet
    /// judged. `UnknownKey` asks the caller to [`Self::reload`] once.
    pub fn verify(&self, token: &str) -> Result<Claims, Unverified> {
        access_jwt::verify(token, &self.keys().published)
    }

    /// Reads the keys again, at most once per few seconds however many unknown ones are named.
    pub async fn reload(
        &self,
        store: &Store,
        secret: &ServerSecret,
        now: Timestamp,
    ) -> Result<Reloaded, Fault> {
        let mut reloaded_at = self.reloaded_at.lock().await;
        if reloaded_at.is_some_and(|at| now.is_within(at, RELOAD_EVERY)) {
            return Ok(Reloaded::Not);
        }
        // Noted before it is tried: while the database is away, junk tokens must not queue up to
        // ask it one after another.
        *reloaded_at = Some(now);
        let keys = load(store, secret, self.algorithm, self.given.as_ref(), now).await?;
        *self.keys.write().expect("no holder of the keys panics") = Arc::new(keys);
        Ok(Reloaded::Anew)
    }
}

impl Keyring {
    /// Whether there is a key to sign with: a given one, or one that is stored for this algorithm.
    /// Asked of the database, since what this process remembers is no promise for the next one.
    pub async fn can_sign(&self, store: &Store, now: Timestamp) -> Result<bool, StoreError> {
        if self.given.is_some() {
            return Ok(true);
        }
        let stored = signing_keys::published(store.read()).await?;
        Ok(signer_among(&stored, self.algorithm, now).is_some())
    }
}

/// Whether the keys were read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// They were; what was verified with the old ones is to be verified again.
    Anew,
    /// They were read a moment ago.
    Not,
}

/// The key that signs, if there is one of this algorithm.
pub fn signer_among(
    stored: &[StoredKey],
    algorithm: SigningAlgorithm,
    now: Timestamp,
) -> Option<&StoredKey> {
    stored.iter().find(|key| key.algorithm == algorithm.name() && key.signs_from <= now)
}

/// A new key as it is stored.
pub fn stored_key(
    key: &SigningKey,
    secret: &ServerSecret,
    entropy: &dyn Entropy,
    (now, signs_from): (Timestamp, Timestamp),
) -> Result<StoredKey, Fault> {
    let public_jwk = serde_json::to_value(key.public_jwk())
        .map_err(|_| Fault::Store(StoreError::Corrupt("public key")))?;
    Ok(StoredKey {
        kid: key.kid().to_owned(),
        algorithm: key.algorithm().name().to_owned(),
        private_sealed: secret.seal(entropy, Purpose::SigningKey, key.private_pem().as_bytes()),
        public_jwk,
        created_at: now,
        signs_from,
    })
}

async fn load(
    store: &Store,
    secret: &ServerSecret,
    algorithm: SigningAlgorithm,
    given: Option<&Arc<SigningKey>>,
    now: Timestamp,
) -> Result<Keys, Fault> {
    let stored = signing_keys::published(store.read()).await?;
    let signers = match given {
        Some(given) => vec![(Timestamp::from_seconds(0), Arc::clone(given))],
        None => signers(&stored, secret, algorithm, now)?,
    };
    let keys = Keys { signers, published: Vec::new() };
    let signing = keys.signing_at(now);
    let mut published = vec![Arc::new(VerificationKey::from_jwk(signing.public_jwk().clone())?)];
    for row in stored.iter().filter(|row| row.kid != signing.kid()) {
        let jwk = serde_json::from_value(row.public_jwk.clone())
            .map_err(|_| Fault::Store(StoreError::Corrupt("public key")))?;
        published.push(Arc::new(VerificationKey::from_jwk(jwk)?));
    }
    Ok(Keys { published, ..keys })
}

/// The key that signs, and before it those that will.
fn signers(
    stored: &[StoredKey],
    secret: &ServerSecret,
    algorithm: SigningAlgorithm,
    now: Timestamp,
) -> Result<Vec<(Timestamp, Arc<SigningKey>)>, Fault> {
    let mut signers = Vec::new();
    for row in stored.iter().filter(|row| row.algorithm == algorithm.name()) {
        let pem = secret
            .unseal(Purpose::SigningKey, &row.private_sealed)
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or(Fault::Store(StoreError::Corrupt(
                "signing key: it was sealed under another `secret`",
            )))?;
        signers.push((row.signs_from, Arc::new(SigningKey::from_pem(algorithm, &pem)?)));
        if row.signs_from <= now {
            return Ok(signers);
        }
    }
    Err(Fault::Store(StoreError::Corrupt("set of signing keys")))
}
