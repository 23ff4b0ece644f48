//! Connections that break, as all do when a database is restarted: noticed once, and no request
//! pays for it where nothing can have happened yet.
//!
//! A pool hands out a dead connection as readily as a live one, unless it asks the database each
//! time. So the first loss condemns every connection that is older than it, and what was lost is
//! done again where that is safe: a read, the beginning of a transaction, a transaction before its
//! commit. A commit whose answer is lost stays a fault.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};

use sqlx::{Connection as _, PgConnection};
use tokio::time::timeout;

use crate::clock::Stopwatch;
use crate::store::measures::told;
use crate::store::transaction::{HEARD_BY_ANY_WITHIN, HEARD_WITHIN, heard};
use crate::store::{sql_state, sqlx_error};

/// How long after a statement was left without its answer each connection that comes back is asked
/// whether it is alive. The one that it was left over comes back at once.
const IN_DOUBT_FOR: Duration = Duration::from_mins(1);

/// When a connection was lost last, and when one was left with an answer still to come.
#[derive(Debug, Default)]
pub struct Losses {
    lost: Mutex<Option<Stopwatch>>,
    left: Mutex<Option<Stopwatch>>,
}

impl Losses {
    /// Whether this error is a lost connection, which is then remembered.
    pub fn notice(&self, error: &DbErr) -> bool {
        let is_lost = is_lost_connection(error);
        if is_lost {
            self.condemn();
        }
        is_lost
    }

    /// From now on only connections that are younger than this moment are used.
    fn condemn(&self) {
        tracing::debug!("a database connection is lost, and those opened before it are closed");
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(Stopwatch::start());
    }

    /// A statement is sent.
    pub const fn unheard(&self) -> Unheard<'_> {
        Unheard(Some(self))
    }

    fn is_in_doubt(&self) -> bool {
        let since_left = *self.left.lock().unwrap_or_else(PoisonError::into_inner);
        since_left.is_some_and(|since_left| since_left.elapsed() < IN_DOUBT_FOR)
    }

    /// Whether a connection that was used may be used again. Who used it may have gone away in the
    /// middle of a statement; one that never ends would keep its place in the pool for ever. Where
    /// nobody has, it is not asked: the pool does that too.
    pub async fn may_return(&self, connection: &mut PgConnection, age: Duration) -> bool {
        if !self.trust(age) {
            return false;
        }
        if !self.is_in_doubt() {
            return true;
        }
        match timeout(HEARD_WITHIN, connection.ping()).await {
            Ok(answered) => answered.is_ok(),
            Err(_) => {
                self.condemn();
                false
            }
        }
    }

    /// Whether a connection of this age may still be used: none was lost since it was opened.
    pub fn trust(&self, age: Duration) -> bool {
        let since_loss = *self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        since_loss.is_none_or(|since_loss| age <= since_loss.elapsed())
    }
}

/// A statement whose answer is waited for. Who drops this before [`Self::heard`] leaves a
/// connection behind that is in doubt.
#[derive(Debug)]
pub struct Unheard<'a>(Option<&'a Losses>);

impl Unheard<'_> {
    /// It was answered, or its connection broke.
    pub fn heard(mut self) {
        self.0 = None;
    }
}

impl Drop for Unheard<'_> {
    fn drop(&mut self) {
        if let Some(losses) = self.0 {
            *losses.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(Stopwatch::start());
        }
    }
}

/// Whether the connection is gone: broken off, also while it was made; silent; or ended by a server
/// that stops or a pooler before it (SQLSTATE admin_shutdown, crash_shutdown, cannot_connect_now,
/// class connection_exception). Or it is of no more use: after a failover an open connection may
/// lead to a server that only reads (read_only_sql_transaction).
pub fn is_lost_connection(error: &DbErr) -> bool {
    match (error, sqlx_error(error)) {
        (_, Some(sqlx::Error::Io(_))) | (DbErr::Conn(_), Some(sqlx::Error::Protocol(_))) => true,
        _ => {
            let code = sql_state(error);
            code.is_some_and(|code| {
                matches!(code.as_str(), "57P01" | "57P02" | "57P03" | "25006")
                    || code.len() == 5 && code.starts_with("08")
            })
        }
    }
}

/// How often what is safe to repeat is repeated after a loss: what broke may break again while the
/// database comes back.
#[derive(Debug)]
pub struct Repeats(u8);

impl Default for Repeats {
    fn default() -> Self {
        Self(2)
    }
}

impl Repeats {
    /// Whether to do it again after this error: its connection is lost, and it may help.
    pub fn allow(&mut self, losses: &Losses, error: &DbErr) -> bool {
        if !losses.notice(error) || self.0 == 0 {
            return false;
        }
        self.0 -= 1;
        true
    }
}

/// Single reads that decide nothing by themselves. One that is lost is read again.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) connection: DatabaseConnection,
    pub(super) losses: Arc<Losses>,
}

#[async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let answer = self.connection.execute_raw(statement.clone());
        let backend = self.get_database_backend();
        told(&statement, heard(&self.losses, backend, HEARD_BY_ANY_WITHIN, answer)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let answer = self.connection.execute_unprepared(sql);
        heard(&self.losses, self.get_database_backend(), HEARD_BY_ANY_WITHIN, answer).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        told(&statement, async {
            let backend = self.get_database_backend();
            let mut repeats = Repeats::default();
            loop {
                let answer = self.connection.query_one_raw(statement.clone());
                match heard(&self.losses, backend, HEARD_BY_ANY_WITHIN, answer).await {
                    Err(error) if repeats.allow(&self.losses, &error) => {}
                    answered => return answered,
                }
            }
        })
        .await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        told(&statement, async {
            let backend = self.get_database_backend();
            let mut repeats = Repeats::default();
            loop {
                let answer = self.connection.query_all_raw(statement.clone());
                match heard(&self.losses, backend, HEARD_BY_ANY_WITHIN, answer).await {
                    Err(error) if repeats.allow(&self.losses, &error) => {}
                    answered => return answered,
                }
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken() -> DbErr {
        let error = sqlx::Error::Io(std::io::ErrorKind::BrokenPipe.into());
        DbErr::Query(sea_orm::RuntimeErr::SqlxError(error.into()))
    }

    #[test]
    fn a_loss_condemns_what_is_older_and_nothing_else() {
        let losses = Losses::default();
        assert!(losses.trust(Duration::from_hours(1)), "nothing was lost");
        assert!(losses.notice(&broken()));
        assert!(!losses.trust(Duration::from_hours(1)), "opened long before");
        assert!(losses.trust(Duration::ZERO), "opened after");
    }

    #[test]
    fn a_connection_is_in_doubt_when_somebody_left_before_the_answer() {
        let losses = Losses::default();
        losses.unheard().heard();
        assert!(!losses.is_in_doubt(), "it was answered");
        drop(losses.unheard());
        assert!(losses.is_in_doubt());
    }

    #[tokio::test]
    async fn the_doubt_is_there_before_what_was_left_is_dropped() {
        let losses = Losses::default();
        let asked_at_the_end = OnDrop(|| assert!(losses.is_in_doubt()));
        let answer = async {
            let _left = asked_at_the_end;
            std::future::pending::<Result<(), DbErr>>().await
        };
        let waiting = heard(&losses, DbBackend::Postgres, HEARD_WITHIN, answer);
        assert!(timeout(Duration::ZERO, waiting).await.is_err());
        assert!(losses.is_in_doubt());
    }

    struct OnDrop<F: Fn()>(F);

    impl<F: Fn()> Drop for OnDrop<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }

    #[test]
    fn a_loss_is_repeated_a_few_times_and_nothing_else_is() {
        let losses = Losses::default();
        let mut repeats = Repeats::default();
        assert!(!repeats.allow(&losses, &DbErr::RecordNotInserted));
        let outcomes = [(); 3].map(|()| repeats.allow(&losses, &broken()));
        assert_eq!(outcomes, [true, true, false]);
    }

    #[test]
    fn an_error_of_another_kind_is_no_loss() {
        let losses = Losses::default();
        assert!(!losses.notice(&DbErr::RecordNotInserted));
        assert!(losses.trust(Duration::from_hours(1)));
    }
}
