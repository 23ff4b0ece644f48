//! Attempts to sign in: steps are added to a row, which whoever comes first makes.
//!
//! There are bounds, whatever comes: of steps in a row, of rows, and of rows of those who never
//! signed in, so that a flood of requests by nobody neither fills the disk nor drives out the
//! attempts of people.

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, FromQueryResult, Statement, Value};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::domain::attempt::{Taken, read};
use crate::domain::audit::{AuditKind, reference_of};
use crate::id::{AuthorizationRequestId, GrantId, UserId};
use crate::store::audit::first_id_of;
use crate::store::{Db, Store, StoreError, Txn, sink_people, transact};

/// How many rows there may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Of all attempts.
    pub rows: i64,
    /// Of those in which nobody signed in.
    pub of_nobody: i64,
}

/// How many there are at most, but for what was added since they were last looked after.
pub const BOUNDS: Bounds = Bounds { rows: 50_000, of_nobody: 20_000 };

/// What a row's steps may take, in characters; one addition more may go beyond it.
const STEPS_CHARS_MAX: i64 = 4_000;

/// Rows deleted by one statement.
const BATCH_ROWS: i64 = 1_000;

/// Which program asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Its identifier.
    pub client_id: Option<String>,
    /// What it calls itself.
    pub client_name: Option<String>,
    /// `registered`, `document` or `unknown`.
    pub client_kind: Option<&'static str>,
}

/// What is added to an attempt.
#[derive(Clone, Debug, Default)]
pub struct Addition {
    /// Which program asks, where that was seen.
    pub program: Program,
    /// Who signed in.
    pub user_id: Option<UserId>,
    /// What the code became.
    pub grant_id: Option<GrantId>,
    /// The lines of the steps.
    pub steps: String,
}

/// What became of a grant at `/mcp`.
#[derive(Clone, Debug)]
pub struct Use {
    /// The grant.
    pub grant_id: GrantId,
    /// When it was let in; none when it was refused.
    pub used_at: Option<Timestamp>,
    /// The line of the step.
    pub step: String,
}

/// Adds to attempts. Who was erased meanwhile is nobody.
pub async fn add(
    txn: &Txn,
    additions: &[(AuthorizationRequestId, Addition)],
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO attempts
             (id, reference, client_id, client_name, client_kind, user_id, grant_id, steps)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (id) DO UPDATE SET
             client_id = COALESCE(attempts.client_id, excluded.client_id),
             client_name = COALESCE(attempts.client_name, excluded.client_name),
             client_kind = COALESCE(attempts.client_kind, excluded.client_kind),
             user_id = COALESCE(excluded.user_id, attempts.user_id),
             grant_id = COALESCE(excluded.grant_id, attempts.grant_id),
             steps = CASE WHEN length(attempts.steps) > $9 THEN attempts.steps
                 ELSE attempts.steps || excluded.steps END";
    let people: Vec<_> = additions.iter().filter_map(|(_, it)| it.user_id).collect();
    let held = sink_people::hold(txn, &people).await?;
    for (id, it) in additions {
        let is_held = |user: &UserId| held.iter().any(|person| person.id == *user);
        let Program { client_id, client_name, client_kind } = it.program.clone();
        let values: [Value; 9] = [
            id.uuid().into(),
            reference_of(*id).into(),
            client_id.into(),
            client_name.into(),
            client_kind.map(str::to_owned).into(),
            it.user_id.filter(is_held).map(UserId::uuid).into(),
            it.grant_id.map(GrantId::uuid).into(),
            it.steps.clone().into(),
            STEPS_CHARS_MAX.into(),
        ];
        let statement = Statement::from_sql_and_values(txn.get_database_backend(), SQL, values);
        txn.execute_raw(statement).await?;
    }
    Ok(())
}

/// Adds what became of a grant, unless it was in use before. Whether its attempt is there at all.
pub async fn add_use(txn: &Txn, it: &Use) -> Result<bool, StoreError> {
    const UPDATE: &str = "UPDATE attempts SET used_at = $1, steps = steps || $2
         WHERE grant_id = $3 AND used_at IS NULL AND length(steps) <= $4";
    const FIND: &str = "SELECT 1 FROM attempts WHERE grant_id = $1";
    let (backend, grant_id) = (txn.get_database_backend(), it.grant_id.uuid());
    let values: [Value; 4] = [
        it.used_at.map(Timestamp::millis).into(),
        it.step.clone().into(),
        grant_id.into(),
        STEPS_CHARS_MAX.into(),
    ];
    let update = Statement::from_sql_and_values(backend, UPDATE, values);
    if txn.execute_raw(update).await?.rows_affected() > 0 {
        return Ok(true);
    }
    let find = Statement::from_sql_and_values(backend, FIND, [grant_id.into()]);
    Ok(txn.query_one_raw(find).await?.is_some())
}

/// An attempt as its row tells it.
#[derive(Clone, Debug)]
pub struct StoredAttempt {
    /// Its row.
    pub id: AuthorizationRequestId,
    /// What people are shown of it.
    pub reference: String,
    /// Which program asked.
    pub client_id: Option<String>,
    /// What it called itself.
    pub client_name: Option<String>,
    /// How it had introduced itself.
    pub client_kind: Option<String>,
    /// Who signed in.
    pub user_id: Option<UserId>,
    /// What the code became.
    pub grant_id: Option<GrantId>,
    /// Its steps, in the order of their times.
    pub steps: Vec<Taken>,
}

/// A row of the table.
#[derive(FromQueryResult)]
pub(super) struct Row {
    id: Uuid,
    reference: String,
    client_id: Option<String>,
    client_name: Option<String>,
    client_kind: Option<String>,
    user_id: Option<Uuid>,
    grant_id: Option<Uuid>,
    steps: String,
}

/// What is read of a row.
pub(super) const SELECT: &str = "SELECT id, reference, client_id, client_name, client_kind, \
     user_id, grant_id, steps FROM attempts";

impl From<Row> for StoredAttempt {
    fn from(row: Row) -> Self {
        Self {
            id: AuthorizationRequestId::from_uuid(row.id),
            reference: row.reference,
            client_id: row.client_id,
            client_name: row.client_name,
            client_kind: row.client_kind,
            user_id: row.user_id.map(UserId::from_uuid),
            grant_id: row.grant_id.map(GrantId::from_uuid),
            steps: read(&row.steps),
        }
    }
}

/// The attempt of a reference; the newest of several, of which there is one in billions.
pub async fn find(db: &impl Db, reference: &str) -> Result<Option<StoredAttempt>, StoreError> {
    let sql = format!("{SELECT} WHERE reference = $1 ORDER BY id DESC LIMIT 1");
    let values: [Value; 1] = [reference.into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    Ok(Row::find_by_statement(statement).one(db).await?.map(StoredAttempt::from))
}

/// Deletes attempts that were kept long enough, and the oldest beyond the bounds; how many those
/// were.
pub async fn retire(
    store: &Store,
    kept: Duration,
    bounds: Bounds,
    now: Timestamp,
) -> Result<u64, StoreError> {
    const OLD: &str = "DELETE FROM attempts WHERE id IN
         (SELECT id FROM attempts WHERE id < $1 ORDER BY id LIMIT $2)";
    let end = first_id_of(now.minus(kept).plus(Duration::from_millis(1)));
    let mut deleted = 0;
    loop {
        let rows = transact!(*store, txn => {
            let values: [Value; 2] = [end.into(), BATCH_ROWS.into()];
            let statement = Statement::from_sql_and_values(txn.get_database_backend(), OLD, values);
            Ok(txn.execute_raw(statement).await?.rows_affected())
        })?;
        deleted += rows;
        if rows < BATCH_ROWS.unsigned_abs() {
            break;
        }
    }
    Ok(deleted + transact!(*store, txn => trim(txn, bounds).await)?)
}

/// Deletes the oldest beyond the bounds.
pub async fn trim(txn: &Txn, bounds: Bounds) -> Result<u64, StoreError> {
    const ALL: &str = "DELETE FROM attempts WHERE id <=
         (SELECT id FROM attempts ORDER BY id DESC LIMIT 1 OFFSET $1)";
    const OF_NOBODY: &str = "DELETE FROM attempts WHERE user_id IS NULL AND id <=
         (SELECT id FROM attempts WHERE user_id IS NULL ORDER BY id DESC LIMIT 1 OFFSET $1)";
    let mut deleted = 0;
    for (sql, most) in [(ALL, bounds.rows), (OF_NOBODY, bounds.of_nobody)] {
        let values: [Value; 1] = [most.into()];
        let statement = Statement::from_sql_and_values(txn.get_database_backend(), sql, values);
        deleted += txn.execute_raw(statement).await?.rows_affected();
    }
    Ok(deleted)
}

/// When a client last registered here, as the audit log knows it.
pub async fn registered_at(db: &impl Db, client_id: &str) -> Result<Option<Timestamp>, StoreError> {
    const SQL: &str = "SELECT happened_at FROM audit WHERE kind = $1 AND client_id = $2
         ORDER BY id DESC LIMIT 1";
    let kind = AuditKind::ClientRegistered.name();
    let values: [Value; 2] = [kind.into(), client_id.into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), SQL, values);
    let Some(row) = db.query_one_raw(statement).await? else { return Ok(None) };
    Ok(Some(Timestamp::from_millis(row.try_get("", "happened_at")?)))
}
