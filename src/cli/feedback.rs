//! `gatehouse feedback form|list|deliver`: what an operator does about the delivery of feedback.

use std::sync::Arc;

use crate::attribution::feedback::{DESTINATION, status_of};
use crate::cli::serve::open_migrated_store;
use crate::cli::{CommandError, block_on, deliveries, say, sinks};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::config::feedback::FeedbackConfig;
use crate::flow::chain;
use crate::secret::{Entropy, SystemEntropy};
use crate::store::feedback::{self, Listed};
use crate::store::{Store, StoreError, outbox, transact};

/// Messages read at once.
const PAGE_ROWS: u64 = 200;

/// Runs one of the actions.
pub fn run(config: Config, action: &str) -> Result<(), CommandError> {
    match action {
        "form" => form(&config),
        "list" => block_on(async { list(&config).await }),
        _ => block_on(async { deliver(&config).await }),
    }
}

fn configured(config: &Config) -> Result<&FeedbackConfig, CommandError> {
    config.feedback.as_ref().ok_or_else(|| {
        CommandError::new("feedback: no receiver is configured; add [feedback] to the settings")
    })
}

/// Prints the hidden form by which a host of static sites learns of ours.
fn form(config: &Config) -> Result<(), CommandError> {
    let form = deliveries::form(configured(config)?)
        .ok_or_else(|| CommandError::new("feedback: it goes to a webhook, which needs no form"))?;
    say(form.registration());
    Ok(())
}

/// Prints what is not delivered, the oldest first, and nothing of its text or its sender.
async fn list(config: &Config) -> Result<(), CommandError> {
    let store = open_migrated_store(&config.database_url).await?;
    let mut after = None;
    loop {
        let page = feedback::list(store.read(), Listed::Undelivered, DESTINATION, after, PAGE_ROWS)
            .await
            .map_err(fault)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        for message in page {
            let standing = outbox::standing(store.read(), DESTINATION, message.id.uuid());
            let standing = standing.await.map_err(fault)?;
            let status = match &standing {
                None => "not queued",
                Some(_) => status_of(standing.as_ref()).name(),
            };
            let (attempts, reason) =
                standing.map_or((0, None), |standing| (standing.attempts, standing.last_failure));
            say(format!(
                "{} {status}, {attempts} attempts, last failure {}, {} of {} s after the epoch",
                message.id,
                reason.as_deref().unwrap_or("none"),
                message.category,
                message.created_at.seconds(),
            ));
        }
    }
}

/// Queues what was stored before there was a receiver, and what was given up.
async fn deliver(config: &Config) -> Result<(), CommandError> {
    configured(config)?;
    let store = open_migrated_store(&config.database_url).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let sinks = Arc::new(deliveries::sinks_without_delivery(config, &entropy));
    let stored = deliveries::stored_feedback(config, &store, &clock, &entropy, None, sinks);
    let queued = stored.queue_older().await.map_err(fault)?;
    say(format!("{:>8} queued that were only stored", queued.messages));
    if queued.unreadable > 0 {
        say(format!("{:>8} cannot be opened by this secret", queued.unreadable));
    }
    let requeued = requeue(&store, &*clock).await.map_err(fault)?;
    say(format!("{requeued:>8} queued again that were given up"));
    say("         every running server delivers them");
    Ok(())
}

async fn requeue(store: &Store, clock: &dyn Clock) -> Result<u64, StoreError> {
    transact!(*store, txn => sinks::requeue(txn, DESTINATION, clock.now()).await)
}

fn fault(error: StoreError) -> CommandError {
    CommandError::new(format!("feedback: {}", chain(&error)))
}
