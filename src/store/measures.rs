//! What is measured of the database: transactions as they end, and connections when somebody asks.

use sea_orm::{DatabaseConnection, DbErr, Statement};
use tracing::Instrument as _;

use crate::clock::Stopwatch;
use crate::metrics::gauges::PoolUse;
use crate::metrics::store::{Retry, TransactionEnd};
use crate::store::options::{POSTGRES_CONNECTIONS, SQLITE_READERS};
use crate::store::{Attempts, Store, StoreError, asks_for_another_try};
use crate::traces::{self, End};

impl Attempts {
    /// None yet, of a block that stands in this module.
    pub fn in_module(place: &'static str) -> Self {
        Self(0, Stopwatch::start(), traces::transaction(place))
    }

    /// No connection could be had.
    pub fn not_begun(&self, store: &Store, error: StoreError) -> StoreError {
        store.metrics.ended(TransactionEnd::Failed, self.1.elapsed());
        traces::ended(&self.2, "no_connection", End::Fault);
        error
    }

    /// The last attempt has ended.
    pub(super) fn ended<T>(
        &self,
        store: &Store,
        ended: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (end, told) = if ended.is_ok() {
            (TransactionEnd::Committed, End::Well)
        } else {
            (TransactionEnd::Failed, End::Fault)
        };
        store.metrics.ended(end, self.1.elapsed());
        traces::ended(&self.2, end.name(), told);
        ended
    }
}

/// Tells how long a statement by itself took.
pub async fn told<T>(
    statement: &Statement,
    answer: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    let span = traces::statement();
    if !span.is_disabled() {
        span.record("db.query.summary", summary(&statement.sql));
    }
    let answer = answer.instrument(span.clone()).await;
    match &answer {
        Ok(_) => traces::ended(&span, "answered", End::Well),
        Err(_) => traces::ended(&span, "failed", End::Fault),
    }
    answer
}

/// The verb of a statement and the first table that it names, as `SELECT grants`. A statement of
/// ours has no values in it; even so nothing else of it is told.
fn summary(sql: &str) -> String {
    let mut words = sql.split_ascii_whitespace();
    let verb = words.next().unwrap_or_default();
    let is_before_table = |word: &&str| ["FROM", "INTO", "UPDATE"].contains(word);
    let table = words.find(is_before_table).and_then(|_| words.next()).unwrap_or_default();
    let table = table.trim_matches(['"', '(', ')', ',', ';']);
    let is_name =
        |text: &str, is_part: fn(char) -> bool| !text.is_empty() && text.chars().all(is_part);
    match (verb, table) {
        (verb, _) if !is_name(verb, |c| c.is_ascii_uppercase()) => "OTHER".to_owned(),
        (verb, table) if is_name(table, |c| c.is_ascii_lowercase() || c == '_') => {
            format!("{verb} {table}")
        }
        (verb, _) => verb.to_owned(),
    }
}

impl Store {
    /// A transaction is run again after this error.
    pub(super) fn count_retry(&self, error: &DbErr) {
        self.metrics.retried(if asks_for_another_try(error) {
            Retry::Serialization
        } else {
            Retry::ConnectionLost
        });
    }

    /// How the connections are used just now.
    pub fn pools(&self) -> Vec<PoolUse> {
        if self.is_postgres() {
            let pool = self.writer.get_postgres_connection_pool();
            vec![pool_use("writer", pool.size(), pool.num_idle(), POSTGRES_CONNECTIONS)]
        } else {
            let sqlite = |name, connection: &DatabaseConnection, max| {
                let pool = connection.get_sqlite_connection_pool();
                pool_use(name, pool.size(), pool.num_idle(), max)
            };
            vec![
                sqlite("writer", &self.writer, 1),
                sqlite("reader", &self.reader.connection, SQLITE_READERS),
            ]
        }
    }
}

/// Counts are read one after the other while others work, so they may not add up.
fn pool_use(pool: &'static str, size: u32, idle: usize, max: u32) -> PoolUse {
    let idle = u32::try_from(idle).unwrap_or(u32::MAX).min(size);
    PoolUse { pool, in_use: size - idle, idle, max }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_statement_its_verb_and_table_are_told_and_nothing_else() {
        for (sql, told) in [
            (r#"SELECT "grants"."id" FROM "grants" WHERE "id" = $1"#, "SELECT grants"),
            ("INSERT INTO usage_writers (writer) VALUES ($1)", "INSERT usage_writers"),
            ("WITH head AS ( SELECT g.id FROM refresh_tokens t)", "WITH refresh_tokens"),
            ("DELETE FROM leases", "DELETE leases"),
            ("SELECT 1", "SELECT"),
            ("SELECT x FROM 'alice@example.com'", "SELECT"),
            ("alice@example.com FROM grants", "OTHER"),
            ("", "OTHER"),
        ] {
            assert_eq!(summary(sql), told, "{sql}");
        }
    }
}
