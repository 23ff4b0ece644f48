//! A writing transaction, whose statements are answered or given up.
//!
//! The server bounds each statement, but a server that is gone without a word bounds nothing: a
//! machine that lost its power, an address that a failover moved. What is not answered in time is
//! a lost connection, like one that broke.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement,
};
use tokio::time::timeout;

use crate::store::losses::Losses;
use crate::store::options::ACQUIRE_TIMEOUT;

/// How long an answer is waited for; the server ends a statement before that.
pub const HEARD_WITHIN: Duration = Duration::from_secs(12);

/// The same for what first has to wait for a connection.
pub const HEARD_BY_ANY_WITHIN: Duration = HEARD_WITHIN.saturating_add(ACQUIRE_TIMEOUT);

/// What Postgres answers. SQLite works in this process and is waited for. A connection over which
/// an answer is still to come, because nobody waits for it any more, is one in doubt.
pub async fn heard<T>(
    losses: &Losses,
    backend: DbBackend,
    at_most: Duration,
    answer: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    if backend == DbBackend::Sqlite {
        return answer.await;
    }
    let answer = pin!(timeout(at_most, answer));
    // Made after the answer and so dropped before it: the doubt is there when the pool asks.
    let unheard = losses.unheard();
    match answer.await {
        Ok(answered) => {
            unheard.heard();
            answered
        }
        Err(_) => Err(silence()),
    }
}

/// The loss of a connection over which nothing comes any more.
fn silence() -> DbErr {
    let error = sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

/// A writing transaction, each of whose statements is heard or given up.
#[derive(Debug)]
pub struct BoundedTransaction(DatabaseTransaction, Arc<Losses>);

impl BoundedTransaction {
    pub(super) const fn over(transaction: DatabaseTransaction, losses: Arc<Losses>) -> Self {
        Self(transaction, losses)
    }

    /// What is noticed of its connection.
    pub(super) fn losses(&self) -> &Losses {
        &self.1
    }

    /// For statements that may take longer: migrations, adding up.
    pub const fn unbounded(&self) -> &DatabaseTransaction {
        &self.0
    }

    /// Makes what it did stand.
    pub async fn commit(self) -> Result<(), DbErr> {
        heard(&self.1, self.0.get_database_backend(), HEARD_WITHIN, self.0.commit()).await
    }

    /// Takes back what it did.
    pub async fn rollback(self) -> Result<(), DbErr> {
        heard(&self.1, self.0.get_database_backend(), HEARD_WITHIN, self.0.rollback()).await
    }
}

#[async_trait]
impl ConnectionTrait for BoundedTransaction {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        heard(&self.1, self.get_database_backend(), HEARD_WITHIN, self.0.execute_raw(statement))
            .await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        heard(&self.1, self.get_database_backend(), HEARD_WITHIN, self.0.execute_unprepared(sql))
            .await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        heard(&self.1, self.get_database_backend(), HEARD_WITHIN, self.0.query_one_raw(statement))
            .await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        heard(&self.1, self.get_database_backend(), HEARD_WITHIN, self.0.query_all_raw(statement))
            .await
    }
}
