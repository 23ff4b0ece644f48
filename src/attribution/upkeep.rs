//! What has to be done for people who do not come by themselves, in bounded batches, by the same
//! passes that clean up (`store::sweep`).
//!
//! 1. Who has no membership, having signed in before there were any, gets one, by the rules as they
//!    are. A changed rule reaches all others at their next sign-in.
//! 2. What was sealed under `secret_previous`, or in the way before seals told their secret, is
//!    sealed under the current secret; a person's address is hashed anew with it. When nothing is
//!    left, `secret_previous` can go.

use crate::attribution::people::{People, email_hash};
use crate::clock::Timestamp;
use crate::id::UserId;
use crate::store::sealed::{self, ForeignSeal, Sealed};
use crate::store::{Consumed, Store, StoreError, Txn, memberships, people, transact};

/// Rows of one transaction.
const BATCH_ROWS: u32 = 100;

/// Transactions of one pass, for each kind of row: what is left waits for the next.
const BATCHES_MAX: u32 = 100;

/// What one pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Memberships made for people who had none.
    pub memberships: u64,
    /// Values sealed anew.
    pub resealed: u64,
    /// Values that are not sealed under the current secret, after the pass.
    pub left: Left,
}

/// Values that are not sealed under the current secret, of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left([u64; Sealed::ALL.len()]);

impl Left {
    /// All of them.
    pub fn total(self) -> u64 {
        self.0.iter().sum()
    }

    /// How many of which kind.
    pub fn by_kind(self) -> impl Iterator<Item = (Sealed, u64)> {
        Sealed::ALL.into_iter().zip(self.0)
    }
}

/// Runs one pass.
pub async fn pass(store: &Store, people: People<'_>, now: Timestamp) -> Result<Kept, StoreError> {
    let memberships = settle_all(store, people, now).await?;
    let mut resealed = 0;
    for kind in Sealed::ALL {
        resealed += reseal_all(store, people, kind).await?;
    }
    Ok(Kept { memberships, resealed, left: left(store, people).await? })
}

/// How much is not sealed under the current secret.
pub async fn left(store: &Store, people: People<'_>) -> Result<Left, StoreError> {
    let (db, mark) = (store.read(), people.secret.seal_mark());
    let mut left = Left::default();
    for (count, kind) in left.0.iter_mut().zip(Sealed::ALL) {
        *count = sealed::count_foreign(db, kind, mark).await?;
    }
    Ok(left)
}

/// What a batch did, and where the next begins.
struct Batch<K> {
    done: u64,
    last: Option<K>,
}

async fn settle_all(store: &Store, people: People<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let (mut done, mut after) = (0, None);
    for _ in 0..BATCHES_MAX {
        let batch = transact!(*store, txn => settle_batch(txn, people, after, now).await)?;
        done += batch.done;
        match batch.last {
            Some(last) => after = Some(last),
            None => break,
        }
    }
    Ok(done)
}

async fn settle_batch(
    txn: &Txn,
    people: People<'_>,
    after: Option<UserId>,
    now: Timestamp,
) -> Result<Batch<UserId>, StoreError> {
    let found = people::lock_unsettled(txn, after, BATCH_ROWS).await?;
    let last = found.last().map(|person| person.attribution.user);
    let resolved = found.iter().filter_map(|person| Some((person, people.resolve(person)?)));
    let mut resolved: Vec<_> = resolved.collect();
    // Two passes that make the same organizations make them in the same order.
    resolved.sort_by_cached_key(|(_, resolved)| {
        resolved.as_ref().ok().map(|organization| organization.key.clone())
    });
    let mut done = 0;
    for (person, resolved) in resolved {
        let person = &person.attribution;
        let fresh = people.fresh_ids(now);
        // As of when the provider told it.
        let since = person.last_login_at;
        let settled = memberships::settle(txn, person.user, &resolved, fresh, since).await?;
        done += u64::from(settled == memberships::Settled::Moved);
    }
    Ok(Batch { done, last })
}

async fn reseal_all(store: &Store, people: People<'_>, kind: Sealed) -> Result<u64, StoreError> {
    let (mut done, mut after) = (0, None);
    for _ in 0..BATCHES_MAX {
        let batch = transact!(*store, txn => {
            let mark = people.secret.seal_mark();
            let found = sealed::lock_foreign(txn, kind, mark, after.as_ref(), BATCH_ROWS).await?;
            let last = found.last().map(|row| row.key.clone());
            let mut done = 0;
            for row in &found {
                done += u64::from(reseal(txn, people, kind, row).await? == Consumed::ByUs);
            }
            Ok(Batch { done, last })
        })?;
        done += batch.done;
        match batch.last {
            Some(last) => after = Some(last),
            None => break,
        }
    }
    Ok(done)
}

/// Seals one value anew. One that neither secret opens is left as it is, and counted.
async fn reseal(
    txn: &Txn,
    people: People<'_>,
    kind: Sealed,
    row: &ForeignSeal,
) -> Result<Consumed, StoreError> {
    let Some(opened) = people.secret.unseal(kind.purpose(), &row.sealed) else {
        return Ok(Consumed::BySomeoneElse);
    };
    let anew = people.secret.seal(people.entropy, kind.purpose(), &opened);
    if kind != Sealed::Profiles {
        return sealed::replace(txn, kind, row, anew).await;
    }
    let email = people.profile(&row.sealed).and_then(|profile| profile.email);
    let hash = email.and_then(|email| email_hash(people.secret, &email));
    sealed::replace_profile(txn, row, anew, hash).await
}
