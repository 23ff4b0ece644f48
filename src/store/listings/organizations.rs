//! Organizations, listed.

use sea_orm::{FromQueryResult, Statement};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::store::listings::{Conditions, Window};
use crate::store::{Db, StoreError};

/// An organization.
#[derive(Clone, Debug)]
pub struct ListedOrganization {
    /// Its row.
    pub id: Uuid,
    /// What it is over all sign-ins.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// Its domain.
    pub domain: Option<String>,
    /// Who belongs to it now.
    pub people: i64,
    /// When somebody of it first signed in.
    pub created_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    key: String,
    name: String,
    domain: Option<String>,
    people: i64,
    created_at: i64,
}

const SELECT: &str = "SELECT o.id, o.key, o.name, o.domain, o.created_at,
     (SELECT count(*) FROM memberships m
      WHERE m.organization_id = o.id AND m.ended_at IS NULL) AS people
     FROM organizations o";

/// Organizations, the newest first.
pub async fn list(db: &impl Db, window: Window) -> Result<Vec<ListedOrganization>, StoreError> {
    let rows: Vec<Row> = Conditions::default().rows(db, SELECT, "o.id", window).await?;
    Ok(rows.into_iter().map(listed).collect())
}

/// Those that the most people belong to, at most `rows`.
pub async fn largest(db: &impl Db, rows: u64) -> Result<Vec<ListedOrganization>, StoreError> {
    let statement = Statement::from_sql_and_values(
        db.get_database_backend(),
        format!(
            "SELECT * FROM ({SELECT}) AS counted
             WHERE people > 0 ORDER BY people DESC, key LIMIT $1"
        ),
        [i64::try_from(rows).unwrap_or(i64::MAX).into()],
    );
    let found = Row::find_by_statement(statement).all(db).await?;
    Ok(found.into_iter().map(listed).collect())
}

fn listed(row: Row) -> ListedOrganization {
    ListedOrganization {
        id: row.id,
        key: row.key,
        name: row.name,
        domain: row.domain,
        people: row.people,
        created_at: Timestamp::from_millis(row.created_at),
    }
}
