//! What happened, in counts by day, and how far sign-ins came.

use sea_orm::{FromQueryResult, Statement};

use crate::calendar::MILLIS_OF_DAY;
use crate::clock::Timestamp;
use crate::store::{Db, StoreError};

/// What is counted, and where it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Programs that were first seen.
    Clients,
    /// People who first signed in.
    People,
    /// Grants that were made and are still kept.
    Grants,
}

/// A count of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct OfDay {
    /// Days since the epoch, in UTC.
    pub day: i64,
    /// How many.
    pub count: i64,
}

/// Counts since a day, given in days since the epoch; days without any are not among them.
pub async fn by_day(db: &impl Db, counted: Counted, since: i64) -> Result<Vec<OfDay>, StoreError> {
    let table = match counted {
        Counted::Clients => "clients",
        Counted::People => "users",
        Counted::Grants => "grants",
    };
    let sql = format!(
        "SELECT created_at / {MILLIS_OF_DAY} AS day, count(*) AS count FROM {table}
         WHERE created_at >= $1 GROUP BY 1 ORDER BY 1"
    );
    let values = [(since * MILLIS_OF_DAY).into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    Ok(OfDay::find_by_statement(statement).all(db).await?)
}

/// How far those came who began a sign-in since a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromQueryResult)]
pub struct Funnel {
    /// Programs that were first seen.
    pub clients: i64,
    /// People who answered a consent page, either way.
    pub answered: i64,
    /// Those who allowed it.
    pub allowed: i64,
    /// Those who signed in, so that a code was made.
    pub codes: i64,
    /// Programs that redeemed their code.
    pub tokens: i64,
    /// People of those whose program called a tool.
    pub called: i64,
}

/// Counts the steps of sign-ins since a moment.
pub async fn funnel(db: &impl Db, since: Timestamp) -> Result<Funnel, StoreError> {
    let statement = Statement::from_sql_and_values(
        db.get_database_backend(),
        "SELECT (SELECT count(*) FROM clients WHERE created_at >= $1) AS clients,
             (SELECT count(*) FROM authorization_requests WHERE decided_at >= $1) AS answered,
             (SELECT count(*) FROM authorization_requests
                 WHERE decided_at >= $1 AND decision = 'approved') AS allowed,
             (SELECT count(*) FROM authorization_codes WHERE created_at >= $1) AS codes,
             (SELECT count(*) FROM authorization_codes
                 WHERE created_at >= $1 AND grant_id IS NOT NULL) AS tokens,
             (SELECT count(DISTINCT g.user_id) FROM grants g
                 WHERE g.created_at >= $1 AND EXISTS (SELECT 1 FROM usage_by_person u
                     WHERE u.user_id = g.user_id AND u.day >= $2)) AS called",
        [since.millis().into(), since.millis().div_euclid(MILLIS_OF_DAY).into()],
    );
    Ok(Funnel::find_by_statement(statement).one(db).await?.unwrap_or_default())
}
