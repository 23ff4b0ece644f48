//! Programs, listed.

use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::store::listings::{Conditions, Window};
use crate::store::{Db, StoreError};

/// How a program introduced itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// It registered.
    Registered,
    /// By a metadata document.
    Document,
}

/// Which programs to list.
#[derive(Clone, Debug, Default)]
pub struct ClientSelection {
    /// This one.
    pub id: Option<Uuid>,
    /// Those that introduced themselves like this.
    pub kind: Option<ClientKind>,
}

/// A program.
#[derive(Clone, Debug)]
pub struct ListedClient {
    /// Its row.
    pub id: Uuid,
    /// What it presents.
    pub client_id: String,
    /// What it calls itself.
    pub name: Option<String>,
    /// Where it is answered.
    pub redirect_uris: Vec<String>,
    /// When it was first seen.
    pub created_at: Timestamp,
    /// When somebody last signed in with it, to the hour.
    pub last_used_at: Timestamp,
    /// Its grants that nobody revoked.
    pub grants: i64,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    client_id: String,
    metadata: sea_orm::JsonValue,
    created_at: i64,
    last_used_at: i64,
    grants: i64,
}

/// Programs, the newest first.
pub async fn list(
    db: &impl Db,
    selection: &ClientSelection,
    window: Window,
) -> Result<Vec<ListedClient>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.equal("c.id", selection.id);
    // What a registration is called begins otherwise (`clients::registration`).
    match selection.kind {
        None => {}
        Some(ClientKind::Document) => conditions.add("c.client_id LIKE 'http%'".to_owned()),
        Some(ClientKind::Registered) => conditions.add("c.client_id NOT LIKE 'http%'".to_owned()),
    }
    let select = "SELECT c.id, c.client_id, c.metadata, c.created_at, c.last_used_at,
         (SELECT count(*) FROM grants g
          WHERE g.client_id = c.client_id AND g.revoked_at IS NULL) AS grants
         FROM clients c";
    let rows: Vec<Row> = conditions.rows(db, select, "c.id", window).await?;
    let texts = |value: &sea_orm::JsonValue| -> Vec<String> {
        let items = value.as_array().into_iter().flatten();
        items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let listed = |row: Row| ListedClient {
        id: row.id,
        client_id: row.client_id,
        name: row.metadata["client_name"].as_str().map(str::to_owned),
        redirect_uris: texts(&row.metadata["redirect_uris"]),
        created_at: Timestamp::from_millis(row.created_at),
        last_used_at: Timestamp::from_millis(row.last_used_at),
        grants: row.grants,
    };
    Ok(rows.into_iter().map(listed).collect())
}
