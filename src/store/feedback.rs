//! What people say of the documentation, kept before anything else is done with it.

use sea_orm::{ActiveModelTrait, Set};

use crate::clock::Timestamp;
use crate::id::{FeedbackId, UserId};
use crate::store::entity::feedback::ActiveModel;
use crate::store::{StoreError, Txn};

/// A message as its row holds it.
pub struct NewFeedback {
    /// Its row, and the receipt its sender gets.
    pub id: FeedbackId,
    /// Who sent it.
    pub user_id: UserId,
    /// With which client.
    pub client_id: String,
    /// One of the four categories.
    pub category: &'static str,
    /// Which page it is about.
    pub page_url: Option<String>,
    /// Their words, sealed.
    pub text_sealed: Vec<u8>,
}

/// Inserts a message.
pub async fn insert(txn: &Txn, feedback: NewFeedback, now: Timestamp) -> Result<(), StoreError> {
    ActiveModel {
        id: Set(feedback.id.uuid()),
        user_id: Set(feedback.user_id.uuid()),
        client_id: Set(feedback.client_id),
        category: Set(feedback.category.to_owned()),
        page_url: Set(feedback.page_url),
        text_sealed: Set(feedback.text_sealed),
        created_at: Set(now.millis()),
    }
    .insert(txn)
    .await?;
    Ok(())
}
