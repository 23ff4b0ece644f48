//! Sealed values that were made under another secret than the current one, to be made anew.
//!
//! A sealed value begins with a mark of its secret (`server_secret`). What lives for minutes only,
//! a client's state or a sign-in under way, is not here: it is gone before anybody could drop the
//! previous secret.

use sea_orm::{ConnectionTrait as _, DbBackend, Statement, Value};
use uuid::Uuid;

use crate::server_secret::{Purpose, SEAL_MARK_BYTES};
use crate::store::{Consumed, Db, StoreError, Txn};

/// What is sealed for as long as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// What the provider told of people.
    Profiles,
    /// What people say.
    Feedback,
    /// What waits to be handed on.
    Outbox,
    /// Private halves.
    SigningKeys,
    /// The identifiers that sinks were told of people.
    SinkTold,
    /// What people searched for.
    Queries,
    /// What people wanted, as their assistants put it.
    Contexts,
}

impl Sealed {
    /// All of it.
    pub const ALL: [Self; 7] = [
        Self::Profiles,
        Self::Feedback,
        Self::Outbox,
        Self::SigningKeys,
        Self::SinkTold,
        Self::Queries,
        Self::Contexts,
    ];

    /// What its seals are for.
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Profiles => Purpose::Profile,
            Self::Feedback => Purpose::Feedback,
            Self::Outbox => Purpose::Outbox,
            Self::SigningKeys => Purpose::SigningKey,
            Self::SinkTold => Purpose::SinkTold,
            Self::Queries => Purpose::Query,
            Self::Contexts => Purpose::Context,
        }
    }

    /// Its table.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Profiles => "users",
            Self::Feedback => "feedback",
            Self::Outbox => "outbox",
            Self::SigningKeys => "signing_keys",
            Self::SinkTold => "sink_people",
            Self::Queries | Self::Contexts => "searches",
        }
    }

    /// Its column.
    pub const fn column(self) -> &'static str {
        match self {
            Self::Profiles => "profile_sealed",
            Self::Feedback | Self::Queries | Self::Contexts => "text_sealed",
            Self::Outbox => "payload_sealed",
            Self::SigningKeys => "private_sealed",
            Self::SinkTold => "told_sealed",
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::SigningKeys => "kid",
            // Of one person at one sink, like the row.
            Self::SinkTold => "pseudonym",
            Self::Profiles | Self::Feedback | Self::Outbox | Self::Queries | Self::Contexts => "id",
        }
    }

    /// Which rows of the table. The two texts of one call share their key.
    const fn rows(self) -> &'static str {
        match self {
            Self::Queries => "kind = 'query'",
            Self::Contexts => "kind = 'context'",
            Self::Profiles | Self::Feedback | Self::Outbox | Self::SigningKeys | Self::SinkTold => {
                "TRUE"
            }
        }
    }

    /// Two comparisons, as an index answers those and not an inequality.
    fn is_foreign(self) -> String {
        let (column, rows) = (self.column(), self.rows());
        let mark = format!("substr({column}, 1, {SEAL_MARK_BYTES})");
        format!("{rows} AND {column} IS NOT NULL AND ({mark} < $1 OR {mark} > $1)")
    }
}

/// Which row it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowKey {
    /// A row with an identifier of ours.
    Id(Uuid),
    /// A key's thumbprint.
    Text(String),
}

impl From<RowKey> for Value {
    fn from(key: RowKey) -> Self {
        match key {
            RowKey::Id(id) => id.into(),
            RowKey::Text(text) => text.into(),
        }
    }
}

/// A value that was sealed under another secret.
#[derive(Clone, Debug)]
pub struct ForeignSeal {
    /// Its row.
    pub key: RowKey,
    /// The value.
    pub sealed: Vec<u8>,
}

/// Holds rows whose values do not begin with `mark`, after a given one, at most `rows`, in the
/// order of their keys. Those that somebody else holds are passed over.
pub async fn lock_foreign(
    txn: &Txn,
    kind: Sealed,
    mark: [u8; SEAL_MARK_BYTES],
    after: Option<&RowKey>,
    rows: u32,
) -> Result<Vec<ForeignSeal>, StoreError> {
    let backend = txn.get_database_backend();
    let lock = match backend {
        DbBackend::Postgres => "FOR UPDATE SKIP LOCKED",
        _ => "",
    };
    let (table, column, key, is_foreign) =
        (kind.table(), kind.column(), kind.key(), kind.is_foreign());
    let mut values: Vec<Value> = vec![mark.to_vec().into(), i64::from(rows).into()];
    let mut comes_after = String::new();
    if let Some(after) = after {
        values.push(after.clone().into());
        comes_after = format!("AND {key} > $3");
    }
    let sql = format!(
        "SELECT {key}, {column} FROM {table} WHERE {is_foreign} {comes_after}
         ORDER BY {key} LIMIT $2 {lock}"
    );
    let statement = Statement::from_sql_and_values(backend, sql, values);
    let mut found = Vec::new();
    for row in txn.query_all_raw(statement).await? {
        let key = match kind {
            Sealed::SigningKeys => RowKey::Text(row.try_get_by_index(0)?),
            Sealed::Profiles
            | Sealed::Feedback
            | Sealed::Outbox
            | Sealed::SinkTold
            | Sealed::Queries
            | Sealed::Contexts => RowKey::Id(row.try_get_by_index(0)?),
        };
        found.push(ForeignSeal { key, sealed: row.try_get_by_index(1)? });
    }
    Ok(found)
}

/// Puts the same value, sealed anew, in the place of what was read.
pub async fn replace(
    txn: &Txn,
    kind: Sealed,
    read: &ForeignSeal,
    anew: Vec<u8>,
) -> Result<Consumed, StoreError> {
    let (table, column, key, rows) = (kind.table(), kind.column(), kind.key(), kind.rows());
    let sql =
        format!("UPDATE {table} SET {column} = $1 WHERE {rows} AND {key} = $2 AND {column} = $3");
    let values: [Value; 3] = [anew.into(), read.key.clone().into(), read.sealed.clone().into()];
    let statement = Statement::from_sql_and_values(txn.get_database_backend(), sql, values);
    Ok(Consumed::from_rows(txn.execute_raw(statement).await?.rows_affected()))
}

/// The same of a person's profile, with the hash of their address under the same secret.
pub async fn replace_profile(
    txn: &Txn,
    read: &ForeignSeal,
    anew: Vec<u8>,
    email_hash: Option<[u8; 32]>,
) -> Result<Consumed, StoreError> {
    let values: [Value; 4] = [
        anew.into(),
        read.key.clone().into(),
        read.sealed.clone().into(),
        email_hash.map(|hash| hash.to_vec()).into(),
    ];
    let statement = Statement::from_sql_and_values(
        txn.get_database_backend(),
        "UPDATE users SET profile_sealed = $1, email_hash = $4
         WHERE id = $2 AND profile_sealed = $3",
        values,
    );
    Ok(Consumed::from_rows(txn.execute_raw(statement).await?.rows_affected()))
}

/// How many values do not begin with `mark`.
pub async fn count_foreign(
    db: &impl Db,
    kind: Sealed,
    mark: [u8; SEAL_MARK_BYTES],
) -> Result<u64, StoreError> {
    let sql = format!("SELECT count(*) FROM {} WHERE {}", kind.table(), kind.is_foreign());
    let values: [Value; 1] = [mark.to_vec().into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let row = db.query_one_raw(statement).await?.ok_or(StoreError::Corrupt("count"))?;
    Ok(u64::try_from(row.try_get_by_index::<i64>(0)?).unwrap_or(0))
}
