//! Feedback: stored, sealed, before anything else is done with it.

use std::sync::Arc;

use crate::clock::Clock;
use crate::id::{FeedbackId, UserId};
use crate::mcp::caller::Caller;
use crate::mcp::feedback::{
    Feedback, FeedbackBox, FeedbackFault, FeedbackStatus, Receipt, Submission,
};
use crate::secret::Entropy;
use crate::server_secret::{Purpose, ServerSecret};
use crate::store::Store;
use crate::store::feedback::{self, StoredMessage};
use crate::store::transact;

/// Keeps feedback in the database.
pub struct StoredFeedback {
    /// Where it is kept.
    pub store: Store,
    /// Seals people's words.
    pub secret: Arc<ServerSecret>,
    /// When it came.
    pub clock: Arc<dyn Clock>,
    /// Makes receipts.
    pub entropy: Arc<dyn Entropy>,
}

impl FeedbackBox for StoredFeedback {
    fn submit<'a>(&'a self, caller: &'a Caller, feedback: Feedback) -> Submission<'a> {
        Box::pin(self.keep(caller, feedback))
    }
}

impl StoredFeedback {
    async fn keep(&self, caller: &Caller, feedback: Feedback) -> Result<Receipt, FeedbackFault> {
        let now = self.clock.now();
        let person = caller.person.as_ref().ok_or_else(|| {
            FeedbackFault("feedback came from nobody, which the tool rules out".into())
        })?;
        let user_id = UserId::parse(&person.subject)
            .ok_or_else(|| FeedbackFault("a caller's subject is not ours".into()))?;
        let id = FeedbackId::generate(&*self.entropy, now);
        let sealed = self.secret.seal(&*self.entropy, Purpose::Feedback, feedback.text.as_bytes());
        transact!(self.store, txn => {
            let row = StoredMessage {
                id,
                user_id,
                client_id: caller.client_id.clone().unwrap_or_default(),
                category: feedback.category.name().to_owned(),
                page_url: feedback.page_url.as_ref().map(ToString::to_string),
                page_is_foreign: None,
                text_sealed: sealed.clone(),
                created_at: now,
            };
            feedback::insert(txn, row).await
        })
        .map_err(|error| FeedbackFault(error.into()))?;
        tracing::info!(
            tool = "submit_documentation_feedback", outcome = "stored",
            category = feedback.category.name(), subject = %user_id,
        );
        Ok(Receipt { receipt: id.to_string(), status: FeedbackStatus::Stored })
    }
}
