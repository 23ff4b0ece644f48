//! What is measured of the database: transactions as they end, and connections when somebody asks.

use sea_orm::{DatabaseConnection, DbErr};

use crate::clock::Stopwatch;
use crate::metrics::gauges::PoolUse;
use crate::metrics::store::{Retry, TransactionEnd};
use crate::store::options::{POSTGRES_CONNECTIONS, SQLITE_READERS};
use crate::store::{Attempts, Store, StoreError, asks_for_another_try};

impl Default for Attempts {
    fn default() -> Self {
        Self(0, Stopwatch::start())
    }
}

impl Attempts {
    /// No connection could be had.
    pub fn not_begun(&self, store: &Store, error: StoreError) -> StoreError {
        store.metrics.ended(TransactionEnd::Failed, self.1.elapsed());
        error
    }

    /// The last attempt has ended.
    pub(super) fn ended<T>(
        &self,
        store: &Store,
        ended: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let end = if ended.is_ok() { TransactionEnd::Committed } else { TransactionEnd::Failed };
        store.metrics.ended(end, self.1.elapsed());
        ended
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
