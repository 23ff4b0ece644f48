//! Feedback, listed with how far each message has come.

use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::id::{FeedbackId, UserId};
use crate::store::listings::{Conditions, Window};
use crate::store::{Db, StoreError};

/// A message.
#[derive(Clone, Debug)]
pub struct ListedFeedback {
    /// Its row.
    pub id: FeedbackId,
    /// Who sent it.
    pub person: UserId,
    /// With which client.
    pub client_id: String,
    /// What it is about.
    pub category: String,
    /// Which page it is about.
    pub page_url: Option<String>,
    /// Whether that page lies outside the documentation.
    pub page_is_foreign: Option<bool>,
    /// Their words, sealed.
    pub text_sealed: Vec<u8>,
    /// When it came.
    pub created_at: Timestamp,
    /// `stored`, `waiting`, `delivered` or `failed`.
    pub delivery: String,
    /// How often it was tried.
    pub attempts: i64,
    /// What kind of failure the last one was.
    pub last_failure: Option<String>,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    user_id: Uuid,
    client_id: String,
    category: String,
    page_url: Option<String>,
    page_is_foreign: Option<bool>,
    text_sealed: Vec<u8>,
    created_at: i64,
    delivery: String,
    attempts: i64,
    last_failure: Option<String>,
}

/// Messages, the newest first; `destination` is the name of feedback's receiver.
pub async fn list(
    db: &impl Db,
    destination: &str,
    window: Window,
) -> Result<Vec<ListedFeedback>, StoreError> {
    let mut conditions = Conditions::default();
    let destination = conditions.value(destination);
    let select = format!(
        "SELECT f.id, f.user_id, f.client_id, f.category, f.page_url, f.page_is_foreign,
             f.text_sealed, f.created_at, o.last_failure, COALESCE(o.attempts, 0) AS attempts,
             CASE WHEN o.id IS NULL THEN 'stored' WHEN o.delivered_at IS NOT NULL THEN 'delivered'
                 WHEN o.failed_at IS NOT NULL THEN 'failed' ELSE 'waiting' END AS delivery
         FROM feedback f
         LEFT JOIN outbox o ON o.destination = {destination} AND o.idempotency_key = f.id"
    );
    let rows: Vec<Row> = conditions.rows(db, &select, "f.id", window).await?;
    let listed = |row: Row| ListedFeedback {
        id: FeedbackId::from_uuid(row.id),
        person: UserId::from_uuid(row.user_id),
        client_id: row.client_id,
        category: row.category,
        page_url: row.page_url,
        page_is_foreign: row.page_is_foreign,
        text_sealed: row.text_sealed,
        created_at: Timestamp::from_millis(row.created_at),
        delivery: row.delivery,
        attempts: row.attempts,
        last_failure: row.last_failure,
    };
    Ok(rows.into_iter().map(listed).collect())
}
