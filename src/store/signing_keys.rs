//! Signing keys: published first, signing later, retired last.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, Order, QueryFilter, QueryOrder, Set,
};

use crate::clock::Timestamp;
use crate::store::entity::signing_keys::{ActiveModel, Column, Entity};
use crate::store::{Consumed, Db, StoreError, Txn};

/// A key as its row holds it.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// The `alg` it signs with.
    pub algorithm: String,
    /// The private half, sealed.
    pub private_sealed: Vec<u8>,
    /// The public half.
    pub public_jwk: serde_json::Value,
    /// When it was made.
    pub created_at: Timestamp,
    /// It signs from this moment on; before, it is only published.
    pub signs_from: Timestamp,
}

/// All keys that are published, the newest signer first.
pub async fn published(db: &impl Db) -> Result<Vec<StoredKey>, StoreError> {
    let rows = Entity::find()
        .filter(Column::RetiredAt.is_null())
        .order_by(Column::SignsFrom, Order::Desc)
        .order_by(Column::Kid, Order::Asc)
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| StoredKey {
            kid: row.kid,
            algorithm: row.algorithm,
            private_sealed: row.private_sealed,
            public_jwk: row.public_jwk,
            created_at: Timestamp::from_millis(row.created_at),
            signs_from: Timestamp::from_millis(row.signs_from),
        })
        .collect())
}

/// The key of the advisory lock: "gatekeys" in ASCII.
const ADVISORY_LOCK: i64 = 0x6761_7465_6b65_7973;

/// Holds the set of keys until the transaction ends. SQLite has one writer anyway.
pub async fn lock_all(txn: &Txn) -> Result<(), StoreError> {
    if txn.get_database_backend() == DbBackend::Postgres {
        txn.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")).await?;
    }
    Ok(())
}

/// Inserts a key; one with the same thumbprint is the same key and stays as it is.
pub async fn insert(txn: &Txn, key: StoredKey) -> Result<(), StoreError> {
    let row = ActiveModel {
        kid: Set(key.kid),
        algorithm: Set(key.algorithm),
        private_sealed: Set(key.private_sealed),
        public_jwk: Set(key.public_jwk),
        created_at: Set(key.created_at.millis()),
        signs_from: Set(key.signs_from.millis()),
        retired_at: Set(None),
    };
    Entity::insert(row)
        .on_conflict_do_nothing_on([Column::Kid])
        .exec_without_returning(txn)
        .await?;
    Ok(())
}

/// Publishes a key no more.
pub async fn retire(txn: &Txn, kid: &str, now: Timestamp) -> Result<Consumed, StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::RetiredAt, Expr::value(now.millis()))
        .filter(Column::Kid.eq(kid))
        .filter(Column::RetiredAt.is_null())
        .exec(txn)
        .await?;
    Ok(Consumed::from_rows(update.rows_affected))
}
