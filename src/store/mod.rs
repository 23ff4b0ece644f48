//! The rows. The only room that names `sea_orm`.
//!
//! SQLite and Postgres stand behind the same functions. One-time rows are consumed by guarded
//! statements whose row count decides, so the database is the referee of every race; a decision
//! that reads first locks the head row (`FOR UPDATE` on Postgres; SQLite has one writer, whose
//! transactions begin immediately).
//!
//! Lock order, always: `clients` → `users` → `organizations` → `memberships` → `consents` →
//! `authorization_requests` → `authorization_codes` → `grants` → `refresh_tokens` →
//! `browser_sessions`. Who locks
//! `limit_windows` holds nothing else, and takes them in the order of their keys; who locks rows of
//! `outbox` holds no other but `users` and `sink_people`, in this order and before them.
//! Usage is written by itself: the writer's row, then days, then counts in the order of their keys;
//! and so are callers without a token: the writer's row, then counts, then those who were asked.
//! Attempts to sign in come after `users`; who takes or renews one of `leases` holds nothing else.
//!
//! Never here: decisions, words of HTTP, a call to the network, `now()` in SQL.

use std::fmt;
use std::sync::Arc;

use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, RuntimeErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait, TryInsertResult,
};
use tracing::Span;

use crate::clock::Stopwatch;
use crate::metrics::store::StoreMetrics;
use crate::store::losses::{Losses, Reader, Repeats, is_lost_connection};
use crate::store::options::{SQLITE_READERS, open_sqlite, postgres_options};
use crate::store::transaction::{BoundedTransaction, HEARD_BY_ANY_WITHIN, heard};

pub mod admin_sessions;
pub mod admin_tokens;
pub mod anonymous;
pub mod attempts;
pub mod audit;
pub mod authorization_codes;
pub mod authorization_requests;
pub mod browser_logins;
pub mod browser_sessions;
pub mod clients;
pub mod consents;
pub mod disclosures;
pub mod enforcement;
mod entity;
pub mod erasures;
pub mod exports;
pub mod feedback;
pub mod grants;
pub mod leases;
pub mod limit_windows;
pub mod listings;
mod losses;
mod measures;
pub mod memberships;
mod options;
pub mod outbox;
pub mod people;
pub mod refresh_tokens;
pub mod retention;
pub mod schema;
pub mod sealed;
pub mod searches;
pub mod signing_keys;
pub mod sink_people;
pub mod sweep;
mod transaction;
pub mod transfer;
mod undisturbed;
pub mod upstream_logins;
pub mod usage;
pub mod usage_fill;
pub mod usage_reports;
pub mod usage_sweep;
pub mod users;

/// How often a transaction is tried at most: the database may ask for another try (SQLSTATE 40001,
/// 40P01), and its connection may be lost before the commit.
const ATTEMPTS: u32 = 5;

/// Something broke; never a protocol answer.
#[derive(Debug)]
pub enum StoreError {
    /// The database did not do what it was asked. Trying later may help.
    Unavailable(DbErr),
    /// A row holds what no code of ours writes, or the `secret` setting does not open it.
    Corrupt(&'static str),
}

impl StoreError {
    /// Whether trying later may help. What the database refuses to store (SQLSTATE classes 22 and
    /// 23) is a mistake of ours and stays one.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Corrupt(_) => false,
            Self::Unavailable(error) => sql_state(error).is_none_or(|code| {
                // Five characters are a SQLSTATE; SQLite has numbers.
                code.len() != 5 || !code.starts_with("22") && !code.starts_with("23")
            }),
        }
    }

    fn is_loss(&self) -> bool {
        matches!(self, Self::Unavailable(error) if is_lost_connection(error))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(_) => f.write_str("the database did not answer as expected"),
            Self::Corrupt(what) => write!(f, "the database holds an unreadable {what}"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable(error) => Some(error),
            Self::Corrupt(_) => None,
        }
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        Self::Unavailable(error)
    }
}

/// Either a connection to read from or a transaction: what the functions of this room work on.
pub trait Db: ConnectionTrait {}

impl<T: ConnectionTrait> Db for T {}

/// A writing transaction.
pub type Txn = BoundedTransaction;

/// Runs a block in one transaction and commits: `transact!(store, txn => { … })`.
///
/// The block is `async` and ends in a `Result`. An `Err` rolls back, so an expected "no" that must
/// leave a trace is an `Ok`. It runs again when the database asks for it, so it has no effect
/// outside the transaction.
///
/// A macro, because a function that took the block as an `AsyncFn` could not promise the endpoints
/// above that its future is `Send` while the block borrows (rust-lang/rust#110338).
macro_rules! transact {
    ($store:expr, $txn:ident => $work:expr) => {{
        let store: &$crate::store::Store = &$store;
        let mut attempts = $crate::store::Attempts::in_module(module_path!());
        loop {
            let open = match store.begin().await {
                Ok(open) => open,
                Err(error) => break Err(attempts.not_begun(store, error)),
            };
            let outcome: Result<_, $crate::store::StoreError> = {
                let $txn = &open;
                async { $work }.await
            };
            if let Some(settled) = attempts.settle(store, open, outcome).await {
                break settled;
            }
        }
    }};
}
pub(crate) use transact;

/// How often a block was run, since when, and where that is told.
#[derive(Debug)]
pub struct Attempts(u32, Stopwatch, Span);

impl Attempts {
    /// Ends a transaction; `None` when the block is to run again.
    pub async fn settle<T>(
        &mut self,
        store: &Store,
        txn: Txn,
        outcome: Result<T, StoreError>,
    ) -> Option<Result<T, StoreError>> {
        let is_commit = outcome.is_ok();
        let ended = match outcome {
            Ok(value) => txn.commit().await.map(|()| value).map_err(StoreError::from),
            Err(error) => {
                // The first error is the one to tell; a rollback that fails adds nothing. Over a
                // lost connection there is nobody to tell it to, and its end is one.
                if !error.is_loss() {
                    let _ = txn.rollback().await;
                }
                Err(error)
            }
        };
        self.0 += 1;
        match ended {
            Err(StoreError::Unavailable(error))
                if self.0 < ATTEMPTS
                    && (asks_for_another_try(&error)
                        // A commit that nobody answered may have been one.
                        || store.losses().notice(&error) && !is_commit) =>
            {
                tracing::debug!(attempt = self.0, "a transaction runs again");
                store.count_retry(&error);
                None
            }
            ended => Some(self.ended(store, ended)),
        }
    }
}

/// Whether a guarded statement changed its row, or somebody was faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consumed {
    /// This call changed it.
    ByUs,
    /// It was changed before.
    BySomeoneElse,
}

impl Consumed {
    /// From an insert that gives way to a row with the same key.
    fn from_insert(rows: &TryInsertResult<u64>) -> Self {
        Self::from_rows(match rows {
            TryInsertResult::Inserted(rows) => *rows,
            TryInsertResult::Empty | TryInsertResult::Conflicted => 0,
        })
    }

    /// From the row count of a guarded update by primary key.
    fn from_rows(rows: u64) -> Self {
        match rows {
            1 => Self::ByUs,
            0 => Self::BySomeoneElse,
            n => unreachable!("a primary key names one row, yet {n} rows changed"),
        }
    }
}

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    reader: Reader,
    writer: DatabaseConnection,
    /// What is measured here.
    pub metrics: Arc<StoreMetrics>,
}

impl Store {
    /// Connects. Nothing is created or migrated yet; see [`schema`].
    pub async fn connect(database_url: &str) -> Result<Self, StoreError> {
        if database_url.starts_with("sqlite:") {
            // One writer, because SQLite has one anyway and waiting in our queue is fairer and
            // cheaper than its busy handler; readers do not wait for it (WAL).
            let writer = open_sqlite(database_url, 1).await?;
            let reader = open_sqlite(database_url, SQLITE_READERS).await?;
            let reader = Reader { connection: reader, losses: Arc::default() };
            Ok(Self { reader, writer, metrics: Arc::default() })
        } else {
            let losses = Arc::default();
            let writer = Database::connect(postgres_options(database_url, &losses)).await?;
            let reader = Reader { connection: writer.clone(), losses };
            Ok(Self { reader, writer, metrics: Arc::default() })
        }
    }

    /// A connection for single reads that decide nothing by themselves.
    pub const fn read(&self) -> &Reader {
        &self.reader
    }

    /// Opens a writing transaction; [`transact!`] is what flows use.
    pub async fn begin(&self) -> Result<Txn, StoreError> {
        let options = TransactionOptions {
            // The default (deferred) fails at once when two transactions that have read want to
            // write; immediate waits its turn. Postgres ignores it.
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let mut repeats = Repeats::default();
        loop {
            let backend = self.writer.get_database_backend();
            let begun = self.writer.begin_with_options(options);
            match heard(self.losses(), backend, HEARD_BY_ANY_WITHIN, begun).await {
                Err(error) if repeats.allow(self.losses(), &error) => {}
                begun => return Ok(Txn::over(begun?, Arc::clone(&self.reader.losses))),
            }
        }
    }

    pub(crate) fn losses(&self) -> &Losses {
        &self.reader.losses
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let backend = self.writer.get_database_backend();
        let answered = |ping| Box::pin(heard(self.losses(), backend, HEARD_BY_ANY_WITHIN, ping));
        let mut repeats = Repeats::default();
        loop {
            match answered(self.reader.connection.ping()).await {
                Err(error) if repeats.allow(self.losses(), &error) => {}
                answered => break answered?,
            }
        }
        Ok(answered(self.writer.ping()).await?)
    }

    /// Gives all connections back, after which every call fails.
    pub async fn close(&self) {
        for connection in [&self.reader.connection, &self.writer] {
            if let Err(error) = connection.close_by_ref().await {
                tracing::debug!(%error, "closing a database connection failed");
            }
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.writer.get_database_backend() == DbBackend::Postgres
    }
}

/// Whether the database gave up for reasons of its own scheduling: SQLSTATE
/// serialization_failure and deadlock_detected, SQLITE_BUSY_SNAPSHOT.
fn asks_for_another_try(error: &DbErr) -> bool {
    sql_state(error).is_some_and(|code| matches!(code.as_str(), "40001" | "40P01" | "517"))
}

fn sql_state(error: &DbErr) -> Option<String> {
    let code = sqlx_error(error)?.as_database_error().and_then(sqlx::error::DatabaseError::code)?;
    Some(code.into_owned())
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error))
        | DbErr::Conn(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// Reads a 32-byte hash column.
fn stored_hash(bytes: &[u8]) -> Result<crate::secret::SecretHash, StoreError> {
    crate::secret::SecretHash::from_stored(bytes).ok_or(StoreError::Corrupt("hash"))
}

/// A timestamp column that may be empty.
fn stored_time(millis: Option<i64>) -> Option<crate::clock::Timestamp> {
    millis.map(crate::clock::Timestamp::from_millis)
}
