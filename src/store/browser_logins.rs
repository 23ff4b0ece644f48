//! Sign-ins that lead to a browser session, each used once. Until then they travel in a cookie.

use sea_orm::{EntityTrait, Set};

use crate::clock::Timestamp;
use crate::secret::SecretHash;
use crate::store::entity::browser_logins::{ActiveModel, Column, Entity};
use crate::store::{Consumed, StoreError, Txn};

/// Claims the login: the provider's code is single-use, so only one callback may redeem it. Of
/// several that bring one `state` the primary key lets one in. `expires_at` is when nobody can
/// bring it any more, and the row may go.
pub async fn claim(
    txn: &Txn,
    state_hash: SecretHash,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<Consumed, StoreError> {
    let row = ActiveModel {
        state_hash: Set(state_hash.as_bytes().to_vec()),
        consumed_at: Set(now.millis()),
        expires_at: Set(expires_at.millis()),
    };
    let rows = Entity::insert(row)
        .on_conflict_do_nothing_on([Column::StateHash])
        .exec_without_returning(txn)
        .await?;
    Ok(Consumed::from_insert(&rows))
}
