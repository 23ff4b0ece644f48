//! Registered clients.

use std::time::Duration;

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::client::{Client, ClientMetadata, GrantType};
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::scope::ScopeSet;
use crate::id::ClientRowId;
use crate::secret::sha256;
use crate::store::entity::clients::{ActiveModel, Column, Entity, Model};
use crate::store::{Consumed, Db, StoreError, Txn};

/// The metadata column: RFC 7591 names, so that a person can read it.
#[derive(Serialize, Deserialize)]
struct StoredMetadata {
    redirect_uris: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    logo_uri: Option<String>,
    grant_types: Vec<String>,
    #[serde(default)]
    scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    application_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    software_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    software_version: Option<String>,
}

/// Finds a client by the identifier it presents.
pub async fn find(db: &impl Db, client_id: &str) -> Result<Option<Client>, StoreError> {
    let row = Entity::find().filter(Column::ClientId.eq(client_id)).one(db).await?;
    row.map(client_of).transpose()
}

/// Finds clients by their identifiers; in no order, and those that are gone are not among them.
pub async fn find_all(db: &impl Db, client_ids: &[String]) -> Result<Vec<Client>, StoreError> {
    let rows = Entity::find().filter(Column::ClientId.is_in(client_ids)).all(db).await?;
    rows.into_iter().map(client_of).collect()
}

/// A client that registered the same before.
pub struct Known {
    /// Its identifier.
    pub client_id: String,
    /// When it registered.
    pub created_at: Timestamp,
    /// Noted once an hour at most.
    pub last_used_at: Timestamp,
}

/// Finds the client that registered the same software, whatever its loopback ports.
pub async fn find_same(
    db: &impl Db,
    metadata: &ClientMetadata,
) -> Result<Option<Known>, StoreError> {
    let by_digest = Entity::find().filter(Column::MetadataDigest.eq(digest(metadata)?));
    Ok(by_digest.one(db).await?.map(|row| Known {
        client_id: row.client_id,
        created_at: Timestamp::from_millis(row.created_at),
        last_used_at: Timestamp::from_millis(row.last_used_at),
    }))
}

/// A client that is known by its metadata document.
pub struct Published {
    /// What was found there last.
    pub client: Client,
    /// Noted when somebody signed in, or the document was read again.
    pub last_used_at: Timestamp,
}

/// Finds what a document said.
pub async fn find_published(
    db: &impl Db,
    client_id: &str,
) -> Result<Option<Published>, StoreError> {
    published_of(Entity::find().filter(Column::ClientId.eq(client_id)).one(db).await?)
}

/// The same, locking the row.
pub async fn lock_published(txn: &Txn, client_id: &str) -> Result<Option<Published>, StoreError> {
    let by_id = Entity::find().filter(Column::ClientId.eq(client_id));
    published_of(by_id.lock_exclusive().one(txn).await?)
}

fn published_of(row: Option<Model>) -> Result<Option<Published>, StoreError> {
    let Some(row) = row else { return Ok(None) };
    let last_used_at = Timestamp::from_millis(row.last_used_at);
    Ok(Some(Published { client: client_of(row)?, last_used_at }))
}

/// Writes what a document says now. It folds into no registration, whatever it says.
pub async fn put_published(
    txn: &Txn,
    id: ClientRowId,
    client: &Client,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = row_of(id, client, None, now)?;
    let replaced = [Column::Metadata, Column::LastUsedAt];
    Entity::insert(row)
        .on_conflict(OnConflict::column(Column::ClientId).update_columns(replaced).to_owned())
        .exec_without_returning(txn)
        .await?;
    Ok(())
}

/// Inserts a new client, unless the same software was registered meanwhile.
pub async fn insert(
    txn: &Txn,
    id: ClientRowId,
    client: &Client,
    now: Timestamp,
) -> Result<Consumed, StoreError> {
    let row = row_of(id, client, Some(digest(&client.metadata)?), now)?;
    let rows = Entity::insert(row)
        .on_conflict_do_nothing_on([Column::MetadataDigest])
        .exec_without_returning(txn)
        .await?;
    Ok(Consumed::from_insert(&rows))
}

fn row_of(
    id: ClientRowId,
    client: &Client,
    metadata_digest: Option<Vec<u8>>,
    now: Timestamp,
) -> Result<ActiveModel, StoreError> {
    let metadata = serde_json::to_value(stored(&client.metadata))
        .map_err(|_| StoreError::Corrupt("client metadata"))?;
    Ok(ActiveModel {
        id: Set(id.uuid()),
        client_id: Set(client.client_id.clone()),
        metadata: Set(metadata),
        created_at: Set(now.millis()),
        last_used_at: Set(now.millis()),
        metadata_digest: Set(metadata_digest),
    })
}

/// Over the column's own text, whose members have one order.
fn digest(metadata: &ClientMetadata) -> Result<Vec<u8>, StoreError> {
    let text = serde_json::to_vec(&stored(&metadata.of_the_software()))
        .map_err(|_| StoreError::Corrupt("client metadata"))?;
    Ok(sha256(&text).to_vec())
}

/// How exact the note of a client's last use is.
const USE_NOTED_EVERY: Duration = Duration::from_hours(1);

/// Notes that somebody signed in with this client; an unused one may expire. At most once an hour,
/// so that the sign-ins of a popular client do not queue for its row.
pub async fn mark_used(txn: &Txn, client_id: &str, now: Timestamp) -> Result<(), StoreError> {
    Entity::update_many()
        .col_expr(Column::LastUsedAt, sea_orm::sea_query::Expr::value(now.millis()))
        .filter(Column::ClientId.eq(client_id))
        .filter(Column::LastUsedAt.lt(now.minus(USE_NOTED_EVERY).millis()))
        .exec(txn)
        .await?;
    Ok(())
}

fn stored(metadata: &ClientMetadata) -> StoredMetadata {
    let metadata = metadata.clone();
    StoredMetadata {
        redirect_uris: metadata.redirect_uris.iter().map(|uri| uri.as_str().to_owned()).collect(),
        client_name: metadata.client_name,
        client_uri: metadata.client_uri,
        logo_uri: metadata.logo_uri,
        grant_types: metadata.grant_types.iter().map(|g| g.name().to_owned()).collect(),
        scope: metadata.scope.to_string(),
        application_type: metadata.application_type,
        software_id: metadata.software_id,
        software_version: metadata.software_version,
    }
}

fn client_of(row: Model) -> Result<Client, StoreError> {
    let stored: StoredMetadata =
        serde_json::from_value(row.metadata).map_err(|_| StoreError::Corrupt("client metadata"))?;
    let metadata = ClientMetadata {
        redirect_uris: stored.redirect_uris.into_iter().map(RedirectUri::from_stored).collect(),
        client_name: stored.client_name,
        client_uri: stored.client_uri,
        logo_uri: stored.logo_uri,
        grant_types: stored.grant_types.iter().filter_map(|g| GrantType::from_name(g)).collect(),
        scope: ScopeSet::known_in(&stored.scope),
        application_type: stored.application_type,
        software_id: stored.software_id,
        software_version: stored.software_version,
    };
    Ok(Client { client_id: row.client_id, metadata })
}
