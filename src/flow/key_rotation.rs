//! Signing keys follow one another (`domain::key_rotation`).
//!
//! 1. When the newest key is old enough, or somebody says so, another is made and published. The
//!    database is asked under a lock, so that of replicas that look at once one does it.
//! 2. Replicas read the keys again on a timer (`flow::keyring`), and sign with the new one from the
//!    moment on that its row says.
//! 3. When the last token that an old key signed has expired, the key is published no more.
//!
//! Never here: a given key (`signing_key`), which only the settings change.

use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::domain::audit::{Actor, AuditKind};
use crate::domain::key_rotation::{Asked, Decision, decide, is_spent};
use crate::flow::Fault;
use crate::flow::keyring::{signer_among, stored_key};
use crate::keys::{SigningAlgorithm, SigningKey};
use crate::secret::Entropy;
use crate::store::audit::{self, AuditRow};
use crate::store::signing_keys::{self, StoredKey};
use crate::store::{Consumed, Store, StoreError, transact};

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// A new key is published.
    Published {
        /// Its thumbprint.
        kid: String,
        /// When it begins to sign.
        signs_from: Timestamp,
    },
    /// One is published already and signs from this moment on.
    Pending(Timestamp),
    /// Nothing is to be done: the key is young, or it is given by the settings.
    NotDue,
}

/// What one pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tended {
    /// Keys that were made and published.
    pub published: u64,
    /// Keys that are published no more.
    pub retired: u64,
}

/// Does what is due by time.
pub async fn pass(
    store: &Store,
    config: &Config,
    entropy: &dyn Entropy,
    clock: &dyn Clock,
) -> Result<Tended, Fault> {
    let mut tended = Tended::default();
    if let Some(every) = config.key_rotation {
        let rotation = rotate(store, config, entropy, Asked::Every(every), clock).await?;
        tended.published = u64::from(matches!(rotation, Rotation::Published { .. }));
    }
    tended.retired = retire(store, config, clock.now()).await?;
    Ok(tended)
}

/// Publishes a new key, if that is to be done.
///
/// The time is read under the lock, and a transaction that stands still there is ended by the
/// database: a process that is paused on the way publishes no key that is to sign at once.
pub async fn rotate(
    store: &Store,
    config: &Config,
    entropy: &dyn Entropy,
    asked: Asked,
    clock: &dyn Clock,
) -> Result<Rotation, Fault> {
    let algorithm = config.signing_alg;
    if config.signing_key.is_some() {
        return Ok(Rotation::NotDue);
    }
    let now = clock.now();
    let seen = decide_by(&signing_keys::published(store.read()).await?, algorithm, asked, now);
    let Decision::Publish(signs_from) = seen else { return Ok(not_published(seen)) };
    // Made before the lock is taken, as an RSA key takes its time.
    let fresh = SigningKey::generate(algorithm)?;
    let row = stored_key(&fresh, &config.secret, entropy, (now, signs_from))?;
    let decided: Result<_, StoreError> = transact!(*store, txn => {
        signing_keys::lock_all(txn).await?;
        let stored = signing_keys::published(txn).await?;
        let now = clock.now();
        let decision = decide_by(&stored, algorithm, asked, now);
        if let Decision::Publish(signs_from) = decision {
            let row = StoredKey { created_at: now, signs_from, ..row.clone() };
            signing_keys::insert(txn, row).await?;
            let by = if asked == Asked::ByHand { Actor::Command } else { Actor::Server };
            let published = AuditRow::new(entropy, AuditKind::SigningKeyPublished, by, now);
            audit::write(txn, [published]).await?;
        }
        Ok(decision)
    });
    Ok(match decided? {
        Decision::Publish(signs_from) => Rotation::Published { kid: row.kid, signs_from },
        other => not_published(other),
    })
}

fn not_published(decision: Decision) -> Rotation {
    match decision {
        Decision::Pending(signs_from) => Rotation::Pending(signs_from),
        Decision::NotDue | Decision::Publish(_) => Rotation::NotDue,
    }
}

fn decide_by(
    stored: &[StoredKey],
    algorithm: SigningAlgorithm,
    asked: Asked,
    now: Timestamp,
) -> Decision {
    let newest = stored.iter().find(|key| key.algorithm == algorithm.name());
    match newest {
        Some(newest) => decide(newest.signs_from, asked, now),
        // The first key is made at a start, and signs at once.
        None => Decision::NotDue,
    }
}

/// Publishes no more what is spent, and says how many those were.
async fn retire(store: &Store, config: &Config, now: Timestamp) -> Result<u64, Fault> {
    // With a given key it is not known since when it signs.
    if config.signing_key.is_some() {
        return Ok(0);
    }
    let retired = transact!(*store, txn => {
        signing_keys::lock_all(txn).await?;
        let stored = signing_keys::published(txn).await?;
        let signer = signer_among(&stored, config.signing_alg, now).map(|key| key.signs_from);
        let spent = |key: &&StoredKey| signer.is_some_and(|it| is_spent(key.signs_from, it, now));
        let mut retired = 0;
        for key in stored.iter().filter(spent) {
            retired += u64::from(signing_keys::retire(txn, &key.kid, now).await? == Consumed::ByUs);
        }
        Ok(retired)
    })?;
    Ok(retired)
}
