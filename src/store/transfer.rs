//! A whole database, carried from SQLite to an empty Postgres: all of it or nothing.
//!
//! Which tables and columns there are is asked of Postgres, so a table that a migration adds is
//! carried without a word here. A batch of rows goes as one JSON text, which both databases can
//! make and read: bytes as hexadecimal digits, JSON as it is, everything else as the number or text
//! it is.

use std::collections::BTreeSet;
use std::fmt;

use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value};

use crate::store::{Store, StoreError, schema};

/// Rows that go at once.
const BATCH: i64 = 500;

/// Tables that stay behind: Postgres has its own list of migrations, and whose turn something is
/// says nothing about other replicas.
const LEFT_BEHIND: [&str; 2] = ["seaql_migrations", "leases"];

/// Tables in which a migration puts its rows.
const FILLED_BY_MIGRATIONS: [&str; 1] = ["audit_horizon"];

/// A table that was carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Its name.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
}

/// Why nothing was carried.
#[derive(Debug)]
pub enum TransferError {
    /// One of the databases did not do what it was asked.
    Store(StoreError),
    /// The source is not an SQLite database, or the destination is not Postgres.
    WrongKind,
    /// The source has not the same migrations as this program.
    OtherVersion,
    /// The destination has rows already, in this table.
    NotEmpty(String),
    /// Not all rows of this table arrived.
    Incomplete(String),
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::WrongKind => f.write_str("rows go from SQLite to Postgres only"),
            Self::OtherVersion => f.write_str(
                "the SQLite database is of another version; run `gatehouse migrate up` on it first",
            ),
            Self::NotEmpty(table) => write!(f, "the destination is not empty: {table} has rows"),
            Self::Incomplete(table) => write!(f, "{table} did not arrive whole"),
        }
    }
}

impl std::error::Error for TransferError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => error.source(),
            _ => None,
        }
    }
}

impl<E: Into<StoreError>> From<E> for TransferError {
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

/// Carries every row from an SQLite database to a Postgres that has the tables and no rows.
///
/// Both are held in one transaction each, and nothing is written in the source. Nobody else can
/// write there meanwhile; a server that goes on afterwards would write what is never carried.
pub async fn carry(source: &Store, destination: &Store) -> Result<Vec<Carried>, TransferError> {
    if source.is_postgres() || !destination.is_postgres() {
        return Err(TransferError::WrongKind);
    }
    if !schema::is_current(source).await? {
        return Err(TransferError::OtherVersion);
    }
    let from = source.begin().await?;
    let to = destination.begin().await?;
    let mut carried = Vec::new();
    for table in tables(&to).await? {
        let is_filled = FILLED_BY_MIGRATIONS.contains(&table.as_str());
        if is_filled {
            to.execute_unprepared(&format!("DELETE FROM {table}")).await?;
        } else if count(&to, &table).await? > 0 {
            return Err(TransferError::NotEmpty(table));
        }
        carry_table(&from, &to, &table).await?;
        let rows = count(&to, &table).await?;
        if rows != count(&from, &table).await? {
            return Err(TransferError::Incomplete(table));
        }
        carried.push(Carried { table, rows: rows.unsigned_abs() });
    }
    to.commit().await.map_err(StoreError::from)?;
    Ok(carried)
}

#[derive(FromQueryResult)]
struct Count {
    rows: i64,
}

async fn count(db: &impl ConnectionTrait, table: &str) -> Result<i64, StoreError> {
    let sql = format!("SELECT count(*) AS rows FROM {table}");
    let statement = Statement::from_string(db.get_database_backend(), sql);
    Ok(Count::find_by_statement(statement).one(db).await?.map_or(0, |count| count.rows))
}

#[derive(FromQueryResult)]
struct Named {
    name: String,
}

#[derive(FromQueryResult)]
struct Reference {
    of: String,
    to: String,
}

/// The tables, each behind those it refers to.
async fn tables(to: &impl ConnectionTrait) -> Result<Vec<String>, StoreError> {
    let backend = to.get_database_backend();
    let names = "SELECT table_name::text AS name FROM information_schema.tables
         WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'";
    let names = Named::find_by_statement(Statement::from_string(backend, names)).all(to).await?;
    let references = "SELECT c.relname::text AS of, r.relname::text AS to FROM pg_constraint f
         JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class r ON r.oid = f.confrelid
         WHERE f.contype = 'f' AND c.relnamespace = current_schema()::regnamespace";
    let references = Statement::from_string(backend, references);
    let references = Reference::find_by_statement(references).all(to).await?;
    let mut waiting: BTreeSet<String> = names.into_iter().map(|table| table.name).collect();
    waiting.retain(|table| !LEFT_BEHIND.contains(&table.as_str()));
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let waits = |table: &String| {
            let refers = |it: &&Reference| it.of == *table && it.to != *table;
            references.iter().filter(refers).any(|it| waiting.contains(&it.to))
        };
        let next: Vec<String> = waiting.iter().filter(|table| !waits(table)).cloned().collect();
        if next.is_empty() {
            return Err(StoreError::Corrupt("set of tables: they refer to one another in a ring"));
        }
        waiting.retain(|table| !next.contains(table));
        ordered.extend(next);
    }
    Ok(ordered)
}

#[derive(FromQueryResult)]
struct Column {
    name: String,
    kind: String,
}

impl Column {
    /// How SQLite says the value as JSON that Postgres reads as this type.
    fn as_json(&self) -> String {
        let name = &self.name;
        match self.kind.as_str() {
            "uuid" => format!("CASE WHEN {name} IS NOT NULL THEN hex({name}) END"),
            "bytea" => format!("CASE WHEN {name} IS NOT NULL THEN '\\x' || hex({name}) END"),
            "jsonb" => format!("json({name})"),
            _ => name.clone(),
        }
    }
}

#[derive(FromQueryResult)]
struct Batch {
    rows: String,
    last: Option<i64>,
}

async fn carry_table(
    from: &impl ConnectionTrait,
    to: &impl ConnectionTrait,
    table: &str,
) -> Result<(), StoreError> {
    let columns = "SELECT column_name::text AS name, data_type::text AS kind
         FROM information_schema.columns
         WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position";
    let values = [table.into()];
    let columns = Statement::from_sql_and_values(to.get_database_backend(), columns, values);
    let columns = Column::find_by_statement(columns).all(to).await?;
    let pair = |column: &Column| format!("'{}', {}", column.name, column.as_json());
    let pairs = columns.iter().map(pair).collect::<Vec<_>>().join(", ");
    let names = columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
    let read = format!(
        "SELECT json_group_array(json_object({pairs})) AS rows, max(place) AS last
         FROM (SELECT rowid AS place, * FROM {table} WHERE rowid > $1 ORDER BY rowid LIMIT {BATCH})"
    );
    let write = format!(
        "INSERT INTO {table} ({names})
         SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, $1::jsonb)"
    );
    let mut after = i64::MIN;
    loop {
        let read = Statement::from_sql_and_values(
            from.get_database_backend(),
            &read,
            [Value::from(after)],
        );
        let batch = Batch::find_by_statement(read).one(from).await?;
        let Some(Batch { rows, last: Some(last) }) = batch else { return Ok(()) };
        let values = [Value::from(rows)];
        let write = Statement::from_sql_and_values(to.get_database_backend(), &write, values);
        to.execute_raw(write).await?;
        after = last;
    }
}
