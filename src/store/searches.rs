//! What people looked for and what they said they wanted: sealed texts, kept only while the
//! settings say so.

use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::id::{SearchId, UserId};
use crate::store::usage_sweep::delete;
use crate::store::{Db, Store, StoreError, Txn};

/// Rows marked by one statement.
const MARKED_AT_ONCE: usize = 200;

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What was searched for.
    Query,
    /// What the person wants, as their assistant puts it.
    Context,
}

impl Kind {
    /// The word in the column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Context => "context",
        }
    }
}

/// A kept text, as its row holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptText {
    /// Which call: the two texts of one call share it.
    pub id: SearchId,
    /// What it is.
    pub kind: Kind,
    /// When.
    pub asked_at: Timestamp,
    /// Whose.
    pub user_id: Option<UserId>,
    /// The key of their organization; empty where none is known.
    pub organization: String,
    /// Which tool was called.
    pub tool: String,
    /// The text, sealed.
    pub text_sealed: Vec<u8>,
    /// How much was found; empty where nothing was searched.
    pub results: Option<i64>,
    /// The score of the best, where the local index gave it.
    pub top_score: Option<f64>,
    /// Terms of the query.
    pub terms: i64,
    /// Whether the same person asked in other words soon after.
    pub is_reformulated: bool,
}

const COLUMNS: &str = "id, kind, asked_at, user_id, organization, tool, text_sealed, results, \
    top_score, terms, is_reformulated";

/// Inserts a text. One that is there already, because nobody answered when it was written, stays as
/// it is.
pub async fn insert(txn: &Txn, text: KeptText) -> Result<(), StoreError> {
    let values: [Value; 11] = [
        text.id.uuid().into(),
        text.kind.name().into(),
        text.asked_at.millis().into(),
        text.user_id.map(UserId::uuid).into(),
        text.organization.into(),
        text.tool.into(),
        text.text_sealed.into(),
        text.results.into(),
        text.top_score.into(),
        text.terms.into(),
        text.is_reformulated.into(),
    ];
    let sql = format!(
        "INSERT INTO searches ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (id, kind) DO NOTHING"
    );
    txn.execute_raw(Statement::from_sql_and_values(txn.get_database_backend(), sql, values))
        .await?;
    Ok(())
}

/// Says of earlier searches that they were asked again in other words.
pub async fn mark_reformulated(txn: &Txn, ids: &[SearchId]) -> Result<(), StoreError> {
    for some in ids.chunks(MARKED_AT_ONCE) {
        let places: Vec<_> = (1..=some.len()).map(|place| format!("${place}")).collect();
        let sql = format!(
            "UPDATE searches SET is_reformulated = TRUE WHERE id IN ({})",
            places.join(", ")
        );
        let values = some.iter().map(|id| Value::from(id.uuid()));
        let backend = txn.get_database_backend();
        txn.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    }
    Ok(())
}

/// The texts of a kind that were kept from `from` to before `to`: the newest first, at most `rows`.
pub async fn list(
    db: &impl Db,
    kind: Kind,
    (from, to): (Timestamp, Timestamp),
    rows: u64,
) -> Result<Vec<KeptText>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM searches WHERE kind = $1 AND asked_at >= $2 AND asked_at < $3
         ORDER BY asked_at DESC, id DESC LIMIT $4"
    );
    let values: [Value; 4] = [
        kind.name().into(),
        from.millis().into(),
        to.millis().into(),
        i64::try_from(rows).unwrap_or(i64::MAX).into(),
    ];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| text_of(row, kind)).collect()
}

fn text_of(row: &QueryResult, kind: Kind) -> Result<KeptText, StoreError> {
    Ok(KeptText {
        id: SearchId::from_uuid(row.try_get("", "id")?),
        kind,
        asked_at: Timestamp::from_millis(row.try_get("", "asked_at")?),
        user_id: row.try_get::<Option<Uuid>>("", "user_id")?.map(UserId::from_uuid),
        organization: row.try_get("", "organization")?,
        tool: row.try_get("", "tool")?,
        text_sealed: row.try_get("", "text_sealed")?,
        results: row.try_get("", "results")?,
        top_score: row.try_get("", "top_score")?,
        terms: row.try_get("", "terms")?,
        is_reformulated: row.try_get("", "is_reformulated")?,
    })
}

/// Deletes the texts of a kind that are older; how many those were.
pub async fn delete_before(
    store: &Store,
    kind: Kind,
    before: Timestamp,
) -> Result<u64, StoreError> {
    let condition = match kind {
        Kind::Query => "kind = 'query' AND asked_at <= $1",
        Kind::Context => "kind = 'context' AND asked_at <= $1",
    };
    delete(store, "searches", condition, before.millis()).await
}
