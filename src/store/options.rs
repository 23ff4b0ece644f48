//! How connections are opened, what they say first, and which of them may be used again.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};
use sqlx::{Connection as _, SqliteConnection};
use tokio::time::sleep;

use crate::clock::Stopwatch;
use crate::store::losses::Losses;
use crate::store::sql_state;

/// Connections to Postgres at most.
pub const POSTGRES_CONNECTIONS: u32 = 16;
/// Connections that read from SQLite, beside the one that writes.
pub const SQLITE_READERS: u32 = 4;
/// How long a free connection is waited for.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// What every session says first.
///
/// The bounds are what no statement, wait or forgotten transaction of ours may exceed: a replica
/// that is stopped between a lock and its commit must not hold up the others for ever.
///
/// The isolation is the one under which a waiter for a row reads what the row has become. Under
/// `REPEATABLE READ` it would go on with what the row was, if that was locked and not changed.
const SESSION: &str = "SET default_transaction_isolation = 'read committed';
     SET statement_timeout = '10s';
     SET lock_timeout = '4s';
     SET idle_in_transaction_session_timeout = '15s'";

const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait before a file is opened again that others are just opening.
const SQLITE_OPENED_AGAIN_AFTER: Duration = Duration::from_millis(20);
const IDLE_BEFORE_PING: Duration = Duration::from_secs(30);

/// Postgres, as every connection to it is opened and kept.
pub fn postgres_options(url: &str, losses: &Arc<Losses>) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire_if_idle_for(IDLE_BEFORE_PING)
        .set_application_name("gatehouse");
    quiet(&mut options);
    let losses = Arc::clone(losses);
    let trusting = Arc::clone(&losses);
    options.map_sqlx_postgres_before_acquire(move |_, connection| {
        Box::pin(std::future::ready(Ok(trusting.trust(connection.age))))
    });
    // Startup parameters are refused by poolers, so there are none: what a session needs is said in
    // its first statement.
    options.map_sqlx_postgres_opts(|postgres| postgres.extra_float_digits(None));
    options.map_sqlx_postgres_pool_opts(move |pool| {
        let losses = Arc::clone(&losses);
        pool.after_connect(|connection, _| {
            Box::pin(async move { sqlx::raw_sql(SESSION).execute(connection).await.map(|_| ()) })
        })
        .after_release(move |connection, used| {
            let losses = Arc::clone(&losses);
            Box::pin(async move { Ok(losses.may_return(connection, used.age).await) })
        })
    });
    options
}

/// Opens a SQLite file, waiting its turn.
///
/// Who opens a new file writes into it that it has a write-ahead log. Of several that do so at once
/// SQLite refuses some with `SQLITE_BUSY` without asking its busy handler, because two that wait
/// for each other would wait for ever (sqlite3_busy_handler).
pub async fn open_sqlite(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    let since = Stopwatch::start();
    loop {
        match Database::connect(sqlite_options(url, connections)).await {
            Err(error) if is_busy(&error) && since.elapsed() < SQLITE_BUSY_TIMEOUT => {
                sleep(SQLITE_OPENED_AGAIN_AFTER).await;
            }
            opened => return opened,
        }
    }
}

/// `SQLITE_BUSY`, `SQLITE_BUSY_RECOVERY`.
fn is_busy(error: &DbErr) -> bool {
    sql_state(error).is_some_and(|code| matches!(code.as_str(), "5" | "261"))
}

/// SQLite, as every connection to it is opened and kept.
fn sqlite_options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).acquire_timeout(ACQUIRE_TIMEOUT);
    options.map_sqlx_sqlite_opts(|sqlite| {
        use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
        sqlite
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL may forget a consumed code on power loss, which would make it live again.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(SQLITE_BUSY_TIMEOUT)
    });
    options.map_sqlx_sqlite_pool_opts(|pool| {
        pool.after_release(|connection, _| Box::pin(has_no_transaction(connection)))
    });
    quiet(&mut options);
    options
}

/// Whether a connection may be used again. A disk that is full ends a transaction by itself; the
/// rollback then finds none, and the connection would take every later one for part of the first.
async fn has_no_transaction(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // A rollback may be under way.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// Statements carry hashes and sealed values; even so they have no place in a log.
fn quiet(options: &mut ConnectOptions) {
    options.sqlx_logging(false).record_stmt_in_spans(false);
}
